"""Raw text on disk → documents, one at a time."""

import gzip
import json
import lzma
import warnings
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List

OPENERS: Dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
# a text without blank lines is cut into documents of this many lines
LONGEST_DOCUMENT = 1000
# bytes by which text is told from other files, and the most of its characters that may
# be none: Western European text in Latin-1 has fewer, and loses the lines with them
SAMPLE_BYTES, MOST_STRANGE = 1 << 16, 0.05


def list_files(paths: Iterable[Path]) -> List[Path]:
    """The files at these paths, and all within those that are folders, sorted.

    Raises ValueError when there is nothing at a path, or in all of them.
    """
    files: List[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            files.append(path)
        else:
            raise ValueError(f"There is no text at {path}; check the path.")
    if not files:
        raise ValueError("The folders given hold no files; put text files into them.")
    return files


def check_is_text(file: Path) -> None:
    """Raise ValueError for a file whose beginning is no UTF-8 text."""
    try:
        with OPENERS.get(file.suffix, open)(file, "rb") as opened:
            text = opened.read(SAMPLE_BYTES).decode("utf8", "replace")
    except (EOFError, OSError, lzma.LZMAError, zlib.error):
        return  # for `read_documents` to tell of
    n_strange = sum(
        char == "\ufffd" or (char < " " and not char.isspace()) for char in text
    )
    if n_strange > MOST_STRANGE * len(text):
        raise ValueError(
            f"{file} is no UTF-8 text; take it out of the text's paths, or convert it, "
            "for instance with: iconv -f ENCODING -t UTF-8"
        )


def read_documents(path: Path) -> Iterator[str]:
    """Documents of a text file: paragraphs a line, a blank line between documents.

    A name that ends in .gz or .xz is unpacked on the way. In a .jsonl file (also
    .jsonl.gz, .jsonl.xz) each line is an object whose "text" is a document.

    A line that is not UTF-8, or not such an object, is left out, with a warning that
    names the file and the byte of the first, and says how many there were; so is all
    after a place at which a packed file is damaged.
    """
    is_json = ".jsonl" in path.suffixes
    lines: List[str] = []
    for line in _lines(path, is_json):
        if is_json:
            yield line
        elif line and len(lines) < LONGEST_DOCUMENT:
            lines.append(line)
        else:
            if lines:
                yield "\n".join(lines)
            lines = [line] if line else []
    if lines:
        yield "\n".join(lines)


def _lines(path: Path, is_json: bool) -> Iterator[str]:
    n_bad, first_bad, offset = 0, 0, 0
    with OPENERS.get(path.suffix, open)(path, "rb") as file:
        try:
            for raw in file:
                try:
                    line = raw.decode("utf8").lstrip("\ufeff").strip()
                    if is_json and line:
                        line = json.loads(line)["text"].strip()
                        # fails for half a character, which JSON can escape
                        line.encode("utf8")
                    if "\0" in line:
                        raise ValueError("a NUL")
                    if line or not is_json:
                        yield line
                except (ValueError, KeyError, TypeError, AttributeError):
                    first_bad = first_bad if n_bad else offset
                    n_bad += 1
                offset += len(raw)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            warnings.warn(
                f"{path} is damaged after {offset:,} bytes of text ({error}); what "
                "comes before is used. Get the file again for the rest.",
                stacklevel=2,
            )
    if n_bad:
        kind = "an object with a text" if is_json else "UTF-8 text"
        warnings.warn(
            f"{path} has {n_bad:,} lines that are not {kind}, the first at byte "
            f"{first_bad:,}; they are left out.",
            stacklevel=2,
        )

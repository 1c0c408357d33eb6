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
# the bytes that are read to recognize text, and the largest share of characters in
# them that may not be text. Western European text in Latin-1 has fewer; the lines with
# such characters are then left out
SAMPLE_BYTES, MOST_STRANGE = 1 << 16, 0.05


def list_files(paths: Iterable[Path]) -> List[Path]:
    """List the files at these paths, and all files in the folders among them, sorted.

    Raises:
        ValueError: If there is nothing at a path, or no file in any folder.
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
    """Check that a file begins with UTF-8 text.

    Raises:
        ValueError: If it does not.
    """
    try:
        with OPENERS.get(file.suffix, open)(file, "rb") as opened:
            text = opened.read(SAMPLE_BYTES).decode("utf8", "replace")
    except (EOFError, OSError, lzma.LZMAError, zlib.error):
        return  # `read_documents` reports it
    n_strange = sum(
        char == "\ufffd" or (char < " " and not char.isspace()) for char in text
    )
    if n_strange > MOST_STRANGE * len(text):
        raise ValueError(
            f"{file} is not UTF-8 text; remove it from the text's paths, or convert "
            "it, for instance with: iconv -f ENCODING -t UTF-8"
        )


def read_documents(path: Path) -> Iterator[str]:
    """Yield the documents of a text file: one paragraph per line, a blank line between
    documents.

    A file whose name ends in .gz or .xz is unpacked on the way. In a .jsonl file (also
    .jsonl.gz, .jsonl.xz) each line is an object whose "text" is a document.

    Lines that are not UTF-8, or not such an object, are left out. So is everything
    after the place at which a packed file is damaged. A warning says how many lines
    there were, and names the file and the byte of the first one.
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
                        # fails for lone surrogates, which JSON can escape
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

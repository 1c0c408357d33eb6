"""Lines of text files, with any line endings, exactly as they are written.

LF, CR LF and CR end a line, and nothing else does: U+2028 and the like may be part of a
word. A byte order mark at the very start of a file is not part of the text; anywhere
else it is a character like any other.
"""

import codecs
import re
from pathlib import Path
from typing import Iterable, List, Union

from .atomic import replacing

MARK = "\ufeff"

# CR CR LF is a CR LF that was converted again
LINE_END = re.compile(r"\r*\n|\r")

# the first bytes of files that are not UTF-8, and their encodings; UTF-32 comes before
# UTF-16, as its mark begins with that of UTF-16
ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ"
SIGNATURES = {
    **{mark: f"{name}. Convert it to UTF-8 first" for mark, name in ENCODINGS.items()},
    GZIP: "compressed with gzip. Unpack it first, with gunzip",
    b"BZh": "compressed with bzip2. Unpack it first, with bunzip2",
    XZ: "compressed with xz. Unpack it first, with unxz",
    b"PK\x03\x04": "a ZIP archive, as .xlsx and .docx files are too. Unpack it, or "
    "save it as plain text",
    b"\x78\x9c": "compressed, as .spacy files are. If it is one, give it a name ending "
    "in .spacy",
}


def read_lines(path: Union[str, Path]) -> List[str]:
    """Read the lines of a UTF-8 file, without their endings.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is not UTF-8. It names the file and the line.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name a file in it.")
    data = path.read_bytes()
    for size in 4, 2:
        if _has_wide_line_feeds(data, size):
            raise ValueError(f"{path} is UTF-{8 * size}. Convert it to UTF-8 first.")
    try:
        return LINE_END.split(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        for signature, what in SIGNATURES.items():
            if data.startswith(signature):
                raise ValueError(f"{path} is {what}.") from None
        if b"\0" in data:
            raise ValueError(
                f"{path} is a binary file. Name a text file, in UTF-8."
            ) from None
        # the decoder drops a byte order mark, and counts from its end
        offset = error.start + len(data) - len(error.object)
        before = LINE_END.findall(data[:offset].decode("latin-1"))
        raise ValueError(
            f"{path}, line {len(before) + 1}: the byte 0x{data[offset]:02x} at offset "
            f"{offset} is not UTF-8. Convert the file to UTF-8 first."
        ) from None


def write_lines(path: Union[str, Path], lines: Iterable[str]) -> None:
    """Write lines in UTF-8, each with LF, so that `read_lines` returns them unchanged.

    The file appears complete or, after an error in `lines`, not at all.
    """
    with replacing(Path(path)) as temporary:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(lines):
                if number == 0 and line.startswith(MARK):
                    # a reader drops the first one, which must not be the word's
                    file.write(MARK)
                file.write(line + "\n")


def _has_wide_line_feeds(data: bytes, size: int) -> bool:
    """Whether each line feed has `size` bytes, with or without a byte order mark."""
    count, zeros = data.count(b"\n"), bytes(size - 1)
    return count > 0 and count in (
        data.count(b"\n" + zeros),
        data.count(zeros + b"\n"),
    )

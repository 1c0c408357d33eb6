"""The input texts of a command: in its arguments, in files, on standard input."""

import codecs
import errno
import io
import lzma
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import (
    Any,
    Callable,
    ContextManager,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

from ..corpus.raw_text import OPENERS
from ..files.text_files import ENCODINGS, GZIP, XZ
from .escapes import escaped

STDIN = "-"
# bytes per read, as many as a pipe holds
CHUNK = 2**16
PACKED = {GZIP: "gzip", XZ: "xz"}


class Text(NamedTuple):
    """A text and where it is from."""

    text: str
    source: str  # "text:number" of an argument, "file:line", "-:line"
    kept: Tuple[Any, ...] = ()  # values of the other columns that are asked for


ReadFile = Callable[[Path], Iterator[List[Text]]]


def check_texts(arguments: Iterable[str], files: Iterable[Path]) -> None:
    """Check the inputs before anything is read.

    Raises:
        ValueError: If no text is named, a text is not valid Unicode, or a file is not
            there or may not be read.
    """
    arguments, files = list(arguments), list(files)
    if not files and not any(argument.strip() for argument in arguments):
        raise ValueError(
            f"There is no text; give one, a file that has any, or {STDIN} for standard "
            "input."
        )
    for argument in arguments:
        check_unicode(argument, "text")
    for file in files:
        check_file(file)


def check_unicode(text: str, name: str) -> None:
    """Check a text of the command line: bytes that are not UTF-8 are surrogates in it.

    Raises:
        ValueError: If it holds one.
    """
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The {name} {text!r} holds half a character (a lone surrogate, "
            f"at position {error.start}); give it as UTF-8."
        ) from error


def check_file(file: Path) -> None:
    """Check that a file can be opened.

    Raises:
        ValueError: If it cannot. It says why.
    """
    if str(file) == STDIN:
        return
    try:
        # opening a named pipe would wait for its writer
        if not file.is_fifo():
            file.open("rb").close()
    except OSError as error:
        raise _unreadable(file, error) from error


def read_texts(
    arguments: Iterable[str],
    files: Iterable[Path],
    *,
    longest: int,
    read_file: Optional[ReadFile] = None,
) -> Iterator[List[Text]]:
    """Yield the arguments, then each line of each file, without blank ones.

    "-" is standard input, as an argument and as a file. Files whose names end in .gz or
    .xz are unpacked. LF, CR LF and CR end a line.

    Args:
        arguments: Texts.
        files: Files.
        longest: The most characters in a text.
        read_file: Makes texts from a file; by default, each line is one.

    Yields:
        The texts from one read, so that a pipe's first lines come before its last ones
        are written.

    Raises:
        ValueError: If a file cannot be read, a text is not valid Unicode, or there is
            no text at all; after the texts before it.
    """
    found = False
    for batch in _batches(arguments, files, read_file or file_batches):
        texts = [text for text in batch if text.text.strip()]
        for text in texts:
            if len(text.text) > longest:
                raise ValueError(
                    f"{escaped(text.source)}: {len(text.text):,} characters are more "
                    f"than the {longest:,} that a text may have; cut it into lines."
                )
        if texts:
            found = True
            yield texts
    if not found:
        raise ValueError("There is no text in the input; it is blank or empty.")


def _batches(
    arguments: Iterable[str], files: Iterable[Path], read_file: ReadFile
) -> Iterator[List[Text]]:
    batch: List[Text] = []
    for number, argument in enumerate(arguments, start=1):
        if argument == STDIN:
            yield batch
            yield from read_file(Path(STDIN))
            batch = []
        else:
            batch.append(Text(argument, f"text:{number}"))
    yield batch
    for file in files:
        yield from read_file(file)


def file_batches(file: Path) -> Iterator[List[Text]]:
    """Yield the lines of a file that each read completes, blank ones too."""
    number = 0
    for lines in _line_batches(file):
        batch: List[Text] = []
        for line in lines:
            number += 1
            try:
                line.encode("utf8")
            except UnicodeEncodeError as error:
                yield batch  # the lines before it are valid texts
                byte = line[error.start : error.end].encode("utf8", "surrogateescape")
                raise ValueError(
                    f"{_name(file)}, line {number}: the byte 0x{byte[0]:02x} is not "
                    "UTF-8. Convert the file to UTF-8 first."
                ) from error
            batch.append(Text(line, f"{file}:{number}"))
        yield batch


def _line_batches(file: Path) -> Iterator[List[str]]:
    """The lines that each read completes.

    Bytes that are not UTF-8 become lone surrogates, so that their line is known.
    """
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    begun: List[str] = []
    for chunk in _chunks(file):
        head, *others = decoder.decode(chunk).split("\n")
        begun.append(head)
        if others:
            yield ["".join(begun), *others[:-1]]
            begun = others[-1:]
    yield ("".join(begun) + decoder.decode(b"", final=True)).split("\n")


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with _open(file) as stream:
            chunk = stream.read1(CHUNK)
            _check_is_utf8(file, chunk)
            while chunk:
                yield chunk
                chunk = stream.read1(CHUNK)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise _unreadable(file, error) from error


def _open(file: Path) -> ContextManager[Any]:
    if str(file) != STDIN:
        opened: ContextManager[Any] = OPENERS.get(file.suffix, open)(file, "rb")
        return opened
    if sys.stdin is None:
        raise ValueError("There is no standard input to read; it is closed.")
    return nullcontext(sys.stdin.buffer)


def _check_is_utf8(file: Path, start: bytes) -> None:
    """Raise ValueError if the first bytes are those of another kind of file."""
    for mark, kind in ENCODINGS.items():
        if start.startswith(mark):
            raise _is_utf16(file, kind)
    for mark, kind in PACKED.items():
        if start.startswith(mark):
            raise ValueError(
                f"{_name(file)} is compressed with {kind}, though its name does not "
                "say so; unpack it first, or give it a name ending in .gz or .xz."
            )
    # every other byte of Latin letters in UTF-16 is zero
    sample = start[:1024]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 4 and min(even, odd) <= max(even, odd) // 4:
        raise _is_utf16(file, "UTF-16LE" if odd > even else "UTF-16BE")


def _is_utf16(file: Path, kind: str) -> ValueError:
    return ValueError(
        f"{_name(file)} is {kind}, not UTF-8. Convert it first, for instance with: "
        f"iconv --from-code {kind} --to-code UTF-8"
    )


def _unreadable(file: Path, error: Exception) -> ValueError:
    name = _name(file)
    if isinstance(error, FileNotFoundError):
        return ValueError(f"There is no file {name}; check its name.")
    if isinstance(error, IsADirectoryError):
        return ValueError(f"{name} is a folder, not a file; name the files in it.")
    if isinstance(error, PermissionError):
        return ValueError(f"You may not read {name}; change its permissions.")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return ValueError(f"There is no file {name[:99]}…: the name is too long.")
    if isinstance(error, OSError) and error.strerror:
        return ValueError(f"{name} cannot be read: {error.strerror}.")
    return ValueError(f"{name} is damaged ({error}); get the file again.")


def _name(file: Path) -> str:
    return "standard input" if str(file) == STDIN else escaped(str(file))

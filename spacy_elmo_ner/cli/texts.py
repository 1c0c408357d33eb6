"""The texts that a command is given, in its arguments or in files."""

from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple


class Text(NamedTuple):
    text: str
    source: str  # "file:line", or "" for an argument


def read_texts(arguments: Iterable[str], files: Iterable[Path]) -> List[Text]:
    """The arguments, then each line of each file that is not blank.

    Raises ValueError for a file that cannot be read, for text that is no valid
    Unicode and if there is no text at all.
    """
    texts = [Text(argument, "") for argument in arguments]
    for file in files:
        texts.extend(_read_lines(file))
    texts = [text for text in texts if text.text.strip()]
    if not texts:
        raise ValueError("There is no text; give one, or a file that has any.")
    for text in texts:
        try:
            text.text.encode("utf8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"The text {text.text!r} holds half a character (a lone surrogate, "
                f"at position {error.start}); give it as UTF-8."
            ) from error
    return texts


def _read_lines(file: Path) -> Iterator[Text]:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"The file {file} cannot be read as UTF-8 text ({error}); "
            "check its name, and convert it to UTF-8."
        ) from error
    for number, line in enumerate(content.split("\n"), start=1):
        yield Text(line.rstrip("\r"), f"{file}:{number}")

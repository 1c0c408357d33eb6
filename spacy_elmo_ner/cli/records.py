"""Texts in JSONL and CSV files, and in the files of a folder."""

import csv
import json
from enum import Enum
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple

import typer

from .escapes import escaped
from .texts import Text, file_batches

TEXT = "text"
PACKED = (".gz", ".xz")
DELIMITERS = ",;\t"
# the largest number that fits a C long on any system
LONGEST_CELL = 2**31 - 1


class FileKind(str, Enum):
    """What a file holds."""

    lines = "lines"
    jsonl = "jsonl"
    csv = "csv"


READ_AS = typer.Option(
    None,
    "--read-as",
    help="What the files and standard input hold, whatever their names say",
)
TEXT_COLUMN = typer.Option(
    None,
    "--text-column",
    help="The CSV column or JSONL key with the text; text if left out",
)
KEEP = typer.Option(
    [],
    "--keep",
    help="Another CSV column or JSONL key to keep beside what is found, such as an id",
)
KINDS = {".txt": FileKind.lines, ".jsonl": FileKind.jsonl, ".csv": FileKind.csv}


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and for a folder the texts, JSONL and CSV files below it,
    sorted by name.

    Raises:
        ValueError: If a folder has none.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [
            file
            for file in sorted(path.rglob("*"))
            if _suffix(file) in KINDS
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
            and file.is_file()
        ]
        if not found:
            raise ValueError(
                f"The folder {escaped(str(path))} has no files whose names end in "
                f"{', '.join(KINDS)} (or these with {' or '.join(PACKED)}); name files."
            )
        yield from found


def read_records(
    file: Path,
    *,
    kind: Optional[FileKind],
    column: Optional[str],
    keep: Sequence[str] = (),
) -> Iterator[List[Text]]:
    """Yield the texts of a file that each read completes.

    Args:
        file: The file, or "-".
        kind: What it holds; None for what its name says, otherwise lines.
        column: The CSV column or JSON key with the texts.
        keep: Other columns or keys, whose values the texts keep. A JSON object without
            one has None there.

    Raises:
        ValueError: If it holds something else. It names the file and the line.
    """
    kind = kind or KINDS.get(_suffix(file), FileKind.lines)
    column = column or TEXT
    batches = file_batches(file)
    if kind == FileKind.jsonl:
        return (
            [_from_json(line, column, keep) for line in batch if line.text.strip()]
            for batch in batches
        )
    if kind == FileKind.csv:
        return _csv_texts(batches, column, keep)
    if keep:
        raise ValueError(
            f"{escaped(str(file))} has no columns, so there is nothing to --keep. If it is "
            "CSV or JSONL, say so with --read-as."
        )
    return batches


def _suffix(file: Path) -> str:
    name = file.with_suffix("") if file.suffix.lower() in PACKED else file
    return name.suffix.lower()


def _from_json(line: Text, key: str, keep: Sequence[str]) -> Text:
    try:
        record = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{escaped(line.source)}: this is not JSON ({error})."
        ) from error
    if isinstance(record, str):
        return _checked(record, line.source, (None,) * len(keep))
    if not isinstance(record, dict) or key not in record:
        keys = ", ".join(map(repr, record)) if isinstance(record, dict) else "none"
        raise ValueError(
            f"{escaped(line.source)}: there is no key {key!r}; its keys are: "
            f"{escaped(keys)}. Name the one that has the text with --text-column."
        )
    kept = tuple(record.get(name) for name in keep)
    return _checked(record[key], line.source, kept)


def _checked(value: Any, source: str, kept: Tuple[Any, ...]) -> Text:
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise ValueError(
            f"{escaped(source)}: the text is {value!r}; it has to be a string."
        )
    try:
        value.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{escaped(source)}: the text holds half a character (a lone surrogate, at "
            f"position {error.start})."
        ) from error
    return Text(value, source, kept)


def _csv_texts(
    batches: Iterator[List[Text]], column: str, keep: Sequence[str]
) -> Iterator[List[Text]]:
    line = Text("", "")
    is_last = False  # of the lines from one read

    def lines() -> Iterator[str]:
        nonlocal line, is_last
        for batch in batches:
            for number, line in enumerate(batch, start=1):
                is_last = number == len(batch)
                yield line.text + "\n"

    some = lines()
    header_line = next((one for one in some if one.strip()), "")
    delimiter = max(DELIMITERS, key=header_line.count)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    for name in (column, *keep):
        if header.count(name) != 1:
            raise ValueError(
                f"{escaped(line.source)}: there is no column {name!r}, or more than one; "
                f"the columns are: {escaped(', '.join(map(repr, header)))}. The first "
                "line names the columns; name the one that has the text with "
                "--text-column."
            )
    place, *others = [header.index(name) for name in (column, *keep)]
    csv.field_size_limit(LONGEST_CELL)
    found: List[Text] = []
    try:
        for cells in csv.reader(some, delimiter=delimiter, strict=True):
            if len(cells) > place:
                # the source is the record's last line
                kept = tuple(cells[i] if i < len(cells) else "" for i in others)
                found.append(Text(cells[place], line.source, kept))
            if is_last:
                yield found
                found = []
    except csv.Error as error:
        raise ValueError(
            f"{escaped(line.source)}: this is not CSV ({error}); check the quotes."
        ) from error
    yield found

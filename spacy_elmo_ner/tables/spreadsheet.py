"""CSV that a spreadsheet opens without running what is in it."""

import csv
from io import StringIO
from typing import Any, Iterable, Mapping, Sequence

# a cell that begins with one of these is a formula to one spreadsheet or another
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The rows as CSV with a header. Texts that a spreadsheet would run as a formula
    get an apostrophe before them."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(row[column]) for column in columns])
    return file.getvalue()


def harmless(cell: Any) -> Any:
    """The cell of a CSV, with an apostrophe before it where it would be run as a formula."""
    # with white space before it, it is a formula to some
    is_formula = isinstance(cell, str) and (
        cell.startswith(FORMULA) or cell.lstrip().startswith(FORMULA)
    )
    return f"'{cell}" if is_formula else cell

"""An error report as tables and lines of text."""

from typing import List, NamedTuple, Optional

from ..corpus.conll_tags import EntitySpan
from .errors import CORRECT, ERRORS, NO_ENTITY, ErrorReport, Pair
from .precision_recall import Counts

SHOWN = 10  # mistakes in the text


class Row(NamedTuple):
    """A row of a table."""

    head: str
    cells: List[str]


class Table(NamedTuple):
    """A table of counts and scores."""

    name: str
    columns: List[str]
    rows: List[Row]

    def to_text(self) -> str:
        """The table with aligned columns."""
        lines = [Row(self.name, self.columns), *self.rows]
        first = max(len(line.head) for line in lines)
        widths = [
            2 + max(len(line.cells[i]) for line in lines)
            for i in range(len(self.columns))
        ]
        text = ""
        for head, cells in lines:
            padded = (f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
            text += f"{head:<{first}}{''.join(padded)}\n"
        return text


def error_tables(report: ErrorReport) -> List[Table]:
    """The confusion of labels, the kinds of errors and, if the training corpus is
    known, the scores of names that are in it and of others.
    """
    tables = [_confusion(report), _kinds(report)]
    if report.known is not None:
        tables.append(_novelty(report))
    return tables


def errors_as_text(report: ErrorReport) -> str:
    """The tables, and the most probable mistakes."""
    parts = [table.to_text() for table in error_tables(report)]
    mistakes = report.mistakes
    if mistakes:
        lines = [f"  {describe(report, pair)}\n" for pair in mistakes[:SHOWN]]
        parts.append(f"{_heading(mistakes)}\n" + "".join(lines))
    return "\n".join(parts)


def describe(report: ErrorReport, pair: Pair) -> str:
    """A mistake in one line."""

    def named(entity: Optional[EntitySpan]) -> str:
        assert entity is not None
        return f"{report.text(pair, entity)} ({entity.label})"

    if pair.guess is None:
        words = f"{named(pair.gold)} is missed"
    elif pair.gold is None:
        words = f"{named(pair.guess)} is no entity"
    else:
        words = f"{named(pair.guess)} is {named(pair.gold)}"
    number = "" if pair.probability is None else f"{pair.probability:.4f}  "
    return f"{number}{words}  |  {report.context(pair)}"


def _heading(mistakes: List[Pair]) -> str:
    has_probability = mistakes[0].probability is not None
    what = "Most confident mistakes" if has_probability else "Mistakes"
    return f"{what} ({len(mistakes[:SHOWN])} of {len(mistakes):,})"


def _confusion(report: ErrorReport) -> Table:
    columns = [*report.labels, NO_ENTITY]
    cells = report.confusion
    rows = []
    for gold in columns:
        counts = [cells.get((gold, guess), 0) for guess in columns]
        rows.append(Row(gold, [*map(_number, counts), f"{sum(counts):,}"]))
    sums = [sum(cells.get((gold, guess), 0) for gold in columns) for guess in columns]
    rows.append(Row("all", [*(f"{n:,}" for n in sums), f"{sum(sums):,}"]))
    return Table("gold, and predicted as", [*columns, "all"], rows)


def _kinds(report: ErrorReport) -> Table:
    columns = [CORRECT, *ERRORS]
    by_label = report.kinds
    rows = [
        Row(label, [_number(counts[kind]) for kind in columns])
        for label, counts in by_label.items()
    ]
    sums = [sum(counts[kind] for counts in by_label.values()) for kind in columns]
    return Table("errors", columns, [*rows, Row("all", [f"{n:,}" for n in sums])])


def _novelty(report: ErrorReport) -> Table:
    rows = []
    for name, counts in report.by_novelty.items():
        scores = [f"{score:.2f}" for score in counts.scores(whole=100)]
        rows.append(Row(name, [*scores, *(f"{n:,}" for n in counts)]))
    columns = ["precision", "recall", "F1", *Counts._fields]
    return Table("names in training", columns, rows)


def _number(count: int) -> str:
    return f"{count:,}" if count else "·"

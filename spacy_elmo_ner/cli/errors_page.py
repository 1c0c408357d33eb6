"""An error report as a page: its tables, and displaCy's gold beside predicted entities."""

from html import escape
from itertools import islice
from typing import Dict, List, Tuple

from spacy.tokens import Doc, Span

from ..corpus.docs import sentence_bounds
from ..evaluation.error_tables import Table, describe, error_tables
from ..evaluation.errors import ErrorReport, Pair
from .displacy_page import Shown, displacy_page

STYLE = """<style>
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; }
th, td { padding: .2rem .75rem; text-align: end; border-bottom: 1px solid #ddd; }
th:first-child { text-align: start; }
</style>
"""


def errors_page(report: ErrorReport, *, subtitle: str, limit: int) -> str:
    """Make a page with the sentences that have mistakes, the most confident ones first.

    Args:
        report: The report.
        subtitle: The line below the title.
        limit: At most this many sentences; 0 for all.
    """
    mistakes: Dict[Tuple[int, int], List[Pair]] = {}
    for pair in report.mistakes:
        mistakes.setdefault((pair.doc, pair.sentence), []).append(pair)
    pairs: Dict[Tuple[int, int], List[Pair]] = {place: [] for place in mistakes}
    for pair in report.pairs:
        if (pair.doc, pair.sentence) in pairs:
            pairs[pair.doc, pair.sentence].append(pair)
    shown = [
        _shown(report, place, pairs[place], wrong)
        for place, wrong in islice(mistakes.items(), limit or None)
    ]
    tables = STYLE + "".join(map(_html, error_tables(report)))
    return displacy_page(shown, title="Errors", subtitle=subtitle, tables=tables)


def _html(table: Table) -> str:
    head = _row("th", [table.name, *table.columns])
    body = "".join(_row("td", [row.head, *row.cells]) for row in table.rows)
    return f"<table>\n{head}{body}</table>\n"


def _row(tag: str, cells: List[str]) -> str:
    first, *rest = (escape(cell) for cell in cells)
    return f"<tr><th>{first}</th>{''.join(f'<{tag}>{c}</{tag}>' for c in rest)}</tr>\n"


def _shown(
    report: ErrorReport, place: Tuple[int, int], pairs: List[Pair], wrong: List[Pair]
) -> Shown:
    """A sentence with its gold and its predicted entities."""
    number, sentence = place
    doc = report.gold[number]
    start, end = sentence_bounds(doc)[sentence]
    sides = []
    for side in ("gold", "guess"):
        part = Doc(
            doc.vocab,
            words=[token.text for token in doc[start:end]],
            spaces=(
                None
                if doc.has_unknown_spaces
                else [bool(token.whitespace_) for token in doc[start:end]]
            ),
        )
        entities = [entity for pair in pairs if (entity := getattr(pair, side))]
        part.set_ents(
            [Span(part, e.start - start, e.end - start, e.label) for e in entities]
        )
        sides.append(part)
    words = [describe(report, pair).partition("  |  ")[0] for pair in wrong]
    source = f"text {number + 1}, sentence {sentence + 1}: {'; '.join(words)}"
    return Shown(predicted=sides[1], gold=sides[0], source=source)

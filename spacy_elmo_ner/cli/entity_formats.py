"""Docs → what `entities` writes, piece by piece as the Docs come."""

import csv
import io
import json
import re
from enum import Enum
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Sequence,
    Tuple,
)

from spacy.tokens import Doc, Span

from ..corpus.conll_export import conll_lines
from ..tables.levels import COLUMNS, names_beside, rows
from ..tables.spreadsheet import harmless
from ..text.sentences import sentence_spans
from .displacy_page import Shown, displacy_page
from .escapes import CONTROLS, escaped
from .texts import STDIN, Text

SOURCE = "source"
# for any other level, a table has all columns
TABLE = {"chunk": ("text", "label", "start", "end")}
OF_STDIN = re.compile(f"{STDIN}:[0-9]+")
IN_JSON = re.compile(f"[{CONTROLS}]")

Docs = Iterable[Tuple[Doc, Text]]


class Format(str, Enum):
    """How entities are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    conll = "conll"
    html = "html"


class Level(str, Enum):
    """What has a row of its own."""

    document = "document"
    sentence = "sentence"
    chunk = "chunk"
    token = "token"


class Layout(NamedTuple):
    """What the rows are, and which pipeline they are from."""

    level: str
    probabilities: bool
    line_is_sentence: bool
    about: str
    keep: Sequence[str] = ()

    @property
    def kept(self) -> List[str]:
        """The columns that the texts have kept, by names that no other column has."""
        return names_beside(self.keep, [SOURCE, *COLUMNS[self.level]])


# these have the rows of a level; the others have their own form
BY_LEVEL = (Format.table, Format.jsonl, Format.csv)


def write_table(docs: Docs, layout: Layout) -> Iterator[str]:
    """Columns separated by tabs, with the source last."""
    names = [*TABLE.get(layout.level, COLUMNS[layout.level]), SOURCE, *layout.kept]
    if layout.probabilities and layout.level in TABLE:
        names.append("probability")
    for row in _rows(docs, layout):
        yield "\t".join(escaped(_in_table(name, row[name])) for name in names) + "\n"


def write_jsonl(docs: Docs, layout: Layout) -> Iterator[str]:
    """One JSON object per line."""
    for row in _rows(docs, layout):
        line = json.dumps(row, ensure_ascii=False)
        yield IN_JSON.sub(_escape_in_json, line) + "\n"


def write_csv(docs: Docs, layout: Layout) -> Iterator[str]:
    """CSV with a header. A cell that a spreadsheet would run begins with an apostrophe."""
    names = [SOURCE, *layout.kept, *COLUMNS[layout.level]]
    yield _csv_line([str(harmless(name)) for name in names])
    for row in _rows(docs, layout):
        yield _csv_line([_in_csv(name, row[name]) for name in names])


def write_conll(docs: Docs, layout: Layout) -> Iterator[str]:
    """CoNLL-2003's columns, a document for each text."""
    for doc, text in docs:
        try:
            lines = list(conll_lines([_with_sentences(doc, layout)]))
        except ValueError as error:
            raise ValueError(f"{escaped(text.source)}: {error}") from error
        yield "".join(line + "\n" for line in lines)


def write_html(docs: Docs, layout: Layout) -> Iterator[str]:
    """A displaCy page, once all Docs have been read."""
    shown = [Shown(doc, None, escaped(text.source)) for doc, text in docs]
    yield displacy_page(shown, title="Named entities", subtitle=layout.about)


WRITERS: Dict[Format, Callable[[Docs, Layout], Iterator[str]]] = {
    Format.table: write_table,
    Format.jsonl: write_jsonl,
    Format.csv: write_csv,
    Format.conll: write_conll,
    Format.html: write_html,
}


def _rows(docs: Docs, layout: Layout) -> Iterator[Dict[str, Any]]:
    nothing = (None,) * len(layout.keep)
    for doc, text in docs:
        about = dict(zip(layout.kept, text.kept or nothing, strict=True))
        for row in rows(doc, layout.level, line_is_sentence=layout.line_is_sentence):
            yield {SOURCE: text.source, **about, **row}


def _with_sentences(doc: Doc, layout: Layout) -> Doc:
    """The words, entities and sentences, none of which ends inside an entity."""
    spans = sentence_spans(doc, line_is_sentence=layout.line_is_sentence)
    inside = {i for ent in doc.ents for i in range(ent.start + 1, ent.end)}
    starts = {start for start, _ in spans} - inside
    copy = Doc(
        doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        sent_starts=[token.i in starts for token in doc],
    )
    ents = [Span(copy, ent.start, ent.end, label=ent.label_) for ent in doc.ents]
    copy.set_ents(ents, default="outside")
    return copy


def _in_table(name: str, value: Any) -> str:
    if name == "text":
        return " ".join(value.split())
    if isinstance(value, float):
        return f"{value:.4f}"
    return _in_cell(value)


def _in_csv(name: str, value: Any) -> str:
    if name == SOURCE and OF_STDIN.fullmatch(value):
        return str(value)  # not a formula
    # older Pythons neither read nor write NUL in CSV
    cell = _in_cell(value).replace("\0", r"\x00")
    return str(harmless(cell))


def _csv_line(cells: List[str]) -> str:
    line = io.StringIO()
    # csv quotes a cell with a character of the line end, and so one with a lone CR
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()[:-2] + "\n"


def _in_cell(value: Any) -> str:
    if value is None:
        return ""
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
    )


def _escape_in_json(match: "re.Match[str]") -> str:
    return f"\\u{ord(match[0]):04x}"

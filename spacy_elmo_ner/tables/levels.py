"""Doc → rows: one for the document, or for each sentence, entity ("chunk") or token."""

from bisect import bisect
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span, Token

from ..text.sentences import sentence_spans

Row = Dict[str, Any]

ENTITIES = ("entities", "labels", "probabilities")
OFFSETS = ("start", "end")
# the columns of each level, in order
COLUMNS: Dict[str, Tuple[str, ...]] = {
    "document": ("text", *OFFSETS, *ENTITIES),
    "sentence": ("sentence", "text", *OFFSETS, *ENTITIES),
    "chunk": ("sentence", "chunk", "text", "label", *OFFSETS, "probability"),
    "token": (
        *("sentence", "token", "text", "tag", "label", *OFFSETS),
        *("probability", "chunk", "chunk_probability"),
    ),
}
LEVELS = ("document", "sentence", "chunk", "token")


def check_level(level: str) -> None:
    """Check the name of a level.

    Raises:
        ValueError: If there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(
            f"There is no output level {level!r}; the levels are {', '.join(LEVELS)}."
        )


def rows(
    doc: Doc, level: str, *, line_is_sentence: bool = False
) -> Iterator[Dict[str, Any]]:
    """Yield the rows of a level for a Doc whose entities are set, by any component.

    Each row has the keys of `COLUMNS[level]`, in that order:

    - `sentence`: the number of the sentence in the Doc, from 0. An entity belongs to the
      sentence in which it begins.
    - `chunk`: the number of the entity in the Doc, from 0; None for a token outside.
    - `token`: `token.i`.
    - `text`: the text of the document, sentence, entity or token.
    - `start`, `end`: character offsets in the document; `text` is `doc.text[start:end]`.
    - `label`: the entity's label; None for a token outside.
    - `tag`: the token's IOB2 tag, such as B-PER, I-PER or O.
    - `probability`: of the entity, or of the token's tag: `span._.probability` and
      `token._.probability`; None if no component has set it.
    - `chunk_probability`: that of the token's entity.
    - `entities`, `labels`, `probabilities`: lists over the entities of a document or
      sentence.

    A Doc with sentence boundaries has these sentences; one without is split where the
    component splits it, see `text.sentences.sentence_spans`. Tokens and sentences of
    only white space have no row, and sentences have none at their ends.

    Args:
        doc: The Doc.
        level: One of `LEVELS`.
        line_is_sentence: The component's setting, for a Doc without boundaries.

    Returns:
        The rows, in the order of the text.

    Raises:
        ValueError: If there is no such level.
    """
    check_level(level)
    if level == "document":
        return _documents(doc)
    sentences = sentence_spans(doc, line_is_sentence=line_is_sentence)
    if level == "sentence":
        return _sentences(doc, sentences)
    starts = [start for start, _ in sentences]
    return _chunks(doc, starts) if level == "chunk" else _tokens(doc, starts)


def _documents(doc: Doc) -> Iterator[Row]:
    yield {"text": doc.text, "start": 0, "end": len(doc.text), **_entities(doc.ents)}


def _sentences(doc: Doc, sentences: List[Tuple[int, int]]) -> Iterator[Row]:
    ents = list(doc.ents)
    for number, (first, last) in enumerate(sentences):
        span = doc[first:last]
        text = span.text.strip()
        if text:
            start = span.start_char + span.text.index(text)
            yield {
                "sentence": number,
                "text": text,
                "start": start,
                "end": start + len(text),
                **_entities(ent for ent in ents if first <= ent.start < last),
            }


def _chunks(doc: Doc, starts: List[int]) -> Iterator[Row]:
    for number, ent in enumerate(doc.ents):
        yield {
            "sentence": bisect(starts, ent.start) - 1,
            "chunk": number,
            "text": ent.text,
            "label": ent.label_,
            "start": ent.start_char,
            "end": ent.end_char,
            "probability": _probability(ent),
        }


def _tokens(doc: Doc, starts: List[int]) -> Iterator[Row]:
    inside: Dict[int, Row] = {}
    for number, ent in enumerate(doc.ents):
        prefix = "B"
        probability = _probability(ent)
        for token in ent:
            if not token.is_space:
                inside[token.i] = {
                    "tag": f"{prefix}-{ent.label_}",
                    "label": ent.label_,
                    "chunk": number,
                    "chunk_probability": probability,
                }
                prefix = "I"
    for token in doc:
        if not token.is_space:
            found = inside.get(token.i, {})
            yield {
                "sentence": bisect(starts, token.i) - 1,
                "token": token.i,
                "text": token.text,
                "tag": found.get("tag", "O"),
                "label": found.get("label"),
                "start": token.idx,
                "end": token.idx + len(token),
                "probability": _probability(token),
                "chunk": found.get("chunk"),
                "chunk_probability": found.get("chunk_probability"),
            }


def _entities(ents: Iterable[Span]) -> Row:
    ents = list(ents)
    return {
        "entities": [ent.text for ent in ents],
        "labels": [ent.label_ for ent in ents],
        "probabilities": [_probability(ent) for ent in ents],
    }


def _probability(of: Union[Span, Token]) -> Optional[float]:
    """What a component has set, if one has."""
    value = of._.probability if of.has_extension("probability") else None
    return None if value is None else float(value)


def names_beside(given: Sequence[Any], columns: Sequence[str]) -> List[Any]:
    """Names of columns that stand beside others: one that is among these gets the
    suffix _input."""
    taken = {*given, *columns}
    names = []
    for name in given:
        if name in columns:
            while name in taken:
                name = f"{name}_input"
            taken.add(name)
        names.append(name)
    return names

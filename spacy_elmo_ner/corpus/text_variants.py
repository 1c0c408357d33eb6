"""Texts of a corpus as other people write them, to train on besides its own."""

import random
from dataclasses import dataclass
from functools import partial
from typing import Callable, Iterator, List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..text.annotated_labels import annotated_labels, set_annotated_labels
from ..text.written_spaces import written_spaces
from .docs import bare_doc, sentence_bounds

# a headline may leave words of up to this many letters in lower case
SHORT_WORD = 3


def create_text_variants_v1(
    *, raw: float = 0.0, lower: float = 0.0, upper: float = 0.0, title: float = 0.0
) -> "TextVariants":
    """`spacy_elmo_ner.TextVariants.v1`: Examples as they are, and variants of them.

    Each variant of an Example is read with its probability. A variant with other
    capitals may have a raw-text variant, too.

    Args:
        raw: As raw text, which the pipeline tokenizes, unless the Example is raw text
            already. If the corpus does not know the spaces between words, they are
            joined as they would be written, or with a space between all of them.
            Entities that are no longer whole tokens become unknown.
        lower: In lower case.
        upper: In capitals.
        title: As a headline, each word with a capital; in half of them, not the short
            ones.

    Raises:
        ValueError: If a probability is not between 0 and 1.
    """
    levels = {"raw": raw, "lower": lower, "upper": upper, "title": title}
    for name, level in levels.items():
        if not 0 <= level <= 1:
            raise ValueError(
                f"TextVariants has {name} = {level}, which is not a probability; give "
                "a number from 0 to 1."
            )
    return TextVariants(raw, lower, upper, title)


@dataclass
class TextVariants:
    """See `create_text_variants_v1`."""

    raw: float
    lower: float
    upper: float
    title: float

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        docs = [example.reference]
        cases: List[Tuple[float, Callable[[str], str]]] = [
            (self.lower, str.lower),
            (self.upper, str.upper),
            (self.title, partial(headline, short=random.random() < 0.5)),
        ]
        for level, change in cases:
            if random.random() < level:
                docs.append(with_words(example.reference, change))
        for doc in list(docs):
            if random.random() < self.raw:
                raw = as_raw_text(nlp, doc, written=random.random() < 0.5)
                if not _is_same(raw, doc):
                    docs.append(raw)
        for doc in docs:
            yield Example(bare_doc(doc), doc)


def _is_same(raw: Doc, doc: Doc) -> bool:
    """Whether a Doc is raw text already."""
    return not doc.has_annotation("SENT_START") and (
        [(token.text, token.whitespace_) for token in raw]
        == [(token.text, token.whitespace_) for token in doc]
    )


def headline(word: str, *, short: bool) -> str:
    """A word as a headline has it.

    Args:
        word: The word.
        short: Whether a short one gets a capital, too.
    """
    if not short and len(word) <= SHORT_WORD and word.islower():
        return word
    return word[:1].upper() + word[1:]


def with_words(doc: Doc, change: Callable[[str], str]) -> Doc:
    """A gold Doc with changed words; entities, sentences, spans and categories as before."""
    changed = bare_doc(doc, change)
    _set_entities(
        changed,
        [Span(changed, ent.start, ent.end, label=ent.label) for ent in doc.ents],
        [changed[token.i : token.i + 1] for token in doc if not token.ent_iob],
    )
    _copy_other_annotation(doc, changed, lambda start, end: changed[start:end])
    return changed


def as_raw_text(nlp: Language, doc: Doc, *, written: bool) -> Doc:
    """A gold Doc of the same text, in the tokens of a pipeline's tokenizer.

    It has no sentences, as a text has none until a component finds them. An entity that
    is not whole tokens there is unknown, and a span missing.

    Args:
        nlp: The pipeline.
        doc: The gold Doc.
        written: Whether words with unknown spaces are joined as they would be written,
            otherwise with a space between all of them.
    """
    text, places = _join(doc, written)
    raw = nlp.make_doc(text)

    def span(start: int, end: int, label: str = "") -> Tuple[Span, bool]:
        """The tokens, and whether they cover no more than that."""
        chars = places[start][0], places[end - 1][1]
        tokens = raw.char_span(*chars, label=label, alignment_mode="expand")
        assert tokens is not None
        return tokens, (tokens.start_char, tokens.end_char) == chars

    def whole_tokens(start: int, end: int) -> Optional[Span]:
        tokens, is_whole = span(start, end)
        return tokens if is_whole else None

    entities: List[Span] = []
    unknown: List[Span] = []
    for ent in doc.ents:
        tokens, is_whole = span(ent.start, ent.end, ent.label_)
        (entities if is_whole else unknown).append(tokens)
    for token in doc:
        if not token.ent_iob:
            unknown.append(span(token.i, token.i + 1)[0])
    _set_entities(raw, entities, unknown)
    _copy_other_annotation(doc, raw, whole_tokens)
    return raw


def _join(doc: Doc, written: bool) -> Tuple[str, List[Tuple[int, int]]]:
    """A text, and the first and last character of each token."""
    if not doc.has_unknown_spaces:
        return doc.text, [(token.idx, token.idx + len(token)) for token in doc]
    text, places = "", []
    for start, end in sentence_bounds(doc):
        words = [token.text for token in doc[start:end]]
        spaces = written_spaces(words) if written else [True] * len(words)
        for word, space in zip(words, spaces, strict=True):
            places.append((len(text), len(text) + len(word)))
            text += word + " " * space
        # a text is one paragraph, or has a line for each sentence
        text = text.rstrip(" ") + (" " if written else "\n")
    return text.rstrip(), places


def _copy_other_annotation(
    doc: Doc, other: Doc, place: Callable[[int, int], Optional[Span]]
) -> None:
    """Copy what a Doc says besides its entities: which labels it annotates, its
    categories, and its spans, which a spancat learns.

    Args:
        doc: Where they are.
        other: Where they are copied to.
        place: Maps the first token and the one after the last to the tokens of the
            other Doc, or None if it has no such tokens.
    """
    set_annotated_labels(other, annotated_labels(doc))
    other.cats = dict(doc.cats)
    for key, group in doc.spans.items():
        copied = []
        for span in group:
            tokens = place(span.start, span.end) if len(span) else None
            if tokens is not None:
                of_span = {"label": span.label, "kb_id": span.kb_id, "span_id": span.id}
                copied.append(Span(other, tokens.start, tokens.end, **of_span))
        other.spans[key] = copied


def _set_entities(doc: Doc, entities: List[Span], unknown: List[Span]) -> None:
    """Tokens of an unknown span are unknown, as is an entity that shares one of
    them."""
    missing = {i for span in unknown for i in range(span.start, span.end)}
    kept = []
    for ent in entities:
        inside = set(range(ent.start, ent.end))
        if inside & missing:
            missing |= inside
        else:
            kept.append(ent)
    doc.set_ents(
        kept, missing=[doc[i : i + 1] for i in sorted(missing)], default="outside"
    )

"""Sentences with entity spans ⇄ spaCy Docs."""

from collections import deque
from itertools import accumulate
from typing import (
    Callable,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from spacy.tokens import Doc, Span, Token
from spacy.vocab import Vocab

from .conll import Sentence
from .conll_tags import EntitySpan

GROUPINGS = ("sentence", "document")


def check_grouping(group_by: str, groupings: Sequence[str] = GROUPINGS) -> None:
    """Check the name of a grouping.

    Raises:
        ValueError: If it is none of `groupings`.
    """
    if group_by not in groupings:
        raise ValueError(
            f"group_by is {group_by!r}, but it must be one of "
            f"{', '.join(groupings[:-1])} or {groupings[-1]}."
        )


def to_docs(
    documents: Iterable[List[Sentence]], *, vocab: Vocab, group_by: str
) -> Iterator[Doc]:
    """Make a Doc for each sentence, or one for each document with its sentence starts.

    The words are the file's own; their spaces are unknown.
    """
    check_grouping(group_by)
    for document in documents:
        if group_by == "document":
            yield _to_doc(document, vocab)
        else:
            for sentence in document:
                yield _to_doc([sentence], vocab)


def _to_doc(sentences: List[Sentence], vocab: Vocab) -> Doc:
    words: List[str] = []
    starts: List[Optional[Union[bool, int]]] = []
    spans: List[EntitySpan] = []
    for sentence in sentences:
        begin = len(words)
        words.extend(sentence.words)
        starts.extend(i == 0 for i in range(len(sentence.words)))
        spans.extend(
            EntitySpan(begin + start, begin + end, label)
            for start, end, label in sentence.entities
        )
    doc = Doc(vocab, words=words, sent_starts=starts)
    doc.set_ents([Span(doc, start, end, label=label) for start, end, label in spans])
    return doc


def to_sentences(doc: Doc) -> List[Sentence]:
    """The sentences of a Doc; the whole Doc is one if sentence starts are unknown.

    Tokens of only spaces, tabs and line breaks are not words in a CoNLL file. They are
    left out, and entities close up over them.

    Raises:
        ValueError: If a token has no entity annotation, or an entity crosses a
            sentence boundary.
    """
    for token in doc:
        if not token.ent_iob_:
            raise ValueError(
                f"The token {token.text!r} (number {token.i}) has no entity "
                "annotation, which a CoNLL file cannot express. Annotate the whole Doc "
                "first, with doc.set_ents if it has no entities there."
            )
    # the number of words before each token
    offsets = [0, *accumulate(not _is_blank(token) for token in doc)]
    entities = deque(doc.ents)
    sentences = []
    for start, end in sentence_bounds(doc):
        words = [token.text for token in doc[start:end] if not _is_blank(token)]
        spans = []
        while entities and entities[0].start < end:
            entity = entities.popleft()
            if entity.end > end:
                raise ValueError(
                    f"The entity {entity.text!r} (tokens {entity.start} to "
                    f"{entity.end}) runs past the end of its sentence at token {end}, "
                    "which a CoNLL file cannot express. Correct doc.ents or the "
                    "sentence starts."
                )
            first, last = (
                offsets[i] - offsets[start] for i in (entity.start, entity.end)
            )
            if first < last:
                spans.append(EntitySpan(first, last, entity.label_))
        if words:
            sentences.append(Sentence(words, spans))
    return sentences


def sentence_bounds(doc: Doc) -> List[Tuple[int, int]]:
    """Token offsets (start, end) of the sentences that the Doc is annotated with."""
    if not len(doc):
        return []
    starts = [0] + [token.i for token in doc[1:] if token.is_sent_start]
    return list(zip(starts, starts[1:] + [len(doc)], strict=True))


def bare_doc(doc: Doc, change: Callable[[str], str] = str) -> Doc:
    """A Doc with the words, spaces and sentence starts of another, and nothing else.

    Args:
        doc: The other Doc.
        change: Changes each word.
    """
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(
        doc.vocab,
        words=[change(token.text) for token in doc],
        spaces=None if doc.has_unknown_spaces else spaces,
        sent_starts=[token.is_sent_start for token in doc],
    )


def _is_blank(token: Token) -> bool:
    return not token.text.strip(" \t\r\n")

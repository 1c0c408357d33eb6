"""Texts with entities at character offsets → spaCy Docs."""

from pathlib import Path
from typing import Callable, Iterator, List, Sequence

from spacy.tokens import Doc, Span

from .annotation_json import AnnotatedText, read_annotations

ALIGNMENT_MODES = ("strict", "expand")
NAMED = 20  # misaligned spans that are listed; the others are counted


def read_annotated_docs(
    path: Path,
    *,
    make_doc: Callable[[str], Doc],
    alignment_mode: str = "strict",
    note: Callable[[str], None],
) -> Iterator[Doc]:
    """Yield a Doc for each annotated text of a .jsonl or .json file.

    Args:
        path: The file.
        make_doc: Tokenizes a text.
        alignment_mode: What happens to an entity that does not begin and end at token
            boundaries. "strict": its tokens are unknown, and training skips them;
            "expand": it grows to whole tokens.
        note: Called with a sentence about everything that is not read as written.

    Raises:
        OSError: See `read_annotations`.
        ValueError: See `read_annotations`; also if two entities grow into one another.
    """
    if alignment_mode not in ALIGNMENT_MODES:
        raise ValueError(
            f"There is no alignment mode {alignment_mode!r}; use one of "
            f"{' or '.join(ALIGNMENT_MODES)}."
        )
    file = read_annotations(path)
    if file.left_out:
        note(
            f"{path}: {len(file.left_out)} of {len(file.texts) + len(file.left_out)} "
            "records are rejected, skipped or not annotated, and were left out."
        )
    if file.blank:
        note(
            f"{path}: {len(file.blank)} entities that are empty or of white space "
            "alone were left out "
            f"({_list(file.blank)})."
        )
    if file.utf16:
        note(
            f"{path}: the offsets of {len(file.utf16)} of {len(file.texts)} texts "
            "count UTF-16 units, where an emoji is two, and were converted to "
            f"characters ({_list(file.utf16)}). In texts whose entities fit either "
            "way, offsets are read as characters."
        )
    misaligned: List[str] = []
    for annotated in file.texts:
        yield _to_doc(path, annotated, make_doc, alignment_mode, misaligned)
    if misaligned:
        count = sum(len(annotated.spans) for annotated in file.texts)
        fate = "were extended to whole tokens"
        if alignment_mode == "strict":
            fate = (
                "leave their tokens unknown; use --alignment-mode expand to extend them"
            )
        note(
            f"{path}: {len(misaligned)} of {count} entities do not begin and end at "
            f"token boundaries, and {fate}: {_list(misaligned)}."
        )


def _to_doc(
    path: Path,
    annotated: AnnotatedText,
    make_doc: Callable[[str], Doc],
    alignment_mode: str,
    misaligned: List[str],
) -> Doc:
    place, text, char_spans = annotated
    doc = make_doc(text)
    entities: List[Span] = []
    unknown: List[Span] = []
    for char_span in char_spans:
        span = doc.char_span(*char_span, alignment_mode="expand")
        assert span is not None  # offsets are inside the text
        if (span.start_char, span.end_char) == (char_span.start, char_span.end):
            entities.append(span)
            continue
        piece = text[char_span.start : char_span.end]
        misaligned.append(f"{piece!r} in {span.text!r} ({place})")
        (entities if alignment_mode == "expand" else unknown).append(span)
    for before, span in zip(entities, entities[1:], strict=False):
        if span.start < before.end:
            raise ValueError(
                f"{path}, {place}: {before.text!r} ({before.label_}) and {span.text!r} "
                f"({span.label_}) share a token. Separate them in the text, or read "
                "with --alignment-mode strict."
            )
    known = {token.i for span in entities for token in span}
    touched = {token.i for span in unknown for token in span}
    missing = [doc[i : i + 1] for i in sorted(touched - known)]
    doc.set_ents(entities, missing=missing, default="outside")
    return doc


def _list(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(names[:NAMED]) + rest

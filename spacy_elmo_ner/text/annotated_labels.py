"""The labels that a gold Doc annotates.

A corpus that only annotates persons says nothing about places: there may be some
outside of its entities. A Doc keeps the labels that it annotates in full in
`user_data`, which a DocBin stores.
"""

from typing import AbstractSet, Iterable, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

KEY = "annotated_labels"


def annotated_labels(doc: Doc) -> Optional[AbstractSet[str]]:
    """The labels that the Doc annotates in full; None for all there are."""
    labels = doc.user_data.get(KEY)
    return None if labels is None else frozenset(labels)


def set_annotated_labels(doc: Doc, labels: Optional[Iterable[str]]) -> None:
    """State that the Doc annotates only these labels; None for all there are.

    Raises:
        ValueError: If it has an entity with another label.
    """
    if labels is None:
        doc.user_data.pop(KEY, None)
        return
    known = sorted({*labels})
    for ent in doc.ents:
        if ent.label_ not in known:
            raise ValueError(
                f"The entity {ent.text!r} has the label {ent.label_!r}, which is not "
                f"among those given as annotated: {', '.join(known)}. Add it, or map "
                "it to one of them, or to null, which makes it unknown."
            )
    doc.user_data[KEY] = known


def judged(predicted: Doc, gold: Doc, unknown: Sequence[Tuple[int, int]] = ()) -> Doc:
    """The predicted Doc without entities that the gold Doc cannot judge: it is unknown
    whether they are right.

    Args:
        predicted: The Doc, which is not changed.
        gold: The gold Doc.
        unknown: Character offsets (start, end) of the gold's tokens without annotation,
            in the text of `predicted`.

    Returns:
        A copy, or the Doc itself if the gold Doc is fully annotated.
    """
    labels = annotated_labels(gold)
    if labels is None and not unknown:
        return predicted
    known = predicted.copy()
    known.ents = [
        ent
        for ent in known.ents
        if (labels is None or ent.label_ in labels)
        and not any(
            start < ent.end_char and ent.start_char < end for start, end in unknown
        )
    ]
    return known


def map_labels(doc: Doc, names: Mapping[str, Optional[str]]) -> None:
    """Give the entities other labels.

    Args:
        doc: A gold Doc, which is changed.
        names: New labels by old ones. None makes the tokens of an entity unknown: they
            may then be inside or outside of one.
    """
    for old, new in names.items():
        if new is not None and not new.strip():
            raise ValueError(
                f"The label {old!r} is mapped to {new!r}, which is not a label; use "
                "null to make its entities unknown."
            )
    kept, unknown = [], []
    for ent in doc.ents:
        label = names.get(ent.label_, ent.label_)
        if label is None:
            unknown.append(Span(doc, ent.start, ent.end))
        else:
            kept.append(Span(doc, ent.start, ent.end, label=label))
    doc.set_ents(kept, missing=unknown, default="unmodified")
    labels = annotated_labels(doc)
    if labels is not None:
        mapped = (names.get(label, label) for label in labels)
        set_annotated_labels(doc, [label for label in mapped if label is not None])

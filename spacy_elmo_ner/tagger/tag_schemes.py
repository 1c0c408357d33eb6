"""BIO and BILUO: entity spans as tags, which tags may follow each other, and masks
that say which tags a token may take."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Dict, List, Optional, Sequence, Set, Tuple

import numpy as np

from .gold_tags import read_gold_tags

Span = Tuple[int, int, str]
"""First token, token after the last, label."""

# Scheme → its prefixes → which pieces of an entity each may be: beginning, inner piece,
# last piece or a unit, an entity of one token. Everything else follows from this.
_SCHEMES: Dict[str, Dict[str, str]] = {
    "BIO": {"B": "BU", "I": "IL"},
    "BILUO": {"B": "B", "I": "I", "L": "L", "U": "U"},
}


def check_label(label: str) -> str:
    """Give the entity label back if it can be one.

    Raises ValueError for an empty label and for one with a scheme prefix ("B-PER").
    Other hyphens are part of the label ("WORK-OF-ART").
    """
    if not isinstance(label, str) or not label:
        raise ValueError(
            f"{label!r} cannot be an entity label; pass a string that is not empty."
        )
    if label[:2] in {"B-", "I-", "L-", "U-"}:
        raise ValueError(
            f"The label {label!r} has the tag prefix {label[:2]!r}, but the tag scheme "
            f"adds the prefixes itself; pass {label[2:]!r} instead."
        )
    return label


@dataclass(frozen=True)
class TagScheme:
    """The tags of a set of entity labels.

    name: "BIO" (IOB2: an entity is B I I …) or "BILUO" (B I … L, or U when it has one
        token; spaCy's own scheme).
    labels: entity labels without prefix. A label added at the end only adds tags at
        the end of `tags`, so parameters of the old tags keep their places.

    Raises ValueError for an unknown scheme and for labels that are doubled, empty or
    prefixed.
    """

    name: str
    labels: Tuple[str, ...]

    def __post_init__(self) -> None:
        if self.name not in _SCHEMES:
            raise ValueError(
                f"There is no tag scheme {self.name!r}; choose one of "
                f"{', '.join(map(repr, _SCHEMES))}."
            )
        object.__setattr__(self, "labels", tuple(map(check_label, self.labels)))
        seen: Set[str] = set()
        for label in self.labels:
            if label in seen:
                raise ValueError(
                    f"The label {label!r} is given more than once; pass each label once."
                )
            seen.add(label)

    # Tags, and what may follow what

    @cached_property
    def tags(self) -> Tuple[str, ...]:
        """The tag "O", then every prefix with the first label, with the second, …"""
        prefixes = _SCHEMES[self.name]
        return ("O", *(f"{p}-{label}" for label in self.labels for p in prefixes))

    @cached_property
    def legal_transitions(self) -> np.ndarray:
        """bool (tags, tags), [from, to]."""
        return self._goes_on | (self.legal_end[:, None] & self.legal_start)

    @cached_property
    def legal_start(self) -> np.ndarray:
        """bool (tags,): what the first token may be."""
        return self._outside | self._may_be("BU")

    @cached_property
    def legal_end(self) -> np.ndarray:
        """bool (tags,): what the last token may be."""
        return self._outside | self._may_be("LU")

    def index(self, tag: str) -> int:
        """Place of `tag` in `tags`; ValueError if it is not one of them."""
        prefix, _, label = tag.partition("-")
        prefixes = list(_SCHEMES[self.name])
        if tag == "O":
            return 0
        if prefix not in prefixes or not self.has_label(label):
            raise ValueError(
                f"There is no tag {tag!r} in the {self.name} scheme of the labels "
                f"{self._known_labels}; add its label first."
            )
        return self._first_tags[label] + prefixes.index(prefix)

    def has_label(self, label: str) -> bool:
        """Whether there are tags for the label."""
        return label in self._first_tags

    # Spans and tags

    def span_tags(self, length: int, label: str) -> np.ndarray:
        """int64 (length,): the tags of one entity of `length` tokens."""
        if length < 1:
            raise ValueError(
                f"An entity {label!r} of {length} tokens has no tags; "
                "an entity has at least one token."
            )
        pieces = "U" if length == 1 else "B" + "I" * (length - 2) + "L"
        return np.asarray([self._tag_of(piece, label) for piece in pieces], np.int64)

    def encode(self, spans: Sequence[Span], length: int) -> np.ndarray:
        """int64 (length,): the tags of a sequence with these entities.

        Raises ValueError if a span leaves the sequence, is empty, overlaps another or
        has an unknown label.
        """
        tags = np.zeros(length, dtype=np.int64)
        for start, end, label in spans:
            _check_range(start, end, length, label)
            if tags[start:end].any():
                raise ValueError(
                    f"The entity {label!r} at tokens {start} to {end} overlaps another "
                    "one, and a token has only one tag; pass spans that do not overlap."
                )
            tags[start:end] = self.span_tags(end - start, label)
        return tags

    def decode(self, tags: Sequence[int]) -> List[Span]:
        """The entities of a tag sequence, from left to right.

        A sequence that breaks the scheme is read as conlleval reads it: a tag that does
        not fit the open entity closes it, and one inside an entity that nothing opened
        opens its own. Padding (-1) counts as "O".
        """
        path = np.maximum(np.asarray(tags, dtype=np.int64), 0)
        breaks = np.flatnonzero(~self._goes_on[path[:-1], path[1:]]) + 1
        edges = [0, *breaks.tolist(), len(path)]
        return [
            (start, end, self._label_of(path[start]))
            for start, end in pairwise(edges)
            if start < end and path[start] > 0
        ]

    # Masks: bool (tokens, tags), True where a token may take a tag

    def unrestricted(self, length: int) -> np.ndarray:
        """bool (length, tags): every token may take every tag."""
        return np.ones((length, len(self.tags)), dtype=bool)

    def allowed(self, biluo: Sequence[Optional[str]]) -> np.ndarray:
        """bool (length, tags): the tags that agree with a gold annotation.

        biluo: tags as `spacy.training.Example.get_aligned_ner` gives them, whatever the
            scheme here; None (or "-", "") is a token of which nothing is known.

        An entity that the beginning or the end of the sequence cuts through cannot be
        written in the scheme: its tokens count as unknown. Raises ValueError for a tag
        that is not BILUO and for an unknown label.
        """
        rows = self.unrestricted(len(biluo))
        for i, (piece, label) in enumerate(read_gold_tags(biluo)):
            if piece == "O":
                rows[i] &= self._outside
            elif piece:
                rows[i] &= np.arange(len(self.tags)) == self._tag_of(piece, label)
                if piece in "LU":
                    rows[i + 1 : i + 2] &= ~self.continuation(label)
        return rows

    def continuation(self, label: str) -> np.ndarray:
        """bool (tags,): the tags that, after a complete entity with `label`, would make
        it longer instead of beginning something new: I- in BIO, none in BILUO."""
        return self._goes_on[self._tag_of("L", label)]

    def entity_mask(
        self, allowed_rows: np.ndarray, start: int, end: int, label: str
    ) -> np.ndarray:
        """A copy of the mask in which exactly this entity stands at [start, end).

        Its tokens take the entity's tags, whatever the mask said of them, and the token
        after it does not continue it. ValueError if the span leaves the mask or the
        label is unknown.
        """
        _check_range(start, end, len(allowed_rows), label)
        rows = allowed_rows.copy()
        rows[start:end] = False
        rows[np.arange(start, end), self.span_tags(end - start, label)] = True
        rows[end : end + 1] &= ~self.continuation(label)
        return rows

    def block(self, allowed_rows: np.ndarray, start: int, end: int) -> np.ndarray:
        """A copy of the mask in which the tokens [start, end) are outside entities."""
        _check_range(start, end, len(allowed_rows), "O")
        rows = allowed_rows.copy()
        rows[start:end] = self._outside
        return rows

    def spare_spaces(
        self, allowed_rows: np.ndarray, spaces: Sequence[bool]
    ) -> np.ndarray:
        """A copy of the mask in which white space neither begins nor ends an entity.

        spaces: one bool a token. In BIO no tag says that an entity ends here, so there
        the decoded spans go through `trim_spaces` as well.
        """
        rows = allowed_rows.copy()
        only_inside = self._outside | self._may_be("I")
        rows[np.asarray(spaces, dtype=bool)] &= only_inside
        return rows

    def decoding_mask(
        self,
        length: int,
        *,
        entities: Sequence[Span] = (),
        blocked: Sequence[Tuple[int, int]] = (),
        spaces: Optional[Sequence[bool]] = None,
    ) -> np.ndarray:
        """bool (length, tags): what the decoder may choose.

        entities: spans that are set already. The path runs through them; one whose
            label the scheme does not know is a stretch of "O" here, and whoever
            decodes keeps the entity itself.
        blocked: [start, end) in which no entity may stand.
        spaces: which tokens are white space, see `spare_spaces`.

        Where they contradict each other, entities win over blocked tokens, and both
        over white space.
        """
        rows = self.unrestricted(length)
        if spaces is not None:
            rows = self.spare_spaces(rows, spaces)
        for start, end in blocked:
            rows = self.block(rows, start, end)
        for start, end, label in entities:
            if self.has_label(label):
                rows = self.entity_mask(rows, start, end, label)
            else:
                rows = self.block(rows, start, end)
        return rows

    # What each tag is

    @cached_property
    def _first_tags(self) -> Dict[str, int]:
        """Label → the place of its first tag."""
        width = len(_SCHEMES[self.name])
        return {label: 1 + width * i for i, label in enumerate(self.labels)}

    @cached_property
    def _outside(self) -> np.ndarray:
        return np.arange(len(self.tags)) == 0

    def _may_be(self, pieces: str) -> np.ndarray:
        """bool (tags,): whether a tag can be one of these pieces of an entity."""
        matches = [bool({*pieces} & {*own}) for own in _SCHEMES[self.name].values()]
        return np.asarray([False] + matches * len(self.labels))

    @cached_property
    def _goes_on(self) -> np.ndarray:
        """bool (tags, tags): whether the second tag is in the first one's entity."""
        width = len(_SCHEMES[self.name])
        labels = (np.arange(len(self.tags)) - 1) // width
        same_label = labels[:, None] == labels
        return same_label & self._may_be("BI")[:, None] & self._may_be("IL")

    @property
    def _known_labels(self) -> str:
        return ", ".join(map(repr, self.labels)) or "(none)"

    def _label_of(self, tag: int) -> str:
        return self.labels[(tag - 1) // len(_SCHEMES[self.name])]

    def _tag_of(self, piece: str, label: str) -> int:
        """The tag for a piece (B, I, L or U) of an entity."""
        if not self.has_label(label):
            raise ValueError(
                f"The entity label {label!r} is not among the labels "
                f"{self._known_labels}; add it or correct the annotation."
            )
        pieces = list(_SCHEMES[self.name].values())
        place = next(i for i, own in enumerate(pieces) if piece in own)
        return self._first_tags[label] + place


def trim_spaces(spans: Sequence[Span], spaces: Sequence[bool]) -> List[Span]:
    """The spans without white-space tokens at their ends; one that has nothing else
    disappears."""
    trimmed = []
    for start, end, label in spans:
        while end > start and spaces[end - 1]:
            end -= 1
        while end > start and spaces[start]:
            start += 1
        if end > start:
            trimmed.append((start, end, label))
    return trimmed


def _check_range(start: int, end: int, length: int, label: str) -> None:
    if not 0 <= start < end <= length:
        raise ValueError(
            f"The span {label!r} at tokens {start} to {end} does not lie in a sequence "
            f"of {length} tokens; pass token offsets with 0 <= start < end <= {length}."
        )

"""BIO and BILUO: entity spans as tags, which tags may follow each other, and masks
that say which tags a token may take.

A constraint that holds in every Doc belongs here: `legal_transitions`, `legal_start` and
`legal_end` say what the CRF may do. Those of one Doc, such as the entities that it
already has, are in pipeline/constraints.py.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import AbstractSet, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np
from numpy.typing import NDArray

from .cached import cached_property
from .gold_tags import read_gold_tags

Span = Tuple[int, int, str]
"""First token, token after the last, label."""

TagMask = NDArray[np.bool_]
"""Which tags may be taken: (tags,), or (tokens, tags)."""

# Scheme → its prefixes → which pieces of an entity each may be: beginning, inner piece,
# last piece, or a unit (an entity of one token). Everything else follows from this.
_SCHEMES: Dict[str, Dict[str, str]] = {
    "BIO": {"B": "BU", "I": "IL"},
    "BILUO": {"B": "B", "I": "I", "L": "L", "U": "U"},
}


def check_label(label: str) -> str:
    """Return the label if it can be an entity's.

    Raises:
        ValueError: If it is empty, or has a scheme's prefix ("B-PER") or a control
            character. Other hyphens are part of the label ("WORK-OF-ART").
    """
    if not isinstance(label, str) or not label.strip():
        raise ValueError(
            f"{label!r} cannot be an entity label; pass a string that is not empty."
        )
    if any(ord(char) < ord(" ") for char in label):
        raise ValueError(f"The label {label!r} has a control character; leave it out.")
    prefix, rest = label[:2], label[2:]
    if prefix in {"B-", "I-", "L-", "U-"}:
        instead = f"pass {rest!r} instead" if rest else "pass a label without it"
        raise ValueError(
            f"The label {label!r} has the tag prefix {prefix!r}, but the tag scheme adds "
            f"the prefixes itself; {instead}."
        )
    return label


@dataclass(frozen=True)
class TagScheme:
    """The tags of a set of entity labels.

    Attributes:
        name: "BIO" (IOB2: an entity is B I I …) or "BILUO" (spaCy's own scheme: B I … L, or
            U for an entity of one token).
        labels: Entity labels without prefix. A label added at the end only adds tags at the
            end of `tags`, so parameters of the old tags keep their places.

    Raises:
        ValueError: If the scheme is unknown, or a label is repeated, empty or prefixed.
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
    def outside(self) -> TagMask:
        """bool (tags,): the tag "O" alone."""
        return np.asarray(np.arange(len(self.tags)) == 0)

    @cached_property
    def legal_transitions(self) -> TagMask:
        """bool (tags, tags), [from, to]."""
        return self._goes_on | (self.legal_end[:, None] & self.legal_start)

    @cached_property
    def legal_start(self) -> TagMask:
        """bool (tags,): what the first token may be."""
        return self.outside | self._may_be("BU")

    @cached_property
    def legal_end(self) -> TagMask:
        """bool (tags,): what the last token may be."""
        return self.outside | self._may_be("LU")

    def other_labels(self, labels: AbstractSet[str]) -> TagMask:
        """bool (tags,): the tags of all labels but these."""
        is_other = [label not in labels for label in self.labels]
        return np.append(False, np.repeat(is_other, len(_SCHEMES[self.name])))

    def origins(self, other: "TagScheme") -> TagMask:
        """bool (tags, other's tags): which tags mean the same as each tag.

        That is the same tag of the other scheme or, for a label that it does not have,
        the tags of all labels with the same prefix.

        Raises:
            ValueError: If the schemes have different prefixes.
        """
        if self.name != other.name:
            raise ValueError(f"{self.name} and {other.name} have different prefixes.")
        return np.asarray(
            [
                [
                    one == tag or (one[:2] == tag[:2] and tag[2:] not in other.labels)
                    for one in other.tags
                ]
                for tag in self.tags
            ]
        )

    def has_label(self, label: str) -> bool:
        """Whether there are tags for the label."""
        return label in self._first_tags

    def before_growth(self, n_tags: int) -> "TagScheme":
        """The scheme when it had `n_tags` tags, before the last labels were added."""
        width = len(_SCHEMES[self.name])
        return TagScheme(self.name, self.labels[: (n_tags - 1) // width])

    # Spans and tags

    def span_tags(self, length: int, label: str) -> NDArray[np.int64]:
        """int64 (length,): the tags of one entity of `length` tokens."""
        if length < 1:
            raise ValueError(
                f"An entity {label!r} of {length} tokens has no tags; "
                "an entity has at least one token."
            )
        pieces = "U" if length == 1 else "B" + "I" * (length - 2) + "L"
        return np.asarray([self._tag_of(piece, label) for piece in pieces], np.int64)

    def decode(self, tags: Sequence[int]) -> List[Span]:
        """The entities of a tag sequence, from left to right.

        A sequence that breaks the scheme is read as conlleval reads it: a tag that does
        not fit the open entity closes it, and an inside tag without an open entity
        opens a new one. Padding (-1) counts as "O".
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

    def unrestricted(self, length: int) -> TagMask:
        """bool (length, tags): every token may take every tag."""
        return np.ones((length, len(self.tags)), dtype=bool)

    def allowed(self, biluo: Sequence[Optional[str]]) -> TagMask:
        """bool (length, tags): the tags that agree with a gold annotation.

        An entity that is cut off by the beginning or the end of the sequence cannot be
        written in the scheme: its tokens count as unknown.

        Args:
            biluo: Tags as `spacy.training.Example.get_aligned_ner` returns them,
                whatever scheme this is. None, "-" or "" stands for an unknown token.

        Raises:
            ValueError: If a tag is not BILUO, or its label is unknown.
        """
        rows = self.unrestricted(len(biluo))
        for i, (piece, label) in enumerate(read_gold_tags(biluo)):
            if piece == "O":
                rows[i] &= self.outside
            elif piece:
                rows[i] &= np.arange(len(self.tags)) == self._tag_of(piece, label)
                if piece in "LU":
                    rows[i + 1 : i + 2] &= ~self.continuation(label)
        return rows

    def continuation(self, label: str) -> TagMask:
        """bool (tags,): the tags that, after a complete entity with `label`, would make
        it longer instead of beginning something new: I- in BIO, none in BILUO."""
        return np.asarray(self._goes_on[self._tag_of("L", label)])

    def entity_mask(
        self, allowed_rows: TagMask, start: int, end: int, label: str
    ) -> TagMask:
        """A copy of the mask in which exactly this entity is at [start, end).

        Its tokens take the entity's tags, whatever the mask allowed, and the token
        after it does not continue it.

        Raises:
            ValueError: If the span leaves the mask, or the label is unknown.
        """
        _check_range(start, end, len(allowed_rows), label)
        rows = allowed_rows.copy()
        rows[start:end] = False
        rows[np.arange(start, end), self.span_tags(end - start, label)] = True
        rows[end : end + 1] &= ~self.continuation(label)
        return rows

    def block(self, allowed_rows: TagMask, start: int, end: int) -> TagMask:
        """A copy of the mask in which the tokens [start, end) are outside entities."""
        _check_range(start, end, len(allowed_rows), "O")
        rows = allowed_rows.copy()
        rows[start:end] = self.outside
        return rows

    # What each tag is

    @cached_property
    def _first_tags(self) -> Dict[str, int]:
        """Label → the place of its first tag."""
        width = len(_SCHEMES[self.name])
        return {label: 1 + width * i for i, label in enumerate(self.labels)}

    def _may_be(self, pieces: str) -> TagMask:
        """bool (tags,): whether a tag can be one of these pieces of an entity."""
        matches = [bool({*pieces} & {*own}) for own in _SCHEMES[self.name].values()]
        return np.asarray([False] + matches * len(self.labels))

    @cached_property
    def _goes_on(self) -> TagMask:
        """bool (tags, tags): whether the second tag is in the first one's entity."""
        width = len(_SCHEMES[self.name])
        labels = (np.arange(len(self.tags)) - 1) // width
        same_label: TagMask = labels[:, None] == labels
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


def _check_range(start: int, end: int, length: int, label: str) -> None:
    if not 0 <= start < end <= length:
        raise ValueError(
            f"The span {label!r} at tokens {start} to {end} is not inside a sequence "
            f"of {length} tokens; pass token offsets with 0 <= start < end <= {length}."
        )

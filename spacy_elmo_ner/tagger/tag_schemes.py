"""BIO and BILUO: entity spans as tags, which tags may follow each other, and masks
that say which tags a token may take."""

from dataclasses import dataclass
from functools import cached_property
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

Span = Tuple[int, int, str]
"""First token, token after the last, label."""


class _Kind(NamedTuple):
    opens: bool  # may be the first token of an entity
    closes: bool  # may be the last one


# Scheme → what each of its prefixes says about the token's place in the entity.
_SCHEMES = {
    "BIO": {"B": _Kind(True, True), "I": _Kind(False, True)},
    "BILUO": {
        "B": _Kind(True, False),
        "I": _Kind(False, False),
        "L": _Kind(False, True),
        "U": _Kind(True, True),
    },
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
        for label in self.labels:
            if self.labels.count(label) > 1:
                raise ValueError(
                    f"The label {label!r} is given more than once; pass each label once."
                )

    # Tags and what may follow what

    @cached_property
    def tags(self) -> Tuple[str, ...]:
        """ "O", then every prefix with the first label, with the second, …"""
        prefixes = _SCHEMES[self.name]
        return ("O", *(f"{p}-{label}" for label in self.labels for p in prefixes))

    @cached_property
    def legal_transitions(self) -> np.ndarray:
        """bool (tags, tags), [from, to]."""
        inside = np.asarray([i > 0 for i in range(len(self.tags))])
        same = self._label_of[:, None] == self._label_of[None, :]
        # An entity either goes on with the same label or is complete and another
        # entity (or none) follows.
        goes_on = same & self._can_go_on[:, None] & (inside & ~self._opens)[None, :]
        follows = self.legal_end[:, None] & self.legal_start[None, :]
        return goes_on | follows

    @cached_property
    def legal_start(self) -> np.ndarray:
        """bool (tags,): what the first token may be."""
        return self._opens | self._outside

    @cached_property
    def legal_end(self) -> np.ndarray:
        """bool (tags,): what the last token may be."""
        return self._closes | self._outside

    def index(self, tag: str) -> int:
        """Place of `tag` in `tags`; ValueError if it is not one of them."""
        try:
            return self._places[tag]
        except KeyError:
            raise ValueError(
                f"There is no tag {tag!r} in the {self.name} scheme of the labels "
                f"{self._known}; add its label first."
            ) from None

    # Spans and tags

    def span_tags(self, length: int, label: str) -> np.ndarray:
        """int64 (length,): the tags of one entity of `length` tokens."""
        if length < 1:
            raise ValueError(
                f"An entity {label!r} of {length} tokens has no tags; "
                "an entity has at least one token."
            )
        first = self._first_tag(label)
        prefixes = list(_SCHEMES[self.name])
        if self.name == "BIO":
            order = "B" + "I" * (length - 1)
        else:
            order = "U" if length == 1 else "B" + "I" * (length - 2) + "L"
        return np.asarray([first + prefixes.index(p) for p in order], dtype=np.int64)

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
        spans: List[Span] = []
        begin = 0
        before = 0
        for i, tag in enumerate([*(max(0, int(tag)) for tag in tags), 0]):
            goes_on = (
                before
                and tag
                and self._can_go_on[before]
                and not self._opens[tag]
                and self._label_of[before] == self._label_of[tag]
            )
            if not goes_on:
                if before:
                    spans.append((begin, i, self.labels[self._label_of[before]]))
                begin = i
            before = tag
        return spans

    # Masks: bool (tokens, tags), True where a token may take a tag

    def unrestricted(self, length: int) -> np.ndarray:
        """bool (length, tags): every token may take every tag."""
        return np.ones((length, len(self.tags)), dtype=bool)

    def allowed(self, biluo: Sequence[Optional[str]]) -> np.ndarray:
        """bool (length, tags): the tags that agree with a gold annotation.

        biluo: tags as `spacy.training.Example.get_aligned_ner` gives them, whatever the
            scheme here; None (or "-", "") is a token of which nothing is known.

        An entity cut off by the beginning or the end of the sequence (a segment
        boundary went through it) cannot be written in the scheme: its tokens count as
        unknown. Raises ValueError for a tag that is not BILUO and for an unknown label.
        """
        rows = self.unrestricted(len(biluo))
        parts = [_split(tag) for tag in biluo]
        for _, label in parts:
            if label:
                self._first_tag(label)
        for i in range(_cut_before(parts), len(parts) - _cut_after(parts)):
            prefix, label = parts[i]
            if prefix == "O":
                rows[i, 1:] = False
            elif prefix:
                keep = self._first_tag(label) + self._prefix_place(prefix)
                rows[i] = False
                rows[i, keep] = True
                if prefix in "LU" and i + 1 < len(parts):
                    rows[i + 1, self.continuation(label)] = False
        return rows

    def continuation(self, label: str) -> np.ndarray:
        """bool (tags,): the tags that, after a complete entity with `label`, would make
        it longer instead of beginning something new: I- in BIO, none in BILUO."""
        first = self._first_tag(label)
        more = np.zeros(len(self.tags), dtype=bool)
        if self.name == "BIO":
            more[first + 1] = True
        return more

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
        if end < len(rows):
            rows[end] &= ~self.continuation(label)
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

        spaces: one bool a token. In BIO no tag says that an entity ends; there the
        decoded spans go through `trim_spaces` as well.
        """
        rows = allowed_rows.copy()
        forbidden = self._opens if self.name == "BIO" else self._opens | self._closes
        rows[np.asarray(spaces, dtype=bool)] &= ~forbidden
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
            if label in self.labels:
                rows = self.entity_mask(rows, start, end, label)
            else:
                rows = self.block(rows, start, end)
        return rows

    # What each tag is

    @cached_property
    def _places(self) -> "dict[str, int]":
        return {tag: i for i, tag in enumerate(self.tags)}

    @cached_property
    def _label_of(self) -> np.ndarray:
        width = len(_SCHEMES[self.name])
        return np.asarray([(i - 1) // width for i in range(len(self.tags))])

    @cached_property
    def _outside(self) -> np.ndarray:
        return np.arange(len(self.tags)) == 0

    @cached_property
    def _opens(self) -> np.ndarray:
        kinds = list(_SCHEMES[self.name].values())
        return np.asarray([False] + [k.opens for k in kinds] * len(self.labels))

    @cached_property
    def _closes(self) -> np.ndarray:
        kinds = list(_SCHEMES[self.name].values())
        return np.asarray([False] + [k.closes for k in kinds] * len(self.labels))

    @cached_property
    def _can_go_on(self) -> np.ndarray:
        if self.name == "BIO":
            return ~self._outside
        return ~self._outside & ~self._closes

    @property
    def _known(self) -> str:
        return ", ".join(map(repr, self.labels)) or "(none)"

    def _prefix_place(self, biluo_prefix: str) -> int:
        if self.name == "BIO":
            return {"B": 0, "U": 0, "I": 1, "L": 1}[biluo_prefix]
        return list(_SCHEMES[self.name]).index(biluo_prefix)

    def _first_tag(self, label: str) -> int:
        if label not in self.labels:
            raise ValueError(
                f"The entity label {label!r} is not among the labels {self._known}; "
                "add it to the component's labels or correct the annotation."
            )
        return 1 + self.labels.index(label) * len(_SCHEMES[self.name])


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


def _split(tag: Optional[str]) -> Tuple[str, str]:
    """ "L-PER" → ("L", "PER"); nothing known → ("", "")."""
    if tag is None or tag in {"", "-"}:
        return "", ""
    if tag == "O":
        return "O", ""
    prefix, hyphen, label = tag.partition("-")
    if prefix not in {"B", "I", "L", "U"} or not hyphen or not label:
        raise ValueError(
            f"The gold tag {tag!r} is not BILUO; pass 'O', None, or B-, I-, L- or U- "
            "and a label."
        )
    return prefix, label


def _cut_before(parts: Sequence[Tuple[str, str]]) -> int:
    """How many tokens at the start belong to an entity that began earlier."""
    for i, (prefix, label) in enumerate(parts):
        if prefix not in {"I", "L"} or label != parts[0][1]:
            return i
        if prefix == "L":
            return i + 1
    return len(parts)


def _cut_after(parts: Sequence[Tuple[str, str]]) -> int:
    """How many tokens at the end belong to an entity that ends later."""
    for i, (prefix, label) in enumerate(reversed(parts)):
        if prefix not in {"B", "I"} or label != parts[-1][1]:
            return i
        if prefix == "B":
            return i + 1
    return len(parts)

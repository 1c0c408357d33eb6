"""Gold annotation as spaCy gives it, one BILUO string or None per token, made safe for
a sequence that may be a piece of a longer text."""

from typing import List, Optional, Sequence, Tuple

GoldTag = Tuple[str, str]
"""Prefix and label: ("L", "PER"); ("O", ""); ("", "") where nothing is known."""


def read_gold_tags(biluo: Sequence[Optional[str]]) -> List[GoldTag]:
    """Each tag as prefix and label.

    The tokens of an entity that lies only partly in the sequence count as unknown: it
    has no beginning or no end here, and cannot be written in any tag scheme.

    Args:
        biluo: One tag for each token; None, "-" or "" where nothing is known.

    Raises:
        ValueError: If a tag is not BILUO.
    """
    tags = [_split(tag) for tag in biluo]
    from_left = _cut_off(tags, inner="I", border="L")
    from_right = _cut_off(tags[::-1], inner="I", border="B")
    whole = range(from_left, len(tags) - from_right)
    return [tag if i in whole else ("", "") for i, tag in enumerate(tags)]


def tags_of_words(
    biluo: Sequence[Optional[str]], words: Sequence[int]
) -> List[Optional[str]]:
    """The tags of the words alone.

    An entity that began or ended with another token begins or ends with the first or last
    of its words.

    Args:
        biluo: One tag for each token, see `read_gold_tags`.
        words: The words' places among the tokens, in order.

    Raises:
        ValueError: If a tag is not BILUO.
    """
    kept: List[Optional[str]] = [biluo[i] for i in words]
    if len(kept) == len(biluo):
        return kept
    place = {word: i for i, word in enumerate(words)}
    start: Optional[int] = None
    for i, tag in enumerate(biluo):
        prefix, label = _split(tag)
        if prefix in ("B", "U"):
            start = i
        if prefix in ("L", "U") and start is not None:
            inside = [place[j] for j in range(start, i + 1) if j in place]
            pieces = "U" if len(inside) == 1 else "B" + "I" * (len(inside) - 2) + "L"
            for j, piece in zip(inside, pieces, strict=False):
                kept[j] = f"{piece}-{label}"
        if prefix not in ("B", "I"):
            start = None
    return kept


def _split(tag: Optional[str]) -> GoldTag:
    if tag is None or tag in {"", "-"}:
        return "", ""
    if tag == "O":
        return "O", ""
    prefix, _, label = tag.partition("-")
    if prefix not in {"B", "I", "L", "U"} or not label:
        raise ValueError(
            f"The gold tag {tag!r} is not BILUO; pass 'O', None, or a label after "
            "'B-', 'I-', 'L-' or 'U-'."
        )
    return prefix, label


def _cut_off(tags: Sequence[GoldTag], *, inner: str, border: str) -> int:
    """How many of the first tags belong to an entity that crosses the edge before
    them; `border` is the prefix of the only one of its ends that lies within."""
    for i, (prefix, label) in enumerate(tags):
        if prefix not in {inner, border} or label != tags[0][1]:
            return i
        if prefix == border:
            return i + 1
    return len(tags)

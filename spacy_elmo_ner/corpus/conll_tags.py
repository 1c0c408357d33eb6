"""Entity spans ⇄ tags, in the schemes that CoNLL files use.

iob1    I- inside; B- only if an entity directly follows one of its own type
iob2    B- on the first token of every entity, I- on the others
io      I- everywhere; neighbours of one type cannot be separated
biluo   B- first, I- inside, L- last, U- for a single token
bioes   biluo with E- for L- and S- for U-
bmes    bioes with M- for I-
bmewo   bmes with W- for S-

IOB1 and IOB2 are Tjong Kim Sang and Veenstra, "Representing Text Chunks" (1999).
"""

from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

# the letters of an entity's first, inner, last and only token
CLOSED_SCHEMES = {"biluo": "BILU", "bioes": "BIES", "bmes": "BMES", "bmewo": "BMEW"}
TAG_SCHEMES = ("iob1", "iob2", "io", *CLOSED_SCHEMES)
OUTSIDE = "O"
STARTING = "BUSW"
ENDING = "LEUSW"
PREFIXES = "BILUESMW"


class EntitySpan(NamedTuple):
    """Tokens start to end (exclusive), counted from the sentence's first token."""

    start: int
    end: int
    label: str


def split_tag(tag: str) -> Tuple[str, str]:
    """Split a tag into prefix and label: ("B", "PER"), and ("O", "") outside entities.

    A label may itself hold hyphens.

    Raises:
        ValueError: If it is not a tag.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, hyphen, label = tag.partition("-")
    if prefix not in tuple(PREFIXES) or not hyphen or not label:
        raise ValueError(
            f"The tag {tag!r} has an unknown form. A tag is O, or one of the letters "
            f"{', '.join(PREFIXES)}, a hyphen and a label, such as B-PER. (b-PER, "
            "B_PER and PER-B are read too, if all tags of a file are spelled that way.)"
        )
    return prefix, label


def tags_to_spans(tags: Sequence[str]) -> List[EntitySpan]:
    """Read the tags of one sentence, whatever their scheme.

    One rule serves all schemes: B-, U-, S- and W- start an entity. I-, M-, L- and E-
    continue the entity before them if it has the same label and is not yet closed by
    L-, E-, U-, S- or W-; otherwise they start one. On legal tags this is the scheme's
    own meaning; on B-, I- and O in any order it is what the shared task's scorer does.
    """
    spans: List[EntitySpan] = []
    start = 0
    open_label = ""
    closed = True
    for i, tag in enumerate(tags):
        prefix, label = split_tag(tag)
        continues = label == open_label and not closed and prefix not in STARTING
        if not continues:
            if open_label:
                spans.append(EntitySpan(start, i, open_label))
            start = i
        open_label = label
        closed = prefix in ENDING
    if open_label:
        spans.append(EntitySpan(start, len(tags), open_label))
    return spans


def spans_to_tags(
    spans: Sequence[EntitySpan], *, length: int, scheme: str
) -> List[str]:
    """Spell spans as the tags of one scheme.

    Args:
        spans: Sorted and without overlap.
        length: Tokens of the sentence.
        scheme: One of `TAG_SCHEMES`.
    """
    check_scheme(scheme)
    tags = [OUTSIDE] * length
    before: Optional[EntitySpan] = None
    for span in spans:
        touches = before is not None and before[1:] == (span.start, span.label)
        prefixes = _prefixes(span.end - span.start, scheme, touches)
        tags[span.start : span.end] = [f"{prefix}-{span.label}" for prefix in prefixes]
        before = span
    return tags


def _prefixes(length: int, scheme: str, touches: bool) -> str:
    if scheme in CLOSED_SCHEMES:
        first, inner, last, single = tuple(CLOSED_SCHEMES[scheme])
        return single if length == 1 else first + inner * (length - 2) + last
    starts_with_b = scheme == "iob2" or (scheme == "iob1" and touches)
    return ("B" if starts_with_b else "I") + "I" * (length - 1)


def check_scheme(scheme: str) -> None:
    """Check the name of a scheme.

    Raises:
        ValueError: If it is none of `TAG_SCHEMES`.
    """
    if scheme not in TAG_SCHEMES:
        raise ValueError(
            f"There is no tag scheme {scheme!r}; use one of {', '.join(TAG_SCHEMES)}."
        )


def first_breach(tags: Sequence[str], *, scheme: str) -> Optional[Tuple[int, str]]:
    """Find where the tags of one sentence are not what the scheme would write.

    In iob1 a B- that is not needed passes: the published CoNLL-2003 has two of them.

    Returns:
        The token's index and the tag expected there; None if all tags are legal.
    """
    spans = tags_to_spans(tags)
    expected = spans_to_tags(spans, length=len(tags), scheme=scheme)
    for i, (tag, wanted) in enumerate(zip(tags, expected, strict=True)):
        needless = scheme == "iob1" and tag.startswith("B-")
        if tag != wanted and not needless:
            return i, wanted
    return None


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """Recognize the scheme of a whole file's tags.

    Only BILUO has L- and U-, only BMEWO has W-. M- is BMES's if there is no W-; E- and
    S- without M- are BIOES's. Tags without any B- are IO. What remains is IOB2 if every
    entity begins with B-, and otherwise IOB1.
    """
    sentences = list(sentences)
    letters = {split_tag(tag)[0] for tags in sentences for tag in tags}
    if letters & {"L", "U"}:
        return "biluo"
    if "W" in letters:
        return "bmewo"
    if "M" in letters:
        return "bmes"
    if letters & {"E", "S"}:
        return "bioes"
    if "I" in letters and "B" not in letters:
        return "io"
    if any(first_breach(tags, scheme="iob2") for tags in sentences):
        return "iob1"
    return "iob2"

"""The brackets of OntoNotes and CoNLL-2012 → B-PER: `(PER*`, `*`, `*)` and `(PER)`.

Pradhan et al., "CoNLL-2012 Shared Task: Modeling Multilingual Unrestricted Coreference
in OntoNotes" (2012).
"""

import re
from pathlib import Path
from typing import Collection, List, Sequence, Union

from .conll_tags import EntitySpan, spans_to_tags

STAR = "*"
# coreference chains have the same brackets around numbers
BRACKET_TAG = re.compile(r"(?=[(*])(\((?P<label>[^\W\d_][^()*]*)(?=[*)]))?\*?\)?")
# nested brackets of phrases and arguments look like this, too
_ANY = re.compile(r"(\([^()*]+)*\*\)*|(\([^()*]+)+\)+")


def are_brackets(tags: Collection[str]) -> bool:
    """Whether most of a column's different tags are brackets of some kind."""
    return 2 * sum(bool(_ANY.fullmatch(tag)) for tag in tags) > len(tags)


def to_iob2(
    path: Union[str, Path], lines: Sequence[int], tags: Sequence[str]
) -> List[str]:
    """Convert the tags of one sentence to B-PER, I-PER and O.

    Args:
        path: The file, for messages.
        lines: The lines of the tags, for messages.
        tags: The tags.

    Raises:
        ValueError: If a tag is not a bracket, or if brackets are nested or not closed.
            It names the file and the line.
    """
    spans: List[EntitySpan] = []
    start, label = 0, ""
    for i, (line, tag) in enumerate(zip(lines, tags, strict=True)):
        place = f"{path}, line {line}: the tag {tag!r}"
        match = BRACKET_TAG.fullmatch(tag)
        if tag.count("(") > 1 or tag.count(")") > 1 or (match and match[1] and label):
            raise ValueError(
                f"{place} has nested entities, but a token can be in only one. Keep "
                "one of them."
            )
        if not match:
            raise ValueError(
                f"{place} is not in the bracket notation of the other tags, such as "
                "(PER*, *, *) and (PER). Spell all of them alike."
            )
        if match["label"]:
            start, label = i, match["label"]
        if tag.endswith(")"):
            if not label:
                raise ValueError(f"{place} closes an entity, but none is open.")
            spans.append(EntitySpan(start, i + 1, label))
            label = ""
    if label:
        raise ValueError(
            f"{path}, line {lines[start]}: the tag {tags[start]!r} opens an entity that "
            "its sentence does not close. Write *) at its last token."
        )
    return spans_to_tags(spans, length=len(tags), scheme="iob2")

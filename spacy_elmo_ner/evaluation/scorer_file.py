"""Input files for the shared task's scorer: on each line a word, its gold tag and its
predicted tag.
"""

import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Union

from ..corpus.columns import DOCUMENT_HEADER
from ..corpus.conll_tags import OUTSIDE, split_tag
from ..files.text_files import MARK, write_lines

# the scorer's default mark for the end of a sentence
BOUNDARY = "-X-"


class ScoredSentence(NamedTuple):
    """A sentence with its gold and its predicted tags."""

    words: List[str]
    gold: List[str]
    guess: List[str]


def write_scorer_file(
    sentences: Iterable[ScoredSentence], path: Union[str, Path]
) -> None:
    """Write a file that the scorer reads.

    White space in words and labels, which would separate columns, is written as
    underscores. The scorer only looks at the tags; a word that would mark a document
    or a sentence gets an underscore, too.

    Raises:
        ValueError: If two labels would become the same. Nothing is written then.
    """
    sentences = list(sentences)
    tags = _solid_tags(sentences)
    write_lines(path, _lines(sentences, tags))


def _lines(sentences: Iterable[ScoredSentence], tags: Dict[str, str]) -> Iterator[str]:
    for sentence in sentences:
        for word, gold, guess in zip(*sentence, strict=True):
            yield f"{_solid_word(word)} {tags[gold]} {tags[guess]}"
        yield ""


def _solid(text: str) -> str:
    return re.sub(r"\s", "_", text)


def _solid_word(word: str) -> str:
    marks = word == BOUNDARY or word.lstrip(MARK).startswith(DOCUMENT_HEADER)
    return "_" * marks + _solid(word)


def _solid_tags(sentences: Iterable[ScoredSentence]) -> Dict[str, str]:
    tags = {tag: _solid(tag) for s in sentences for column in s[1:] for tag in column}
    labels: Dict[str, str] = {}
    for tag, solid in tags.items():
        if tag != OUTSIDE:
            (_, label), (_, written) = split_tag(tag), split_tag(solid)
            if labels.setdefault(written, label) != label:
                raise ValueError(
                    f"The labels {labels[written]!r} and {label!r} would both be "
                    f"{written!r} in a file for the scorer, where labels hold no white "
                    "space. Rename one of them."
                )
    return tags

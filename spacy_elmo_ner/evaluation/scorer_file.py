"""Files of the shared task's scorer: a word, its gold tag and its guess on each line."""

from pathlib import Path
from typing import Iterable, List, NamedTuple, Union

from ..atomic import replacing
from ..corpus.columns import read_columns
from ..corpus.conll import check_tag_forms


class ScoredSentence(NamedTuple):
    words: List[str]
    gold: List[str]
    guess: List[str]


def read_scorer_file(path: Union[str, Path]) -> List[ScoredSentence]:
    """The first column and the last two of a file in CoNLL's layout.

    Raises OSError, and ValueError that names file and line.
    """
    sentences = [s for document in read_columns(path) for s in document]
    if sentences and len(sentences[0].rows[0]) < 3:
        raise ValueError(
            f"{path}, line {sentences[0].line}: a file for the scorer has at least "
            "three columns, the word first and the gold tag and the guess last."
        )
    for column in (-2, -1):
        check_tag_forms(path, sentences, column=column)
    return [
        ScoredSentence(
            [row[0] for row in rows],
            [row[-2] for row in rows],
            [row[-1] for row in rows],
        )
        for _, rows in sentences
    ]


def write_scorer_file(
    sentences: Iterable[ScoredSentence], path: Union[str, Path]
) -> None:
    """Write what the scorer reads. It only looks at the tags; white space in words,
    which would make columns, is written as underscores."""
    with replacing(Path(path)) as temporary:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for sentence in sentences:
                for word, gold, guess in zip(*sentence, strict=True):
                    for space in " \t\r\n":
                        word = word.replace(space, "_")
                    file.write(f"{word} {gold} {guess}\n")
                file.write("\n")

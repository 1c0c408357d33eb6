"""Files of the shared task's scorer, read as conlleval.pl reads them."""

from pathlib import Path
from typing import List

from spacy_elmo_ner.evaluation.scorer_file import BOUNDARY, ScoredSentence


def read_scorer_file(path: Path) -> List[ScoredSentence]:
    """White space separates columns: the word first, the gold tag and the guess last.

    A line without columns, or with the boundary for a word, ends a sentence.
    """
    sentences = [ScoredSentence([], [], [])]
    for line in path.read_bytes().decode("utf-8-sig").split("\n"):
        columns = line.split()
        if not columns or columns[0] == BOUNDARY:
            sentences.append(ScoredSentence([], [], []))
            continue
        for column, value in zip(
            sentences[-1], (columns[0], *columns[-2:]), strict=True
        ):
            column.append(value)
    return [sentence for sentence in sentences if sentence.words]

"""What Spark's Python processes do: texts → rows of what is found in them."""

from functools import lru_cache
from typing import Any, Dict, Iterable, List, NamedTuple

from spacy.language import Language

from ..pipeline.loading import load
from ..tables.levels import rows
from ..tables.pipelines import line_is_sentence

Row = Dict[str, Any]
# no text in a Spark row is longer
LONGEST_TEXT = 2**31


class PipelineFiles(NamedTuple):
    """Which pipeline to load.

    Attributes:
        name: A package, or the absolute path of a folder.
        changed: When a file of the folder was last changed: a retrained pipeline
            replaces the one before, in processes that keep running.
    """

    name: str
    changed: int


@lru_cache(maxsize=1)
def loaded(files: PipelineFiles) -> Language:
    """Load a pipeline, once in each process.

    Args:
        files: The pipeline.

    Returns:
        The pipeline, which reads texts of any length: one of a million characters is no
        reason to lose a job.

    Raises:
        ValueError: If it cannot be loaded.
    """
    nlp = load(files.name)
    nlp.max_length = LONGEST_TEXT
    return nlp


def find(
    texts: Iterable[Any], *, files: PipelineFiles, level: str, batch_size: int
) -> List[List[Row]]:
    """Find the rows of each text at a level.

    Args:
        texts: Strings. Anything else stands for a null, which is read as an empty text.
        files: The pipeline.
        level: One of `tables.levels.LEVELS`.
        batch_size: How many texts the pipeline reads at once. All are first sorted by
            length, so that these are of similar length.

    Returns:
        The rows of each text, in the order of the texts.
    """
    nlp = loaded(files)
    by_line = line_is_sentence(nlp)
    strings = [text if isinstance(text, str) else "" for text in texts]
    order = sorted(range(len(strings)), key=lambda place: len(strings[place]))
    docs = nlp.pipe((strings[place] for place in order), batch_size=batch_size)
    found: List[List[Row]] = [[] for _ in strings]
    for place, doc in zip(order, docs, strict=True):
        found[place] = list(rows(doc, level, line_is_sentence=by_line))
    return found

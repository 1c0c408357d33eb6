"""The `elmo_ner` components of a pipeline, whatever their names."""

from typing import Dict, Iterable, Iterator, Union

from spacy.language import Language
from spacy.tokens import Doc

from .elmo_ner import ElmoNer

# the key of doc.spans for a component that has none of its own
SCORES = "found_entities"


def elmo_ners(nlp: Language) -> Dict[str, ElmoNer]:
    """The components by their names, in the order of the pipeline."""
    return {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, ElmoNer)}


def with_probabilities(nlp: Language) -> Language:
    """The pipeline, whose components set the probability of each entity from now on.

    Those of tokens, which take longer, are left out.
    """
    for pipe in elmo_ners(nlp).values():
        if pipe.cfg["scores_key"] is None:
            pipe.cfg["scores_key"] = SCORES
    return nlp


def docs_before(
    nlp: Language, ner: ElmoNer, texts: Iterable[Union[str, Doc]]
) -> Iterator[Doc]:
    """Yield the Docs as they reach a component, for its readings: it keeps the entities
    of a Doc, so all readings of one that it has annotated would have the same."""
    place = [pipe for _, pipe in nlp.pipeline].index(ner)
    return nlp.pipe(texts, disable=nlp.pipe_names[place:])

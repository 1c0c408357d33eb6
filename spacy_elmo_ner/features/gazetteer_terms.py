"""Lists of terms → the gazetteers of a pipeline."""

from functools import partial
from pathlib import Path
from typing import Callable, Union

from spacy.language import Language

from ..nodes import TargetT, nodes_named
from .gazetteer import NODE_NAME, TERMS
from .term_files import read_terms
from .terms import TermLists, fold


def create_gazetteer_terms_v1(*, folder: Path) -> Callable[[Language], Language]:
    """Make a callback that loads terms, for [initialize.before_init].

    The files are read when the pipeline is initialized; from then on the terms are in the
    pipeline.

    Args:
        folder: It has a file TYPE.txt for each type, in UTF-8, with one term per line.
    """
    return partial(load_gazetteer_terms, folder=folder)


def load_gazetteer_terms(target: TargetT, *, folder: Union[str, Path]) -> TargetT:
    """Load terms into every Gazetteer of a pipeline or of a model, and return it.

    They replace the existing ones. A trained pipeline uses new ones right away.

    Args:
        target: The pipeline, or the model.
        folder: See `create_gazetteer_terms_v1`.

    Raises:
        ValueError: If there is no Gazetteer, or `read_terms` cannot read a file.
        OSError: If a file cannot be opened.
    """
    nodes = nodes_named(target, NODE_NAME)
    if not nodes:
        raise ValueError(
            f"There is no Gazetteer to load {folder} into. Use "
            "spacy_elmo_ner.Gazetteer.v1 in a component of the config, or remove "
            "spacy_elmo_ner.GazetteerTerms.v1 from it."
        )
    lists = [
        TermLists(
            [
                [
                    fold(
                        term,
                        case=node.attrs["fold_case"],
                        diacritics=node.attrs["fold_diacritics"],
                    )
                    for term in read_terms(folder, type_)
                ]
                for type_ in node.attrs["types"]
            ]
        )
        for node in nodes
    ]
    for node, terms in zip(nodes, lists, strict=True):
        node.attrs[TERMS] = terms
    return target

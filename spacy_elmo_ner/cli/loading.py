"""The pipeline that a command works with."""

import typer
from spacy.language import Language

from ..pipeline.components import elmo_ners
from ..pipeline.elmo_ner import ElmoNer
from ..pipeline.loading import load as load_pipeline

__all__ = ["MODEL", "load_pipeline", "ner_of"]

MODEL = typer.Option(
    None,
    "--model",
    "-m",
    help="Pipeline (folder or package); en_elmo_ner_sm if left out",
)


def ner_of(nlp: Language) -> ElmoNer:
    """The pipeline's component `elmo_ner`, whatever its name.

    Raises:
        ValueError: If it has none, or several.
    """
    found = list(elmo_ners(nlp).values())
    if len(found) != 1:
        raise ValueError(
            f"The pipeline has {len(found)} components elmo_ner among its components "
            f"({', '.join(nlp.pipe_names) or 'none'}), but it needs one. Name another."
        )
    return found[0]

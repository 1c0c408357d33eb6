"""The pipeline that a command works with."""

import typer
from spacy.language import Language

from ..pipeline.components import elmo_ners
from ..pipeline.elmo_ner import ElmoNer
from ..pipeline.loading import load as load_pipeline

__all__ = ["MODEL", "PIPELINE", "describe", "load_pipeline", "ner_of"]

PIPELINE = typer.Argument(..., help="Name or folder of a pipeline")
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
            f"The pipeline has {len(found)} elmo_ner components (its components: "
            f"{', '.join(nlp.pipe_names) or 'none'}), but needs exactly one. Name "
            "another."
        )
    return found[0]


def describe(nlp: Language) -> str:
    """Name, version and components of a pipeline."""
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    return f"{name}: {', '.join(nlp.pipe_names)}"

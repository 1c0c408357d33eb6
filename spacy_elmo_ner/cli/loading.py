"""The pipeline that a command works with."""

from typing import Optional

import spacy
import typer
from spacy.language import Language

MODEL = typer.Option(
    None, "--model", "-m", help="Pipeline (folder or package); without it, the shipped"
)


def load_pipeline(model: Optional[str]) -> Language:
    """The named pipeline, or the one that is shipped with the package.

    Raises ValueError if spaCy cannot load the named one.
    """
    if model is None:
        # late, so that commands with a model of their own do not need the shipped one
        from ..pipeline.packaged import load_packaged

        return load_packaged()
    try:
        return spacy.load(model)
    except OSError as error:
        raise ValueError(
            f"There is no pipeline at {model} that spaCy can load ({error}). Name a "
            "folder that training wrote, such as training/sample/model-best, or an "
            "installed pipeline package."
        ) from error

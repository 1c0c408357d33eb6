"""The pipeline that a command works with."""

import typer

from ..pipeline.loading import load as load_pipeline

__all__ = ["MODEL", "load_pipeline"]

MODEL = typer.Option(
    None,
    "--model",
    "-m",
    help="Pipeline (folder or package); en_elmo_ner_sm if left out",
)

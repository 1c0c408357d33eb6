"""`average`: one pipeline with the mean of the weights of several."""

from pathlib import Path
from typing import List, Optional

import typer

from ..files.atomic import replacing_folder
from ..files.replaceable import check_replaceable
from ..pipeline.averaging import average_weights
from .escapes import echo
from .loading import load_pipeline
from .options import REPLACE
from .outputs import check_distinct


def average(
    output: Path = typer.Argument(..., help="Folder for the pipeline"),
    models: List[str] = typer.Argument(
        ..., help="Names or folders of two or more pipelines"
    ),
    share: Optional[List[float]] = typer.Option(
        None, "--share", help="Share of each pipeline, in order; equal if left out"
    ),
    force: bool = REPLACE,
) -> None:
    """Write a pipeline with the mean of the weights of several that were trained from
    the same start: a pipeline, and versions of it trained further on other text.
    """
    check_distinct([output], models)
    check_replaceable(output, force=force)
    pipelines = [load_pipeline(model) for model in models]
    nlp = average_weights(pipelines, share or [1.0] * len(pipelines))
    with replacing_folder(output, force=force) as fresh:
        nlp.to_disk(fresh)
    echo(f"The mean of {len(pipelines)} pipelines: {output}")

"""`train`: spaCy's training, which can be killed and continued."""

from pathlib import Path
from typing import Optional

import typer
from spacy.cli._util import import_code, setup_gpu, show_validation_error

from ..training.loop import train as train_pipeline
from .configs import check_keys, read_config
from .escapes import echo
from .options import CODE, GPU_ID


def train(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., help="Config of the pipeline"),
    output: Path = typer.Option(..., "--output", "-o", help="Folder for the pipeline"),
    code: Optional[Path] = CODE,
    force: bool = typer.Option(
        False,
        "--force",
        "-F",
        help="Train from the start, and replace what is in the folder",
    ),
    gpu_id: int = GPU_ID,
) -> None:
    """Train a pipeline. If it is started again after a kill, it continues from the last
    evaluation. It also continues after its end, with a higher max_steps, max_epochs or
    patience. Settings of the config are overridden as in `spacy train`, for instance
    --training.seed 1.
    """
    import_code(code)
    config = read_config(config_path, ctx.args, sections=["nlp", "training"])
    check_keys(config, config_path)
    setup_gpu(gpu_id)
    with show_validation_error(config_path):
        train_pipeline(config, output, use_gpu=gpu_id, force=force is True, say=echo)

"""`train`: spaCy's training, which can be killed and resumed."""

from pathlib import Path
from typing import Any, Dict, Optional

import typer
from spacy.cli._util import import_code, setup_gpu, show_validation_error

from ..pipeline.distillation import Distillation
from ..training.loop import train as train_pipeline
from ..training.same_training import DISTILLATION
from .configs import check_keys, read_config
from .escapes import echo
from .loading import load_pipeline
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
        help="Train from scratch, and replace what is in the folder",
    ),
    gpu_id: int = GPU_ID,
) -> None:
    """Train a pipeline. If it is killed and started again, it resumes from the last
    evaluation. It also continues after its end, with a higher max_steps, max_epochs or
    patience. Settings of the config are overridden as in `spacy train`, for instance
    --training.seed 1.

    With a [distillation] section it also learns from teachers, which `spacy train` does
    not do.
    """
    import_code(code)
    config = read_config(config_path, ctx.args, sections=["nlp", "training"])
    check_keys(config, config_path)
    setup_gpu(gpu_id)
    with show_validation_error(config_path):
        train_pipeline(
            config,
            output,
            use_gpu=gpu_id,
            force=force is True,
            say=echo,
            update=_distillation(config.interpolate().get(DISTILLATION)),
        )


def _distillation(section: Optional[Dict[str, Any]]) -> Optional[Distillation]:
    """What the config says about teachers, if anything."""
    if section is None:
        return None
    for key in section:
        if key not in ("teachers", "gold_share"):
            raise ValueError(
                f"[distillation] has an unknown key {key}; its keys are teachers and "
                "gold_share."
            )
    names, share = section.get("teachers"), section.get("gold_share", 0.5)
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ValueError(
            f"teachers in [distillation] is {names!r}; give a list of pipelines, such as "
            '["training/first/model-best"].'
        )
    if isinstance(share, bool) or not isinstance(share, (int, float)):
        raise ValueError(
            f"gold_share in [distillation] is {share!r}; give a number from 0 to 1."
        )
    return Distillation([load_pipeline(name) for name in names], gold_share=share)

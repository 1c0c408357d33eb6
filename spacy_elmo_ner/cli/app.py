"""All commands, as `python -m spacy_elmo_ner …` and as `python -m spacy elmo …`."""

from typing import Any

import typer
from spacy.cli._util import app as spacy_app
from typer.core import TyperGroup

from .clean import clean
from .convert import convert
from .convert_weights import convert_weights
from .debug import debug
from .entities import entities
from .evaluate import evaluate
from .learning_curve import learning_curve
from .pretrain import pretrain
from .prune import prune
from .train import train
from .vectors import vectors
from .visualize import visualize

# settings of the config may follow, as in spaCy's own commands
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}


class Commands(TyperGroup):
    """What is wrong with a command's input is said in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ValueError, OSError) as error:
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="spacy_elmo_ner",
    cls=Commands,
    help="ELMo named entity recognition for spaCy.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("convert")(convert)
app.command("vectors")(vectors)
app.command("convert-weights")(convert_weights)
app.command("debug", context_settings=WITH_OVERRIDES)(debug)
app.command("train", context_settings=WITH_OVERRIDES)(train)
app.command("pretrain", context_settings=WITH_OVERRIDES)(pretrain)
app.command("learning-curve")(learning_curve)
app.command("prune")(prune)
app.command("evaluate")(evaluate)
app.command("entities")(entities)
app.command("visualize")(visualize)
app.command("clean")(clean)

# spaCy loads this module by its entry point before it runs a command
spacy_app.add_typer(app, name="elmo")

"""`python -m spacy_elmo_ner`: the commands."""

import sys

import typer

from .cli.clean import clean
from .cli.convert import convert
from .cli.convert_weights import convert_weights
from .cli.debug import debug
from .cli.entities import entities
from .cli.evaluate import evaluate
from .cli.learning_curve import learning_curve
from .cli.pretrain import pretrain
from .cli.train import train
from .cli.vectors import vectors
from .cli.visualize import visualize

# settings of the config may follow, as in spaCy's own commands
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="spacy_elmo_ner",
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
app.command("evaluate")(evaluate)
app.command("entities")(entities)
app.command("visualize")(visualize)
app.command("clean")(clean)


def main() -> None:
    """Run a command; what is wrong with its input is said in a sentence."""
    try:
        app()
    except (ValueError, OSError) as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

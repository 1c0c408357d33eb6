"""All commands, as `python -m spacy_elmo_ner …` and as `python -m spacy elmo …`.

Exit codes: 0 for success, 1 for wrong input, 2 for a wrong command line, 141 if the
reader of the output is gone, as shells report a command that SIGPIPE ended.
"""

import io
import os
import sys
from contextlib import contextmanager
from typing import Any, Iterator

import typer
from spacy.cli._util import app as spacy_app
from typer.core import TyperGroup

from .. import __version__
from .average import average
from .calibrate import calibrate
from .clean import clean
from .convert import convert
from .convert_weights import convert_weights
from .debug import debug
from .demo import demo
from .entities import entities
from .errors import errors
from .escapes import escaped_lines
from .evaluate import evaluate
from .import_elmo import import_elmo
from .init_config import init_config
from .learning_curve import learning_curve
from .pretrain import pretrain
from .prune import prune
from .serve import serve
from .train import train
from .uncertain import uncertain
from .vectors import vectors
from .visualize import visualize

OUTPUT_GONE = 141
# settings of the config may follow, as in spaCy's own commands
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}


class Commands(TyperGroup):
    """Prints what is wrong with a command's input in a sentence, without a
    traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the command line; `--version` and `--help` print here."""
        with _errors_told():  # --version and --help print while they are parsed
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        for stream in (sys.stdout, sys.stderr):
            # characters that the output's encoding lacks are shown by their numbers
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        with _errors_told():
            return super().invoke(ctx)


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        # otherwise Python writes the rest on exit, and fails again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(OUTPUT_GONE) from error
    except (ValueError, OSError, ImportError) as error:
        typer.secho(escaped_lines(_in_words(error)), fg="red", err=True)
        raise typer.Exit(1) from error


def _in_words(error: Exception) -> str:
    """The error's own message; for the system's errors, the file and the reason."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    files = [str(f) for f in (error.filename, error.filename2) if f is not None]
    return f"{' → '.join(files)}: {error.strerror}." if files else f"{error.strerror}."


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"spacy-elmo-ner {__version__}")
        raise typer.Exit()


app = typer.Typer(
    name="spacy_elmo_ner",
    cls=Commands,
    help="ELMo named entity recognition for spaCy.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def options(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_print_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
) -> None:
    """ELMo named entity recognition for spaCy."""


app.command("convert")(convert)
app.command("vectors")(vectors)
app.command("convert-weights")(convert_weights)
app.command("import-elmo")(import_elmo)
app.command("init-config")(init_config)
app.command("debug", context_settings=WITH_OVERRIDES)(debug)
app.command("train", context_settings=WITH_OVERRIDES)(train)
app.command("pretrain", context_settings=WITH_OVERRIDES)(pretrain)
app.command("learning-curve")(learning_curve)
app.command("prune")(prune)
app.command("average")(average)
app.command("evaluate")(evaluate)
app.command("calibrate")(calibrate)
app.command("errors")(errors)
app.command("entities")(entities)
app.command("uncertain")(uncertain)
app.command("visualize")(visualize)
app.command("demo")(demo)
app.command("serve")(serve)
app.command("clean")(clean)

# spaCy loads this module by its entry point before it runs a command
spacy_app.add_typer(app, name="elmo")

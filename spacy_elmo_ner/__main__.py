"""`python -m spacy_elmo_ner`: the commands."""

import typer

from .cli.convert import convert
from .cli.train import train
from .cli.vectors import vectors

app = typer.Typer(
    name="spacy_elmo_ner",
    help="ELMo named entity recognition for spaCy.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("convert")(convert)
app.command(
    "train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)(train)
app.command("vectors")(vectors)

if __name__ == "__main__":
    app()

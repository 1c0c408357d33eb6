"""`entities`: the entities of texts, as a table or in another format."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Tuple

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..files.atomic import replacing
from ..tables.pipelines import line_is_sentence, sets_entities, settings_of_call
from ..tables.progress import progress_bar
from .entity_formats import BY_LEVEL, WRITERS, Docs, Format, Layout, Level
from .loading import MODEL, describe, load_pipeline
from .outputs import check_outputs
from .records import KEEP, READ_AS, TEXT_COLUMN, FileKind, files_in, read_records
from .texts import Text, check_texts, check_unicode, read_texts

# few, so that the first ones are printed soon
BATCH_SIZE = 64


def entities(
    texts: List[str] = typer.Argument(
        None, help='Texts, as in "My name is John!", or - for standard input'
    ),
    file: List[Path] = typer.Option(
        [],
        "--file",
        "-f",
        help="Text file, each line a text of its own; .jsonl; .csv with a header; a folder "
        "of such files; or - for standard input",
    ),
    model: Optional[str] = MODEL,
    format: Format = typer.Option(Format.table, "--format", help="Output format"),
    level: Optional[Level] = typer.Option(
        None, "--level", "-l", help="What each row holds: an entity (chunk) if left out"
    ),
    output: Optional[Path] = typer.Option(
        None, "--output", "-o", help="File to write; standard output if left out"
    ),
    probabilities: bool = typer.Option(
        False, "--probabilities", help="Compute the probabilities, which takes time"
    ),
    file_kind: Optional[FileKind] = READ_AS,
    text_column: Optional[str] = TEXT_COLUMN,
    keep: List[str] = KEEP,
    progress: Optional[bool] = typer.Option(
        None,
        "--progress/--no-progress",
        help="Count the texts on standard error; by default, only if that is a "
        "terminal and the output goes elsewhere",
    ),
) -> None:
    """Print each entity's text, label, start, end and source, separated by tabs. Start
    and end are character offsets in the text. The source is text:1 for the first text
    argument, the file and line for a file, and -:1 for the first line of standard
    input. White space in an entity becomes one space; control characters and
    backslashes are escaped, as in Python: \\t, \\x1b, \\\\.

    --format jsonl and csv have the columns of spacy_elmo_ner.predict, for each --level.
    conll writes each text as a document, html a displaCy page. In csv, a cell that a
    spreadsheet would run as a formula begins with an apostrophe.
    """
    if not texts and not file:
        raise typer.BadParameter("Give a text, a --file, or - for standard input.")
    if level is not None and format not in BY_LEVEL:
        raise typer.BadParameter(
            f"--format {format.value} does not take --level; leave it out."
        )
    files = list(files_in(file))
    check_texts(texts or [], files)
    for name in (text_column or "", *keep):
        check_unicode(name, "column")
    check_outputs([output], [*files, model])
    if output is None and progress is None and sys.stdout.isatty():
        progress = False
    nlp = load_pipeline(model)
    layout = Layout(
        level=(level or Level.chunk).value,
        probabilities=probabilities,
        line_is_sentence=line_is_sentence(nlp),
        about=describe(nlp),
        keep=keep,
    )
    read = partial(read_records, kind=file_kind, column=text_column, keep=keep)
    batches = read_texts(texts or [], files, longest=nlp.max_length, read_file=read)
    with progress_bar(progress) as bar:
        docs = find(nlp, batches, probabilities=probabilities)
        write(WRITERS[format](counted(docs, bar), layout), output)


def find(
    nlp: Language, batches: Iterable[List[Text]], *, probabilities: bool
) -> Iterator[Tuple[Doc, Text]]:
    """Yield the Docs and their texts, each batch before the next is read.

    Raises:
        ValueError: If the pipeline finds no entities.
    """
    finds_entities = sets_entities(nlp, [])
    for batch in batches:
        docs: Docs = nlp.pipe(
            [(text.text, text) for text in batch],
            as_tuples=True,
            batch_size=BATCH_SIZE,
            component_cfg=settings_of_call(nlp, probabilities=probabilities),
        )
        if not finds_entities:
            docs = list(docs)
            finds_entities = sets_entities(nlp, [doc for doc, _ in docs])
        yield from docs


def counted(docs: Docs, bar: Any) -> Iterator[Tuple[Doc, Text]]:
    """Yield the Docs, and let the bar count those that were written."""
    for item in docs:
        yield item
        bar.update()


def write(pieces: Iterator[str], output: Optional[Path]) -> None:
    """Print the pieces, or write them to a file that is complete or not there."""
    if output is None:
        for piece in pieces:
            typer.echo(piece, nl=False)
        return
    with replacing(output) as temporary:
        with temporary.open("w", encoding="utf8", newline="") as file:
            file.writelines(pieces)

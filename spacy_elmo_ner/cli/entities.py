"""`entities`: the entities of texts, one per line."""

from pathlib import Path
from typing import List, Optional

import typer

from .escapes import escaped
from .loading import MODEL, load_pipeline
from .texts import check_texts, read_texts


def entities(
    texts: List[str] = typer.Argument(
        None, help='Texts, as in "My name is John!", or - for standard input'
    ),
    file: List[Path] = typer.Option(
        [],
        "--file",
        "-f",
        help="Text file, each line a text of its own, or - for standard input",
    ),
    model: Optional[str] = MODEL,
) -> None:
    """Print each entity's text, label, start, end and source, separated by tabs. Start
    and end are character offsets in the text. The source is text:1 for the first text
    named, and the file and its line, or -:1 for standard input's first. White space in
    an entity is one space; control characters and backslashes are escaped, as in
    Python: \\t, \\x1b, \\\\.
    """
    if not texts and not file:
        raise typer.BadParameter("Give a text, a --file, or - for standard input.")
    check_texts(texts or [], file)
    nlp = load_pipeline(model)
    for batch in read_texts(texts or [], file, longest=nlp.max_length):
        for doc, source in nlp.pipe(batch, as_tuples=True):
            for ent in doc.ents:
                name = " ".join(ent.text.split())
                columns = [name, ent.label_, str(ent.start_char), str(ent.end_char)]
                typer.echo("\t".join(map(escaped, [*columns, source])))

"""`entities`: the entities of texts, one a line."""

from pathlib import Path
from typing import List, Optional

import typer

from .loading import MODEL, load_pipeline
from .texts import read_texts


def entities(
    texts: List[str] = typer.Argument(None, help='Texts, as in "My name is John!"'),
    file: List[Path] = typer.Option(
        [], "--file", "-f", help="Text file, each line a text of its own"
    ),
    model: Optional[str] = MODEL,
) -> None:
    """Print each entity's text, label, start and end, with tabs between them.

    Start and end are character offsets in the text, or in the line of the file, which
    is the fifth column.
    """
    sources = read_texts(texts or [], file)
    nlp = load_pipeline(model)
    for doc, source in nlp.pipe(((s.text, s.source) for s in sources), as_tuples=True):
        for ent in doc.ents:
            # a line break inside an entity must not break our line
            name = " ".join(ent.text.split())
            columns = [name, ent.label_, str(ent.start_char), str(ent.end_char)]
            typer.echo("\t".join(columns + [source] * bool(source)))

"""`visualize`: a displaCy page of what a pipeline finds, beside the gold if there is."""

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..atomic import replacing
from ..corpus.reader import to_examples
from .displacy_page import Shown, displacy_page
from .gold_options import (
    ALIGNMENT_MODE,
    DELIMITER,
    GROUP_BY,
    READ_SCHEME,
    TAG_COLUMN,
    WORD_COLUMN,
    read_gold,
)
from .loading import MODEL, load_pipeline
from .texts import read_texts

PLAIN_SUFFIX = ".txt"


class Input(NamedTuple):
    text: Union[str, Doc]  # a Doc has words, and no entities yet
    gold: Optional[Doc]
    source: str


def visualize(
    output: Path = typer.Argument(..., help="HTML file to write"),
    file: List[Path] = typer.Option(
        [],
        "--file",
        "-f",
        help="Input: .txt is plain text, each line a text of its own; .spacy a DocBin; "
        ".jsonl and .json of an annotation tool; anything else CoNLL columns",
    ),
    text: List[str] = typer.Option([], "--text", "-t", help="Input: a text"),
    model: Optional[str] = MODEL,
    limit: int = typer.Option(50, "--limit", "-n", help="Show at most so many; 0: all"),
    title: str = typer.Option("Named entities", "--title", help="Title of the page"),
    group_by: str = GROUP_BY,
    read_scheme: str = READ_SCHEME,
    word_column: Optional[int] = WORD_COLUMN,
    tag_column: Optional[int] = TAG_COLUMN,
    delimiter: str = DELIMITER,
    alignment_mode: str = ALIGNMENT_MODE,
) -> None:
    """Write a page that shows the entities of texts, or gold beside predicted ones."""
    check_inputs(file, text)
    nlp = load_pipeline(model)
    read_annotated = partial(
        read_gold,
        nlp=nlp,
        group_by=group_by,
        read_scheme=read_scheme,
        word_column=word_column,
        tag_column=tag_column,
        delimiter=delimiter,
        alignment_mode=alignment_mode,
    )
    inputs = islice(read_inputs(read_annotated, file, text), limit or None)
    pairs = ((item.text, (item.gold, item.source)) for item in inputs)
    shown = [Shown(doc, *context) for doc, context in nlp.pipe(pairs, as_tuples=True)]
    if not shown:
        raise ValueError("There is nothing to show; the input files hold no words.")
    with replacing(output) as temporary:
        page = displacy_page(shown, title=title, subtitle=describe(nlp))
        temporary.write_text(page, encoding="utf8")
    typer.echo(f"{output} shows {len(shown)} texts")


def check_inputs(files: List[Path], texts: List[str]) -> None:
    """Raise ValueError, before a pipeline is loaded in vain, if an input is missing."""
    if not files and not texts:
        raise ValueError("There is nothing to show; name a --file or give a --text.")
    for path in files:
        if not path.exists():
            raise ValueError(f"There is no file {path} to show; check its name.")


def read_inputs(
    read_annotated: Callable[[Path], Iterator[Doc]],
    files: List[Path],
    texts: List[str],
) -> Iterator[Input]:
    """The texts, then what the files hold, with the gold Docs of annotated files."""
    if texts:
        yield from _plain(texts, [])
    for path in files:
        if path.suffix == PLAIN_SUFFIX:
            yield from _plain([], [path])
        else:
            yield from _annotated(read_annotated, path)


def describe(nlp: Language) -> str:
    """Name and version of a pipeline, and its components."""
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    return f"{name}: {', '.join(nlp.pipe_names)}"


def _plain(texts: List[str], files: List[Path]) -> Iterator[Input]:
    for text in read_texts(texts, files):
        yield Input(text.text, None, text.source)


def _annotated(
    read_annotated: Callable[[Path], Iterator[Doc]], path: Path
) -> Iterator[Input]:
    for number, example in enumerate(to_examples(read_annotated(path)), start=1):
        yield Input(example.predicted, example.reference, f"{path}, text {number}")

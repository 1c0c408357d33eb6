"""`visualize`: a displaCy page of a pipeline's entities, beside the gold if there is
any.
"""

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.delimiters import DETECT
from ..corpus.reader import to_examples
from ..files.atomic import replacing
from .displacy_page import Shown, displacy_page
from .escapes import echo, escaped
from .gold_options import GoldOptions, read_gold, with_gold_options
from .input_kind import is_annotated
from .loading import MODEL, describe, load_pipeline
from .outputs import check_outputs
from .texts import check_file, check_unicode, read_texts


class Input(NamedTuple):
    """A text, and its gold Doc if it has one."""

    text: Union[str, Doc]  # a Doc has words, but no entities yet
    gold: Optional[Doc]
    source: str


@with_gold_options
def visualize(
    output: Path = typer.Argument(..., help="HTML file to write"),
    file: List[Path] = typer.Option(
        [],
        "--file",
        "-f",
        help="Input: plain text, each line a text of its own; CoNLL columns; .spacy; or "
        ".jsonl and .json of an annotation tool. - is plain text from standard input",
    ),
    text: List[str] = typer.Option([], "--text", "-t", help="Input: a text"),
    model: Optional[str] = MODEL,
    limit: int = typer.Option(
        50, "--limit", "-n", min=0, help="How many texts to show at most; 0 for all"
    ),
    title: str = typer.Option("Named entities", "--title", help="Title of the page"),
    *,
    gold: GoldOptions,
) -> None:
    """Write a page with the entities of texts, gold beside predicted ones."""
    check_inputs(file, text)
    check_outputs([output], [*file, model])
    check_unicode(title, "title")
    nlp = load_pipeline(model)
    read_annotated = partial(read_gold, nlp=nlp, gold=gold)
    names_columns = gold.word_column is not None or gold.tag_column is not None
    has_columns = names_columns or gold.delimiter != DETECT
    inputs = islice(
        read_inputs(nlp, read_annotated, file, text, annotated=has_columns),
        limit or None,
    )
    pairs = ((item.text, (item.gold, item.source)) for item in inputs)
    shown = [Shown(doc, *context) for doc, context in nlp.pipe(pairs, as_tuples=True)]
    if not shown:
        raise ValueError("There is nothing to show; the input files hold no words.")
    with replacing(output) as temporary:
        page = displacy_page(shown, title=title, subtitle=describe(nlp))
        temporary.write_text(page, encoding="utf8")
    echo(f"{output} shows {len(shown)} texts")


def check_inputs(files: List[Path], texts: List[str]) -> None:
    """Check the inputs before a pipeline is loaded.

    Raises:
        ValueError: If an input is missing.
        typer.BadParameter: If there is none.
    """
    if not files and not texts:
        raise typer.BadParameter("There is nothing to show; give a --file or a --text.")
    for text in texts:
        check_unicode(text, "text")
    for path in files:
        if not path.is_dir():
            check_file(path)


def read_inputs(
    nlp: Language,
    read_annotated: Callable[[Path], Iterator[Doc]],
    files: List[Path],
    texts: List[str],
    *,
    annotated: bool,
) -> Iterator[Input]:
    """Yield the texts, then what the files hold, with the gold Docs of annotated files.

    Args:
        nlp: Its tokenizer makes the Docs.
        read_annotated: Reads an annotated file.
        files: Files.
        texts: Texts.
        annotated: Whether all files are annotated, whatever they look like.
    """
    if texts:
        yield from _plain(nlp, texts, [])
    for path in files:
        has_gold = annotated or is_annotated(path)
        try:
            if has_gold:
                yield from _annotated(read_annotated, path)
            else:
                yield from _plain(nlp, [], [path])
        except ValueError as error:
            kind = "an annotated corpus" if has_gold else "plain text"
            raise ValueError(
                f"{error} ({escaped(str(path))} was read as {kind}.)"
            ) from error


def _plain(nlp: Language, texts: List[str], files: List[Path]) -> Iterator[Input]:
    for batch in read_texts(texts, files, longest=nlp.max_length):
        for text in batch:
            yield Input(text.text, None, escaped(text.source))


def _annotated(
    read_annotated: Callable[[Path], Iterator[Doc]], path: Path
) -> Iterator[Input]:
    for number, example in enumerate(to_examples(read_annotated(path)), start=1):
        source = f"{escaped(str(path))}, text {number}"
        yield Input(example.predicted, example.reference, source)

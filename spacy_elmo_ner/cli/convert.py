"""`convert`: annotated files of all kinds → .spacy or CoNLL."""

from collections import Counter
from pathlib import Path
from typing import List, Optional

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..corpus.conll_export import write_conll
from ..corpus.conll_tags import TAG_SCHEMES
from ..corpus.docs import sentence_bounds
from ..corpus.formats import read_conll_docs, read_docbin_docs, reader_of
from ..files.atomic import replacing
from ..text.annotated_labels import annotated_labels
from .escapes import echo
from .gold_options import (
    GOLD,
    GoldOptions,
    echo_note,
    old_name,
    read_gold,
    with_gold_options,
)
from .outputs import check_distinct


@with_gold_options
def convert(
    source: Path = typer.Argument(..., help=GOLD),
    output: Path = typer.Argument(
        ..., help="File to write: a DocBin if it ends in .spacy, otherwise CoNLL"
    ),
    *,
    gold: GoldOptions,
    lang: str = typer.Option(
        "en", help="Language whose tokenizer splits the texts of a .jsonl or .json file"
    ),
    write_scheme: str = typer.Option(
        "iob2", help=f"Tag scheme of a CoNLL output: {', '.join(TAG_SCHEMES)}"
    ),
    scheme: Optional[str] = typer.Option(None, hidden=True),
    columns: int = typer.Option(4, help="Columns of a CoNLL output: 2 or 4"),
    tabs: bool = typer.Option(
        False, help="Separate the columns by tabs, so words and labels can hold spaces"
    ),
    docstart: bool = typer.Option(
        True, help="Begin each Doc in a CoNLL file with a -DOCSTART- line"
    ),
) -> None:
    """Convert annotated files to .spacy files, or to CoNLL files."""
    reader = reader_of(output)
    if reader not in (read_docbin_docs, read_conll_docs):
        raise ValueError(
            f"{output} cannot be written: {output.suffix} files can only be read. Name "
            "a .spacy or a CoNLL file, such as corpus.conll."
        )
    check_distinct([output], [source])
    docs = list(read_gold(source, _blank(lang), gold))
    if not docs:
        raise ValueError(f"There is nothing in {source} to convert.")
    if not any(map(len, docs)):
        raise ValueError(f"There are no words in {source}.")
    if reader is read_docbin_docs:
        with replacing(output) as temporary:
            DocBin(docs=docs, store_user_data=True).to_disk(temporary)
    else:
        if any(annotated_labels(doc) is not None for doc in docs):
            echo_note(
                "a CoNLL file does not say which labels it annotates; name them in "
                "`labels` where you read it."
            )
        write_conll(
            docs,
            output,
            scheme=old_name(scheme, "--scheme", "--write-scheme") or write_scheme,
            columns=columns,
            docstart=docstart,
            separator="\t" if tabs else " ",
        )
    if not any(doc.ents for doc in docs):
        echo_note(f"there are no entities in {source}.")
    echo(f"{output}: {describe(docs)}")


def _blank(lang: str) -> Language:
    try:
        return spacy.blank(lang)
    except ImportError as error:
        raise ValueError(
            f"spaCy has no tokenizer for the language {lang!r} ({error})."
        ) from error


def describe(docs: List[Doc]) -> str:
    """Count the Docs, sentences, tokens and entities, and the entities of each
    label."""
    sentences = sum(len(sentence_bounds(doc)) for doc in docs)
    labels = Counter(ent.label_ for doc in docs for ent in doc.ents)
    counts = {
        "Docs": len(docs),
        "sentences": sentences,
        "tokens": sum(map(len, docs)),
        "entities": sum(labels.values()),
    }
    text = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if labels:
        each = ", ".join(f"{name} {count:,}" for name, count in sorted(labels.items()))
        text += f" ({each})"
    return text

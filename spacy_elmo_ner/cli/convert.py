"""`convert`: CoNLL → .spacy, .spacy → CoNLL, or one tag scheme to another."""

from collections import Counter
from pathlib import Path
from typing import List

import typer
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..atomic import replacing
from ..corpus.conll import DETECT
from ..corpus.conll_export import write_conll
from ..corpus.docs import sentence_bounds
from ..corpus.reader import DOCBIN_SUFFIX, read_docs


def convert(
    source: Path = typer.Argument(
        ..., help="CoNLL file, .spacy file, or folder of .spacy files"
    ),
    output: Path = typer.Argument(
        ..., help="File to write: DocBin when it ends in .spacy, CoNLL otherwise"
    ),
    group_by: str = typer.Option(
        "document",
        help="What of a CoNLL file becomes one Doc: a document, or a sentence",
    ),
    read_scheme: str = typer.Option(
        DETECT,
        help="Tags of the CoNLL file read: auto, iob1, iob2, io, biluo or bioes",
    ),
    scheme: str = typer.Option(
        "iob2", help="Tags of the CoNLL file written: iob1, iob2, io, biluo or bioes"
    ),
    columns: int = typer.Option(4, help="Columns of the CoNLL file written: 2 or 4"),
    tabs: bool = typer.Option(False, help="Separate the columns by tabs"),
    docstart: bool = typer.Option(
        True, help="Begin each Doc in a CoNLL file with a -DOCSTART- line"
    ),
) -> None:
    """Convert between CoNLL files and spaCy's .spacy files."""
    vocab = Vocab()
    docs = list(read_docs(source, vocab=vocab, group_by=group_by, scheme=read_scheme))
    if not docs:
        raise ValueError(f"There is nothing in {source} to convert.")
    if output.suffix == DOCBIN_SUFFIX:
        with replacing(output) as temporary:
            DocBin(docs=docs, store_user_data=True).to_disk(temporary)
    else:
        write_conll(
            docs,
            output,
            scheme=scheme,
            columns=columns,
            docstart=docstart,
            separator="\t" if tabs else " ",
        )
    typer.echo(f"{output}: {describe(docs)}")


def describe(docs: List[Doc]) -> str:
    """How many Docs, sentences, tokens and entities there are, and of which labels."""
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

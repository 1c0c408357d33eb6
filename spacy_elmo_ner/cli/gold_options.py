"""The options with which all commands read annotated files."""

from pathlib import Path
from typing import Iterator, Optional

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.conll import ConllFormat
from ..corpus.conll_tags import TAG_SCHEMES
from ..corpus.delimiters import DETECT
from ..corpus.reader import read_docs
from .escapes import echo

GOLD = "CoNLL file, .jsonl or .json of an annotation tool, .spacy file, or folder of "
GOLD += ".spacy files"

GROUP_BY: str = typer.Option(
    DETECT,
    "--group-by",
    help="What of a CoNLL file becomes one Doc: a document, a sentence, or auto: a "
    "document where the file marks documents, a sentence where it does not",
)
READ_SCHEME: str = typer.Option(
    DETECT,
    "--read-scheme",
    help=f"Tags of the CoNLL file read: auto, {', '.join(TAG_SCHEMES)}",
)
WORD_COLUMN: Optional[int] = typer.Option(
    None,
    "--word-column",
    help="Column of a CoNLL file with the words, counted from 1, or from -1 for the "
    "last. Without it the first, or the second if the first counts the tokens",
)
TAG_COLUMN: Optional[int] = typer.Option(
    None,
    "--tag-column",
    help="Column of a CoNLL file with the tags, counted alike. Without it the last; "
    "where the first counts the tokens, the one after the word if it has tags",
)
DELIMITER: str = typer.Option(
    DETECT,
    "--delimiter",
    help="What separates the columns of a CoNLL file: tab, space, whitespace (tabs and "
    "spaces), any other characters, or auto: tabs if the first token's line has one, "
    "otherwise spaces",
)
ALIGNMENT_MODE: str = typer.Option(
    "strict",
    "--alignment-mode",
    help="What becomes of an entity in a .jsonl or .json file that does not begin and "
    "end with tokens: strict: its tokens are unknown, expand: it grows to whole tokens",
)


def read_gold(
    path: Path,
    nlp: Language,
    *,
    group_by: str,
    read_scheme: str,
    word_column: Optional[int],
    tag_column: Optional[int],
    delimiter: str,
    alignment_mode: str,
) -> Iterator[Doc]:
    """The Docs of an annotated file; notes on it go to standard error.

    Raises OSError and ValueError as `read_docs` does.
    """
    return read_docs(
        path,
        vocab=nlp.vocab,
        group_by=group_by,
        format=ConllFormat(read_scheme, word_column, tag_column, delimiter),
        make_doc=nlp.make_doc,
        alignment_mode=alignment_mode,
        note=echo_note,
    )


def echo_note(text: str) -> None:
    echo(f"Note: {text}", err=True)


def old_name(value: Optional[str], name: str, current: str) -> Optional[str]:
    """The value of an option's former name; a note says what it is called now."""
    if value is not None:
        echo_note(f"{name} is now called {current}.")
    return value

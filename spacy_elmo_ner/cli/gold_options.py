"""The options of all commands that read annotated files."""

import inspect
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.conll import ConllFormat
from ..corpus.conll_tags import TAG_SCHEMES
from ..corpus.delimiters import DETECT
from ..corpus.reader import read_docs, relabelled
from .escapes import echo

GOLD = "CoNLL file, .jsonl or .json of an annotation tool, .spacy file, or folder of "
GOLD += ".spacy files"
GOLD_FILE = typer.Argument(..., help=f"Gold: {GOLD}")


@dataclass(frozen=True)
class GoldOptions:
    """Names, types, defaults and help of the options; an instance holds their
    values."""

    group_by: str = typer.Option(
        DETECT,
        "--group-by",
        help="What becomes one Doc in a CoNLL file: a document, a sentence, or auto: a "
        "document if the file marks documents, otherwise a sentence",
    )
    read_scheme: str = typer.Option(
        DETECT,
        "--read-scheme",
        help=f"Tag scheme of a CoNLL input: auto, {', '.join(TAG_SCHEMES)}",
    )
    word_column: Optional[int] = typer.Option(
        None,
        "--word-column",
        help="Column of a CoNLL file with the words, counted from 1, or from -1 for "
        "the last. By default the first, or the second if the first counts the tokens",
    )
    tag_column: Optional[int] = typer.Option(
        None,
        "--tag-column",
        help="Column of a CoNLL file with the tags, counted likewise. By default the "
        "last; if the first counts the tokens, the one after the word if it has tags",
    )
    pos_column: Optional[int] = typer.Option(
        None,
        "--pos-column",
        help="Column of a CoNLL file with the parts of speech, counted likewise, which "
        "become the tokens' tag_; 2 in CoNLL-2003. By default none are read",
    )
    delimiter: str = typer.Option(
        DETECT,
        "--delimiter",
        help="What separates the columns of a CoNLL file: tab, space, whitespace (tabs "
        "and spaces), any other characters, or auto: tabs if the first token's line "
        "has one, otherwise spaces",
    )
    alignment_mode: str = typer.Option(
        "strict",
        "--alignment-mode",
        help="What happens to an entity in a .jsonl or .json file that does not begin "
        "and end at token boundaries: strict: its tokens are unknown, expand: it grows "
        "to whole tokens",
    )
    label: List[str] = typer.Option(
        [],
        "--label",
        help="A label that the file annotates, if it does not annotate all labels: it "
        "then says nothing about others",
    )
    map_label: List[str] = typer.Option(
        [],
        "--map-label",
        help="Another name for a label, as in person=PER; nothing after the sign, as "
        "in product=, makes its entities unknown",
    )


def with_gold_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter `gold` by all options of `GoldOptions`."""
    options = inspect.signature(GoldOptions).parameters

    @wraps(command)
    def with_options(**values: Any) -> None:
        given = {name: values.pop(name) for name in options}
        command(gold=GoldOptions(**given), **values)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, own in inspect.signature(command).parameters.items()
        for parameter in (options.values() if name == "gold" else [own])
    ]
    # typer reads the options from these
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


def read_gold(path: Path, nlp: Language, gold: GoldOptions) -> Iterator[Doc]:
    """Read the Docs of an annotated file; print notes on it to standard error.

    Raises:
        OSError: See `read_docs`.
        ValueError: See `read_docs` and `relabelled`.
        typer.BadParameter: If a label is mapped to nothing.
    """
    names: Dict[str, Optional[str]] = {}
    for old, new in map(_new_name, gold.map_label):
        if names.setdefault(old, new) != new:
            raise typer.BadParameter(f"--map-label gives {old!r} two names; give one.")
    docs = read_docs(
        path,
        vocab=nlp.vocab,
        group_by=gold.group_by,
        format=ConllFormat(
            gold.read_scheme,
            gold.word_column,
            gold.tag_column,
            gold.delimiter,
            gold.pos_column,
        ),
        make_doc=nlp.make_doc,
        alignment_mode=gold.alignment_mode,
        note=echo_note,
    )
    return relabelled(docs, path, gold.label or None, names, echo_note)


def read_gold_to_score(path: Path, nlp: Language, gold: GoldOptions) -> Iterator[Doc]:
    """As `read_gold`, with a note on tokens without annotation, where no prediction
    counts."""
    unknown = 0
    for doc in read_gold(path, nlp, gold):
        unknown += sum(not token.ent_iob for token in doc)
        yield doc
    if unknown:
        echo_note(
            f"predictions on tokens of {path} without annotation, {unknown:,} in all, "
            "are not counted."
        )


def _new_name(option: str) -> Tuple[str, Optional[str]]:
    old, sign, new = option.partition("=")
    if not old or not sign:
        raise typer.BadParameter(
            f"--map-label {option!r} names no label; write it as in person=PER."
        )
    return old, new or None


def echo_note(text: str) -> None:
    """Print a note to standard error."""
    echo(f"Note: {text}", err=True)


def old_name(value: Optional[str], name: str, current: str) -> Optional[str]:
    """The value of an option's former name; a note says its new name."""
    if value is not None:
        echo_note(f"{name} is now called {current}.")
    return value

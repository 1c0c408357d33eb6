"""`init-config`: a config that trains elmo_ner on your own labels."""

import os
from pathlib import Path
from shlex import quote
from typing import Any, Dict, Optional

import typer
from spacy.util import load_model_from_config
from thinc.api import Config

from ..corpus.docbins import DOCBIN_SUFFIX
from ..files.atomic import replacing
from .escapes import echo
from .outputs import check_outputs
from .texts import check_file, check_unicode

# Chosen on the development parts of WNUT-17 and CoNLL-2003, from 100 sentences on: see
# benchmarks/few_sentences.py. spaCy fills in the rest.
CONFIG = """
[paths]
train = null
dev = null

[system]
gpu_allocator = null
seed = 0

[nlp]
lang = "en"
pipeline = ["elmo_ner"]
batch_size = 256

[components]

[components.elmo_ner]
factory = "elmo_ner"

[corpora]

[corpora.train]
@readers = "spacy_elmo_ner.DocBinCorpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy_elmo_ner.DocBinCorpus.v1"
path = ${paths.dev}

[training]
seed = ${system.seed}
gpu_allocator = ${system.gpu_allocator}
dropout = 0.5
patience = 600
max_steps = 6000
eval_frequency = 100

[training.batcher]
@batchers = "spacy.batch_by_words.v1"
size = 500
tolerance = 0.2
discard_oversize = false

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.001
L2 = 0.0
grad_clip = 1.0
use_averages = true
"""


def init_config(
    output: Path = typer.Argument(..., help="Config to write; - for standard output"),
    lang: str = typer.Option("en", "--lang", "-l", help="Code of the language"),
    train: Optional[Path] = typer.Option(
        None, "--train", "-t", help="Corpus to train on, as `convert` writes it"
    ),
    dev: Optional[Path] = typer.Option(
        None, "--dev", "-d", help="Corpus to choose the best checkpoint on"
    ),
    force: bool = typer.Option(False, "--force", "-F", help="Replace the file"),
) -> None:
    """Write a config that trains elmo_ner on your own labels, whether on fifty
    sentences or on ten thousand. It starts from the trained tagger of en_elmo_ner_sm.
    Use it with `train` or `spacy train`; without --train and --dev they need
    --paths.train and --paths.dev.
    """
    is_printed = str(output) == "-"
    corpora = {"train": train, "dev": dev}
    for name, path in corpora.items():
        if path is not None:
            _check_corpus(path, name)
    if not is_printed:
        check_outputs([output], [train, dev])
        if os.path.lexists(output) and not force:
            raise ValueError(
                f"{output} already exists; choose another name, or give --force to "
                "replace it."
            )
    text = filled(lang, corpora).to_str(interpolate=False)
    if is_printed:
        typer.echo(text)
        return
    with replacing(output) as path:
        path.write_text(text + "\n", encoding="utf8")
    missing = [f"--paths.{name} FILE" for name, path in corpora.items() if path is None]
    command = f"python -m spacy_elmo_ner train {quote(str(output))} --output FOLDER"
    echo(f"{output} is written. To train: {' '.join([command, *missing])}")


def filled(lang: str, corpora: Dict[str, Optional[Path]]) -> Config:
    """The config with all of its settings.

    Args:
        lang: Code of the language.
        corpora: The paths of `train` and `dev`.

    Raises:
        ValueError: If spaCy does not know the language.
    """
    config = Config().from_str(CONFIG, interpolate=False)
    config["nlp"]["lang"] = lang
    for name, path in corpora.items():
        config["paths"][name] = None if path is None else str(path)
    try:
        nlp = load_model_from_config(config, auto_fill=True)
    except ImportError as error:
        raise ValueError(
            f"spaCy has no tokenizer for the language {lang!r} ({error})."
        ) from error
    whole: Any = nlp.config
    return Config(whole)


def _check_corpus(path: Path, name: str) -> None:
    """Raises ValueError if it is neither a .spacy file nor a folder of them, or no
    config can name it."""
    check_unicode(str(path), "corpus")
    if "$" in str(path):
        # it begins a reference to another setting there
        raise ValueError(
            f"A config cannot hold the $ in {path}; leave out --{name}, and give "
            f"--paths.{name} to `train`, or rename the file."
        )
    if path.is_dir():
        if not any(path.rglob("*" + DOCBIN_SUFFIX)):
            raise ValueError(f"The folder {path} holds no {DOCBIN_SUFFIX} files.")
        return
    check_file(path)
    if path.suffix != DOCBIN_SUFFIX:
        raise ValueError(
            f"{path} is not a {DOCBIN_SUFFIX} file; make one with `python -m "
            f"spacy_elmo_ner convert {path} {path.with_suffix(DOCBIN_SUFFIX).name}`."
        )

"""`debug`: check a config and its corpora before a long training."""

from pathlib import Path
from typing import List, Optional

import typer
from spacy.cli._util import import_code, show_validation_error
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.util import load_model_from_config, registry, resolve_dot_names

from ..corpus.audit import count_corpus, find_problems
from .configs import check_keys, read_config
from .escapes import echo
from .options import CODE


def debug(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., help="Config of the pipeline"),
    code: Optional[Path] = CODE,
) -> None:
    """Check a config, count the labels of its corpora, and report their problems.
    `spacy debug data` checks entities only for spaCy's own `ner`. Settings are
    overridden as in training, for instance --paths.train FILE.
    """
    import_code(code)
    config = read_config(config_path, ctx.args, sections=["nlp"])
    check_keys(config, config_path)
    with show_validation_error(config_path):
        nlp = load_model_from_config(config, auto_fill=True)
        filled = nlp.config.interpolate()
        settings = registry.resolve(filled["training"], schema=ConfigSchemaTraining)
        names = [settings["train_corpus"], settings["dev_corpus"]]
        readers = resolve_dot_names(filled, names)
    echo(f"The config is valid; its pipeline is: {', '.join(nlp.pipe_names)}")
    train, dev = (list(reader(nlp)) for reader in readers)
    for name, examples in (("training", train), ("development", dev)):
        echo(describe(name, examples))
    for problem in find_problems(train, dev):
        echo(f"Note: {problem}")


def describe(name: str, examples: List[Example]) -> str:
    """Describe a corpus in one line.

    Raises:
        ValueError: If it is empty.
    """
    facts = count_corpus(examples)
    if not facts.tokens:
        raise ValueError(f"The {name} corpus has no words; check its path and limit.")
    labels = ", ".join(f"{label} {n:,}" for label, n in sorted(facts.labels.items()))
    return (
        f"The {name} corpus has {facts.docs:,} Docs, {facts.sentences:,} sentences, "
        f"{facts.tokens:,} tokens and {sum(facts.labels.values()):,} entities "
        f"({labels or 'none'}); {facts.unknown:,} tokens have no known tag"
    )

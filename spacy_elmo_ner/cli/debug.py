"""`debug`: check a config and its corpora before a long training."""

from pathlib import Path
from typing import List, Optional

import srsly
import typer
from spacy.cli._util import import_code, show_validation_error
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import load_vectors_into_model
from spacy.util import load_model_from_config, registry, resolve_dot_names

from ..corpus.data_report import report_data
from .configs import check_keys, read_config
from .escapes import echo
from .options import CODE

FACTORIES = ("elmo_ner", "ner")


def debug(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., help="Config of the pipeline"),
    code: Optional[Path] = CODE,
    as_json: bool = typer.Option(
        False, "--json", help="Print the report as JSON, with all examples"
    ),
) -> None:
    """Check a config, count the labels of its corpora, and report their problems: what
    `spacy debug data` says for spaCy's own `ner`, and more. Settings are overridden as
    in training, for instance --paths.train FILE.
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
    if not as_json:
        echo(f"The config is valid; its pipeline is: {', '.join(nlp.pipe_names)}")
    vectors = filled["initialize"]["vectors"]
    if vectors is not None:
        load_vectors_into_model(nlp, vectors)
    train, dev = (list(reader(nlp)) for reader in readers)
    labels = known_labels(nlp)
    report = report_data(train, dev, labels=labels, vectors=nlp.vocab.vectors)
    if as_json:
        # not escaped: programs read JSON's own escapes
        typer.echo(srsly.json_dumps(report.to_dict(), indent=2))
    else:
        echo(report.to_text().rstrip("\n"))


def known_labels(nlp: Language) -> List[str]:
    """The labels that the entity components have before they are initialized, as those
    sourced from other pipelines do.
    """
    return [
        label
        for name, pipe in nlp.pipeline
        if nlp.get_pipe_meta(name).factory in FACTORIES
        for label in pipe.labels  # type: ignore[attr-defined]
    ]

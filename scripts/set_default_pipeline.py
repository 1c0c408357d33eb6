"""Make a trained pipeline the default one: `python scripts/set_default_pipeline.py MODEL METRICS`.

METRICS is the JSON file of its `evaluate`. The pipeline goes into assets/en_elmo_ner_sm,
which is a package: weights, config and figures are new. What describes it stays: the
fields of meta.json that training does not write, from which the model card (after
scripts/model_card.md) and the list of its sources' terms are made.
`python scripts/set_default_pipeline.py` alone makes these two anew, after a change to
the meta.json of the package. The pipeline can be loaded under every spaCy that
spacy-elmo-ner works with, and you can continue to train it.
"""

import shutil
import sys
import textwrap
from pathlib import Path
from string import Template
from typing import Any, Dict

import spacy
import srsly
from spacy.strings import StringStore
from thinc.api import Config

from spacy_elmo_ner.files.atomic import replacing_folder
from spacy_elmo_ner.files.manifest import MARKER
from spacy_elmo_ner.pipeline.components import elmo_ners
from spacy_elmo_ner.pipeline.default_pipeline import NAME

PACKAGE = Path(__file__).parent.parent / "assets" / NAME
CARD_TEMPLATE = Path(__file__).parent / "model_card.md"
CARD = "README.md"
META = "meta.json"
TERMS_OF_SOURCES = "LICENSES_SOURCES"  # spaCy's name, which its packages keep
# of who goes on with nlp.resume_training: the schedule it was trained by starts at zero,
# and stays there unless somebody steps it, as `train` does
LEARN_RATE = 0.001
DESCRIPTION = (
    "name",
    "version",
    "spacy_version",
    "description",
    "author",
    "license",
    "requirements",
    "sources",
    "notes",
)


def main(model: Path, metrics: Path, package: Path = PACKAGE) -> None:
    nlp = spacy.load(model)
    meta = srsly.read_json(package / NAME / META)
    nlp.meta.update({field: meta[field] for field in DESCRIPTION})
    measured = srsly.read_json(metrics)
    scores = measured["spacy"].items()
    nlp.meta["performance"] = {
        **{name: score for name, score in scores if name.startswith("ents_")},
        "report": measured["text"],
    }
    data = data_folder(package, meta)
    # it has learnt from tweets that an address may be a name, which it seldom is elsewhere
    for pipe in elmo_ners(nlp).values():
        pipe.cfg["addresses"] = False
    with replacing_folder(data, force=True) as fresh:
        nlp.to_disk(fresh)
        # the words of the training texts are nobody's business
        labels = [label for of_pipe in nlp.pipe_labels.values() for label in of_pipe]
        strings = StringStore([*spacy.blank(nlp.meta["lang"]).vocab.strings, *labels])
        strings.to_disk(fresh / "vocab" / "strings.json")
        # younger than spaCy 3.3; without it there are plain vectors, as here
        config = Config().from_disk(fresh / "config.cfg", interpolate=False)
        config["nlp"].pop("vectors", None)
        config["training"]["optimizer"]["learn_rate"] = LEARN_RATE
        # what the training had and nobody else has; its component has what it needs
        config.pop("distillation", None)
        config["initialize"].update(
            vectors=None, lookups=None, before_init=None, after_init=None
        )
        config.to_disk(fresh / "config.cfg", interpolate=False)
    # git knows what is ours here
    (data / MARKER).unlink()
    for folder in (package / NAME).glob(f"{NAME}-*"):
        if folder != data:
            shutil.rmtree(folder)
    shutil.copyfile(data / META, package / NAME / META)
    describe(package)
    files = [path for path in data.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"{data}: {len(files)} files, {megabytes:.1f} MB")


def data_folder(package: Path, meta: Dict[str, Any]) -> Path:
    """Where spaCy looks for the pipeline in its package."""
    return package / NAME / f"{NAME}-{meta['version']}"


def describe(package: Path) -> None:
    """Make the model card and the list of the sources' terms from meta.json, which
    stands in the package and in the pipeline."""
    meta = srsly.read_json(package / NAME / META)
    shutil.copyfile(package / NAME / META, data_folder(package, meta) / META)
    (package / CARD).write_text(card_of(meta), encoding="utf8")
    (package / TERMS_OF_SOURCES).write_text(terms_of_sources(meta), encoding="utf8")


def card_of(meta: Dict[str, Any]) -> str:
    rows = ["| what for | text | words | terms |", "| --- | --- | --: | --- |"]
    rows += [
        "| {use} | {name} | {words} | {license} |".format(**s) for s in meta["sources"]
    ]
    notes = (textwrap.fill(part, 95) for part in meta["notes"].split("\n\n"))
    return Template(CARD_TEMPLATE.read_text(encoding="utf8")).substitute(
        report=meta["performance"]["report"],
        sources="\n".join(rows),
        notes="\n\n".join(notes),
        license=meta["license"],
    )


def terms_of_sources(meta: Dict[str, Any]) -> str:
    """An entry for each source: what it is, who made it, and under which terms."""
    entries = [
        [source["name"], source["url"], f"by {source['author']}", source["license"]]
        for source in meta["sources"]
    ]
    return "\n\n".join("\n".join(filter(None, lines)) for lines in entries) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        describe(PACKAGE)
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))

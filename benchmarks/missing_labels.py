"""A corpus whose parts lack labels: `python -m benchmarks.missing_labels FOLDER`.

From each part of a training corpus, as many as there are labels, the entities of one label
are removed. Trains on all entities; on what is left, with what each part annotates; and on
what is left, as if it were all.
"""

from pathlib import Path
from typing import List

import typer
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import Config

from spacy_elmo_ner.corpus.reader import read_docs
from spacy_elmo_ner.text.annotated_labels import set_annotated_labels
from spacy_elmo_ner.training.loop import train
from spacy_elmo_ner.training.progress import read_history

CONFIG = Path(__file__).parent.parent / "configs" / "general.cfg"
NAMES = {
    "all": "all entities",
    "partial": "one label fewer in each part, with `labels`",
    "word": "one label fewer in each part, O taken literally",
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    folder: Path = typer.Argument(..., help="Folder for corpora and pipelines."),
    train_file: Path = typer.Option(..., "--train", help="Such as eng.train."),
    dev: Path = typer.Option(..., help="Such as eng.testa."),
    label: List[str] = typer.Option(
        ["PER", "LOC", "ORG", "MISC"], help="What the parts lack, in order."
    ),
    updates: int = typer.Option(1500, help="Updates of each training."),
    seed: int = typer.Option(0, help="Seed of each training."),
) -> None:
    """Print the F1 of each training on the development part."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "dev.spacy", read(dev))
    write(folder / "all.spacy", read(train_file))
    for name in ("partial", "word"):
        docs = read(train_file)
        remove(docs, label, says_so=name == "partial")
        write(folder / f"{name}.spacy", docs)
    rows = ["| Training corpus | F1 |", "| --- | --: |"]
    for name, text in NAMES.items():
        config = config_of(folder / f"{name}.spacy", folder / "dev.spacy", updates)
        config["system"]["seed"] = seed
        train(config, folder / name, say=lambda said: None)
        last = read_history(folder / name)[-1]
        rows.append(f"| {text} | {100 * last['score']:.2f} |")
    print("\n".join(rows))


def read(path: Path) -> List[Doc]:
    return list(read_docs(path, vocab=Vocab()))


def write(path: Path, docs: List[Doc]) -> None:
    DocBin(docs=docs, store_user_data=True).to_disk(path)


def remove(docs: List[Doc], labels: List[str], *, says_so: bool) -> None:
    """Remove the entities of a label from each part.

    Args:
        docs: The corpus, which is changed.
        labels: All of its labels.
        says_so: Whether a Doc then says what it annotates.
    """
    for i, doc in enumerate(docs):
        gone = labels[i * len(labels) // len(docs)]
        kept = [ent for ent in doc.ents if ent.label_ != gone]
        doc.set_ents(kept, default="outside")
        if says_so:
            set_annotated_labels(doc, [label for label in labels if label != gone])


def config_of(train_file: Path, dev: Path, updates: int) -> Config:
    """The tagger begins anew: that of the default pipeline has seen all labels."""
    config = Config().from_disk(CONFIG, interpolate=False)
    config["paths"].update(train=str(train_file), dev=str(dev))
    # one corpus, without other ways to write it
    config["corpora"]["train"] = config["corpora"]["dev"].copy()
    config["corpora"]["train"]["path"] = "${paths.train}"
    config["components"]["elmo_ner"] = {"factory": "elmo_ner", "tag_scheme": "BILUO"}
    config["initialize"] = {"components": {"elmo_ner": {"trained_tagger": False}}}
    config["training"].update(max_steps=updates, eval_frequency=updates)
    config["training"]["optimizer"]["learn_rate"].update(
        initial_rate=0.002, total_steps=updates + 100
    )
    return config


if __name__ == "__main__":
    app()

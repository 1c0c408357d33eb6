"""A trained pipeline becomes the one that ships: `python scripts/ship.py MODEL METRICS`.

METRICS is the JSON file of its `evaluate`. Weights, config and figures are new. What
describes it stays: the model card, and the fields of meta.json that training does not
write. It can be loaded under every spaCy that the package works with, and learns on.
"""

import sys
from pathlib import Path

import spacy
import srsly
from thinc.api import Config

from spacy_elmo_ner.atomic import replacing_folder
from spacy_elmo_ner.pipeline.packaged import FOLDER

CARD = "README.md"
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
    "sources",
    "notes",
)


def main(model: Path, metrics: Path, shipped: Path = FOLDER) -> None:
    nlp = spacy.load(model)
    meta = srsly.read_json(shipped / "meta.json")
    nlp.meta.update({field: meta[field] for field in DESCRIPTION})
    scores = srsly.read_json(metrics)["spacy"]
    nlp.meta["performance"] = {
        name: score for name, score in scores.items() if name.startswith("ents_")
    }
    card = (shipped / CARD).read_bytes()
    with replacing_folder(shipped, force=True) as fresh:
        nlp.to_disk(fresh)
        # younger than spaCy 3.3; without it there are plain vectors, as here
        config = Config().from_disk(fresh / "config.cfg", interpolate=False)
        config["nlp"].pop("vectors", None)
        config["training"]["optimizer"]["learn_rate"] = LEARN_RATE
        config.to_disk(fresh / "config.cfg", interpolate=False)
        (fresh / CARD).write_bytes(card)
    files = [path for path in shipped.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"{shipped}: {len(files)} files, {megabytes:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

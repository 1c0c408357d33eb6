"""scripts/ship.py, which makes a trained pipeline the one that ships."""

import runpy
from pathlib import Path

import spacy
import srsly
from tests.pipeline.small_model import SMALL_MODEL, examples_of, train
from thinc.api import Config

SOURCE = {
    "name": "my texts",
    "use": "fun",
    "words": "7",
    "license": "MIT",
    "author": "Me",
    "url": "",
}


def test_weights_are_new_and_the_description_stays(repository: Path, tmp_path: Path):
    shipped, trained = tmp_path / "packaged", tmp_path / "model-best"
    shipped.mkdir()
    (shipped / "LICENSE").write_text("As you like", encoding="utf8")
    described = {
        "name": "mine",
        "version": "1.2.3",
        "spacy_version": ">=3.3.0,<3.9.0",
        "description": "Finds names.",
        "author": "Me",
        "license": "CC0",
        "sources": [SOURCE],
        "notes": "Slow.",
    }
    srsly.write_json(shipped / "meta.json", {**described, "performance": {"old": 1.0}})
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    train(nlp, examples_of(nlp))
    nlp.config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 5,
        "initial_rate": 0.1,
        "total_steps": 10,
    }
    nlp.to_disk(trained)
    metrics = tmp_path / "metrics.json"
    figures = {"spacy": {"ents_f": 0.5, "speed": 3.0}, "text": "FB1:  50.00\n"}
    srsly.write_json(metrics, figures)

    runpy.run_path(str(repository / "scripts" / "ship.py"))["main"](
        trained, metrics, shipped
    )

    meta = srsly.read_json(shipped / "meta.json")
    assert {field: meta[field] for field in described} == described
    assert meta["performance"] == {"ents_f": 0.5, "report": "FB1:  50.00\n"}
    assert (shipped / "LICENSE").read_text(encoding="utf8") == "As you like"
    card = (shipped / "README.md").read_text(encoding="utf8")
    for part in ("FB1:  50.00", "| fun | my texts | 7 | MIT |", "Slow.", "`CC0`"):
        assert part in card
    assert "vectors" not in Config().from_disk(shipped / "config.cfg")["nlp"]
    text = "I like London and Berlin."
    again = spacy.load(shipped)
    assert nlp(text).ents
    assert spacy.load(trained).resume_training().learn_rate == 0
    assert again.resume_training().learn_rate == 0.001
    assert [str(ent) for ent in again(text).ents] == [
        str(ent) for ent in nlp(text).ents
    ]

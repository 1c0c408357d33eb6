"""scripts/set_default_pipeline.py, which makes a trained pipeline the default one."""

import runpy
from pathlib import Path

import spacy
import srsly
from spacy.util import load_model_from_init_py
from thinc.api import Config

from spacy_elmo_ner.pipeline.default_pipeline import NAME
from tests.pipeline.small_model import SMALL_MODEL, examples_of, train

SOURCE = {
    "name": "my texts",
    "use": "fun",
    "words": "7",
    "license": "MIT",
    "author": "Me",
    "url": "",
}


def test_weights_are_new_and_the_description_stays(
    repository: Path, tmp_path: Path
) -> None:
    package, trained = tmp_path / "package", tmp_path / "model-best"
    inner = package / NAME
    old = inner / f"{NAME}-1.2.2"
    old.mkdir(parents=True)
    (package / "LICENSE").write_text("As you like", encoding="utf8")
    (inner / "__init__.py").write_text("# loads it", encoding="utf8")
    described = {
        "name": "elmo_ner_sm",
        "version": "1.2.3",
        "spacy_version": ">=3.3.0,<3.9.0",
        "description": "Finds names.",
        "author": "Me",
        "license": "CC0",
        "requirements": ["spacy-elmo-ner"],
        "sources": [SOURCE],
        "notes": "Slow.",
    }
    srsly.write_json(inner / "meta.json", {**described, "performance": {"old": 1.0}})
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    train(nlp, examples_of(nlp))
    nlp.config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 5,
        "initial_rate": 0.1,
        "total_steps": 10,
    }
    nlp.config["distillation"] = {"teachers": ["training/teacher"]}
    nlp.to_disk(trained)
    metrics = tmp_path / "metrics.json"
    figures = {"spacy": {"ents_f": 0.5, "speed": 3.0}, "text": "FB1:  50.00\n"}
    srsly.write_json(metrics, figures)

    script = runpy.run_path(str(repository / "scripts" / "set_default_pipeline.py"))
    script["main"](trained, metrics, package)

    meta = srsly.read_json(inner / "meta.json")
    assert {field: meta[field] for field in described} == described
    assert meta["performance"] == {"ents_f": 0.5, "report": "FB1:  50.00\n"}
    assert (package / "LICENSE").read_text(encoding="utf8") == "As you like"
    card = (package / "README.md").read_text(encoding="utf8")
    for part in ("FB1:  50.00", "| fun | my texts | 7 | MIT |", "Slow.", "`CC0`"):
        assert part in card
    data = inner / f"{NAME}-1.2.3"
    assert {path.name for path in inner.iterdir()} == {
        "__init__.py",
        "meta.json",
        data.name,
    }
    assert srsly.read_json(data / "meta.json") == meta
    config = Config().from_disk(data / "config.cfg")
    assert "vectors" not in config["nlp"] and "distillation" not in config
    text = "I like London and Berlin."
    # as the package's __init__.py does
    again = load_model_from_init_py(inner / "__init__.py")
    assert nlp(text).ents
    assert spacy.load(trained).resume_training().learn_rate == 0
    assert again.resume_training().learn_rate == 0.001
    assert [str(ent) for ent in again(text).ents] == [
        str(ent) for ent in nlp(text).ents
    ]
    # a change of the description alone
    srsly.write_json(inner / "meta.json", {**meta, "notes": "Fast."})
    script["describe"](package)
    assert "Fast." in (package / "README.md").read_text(encoding="utf8")
    assert srsly.read_json(data / "meta.json")["notes"] == "Fast."

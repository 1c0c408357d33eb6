"""Settings act, wherever they are made."""

from pathlib import Path

import pytest
import spacy
import srsly
from spacy.language import Language
from thinc.api import Config

from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

TEXT = TEXTS[1][0]


@pytest.fixture
def folder(trained: Language, tmp_path: Path) -> Path:
    trained.to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_config_given_on_loading_acts(folder: Path) -> None:
    dotted = {
        "components.elmo_ner.threshold": 0.999,
        "components.elmo_ner.scores_key": "sc",
    }
    nested = {"components": {"elmo_ner": {"threshold": 0.999, "scores_key": "sc"}}}
    for config in (dotted, nested):
        nlp = spacy.load(folder, config=config)
        assert nlp.get_pipe("elmo_ner").cfg["threshold"] == 0.999
        assert nlp.config["components"]["elmo_ner"]["threshold"] == 0.999
        doc = nlp(TEXT)
        assert all(score >= 0.999 for score in doc.spans["sc"].attrs["scores"])
    assert spacy.load(folder)(TEXT).ents


def test_what_was_set_in_the_component_is_saved(
    trained: Language, folder: Path
) -> None:
    trained.get_pipe("elmo_ner").cfg["threshold"] = 0.9
    trained.to_disk(folder)
    nlp = spacy.load(folder)
    assert nlp.get_pipe("elmo_ner").cfg["threshold"] == 0.9
    again = nlp.from_bytes(nlp.to_bytes())
    assert again.get_pipe("elmo_ner").cfg["threshold"] == 0.9
    # and gives way to a config that says otherwise
    nlp = spacy.load(folder, config={"components.elmo_ner.threshold": 0.5})
    assert nlp.get_pipe("elmo_ner").cfg["threshold"] == 0.5
    nlp.to_disk(folder)
    assert spacy.load(folder).get_pipe("elmo_ner").cfg["threshold"] == 0.5


@pytest.mark.parametrize("threshold", [7, -0.1])
def test_a_threshold_that_is_no_probability_is_refused(
    folder: Path, threshold: float
) -> None:
    with pytest.raises(ValueError, match="a number from 0 to 1"):
        spacy.load(folder, config={"components.elmo_ner.threshold": threshold})
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match="a number from 0 to 1"):
        nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL, "threshold": threshold})


def test_the_tags_of_trained_weights_cannot_be_changed(folder: Path) -> None:
    with pytest.raises(ValueError, match="trained with 'BILUO'"):
        spacy.load(folder, config={"components.elmo_ner.tag_scheme": "BIO"})


SAVED = {
    "threshold": ({"LOC": 0.75, "PERSON": 0.125}, 0.0),
    "allow_labels": (["LOC"], ["PERSON"]),
    "deny_labels": (["LOC"], ["PERSON"]),
    "temperature": (1.5, 1.0),
    "probabilities": (True, False),
    "line_is_sentence": (True, False),
    "addresses": (True, False),
    "scores_key": ("sc", "other"),
    "incorrect_spans_key": ("wrong", "other"),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_a_config_gives_undoes_what_was_set_and_saved(
    trained: Language, folder: Path, name: str
) -> None:
    saved, given = SAVED[name]
    assert trained.config["components"]["elmo_ner"][name] is None
    trained.get_pipe("elmo_ner").cfg[name] = saved
    trained.to_disk(folder)
    assert spacy.load(folder).get_pipe("elmo_ner").cfg[name] == saved
    nlp = spacy.load(folder, config={f"components.elmo_ner.{name}": given})
    assert nlp.get_pipe("elmo_ner").cfg[name] == given
    nlp.to_disk(folder)
    assert spacy.load(folder).get_pipe("elmo_ner").cfg[name] == given


def test_a_config_that_says_what_it_said_before_undoes_nothing(tmp_path: Path) -> None:
    # a component cannot know whether somebody said it again: it is made from equal configs
    nlp = spacy.blank("en")
    # 0.7 is not 0.7 any more where spaCy has saved it
    config = {"model": SMALL_MODEL, "threshold": 0.7}
    nlp.add_pipe("elmo_ner", config=config).cfg["threshold"] = 0.75
    nlp.to_disk(tmp_path)
    plain = spacy.load(tmp_path)
    again = spacy.load(tmp_path, config={"components.elmo_ner.threshold": 0.7})
    assert plain.config.to_str() == again.config.to_str()
    for loaded in (plain, again):
        assert loaded.get_pipe("elmo_ner").cfg["threshold"] == 0.75
    # what to do instead
    again.get_pipe("elmo_ner").cfg["threshold"] = 0.5
    again.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("elmo_ner").cfg["threshold"] == 0.5


def test_a_pipeline_of_version_0_1_0_keeps_what_was_set(
    trained: Language, folder: Path
) -> None:
    # which wrote its defaults into the config, and not into cfg what the config gave
    config = Config().from_disk(folder / "config.cfg")
    config["components"]["elmo_ner"]["threshold"] = 0.0
    config.to_disk(folder / "config.cfg")
    cfg = srsly.read_json(folder / "elmo_ner" / "cfg")
    (folder / "elmo_ner" / "sha256sums").unlink()
    for name in ("configured", "addresses", "line_is_sentence"):
        del cfg[name]
    cfg["threshold"] = 0.75
    srsly.write_json(folder / "elmo_ner" / "cfg", cfg)
    assert spacy.load(folder).get_pipe("elmo_ner").cfg["threshold"] == 0.75
    nlp = spacy.load(folder, config={"components.elmo_ner.threshold": 0.25})
    assert nlp.get_pipe("elmo_ner").cfg["threshold"] == 0.25


def test_training_allows_addresses_unless_the_config_forbids_them() -> None:
    gold = ("Ask a@b.org now", {"entities": [(4, 11, "MAIL")]})
    for given, learnt in ((None, True), (False, False), (True, True)):
        nlp = spacy.blank("en")
        nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL, "addresses": given})
        train(nlp, examples_of(nlp, [gold]), steps=40)
        assert nlp.get_pipe("elmo_ner").cfg["addresses"] is learnt
        found = [ent.text for ent in nlp(gold[0]).ents]
        assert ("a@b.org" in found) is learnt


WRONG = {
    "threshold": [7, -0.1, float("nan"), "0.5", None, True, {"LOC": 7}, {"NO": 0.5}],
    "allow_labels": ["LOC", [3], ["NO"]],
    "deny_labels": ["LOC", [3], ["NO"]],
    "temperature": [0, -1.0, float("nan"), float("inf"), "1", None],
    "probabilities": ["yes", None, 1],
    "scores_key": [3, ""],
    "incorrect_spans_key": [3, ""],
    "line_is_sentence": ["yes", None, 1],
    "addresses": ["no", 0],
    "tag_scheme": ["BILOU", "BIO", 3, ["BIO"]],
    "labels": ["PER", ["LOC"], ["LOC", "LOC"], None, ["LOC", 3]],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused_when_it_is_used(
    trained: Language, name: str
) -> None:
    pipe = trained.get_pipe("elmo_ner")
    examples = examples_of(trained)
    trained.resume_training()
    cfg = {**pipe.cfg}
    for value in WRONG[name]:
        pipe.cfg = {**cfg, name: value}
        for use in (
            lambda: trained(TEXT),
            lambda: list(trained.pipe([TEXT])),
            lambda: trained.update(examples),
            lambda: trained.rehearse(examples),
            lambda: trained.evaluate(examples),
        ):
            with pytest.raises(
                ValueError,
                match=f"{name} of .elmo_ner.|^In the cfg of .elmo_ner.|^The label|^There is no tag|^3 cannot",
            ):
                use()
    pipe.cfg = {key: value for key, value in cfg.items() if key != name}
    with pytest.raises(
        ValueError, match=f"The {name} of 'elmo_ner' is missing; .*set it"
    ):
        trained(TEXT)
    pipe.cfg = cfg
    assert trained(TEXT).ents

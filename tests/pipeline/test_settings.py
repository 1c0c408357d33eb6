"""Settings act, wherever they are made."""

import pytest
import spacy
from small_model import SMALL_MODEL, TEXTS

TEXT = TEXTS[1][0]


@pytest.fixture
def folder(trained, tmp_path):
    trained.to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_config_given_on_loading_acts(folder):
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


def test_what_was_set_in_the_component_is_saved(trained, folder):
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


@pytest.mark.parametrize("threshold", [7, -0.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(folder, threshold):
    with pytest.raises(ValueError, match="a number from 0 to 1"):
        spacy.load(folder, config={"components.elmo_ner.threshold": threshold})
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match="a number from 0 to 1"):
        nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL, "threshold": threshold})


def test_the_tags_of_trained_weights_cannot_be_changed(folder):
    with pytest.raises(ValueError, match="trained with 'BILUO'"):
        spacy.load(folder, config={"components.elmo_ner.tag_scheme": "BIO"})

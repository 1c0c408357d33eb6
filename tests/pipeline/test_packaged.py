"""The default model and the weights that come with it."""

import spacy
from small_model import SMALL_MODEL, examples_of, train

from spacy_elmo_ner.pipeline.packaged import load_packaged


def test_initialized_without_examples_it_works():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    nlp.initialize()
    doc = nlp("My name is John!")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("John", "PER")]
    assert set(nlp.get_pipe("elmo_ner").labels) == {"LOC", "MISC", "ORG", "PER"}


def test_settings_of_the_component_stay():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", name="names", config={"scores_key": "found"})
    nlp.initialize()
    assert nlp("My name is John!").spans["found"].attrs["scores"][0] > 0.5


def test_packaged_pipeline_says_the_same():
    text = "My name is John! I work at the University of Vienna."
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    nlp.initialize()
    ours, packaged = nlp(text).ents, load_packaged()(text).ents
    assert [str(ent) for ent in ours] == [str(ent) for ent in packaged]


def test_other_models_start_without_labels():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    nlp.initialize()
    assert nlp.get_pipe("elmo_ner").labels == ()
    assert nlp("My name is John!").ents == ()


def test_examples_win_over_the_packaged_weights():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    train(nlp, examples_of(nlp), steps=1)
    assert nlp.get_pipe("elmo_ner").labels == ("LOC", "PERSON")

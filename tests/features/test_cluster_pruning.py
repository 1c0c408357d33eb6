import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.cli.prune import prune
from spacy_elmo_ner.features.cluster_pruning import prune_clusters

CLUSTERS = {
    "rome": 0b101,
    "Rome": 0b101,
    "ROME": 0b111,
    "Oslo": 0b100,
    "mcdonald's": 0b110,
    "McDonald's": 0b110,
    "vanillin": 0b1001,
}
KNOWN = ["rome", "Rome", "ROME", "oslo", "Oslo", "OSLO", "McDonald's", "fell"]
MODEL = {
    "@architectures": "spacy_elmo_ner.CrfTagger.v1",
    "hidden_width": 8,
    "depth": 1,
    "tok2vec": {"@architectures": "spacy_elmo_ner.LexemeFeatures.v1"},
}


@pytest.fixture
def nlp():
    nlp = spacy.blank("en")
    nlp.vocab.lookups.add_table("lexeme_cluster", CLUSTERS)
    nlp.add_pipe("elmo_ner", config={"model": MODEL})
    doc = nlp.make_doc("Rome fell")
    example = Example.from_dict(doc, {"entities": [(0, 4, "LOC")]})
    nlp.initialize(lambda: [example])
    return nlp


def add_vectors(nlp):
    for word in ["rome", "oslo", "mcdonald's", "fell"]:
        nlp.vocab.set_vector(word, np.ones(3, dtype="f"))


def features(nlp, words):
    (node,) = (
        node
        for node in nlp.get_pipe("elmo_ner").model.walk()
        if node.name == "lexeme_features"
    )
    return node.predict([Doc(nlp.vocab, words=words)])[0]


def clusters(nlp):
    table = nlp.vocab.lookups.get_table("lexeme_cluster")
    return {word: table[word] for word in CLUSTERS if word in table}


@pytest.mark.parametrize("through_disk", [False, True])
def test_words_with_a_vector_stay_what_they_are(nlp, tmp_path, through_disk):
    add_vectors(nlp)
    before = features(nlp, KNOWN)
    if through_disk:
        nlp.to_disk(tmp_path / "large")
        prune(str(tmp_path / "large"), tmp_path / "small", words=4)
        nlp = spacy.load(tmp_path / "small")
    else:
        prune_clusters(nlp)
    stay = ["rome", "ROME", "Oslo", "mcdonald's"]
    assert clusters(nlp) == {word: CLUSTERS[word] for word in stay}
    np.testing.assert_array_equal(features(nlp, KNOWN), before)


def test_other_mixtures_of_cases_take_the_lower_case_cluster(nlp):
    nlp.vocab.lookups.get_table("lexeme_cluster")["oSLO"] = 0b110
    nlp.vocab.lookups.get_table("lexeme_cluster")["oslo"] = 0b111
    add_vectors(nlp)
    prune_clusters(nlp)
    table = nlp.vocab.lookups.get_table("lexeme_cluster")
    assert "oSLO" not in table
    assert table["oslo"] == 0b111


def test_a_vector_whose_word_nobody_knows_is_passed_over(nlp):
    add_vectors(nlp)
    nlp.vocab.vectors.resize((8, 3))
    nlp.vocab.vectors.add(12345, vector=np.ones(3, dtype="f"))
    prune_clusters(nlp)
    assert "rome" in clusters(nlp)


def test_without_vectors_all_clusters_stay(nlp):
    prune_clusters(nlp)
    assert clusters(nlp) == CLUSTERS


def test_without_clusters_nothing_happens():
    nlp = spacy.blank("en")
    add_vectors(nlp)
    prune_clusters(nlp)
    assert not nlp.vocab.lookups.has_table("lexeme_cluster")

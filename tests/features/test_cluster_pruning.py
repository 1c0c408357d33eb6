from typing import Dict, List

import numpy as np
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.lookups import Table
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.vectors import Vectors

from spacy_elmo_ner.features.lexeme_features import build_lexeme_features_v1
from spacy_elmo_ner.features.pruning import prune_clusters
from tests.arrays import as_numpy

CLUSTERS = {
    "rome": 0b101,
    "Rome": 0b101,
    "ROME": 0b111,
    "Oslo": 0b100,
    "mcdonald's": 0b110,
    "McDonald's": 0b110,
    "vanillin": 0b1001,
}
WORDS = ["rome", "oslo", "mcdonald's", "fell"]
KNOWN = ["rome", "Rome", "ROME", "oslo", "Oslo", "OSLO", "McDonald's", "fell"]


def pruned(clusters: Dict[str, int], words: List[str]) -> Dict[str, int]:
    strings = StringStore([*clusters, *words])
    data = np.ones((len(words), 3), dtype="f")
    vectors = Vectors(data=data, keys=[strings[word] for word in words])
    table = prune_clusters(Table(name="t", data=clusters), vectors, strings)
    return {word: table.get(word) for word in clusters if word in table}


def features(clusters: Dict[str, int], words: List[str]) -> np.ndarray:
    nlp = spacy.blank("en")
    nlp.vocab.lookups.add_table("lexeme_cluster", clusters)
    doc = Doc(nlp.vocab, words=words)
    model = build_lexeme_features_v1(shape_width=0, casing_width=0, norm_width=0)
    model.initialize(X=[doc])
    return as_numpy(model.predict([doc])[0])


def test_words_with_a_vector_stay_what_they_are() -> None:
    kept = pruned(CLUSTERS, WORDS)
    stay = ["rome", "ROME", "Oslo", "mcdonald's"]
    assert kept == {word: CLUSTERS[word] for word in stay}


def test_other_mixtures_of_cases_take_the_lower_case_cluster() -> None:
    clusters = {**CLUSTERS, "oSLO": 0b110, "oslo": 0b111}
    kept = pruned(clusters, WORDS)
    assert "oSLO" not in kept
    assert kept["oslo"] == 0b111


cased = st.sampled_from([f(w) for w in WORDS for f in (str, str.title, str.upper)])


@given(st.dictionaries(cased, st.integers(1, 9)), st.lists(st.sampled_from(WORDS)))
def test_what_is_looked_up_of_a_word_with_a_vector_is_the_same(
    clusters: Dict[str, int], words: List[str]
) -> None:
    def look_up(table: Dict[str, int], word: str) -> int:
        return table.get(word) or table.get(word.lower(), 0)

    kept = pruned(clusters, sorted({*words}))
    for word in words:
        for form in (word, word.capitalize(), word.title(), word.upper()):
            assert look_up(kept, form) == look_up(clusters, form)


def test_what_nobody_knows_the_word_of_stays() -> None:
    strings = StringStore(["rome"])
    vectors = Vectors(data=np.ones((2, 3), dtype="f"), keys=[strings["rome"], 12345])
    table = Table(name="t", data={"rome": 3, "lost": 4})
    assert len(prune_clusters(table, vectors, strings)) == 2


def test_known_words_share_the_features_that_they_shared() -> None:
    before = features(CLUSTERS, KNOWN)
    after = features(pruned(CLUSTERS, WORDS), KNOWN)
    for i in range(len(KNOWN)):
        for j in range(len(KNOWN)):
            alike = np.array_equal(before[i], before[j])
            assert np.array_equal(after[i], after[j]) == alike

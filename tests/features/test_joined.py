import numpy
import pytest
import spacy

from spacy_elmo_ner.features.char_cnn import build_char_cnn_v1
from spacy_elmo_ner.features.joined import build_joined_tok2vec_v1
from tests.arrays import as_numpy

NLP = spacy.blank("en")
DOCS = [NLP(text) for text in ("Rome fell .", "It rained")]


def test_joined_vectors_stand_side_by_side() -> None:
    parts = {
        "b": build_char_cnn_v1(char_width=6, filters=[[3, 8]]),
        "a": build_char_cnn_v1(char_width=6, filters=[[2, 4]]),
    }
    joined = build_joined_tok2vec_v1(parts).initialize(X=DOCS)
    vectors = joined.predict(DOCS)
    assert joined.get_dim("nO") == 12
    for i in range(len(DOCS)):
        expected = numpy.hstack(
            [as_numpy(parts[k].predict(DOCS)[i]) for k in ("a", "b")]
        )
        assert numpy.allclose(vectors[i], expected)


def test_nothing_to_join_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to join.*at least one"):
        build_joined_tok2vec_v1({})

from pathlib import Path
from typing import Any, List, cast

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Model
from thinc.types import Floats1d

from spacy_elmo_ner.cli.prune import prune
from spacy_elmo_ner.features.pruning import prune_pipeline, prune_vectors
from spacy_elmo_ner.features.static_vectors import build_static_vectors_v1
from tests.arrays import as_numpy

WORDS = ["the", "of", "rome", "oslo", "fell", "rose", "quietly"]
MODEL = {
    "@architectures": "spacy_elmo_ner.CrfTagger.v1",
    "hidden_width": 8,
    "depth": 1,
    "tok2vec": {
        "@architectures": "spacy_elmo_ner.StaticVectors.v1",
        "fine_tuned_words": 4,
    },
}


@pytest.fixture
def nlp() -> Language:
    """It has learnt that Rome is a place, and met no other rare word than "fell"."""
    nlp = spacy.blank("en")
    random = np.random.default_rng(0)
    for word in WORDS:
        nlp.vocab.set_vector(word, cast(Floats1d, random.normal(size=6).astype("f")))
    nlp.add_pipe("elmo_ner", config={"model": MODEL})
    gold = Doc(nlp.vocab, words=["Rome", "fell"])
    gold.set_ents([Span(gold, 0, 1, label="LOC")])
    examples = [Example(Doc(nlp.vocab, words=["Rome", "fell"]), gold)]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.05
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    return nlp


def static_vectors(nlp: Language) -> List[Model[Any, Any]]:
    return [
        node
        for node in nlp.get_pipe("elmo_ner").model.walk()
        if node.name == "static_vectors"
    ]


def vectors_of(nlp: Language, words: List[str]) -> np.ndarray:
    (node,) = static_vectors(nlp)
    return as_numpy(node.predict([Doc(nlp.vocab, words=words)])[0])


@pytest.mark.parametrize("through_disk", [False, True])
def test_frequent_and_moved_words_stay_as_they_are(
    nlp: Language, tmp_path: Path, through_disk: bool
) -> None:
    stay, go = ["the", "of", "Rome", "fell"], ["oslo", "rose", "quietly"]
    before = vectors_of(nlp, stay)
    assert not np.allclose(
        before[2], as_numpy(nlp.vocab["rome"].vector)
    )  # training has moved it
    if through_disk:
        nlp.to_disk(tmp_path / "large")
        prune(str(tmp_path / "large"), tmp_path / "small", words=2)
        nlp = spacy.load(tmp_path / "small")
        assert not any(word in nlp.vocab.strings for word in go)
    else:
        assert set(go) < prune_pipeline(nlp, 2)
    (node,) = static_vectors(nlp)
    assert node.attrs["vectors"].shape == (4, 6)
    np.testing.assert_array_equal(vectors_of(nlp, stay), before)
    assert not vectors_of(nlp, go).any()
    # what nobody reads
    assert nlp.vocab.vectors.shape == (0, 0)
    (ent,) = nlp("Rome fell").ents
    assert (ent.text, ent.label_) == ("Rome", "LOC")


def test_vectors_that_another_component_reads_are_pruned_in_the_vocab(
    nlp: Language,
) -> None:
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 4,
            "attrs": ["NORM"],
            "rows": [10],
            "include_static_vectors": True,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 4,
            "depth": 1,
            "window_size": 1,
            "maxout_pieces": 2,
        },
    }
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    assert prune_pipeline(nlp, 2) == set()
    assert nlp.vocab.vectors.n_keys == 2
    (node,) = static_vectors(nlp)
    assert node.attrs["vectors"].shape == (4, 6)


def test_a_pipeline_without_vectors_has_nothing_to_prune() -> None:
    with pytest.raises(ValueError, match="nothing to prune"):
        prune_pipeline(spacy.blank("en"), 2)


def test_composed_vectors_cannot_be_pruned() -> None:
    nlp = spacy.blank("en")
    if not hasattr(nlp.vocab.vectors, "hash_count"):
        pytest.skip("this spaCy has no floret vectors")
    nlp.vocab.vectors = type(nlp.vocab.vectors)(
        mode="floret",
        data=np.ones((10, 3), dtype="f"),
        hash_count=1,
        minn=2,
        maxn=3,
        bow="<",
        eow=">",
        hash_seed=1,
    )
    model = build_static_vectors_v1().initialize(X=[nlp.make_doc("word")])
    with pytest.raises(ValueError, match="Only tables with a row for each word"):
        prune_vectors(model, 2)

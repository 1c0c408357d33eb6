import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List, Mapping, cast

import numpy as np
import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.lookups import Lookups
from spacy.tokens import Doc
from thinc.api import Adam
from thinc.types import Floats2d

from spacy_elmo_ner.features.lexeme_features import (
    CLUSTER_ROWS,
    build_lexeme_features_v1,
    casing,
    cluster_prefix,
)
from spacy_elmo_ner.features.tok2vec import Tok2Vec
from tests.arrays import as_numpy
from tests.features.conftest import Gold, Pipelines

NO_WIDTHS: Dict[str, Any] = {
    "cluster_width": 0,
    "prob_width": 0,
    "norm_width": 0,
    "shape_width": 0,
    "casing_width": 0,
}


@pytest.fixture(scope="module")
def published() -> Dict[str, int]:
    """The table as its package holds it: word → integer, read without spaCy."""
    spec = find_spec("spacy_lookups_data")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    table: Dict[str, int] = srsly.read_gzip_json(folder / "en_lexeme_cluster.json.gz")
    return table


def one_feature(
    docs: List[Doc], tables: Mapping[str, Mapping[str, float]], **options: Any
) -> Tok2Vec:
    """The tok2vec with one feature alone."""
    vocab = docs[0].vocab
    vocab.lookups = Lookups()
    for name, table in tables.items():
        vocab.lookups.add_table(name, dict(table))
    model = build_lexeme_features_v1(**{**NO_WIDTHS, **options})
    return model.initialize(X=docs)


def same(one: Any, two: Any) -> bool:
    return np.array_equal(one, two)


def test_published_clusters_share_prefixes(published: Dict[str, int]) -> None:
    words = ["London", "Paris", "Berlin", "IBM", "John", "the"]
    doc = Doc(spacy.blank("en").vocab, words=words)
    paths = [bin(published[word])[:1:-1].ljust(20, "0") for word in words]
    # the towns are near in the tree, Paris and London in one cluster
    assert paths[0] == paths[1]
    assert paths[0][:6] == paths[2][:6] and paths[0][:10] != paths[2][:10]
    table = {word: published[word] for word in words}
    for bits in (4, 6, 10, 20):
        options = {"cluster_width": 8, "cluster_prefixes": [bits]}
        model = one_feature([doc], {"lexeme_cluster": table}, **options)
        (vectors,) = model.predict([doc])
        for i, one in enumerate(paths):
            for j, two in enumerate(paths):
                expected = one[:bits] == two[:bits]
                assert same(vectors[i], vectors[j]) == expected


def test_falls_back_to_lower_case(published: Dict[str, int]) -> None:
    # a word whose cluster is known in lower case only, as it is in the table or not
    assert published.get("EU") == 0 and published["IBM"] > 0
    table = {"EU": 0, "eu": 5, "london": 6, "London": 7}
    words = ["EU", "eu", "LONDON", "london", "London", "nowhere", "Nowhere"]
    doc = Doc(spacy.blank("en").vocab, words=words)
    options = {"cluster_width": 8, "cluster_prefixes": [20]}
    model = one_feature([doc], {"lexeme_cluster": table}, **options)
    (vectors,) = model.predict([doc])
    assert same(vectors[0], vectors[1])
    assert same(vectors[2], vectors[3])
    assert not same(vectors[3], vectors[4])
    assert same(vectors[5], vectors[6])
    assert len(np.unique(as_numpy(vectors), axis=0)) == 4


@st.composite
def trees(draw: st.DrawFn) -> List[str]:
    """Paths of a binary tree's leaves, as strings of 0 and 1."""
    leaves = ["0", "1"]
    for _ in range(draw(st.integers(0, 12))):
        leaf = leaves.pop(draw(st.integers(0, len(leaves) - 1)))
        leaves += [leaf + "0", leaf + "1"]
    return leaves


@given(leaves=trees(), bits=st.integers(1, 14))
def test_prefixes_keep_leaves_apart(leaves: List[str], bits: int) -> None:
    # the leaf that is all 0s has the integer of words without a cluster
    leaves = [leaf for leaf in leaves if "1" in leaf]
    clusters = np.array([int(leaf[::-1], 2) for leaf in leaves], dtype="uint64")
    keys = cluster_prefix(clusters, bits)
    assert (keys > 0).all()
    for i, one in enumerate(leaves):
        for j, two in enumerate(leaves):
            # leaves that end before the prefix does are in no other's prefix
            assert (keys[i] == keys[j]) == (one[:bits] == two[:bits])
    assert cluster_prefix(np.zeros(1, dtype="uint64"), bits) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["1996", "3", "٣"],
        ["1990s", "B-52", "3,000", "4x4", "1-2"],
        ["the", "o'clock", "e-mail", "straße"],
        ["London", "I", "É", "O'neill", "T-shirt"],
        ["IBM", "U.S.", "AC/DC", "ÉU"],
        ["McDonald", "iPhone", "eBay", "O'Neill"],
        ["...", ",", "-", "\n", "日本", "$"],
    ],
)
def test_casing_puts_alike_words_together(words: List[str]) -> None:
    assert len({casing(word) for word in words}) == 1


def test_casing_tells_its_classes_apart() -> None:
    words = ["1996", "1990s", "the", "London", "IBM", "McDonald", "..."]
    assert sorted(map(casing, words)) == list(range(7))


def test_shape_norm_and_probability() -> None:
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=["London", "Berlin", "london", "LONDON", "rare", "Rare"])
    (shape,) = one_feature([doc], {}, shape_width=8).predict([doc])
    assert same(shape[0], shape[1]) and not same(shape[0], shape[2])
    (norm,) = one_feature([doc], {}, norm_width=8).predict([doc])
    assert same(norm[0], norm[2]) and not same(norm[0], norm[1])
    table = {"London": -10.9, "Berlin": -10.2, "london": -13.6}
    model = one_feature([doc], {"lexeme_prob": table}, prob_width=8)
    (prob,) = model.predict([doc])
    assert same(prob[0], prob[1]) and not same(prob[0], prob[2])
    assert same(prob[2], prob[3]), "LONDON is not in the table, london is"
    assert same(prob[4], prob[5]) and not same(prob[4], prob[3])


def test_a_cluster_learns_alone() -> None:
    words = [f"word{i}" for i in range(300)]
    table = {word: i + 1 for i, word in enumerate(words)}
    doc = Doc(spacy.blank("en").vocab, words=[*words, "nowhere"])
    options = {"cluster_width": 4, "cluster_prefixes": [20]}
    model = one_feature([doc], {"lexeme_cluster": table}, **options)
    (before,) = model.predict([doc])
    _, backprop = model.begin_update([doc])
    gradient = np.zeros_like(as_numpy(before))
    gradient[7] = 1
    backprop([cast(Floats2d, gradient)])
    model.finish_update(Adam(0.1))
    (after,) = model.predict([doc])
    assert np.flatnonzero((before != after).any(1)).tolist() == [7]


def test_clusters_beyond_the_rows_share_them_and_new_ones_are_unknown() -> None:
    words = [f"word{i}" for i in range(CLUSTER_ROWS + 5)]
    table = {word: i + 1 for i, word in enumerate(words)}
    doc = Doc(spacy.blank("en").vocab, words=[*words, "new", "nowhere"])
    options = {"cluster_width": 4, "cluster_prefixes": [20]}
    model = one_feature([doc], {"lexeme_cluster": table}, **options)
    doc.vocab.lookups.get_table("lexeme_cluster").set("new", len(words) + 9)
    (vectors,) = model.predict([doc])
    assert same(vectors[-2], vectors[-1])
    assert len(np.unique(as_numpy(vectors), axis=0)) == CLUSTER_ROWS


def test_the_vocab_keeps_its_table_and_the_model_what_says_something() -> None:
    doc = Doc(spacy.blank("en").vocab, words=["EU", "in", "nowhere"])
    table = {"EU": 0, "in": 9}
    model = one_feature([doc], {"lexeme_cluster": table}, cluster_width=8)
    assert len(doc.vocab.lookups.get_table("lexeme_cluster")) == 2
    assert len(model.attrs["lexeme_cluster"]) == 1
    assert [token.cluster for token in doc] == [0, 9, 0]


@pytest.mark.parametrize("table", ["lexeme_cluster", "lexeme_prob"])
def test_missing_table(table: str) -> None:
    doc = Doc(spacy.blank("en").vocab, words=["London"])
    option = "cluster_width" if table == "lexeme_cluster" else "prob_width"
    message = f"(?s)'{table}'.*{option}.*initialize.lookups.*{table}"
    with pytest.raises(ValueError, match=message):
        one_feature([doc], {}, **{option: 8})


@pytest.mark.parametrize("table", ["lexeme_cluster", "lexeme_prob"])
def test_the_table_is_the_models_own(table: str) -> None:
    words = ["London", "paris", "in"]
    is_cluster = table == "lexeme_cluster"
    option, value = ("cluster_width", 3) if is_cluster else ("prob_width", -1.5)
    doc = Doc(spacy.blank("en").vocab, words=words)
    model = one_feature(
        [doc], {table: {"London": value, "paris": 7 * value}}, **{option: 8}
    )
    expected = model.predict([doc])[0]
    again = build_lexeme_features_v1(**NO_WIDTHS | {option: 8})
    again.from_bytes(model.to_bytes())
    doc.vocab.lookups.remove_table(table)
    other = Doc(spacy.blank("en").vocab, words=words)
    for one in (model, again):
        assert same(one.predict([doc])[0], expected)
        assert same(one.predict([other])[0], expected)


def test_a_model_of_version_0_1_0_takes_the_table_of_its_vocab() -> None:
    words = ["London", "paris", "in"]
    doc = Doc(spacy.blank("en").vocab, words=words)
    table = {"London": 3, "paris": 7}
    model = one_feature([doc], {"lexeme_cluster": table}, cluster_width=8)
    expected = model.predict([doc])[0]
    # it saved no table
    message = model.to_dict()
    for attrs in message["attrs"]:
        attrs.pop("lexeme_cluster", None)
    saved = srsly.msgpack_dumps(message)
    options = NO_WIDTHS | {"cluster_width": 8}
    again = build_lexeme_features_v1(**options).from_bytes(saved)
    assert same(again.predict([doc])[0], expected)
    assert same(again.predict([Doc(spacy.blank("en").vocab, words=words)])[0], expected)
    lost = build_lexeme_features_v1(**options).from_bytes(saved)
    with pytest.raises(ValueError, match="'lexeme_cluster'"):
        lost.predict([Doc(spacy.blank("en").vocab, words=words)])


@pytest.mark.parametrize(
    "options, message",
    [
        (NO_WIDTHS, "no feature left"),
        ({"norm_width": -1}, "negative"),
        ({"cluster_prefixes": [4, 0]}, "prefix of 0 bits"),
        ({"cluster_prefixes": [99]}, "prefix of 99 bits"),
        ({"norm_rows": 0}, "norm_rows"),
    ],
)
def test_senseless_options(options: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_lexeme_features_v1(**options)


def test_initializes_without_a_sample() -> None:
    model = build_lexeme_features_v1(cluster_width=0).initialize()
    vocab = spacy.blank("en").vocab
    (vectors,) = model.predict([Doc(vocab, words=["London"])])
    assert vectors.shape == (1, model.get_dim("nO"))


def test_saved_pipeline_carries_the_published_table(
    pipelines: Pipelines, gold: Gold, tmp_path: Path
) -> None:
    tok2vec = {"@architectures": "spacy_elmo_ner.LexemeFeatures.v1"}
    nlp = pipelines.blank(lookups="spacy.LookupsDataLoader.v1", ner=tok2vec)
    pipelines.train(nlp).to_disk(tmp_path / "saved")
    text, entities = gold[0]
    # where spacy-lookups-data cannot be imported
    program = (
        "import sys; sys.modules['spacy_lookups_data'] = None\n"
        "import spacy; nlp = spacy.load(sys.argv[1])\n"
        "print(nlp.vocab['London'].cluster)\n"
        "print([(ent.text, ent.label_) for ent in nlp(sys.argv[2]).ents])"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "saved"), text]
    answer = subprocess.run(arguments, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == ["678", str(entities)]

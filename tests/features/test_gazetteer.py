"""Lists of names as features: what is trained, saved, moved and refused."""

import copy
import pickle
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed

from spacy_elmo_ner.elmo.loader import elmo_nodes, elmo_weights_of, has_weights_of
from spacy_elmo_ner.features.gazetteer import build_gazetteer_v1
from spacy_elmo_ner.features.gazetteer_terms import load_gazetteer_terms
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from tests.arrays import as_numpy

# nothing but a list tells them from other words: all have a capital, and no more is seen
NAMES = {
    "PER": "Daxo Wupi Zefa Toma Nilo Gesk Marb Luqe Prun Hilt".split(),
    "LOC": "Fopt Xane Rulo Bisk Quem Tarn Velo Jisp Corm Nabo".split(),
}
OTHERS = "Meft Kolo Sirt Wane Pido Lask Grum Tesh Bolo Vink".split()
# the last of each list is never seen in training
TRAINED = 7
GAZETTEER: Dict[str, Any] = {
    "@architectures": "spacy_elmo_ner.Gazetteer.v1",
    "types": ["PER", "LOC"],
    "dropout": 0.0,
}
JOINED: Dict[str, Any] = {
    "@architectures": "spacy_elmo_ner.JoinedTok2Vec.v1",
    "tok2vecs": {
        "casing": {
            "@architectures": "spacy_elmo_ner.LexemeFeatures.v1",
            "cluster_width": 0,
            "norm_width": 0,
            "shape_width": 0,
        },
        "lists": GAZETTEER,
    },
}
ELMO_NER: Dict[str, Any] = {
    "factory": "elmo_ner",
    "model": {
        "@architectures": "spacy_elmo_ner.CrfTagger.v2",
        "hidden_width": 16,
        "depth": 1,
        "document_width": 0,
        "tok2vec": JOINED,
    },
}
TOK2VEC = {"factory": "tok2vec", "model": JOINED}
NER = {
    "factory": "ner",
    "model": {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 32,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 16},
    },
}
PIPELINES: Dict[str, Dict[str, Any]] = {
    "elmo_ner": {"elmo_ner": ELMO_NER},
    "ner": {"tok2vec": TOK2VEC, "ner": NER},
}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    for type_, names in NAMES.items():
        (folder / f"{type_}.txt").write_text("\n".join(names) + "\n\n", encoding="utf8")
    return folder


def sentence(name: str) -> str:
    return f"they saw {name} again ."


def blank(kind: str, lists: Path) -> Language:
    components = PIPELINES[kind]
    callback = {"@callbacks": "spacy_elmo_ner.GazetteerTerms.v1", "folder": str(lists)}
    config = {
        "nlp": {"lang": "en", "pipeline": list(components)},
        "components": components,
        "initialize": {
            "before_init": {
                "@callbacks": "spacy_elmo_ner.JoinedCallbacks.v1",
                "callbacks": {"terms": callback},
            }
        },
    }
    return load_model_from_config(Config(config), auto_fill=True)


def trained(kind: str, lists: Path) -> Language:
    fix_random_seed(0)
    nlp = blank(kind, lists)
    gold: List[Tuple[str, Dict[str, Any]]] = [
        (sentence(name), {"entities": [(9, 13, label)]})
        for label, names in NAMES.items()
        for name in names[:TRAINED]
    ]
    gold += [(sentence(name), {"entities": []}) for name in OTHERS[:TRAINED]]
    examples = [Example.from_dict(nlp.make_doc(text), one) for text, one in gold]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    return nlp


def found(nlp: Language, names: List[str]) -> List[List[Tuple[str, str]]]:
    docs = nlp.pipe(map(sentence, names))
    return [[(ent.text, ent.label_) for ent in doc.ents] for doc in docs]


@pytest.mark.parametrize("kind", PIPELINES)
def test_names_that_training_never_met_are_found_by_their_lists(
    kind: str, lists: Path, tmp_path: Path
) -> None:
    nlp = trained(kind, lists)
    new = [name for names in (*NAMES.values(), OTHERS) for name in names[TRAINED:]]
    labels = [label for label in NAMES for _ in range(10 - TRAINED)]
    expected = [[pair] for pair in zip(new, labels, strict=False)] + [
        [] for _ in OTHERS[TRAINED:]
    ]
    assert found(nlp, new) == expected
    nlp.to_disk(tmp_path / "saved")
    (lists / "PER.txt").unlink()
    loaded = spacy.load(tmp_path / "saved")
    copies = [
        loaded,
        pickle.loads(pickle.dumps(loaded)),
        blank(kind, lists).from_bytes(nlp.to_bytes()),
    ]
    moved = spacy.blank("en")
    for name in nlp.pipe_names:
        moved.add_pipe(name, source=loaded)
    for other in [*copies, moved]:
        assert found(other, new) == expected


def test_a_trained_pipeline_takes_other_lists(lists: Path, tmp_path: Path) -> None:
    nlp = trained("elmo_ner", lists)
    new = tmp_path / "new"
    new.mkdir()
    (new / "PER.txt").write_text(OTHERS[-1], encoding="utf8")
    (new / "LOC.txt").write_text(OTHERS[-2], encoding="utf8")
    load_gazetteer_terms(nlp, folder=new)
    assert found(nlp, OTHERS[-2:]) == [[(OTHERS[-2], "LOC")], [(OTHERS[-1], "PER")]]
    assert found(nlp, [NAMES["PER"][-1]]) == [[]]


def test_the_default_tok2vec_beside_lists_starts_as_it_does_alone(lists: Path) -> None:
    default = {"@architectures": "spacy_elmo_ner.ElmoWithWordFeatures.v1"}
    joined = {**JOINED, "tok2vecs": {"elmo": default, "lists": GAZETTEER}}
    nlp = spacy.blank("en")
    model = {**ELMO_NER["model"], "tok2vec": joined}
    nlp.add_pipe("elmo_ner", config={"model": model})
    load_gazetteer_terms(nlp, folder=lists)
    gold = {"entities": [(9, 13, "PER")]}
    example = Example.from_dict(nlp.make_doc(sentence("Daxo")), gold)
    # it would raise an error if there were no vectors or clusters
    nlp.initialize(lambda: [example])
    weights = elmo_weights_of(load_default_pipeline(), "the default pipeline")
    (elmo,) = elmo_nodes(nlp)
    assert has_weights_of(elmo, weights)


def vectors_of(lists: Path, doc: Doc, is_train: bool, **options: Any) -> Any:
    model = build_gazetteer_v1(types=["PER", "LOC"], **options)
    load_gazetteer_terms(model, folder=lists)
    model.initialize(X=[doc])
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        (vectors,), backprop = one(docs := [doc], is_train)
        assert backprop([vectors]) == []
    return as_numpy(model(docs, is_train)[0][0])


def test_values_of_a_vector(lists: Path) -> None:
    (lists / "PER.txt").write_text("A B C\nA", encoding="utf8")
    (lists / "LOC.txt").write_text("B C", encoding="utf8")
    doc = Doc(spacy.blank("en").vocab, words=["A", "\n", "B", "C", "A", "x"])
    expected = np.zeros((6, 8))
    # begin, inside, end, single of PER, and then of LOC; the line's end is inside, too
    for token, value in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (2, 4), (3, 6)]:
        expected[token, value] = 1
    np.testing.assert_array_equal(vectors_of(lists, doc, is_train=False), expected)


def test_training_drops_whole_terms(lists: Path) -> None:
    (lists / "PER.txt").write_text("A B", encoding="utf8")
    doc = Doc(spacy.blank("en").vocab, words=["A", "B"] * 2000)
    options: Dict[str, Any] = {"dropout": 0.25, "is_train": True}
    fix_random_seed(3)
    vectors = vectors_of(lists, doc, **options)
    fix_random_seed(3)
    np.testing.assert_array_equal(vectors, vectors_of(lists, doc, **options))
    begins, ends = vectors[::2, 0], vectors[1::2, 2]
    np.testing.assert_array_equal(begins, ends)
    assert abs(begins.mean() - 0.75) < 0.05
    assert vectors_of(lists, doc, is_train=False)[::2, 0].all()


def test_docs_without_tokens(lists: Path) -> None:
    doc = Doc(spacy.blank("en").vocab)
    assert vectors_of(lists, doc, is_train=True).shape == (0, 8)
    assert (
        load_gazetteer_terms(build_gazetteer_v1(types=["PER"]), folder=lists)([], True)[
            0
        ]
        == []
    )


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "'LOC' has no list: there is no file .*LOC.txt"),
        (b" \n\n", "LOC.txt has no terms"),
        ("Zürich\nKöln".encode("latin-1"), "LOC.txt, line 1: .*not UTF-8"),
        ("Köln".encode("utf-16"), "LOC.txt is UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read(lists: Path, content: Any, message: str) -> None:
    (lists / "LOC.txt").unlink()
    if content is not None:
        (lists / "LOC.txt").write_bytes(content)
    nlp = blank("elmo_ner", lists)
    with pytest.raises(ValueError, match=message):
        nlp.initialize()


def test_no_terms_and_no_gazetteer(lists: Path) -> None:
    nlp = blank("elmo_ner", lists)
    nlp.config["initialize"]["before_init"] = None
    with pytest.raises(
        ValueError, match="(?s)no terms.*initialize.before_init.*folder"
    ):
        nlp.initialize()
    with pytest.raises(ValueError, match="no Gazetteer"):
        load_gazetteer_terms(spacy.blank("en"), folder=lists)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"types": []}, "names of its lists"),
        ({"types": ["PER", "PER"]}, "each once"),
        ({"types": ["a/b"]}, "cannot have a type 'a/b'"),
        ({"types": [""]}, "cannot have a type ''"),
        ({"types": [3]}, "cannot have a type 3"),
        ({"types": ["PER"], "dropout": 1.0}, "dropout"),
    ],
)
def test_senseless_options(options: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_gazetteer_v1(**options)

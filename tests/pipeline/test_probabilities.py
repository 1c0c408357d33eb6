"""Probabilities, thresholds, labels that are dropped, and the k best readings."""

import math
from itertools import product
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from thinc.api import fix_random_seed

from spacy_elmo_ner.pipeline import elmo_ner
from spacy_elmo_ner.pipeline.readings import Reading, combine
from spacy_elmo_ner.tagger.parameters import IMPOSSIBLE
from spacy_elmo_ner.tagger.tag_schemes import TagScheme
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

# short, so that all paths can be counted out; the third has none of its own
SHORT = ["Shaka Khan", "I like Berlin", "London. Khan is it"]
TEXT = TEXTS[1][0]

Path = Tuple[float, List[Tuple[int, int, str]], Tuple[int, ...]]


@pytest.fixture(scope="module", params=["BIO", "BILUO"])
def nlp(request: Any) -> Language:
    """It has learnt a little, so that no probability is 0 or 1."""
    fix_random_seed(0)
    pipeline = spacy.blank("en")
    pipeline.add_pipe(
        "elmo_ner", config={"model": SMALL_MODEL, "tag_scheme": request.param}
    )
    train(pipeline, examples_of(pipeline), steps=20)
    return pipeline


@pytest.fixture
def ner(nlp: Language) -> Iterator[Any]:
    pipe = nlp.get_pipe("elmo_ner")
    before = {**pipe.cfg}
    yield pipe
    pipe.cfg = before


def paths_of(ner: Any, doc: Doc, temperature: float) -> List[List[Path]]:
    """All legal paths of each sentence, their probabilities, entities and tags."""
    potentials = ner.model.predict([doc])
    parameters = potentials.legal_parameters(ner.scheme)
    (sentences,) = potentials.rows.of_docs
    found = []
    for words, (first, _) in zip(sentences, potentials.rows.spans, strict=True):
        scored: List[Path] = []
        for tags in product(range(len(ner.scheme.tags)), repeat=len(words)):
            score = float(parameters.start[tags[0]] + parameters.end[tags[-1]])
            score += sum(
                float(potentials.emissions[first + i, t]) for i, t in enumerate(tags)
            )
            score += sum(
                float(parameters.transitions[a, b])
                for a, b in zip(tags, tags[1:], strict=False)
            )
            if score > IMPOSSIBLE:
                spans = [
                    (int(words[a]), int(words[b - 1]) + 1, label)
                    for a, b, label in ner.scheme.decode(tags)
                ]
                scored.append((math.exp(score / temperature), spans, tags))
        total = sum(share for share, *_ in scored)
        found.append([(share / total, spans, tags) for share, spans, tags in scored])
    return found


@pytest.mark.parametrize("temperature", [1.0, 1.7])
@pytest.mark.parametrize("text", SHORT)
def test_probabilities_are_shares_of_all_paths(
    nlp: Language, ner: Any, text: str, temperature: float
) -> None:
    ner.cfg.update(probabilities=True, temperature=temperature)
    doc = nlp(text)
    plain = nlp(text, component_cfg={"elmo_ner": {"probabilities": False}})
    assert [str(ent) for ent in doc.ents] == [str(ent) for ent in plain.ents]
    ents = {(ent.start, ent.end, ent.label_): ent._.probability for ent in doc.ents}
    token = 0
    for paths in paths_of(ner, nlp.make_doc(text), temperature):
        _, spans, tags = max(paths)
        for span in spans:
            share = sum(p for p, others, _ in paths if span in others)
            assert ents.pop(span) == pytest.approx(share, abs=1e-5)
        for place, tag in enumerate(tags):
            share = sum(p for p, _, others in paths if others[place] == tag)
            assert doc[token]._.probability == pytest.approx(share, abs=1e-5)
            token += 1
    assert not ents and token == len(doc)


def test_probabilities_are_saved_with_the_doc(nlp: Language, ner: Any) -> None:
    ner.cfg["probabilities"] = True
    doc = nlp(TEXT)
    assert doc.ents
    for again in (
        Doc(nlp.vocab).from_bytes(doc.to_bytes()),
        *nlp.pipe([TEXT], n_process=2),
    ):
        assert [e._.probability for e in again.ents] == [
            e._.probability for e in doc.ents
        ]
        assert [t._.probability for t in again] == [t._.probability for t in doc]


def test_nothing_is_known_where_nobody_asked(nlp: Language) -> None:
    doc = nlp(TEXT)
    assert doc.ents and not doc.user_data
    assert doc.ents[0]._.probability is None and doc[0]._.probability is None


def test_what_was_set_before_and_what_is_no_word_has_none(
    nlp: Language, ner: Any
) -> None:
    ner.cfg["probabilities"] = True
    doc = nlp.make_doc("I like  London")
    doc.ents = [Span(doc, 0, 1, "PRESET")]
    doc = ner(doc)
    assert [token._.probability is None for token in doc] == [True, False, True, False]
    assert doc.ents[0]._.probability is None


def test_a_token_of_a_dropped_entity_is_outside(nlp: Language, ner: Any) -> None:
    ner.cfg["probabilities"] = True
    doc = nlp(TEXT)
    token = doc.ents[0][0]
    dropped = nlp(TEXT, component_cfg={"elmo_ner": {"threshold": 1.0}})
    assert not dropped.ents
    outside = dropped[token.i]._.probability
    assert 0 < outside <= 1 - token._.probability + 1e-6


def test_probabilities_of_a_long_doc(
    nlp: Language, ner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join([TEXTS[0][0], TEXTS[1][0], TEXTS[2][0]] * 4)
    ner.cfg["probabilities"] = True
    whole = [token._.probability for token in nlp(text)]
    readings = [one.probability for one in ner.k_best([nlp.make_doc(text)], 5)[0]]
    monkeypatch.setattr(elmo_ner, "PREDICT_TOKENS", 20)
    assert [t._.probability for t in nlp(text)] == pytest.approx(whole, abs=1e-5)
    parted = ner.k_best([nlp.make_doc(text)], 5)[0]
    assert [one.probability for one in parted] == pytest.approx(readings, rel=1e-4)
    # one sentence, in parts that overlap
    (doc,) = nlp.pipe([" ".join(["I like London and Berlin"] * 12)])
    assert all(0 < token._.probability <= 1 for token in doc)
    with pytest.raises(ValueError, match="too long to be read at once"):
        ner.k_best([doc], 2)
    assert len(ner.sentence_readings([doc], 2)[0]) > 1


# which entities are kept


def labels_of(nlp: Language, text: str, **settings: Any) -> List[str]:
    component_cfg = {"elmo_ner": settings}
    (doc,) = nlp.pipe([text], component_cfg=component_cfg)
    alone = nlp(text, component_cfg=component_cfg)
    assert [str(ent) for ent in doc.ents] == [str(ent) for ent in alone.ents]
    return [ent.label_ for ent in doc.ents]


BOTH = "Who is Shaka Khan? I like London."


def test_none_in_a_call_is_the_default(nlp: Language, ner: Any) -> None:
    ner.cfg.update(threshold=1.0, allow_labels=["LOC"])
    assert labels_of(nlp, BOTH) == []
    settings = {"threshold": None, "allow_labels": None}
    assert labels_of(nlp, BOTH, **settings) == ["PERSON", "LOC"]


@pytest.mark.parametrize(
    "given, kept",
    [
        ({}, ["PERSON", "LOC"]),
        ({"allow_labels": ["LOC"]}, ["LOC"]),
        ({"allow_labels": []}, []),
        ({"deny_labels": ["LOC"]}, ["PERSON"]),
        ({"allow_labels": ["LOC"], "deny_labels": ["LOC"]}, []),
        ({"threshold": 1.0}, []),
        ({"threshold": {"PERSON": 1.0}}, ["LOC"]),
        ({"threshold": {"PERSON": 1.0, "LOC": 0.01}}, ["LOC"]),
    ],
)
def test_labels_and_thresholds(
    trained: Language, given: Dict[str, Any], kept: List[str]
) -> None:
    assert labels_of(trained, BOTH, **given) == kept
    assert labels_of(trained, BOTH) == ["PERSON", "LOC"]
    trained.get_pipe("elmo_ner").cfg.update(given)
    assert labels_of(trained, BOTH) == kept


@pytest.mark.parametrize(
    "given, words",
    [
        ({"allow_labels": ["PRESON"]}, "no label 'PRESON'; it has LOC, PERSON"),
        ({"deny_labels": ["PRESON"]}, "no label 'PRESON'"),
        ({"threshold": {"PRESON": 0.5}}, "no label 'PRESON'"),
        ({"deny_labels": "LOC"}, "set it to a list of labels"),
        ({"threshold": {"LOC": 7}}, "a number from 0 to 1"),
        ({"treshold": 0.5}, "no setting 'treshold'; its settings are threshold, "),
        ({"addresses": True}, "no setting 'addresses'"),
    ],
)
def test_a_call_that_makes_no_sense(
    trained: Language, given: Dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        labels_of(trained, BOTH, **given)


# readings


@pytest.mark.parametrize("temperature", [1.0, 1.7])
@pytest.mark.parametrize("text", SHORT)
def test_readings_are_the_best_of_all_paths(
    nlp: Language, ner: Any, text: str, temperature: float
) -> None:
    ner.cfg["temperature"] = temperature
    doc = nlp.make_doc(text)
    of_sentences = paths_of(ner, doc, temperature)
    every = sorted(
        (
            (
                math.prod(share for share, *_ in paths),
                [span for _, spans, _ in paths for span in spans],
            )
            for paths in product(*of_sentences)
        ),
        key=lambda one: -one[0],
    )
    (found,) = ner.k_best([doc], 9)
    assert [r.probability for r in found] == pytest.approx(
        [share for share, _ in every[: len(found)]], rel=1e-3
    )
    shares = {tuple(spans): share for share, spans in every}
    assert len({tuple(reading.entities) for reading in found}) == len(found) == 9
    for reading in found:
        assert reading.probability == pytest.approx(
            shares[tuple(reading.entities)], rel=1e-3
        )
        copy = reading.to_doc(doc)
        assert [(e.start, e.end, e.label_) for e in copy.ents] == reading.entities
        assert copy._.probability == reading.probability
    assert not doc.ents
    assert found[0].entities == [(e.start, e.end, e.label_) for e in nlp(text).ents]
    (sentences,) = ner.sentence_readings([doc], 2)
    for paths, readings in zip(of_sentences, sentences, strict=True):
        assert readings[0].probability == pytest.approx(max(paths)[0], rel=1e-3)


def test_there_may_be_fewer_readings(nlp: Language, ner: Any) -> None:
    (found,) = ner.k_best([nlp.make_doc("Khan")], 50)
    assert len(found) == 1 + len(ner.labels)
    assert sum(reading.probability for reading in found) == pytest.approx(1)
    assert [reading.probability for reading in ner.k_best([Doc(nlp.vocab)], 3)[0]] == [
        1
    ]
    assert ner.k_best([], 3) == []
    with pytest.raises(ValueError, match="no 0 best readings"):
        ner.k_best([nlp.make_doc("Khan")], 0)


def test_readings_keep_what_is_set(nlp: Language, ner: Any) -> None:
    doc = nlp.make_doc("I like Berlin")
    doc.ents = [Span(doc, 0, 1, "PRESET"), Span(doc, 2, 3, "LOC")]
    for reading in ner.k_best([doc], 3)[0]:
        ents = [(ent.text, ent.label_) for ent in reading.to_doc(doc).ents]
        assert {("I", "PRESET"), ("Berlin", "LOC")} <= {*ents}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.floats(-9, 0), min_size=1, max_size=4), min_size=1, max_size=4
    ),
    st.integers(1, 9),
)
def test_readings_of_sentences_are_combined_exactly(
    scores: List[List[float]], k: int
) -> None:
    doc = Doc(spacy.blank("en").vocab, words=["a"] * len(scores))
    sentences = [
        [
            Reading(i, i + 1, [(i, i + 1, str(j))], score)
            for j, score in enumerate(sorted(of_sentence, reverse=True)[:k])
        ]
        for i, of_sentence in enumerate(scores)
    ]
    every = sorted((sum(path) for path in product(*scores)), reverse=True)
    found = combine(doc, sentences, k)
    assert [r.log_probability for r in found] == pytest.approx(every[:k])
    for reading in found:
        chosen = [sentences[i][int(label)] for i, _, label in reading.entities]
        assert reading.log_probability == pytest.approx(
            sum(one.log_probability for one in chosen)
        )
    assert len({tuple(reading.entities) for reading in found}) == len(found)


def test_a_scheme_has_one_path_for_each_reading() -> None:
    """Else the probability of a reading would be a sum over paths."""
    for name in ("BIO", "BILUO"):
        scheme = TagScheme(name, ("A", "B"))
        legal = torch.from_numpy(scheme.legal_transitions)
        found = [
            tuple(scheme.decode(path))
            for path in product(range(len(scheme.tags)), repeat=3)
            if scheme.legal_start[path[0]] and scheme.legal_end[path[-1]]
            if all(legal[a, b] for a, b in zip(path, path[1:], strict=False))
        ]
        assert len(found) == len(set(found))

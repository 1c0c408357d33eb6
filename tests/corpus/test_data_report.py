"""What is reported of corpora: what spaCy's `debug data` counts, and brute force."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple, Union

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.cli.debug_data import _compile_gold
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vectors import Vectors

from spacy_elmo_ner.corpus.data_report import DataReport, count_corpus, report_data
from spacy_elmo_ner.corpus.name_uses import contradictory_sentences, count_name_uses
from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1
from spacy_elmo_ner.text.annotated_labels import set_annotated_labels

VOCAB = spacy.blank("en").vocab


def example(
    words: str,
    tags: Optional[str] = None,
    *,
    second_start: Optional[int] = None,
    predicted: Optional[str] = None,
) -> Example:
    split = words.split(" ")
    starts: List[Optional[Union[bool, int]]] = [
        i in (0, second_start) for i in range(len(split))
    ]
    gold = Doc(
        VOCAB, words=split, sent_starts=starts, ents=tags.split() if tags else None
    )
    return Example(Doc(VOCAB, words=(predicted or words).split(" ")), gold)


def kinds(report: DataReport) -> Dict[str, int]:
    return Counter(problem.kind for problem in report.problems)


def test_counts() -> None:
    corpus = [
        example("Ada met Bo . Hi !", "B-PER O B-PER O O O", second_start=4),
        example("not annotated"),
        # the entity "Oslo" is not a token of the pipeline's
        example("in Oslo now", "O B-LOC O", predicted="inOslo now"),
    ]
    facts = count_corpus(corpus)
    assert (facts.docs, facts.sentences, facts.tokens, facts.words) == (3, 4, 11, 11)
    assert facts.labels == {"PER": 2, "LOC": 1}
    assert facts.unknown == 2 + 1
    assert kinds(report_data(corpus, corpus))["misaligned"] == 2


def test_what_a_corpus_does_not_annotate_contradicts_nothing() -> None:
    def corpus(labels: Optional[List[str]]) -> List[Example]:
        full = example("Ada left Oslo .", "B-PER O B-LOC O")
        half = example("Ada left Oslo .", "B-PER O O O")
        if labels == ["LOC"]:
            half.reference.set_ents([], default="outside")
        set_annotated_labels(half.reference, labels)
        return [full, half]

    partial = report_data(corpus(["PER"]), corpus(None))
    assert "1 Docs annotate PER alone" in partial.to_text()
    assert partial.train.partial == {"PER": 1} and not partial.dev.partial
    whole = report_data(corpus(None), corpus(None))
    for kind in ("contradictory_sentence", "also_outside"):
        assert kinds(whole)[kind] == 1
    assert kinds(partial)["also_outside"] == 0
    uses = count_name_uses([one.reference for one in corpus(["LOC"])])
    assert uses["Oslo",].outside == 1


def test_a_clean_corpus_has_no_problems() -> None:
    train = [
        (
            example(f"Ada met Bo {i} .", "B-PER O B-PER O O")
            if i % 2
            else example("a", "O")
        )
        for i in range(2000)
    ]
    dev = [example("Cy met Bo", "B-PER O B-PER")]
    report = report_data(train, dev)
    assert report.problems == []
    assert report.seen == {"PER": 1}
    assert report.to_text().splitlines()[3:] == [
        "label    training  development    seen",
        "PER         2,000            2     50%",
    ]


def test_each_problem_is_named() -> None:
    train = [
        example("Ada Bo met", "B-PER I-PER O", second_start=1),
        example("\n Oslo", "B-LOC I-LOC"),
        example("this long sentence is in both", "O O O O O O"),
        example("Oslo said so", "B-ORG O O"),
        example("Oslo said so", "O O O"),
        example("Oslo said no", "B-LOC O O"),
    ]
    dev = [example("this long sentence is in both", "O O O O O B-B-PER")]
    vectors = Vectors(shape=(1, 2))
    vectors.add(VOCAB.strings.add("oslo"), vector=np.ones(2, dtype="f"))
    report = report_data(train, dev, labels=["PER", "GPE"], vectors=vectors)
    text = report.to_text()
    for part in (
        "The label PER has only 1 training examples.",
        "The label B-PER looks like a tag",
        "The label B-PER is in the development corpus only.",
        "The label ORG is in the training corpus only.",
        "The label GPE of the component is in no corpus.",
        "The training corpus has only 7 sentences",
        "1 entities of the training corpus run past the end of a sentence, for "
        "instance: 'Ada Bo' (PER)",
        "begin or end with white space, for instance: '\\n Oslo' (LOC)",
        "2 sentences occur with different entities, for instance: this long sentence is "
        "in both; Oslo said so",
        "1 names of the training corpus have more than one label, for instance: 'Oslo' "
        "(LOC 1, ORG 1, no entity 1)",
        "1 names of the training corpus are also outside entities",
        "1 whole texts are in both corpora",
        "1 sentences of five words or more are in both corpora, for instance: this long "
        "sentence is in both",
        "16 tokens of the training corpus (80.0%) have no vector, for instance: 'said' (3)",
    ):
        assert part in text, part
    assert (
        json.loads(json.dumps(report.to_dict()))["problems"][0]["kind"]
        == "tag_as_label"
    )
    everywhere = report_data([example("Ada met", "B-PER O")] * 3, dev)
    assert (
        "Every training sentence has an entity of the label PER" in everywhere.to_text()
    )


def test_empty_corpora_and_corpora_without_entities() -> None:
    bare = [example("no names here", "O O O")]
    found = [p.message for p in report_data(bare, bare).problems]
    assert found[:2] == [
        "The training corpus has no entities",
        "The development corpus has no entities",
    ]
    with pytest.raises(ValueError, match="The development corpus has no words"):
        report_data(bare, [])


words_and_tags = st.lists(
    st.tuples(
        st.sampled_from("ab\n"),
        st.sampled_from("O B-X I-X B-Y I-Y".split()),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def make_docs(corpus: List[List[Tuple[str, str, bool]]]) -> List[Doc]:
    docs = []
    for rows in corpus:
        tags = [tag for _, tag, _ in rows]
        for i, tag in enumerate(tags):
            if tag[0] == "I" and (i == 0 or tags[i - 1][1:] != tag[1:]):
                tags[i] = "B" + tag[1:]
        starts: List[Optional[Union[bool, int]]] = [
            i == 0 or r[2] for i, r in enumerate(rows)
        ]
        words = [word for word, _, _ in rows]
        docs.append(Doc(VOCAB, words=words, ents=tags, sent_starts=starts))
    return docs


@settings(deadline=None)
@given(st.lists(words_and_tags, min_size=1, max_size=5))
def test_names_and_contradictions_by_brute_force(
    corpus: List[List[Tuple[str, str, bool]]],
) -> None:
    docs = make_docs(corpus)
    labels: Set[Tuple[str, str]] = set()
    counts = Counter[Tuple[str, str]]()
    places: Set[Tuple[str, str]] = set()
    sentences = []
    for doc in docs:
        for ent in doc.ents:
            counts[" ".join(t.text for t in ent), ent.label_] += 1
        for sent in doc.sents:
            tags = [(t.ent_iob_, t.ent_type_) for t in sent]
            sentences.append(([t.text for t in sent], tags))
            for i, j in combinations(range(len(sent) + 1), 2):
                if all(t.ent_iob_ == "O" for t in sent[i:j]):
                    places.add((" ".join(t.text for t in sent[i:j]), ""))
                    counts[" ".join(t.text for t in sent[i:j]), ""] += 1
    labels = {key for key in counts if key[1]}
    found = {
        (" ".join(name), label): n
        for name, use in count_name_uses(docs).items()
        for label, n in {**use.labels, "": use.outside}.items()
        if n
    }
    names = {name for name, _ in labels}
    assert found == {key: n for key, n in counts.items() if key[0] in names}
    wanted = {
        tuple(a[0])
        for a, b in combinations(sentences, 2)
        if a[0] == b[0] and a[1] != b[1]
    }
    assert {*contradictory_sentences(docs)} == wanted


@settings(deadline=None)
@given(st.lists(words_and_tags, min_size=1, max_size=5))
def test_spacys_debug_data_counts_the_same(
    corpus: List[List[Tuple[str, str, bool]]],
) -> None:
    nlp = spacy.blank("en", vocab=VOCAB)
    examples = [Example(doc.copy(), doc) for doc in make_docs(corpus)]
    theirs = _compile_gold(examples, ["ner"], nlp, make_proj=False)
    report = report_data(examples, examples)
    assert report.train.labels == dict(theirs["ner"])
    assert report.train.tokens == theirs["n_words"]
    assert report.train.words == len(theirs["words"])
    found = kinds(report)
    assert bool(found.get("white_space")) == bool(theirs["ws_ents"])
    assert bool(found.get("crosses_sentences")) == bool(theirs["boundary_cross_ents"])


def test_all_of_conll(shared_data: Path) -> None:
    nlp = spacy.blank("en")
    train, dev = (
        list(create_conll_corpus_v1(path=shared_data / "conll2003" / name)(nlp))
        for name in ("eng.train", "eng.testa")
    )
    report = report_data(train, dev)
    assert (report.train.sentences, report.train.tokens) == (14_041, 203_621)
    surfaces = {ent.text for one in train for ent in one.reference.ents}
    seen = Counter(
        ent.label_ for one in dev for ent in one.reference.ents if ent.text in surfaces
    )
    assert report.seen == dict(seen)

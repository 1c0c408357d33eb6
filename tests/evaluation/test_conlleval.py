"""The scorer's own output, and what its rules say by brute force."""

from collections import Counter
from itertools import product
from pathlib import Path
from typing import List, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.evaluation.conlleval import count_phrases
from spacy_elmo_ner.evaluation.precision_recall import Counts
from spacy_elmo_ner.evaluation.scorer_file import (
    ScoredSentence,
    write_scorer_file,
)
from tests.scorer_files import read_scorer_file

CASES = [
    "errors_iob1",
    "errors_iob2",
    "gold_without_entities",
    "invalid_sequences_iob2",
    "nothing_found",
    "perfect_iob2",
    "unknown_type",
]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
VOCAB = Vocab()

Phrase = Tuple[int, int, str]


@pytest.mark.parametrize("name", CASES)
def test_output_equals_the_scorers_to_the_letter(shared_data: Path, name: str) -> None:
    folder = shared_data / "conlleval_cases"
    sentences = read_scorer_file(folder / f"{name}.txt")
    counts = count_phrases((s.gold, s.guess) for s in sentences)
    assert counts.to_text() == (folder / f"{name}.expected").read_text()


def test_no_case_is_forgotten(shared_data: Path) -> None:
    found = {path.stem for path in (shared_data / "conlleval_cases").glob("*.txt")}
    assert found == set(CASES)


def test_nothing_at_all() -> None:
    text = count_phrases([]).to_text()
    assert text == "processed 0 tokens with 0 phrases; found: 0 phrases; correct: 0.\n"
    counts = count_phrases([])
    assert counts.to_dict()["f1"] == counts.to_dict()["accuracy"] == 0.0


def phrases(tags: List[str]) -> Set[Phrase]:
    """Every span that has a phrase's beginning, inside and end, by trying them all."""

    def joined(i: int) -> bool:
        """Token i belongs to the phrase of the token before it."""
        inside = 0 < i < len(tags) and tags[i].startswith("I-")
        return inside and tags[i - 1][1:] == tags[i][1:]

    return {
        (i, j, tags[i][2:])
        for i, j in product(range(len(tags)), range(1, len(tags) + 1))
        if i < j and tags[i] != "O" and not joined(i) and not joined(j)
        if all(joined(k) for k in range(i + 1, j))
    }


sequences = st.lists(st.sampled_from(TAGS), max_size=8)
pairs = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=8)


@settings(deadline=None)
@given(corpus=st.lists(pairs, max_size=5))
def test_any_tags_against_brute_force(corpus: List[List[Tuple[str, str]]]) -> None:
    gold, found, correct = Counter[str](), Counter[str](), Counter[str]()
    sentences = []
    for rows in corpus:
        left, right = [a for a, _ in rows], [b for _, b in rows]
        sentences.append((left, right))
        gold.update(label for *_, label in phrases(left))
        found.update(label for *_, label in phrases(right))
        correct.update(label for *_, label in phrases(left) & phrases(right))
    counts = count_phrases(sentences)
    assert counts.types == {
        label: Counts(gold[label], found[label], correct[label])
        for label in ("LOC", "PER")
        if gold[label] or found[label]
    }
    rows = [row for rows in corpus for row in rows]
    assert counts.tokens == len(rows)
    assert counts.correct_tags == sum(a == b for a, b in rows)


def legal(tags: List[str]) -> List[str]:
    """IOB2 from any tags: an I- that continues nothing becomes a B-."""
    out: List[str] = []
    for tag in tags:
        stray = tag.startswith("I-") and (not out or out[-1][1:] != tag[1:])
        out.append("B" + tag[1:] if stray else tag)
    return out


@settings(deadline=None)
@given(corpus=st.lists(pairs.filter(bool), min_size=1, max_size=5))
def test_legal_tags_against_spacys_scorer(corpus: List[List[Tuple[str, str]]]) -> None:
    sentences = []
    examples = []
    for rows in corpus:
        gold, guess = (legal(list(tags)) for tags in zip(*rows, strict=True))
        words = ["w"] * len(rows)
        docs = (Doc(VOCAB, words=words, ents=tags) for tags in (guess, gold))
        examples.append(Example(*docs))
        sentences.append((gold, guess))
    counts = count_phrases(sentences)
    scores = get_ner_prf(examples)
    if not counts.types:
        assert scores["ents_f"] is None or scores["ents_f"] == 0.0
        return
    ours = counts.to_dict()
    for name, theirs in (("precision", "p"), ("recall", "r"), ("f1", "f")):
        assert ours[name] == pytest.approx(scores[f"ents_{theirs}"], abs=1e-9)
        for label, of_label in scores["ents_per_type"].items():
            assert ours["types"][label][name] == pytest.approx(of_label[theirs])


def test_scorer_files_keep_the_tags(tmp_path: Path) -> None:
    path = tmp_path / "file"
    sentences = [
        ScoredSentence(["New York", "\n"], ["B-LOC", "O"], ["O", "I-LOC"]),
        ScoredSentence(["a"], ["O"], ["O"]),
    ]
    write_scorer_file(sentences, path)
    assert path.read_text() == "New_York B-LOC O\n_ O I-LOC\n\na O O\n\n"
    assert read_scorer_file(path) == [
        sentences[0]._replace(words=["New_York", "_"]),
        sentences[1],
    ]


def test_sequences_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError):
        count_phrases([(["O", "O"], ["O"])])

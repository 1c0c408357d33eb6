from typing import List, Optional, Union

import pytest
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.audit import count_corpus, find_problems


@pytest.fixture(scope="module")
def vocab() -> Vocab:
    return Vocab()


def example(
    vocab: Vocab,
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
        vocab, words=split, sent_starts=starts, ents=tags.split() if tags else None
    )
    return Example(Doc(vocab, words=(predicted or words).split(" ")), gold)


def test_counts(vocab: Vocab) -> None:
    corpus = [
        example(vocab, "Ada met Bo . Hi !", "B-PER O B-PER O O O", second_start=4),
        example(vocab, "not annotated"),
        # the entity "Oslo" is not a token of the pipeline's
        example(vocab, "in Oslo now", "O B-LOC O", predicted="inOslo now"),
    ]
    facts = count_corpus(corpus)
    assert facts.docs == 3
    assert facts.sentences == 4
    assert facts.tokens == 11
    assert facts.labels == {"PER": 2, "LOC": 1}
    assert facts.unknown == 2 + 1


def test_clean_corpora_have_no_problems(vocab: Vocab) -> None:
    train = [example(vocab, f"Ada met Bo {i} .", "B-PER O B-PER O O") for i in range(9)]
    dev = [example(vocab, "Cy met Bo", "B-PER O B-PER")]
    assert find_problems(train, dev) == []


def test_each_problem_is_named(vocab: Vocab) -> None:
    train = [
        example(vocab, "Ada Bo met", "B-PER I-PER O", second_start=1),
        example(vocab, "\n Oslo", "B-LOC I-LOC"),
        example(vocab, "this long sentence is in both", "O O O O O O"),
    ]
    dev = [
        example(vocab, "this long sentence is in both", "O O O O O B-B-PER"),
    ]
    problems = find_problems(train, dev)
    for part in (
        "label PER has only 1 training examples",
        "label LOC has only 1 training examples",
        "label B-PER looks like a tag",
        "label B-PER is in the development corpus only",
        "1 entities of the training corpus run over the end of a sentence, for "
        "instance: 'Ada Bo'",
        r"begin or end with white space, for instance: '\n Oslo'",
        "both corpora, for instance: this long sentence is in both",
    ):
        assert any(part in problem for problem in problems), part
    assert len(problems) == 7


def test_missing_entities_are_a_problem(vocab: Vocab) -> None:
    empty = [example(vocab, "no names here", "O O O")]
    assert find_problems(empty, empty) == [
        "The training corpus has no entities.",
        "The development corpus has no entities.",
    ]

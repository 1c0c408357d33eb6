"""The kinds of errors against conlleval's counts and brute force over all spans."""

import json
from collections import Counter
from typing import List, Optional, Set, Tuple, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.name_uses import names_of
from spacy_elmo_ner.evaluation.error_tables import errors_as_text
from spacy_elmo_ner.evaluation.errors import ErrorReport, find_errors
from spacy_elmo_ner.evaluation.precision_recall import Counts
from spacy_elmo_ner.evaluation.report import report_docs
from spacy_elmo_ner.pipeline.extensions import register_extensions

VOCAB = Vocab()
Column = List[str]
tag = st.sampled_from("O B-X I-X B-Y I-Y".split())
texts = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), tag, tag, st.booleans()), max_size=8),
    max_size=3,
)


def make_doc(words: Column, tags: Column, starts: List[bool]) -> Doc:
    legal = list(tags)
    for i, one in enumerate(tags):
        if one[0] == "I" and (i == 0 or legal[i - 1][1:] != one[1:]):
            legal[i] = "B" + one[1:]
    sent_starts: List[Optional[Union[bool, int]]] = list(starts)
    return Doc(VOCAB, words=words, ents=legal, sent_starts=sent_starts)


def tokens_of(entity: Tuple[int, int, str]) -> Set[int]:
    return set(range(entity[0], entity[1]))


@settings(deadline=None)
@given(texts, st.sets(st.sampled_from(["a", "b", "a b", "c a"])))
def test_each_entity_is_in_one_pair_and_counts_are_conllevals(
    corpus: List[List[Tuple[str, str, str, bool]]], known: Set[str]
) -> None:
    docs: Tuple[List[Doc], List[Doc]] = ([], [])
    for rows in corpus:
        starts = [i == 0 or row[3] for i, row in enumerate(rows)]
        for side in (0, 1):
            words = [row[0] for row in rows]
            docs[side].append(make_doc(words, [row[1:3][side] for row in rows], starts))
    report = find_errors(*docs, known={tuple(name.split()) for name in known})
    types = report_docs(*docs).conlleval.types
    assert report.labels == sorted(types)
    for label, counts in types.items():
        row = sum(n for (gold, _), n in report.confusion.items() if gold == label)
        column = sum(n for (_, guess), n in report.confusion.items() if guess == label)
        assert (row, column) == (counts.gold, counts.found)
        kinds = report.kinds[label]
        assert kinds["correct"] == counts.correct
        assert sum(kinds.values()) - kinds["spurious"] == counts.gold
    check_pairs(report)
    check_novelty(report, known)


def check_pairs(report: ErrorReport) -> None:
    """Brute force over all couples of entities of a sentence."""
    places = {(pair.doc, pair.sentence) for pair in report.pairs}
    for place in places:
        pairs = [pair for pair in report.pairs if (pair.doc, pair.sentence) == place]
        golds = [pair.gold for pair in pairs if pair.gold]
        guesses = [pair.guess for pair in pairs if pair.guess]
        kinds = Counter(pair.kind for pair in pairs)
        assert kinds["correct"] == len({*golds} & {*guesses})
        same_words = {g[:2] for g in golds} & {g[:2] for g in guesses}
        assert kinds["label"] == len(same_words) - kinds["correct"]
        for pair in pairs:
            if pair.gold and pair.guess:
                assert tokens_of(pair.gold) & tokens_of(pair.guess)
                same = pair.gold.label == pair.guess.label
                assert (pair.kind in ("correct", "boundary")) == same
        missed = [pair.gold for pair in pairs if pair.gold and not pair.guess]
        spurious = [pair.guess for pair in pairs if pair.guess and not pair.gold]
        # none is left that could have been paired
        assert not any(tokens_of(m) & tokens_of(s) for m in missed for s in spurious)


def check_novelty(report: ErrorReport, known: Set[str]) -> None:
    counts = {"seen": [0, 0, 0], "unseen": [0, 0, 0]}
    for number, gold in enumerate(report.gold):
        of_doc = [pair for pair in report.pairs if pair.doc == number]
        golds = [pair.gold for pair in of_doc if pair.gold]
        guesses = [pair.guess for pair in of_doc if pair.guess]
        for i, entities in enumerate((golds, guesses, {*golds} & {*guesses})):
            for entity in entities:
                text = " ".join(gold[j].text for j in range(*entity[:2]))
                counts["seen" if text in known else "unseen"][i] += 1
    assert report.by_novelty == {name: Counts(*row) for name, row in counts.items()}


WORDS = "Ada Lee of New York Times met Bo in Rome".split()
GOLD = "B-PER I-PER O B-LOC I-LOC B-ORG O B-PER O B-LOC".split()
GUESS = "B-PER O B-MISC B-ORG I-ORG I-ORG O B-LOC O O".split()
STARTS = [i == 0 for i in range(len(WORDS))]


def test_tables_and_the_most_confident_mistakes() -> None:
    gold, guess = (make_doc(WORDS, tags, STARTS) for tags in (GOLD, GUESS))
    register_extensions()
    for ent, probability in zip(guess.ents, [0.6, 0.7, 0.9, 0.8], strict=True):
        ent._.probability = probability
    train = make_doc(
        ["Bo", "in", "Rome"], ["B-LOC", "O", "B-LOC"], [True, False, False]
    )
    report = find_errors([gold], [guess], known=names_of([train]))
    assert errors_as_text(report) == ("""\
gold, and predicted as  LOC  MISC  ORG  PER  no entity  all
LOC                       ·     ·    ·    ·          2    2
MISC                      ·     ·    ·    ·          ·    0
ORG                       ·     ·    1    ·          ·    1
PER                       1     ·    ·    1          ·    2
no entity                 ·     1    ·    ·          ·    1
all                       1     1    1    1          2    6

errors  correct  label  boundary  label and boundary  missed  spurious
LOC           ·      ·         ·                   ·       2         ·
MISC          ·      ·         ·                   ·       ·         1
ORG           ·      ·         1                   ·       ·         ·
PER           ·      1         1                   ·       ·         ·
all           0      1         2                   0       2         1

names in training  precision  recall    F1  gold  found  correct
seen                    0.00    0.00  0.00     2      1        0
unseen                  0.00    0.00  0.00     3      3        0

Most confident mistakes (6 of 6)
  0.9000  New York Times (ORG) is Times (ORG)  |  CONTEXT
  0.8000  Bo (LOC) is Bo (PER)  |  CONTEXT
  0.7000  of (MISC) is no entity  |  CONTEXT
  0.6000  Ada (PER) is Ada Lee (PER)  |  CONTEXT
  New York (LOC) is missed  |  CONTEXT
  Rome (LOC) is missed  |  CONTEXT
""".replace("CONTEXT", " ".join(WORDS)))
    first = json.loads(json.dumps(report.to_dict()))["mistakes"][0]
    assert first == {
        "kind": "boundary",
        "probability": 0.9,
        "doc": 0,
        "sentence": 0,
        "gold": {"start": 5, "end": 6, "label": "ORG", "text": "Times"},
        "predicted": {"start": 3, "end": 6, "label": "ORG", "text": "New York Times"},
        "context": " ".join(WORDS),
    }


def test_docs_that_cannot_be_compared() -> None:
    doc = make_doc(WORDS, GOLD, STARTS)
    with pytest.raises(ValueError, match="have no entity annotation"):
        find_errors([Doc(VOCAB, words=WORDS)], [doc])
    with pytest.raises(ValueError, match="1 gold Docs, but 0 predicted"):
        find_errors([doc], [])

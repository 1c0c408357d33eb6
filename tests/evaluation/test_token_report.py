from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.evaluation.token_report import report_tokens

TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "B-MISC"]
tokens = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=25)


def divide(a: float, b: float) -> float:
    return a / b if b else 0.0


@settings(deadline=None)
@given(tokens=tokens, cut=st.integers(0, 25))
def test_against_an_independent_count(tokens: List[Tuple[str, str]], cut: int) -> None:
    halves = (tokens[:cut], tokens[cut:])
    rows = report_tokens(
        ([gold for gold, _ in half], [guess for _, guess in half]) for half in halves
    ).rows()
    tags = sorted({tag for pair in tokens for tag in pair if tag != "O"})
    assert list(rows) == [*tags, "micro avg", "macro avg", "weighted avg"]
    precisions, recalls, f1s, supports = [], [], [], []
    for tag in tags:
        true = sum(gold == guess == tag for gold, guess in tokens)
        false = sum(guess == tag != gold for gold, guess in tokens)
        missed = sum(gold == tag != guess for gold, guess in tokens)
        precisions.append(divide(true, true + false))
        recalls.append(divide(true, true + missed))
        f1s.append(divide(2 * true, 2 * true + false + missed))
        supports.append(true + missed)
        row = (precisions[-1], recalls[-1], f1s[-1], supports[-1])
        assert rows[tag] == pytest.approx(row)
    found = [(a, b) for a, b in tokens if b != "O"]
    wanted = [(a, b) for a, b in tokens if a != "O"]
    p = divide(sum(a == b for a, b in found), len(found))
    r = divide(sum(a == b for a, b in wanted), len(wanted))
    support = len(wanted)
    assert rows["micro avg"] == pytest.approx((p, r, divide(2 * p * r, p + r), support))
    columns = (precisions, recalls, f1s)
    macro = [divide(sum(column), len(tags)) for column in columns]
    assert rows["macro avg"] == pytest.approx((*macro, support))
    weighted = [
        divide(sum(x * n for x, n in zip(column, supports, strict=True)), support)
        for column in columns
    ]
    assert rows["weighted avg"] == pytest.approx((*weighted, support))


def test_text_says_what_the_dict_says() -> None:
    report = report_tokens([(["B-PER", "I-PER", "O"], ["B-PER", "O", "B-LOC"])])
    lines = [line.rsplit(maxsplit=4) for line in report.to_text().split("\n") if line]
    assert lines[0] == ["precision", "recall", "F1", "support"]
    rows = {name.strip(): values for name, *values in lines[1:]}
    assert list(rows) == list(report.to_dict())
    for name, row in report.to_dict().items():
        scores = [f"{row[key]:.4f}" for key in ("precision", "recall", "f1")]
        assert rows[name] == [*scores, str(row["support"])]
    widths = {len(line) for line in report.to_text().split("\n") if line}
    assert len(widths) == 1


def test_without_any_entity() -> None:
    report = report_tokens([(["O"], ["O"])])
    assert list(report.rows()) == ["micro avg", "macro avg", "weighted avg"]
    assert "micro avg     0.0000" in report.to_text()

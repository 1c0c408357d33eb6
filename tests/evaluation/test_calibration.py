import math
from typing import Any, List, Tuple

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.evaluation.calibration import (
    Bin,
    bins_of,
    expected_calibration_error,
    log_loss,
    risk_coverage_area,
)
from spacy_elmo_ner.evaluation.guesses import Guess, compare
from spacy_elmo_ner.evaluation.temperature import fit_temperature
from spacy_elmo_ner.evaluation.thresholds import Threshold, thresholds_for
from spacy_elmo_ner.text.annotated_labels import set_annotated_labels

Outcomes = List[Tuple[float, bool]]

outcomes = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def test_by_hand() -> None:
    probabilities, right = [0.95, 0.1, 0.9, 0.5, 1.0], [True, False, False, True, True]
    bins = bins_of(probabilities, right, 2)
    expected = [Bin(1, 0.1, 0.0), Bin(4, 3.35 / 4, 0.75)]
    assert [pytest.approx(one) for one in expected] == bins
    # (1 · |0.1 - 0| + 4 · |0.8375 - 0.75|) / 5
    assert expected_calibration_error(bins) == pytest.approx(0.09)
    halves = bins_of(probabilities, right, 2, equal_mass=True)
    assert [one.size for one in halves] == [3, 2]
    # (3 · |0.5 - 1/3| + 2 · |0.975 - 1|) / 5
    assert expected_calibration_error(halves) == pytest.approx(0.11)
    # wrong among the first 1, 2, 3, 4, 5: 0, 0, 1, 1, 2
    assert risk_coverage_area(probabilities, right) == pytest.approx(
        (0 + 0 + 1 / 3 + 1 / 4 + 2 / 5) / 5
    )
    assert log_loss([0.5, 0.25], [True, False]) == pytest.approx(
        -(math.log(0.5) + math.log(0.75)) / 2
    )


@given(outcomes, st.integers(1, 20))
def test_bins_of_equal_width(found: Outcomes, n_bins: int) -> None:
    probabilities, right = zip(*found, strict=True)
    total = 0.0
    for i in range(n_bins):
        inside = [
            (p, y)
            for p, y in found
            if i / n_bins <= p and (p < (i + 1) / n_bins or i == n_bins - 1)
        ]
        total += abs(sum(p - y for p, y in inside))
    bins = bins_of(probabilities, right, n_bins)
    assert expected_calibration_error(bins) == pytest.approx(
        total / len(found), abs=1e-9
    )


@given(outcomes, st.integers(1, 20), st.booleans())
def test_an_error_is_between_the_gap_of_all_and_one(
    found: Outcomes, n_bins: int, equal_mass: bool
) -> None:
    probabilities, right = zip(*found, strict=True)
    bins = bins_of(probabilities, right, n_bins, equal_mass=equal_mass)
    assert sum(one.size for one in bins) == len(found)
    gap = abs(np.mean(probabilities) - np.mean(right))
    assert gap - 1e-9 <= expected_calibration_error(bins) <= 1
    if equal_mass:
        counts = [one.size for one in bins]
        assert max(counts) - min(counts) <= 1


@given(outcomes)
def test_the_area_is_least_where_all_right_ones_come_first(found: Outcomes) -> None:
    probabilities, right = zip(*found, strict=True)
    best = risk_coverage_area([float(one) for one in right], right)
    assert best - 1e-12 <= risk_coverage_area(probabilities, right) <= 1


def test_the_temperature_of_made_outcomes_is_found() -> None:
    """Outcomes are drawn at probabilities whose logits were multiplied by 1.6."""
    random = np.random.default_rng(0)
    logits = random.normal(2, 2, 20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-logits))

    def guess(temperature: float) -> List[Guess]:
        values = 1 / (1 + np.exp(-1.6 * logits / temperature))
        return [Guess(0, "A", p, y) for p, y in zip(values, right, strict=True)]

    assert fit_temperature(guess) == pytest.approx(1.6, abs=0.05)


@pytest.mark.parametrize("right", [[], [True, True], [False]])
def test_a_temperature_needs_right_and_wrong_ones(right: List[bool]) -> None:
    with pytest.raises(ValueError, match=f"^{len(right)} entities .*Give more data"):
        fit_temperature(lambda temperature: [Guess(0, "A", 0.5, y) for y in right])


def test_thresholds_by_hand() -> None:
    found = [(0.9, True), (0.8, True), (0.7, False), (0.7, True), (0.2, False)]
    guesses = [Guess(0, "A", *one) for one in found] + [Guess(0, "B", 0.9, False)]
    assert thresholds_for(guesses, 0.75) == {
        "A": Threshold(0.7, 4, 3),
        "B": Threshold(1.0, 0, 0),
    }
    assert thresholds_for(guesses, 1.0)["A"] == Threshold(0.8, 2, 2)
    assert thresholds_for(guesses, 0.0)["A"] == Threshold(0.2, 5, 3)


@given(outcomes, st.floats(0, 1))
def test_no_lower_threshold_is_as_precise(found: Outcomes, precision: float) -> None:
    guesses = [Guess(0, "A", *one) for one in found]
    value, kept, right = thresholds_for(guesses, precision)["A"]

    def at(threshold: float) -> Any:
        hits = [one.is_right for one in guesses if one.probability >= threshold]
        return len(hits), sum(hits)

    if kept:
        assert at(value) == (kept, right) and right >= precision * kept
    for p, _ in found:
        n_kept, n_right = at(p)
        assert p >= value or n_right < precision * n_kept


def test_what_the_gold_does_not_say_is_left_out() -> None:
    vocab = spacy.blank("en").vocab
    words = ["Ann", "met", "Bo", "in", "Rome"]
    gold = Doc(vocab, words=words)
    gold.set_ents([Span(gold, 0, 1, "PER")], missing=[gold[2:3]])
    example = Example(Doc(vocab, words=words), gold)
    spans = [(0, 1, "PER"), (0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")]
    assert compare([example], [(spans, [0.9, 0.8, 0.7, 0.6])]) == [
        Guess(0, "PER", 0.9, True),
        Guess(0, "PER", 0.8, False),
        Guess(0, "LOC", 0.6, False),
    ]
    # of a LOC this gold says nothing
    set_annotated_labels(gold, ["PER"])
    assert compare([example], [(spans, [0.9, 0.8, 0.7, 0.6])]) == [
        Guess(0, "PER", 0.9, True),
        Guess(0, "PER", 0.8, False),
    ]

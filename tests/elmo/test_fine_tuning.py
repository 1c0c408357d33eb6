from typing import Callable, Dict

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import SGD, Adam, RAdam

from tests.elmo.conftest import Elmo

RATE, EVERY, WARMUP = 0.1, 3, 4
LAST, FIRST, CHARACTERS = "layers.1.", "layers.0.", "char_cnn."


def fine_tuning(**settings: float) -> Callable[..., None]:
    found: Callable[..., None] = registry.callbacks.get(
        "spacy_elmo_ner.ElmoFineTuning.v1"
    )(**settings)
    return found


def moved(nlp: Language) -> Dict[str, np.ndarray]:
    """How far an update by plain gradient descent moves each weight, which are put back."""
    model: Elmo = nlp.get_pipe("tok2vec").model
    module = model.shims[0].module
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    docs = [Doc(nlp.vocab, words=["My", "name", "is", "John"])]
    vectors, backprop = model.begin_update(docs)
    backprop([np.ones_like(one) for one in vectors])
    model.finish_update(SGD(1.0, L2=0.0, grad_clip=0.0))
    moves = {}
    for name, value in module.named_parameters():
        moves[name] = (value.detach() - before[name]).numpy().copy()
        value.data.copy_(before[name])
    return moves


def test_parts_begin_from_above_and_end_at_the_rate(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(frozen=False)
    at_full_rate = moved(nlp)
    set_rates = fine_tuning(rate=RATE, unfreeze_every=EVERY, warmup=WARMUP)
    for step in range(3 * EVERY + WARMUP + 2):
        set_rates(nlp, {"step": step, "epoch": 0})
        for name, move in moved(nlp).items():
            rate = 1.0
            for part, place in enumerate((LAST, FIRST, CHARACTERS), 1):
                if place in name:
                    since = step - part * EVERY + 1
                    rate = RATE * min(max(since, 0), WARMUP) / WARMUP
            expected = rate * at_full_rate[name]
            np.testing.assert_allclose(move, expected, rtol=1e-4, atol=1e-7)
    assert all(abs(move).max() > 0 for move in moved(nlp).values())


def test_without_waiting_all_of_it_learns_at_once(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(frozen=False)
    before = moved(nlp)
    fine_tuning(rate=1.0, unfreeze_every=0, warmup=0)(nlp, {"step": 0})
    for name, move in moved(nlp).items():
        np.testing.assert_array_equal(move, before[name])


def test_the_average_of_a_part_begins_with_its_weights(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(frozen=False)
    model: Elmo = nlp.get_pipe("tok2vec").model
    optimizer = Adam(0.001, use_averages=True)
    set_rates = fine_tuning(rate=RATE, unfreeze_every=EVERY, warmup=0)
    docs = [Doc(nlp.vocab, words=["My", "name", "is", "John"])]
    for step in range(3 * EVERY + 1):
        set_rates(nlp, {"step": step})
        vectors, backprop = model.begin_update(docs)
        backprop([np.ones_like(one) for one in vectors])
        model.finish_update(optimizer)
    weights = {
        name: value.detach().numpy().copy()
        for name, value in model.shims[0].module.named_parameters()
    }
    with model.use_params(optimizer.averages):
        for name, average in model.shims[0].module.named_parameters():
            if CHARACTERS in name:
                np.testing.assert_array_equal(average.detach(), weights[name])


def test_wrong_use_is_told(elmo_pipeline: Callable[..., Language]) -> None:
    with pytest.raises(ValueError, match="rate = 2"):
        fine_tuning(rate=2)
    with pytest.raises(ValueError, match="warmup = -1"):
        fine_tuning(warmup=-1)
    with pytest.raises(ValueError, match="frozen = false"):
        fine_tuning()(elmo_pipeline(), {"step": 0})
    nlp = elmo_pipeline(frozen=False)
    fine_tuning()(nlp, {"step": 0})
    model: Elmo = nlp.get_pipe("tok2vec").model
    vectors, backprop = model.begin_update([Doc(nlp.vocab, words=["John"])])
    backprop([np.ones_like(one) for one in vectors])
    with pytest.raises(ValueError, match="RAdam.v1 has one rate"):
        model.finish_update(RAdam(0.1))

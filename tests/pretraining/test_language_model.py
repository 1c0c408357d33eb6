from typing import List, Tuple

import numpy as np
import pytest
import torch

from spacy_elmo_ner.bilm.char_ids import encode_words
from spacy_elmo_ner.pretraining.language_model import (
    BEGIN_OF_SENTENCE,
    END_OF_SENTENCE,
    N_SPECIAL,
    UNKNOWN,
    LanguageModel,
    make_batch,
)
from spacy_elmo_ner.pretraining.softmax import Candidates
from tests.pretraining.conftest import MakeSettings

WORDS = ["the", "cat", "sat", "Zürich", "rare", "rarer"]
# the softmax knows the first four words
N_SOFTMAX = N_SPECIAL + 4
THE, CAT, SAT, ZUERICH = range(N_SPECIAL, N_SOFTMAX)


def indices(*sentences: str) -> List[np.ndarray]:
    return [
        np.array([WORDS.index(word) for word in sentence.split()], dtype=np.int64)
        for sentence in sentences
    ]


@pytest.fixture
def model(tiny_settings: MakeSettings) -> LanguageModel:
    torch.manual_seed(3)
    model = LanguageModel(tiny_settings({}).model, N_SOFTMAX)
    for parameter in model.parameters():
        # large enough that the words matter
        torch.nn.init.normal_(parameter, std=0.6)
    return model


def test_targets_of_two_short_sentences() -> None:
    batch = make_batch(indices("rare cat sat", "cat"), WORDS, N_SOFTMAX)
    # <S> rare cat sat </S> <S> cat </S>
    assert batch.lengths == [5, 3]
    assert batch.before.tolist() == [0, 1, 2, 3, 5, 6]
    assert batch.next_words.tolist() == [
        *(UNKNOWN, CAT, SAT, END_OF_SENTENCE),
        *(CAT, END_OF_SENTENCE),
    ]
    assert batch.after.tolist() == [1, 2, 3, 4, 6, 7]
    assert batch.previous_words.tolist() == [
        *(BEGIN_OF_SENTENCE, UNKNOWN, CAT, SAT),
        *(BEGIN_OF_SENTENCE, CAT),
    ]
    # the boundaries are rows 0 and 1, and the batch's words come after them
    types = ["cat", "sat", "rare"]
    assert batch.type_ids.tolist() == encode_words(types).tolist()
    assert batch.tokens.tolist() == [0, 4, 2, 3, 1, 0, 2, 1]


def test_every_word_that_the_softmax_does_not_know_is_the_unknown_one() -> None:
    batch = make_batch(indices("rarer Zürich rare"), WORDS, N_SOFTMAX)
    assert batch.next_words.tolist() == [UNKNOWN, ZUERICH, UNKNOWN, END_OF_SENTENCE]
    everything = make_batch(indices("rarer the"), WORDS, N_SPECIAL + len(WORDS))
    assert everything.next_words.tolist() == [N_SPECIAL + 5, THE, END_OF_SENTENCE]


def test_full_losses_are_those_of_each_sentence_token_by_token(
    model: LanguageModel,
) -> None:
    sentences = ["the cat sat rare", "Zürich", "the the rarer"]
    batch = make_batch(indices(*sentences), WORDS, N_SOFTMAX)
    weight, bias = model.softmax.weight.weight, model.softmax.bias.weight[:, 0]
    known = {word: N_SPECIAL + i for i, word in enumerate(WORDS[:4])}
    expected = [0.0, 0.0]
    with torch.no_grad():
        for sentence in sentences:
            words = sentence.split()
            targets = [known.get(word, UNKNOWN) for word in words]
            targets = [BEGIN_OF_SENTENCE, *targets, END_OF_SENTENCE]
            # one sentence alone, its types in the order of its words
            vectors = model.encoder.word_vectors(torch.from_numpy(encode_words(words)))
            tokens = torch.tensor([0, *range(2, 2 + len(words)), 1])
            layers, _ = model.encoder.bilm(vectors, tokens, [len(tokens)])
            forward, backward = layers[-1].double().chunk(2, 1)
            for t in range(len(targets)):
                for direction, hidden, other in (
                    (0, forward, t + 1),
                    (1, backward, t - 1),
                ):
                    if 0 <= other < len(targets):
                        scores = weight.double() @ hidden[t] + bias.double()
                        log_p = scores[targets[other]] - scores.logsumexp(0)
                        expected[direction] -= log_p.item()
    losses = [float(loss) for loss in model.full_losses(batch)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def losses_by_position(
    model: LanguageModel, sentence: str
) -> Tuple[np.ndarray, np.ndarray]:
    """-log p of each next word, and of each previous one, in the sentence's order."""
    batch = make_batch(indices(sentence), WORDS, N_SOFTMAX)
    n = len(batch.before)
    alone = [
        batch._replace(
            before=batch.before[t : t + 1],
            next_words=batch.next_words[t : t + 1],
            after=batch.after[t : t + 1],
            previous_words=batch.previous_words[t : t + 1],
        )
        for t in range(n)
    ]
    both = np.array([[float(x) for x in model.full_losses(one)] for one in alone])
    return both[:, 0], both[:, 1]


def test_the_forward_direction_does_not_see_later_words(model: LanguageModel) -> None:
    one, _ = losses_by_position(model, "the cat sat the cat")
    other, _ = losses_by_position(model, "the cat sat the rare")
    # predicted are the five words and the end; the last word and the end differ
    np.testing.assert_array_equal(one[:4], other[:4])
    assert abs(one[4] - other[4]) > 1e-3 and abs(one[5] - other[5]) > 1e-3


def test_the_backward_direction_does_not_see_earlier_words(
    model: LanguageModel,
) -> None:
    _, one = losses_by_position(model, "cat the sat the cat")
    _, other = losses_by_position(model, "rare the sat the cat")
    # predicted are the begin and the five words; the begin and the first word differ
    np.testing.assert_array_equal(one[2:], other[2:])
    assert abs(one[0] - other[0]) > 1e-3 and abs(one[1] - other[1]) > 1e-3


def test_sampled_losses_can_be_learned_from_in_every_part(model: LanguageModel) -> None:
    batch = make_batch(indices("the cat sat rare", "Zürich the"), WORDS, N_SOFTMAX)
    candidates = Candidates(N_SOFTMAX, N_SOFTMAX, [0])
    losses = model.sampled_losses(batch, candidates)
    # with all words as candidates they are the full ones
    for sampled, full in zip(losses, model.full_losses(batch), strict=True):
        assert float(sampled.detach()) == pytest.approx(float(full), rel=1e-5)
    sum(losses).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.to_dense().abs().sum() > 0, name

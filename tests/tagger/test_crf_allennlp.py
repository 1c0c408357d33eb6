from typing import Any, List, Tuple

import numpy as np
import pytest
import torch

from spacy_elmo_ner.tagger import crf
from spacy_elmo_ner.tagger.parameters import CrfParameters, restrict
from spacy_elmo_ner.tagger.tag_schemes import TagScheme
from spacy_elmo_ner.tagger.viterbi import k_best, viterbi
from tests.tagger.paths import path_of

pytest.importorskip("allennlp")

from allennlp.modules.conditional_random_field import (
    ConditionalRandomField,
    allowed_transitions,
)

LABELS = ("PER", "LOC", "ORG", "WORK-OF-ART")
LENGTHS = (1, 2, 700, 31, 1, 9)
# AllenNLP's name of the same scheme.
SCHEMES = [("BILUO", "BIOUL"), ("BIO", "BIO")]


def make(
    ours: str, theirs: str, seed: int = 0
) -> Tuple[TagScheme, Any, CrfParameters, torch.Tensor]:
    """A scheme, AllenNLP's CRF with random parameters, ours with the same, emissions."""
    torch.manual_seed(seed)
    scheme = TagScheme(ours, LABELS)
    constraints = allowed_transitions(theirs, dict(enumerate(scheme.tags)))
    module = ConditionalRandomField(len(scheme.tags), constraints)
    for parameter in (
        module.transitions,
        module.start_transitions,
        module.end_transitions,
    ):
        torch.nn.init.normal_(parameter)
    scores = CrfParameters(
        module.transitions, module.start_transitions, module.end_transitions
    )
    emissions = 2 * torch.randn(len(LENGTHS), max(LENGTHS), len(scheme.tags))
    return scheme, module, scores, emissions


def masks(scheme: TagScheme) -> List[torch.Tensor]:
    return [
        torch.from_numpy(mask)
        for mask in (scheme.legal_transitions, scheme.legal_start, scheme.legal_end)
    ]


def gold_tags(scheme: TagScheme) -> torch.Tensor:
    """Legal random tags: the best path under random scores."""
    generator = np.random.default_rng(0)
    rows = np.zeros((len(LENGTHS), max(LENGTHS)), dtype=np.int64)
    for row, length in enumerate(LENGTHS):
        edges = np.unique(generator.integers(0, length + 1, size=1 + length // 2))
        spans = [
            (int(start), int(end), LABELS[generator.integers(len(LABELS))])
            for start, end in zip(edges[::2], edges[1::2], strict=False)
        ]
        rows[row, :length] = path_of(scheme, spans, length)
    return torch.from_numpy(rows)


def token_mask() -> torch.Tensor:
    return torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)


@pytest.mark.parametrize("ours, theirs", SCHEMES)
def test_legal_transitions_are_those_of_allennlp(ours: str, theirs: str) -> None:
    scheme = TagScheme(ours, LABELS)
    n = len(scheme.tags)
    expected = np.zeros((n + 2, n + 2), dtype=bool)
    for pair in allowed_transitions(theirs, dict(enumerate(scheme.tags))):
        expected[pair] = True
    assert (scheme.legal_transitions == expected[:n, :n]).all()
    assert (scheme.legal_start == expected[n, :n]).all()
    assert (scheme.legal_end == expected[:n, n + 1]).all()


@pytest.mark.parametrize("ours, theirs", SCHEMES)
@pytest.mark.parametrize("constrained", [False, True])
def test_likelihood(ours: str, theirs: str, constrained: bool) -> None:
    scheme, module, scores, emissions = make(ours, theirs)
    if constrained:
        # AllenNLP constrains its decoder only; its likelihood obeys when the
        # parameters themselves are out of reach.
        with torch.no_grad():
            for parameter, legal in zip(scores, masks(scheme), strict=True):
                parameter[~legal] = -10_000
        scores = restrict(scores, *masks(scheme))
    tags, mask = gold_tags(scheme), token_mask()
    known = torch.nn.functional.one_hot(tags, len(scheme.tags)).bool()
    found = crf.log_likelihood(emissions, torch.tensor(LENGTHS), scores, known)
    for row, length in enumerate(LENGTHS):
        one = slice(row, row + 1), slice(0, length)
        expected = module(emissions[one], tags[one], mask[one])
        assert float(found[row]) == pytest.approx(float(expected), rel=1e-4, abs=1e-4)
    whole = module(emissions, tags, mask)
    assert float(found.sum()) == pytest.approx(float(whole), rel=1e-4)


@pytest.mark.parametrize("ours, theirs", SCHEMES)
def test_gradients(ours: str, theirs: str) -> None:
    scheme, module, scores, emissions = make(ours, theirs)
    emissions.requires_grad_()
    tags = gold_tags(scheme)
    known = torch.nn.functional.one_hot(tags, len(scheme.tags)).bool()
    inputs = [emissions, *scores]
    value = crf.log_likelihood(emissions, torch.tensor(LENGTHS), scores, known).sum()
    found = torch.autograd.grad(value, inputs)
    expected = torch.autograd.grad(module(emissions, tags, token_mask()), inputs)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("ours, theirs", SCHEMES)
@pytest.mark.parametrize("seed", range(3))
def test_viterbi(ours: str, theirs: str, seed: int) -> None:
    scheme, module, scores, emissions = make(ours, theirs, seed)
    scores = restrict(scores, *masks(scheme))
    found, tags = viterbi(emissions, torch.tensor(LENGTHS), scores)
    expected = module.viterbi_tags(emissions, token_mask())
    for row, (length, (path, score)) in enumerate(zip(LENGTHS, expected, strict=True)):
        assert tags[row, :length].tolist() == path
        assert float(found[row]) == pytest.approx(float(score), rel=1e-4)


@pytest.mark.parametrize("ours, theirs", SCHEMES)
def test_k_best(ours: str, theirs: str) -> None:
    scheme, module, scores, emissions = make(ours, theirs)
    lengths = torch.tensor(LENGTHS).clamp(max=9)
    emissions = emissions[:, :9]
    scores = restrict(scores, *masks(scheme))
    found, tags = k_best(emissions, lengths, scores, 3)
    mask = torch.arange(9) < lengths.unsqueeze(1)
    expected = module.viterbi_tags(emissions, mask, top_k=3)
    for row, length in enumerate(lengths.tolist()):
        assert [path[:length] for path in tags[row].tolist()] == [
            path for path, _ in expected[row]
        ]
        assert found[row].tolist() == pytest.approx(
            [float(score) for _, score in expected[row]], rel=1e-4
        )

import itertools
import math
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spacy_elmo_ner.tagger import crf, forward_backward
from spacy_elmo_ner.tagger import viterbi as viterbi_module
from spacy_elmo_ner.tagger.marginals import Marginals
from spacy_elmo_ner.tagger.parameters import NEVER, CrfParameters, restrict
from spacy_elmo_ner.tagger.tag_schemes import TagScheme
from spacy_elmo_ner.tagger.viterbi import k_best, viterbi
from tests.tagger.paths import path_of

Path = Tuple[int, ...]


@pytest.fixture(
    scope="module", autouse=True, params=["few tags", "as if there were many tags"]
)
def ways_of_many_tags(request: Any) -> Iterator[None]:
    """All tests also go the ways that are taken where there are many tags."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "few tags":
            patch.setattr(forward_backward, "_LARGE", 0)
            patch.setattr(viterbi_module, "_LARGE_FOR_BEST", 0)
            patch.setattr(viterbi_module, "_PATHS", 0)
        yield


# of five tags each, as few as show the form of the scheme
BIO, BILUO = TagScheme("BIO", ("A", "B")), TagScheme("BILUO", ("A",))


def masks_of(scheme: TagScheme) -> List[Tensor]:
    """What restrict takes."""
    return [
        torch.from_numpy(mask)
        for mask in (scheme.legal_transitions, scheme.legal_start, scheme.legal_end)
    ]


class Case(NamedTuple):
    """A small batch: its scores have NEVER where something is illegal."""

    emissions: Tensor
    lengths: Tensor
    scores: CrfParameters
    allowed: Optional[Tensor]
    generator: torch.Generator

    @property
    def n_tags(self) -> int:
        return self.emissions.shape[2]

    def mask(self, share: float) -> Tensor:
        draws = torch.rand(self.emissions.shape, generator=self.generator)
        return draws < share


@st.composite
def cases(draw: Any, dtype: torch.dtype = torch.float64) -> Case:
    n_rows, n_tokens = draw(st.integers(0, 3)), draw(st.integers(0, 5))
    scheme = draw(st.sampled_from([None, None, BIO, BILUO]))
    n_tags = len(scheme.tags) if scheme else draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    scale = draw(st.sampled_from([0.0, 1.0, 30.0]))

    def normal(*shape: int) -> Tensor:
        random = torch.randn(shape, generator=generator, dtype=dtype)
        return random.mul_(scale)

    def some(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator).lt(legal_share)

    legal_share = draw(st.sampled_from([0.5, 0.8, 1.0]))
    legal = [some(n_tags, n_tags), some(n_tags), some(n_tags)]
    if scheme:
        legal = masks_of(scheme)
    scores = restrict(
        CrfParameters(normal(n_tags, n_tags), normal(n_tags), normal(n_tags)), *legal
    )
    lengths = [draw(st.integers(0, n_tokens)) for _ in range(n_rows)]
    emissions = normal(n_rows, n_tokens, n_tags)
    # What stands beyond a length must not matter.
    for row, length in enumerate(lengths):
        emissions[row, length:] = draw(st.sampled_from([0.0, math.nan, math.inf, 1e30]))
    masked = draw(st.booleans())
    allowed = some(n_rows, n_tokens, n_tags) if masked else None
    return Case(
        emissions, torch.tensor(lengths, dtype=torch.long), scores, allowed, generator
    )


def scores_of(case: Case, row: int, paths: Tensor) -> Tensor:
    """The definition, for paths (P, n) of one row."""
    n = paths.shape[1]
    if n == 0:
        return torch.zeros(len(paths), dtype=torch.float64)
    starts, ends = case.scores.start[paths[:, 0]], case.scores.end[paths[:, -1]]
    tokens = case.emissions[row, torch.arange(n), paths].sum(1)
    return (
        starts
        + ends
        + tokens
        + case.scores.transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    )


def score_of(case: Case, row: int, path: Path) -> float:
    return float(scores_of(case, row, torch.tensor([path], dtype=torch.long))[0])


def every_path(case: Case, row: int) -> Tensor:
    """int64 (tags ** length, length)."""
    tags = range(case.n_tags)
    paths = list(itertools.product(tags, repeat=int(case.lengths[row])))
    return torch.tensor(paths, dtype=torch.long).view(len(paths), -1)


def legal_paths(
    case: Case, row: int, known: Optional[Tensor] = None
) -> List[Tuple[float, Path]]:
    """All legal paths with their scores, best first."""
    paths = every_path(case, row)
    scores = scores_of(case, row, paths)
    legal = scores > NEVER / 2
    for mask in (case.allowed, known):
        if mask is not None:
            legal &= mask[row, torch.arange(paths.shape[1]), paths].all(1)
    found = zip(scores[legal].tolist(), map(tuple, paths[legal].tolist()), strict=True)
    return sorted(found, reverse=True)


def log_sum(paths: List[Tuple[float, Path]]) -> float:
    scores = torch.tensor([score for score, _ in paths], dtype=torch.float64)
    return float(scores.logsumexp(0))


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


# Against all paths, one by one


@settings(deadline=None)
@given(cases())
def test_log_partition(case: Case) -> None:
    found = crf.log_partition(case.emissions, case.lengths, case.scores, case.allowed)
    assert found.shape == case.lengths.shape and found.dtype == case.emissions.dtype
    for row, value in enumerate(found.tolist()):
        paths = legal_paths(case, row)
        assert close(value, log_sum(paths)) if paths else value < NEVER / 2


@settings(deadline=None)
@given(cases(), st.sampled_from([0.3, 0.7, 1.0]))
def test_log_likelihood(case: Case, share: float) -> None:
    known = case.mask(share)
    found = crf.log_likelihood(
        case.emissions, case.lengths, case.scores, known, case.allowed
    )
    assert found.shape == case.lengths.shape
    for row, value in enumerate(found.tolist()):
        agreeing = legal_paths(case, row, known)
        if agreeing:
            expected = log_sum(agreeing) - log_sum(legal_paths(case, row))
            assert close(value, expected)
        else:
            assert value == 0


@settings(deadline=None)
@given(cases(), st.data())
def test_log_likelihood_of_one_path(case: Case, data: Any) -> None:
    """Fully known rows next to open ones."""
    known = case.mask(0.7)
    paths = {}
    for row in range(len(known)):
        legal = legal_paths(case, row)
        if legal and data.draw(st.booleans()):
            paths[row] = data.draw(st.sampled_from(legal))
            known[row] = False
            for t, tag in enumerate(paths[row][1]):
                known[row, t, tag] = True
    found = crf.log_likelihood(
        case.emissions, case.lengths, case.scores, known, case.allowed
    )
    for row, (score, _) in paths.items():
        assert close(float(found[row]), score - log_sum(legal_paths(case, row)))


@settings(deadline=None)
@given(cases())
def test_viterbi(case: Case) -> None:
    score, tags = viterbi(case.emissions, case.lengths, case.scores, case.allowed)
    assert score.shape == case.lengths.shape and tags.shape == case.emissions.shape[:2]
    assert tags.dtype == torch.int64
    for row, length in enumerate(case.lengths.tolist()):
        assert (tags[row, length:] == -1).all()
        assert ((tags[row, :length] >= 0) & (tags[row, :length] < case.n_tags)).all()
        paths = legal_paths(case, row)
        if paths:
            path = tuple(tags[row, :length].tolist())
            assert close(float(score[row]), paths[0][0])
            assert path in dict((path, score) for score, path in paths)
            assert close(score_of(case, row, path), paths[0][0])
        else:
            assert score[row] == -math.inf


@settings(deadline=None)
@given(cases())
def test_viterbi_without_a_legal_path_breaks_few_rules(case: Case) -> None:
    _, tags = viterbi(case.emissions, case.lengths, case.scores, case.allowed)

    for row, length in enumerate(case.lengths.tolist()):
        paths = every_path(case, row)
        broken = (scores_of(case, row, paths) / NEVER).round()
        if case.allowed is not None:
            allowed = case.allowed[row, torch.arange(length), paths]
            broken += (~allowed).sum(1)
        chosen = (paths == tags[row, :length]).all(1)
        assert broken[chosen] == broken.min()


@settings(deadline=None)
@given(cases(), st.integers(1, 7))
def test_k_best(case: Case, k: int) -> None:
    score, tags = k_best(case.emissions, case.lengths, case.scores, k, case.allowed)
    assert score.shape == (len(case.lengths), k)
    assert tags.shape == (len(case.lengths), k, case.emissions.shape[1])
    for row, length in enumerate(case.lengths.tolist()):
        paths = legal_paths(case, row)[:k]
        n = len(paths)
        assert all(map(close, score[row, :n].tolist(), [s for s, _ in paths]))
        assert (score[row, n:] == -math.inf).all()
        assert (tags[row, n:] == -1).all() and (tags[row, :, length:] == -1).all()
        found = [tuple(path) for path in tags[row, :n, :length].tolist()]
        assert len(set(found)) == n
        for path, value in zip(found, score[row, :n].tolist(), strict=True):
            assert close(score_of(case, row, path), value)


def marginals_of(case: Case) -> Marginals:
    return Marginals(case.emissions, case.lengths, case.scores, case.allowed)


def tag_marginals(*chain: Any) -> Tensor:
    return Marginals(*chain).of_tags()


@settings(deadline=None)
@given(cases())
def test_tag_marginals(case: Case) -> None:
    found = marginals_of(case).of_tags()
    expected = torch.zeros(case.emissions.shape, dtype=torch.float64)
    for row in range(len(case.lengths)):
        paths = legal_paths(case, row)
        total = log_sum(paths)
        for score, path in paths:
            for t, tag in enumerate(path):
                expected[row, t, tag] += math.exp(score - total)
    assert torch.allclose(found, expected, atol=1e-9)


@settings(deadline=None)
@given(cases(), st.data())
def test_span_log_probability(case: Case, data: Any) -> None:
    filled = [row for row, length in enumerate(case.lengths.tolist()) if length]
    spans = []
    for _ in range(data.draw(st.integers(0, 4)) if filled else 0):
        row = data.draw(st.sampled_from(filled))
        start = data.draw(st.integers(0, int(case.lengths[row]) - 1))
        stop = data.draw(st.integers(start + 1, int(case.lengths[row])))
        tag = st.integers(0, case.n_tags - 1)
        tags = data.draw(st.lists(tag, min_size=stop - start, max_size=stop - start))
        spans.append((row, start, tags, data.draw(st.sets(tag))))
    width = max([len(tags) for _, _, tags, _ in spans], default=1)
    width += data.draw(st.integers(0, 2))
    span_tags = torch.full((len(spans), width), -1)
    forbidden = torch.zeros(len(spans), case.n_tags, dtype=torch.bool)
    for i, (_, _, tags, after) in enumerate(spans):
        span_tags[i, : len(tags)] = torch.tensor(tags)
        forbidden[i, list(after)] = True
    found = marginals_of(case).of_spans(
        torch.tensor([row for row, *_ in spans], dtype=torch.long),
        torch.tensor([start for _, start, *_ in spans], dtype=torch.long),
        span_tags,
        forbidden,
    )
    assert found.shape == (len(spans),)
    for value, (row, start, tags, after) in zip(found.tolist(), spans, strict=True):
        stop = start + len(tags)
        paths = legal_paths(case, row)
        through = [
            (score, path)
            for score, path in paths
            if list(path[start:stop]) == tags and not {*path[stop : stop + 1]} & after
        ]
        if through:
            assert math.isclose(
                value, log_sum(through) - log_sum(paths), rel_tol=1e-7, abs_tol=1e-9
            )
        else:
            assert value == -math.inf


# Gradients


def parameters(case: Case) -> List[Tensor]:
    inside = torch.arange(case.emissions.shape[1]) < case.lengths.unsqueeze(1)
    emissions = case.emissions.masked_fill(~inside.unsqueeze(2), 0)
    return [x.detach().clone().requires_grad_() for x in (emissions, *case.scores)]


def naive_log_partition(
    emissions: Tensor, lengths: Tensor, scores: CrfParameters, allowed: Optional[Tensor]
) -> Tensor:
    """Sentence after sentence, one logsumexp a token, gradients left to autograd."""
    if allowed is not None:
        emissions = emissions.masked_fill(~allowed, NEVER)
    totals = []
    for row, length in enumerate(lengths.tolist()):
        if length == 0:
            totals.append(emissions[row, :0].sum())
            continue
        alpha = scores.start + emissions[row, 0]
        for emission in emissions[row, 1:length]:
            paths = alpha.unsqueeze(1) + scores.transitions
            alpha = paths.logsumexp(0) + emission
        totals.append((alpha + scores.end).logsumexp(0))
    return torch.stack(totals) if totals else emissions.sum((1, 2))


@settings(deadline=None)
@given(cases())
def test_gradients_equal_those_of_autograd_through_time(case: Case) -> None:
    legal = [bool(legal_paths(case, row)) for row in range(len(case.lengths))]
    weights = torch.randn(len(legal), generator=case.generator, dtype=torch.float64)
    weights = weights.masked_fill(~torch.tensor(legal, dtype=torch.bool), 0)
    gradients = []
    for function in (crf.log_partition, naive_log_partition):
        emissions, *rest = parameters(case)
        value = function(emissions, case.lengths, CrfParameters(*rest), case.allowed)
        (value * weights).sum().backward()
        gradients.append([emissions.grad, *(x.grad for x in rest)])
    for ours, theirs in zip(*gradients, strict=True):
        zeros = torch.zeros_like(ours) if theirs is None else theirs
        assert torch.allclose(ours, zeros, atol=1e-9)


@pytest.mark.parametrize("lengths", [(4, 1, 0), (5, 5, 2)])
def test_gradcheck(lengths: Tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
        return x.requires_grad_()

    inputs = (normal(3, 5, 4), normal(4, 4), normal(4), normal(4))
    sizes = torch.tensor(lengths)
    allowed = torch.rand(3, 5, 4, generator=generator) < 0.8
    allowed[..., 0] = True
    known = torch.rand(3, 5, 4, generator=generator) < 0.6
    known[..., 0] = True
    known[0] = torch.eye(4, dtype=torch.bool)[[0, 0, 0, 0, 0]]
    legal = torch.rand(4, 4, generator=generator) < 0.8
    legal[0] = legal[:, 0] = True

    def partition(emissions: Tensor, *rest: Tensor) -> Tensor:
        return crf.log_partition(emissions, sizes, CrfParameters(*rest), allowed)

    def likelihood(emissions: Tensor, *rest: Tensor) -> Tensor:
        scores = restrict(CrfParameters(*rest), legal, legal[0], legal[0])
        return crf.log_likelihood(emissions, sizes, scores, known, allowed)

    assert torch.autograd.gradcheck(partition, inputs)
    assert torch.autograd.gradcheck(likelihood, inputs)


@settings(deadline=None)
@given(cases())
def test_what_is_illegal_gets_no_gradient(case: Case) -> None:
    emissions, *rest = parameters(case)
    masks = [x > NEVER / 2 for x in case.scores]
    free = CrfParameters(*rest)
    known = case.mask(0.7)
    value = crf.log_likelihood(
        emissions, case.lengths, restrict(free, *masks), known, case.allowed
    )
    value.sum().backward()
    for x, mask in zip(free, masks, strict=True):
        assert x.grad is not None and x.grad.isfinite().all()
        assert (x.grad[~mask] == 0).all()
    assert emissions.grad is not None and emissions.grad.isfinite().all()
    if case.allowed is not None:
        assert (emissions.grad[~case.allowed] == 0).all()
    for row, length in enumerate(case.lengths.tolist()):
        assert (emissions.grad[row, length:] == 0).all()
        if not legal_paths(case, row, known):
            assert (emissions.grad[row] == 0).all()


# Batches, sizes and precision


@settings(deadline=None)
@given(cases(), st.data())
def test_a_row_alone_is_the_row_in_its_batch(case: Case, data: Any) -> None:
    if not len(case.lengths):
        return
    row = data.draw(st.integers(0, len(case.lengths) - 1))
    length = int(case.lengths[row])
    one = (
        case.emissions[row : row + 1, :length],
        case.lengths[row : row + 1],
        case.scores,
    )
    mask = None if case.allowed is None else case.allowed[row : row + 1, :length]
    batch = (case.emissions, case.lengths, case.scores)
    for function in (crf.log_partition, tag_marginals):
        alone = function(*one, mask)[0]
        together = function(*batch, case.allowed)[row]
        together = together[:length] if together.dim() else together
        assert torch.allclose(alone, together, rtol=1e-12, atol=1e-12)
    for alone, together in zip(
        viterbi(*one, mask), viterbi(*batch, case.allowed), strict=True
    ):
        together = together[row]
        together = together[:length] if together.dim() else together
        assert torch.allclose(alone[0], together, rtol=1e-12, atol=1e-12)


def long_case(scale: float) -> Tuple[Tensor, Tensor, CrfParameters, TagScheme]:
    generator = torch.Generator().manual_seed(0)
    scheme = TagScheme("BILUO", ("PER", "LOC", "ORG", "MISC"))
    n_tags = len(scheme.tags)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    scores = restrict(
        CrfParameters(normal(n_tags, n_tags), normal(n_tags), normal(n_tags)),
        *masks_of(scheme),
    )
    return scale * normal(2, 10_000, n_tags), torch.tensor([10_000, 3]), scores, scheme


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_ten_thousand_tokens(scale: float) -> None:
    emissions, lengths, scores, scheme = long_case(scale)
    exact = CrfParameters(*(x.double() for x in scores))
    log_z = crf.log_partition(emissions, lengths, scores)
    exact_z = crf.log_partition(emissions.double(), lengths, exact)
    assert torch.allclose(log_z.double(), exact_z, rtol=1e-6)

    score, tags = viterbi(emissions, lengths, scores)
    assert (score <= log_z).all() and (score > 0).all()
    assert (
        path_of(scheme, scheme.decode(tags[0].tolist()), 10_000).tolist()
        == tags[0].tolist()
    )
    known = torch.nn.functional.one_hot(tags.clamp(min=0), len(scheme.tags)).bool()
    likelihood = crf.log_likelihood(emissions, lengths, scores, known)
    exact_likelihood = crf.log_likelihood(emissions.double(), lengths, exact, known)
    # Rounding the emissions' sum alone costs float32 this much.
    slack = 1e-8 * float(exact_z[0].abs()) + 1e-3
    assert torch.allclose(likelihood.double(), exact_likelihood, rtol=0, atol=slack)


def test_marginals_in_ten_thousand_tokens() -> None:
    emissions, lengths, scores, scheme = long_case(1.0)
    exact = CrfParameters(*(x.double() for x in scores))
    _, tags = viterbi(emissions, lengths, scores)
    marginals = tag_marginals(emissions, lengths, scores)
    exact_marginals = tag_marginals(emissions.double(), lengths, exact)
    assert torch.allclose(marginals.double(), exact_marginals, atol=1e-4)
    assert torch.allclose(marginals[0].sum(1), torch.ones(10_000), atol=1e-4)

    spans = scheme.decode(tags[0].tolist())[::100]
    width = max(end - start for start, end, _ in spans)
    span_tags = torch.full((len(spans), width), -1)
    for i, (start, end, label) in enumerate(spans):
        span_tags[i, : end - start] = torch.from_numpy(
            scheme.span_tags(end - start, label)
        )
    where = (
        torch.zeros(len(spans), dtype=torch.long),
        torch.tensor([start for start, _, _ in spans]),
        span_tags,
        torch.zeros(len(spans), len(scheme.tags), dtype=torch.bool),
    )
    found = Marginals(emissions, lengths, scores).of_spans(*where)
    precise = Marginals(emissions.double(), lengths, exact).of_spans(*where)
    assert torch.allclose(found.double().exp(), precise.exp(), atol=1e-4)
    # A unit's probability is its tag's marginal.
    for (start, end, label), value in zip(spans, precise, strict=True):
        if end == start + 1:
            marginal = exact_marginals[0, start, scheme.tags.index(f"U-{label}")]
            assert math.isclose(float(value.exp()), float(marginal), abs_tol=1e-6)


def test_ten_thousand_tokens_have_finite_gradients() -> None:
    emissions, lengths, scores, _ = long_case(1000.0)
    emissions.requires_grad_()
    known = torch.ones(emissions.shape, dtype=torch.bool)
    known[:, ::2, 1:] = False
    crf.log_likelihood(emissions, lengths, scores, known).sum().backward()
    assert emissions.grad is not None and emissions.grad.isfinite().all()
    assert emissions.grad.abs().sum() > 0


def test_ten_thousand_tokens_without_a_legal_path() -> None:
    emissions, lengths, scores, scheme = long_case(1.0)
    nothing = torch.zeros(emissions.shape, dtype=torch.bool)
    log_z = crf.log_partition(emissions, lengths, scores, nothing)
    assert log_z.isfinite().all() and (log_z < NEVER / 2).all()
    score, tags = viterbi(emissions, lengths, scores, nothing)
    assert (score == -math.inf).all() and (tags[0] >= 0).all()
    assert tag_marginals(emissions, lengths, scores, nothing).sum() == 0
    assert (
        k_best(emissions[:, :50], lengths.clamp(max=50), scores, 2, nothing[:, :50])[1]
        == -1
    ).all()


def test_k_best_of_a_long_sequence_begins_with_viterbi() -> None:
    emissions, lengths, scores, _ = long_case(1.0)
    emissions, lengths = emissions[:, :500], lengths.clamp(max=500)
    best, path = viterbi(emissions, lengths, scores)
    score, tags = k_best(emissions, lengths, scores, 4)
    assert torch.equal(tags[:, 0], path) and torch.allclose(score[:, 0], best)
    assert (score[:, :-1] >= score[:, 1:]).all()


def test_bad_requests_are_refused() -> None:
    emissions, lengths, scores, scheme = long_case(1.0)
    with pytest.raises(ValueError, match="at least one"):
        k_best(emissions, lengths, scores, 0)
    forbidden = torch.zeros(1, len(scheme.tags), dtype=torch.bool)
    marginals = Marginals(emissions, lengths, scores)
    for row, start, tags in [(1, 2, [4, 4]), (0, 3, [-1]), (0, -1, [4])]:
        with pytest.raises(ValueError, match="empty or leaves its sequence"):
            marginals.of_spans(
                torch.tensor([row]),
                torch.tensor([start]),
                torch.tensor([tags]),
                forbidden,
            )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no CUDA device.")
def test_the_gpu_agrees_with_the_cpu() -> None:
    emissions, lengths, scores, scheme = long_case(1.0)
    emissions, lengths = emissions[:, :300], lengths.clamp(max=300)
    known = torch.rand(emissions.shape) < 0.7
    known[..., 0] = True
    span = (
        torch.tensor([1, 0]),
        torch.tensor([0, 7]),
        torch.tensor([[1, 3], [4, -1]]),
        torch.zeros(2, len(scheme.tags), dtype=torch.bool),
    )
    results = []
    for device in ("cpu", "cuda"):
        inputs = [x.detach().to(device) for x in (emissions, *scores)]
        inputs = [x.requires_grad_() for x in inputs]
        chain = (inputs[0], lengths.to(device), CrfParameters(*inputs[1:]))
        likelihood = crf.log_likelihood(*chain, known.to(device))
        likelihood.sum().backward()
        values = [
            likelihood,
            *(x.grad for x in inputs),
            tag_marginals(*chain),
            *viterbi(*chain, known.to(device)),
            *k_best(*chain, 3),
            Marginals(*chain).of_spans(*(x.to(device) for x in span)),
        ]
        results.append([value.detach().cpu() for value in values])
    for cpu, gpu in zip(*results, strict=True):
        assert torch.allclose(cpu, gpu, rtol=1e-4, atol=1e-3)

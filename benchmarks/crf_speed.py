"""The CRF against AllenNLP's and pytorch-crf's: `python -m benchmarks.crf_speed`.

All that are installed run in this one process, in turn, on the same sentences with the
same random parameters. No speed is printed unless their likelihoods, gradients and
marginals agree and their best tags are equal.
"""

import statistics
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import numpy as np
import torch
import typer
from torch import Tensor

from spacy_elmo_ner.tagger.parameters import CrfParameters

from .crfs import CRFS, OURS, Batch, installed_crfs
from .texts import real_sentences, zipf_sentences

app = typer.Typer(add_completion=False)


def likelihood_and_gradients(system: Any, batch: Batch) -> List[Tensor]:
    """As an update of a tagger needs them: for the emissions and the parameters."""
    loss = -system.log_likelihood(batch)
    inputs = [batch.emissions, *system.parameters]
    return [loss.detach(), *torch.autograd.grad(loss, inputs)]


def viterbi(system: Any, batch: Batch) -> List[List[int]]:
    with torch.no_grad():
        tags: List[List[int]] = system.viterbi(batch)
    return tags


def marginals(system: Any, batch: Batch) -> List[Tensor]:
    return [system.tag_marginals(batch)]


OPERATIONS: Dict[str, Callable[[Any, Batch], Any]] = {
    "likelihood with gradient": likelihood_and_gradients,
    "Viterbi": viterbi,
    "marginals": marginals,
}

# how much two systems may differ, see `difference`: best tags are equal or not
SAME = {"likelihood with gradient": 1e-4, "Viterbi": 0.0, "marginals": 1e-4}


@app.command()
def main(
    conll: Optional[Path] = typer.Option(
        None, help="CoNLL file to take the sentences' lengths from, such as eng.testa."
    ),
    tags: List[int] = typer.Option(
        [9, 17], help="Numbers of tags; CoNLL-2003 has 9 in BIO and 17 in BILUO."
    ),
    batch: List[int] = typer.Option([32, 256], help="Sentences a batch."),
    batches: int = typer.Option(5, help="Batches of each size."),
    threads: List[int] = typer.Option([1, 2], help="Threads of torch."),
    rounds: int = typer.Option(9, help="Rounds; the median counts."),
) -> None:
    """Print milliseconds a batch, and how many times faster ours is."""
    n_sentences = batches * max(batch)
    # of made sentences only the lengths are wanted here, so one word will do
    sentences = real_sentences(conll) if conll else zipf_sentences(3250, vocabulary=1)
    lengths = [len(sentence) for sentence in sentences][:n_sentences]
    if len(lengths) < n_sentences:
        raise typer.BadParameter(
            f"There are only {len(lengths):,} sentences, but {batches} batches of "
            f"{max(batch)} are asked for."
        )
    cases = [
        make_case(n_tags, lengths, size, batches) for n_tags in tags for size in batch
    ]
    mean = statistics.mean(lengths)
    print(
        f"Sentences of {conll.name if conll else 'made lengths'}, {mean:.1f} tokens on "
        f"average; torch {torch.__version__}; milliseconds a batch, medians of {rounds} "
        "rounds. The others have no marginals; theirs are the gradient of log Z.\n"
    )
    for case in cases:
        compare(case)
    print(
        "| operation | tags | batch | threads | AllenNLP, ms | pytorch-crf, ms "
        "| ours, ms | faster than AllenNLP | than the faster of the two |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for operation, run in OPERATIONS.items():
        for case in cases:
            for n_threads in threads:
                torch.set_num_threads(n_threads)
                times = time_in_turn(run, case, rounds)
                print(
                    f"| {operation} | {case.n_tags} | {case.size} | {n_threads} "
                    f"| {cells(times)} |",
                    flush=True,
                )


class Case(NamedTuple):
    """CRFs with the same parameters, and what they are to read."""

    n_tags: int
    size: int
    systems: Dict[str, Any]
    batches: List[Batch]


def make_case(n_tags: int, lengths: List[int], size: int, n_batches: int) -> Case:
    torch.manual_seed(0)
    scores = CrfParameters(torch.randn(n_tags, n_tags), *torch.randn(2, n_tags))
    batches = [
        random_batch(lengths[i * size : (i + 1) * size], n_tags)
        for i in range(n_batches)
    ]
    return Case(n_tags, size, installed_crfs(scores), batches)


def random_batch(lengths: List[int], n_tags: int) -> Batch:
    sizes = torch.tensor(lengths)
    mask = torch.arange(max(lengths)) < sizes.unsqueeze(1)
    emissions = 2 * torch.randn(*mask.shape, n_tags)
    tags = torch.randint(n_tags, mask.shape).masked_fill(~mask, 0)
    return Batch(emissions.requires_grad_(), tags, mask, sizes)


def compare(case: Case) -> None:
    """Raise RuntimeError unless all systems give what ours gives."""
    where = f"{case.n_tags} tags, batches of {case.size}"
    for operation, run in OPERATIONS.items():
        ours = [run(case.systems[OURS], batch) for batch in case.batches]
        for name in [name for name in case.systems if name != OURS]:
            theirs = [run(case.systems[name], batch) for batch in case.batches]
            largest = np.max(list(map(difference, theirs, ours)))
            print(f"<!-- {where}, {operation}: {name} differs by {largest:.1e} -->")
            if not largest <= SAME[operation]:
                raise RuntimeError(
                    f"{where}, {operation}: our results differ from those of {name} by "
                    f"{largest:.1e}: their speeds cannot be compared."
                )


def difference(theirs: List[Any], ours: List[Any]) -> float:
    """Of tensors the largest difference, as a share of the largest number in them; of
    lists of tags the share of sentences that have others."""
    pairs = list(zip(theirs, ours, strict=True))
    if isinstance(theirs[0], list):
        return float(np.mean([one != other for one, other in pairs]))
    # of numpy, because the built-in passes over what is not a number
    return float(np.max([float((x - y).abs().max() / x.abs().max()) for x, y in pairs]))


def time_in_turn(
    run: Callable[[Any, Batch], Any], case: Case, rounds: int
) -> Dict[str, float]:
    """Milliseconds that each system takes for a batch."""
    times: Dict[str, List[float]] = {name: [] for name in case.systems}
    for _ in range(rounds):
        for name, system in case.systems.items():
            start = time.perf_counter()
            for batch in case.batches:
                run(system, batch)
            times[name].append(time.perf_counter() - start)
    return {
        name: 1000 * statistics.median(many) / len(case.batches)
        for name, many in times.items()
    }


def cells(times: Dict[str, float]) -> str:
    """What each system takes, then how many times faster ours is."""
    columns = [
        f"{times[name]:.2f}" if name in times else "not installed" for name in CRFS
    ]
    others = {name: taken for name, taken in times.items() if name != OURS}
    for other in (others.get("AllenNLP"), min(others.values(), default=None)):
        columns.append(f"{other / times[OURS]:.1f}×" if other else "–")
    return " | ".join(columns)


if __name__ == "__main__":
    app()

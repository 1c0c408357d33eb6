"""A trigram model of the words that pre-training reads: `python -m benchmarks.kneser_ney`.

Interpolated Kneser-Ney with three discounts (Chen and Goodman 1999, section 3.4): what
a biLM has to do better than. It predicts what the biLM's softmax does, the same
held-out sentences in both directions.
"""

from pathlib import Path
from typing import Any, List, NamedTuple, Optional

import numpy as np
import typer

from spacy_elmo_ner.pretraining.batches import first_batches
from spacy_elmo_ner.pretraining.language_model import N_SPECIAL, UNKNOWN
from spacy_elmo_ner.pretraining.token_corpus import TokenCorpus
from spacy_elmo_ner.training.progress import read_history

# what stands before a sentence in the direction of reading, and after it
START, STOP = 0, 1
ORDER = 3

app = typer.Typer(add_completion=False)


class Level(NamedTuple):
    """N-grams of one order as numbers in base V: the last digit is the word, those
    before it its context.

    keys: sorted, (n,); discounted: counts less their discounts, (n,).
    contexts: sorted, (m,); totals: of the counts in each; left: share of each that
    goes to the order below.
    """

    keys: np.ndarray
    discounted: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    left: np.ndarray


class KneserNey:
    """ngrams: (n, order) ids below n_words, the last one predicted from the others."""

    def __init__(self, ngrams: np.ndarray, n_words: int) -> None:
        self.n_words = n_words
        keys, counts = np.unique(_pack(ngrams, n_words), return_counts=True)
        self.levels: List[Level] = [_level(keys, counts, n_words)]
        for order in range(ngrams.shape[1] - 1, 0, -1):
            # below the highest order counts how many words an n-gram follows
            keys, counts = np.unique(keys % n_words**order, return_counts=True)
            self.levels.append(_level(keys, counts, n_words))

    def probabilities(self, ngrams: np.ndarray) -> np.ndarray:
        """Of the last word of each: (n, order) → (n,)."""
        found = np.full(len(ngrams), 1 / self.n_words)
        keys = _pack(ngrams, self.n_words)
        for order, level in enumerate(reversed(self.levels), 1):
            of_order = keys % self.n_words**order
            context = _index(level.contexts, of_order // self.n_words)
            ngram = _index(level.keys, of_order)
            seen = np.where(ngram < 0, 0.0, level.discounted[ngram])
            higher = seen / level.totals[context] + level.left[context] * found
            found = np.where(context < 0, found, higher)
        return found


def _pack(ngrams: np.ndarray, n_words: int) -> np.ndarray:
    keys = np.zeros(len(ngrams), dtype=np.int64)
    for column in ngrams.T:
        keys = keys * n_words + column
    return keys


def _level(keys: np.ndarray, counts: np.ndarray, n_words: int) -> Level:
    n = np.array([np.count_nonzero(counts == k) for k in range(1, 5)], dtype=float)
    # Chen and Goodman 1999, equation 26; a count that is nowhere is not discounted
    Y = n[0] / max(n[0] + 2 * n[1], 1)
    k = np.arange(1, 4)
    discounts = np.where(n[:3] > 0, k - (k + 1) * Y * n[1:] / np.maximum(n[:3], 1), 0)
    discounts = np.concatenate([[0.0], discounts.clip(0, k)])
    of_each = discounts[np.minimum(counts, 3)]
    contexts, first = np.unique(keys // n_words, return_index=True)
    totals = np.add.reduceat(counts, first).astype(float)
    left = np.add.reduceat(of_each, first) / totals
    return Level(keys, counts - of_each, contexts, totals, left)


def _index(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each wanted one is among the sorted keys, or -1."""
    place = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def ngrams_of(
    sentences: List[np.ndarray], n_softmax: int, *, backward: bool
) -> np.ndarray:
    """The ORDER ids that end in each word, and in each sentence's end."""
    ids: List[Any] = []
    for sentence in sentences:
        known = np.where(
            sentence < n_softmax - N_SPECIAL, sentence + N_SPECIAL, UNKNOWN
        )
        ids += [[START] * (ORDER - 1), known[::-1] if backward else known, [STOP]]
    row = np.concatenate(ids)
    windows = np.lib.stride_tricks.sliding_window_view(row, ORDER)
    kept: np.ndarray = windows[windows[:, -1] != START]
    return kept


@app.command()
def main(
    tokens: Path = typer.Option(..., help="Folder of a pre-training's tokens."),
    words: int = typer.Option(50_000, help="Words of the softmax."),
    eval_tokens: int = typer.Option(50_000, help="Held-out tokens, as in the config."),
    batch_tokens: int = typer.Option(2048, help="As in the config."),
    pretraining: Optional[Path] = typer.Option(
        None, help="Folder of a pre-training beside it."
    ),
) -> None:
    """Print held-out perplexities."""
    corpus = TokenCorpus(tokens)
    n_softmax = min(words, len(corpus.words)) + N_SPECIAL
    held_out = [
        corpus.held_out[i]
        for batch in first_batches(
            corpus.held_out, batch_tokens=batch_tokens, n_tokens=eval_tokens
        )
        for i in batch
    ]
    train = [corpus.train[i] for i in range(len(corpus.train))]
    print("| | forward | backward |\n|---|--:|--:|")
    found = []
    for backward in (False, True):
        model = KneserNey(ngrams_of(train, n_softmax, backward=backward), n_softmax)
        wanted = ngrams_of(held_out, n_softmax, backward=backward)
        found.append(np.exp(-np.log(model.probabilities(wanted)).mean()))
    print(f"| Kneser-Ney trigrams | {found[0]:.1f} | {found[1]:.1f} |")
    if pretraining is not None:
        last = read_history(pretraining)[-1]
        print(
            f"| biLM after {last['words']:,} words | {last['perplexity_forward']:.1f} "
            f"| {last['perplexity_backward']:.1f} |"
        )


if __name__ == "__main__":
    app()

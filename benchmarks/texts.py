"""What the benchmarks read: real sentences, and made ones of the same lengths."""

from pathlib import Path
from typing import List

import numpy as np

from spacy_elmo_ner.corpus.conll import read_conll

Sentences = List[List[str]]

# Mean length and spread of CoNLL-2003's sentences, in tokens
MEAN_LENGTH, SHAPE = 14.5, 1.7


def real_sentences(path: Path) -> Sentences:
    """The sentences of a CoNLL file, in its own order."""
    documents = read_conll(path).documents
    return [sentence.words for document in documents for sentence in document]


def zipf_sentences(n: int, *, seed: int = 0, vocabulary: int = 50_000) -> Sentences:
    """Sentences of CoNLL's lengths with words as frequent as Zipf's law says."""
    random = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmwfgypbvk"))
    lengths = 1 + random.poisson(6, vocabulary)
    words = ["".join(random.choice(letters, length)) for length in lengths]
    shares = 1 / np.arange(1, vocabulary + 1)
    shares /= shares.sum()
    sizes = 1 + random.gamma(SHAPE, (MEAN_LENGTH - 1) / SHAPE, n).astype(int)
    return [
        [words[i] for i in random.choice(vocabulary, size, p=shares)] for size in sizes
    ]

"""The sentences of a batch of Docs as rows, for recurrent layers and the CRF."""

from itertools import pairwise
from typing import List, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from spacy.tokens import Doc
from torch import Tensor

from ..kernels.packing import Packing, pack
from ..text.sentences import doc_sentences
from .cached import cached_property


class SentenceRows:
    """Where each sentence's words are in the batch's words laid end to end.

    There are B sentences, of at most L words, with N words in all.

    Args:
        spans: The start and end of each sentence in the N words, one after another.

    Attributes:
        spans: As given.
        lengths: The number of words of each sentence, int64 (B,).
    """

    def __init__(self, spans: Sequence[Tuple[int, int]]):
        self.spans = list(spans)
        self.lengths = _int64([end - start for start, end in self.spans])
        self._starts = _int64([start for start, _ in self.spans])

    @cached_property
    def _packing(self) -> Packing:
        return pack(self.lengths.tolist())

    @cached_property
    def packed(self) -> Tensor:
        """The word in each packed row, int64 (N,). `flat[packed]` is in torch's packed
        order: all first words, longest sentence first, then all second words, and so on.
        """
        return _int64(self._packing.forward_tokens)

    @cached_property
    def unpacked(self) -> Tensor:
        """The inverse permutation of `packed`, int64 (N,)."""
        return _int64(self._packing.forward_rows)

    @cached_property
    def reversed(self) -> Tensor:
        """For each packed row, the row of the word as far from the end of the same
        sentence as this one is from its start, int64 (N,). It is its own inverse."""
        return self.unpacked[_int64(self._packing.backward_tokens)]

    @cached_property
    def batch_sizes(self) -> Tensor:
        """How many sentences have a word at each step, int64 (L,)."""
        return _int64(self._packing.steps)

    def pad(self, flat: Tensor) -> Tensor:
        """(N, ...) → (B, L, ...). What lies beyond a row's end is arbitrary."""
        longest = max(self.lengths.tolist(), default=0)
        steps = _int64(np.arange(longest))
        last = (self.lengths - 1)[:, None]
        index = self._starts[:, None] + torch.minimum(steps[None, :], last)
        return flat[index.to(flat.device)]


class DocRows(SentenceRows):
    """The sentences of Docs, which know where they come from.

    Attributes:
        of_docs: For each Doc its sentences, and for each sentence its words, as places
            among the tokens of the Doc.
        places: (N,) int64, the words' places among the tokens of all Docs.
    """

    def __init__(self, docs: Sequence[Doc], *, line_is_sentence: bool = False):
        by_doc = [doc_sentences(doc, line_is_sentence=line_is_sentence) for doc in docs]
        self.of_docs = [[one.words for one in of_doc] for of_doc in by_doc]
        self._sentences = [one for of_doc in by_doc for one in of_doc]
        places = [np.zeros(0, np.int64)]
        offset = 0
        for doc, of_doc in zip(docs, self.of_docs, strict=True):
            places += [words + offset for words in of_doc]
            offset += len(doc)
        self.places = np.concatenate(places)
        super().__init__(_end_to_end([len(one.words) for one in self._sentences]))

    @property
    def words_of_docs(self) -> List[NDArray[np.int64]]:
        """The words of each Doc, as places among its tokens."""
        none = np.zeros(0, np.int64)
        return [np.concatenate([none, *of_doc]) for of_doc in self.of_docs]

    def windows(self, max_length: int) -> SentenceRows:
        """The same words, with longer sentences in windows of `max_length` tokens."""
        lengths = [
            len(words) for one in self._sentences for words in one.windows(max_length)
        ]
        return (
            self
            if len(lengths) == len(self.spans)
            else SentenceRows(_end_to_end(lengths))
        )


def _end_to_end(lengths: Sequence[int]) -> List[Tuple[int, int]]:
    return list(pairwise([0, *np.cumsum(lengths, dtype=np.int64).tolist()]))


def _int64(numbers: ArrayLike) -> Tensor:
    # from an array, so that it stays on the CPU: spaCy 3.3's Thinc lets torch make all
    # other tensors on a GPU
    return torch.from_numpy(np.asarray(numbers, np.int64))

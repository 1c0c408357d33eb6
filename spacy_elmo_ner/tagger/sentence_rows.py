"""The sentences of a batch of Docs as rows, for recurrent layers and the CRF."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from spacy.tokens import Doc

from ..kernels.packing import pack
from ..text.sentences import sentence_words


class SentenceRows:
    """Where each sentence's words lie in the batch's words laid end to end.

    Attributes (B sentences, longest L, N words in all):
        spans: (start, end) of each sentence in the N words, one after another.
        lengths: (B,) int64, words of each sentence.
        packed: (N,) int64. `flat[packed]` is in torch's packed order: all first
            words, longest sentence first, then all second words, and so on.
        unpacked: (N,) int64, the inverse permutation of `packed`.
        turned: (N,) int64. In packed order, the row of the same sentence's word that is
            as far from the end as this one from the start; its own inverse.
        batch_sizes: (L,) int64, sentences alive at each step.
    """

    def __init__(self, spans: Sequence[Tuple[int, int]]):
        self.spans = list(spans)
        lengths = [end - start for start, end in spans]
        packing = pack(lengths)
        starts = [start for start, _ in spans]
        # from arrays, as they stay on the CPU: Thinc of spaCy 3.3 lets torch make all
        # other tensors on a GPU
        self.lengths, self._starts, self.batch_sizes = (
            torch.from_numpy(np.asarray(numbers, np.int64))
            for numbers in (lengths, starts, packing.steps)
        )
        self.packed = torch.from_numpy(packing.forward_tokens)
        self.unpacked = torch.from_numpy(packing.forward_rows)
        self.turned = self.unpacked[torch.from_numpy(packing.backward_tokens)]

    def pad(self, flat: torch.Tensor) -> torch.Tensor:
        """(N, ...) → (B, L, ...). What lies beyond a row's end is arbitrary."""
        steps = torch.arange(len(self.batch_sizes), device=self.lengths.device)
        last = (self.lengths - 1)[:, None]
        index = self._starts[:, None] + torch.minimum(steps[None, :], last)
        return flat[index.to(flat.device)]


class DocRows(SentenceRows):
    """The sentences of Docs, which know where they come from.

    Attributes:
        words: of each sentence, its words' places among the tokens of their Doc.
        docs: of each sentence, its Doc's place in the batch.
        places: (N,) int64, the words' places among the tokens of all Docs.
    """

    def __init__(
        self,
        docs: Sequence[Doc],
        *,
        max_length: Optional[int] = None,
        line_is_sentence: bool = False,
    ):
        self.words: List[np.ndarray] = []
        self.docs: List[int] = []
        places = [np.zeros(0, np.int64)]
        offset = 0
        for number, doc in enumerate(docs):
            for words in sentence_words(
                doc, max_length=max_length, line_is_sentence=line_is_sentence
            ):
                self.words.append(words)
                self.docs.append(number)
                places.append(words + offset)
            offset += len(doc)
        self.places = np.concatenate(places)
        ends = np.cumsum([len(words) for words in self.words]).tolist()
        super().__init__(list(zip([0, *ends], ends, strict=False)))

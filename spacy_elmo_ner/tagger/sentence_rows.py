"""The sentences of a batch of Docs as rows, for recurrent layers and the CRF."""

from typing import List, Sequence, Tuple

import torch
from spacy.tokens import Doc

from ..packing import pack
from ..sentences import sentence_spans


class SentenceRows:
    """Where each sentence's tokens lie in the batch's tokens laid end to end.

    Attributes (B sentences, longest L, N tokens in all):
        spans: (start, end) of each sentence in the N tokens, one after another.
        lengths: (B,) int64, tokens of each sentence.
        packed: (N,) int64. `flat[packed]` is in torch's packed order: all first
            tokens, longest sentence first, then all second tokens, and so on.
        unpacked: (N,) int64, the inverse permutation of `packed`.
        turned: (N,) int64. In packed order, the row of the same sentence's token that is
            as far from the end as this one from the start; its own inverse.
        batch_sizes: (L,) int64, sentences alive at each step.
    """

    def __init__(self, spans: Sequence[Tuple[int, int]]):
        self.spans = list(spans)
        lengths = [end - start for start, end in spans]
        packing = pack(lengths)
        self.lengths = torch.tensor(lengths, dtype=torch.int64)
        self._starts = torch.tensor([start for start, _ in spans], dtype=torch.int64)
        self.batch_sizes = torch.tensor(packing.steps, dtype=torch.int64)
        self.packed = torch.from_numpy(packing.forward_tokens)
        self.unpacked = torch.from_numpy(packing.forward_rows)
        self.turned = self.unpacked[torch.from_numpy(packing.backward_tokens)]

    @classmethod
    def from_docs(cls, docs: Sequence[Doc], *, max_length: int) -> "SentenceRows":
        spans: List[Tuple[int, int]] = []
        offset = 0
        for doc in docs:
            for start, end in sentence_spans(doc, max_length=max_length):
                spans.append((offset + start, offset + end))
            offset += len(doc)
        return cls(spans)

    def pad(self, flat: torch.Tensor) -> torch.Tensor:
        """(N, ...) → (B, L, ...). What lies beyond a row's end is arbitrary."""
        steps = torch.arange(len(self.batch_sizes))
        last = (self.lengths - 1)[:, None]
        index = self._starts[:, None] + torch.minimum(steps[None, :], last)
        return flat[index.to(flat.device)]

    def flatten(self, padded: torch.Tensor) -> torch.Tensor:
        """(B, L, ...) → (N, ...), the inverse of `pad`."""
        steps = torch.arange(padded.shape[1])
        inside = steps[None, :] < self.lengths[:, None]
        return padded[inside.to(padded.device)]

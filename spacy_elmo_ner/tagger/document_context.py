"""torch: what a Doc says about its words → a vector for each token.

A name is often clear in one sentence and bare in the next: a table of results lists
"Leeds", and only the sport in the headline, or "Leeds United" before it, tells what it
is. So a token also sees its word elsewhere in the Doc, and the Doc as a whole.
"""

from typing import NamedTuple, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from spacy.attrs import LOWER
from spacy.tokens import Doc
from torch import Tensor, nn


class DocumentTokens(NamedTuple):
    """Which of the N tokens of all Docs, end to end, have something in common.

    Attributes:
        words: A number for each token, int64 (N,). It is the same for two tokens of one Doc
            whose words differ at most in case.
        docs: The place of the token's Doc in the batch, int64 (N,).
    """

    words: Tensor
    docs: Tensor

    @classmethod
    def from_docs(cls, docs: Sequence[Doc], places: np.ndarray) -> "DocumentTokens":
        """The words of Docs.

        Args:
            docs: The batch.
            places: The words' places among the tokens of all Docs, (N,).
        """
        place = np.repeat(np.arange(len(docs)), [len(doc) for doc in docs])[places]
        ids = np.concatenate([doc.to_array([LOWER]).ravel() for doc in docs])
        types, index = np.unique(ids[places], return_inverse=True)
        words = np.unique(place * len(types) + index, return_inverse=True)[1]
        return cls(torch.from_numpy(words), torch.from_numpy(place))

    def take(self, order: Tensor) -> "DocumentTokens":
        """The tokens in another order, on the device of `order`."""
        return DocumentTokens(*(one.to(order.device)[order] for one in self))


class DocumentContext(nn.Module):
    """relu(W · mean over the word's places + V · mean over the Doc + b) for each token.

    In the manner of Akbik, Bergmann and Vollgraf (2019), "Pooled Contextualized
    Embeddings for Named Entity Recognition", with the Doc as the memory: a text's
    output depends on that text alone.

    Args:
        nI: Width of a token's vector.
        nO: Width of a token's output.
    """

    def __init__(self, nI: int, nO: int) -> None:
        super().__init__()
        self.of_word = nn.Linear(nI, nO)
        self.of_doc = nn.Linear(nI, nO, bias=False)

    def forward(self, x: Tensor, tokens: DocumentTokens) -> Tensor:
        """(N, nI) → (N, nO), both in the order of the tokens."""
        # multiplied before they are handed out: there are fewer words and Docs than
        # tokens
        of_word = self.of_word(_mean_of_group(x, tokens.words))
        of_doc = self.of_doc(_mean_of_group(x, tokens.docs))
        return F.relu(of_word[tokens.words] + of_doc[tokens.docs])


def _mean_of_group(x: Tensor, groups: Tensor) -> Tensor:
    """(number of groups, width): the mean of the rows of x that are in each."""
    counts = torch.bincount(groups)
    sums = x.new_zeros(len(counts), x.shape[1]).index_add(0, groups, x)
    return sums / counts.clamp(min=1)[:, None]

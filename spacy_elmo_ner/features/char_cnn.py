"""A trainable convolution over the characters of a word."""

from functools import partial
from typing import List, Optional, Sequence, Tuple, cast

import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import nn
from torch.nn import functional as F

from ..bilm.char_ids import PADDING, encode_words, index_types
from ..bilm.word_cache import WordCache
from ..kernels.derived import Prepared
from ..kernels.steady_product import steady_product
from ..kernels.threads import rows_in_parallel
from ..torch_shim import LazyTorchShim
from .tok2vec import Backprop, Tok2Vec
from .word_types import word_types

# how many words' vectors are kept while nothing is learnt
CACHED_WORDS = 20_000


def build_char_cnn_v1(
    *, char_width: int = 30, filters: Sequence[Sequence[int]] = ((3, 64),)
) -> Tok2Vec:
    """Build a tok2vec that reads each word's characters: Ma and Hovy 2016, section 2.1.

    A word is the first 48 of its UTF-8 bytes between a begin and an end marker, each
    embedded in `char_width` values. Each convolution yields its maximum over the word,
    through a ReLU. A word has the same vector wherever it occurs, and is computed once
    per batch.

    Args:
        char_width: Width of a character's vector.
        filters: (width, count) of each convolution.

    Returns:
        A model from Docs to vectors, (tokens, nO) each; nO is the sum of the counts.

    Raises:
        ValueError: If a size is below 1.
    """
    sizes = [char_width] + [number for pair in filters for number in pair]
    if not filters or min(sizes) < 1 or any(len(pair) != 2 for pair in filters):
        raise ValueError(
            "CharCnn needs a char_width of at least 1, and in filters at least one "
            "pair [width, count] of numbers of at least 1, such as [[3, 64]]. "
            f"It was given char_width = {char_width}, filters = {filters}."
        )
    pairs = [(width, count) for width, count in filters]
    return Model(
        "char_cnn",
        forward,
        init=init,
        dims={"nO": sum(count for _, count in pairs)},
        shims=[
            LazyTorchShim(
                partial(TrainableCharCnn, char_width=char_width, filters=pairs)
            )
        ],
    )


class TrainableCharCnn(nn.Module):
    """Character ids → one vector for each word."""

    def __init__(self, *, char_width: int, filters: Sequence[Tuple[int, int]]):
        super().__init__()
        # the padding gets no gradient, so it stays 0
        self.embedding = nn.Embedding(PADDING + 1, char_width, padding_idx=PADDING)
        self.widths = [width for width, _ in filters]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(char_width, count, width) for width, count in filters
        )
        self._known: Prepared[WordCache] = Prepared()

    def forward(self, words: List[str], index: torch.Tensor) -> torch.Tensor:
        """Vectors of tokens.

        Args:
            words: Distinct words.
            index: Each token's word, (tokens,).

        Returns:
            (tokens, sum of the counts)
        """
        return self.vectors(words).index_select(0, index)

    def vectors(self, words: List[str]) -> torch.Tensor:
        """Distinct words → (words, sum of counts)."""
        if torch.is_grad_enabled():
            self._known.forget()
            return self._compute(words)
        return self._known.get(self._new_cache, self).vectors(words, self._compute)

    def _new_cache(self) -> WordCache:
        width = sum(len(cast(nn.Conv1d, one).weight) for one in self.convolutions)
        return WordCache(self.embedding.weight.new_empty(0, width), CACHED_WORDS)

    def _compute(self, words: List[str]) -> torch.Tensor:
        ids = torch.from_numpy(encode_words(words)).to(self.embedding.weight.device)
        return rows_in_parallel(self.maxima, ids)

    def maxima(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors of words.

        All words are in one row, with enough padding between them that no filter sees
        two. A filter is centred on each character of a word once.

        Args:
            ids: Character ids, (words, characters).

        Returns:
            (words, sum of the counts)
        """
        lengths = (ids != PADDING).sum(dim=1)
        gap = max(self.widths) // 2
        ids = F.pad(ids, (0, gap), value=PADDING)
        columns = torch.arange(ids.shape[1], device=ids.device)
        steps = (lengths + gap).unsqueeze(1)
        row = F.pad(ids[columns < steps], (gap, 0), value=PADDING)
        characters = self.embedding(row)
        # the places of a word's characters; a short word repeats its last place,
        # which leaves its maximum as it is
        inside = torch.minimum(columns[: lengths.max()], lengths.unsqueeze(1) - 1)
        places = gap + torch.cumsum(steps, dim=0) - steps + inside
        maxima = []
        for width, module in zip(self.widths, self.convolutions, strict=True):
            convolution = cast(nn.Conv1d, module)
            # a matrix product, because torch's convolution caches code for every length
            windows = characters.unfold(0, width, 1).flatten(1)
            weight = convolution.weight.flatten(1).t()
            values = steady_product(windows, weight, convolution.bias)
            maxima.append(values[places - (width - 1) // 2].max(dim=1).values)
        return F.relu(torch.cat(maxima, dim=1))


def init(
    model: Tok2Vec,
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    """Build the network."""
    cast(LazyTorchShim, model.shims[0]).build()


def forward(
    model: Tok2Vec, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Backprop]:
    seen, index = word_types(docs)
    if not seen:
        return _nothing(model, docs)
    words, (of_seen,) = index_types([seen])
    shim = cast(LazyTorchShim, model.shims[0])
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    device = next(shim.module.parameters()).device
    inputs = ArgsKwargs(
        args=(
            words,
            torch.from_numpy(of_seen[index]).to(device),
        ),
        kwargs={},
    )
    vectors, backprop_torch = shim(inputs, is_train)

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        gradient = xp2torch(model.ops.flatten(d_vectors)).to(device)
        backprop_torch(
            ArgsKwargs(args=((vectors,),), kwargs={"grad_tensors": (gradient,)})
        )
        return []

    output = cast(Floats2d, torch2xp(vectors.detach()))
    return model.ops.unflatten(output, lengths), backprop


def _nothing(model: Tok2Vec, docs: List[Doc]) -> Tuple[List[Floats2d], Backprop]:
    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        return []

    return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs], backprop

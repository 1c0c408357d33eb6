"""torch: a bidirectional LSTM, whose directions have a thread each."""

from typing import List

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..kernels.threads import in_parallel


class BiLstm(nn.LSTM):
    """One layer of torch's LSTM in both directions, on packed rows.

    nn.LSTM reads them one after the other, and its products, one for each step, are too
    small for several threads.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, bidirectional=True)

    def forward(  # type: ignore[override]
        self, x: Tensor, batch_sizes: Tensor, turned: Tensor
    ) -> Tensor:
        """(N, input_size) → (N, 2 · hidden_size), forward before backward.

        batch_sizes, turned: see `SentenceRows`.
        """
        is_learning = torch.is_grad_enabled()
        # a GPU wants the weights of both directions in one piece
        if is_learning or x.device.type != "cpu" or not hasattr(torch, "lstm"):
            return super().forward(PackedSequence(x, batch_sizes))[0].data
        zeros = x.new_zeros(1, int(batch_sizes[0]), self.hidden_size)

        def read(rows: Tensor, weights: List[nn.Parameter]) -> Tensor:
            # what nn.LSTM itself calls
            return torch.lstm(
                rows,
                batch_sizes,
                (zeros, zeros),
                tuple(weights),
                True,
                1,
                0.0,
                False,
                False,
            )[0]

        forward, backward = in_parallel(
            [
                lambda: read(x, self.all_weights[0]),
                lambda: read(x.index_select(0, turned), self.all_weights[1]),
            ]
        )
        return torch.cat([forward, backward.index_select(0, turned)], 1)

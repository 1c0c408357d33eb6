"""torch: a bidirectional LSTM, with one thread per direction."""

from typing import List

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..kernels.derived import Prepared
from ..kernels.lstm_inference import InferenceLstm
from ..kernels.packed_products import prepare_product, usable_precision
from ..kernels.scripting import without_gil
from ..kernels.threads import in_parallel


class BiLstm(nn.LSTM):
    """One layer of torch's LSTM in both directions, on packed rows.

    nn.LSTM reads the directions one after the other, and its products, one for each step,
    are too small for several threads.

    Args:
        input_size: Width of a row.
        hidden_size: Width of the output of each direction.
        precision: Of prediction on a CPU, see `packed_products.PRECISIONS`.
    """

    def __init__(
        self, input_size: int, hidden_size: int, precision: str = "float32"
    ) -> None:
        super().__init__(input_size, hidden_size, bidirectional=True)
        self.precision = precision
        self._inference: Prepared[List[InferenceLstm]] = Prepared()

    def forward(  # type: ignore[override]
        self, x: Tensor, batch_sizes: Tensor, reversed: Tensor
    ) -> Tensor:
        """Read sentences in both directions.

        Args:
            x: Packed rows, (N, input_size).
            batch_sizes: See `SentenceRows`.
            reversed: See `SentenceRows`.

        Returns:
            The outputs, forward before backward, (N, 2 · hidden_size).
        """
        is_learning = torch.is_grad_enabled()
        if is_learning:
            self._inference.forget()
        # a GPU needs the weights of both directions in one piece
        if is_learning or x.device.type != "cpu" or not hasattr(torch, "lstm"):
            return super().forward(PackedSequence(x, batch_sizes))[0].data
        zeros = x.new_zeros(int(batch_sizes[0]), self.hidden_size)
        # torch's own LSTM is made for exact products, and as fast with them
        is_exact = usable_precision(self.precision) == "float32"

        def read(rows: Tensor, direction: int) -> Tensor:
            output: Tensor
            if is_exact:
                # what nn.LSTM itself calls
                output, *_ = torch.lstm(
                    rows,
                    batch_sizes,
                    (zeros[None], zeros[None]),
                    tuple(self.all_weights[direction]),
                    True,
                    1,
                    0.0,
                    False,
                    False,
                )
            else:
                lstm = self._inference.get(self._prepare, self)[direction]
                output, *_ = lstm(rows, None, batch_sizes.tolist(), zeros, zeros)
            return output

        forward, backward = in_parallel(
            [
                lambda: read(x, 0),
                lambda: read(x.index_select(0, reversed), 1),
            ]
        )
        return torch.cat([forward, backward.index_select(0, reversed)], 1)

    def _prepare(self) -> List[InferenceLstm]:
        return [self._prepare_direction(*weights) for weights in self.all_weights]

    def _prepare_direction(
        self, W_x: Tensor, W_h: Tensor, b_x: Tensor, b_h: Tensor
    ) -> InferenceLstm:
        W_x, W_h, b = (_gates_in_our_order(one) for one in (W_x, W_h, b_x + b_h))
        lstm = InferenceLstm(
            prepare_product(W_x.t(), b, precision=self.precision),
            prepare_product(W_h.t(), precision=self.precision, few_rows=True),
        )
        return without_gil(lstm)


def _gates_in_our_order(weights: Tensor) -> Tensor:
    """(4 · width, ...) of torch's i, f, g, o → i, g, f, o."""
    i, f, g, o = weights.chunk(4)
    return torch.cat([i, g, f, o])

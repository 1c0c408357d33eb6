"""The biLM: word vectors and state → LSTM layers and state.

A stack of LSTMs with projection (Sak et al. 2014, arXiv:1402.1128) in each of two
directions that never see each other, as in Józefowicz et al. 2016 (arXiv:1602.02410)
and Peters et al. 2018, section 3. No state is kept from call to call.
"""

from functools import partial
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ..kernels.cuda_graphs import in_cuda_graphs
from ..kernels.derived import Prepared
from ..kernels.lstm_inference import InferenceLstm
from ..kernels.lstm_training import LstmSettings, LstmWithGradient
from ..kernels.packed_products import prepare_product
from ..kernels.packing import pack
from ..kernels.scripting import without_gil
from ..kernels.threads import in_parallel
from ..kernels.uploads import on_device
from .options import ElmoOptions

# TensorFlow adds this to the forget gate; published biases do not include it.
FORGET_BIAS = 1.0


class BiLMState(NamedTuple):
    """What B sentences start from or end in.

    Attributes:
        hidden: Projected outputs, (2 directions, n_layers, B, projection_width).
        cell: Memory cells, (2 directions, n_layers, B, lstm_width).
    """

    hidden: Tensor
    cell: Tensor


class BiLM(nn.Module):
    """Both directions of the language model, without its softmax.

    Args:
        options: The biLM's sizes.
        precision: Of prediction on a CPU, see `packed_products.PRECISIONS`.
    """

    def __init__(self, options: ElmoOptions, precision: str) -> None:
        super().__init__()
        self.options = options
        self.directions = nn.ModuleList(LstmStack(options, precision) for _ in range(2))

    def forward(
        self,
        types: Tensor,
        tokens: Tensor,
        lengths: Sequence[int],
        *,
        state: Optional[BiLMState] = None,
        depth: Optional[int] = None,
    ) -> Tuple[List[Tensor], BiLMState]:
        """Read B sentences, N tokens in all, boundaries included.

        Args:
            types: Vectors of the distinct words, (n_types, projection_width).
            tokens: Row in types of every token, sentence after sentence, (N,).
            lengths: Tokens of each of the B sentences, at least 1.
            state: What each sentence starts from, or the state of one sentence that all
                start from; zeros if left out. The backward direction starts at a
                sentence's end.
            depth: How many LSTM layers to run; all if left out.

        Returns:
            LSTM outputs, a tensor (N, 2 · projection_width) per layer, forward before
            backward, and each sentence's end state; both have `depth` layers.
        """
        if depth is None:
            depth = self.options.n_layers
        if state is None:
            state = self.zeros(types, depth, 1)
        packing = pack(lengths)
        order = on_device(packing.order, types.device)
        # in packed order; states that are all the same need no sorting
        hidden, cell = (
            (
                part.expand(-1, -1, len(lengths), -1)
                if part.shape[2] == 1
                else part.index_select(2, order)
            )
            for part in state
        )
        readings = [
            (packing.forward_tokens, packing.forward_rows),
            (packing.backward_tokens, packing.backward_rows),
        ]

        def read(i: int) -> Tuple[List[Tensor], Tensor, Tensor]:
            tokens_read, rows = (
                on_device(numbers, types.device) for numbers in readings[i]
            )
            outputs, last_hidden, last_cell = self.directions[i](
                types,
                tokens.index_select(0, tokens_read),
                packing.steps,
                hidden[i],
                cell[i],
                depth,
            )
            outputs = [output.index_select(0, rows) for output in outputs]
            return outputs, last_hidden, last_cell

        both = in_parallel([partial(read, 0), partial(read, 1)])
        layers, hiddens, cells = zip(*both, strict=True)
        as_given = torch.argsort(order)
        end = BiLMState(
            hidden=torch.stack(hiddens).index_select(2, as_given),
            cell=torch.stack(cells).index_select(2, as_given),
        )
        return [torch.cat(layer, 1) for layer in zip(*layers, strict=True)], end

    def zeros(self, like: Tensor, depth: int, n: int) -> BiLMState:
        """The state of n sentences before which nothing was read."""
        return BiLMState(
            hidden=like.new_zeros(2, depth, n, self.options.projection_width),
            cell=like.new_zeros(2, depth, n, self.options.lstm_width),
        )


class LstmStack(nn.Module):
    """One direction: stacked LSTMs, on packed rows."""

    def __init__(self, options: ElmoOptions, precision: str) -> None:
        super().__init__()
        self.skip_connections = options.skip_connections
        self.layers = nn.ModuleList(
            ProjectedLstm(options, precision) for _ in range(options.n_layers)
        )

    def forward(
        self,
        types: Tensor,
        tokens: Tensor,
        steps: List[int],
        hidden: Tensor,
        cell: Tensor,
        depth: int,
    ) -> Tuple[List[Tensor], Tensor, Tensor]:
        """Run `depth` layers.

        Args:
            types: Vectors of the distinct words, (n_types, projection_width).
            tokens: Row in types of each packed row, (N,).
            steps: Rows of each step, see `packing.Packing`.
            hidden: First hidden states, (depth, B, projection_width).
            cell: First cells, (depth, B, lstm_width).
            depth: How many layers to run.

        Returns:
            Outputs (N, projection_width) of each layer, last hidden states and last
            cells, in the shapes of the first.
        """
        outputs: List[Tensor] = []
        # start with no layer, which is all there is at depth 0
        hiddens, cells = [hidden[:0]], [cell[:0]]
        for i in range(depth):
            output, last_hidden, last_cell = self.layers[i](
                types if i == 0 else outputs[-1],
                tokens if i == 0 else None,
                steps,
                hidden[i],
                cell[i],
            )
            if i > 0 and self.skip_connections:
                output = output + outputs[-1]
            outputs.append(output)
            hiddens.append(last_hidden[None])
            cells.append(last_cell[None])
        return outputs, torch.cat(hiddens), torch.cat(cells)


class ProjectedLstm(nn.Module):
    """One LSTM layer in one direction (Sak et al. 2014, section 2), with clipping.

        i, g, f, o = [x; h] W_0 + B       gates in this order, f with FORGET_BIAS
        c = clip(σ(i) · tanh(g) + σ(f) · c)
        h = clip((σ(o) · tanh(c)) W_P_0)

    Parameters have the names and shapes of the published datasets.
    """

    def __init__(self, options: ElmoOptions, precision: str) -> None:
        super().__init__()
        width, projected = options.lstm_width, options.projection_width
        self.width, self.projected = width, projected
        self.precision = precision
        self._inference: Prepared[nn.Module] = Prepared()
        self.cell_clip = options.cell_clip
        self.projection_clip = options.projection_clip
        self.W_0 = nn.Parameter(torch.empty(2 * projected, 4 * width))
        self.B = nn.Parameter(torch.zeros(4 * width))
        self.W_P_0 = nn.Parameter(torch.empty(width, projected))
        nn.init.normal_(self.W_0, std=(2 * projected) ** -0.5)
        nn.init.normal_(self.W_P_0, std=width**-0.5)

    def forward(
        self,
        inputs: Tensor,
        rows: Optional[Tensor],
        steps: List[int],
        hidden: Tensor,
        cell: Tensor,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """Read packed rows.

        Args:
            inputs: Distinct inputs, (n, projected).
            rows: Row in inputs of each packed row, (N,), or None if inputs are the
                packed rows.
            steps: Rows of each step, see `packing.Packing`.
            hidden: First hidden states of the B sentences, longest sentence first.
            cell: Their first cells.

        Returns:
            Outputs (N, projected), last hidden (B, projected), last cells (B, width).
        """
        found: Tuple[Tensor, Tensor, Tensor]
        if torch.is_grad_enabled():
            self._inference.forget()
            settings = LstmSettings(steps, self.cell_clip, self.projection_clip)
            found = LstmWithGradient.apply(  # type: ignore[no-untyped-call]
                inputs if rows is None else inputs[rows],
                hidden,
                cell,
                self.W_0,
                self._bias(),
                self.W_P_0,
                settings,
            )
            return found
        inference = self._inference.get(self._prepare, self)
        # under torch.autocast inputs come in its type, and the state in that of the weights
        found = inference(
            inputs, rows, steps, hidden.to(inputs.dtype), cell.to(inputs.dtype)
        )
        return found

    def _prepare(self) -> nn.Module:
        of_input, recurrent = self.W_0.split(self.projected)
        lstm = InferenceLstm(
            prepare_product(of_input, self._bias(), precision=self.precision),
            prepare_product(recurrent, precision=self.precision, few_rows=True),
            prepare_product(self.W_P_0, precision=self.precision, few_rows=True),
            cell_clip=self.cell_clip,
            projection_clip=self.projection_clip,
        )
        if self.W_0.is_cuda:
            return in_cuda_graphs(lstm)
        return without_gil(lstm) if self.W_0.device.type == "cpu" else lstm

    def _bias(self) -> Tensor:
        before, forget, after = self.B.split([2 * self.width, self.width, self.width])
        return torch.cat([before, forget + FORGET_BIAS, after])

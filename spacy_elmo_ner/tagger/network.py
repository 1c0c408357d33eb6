"""torch: features → tag scores, and the CRF's own parameters."""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .bilstm import BiLstm
from .document_context import DocumentContext, DocumentTokens

# Initial score of a tag that is added to a trained network. It is low enough
# that old predictions stand, and close enough to be learnt away.
NEW_TAG_SCORE = -10.0


class TaggerNetwork(nn.Module):
    """BiLSTM layers, a projection to tag scores, and CRF transition scores.

    Source: Lample et al. (2016), "Neural Architectures for Named Entity
    Recognition", section 2; dropout also before each further layer.

    Args:
        nI: Width of a token's features.
        nO: Number of tags. Tag 0 is "O".
        hidden_width: Width of each direction of a layer.
        depth: Number of layers, 0 for none.
        document_width: Width of the DocumentContext, 0 for none. It is joined to the first
            layer's output, or to the features if there are no layers.
        precision: Of the BiLSTM's prediction on a CPU, see `packed_products.PRECISIONS`.
    """

    def __init__(
        self,
        *,
        nI: int,
        nO: int,
        hidden_width: int,
        depth: int,
        document_width: int,
        precision: str = "float32",
    ):
        super().__init__()
        widths = [nI] + [2 * hidden_width] * depth
        self.context_at = min(1, depth)
        self.context: Optional[DocumentContext] = None
        if document_width:
            self.context = DocumentContext(widths[self.context_at], document_width)
            widths[self.context_at] += document_width
        self.layers = nn.ModuleList(
            BiLstm(width, hidden_width, precision) for width in widths[:-1]
        )
        self.output = nn.Linear(widths[-1], nO)
        self.transitions = nn.Parameter(torch.zeros(nO, nO))
        self.start = nn.Parameter(torch.zeros(nO))
        self.end = nn.Parameter(torch.zeros(nO))
        # An untrained tagger says "O" everywhere.
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():
            self.output.bias[0] = 1.0
        for layer in self.layers:
            _initialize_lstm(layer)  # type: ignore[arg-type]

    def forward(
        self,
        features: Tensor,
        packed: Tensor,
        unpacked: Tensor,
        reversed: Tensor,
        batch_sizes: Tensor,
        *,
        dropout: float,
        document: Optional[DocumentTokens] = None,
    ) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        """Score the tags of each token.

        Args:
            features: The tokens of all sentences, end to end, (N, nI).
            packed: See `SentenceRows`.
            unpacked: See `SentenceRows`.
            reversed: See `SentenceRows`.
            batch_sizes: See `SentenceRows`.
            dropout: Rate at which the inputs of layers and output are dropped.
            document: For the same tokens, if the network has a document_width.

        Returns:
            The emissions (N, nO), and the CRF's parameters: transitions (nO, nO) from row
            to column, start (nO,) and end (nO,).
        """
        x = features.index_select(0, packed)
        for depth in range(len(self.layers) + 1):
            if self.context is not None and depth == self.context_at:
                assert document is not None
                x = torch.cat([x, self.context(x, document.take(packed))], dim=1)
            x = F.dropout(x, dropout)
            if depth < len(self.layers):
                x = self.layers[depth](x, batch_sizes, reversed)
        emissions = self.output(x).index_select(0, unpacked)
        return emissions, self.transitions, self.start, self.end

    def copy_from(self, smaller: "TaggerNetwork") -> None:
        """Take over the weights of a network with fewer tags.

        The new tags score low, so that predictions stay the same.
        """
        old = smaller.state_dict()
        with torch.no_grad():
            self.output.bias.fill_(NEW_TAG_SCORE)
            for name, tensor in self.state_dict().items():
                region = tuple(slice(0, size) for size in old[name].shape)
                tensor[region] = old[name]

    def take_tags(self, other: "TaggerNetwork", origins: Tensor, legal: Tensor) -> None:
        """Take over the weights of a network with other tags.

        A tag starts with the mean score of the tags that it comes from, and a transition
        with that of the legal ones among those.

        Args:
            other: A network with the same sizes except for the tags.
            origins: Which of the other's tags each tag comes from, (nO, other's nO),
                1 or 0; at least one for each.
            legal: The other's legal transitions, bool (other's nO, other's nO).
        """
        theirs = other.state_dict()
        origins = origins.to(other.output.weight)
        mean = origins / origins.sum(1, keepdim=True)
        for name in ("output.weight", "output.bias", "start", "end"):
            theirs[name] = mean @ theirs[name]
        legal = legal.to(origins)
        pairs = origins @ legal @ origins.t()
        sums = origins @ (theirs["transitions"] * legal) @ origins.t()
        theirs["transitions"] = sums / pairs.clamp(min=1)
        self.load_state_dict(theirs)


def _initialize_lstm(layer: nn.LSTM) -> None:
    """Orthogonal recurrence, forget gates open (Jozefowicz et al. 2015)."""
    width = layer.hidden_size
    for name, parameter in layer.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        elif name.startswith("weight_hh"):
            for gate in parameter.data.split(width):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                parameter.data[width : 2 * width] = 1.0

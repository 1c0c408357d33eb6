"""What a tagger makes of Docs, and what `elmo_ner` requires of a tagger.

The component takes any Thinc `Model[List[Doc], Potentials]`, which a config names as an
architecture; `architecture.build_crf_tagger_v2` is one. A model of your own

- takes Docs, at least one of which has a word, and returns Potentials: it makes the
  rows, `DocRows(docs, line_is_sentence=model.attrs[LINE_IS_SENTENCE])`, and scores each
  of their words. `rows.places` says which of the tokens they are;
- takes Potentials to backpropagate, each tensor of which is the gradient of one that it
  returned;
- has the dimension `nO`, the number of tags, and in its attrs `resize_output`, a function
  (model, nO) → model, which is used to add labels;
- may have, in it or in a layer, `attrs[LINE_IS_SENTENCE]`, which the component sets, and
  `attrs[MAX_LENGTH]`, the most tokens of a sentence that are read together. The
  component splits longer sentences, see `longest_sentence`.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Iterator, List, Optional

import torch
from spacy.tokens import Doc
from thinc.api import Model
from torch import Tensor

from ..text.sentences import MAX_LENGTH
from .parameters import CrfParameters, restrict
from .sentence_rows import DocRows
from .tag_schemes import TagScheme


@dataclass(frozen=True)
class Potentials:
    """Scores of T tags and their transitions, or the gradients of these.

    Iteration yields the four tensors.

    Attributes:
        emissions: The scores of each word's tags, (N, T) for the N words of the rows.
        transitions: The score of each tag after each other, from row to column, (T, T).
        start: The score of each tag at the start of a sentence, (T,).
        end: The score of each tag at the end of a sentence, (T,).
        rows: The sentences of the Docs that were read.
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    rows: DocRows

    def __iter__(self) -> Iterator[Tensor]:
        return iter((self.emissions, self.transitions, self.start, self.end))

    def map(self, function: Callable[[Tensor], Tensor]) -> "Potentials":
        """The function applied to each tensor, with the same rows."""
        emissions, transitions, start, end = map(function, self)
        return Potentials(emissions, transitions, start, end, self.rows)

    def tempered(self, temperature: float) -> "Potentials":
        """All paths in the same order; above 1 their probabilities are more alike."""
        if temperature == 1:
            return self
        return self.map(partial(torch.mul, other=1 / temperature))

    def legal_parameters(self, scheme: TagScheme) -> CrfParameters:
        """The CRF's parameters with what the tag scheme forbids put out of reach."""
        device = self.transitions.device
        return restrict(
            CrfParameters(self.transitions, self.start, self.end),
            torch.from_numpy(scheme.legal_transitions).to(device),
            torch.from_numpy(scheme.legal_start).to(device),
            torch.from_numpy(scheme.legal_end).to(device),
        )


Tagger = Model[List[Doc], Potentials]


def longest_sentence(model: "Model[Any, Any]") -> Optional[int]:
    """The most tokens of a sentence that all layers of the model read together; None if
    none of them has such a limit."""
    limits = [
        node.attrs[MAX_LENGTH] for node in model.walk() if MAX_LENGTH in node.attrs
    ]
    return min(limits, default=None)


@contextmanager
def same_lengths(model: "Model[Any, Any]") -> Iterator[None]:
    """Keep the limits on sentence length, which are saved with the weights, while other
    weights are loaded: the config sets them."""
    nodes = [node for node in model.walk() if MAX_LENGTH in node.attrs]
    lengths = [node.attrs[MAX_LENGTH] for node in nodes]
    yield
    for node, length in zip(nodes, lengths, strict=True):
        node.attrs[MAX_LENGTH] = length

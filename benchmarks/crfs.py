"""The CRFs that crf_speed compares, with the same parameters and no constraints."""

from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, List, NamedTuple

import torch
from torch import Tensor

from spacy_elmo_ner.tagger import crf
from spacy_elmo_ner.tagger.marginals import Marginals
from spacy_elmo_ner.tagger.parameters import CrfParameters
from spacy_elmo_ner.tagger.viterbi import viterbi


class Batch(NamedTuple):
    """B sentences of L tokens, padded, with what each CRF wants to be told of them.

    emissions: (B, L, T); tags: (B, L), 0 beyond a length; mask: bool (B, L);
    lengths: (B,).
    """

    emissions: Tensor
    tags: Tensor
    mask: Tensor
    lengths: Tensor


class Ours:
    """spacy_elmo_ner.tagger.crf."""

    def __init__(self, scores: CrfParameters) -> None:
        self.parameters = CrfParameters(*(x.clone().requires_grad_() for x in scores))

    def log_likelihood(self, batch: Batch) -> Tensor:
        """(): summed over the sentences."""
        known = torch.nn.functional.one_hot(batch.tags, batch.emissions.shape[2]).bool()
        return crf.log_likelihood(
            batch.emissions, batch.lengths, self.parameters, known
        ).sum()

    def viterbi(self, batch: Batch) -> List[List[int]]:
        """The best tags of each sentence, as lists, because the others give lists."""
        _, tags = viterbi(batch.emissions, batch.lengths, self.parameters)
        lengths = batch.lengths.tolist()
        return [row[:n] for row, n in zip(tags.tolist(), lengths, strict=True)]

    def tag_marginals(self, batch: Batch) -> Tensor:
        """(B, L, T)."""
        return Marginals(batch.emissions, batch.lengths, self.parameters).of_tags()


class Rival(ABC):
    """A module that names its parameters as AllenNLP and pytorch-crf both do."""

    def __init__(self, module: Any, scores: CrfParameters) -> None:
        self.module = module
        self.parameters = CrfParameters(
            module.transitions, module.start_transitions, module.end_transitions
        )
        with torch.no_grad():
            for parameter, values in zip(self.parameters, scores, strict=True):
                parameter.copy_(values)

    def log_likelihood(self, batch: Batch) -> Tensor:
        summed: Tensor = self.module(batch.emissions, batch.tags, batch.mask)
        return summed

    def tag_marginals(self, batch: Batch) -> Tensor:
        """Neither has them; this is how they are got: log Z's gradient is them."""
        log_z = self._log_partition(batch).sum()
        return torch.autograd.grad(log_z, [batch.emissions])[0]

    @abstractmethod
    def _log_partition(self, batch: Batch) -> Tensor:
        """log Z of each sequence, (B,)."""


class AllenNLP(Rival):
    """allennlp.modules.ConditionalRandomField."""

    def __init__(self, scores: CrfParameters) -> None:
        from allennlp.modules.conditional_random_field import ConditionalRandomField

        super().__init__(ConditionalRandomField(len(scores.start)), scores)

    def viterbi(self, batch: Batch) -> List[List[int]]:
        best = self.module.viterbi_tags(batch.emissions, batch.mask)
        return [tags for tags, _ in best]

    def _log_partition(self, batch: Batch) -> Tensor:
        log_z: Tensor = self.module._input_likelihood(
            batch.emissions, self.module.transitions, batch.mask
        )
        return log_z


class PytorchCrf(Rival):
    """torchcrf.CRF, of the package pytorch-crf."""

    def __init__(self, scores: CrfParameters) -> None:
        from torchcrf import CRF

        super().__init__(CRF(len(scores.start), batch_first=True), scores)

    def viterbi(self, batch: Batch) -> List[List[int]]:
        tags: List[List[int]] = self.module.decode(batch.emissions, batch.mask)
        return tags

    def _log_partition(self, batch: Batch) -> Tensor:
        by_token = batch.emissions.transpose(0, 1), batch.mask.transpose(0, 1)
        log_z: Tensor = self.module._compute_normalizer(*by_token)
        return log_z


OURS = "ours"
CRFS: Dict[str, Callable[[CrfParameters], Any]] = {
    "AllenNLP": AllenNLP,
    "pytorch-crf": PytorchCrf,
    OURS: Ours,
}


def installed_crfs(scores: CrfParameters) -> Dict[str, Any]:
    """Those that this environment has, all with these parameters."""
    found = {}
    for name, make in CRFS.items():
        try:
            found[name] = make(scores)
        except ImportError:
            continue
    return found

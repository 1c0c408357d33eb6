"""One update: from examples to scores, from their loss back to the weights."""

from typing import Callable, Dict, List, Optional

from spacy.training import Example
from thinc.api import Optimizer, set_dropout_rate

from ..tagger.potentials import Potentials
from ..text.words import has_words
from .labelled_pipe import LabelledPipe
from .loss import Loss

GetLoss = Callable[[List[Example], Potentials], Loss]


def learn(
    pipe: LabelledPipe,
    examples: List[Example],
    get_loss: GetLoss,
    *,
    drop: float,
    sgd: Optional[Optimizer],
    losses: Optional[Dict[str, float]],
) -> Dict[str, float]:
    """Learn from examples; return the losses, with theirs added under the pipe's name.

    Without any words in them, there is nothing to learn.
    """
    pipe.use_settings()
    losses = {} if losses is None else losses
    losses.setdefault(pipe.name, 0.0)
    docs = [example.predicted for example in examples]
    if has_words(docs):
        set_dropout_rate(pipe.model, drop)
        potentials, backprop = pipe.model.begin_update(docs)
        loss, gradients = get_loss(examples, potentials)
        backprop(gradients)
        # `spacy train` gives False and calls finish_update itself
        if sgd:
            pipe.finish_update(sgd)
        losses[pipe.name] += loss
    return losses

"""The type of all tok2vecs here: Docs → one vector per token."""

from typing import Callable, List

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

# each Doc's vectors: (tokens, nO)
Tok2Vec = Model[List[Doc], List[Floats2d]]
# gradients of the vectors → nothing, as Docs have no gradient
Backprop = Callable[[List[Floats2d]], List[Doc]]

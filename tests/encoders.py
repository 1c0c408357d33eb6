"""Weights → a biLM, the way back from `to_weights`."""

from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.weights import ElmoWeights, set_weights


def to_encoder(weights: ElmoWeights, source: str) -> ElmoEncoder:
    """A new biLM with these weights. Raises ValueError as `set_weights`."""
    start_state = "trained" if weights.has_start else "zeros"
    encoder = ElmoEncoder(weights.options, start_state=start_state)
    set_weights(encoder, weights, source)
    return encoder

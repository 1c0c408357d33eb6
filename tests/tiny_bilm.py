"""A biLM of a few weights, in all formats."""

from pathlib import Path

import torch

from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import write_hdf5, write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights

OPTIONS = ElmoOptions(
    char_embedding_width=3,
    filters=((1, 2), (3, 4)),
    n_highway=2,
    lstm_width=5,
    projection_width=3,
)


def write_tiny_bilm(folder: Path) -> None:
    """Write w.hdf5 with o.json, and w.safetensors, all of the same random weights."""
    torch.manual_seed(0)
    weights = to_weights(ElmoEncoder(OPTIONS))
    write_hdf5(weights, folder / "w.hdf5", folder / "o.json")
    write_safetensors(weights, folder / "w.safetensors")

"""What pre-training writes, read by AllenNLP."""

from pathlib import Path

import numpy as np
import pytest
import torch

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.cli.convert_weights import convert_weights
from spacy_elmo_ner.pretraining.loop import pretrain
from spacy_elmo_ner.pretraining.processes import Processes
from tests.encoders import to_encoder
from tests.pretraining.conftest import MakeCorpus, MakeSettings

allennlp_elmo = pytest.importorskip("allennlp.modules.elmo")

SENTENCES = [["a", "b", "zebra"], ["Zürich", "is", "n't", "q", "."], ["e"]]


@pytest.mark.parametrize("half", [False, True], ids=["exact", "rounded to half"])
def test_allennlp_says_the_same_of_a_pretrained_model(
    tiny_corpus: MakeCorpus,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    half: bool,
) -> None:
    tiny_corpus()
    settings = tiny_settings({"training.epochs": 4})
    (tmp_path / "elmo").mkdir()
    pretrain(
        settings, tmp_path / "elmo", Processes(torch.device("cpu")), lambda _: None
    )
    ours = tmp_path / "elmo" / "elmo.safetensors"
    if half:
        rounded = tmp_path / "half.safetensors"
        convert_weights(ours, rounded, None, half=True)
        ours = rounded
    theirs, options = tmp_path / "weights.hdf5", tmp_path / "options.json"
    convert_weights(ours, theirs, options, half=False)

    elmo = allennlp_elmo._ElmoBiLm(str(options), str(theirs))
    encoder = to_encoder(read_weights(ours), str(ours))
    types, indexed = index_types(SENTENCES)
    with torch.no_grad():
        expected = elmo(allennlp_elmo.batch_to_ids(SENTENCES))["activations"]
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    lengths = [len(sentence) for sentence in SENTENCES]
    for layer, padded in zip(layers, expected, strict=True):
        for i, vectors in enumerate(layer.split(lengths)):
            # theirs have boundaries
            reference = padded[i, 1 : lengths[i] + 1]
            np.testing.assert_allclose(vectors, reference, rtol=0, atol=1e-5)

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Tuple

import numpy as np
import pytest
import torch
from thinc.api import Config
from torch import nn

from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.bilm.weights import ElmoWeights, to_weights
from spacy_elmo_ner.pretraining.batches import batches
from spacy_elmo_ner.pretraining.language_model import (
    N_SPECIAL,
    LanguageModel,
    make_batch,
)
from spacy_elmo_ner.pretraining.loop import learn_rate, make_optimizers
from spacy_elmo_ner.pretraining.settings import Settings
from spacy_elmo_ner.pretraining.softmax import Candidates
from spacy_elmo_ner.pretraining.token_corpus import TokenCorpus
from tests.pretraining.conftest import MakeConfig, MakeCorpus, MakeSettings

CHANGES = {"training.epochs": 1, "training.grad_clip": 0.5}


def torchrun(config: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "spacy_elmo_ner", "pretrain"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [*command, str(config), "--output", str(output)],
        capture_output=True,
        text=True,
        env=environment,
    )


def one_process_with_doubled_batches(
    settings: Settings,
) -> Tuple[ElmoWeights, float, int]:
    """The weights in the end, and the loss of the last update."""
    torch.manual_seed(settings.training.seed)
    corpus = TokenCorpus(Path(settings.text.tokens))
    n_softmax = len(corpus.words) + N_SPECIAL
    model = LanguageModel(settings.model, n_softmax)
    optimizers = make_optimizers(model, settings.training)
    order = list(
        batches(
            corpus.train.lengths,
            batch_tokens=settings.training.batch_tokens,
            seed=settings.training.seed,
            epoch=0,
        )
    )
    words = 0
    for step in range(len(order) // 2):
        one, other = order[2 * step : 2 * step + 2]
        sentences = [corpus.train[i] for i in np.concatenate([one, other])]
        batch = make_batch(sentences, corpus.words, n_softmax)
        candidates = Candidates(settings.softmax.candidates, n_softmax, [0, step])
        loss = sum(model.sampled_losses(batch, candidates)) / (2 * len(batch.before))
        loss.backward()
        nn.utils.clip_grad_norm_(
            model.encoder.parameters(), settings.training.grad_clip
        )
        done = words / corpus.train.lengths.sum()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learn_rate(settings.training, step, done)
            optimizer.step()
            optimizer.zero_grad()
        words += sum(len(sentence) for sentence in sentences)
    return to_weights(model.encoder), loss.item(), len(order) // 2


@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
def test_two_processes_learn_as_one_from_batches_twice_as_large(
    tiny_corpus: MakeCorpus,
    tiny_config: MakeConfig,
    tiny_settings: MakeSettings,
    tmp_path: Path,
    optimizer: str,
) -> None:
    tiny_corpus(times=24)
    changes = {**CHANGES, "training.optimizer": optimizer}
    config, output = tmp_path / "config.cfg", tmp_path / "output"
    Config(tiny_config(changes)).to_disk(config)
    result = torchrun(config, output)
    assert result.returncode == 0, result.stderr[-3000:]

    expected, loss, updates = one_process_with_doubled_batches(tiny_settings(changes))
    lines = (output / "history.jsonl").read_text("utf8").splitlines()
    last = json.loads(lines[-1])
    assert last["step"] == updates > 4
    assert last["loss"] == pytest.approx(loss, rel=1e-5)
    weights = read_weights(output / "elmo.safetensors").arrays
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(weights[name], array, rtol=0, atol=2e-5)


def test_what_one_process_cannot_do_ends_all_with_its_message(
    tiny_config: MakeConfig, tmp_path: Path
) -> None:
    config = tmp_path / "config.cfg"
    Config(tiny_config({})).to_disk(config)
    result = torchrun(config, tmp_path / "output")
    assert result.returncode != 0
    assert "names no paths; give files" in result.stderr + result.stdout

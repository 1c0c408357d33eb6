from pathlib import Path

import pytest
from thinc.api import Config

CONFIG = """
[paths]
train = null
dev = null

[nlp]
lang = "en"
pipeline = ["elmo_ner"]

[components]

[components.elmo_ner]
factory = "elmo_ner"

[components.elmo_ner.model]
@architectures = "spacy_elmo_ner.CrfTagger.v1"
hidden_width = 16
depth = 1

[components.elmo_ner.model.tok2vec]
@architectures = "spacy_elmo_ner.CharCnn.v1"
char_width = 8
filters = [[3,16]]

[corpora]

[corpora.train]
@readers = "spacy_elmo_ner.ConllCorpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy_elmo_ner.ConllCorpus.v1"
path = ${paths.dev}

[training]
seed = 3
gpu_allocator = null
dropout = 0.3
max_epochs = 0
max_steps = 40
eval_frequency = 8

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"

[training.batcher.size]
@schedules = "compounding.v1"
start = 16
stop = 32
compound = 1.05

[training.optimizer]
@optimizers = "Adam.v1"
use_averages = true

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
warmup_steps = 4
initial_rate = 0.01
total_steps = 50
"""


@pytest.fixture
def config_path(tmp_path: Path, repository: Path) -> Path:
    """A config that trains on the sample corpus, with averages and a schedule."""
    config = Config().from_str(CONFIG, interpolate=False)
    sample = repository / "assets" / "sample"
    config["paths"]["train"] = str(sample / "train.conll")
    config["paths"]["dev"] = str(sample / "dev.conll")
    path = tmp_path / "config.cfg"
    config.to_disk(path)
    return path

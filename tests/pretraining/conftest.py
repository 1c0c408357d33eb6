import itertools
import lzma
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import numpy as np
import pytest
from thinc.api import Config

from spacy_elmo_ner.pretraining.settings import Settings, read_settings
from spacy_elmo_ner.pretraining.token_corpus import (
    HELD_OUT,
    TRAIN,
    Encoded,
    write_corpus,
)

# what the fixtures make
Encode = Callable[[Sequence[Sequence[str]]], Encoded]
MakeCorpus = Callable[..., Path]
MakeConfig = Callable[..., Dict[str, Any]]
MakeSettings = Callable[..., Settings]

DOCUMENTS = [
    "Anna lives in Oslo. She isn't here!\nShe likes it.",
    "Bob's dog (a poodle) barks.",
    "Zürich, 10 May: prices fell 3.5%. Why? Nobody knows.",
]
CONFIG = """
[text]
paths = []
lang = "en"
held_out = 0.1

[model]
char_embedding_width = 4
filters = [[1,8],[2,8]]
n_highway = 1
lstm_width = 16
projection_width = 8

[softmax]
words = 100
candidates = 6

[training]
start = null
start_state = "zeros"
epochs = 2
batch_tokens = 60
optimizer = "adam"
learn_rate = 0.01
warmup_steps = 2
cooldown = 0.3
grad_clip = 1.0
precision = "float32"
seed = 0
eval_frequency = 4
eval_tokens = 1000
"""


@pytest.fixture
def documents() -> List[str]:
    return DOCUMENTS


@pytest.fixture
def text_folder(tmp_path: Path) -> Path:
    """The documents, the first ones in a file and the last one in a packed one."""
    folder = tmp_path / "text"
    (folder / "deeper").mkdir(parents=True)
    (folder / "deeper" / "a.txt").write_text("\n\n".join(DOCUMENTS[:2]) + "\n", "utf8")
    (folder / "z.txt.xz").write_bytes(lzma.compress(DOCUMENTS[2].encode("utf8")))
    return folder


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Sentences of words as `write_corpus` takes them, words in order of the alphabet."""

    def encoded(sentences: Sequence[Sequence[str]]) -> Encoded:
        tokens = list(itertools.chain(*sentences))
        words = sorted(set(tokens))
        return Encoded(
            words,
            np.array([words.index(token) for token in tokens], dtype=np.uint32),
            np.array([len(sentence) for sentence in sentences]),
        )

    return encoded


@pytest.fixture
def tiny_corpus(tmp_path: Path, encode: Encode) -> MakeCorpus:
    """Writes a corpus of a few sentences again and again; returns its folder."""
    sentences = [
        line.split()
        for line in ("a b c d e f", "g h i j k l m", "b d f h j", "n o p q", "e")
    ]

    def write(*, times: int = 8, held_out: bool = True) -> Path:
        parts = [(TRAIN, encode(sentences * times))]
        if held_out:
            parts.append((HELD_OUT, encode(sentences)))
        folder = tmp_path / "tokens"
        write_corpus(parts, folder)
        return folder

    return write


@pytest.fixture
def tiny_config(tmp_path: Path) -> MakeConfig:
    """A config that is quick to train by; changes are given as {"section.key": value}."""

    def make(changes: Dict[str, Any]) -> Dict[str, Any]:
        config: Dict[str, Any] = Config().from_str(CONFIG)
        config["text"]["tokens"] = str(tmp_path / "tokens")
        for name, value in changes.items():
            section, key = name.split(".")
            config.setdefault(section, {})[key] = value
        return config

    return make


@pytest.fixture
def tiny_settings(
    tiny_config: MakeConfig,
) -> MakeSettings:
    """What `tiny_config` says, read."""

    def make(changes: Dict[str, Any]) -> Settings:
        return read_settings(tiny_config(changes))

    return make

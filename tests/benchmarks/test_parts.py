"""The benchmark of the parts, run for real: a few updates on the sample."""

import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Union, cast

import numpy as np
import spacy
from spacy import registry
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d

from benchmarks.parts import ALL, ELMO, build_whole_docs
from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.corpus.reader import read_docs
from spacy_elmo_ner.elmo.architecture import build_elmo_v1
from spacy_elmo_ner.pipeline.default_model import DEFAULT_MODEL

PARTS = ["character CNN", "all, BIO"]


def test_a_row_for_each_part_and_nothing_is_trained_twice(
    repository: Path, tmp_path: Path, printed_by: Callable[..., str]
) -> None:
    sizes = {key: value for key, value in ELMO.items() if key[0] != "@"}
    encoder = ElmoEncoder(ElmoOptions(**sizes))
    write_safetensors(to_weights(encoder), tmp_path / "elmo.safetensors")
    nlp = spacy.blank("en")
    for word in ("London", "the"):
        nlp.vocab.set_vector(word, cast(Floats1d, np.ones(4, dtype="f")))
    nlp.to_disk(tmp_path / "vectors")
    for name in ("train", "dev"):
        docs = read_docs(
            repository / "assets" / "sample" / f"{name}.conll", vocab=Vocab()
        )
        DocBin(docs=islice(docs, 20)).to_disk(tmp_path / f"{name}.spacy")
    arguments: List[object] = [
        tmp_path / "parts",
        *("--train", tmp_path / "train.spacy"),
        *("--dev", tmp_path / "dev.spacy"),
        *("--vectors", tmp_path / "vectors"),
        *("--elmo", tmp_path / "elmo.safetensors"),
        *("--steps", 3, "--seed", 0),
    ]
    printed = printed_by("parts", *arguments, "--part", PARTS[0], "--part", PARTS[1])
    assert [row[0] for row in rows(printed)] == PARTS
    assert printed.count("LOSS") == 2
    tagger = spacy.load(tmp_path / "parts" / "all_BIO_0" / "model-best").get_pipe(
        "elmo_ner"
    )
    assert tagger.cfg["tag_scheme"] == "BIO"
    more = printed_by("parts", *arguments, "--seed", 5, "--part", PARTS[0])
    assert [row[:2] for row in rows(more)] == [(PARTS[0], "2")]
    assert more.count("LOSS") == 1
    arguments[arguments.index("--elmo") + 1] = tmp_path / "other.safetensors"
    failed = subprocess.run(
        [sys.executable, "-m", "benchmarks.parts", *map(str, arguments)]
        + ["--part", PARTS[0]],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert failed.returncode != 0
    assert "trained with other paths" in " ".join(failed.stderr.split())


def test_all_parts_are_the_default_model() -> None:
    tok2vecs = {f"tok2vec{i}": one for i, one in enumerate(ALL)}
    config = {"@architectures": "spacy_elmo_ner.JoinedTok2Vec.v1", "tok2vecs": tok2vecs}
    joined = registry.resolve({"tok2vec": config})["tok2vec"]
    default = registry.resolve({"tok2vec": DEFAULT_MODEL["tok2vec"]})["tok2vec"]

    def sizes(tok2vec: Model[Any, Any]) -> List[Tuple[str, Dict[str, int]]]:
        return [
            (
                node.name,
                {d: node.get_dim(d) for d in node.dim_names if node.has_dim(d)},
            )
            for part in tok2vec.layers
            for node in part.walk()
        ]

    assert sizes(joined) == sizes(default)


def test_whole_docs_are_read_as_one_sentence_each() -> None:
    words = ["It", "is", "."] * 2
    starts: List[Union[bool, int, None]] = [True, False, False] * 2
    doc = Doc(Vocab(), words, sent_starts=starts)
    starts = [True, False, False, False, False, False]
    once = Doc(doc.vocab, words, sent_starts=starts)
    first = doc[:1].as_doc()
    elmo = build_elmo_v1(lstm_width=8, projection_width=4)
    elmo.initialize()
    whole_docs = build_whole_docs(elmo)
    vectors = [np.asarray(rows) for rows in whole_docs.predict([doc, first])]
    for found, expected in zip(vectors, elmo.predict([once, first]), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.abs(vectors[0][:3] - elmo.predict([doc])[0][:3]).max() > 1e-3


def rows(printed: str) -> List[Tuple[str, ...]]:
    return re.findall(r"^\| (.+) \| (\d) \| (.+) \| (.+) \|$", printed, re.M)

"""What is loaded is what was saved, or nothing is."""

import json
import pickle
import re
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import numpy as np
import pytest
import spacy
import srsly
import torch
from spacy.language import Language
from thinc.api import fix_random_seed

from spacy_elmo_ner.cli.loading import load_pipeline
from spacy_elmo_ner.pipeline.checked_pipe import CHECKSUMS
from tests.damage.mutations import mutations

# of the tests of the component
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

FEATURES = {
    "@architectures": "spacy_elmo_ner.LexemeFeatures.v1",
    "cluster_width": 0,
    "norm_width": 4,
    "norm_rows": 20,
    "shape_width": 4,
    "shape_rows": 20,
}
MODEL: Dict[str, Any] = {
    **SMALL_MODEL,
    "tok2vec": {
        "@architectures": "spacy_elmo_ner.JoinedTok2Vec.v1",
        "tok2vecs": {"chars": SMALL_MODEL["tok2vec"], "words": FEATURES},
    },
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"


def blank() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": MODEL})
    return nlp


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fix_random_seed(0)
    nlp = blank()
    train(nlp, examples_of(nlp))
    folder = tmp_path_factory.mktemp("saved") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of a trained pipeline with Thinc's parameters and torch's."""
    return Path(shutil.copytree(saved, tmp_path / "pipeline"))


def found(nlp: Language) -> List[List[Tuple[str, str]]]:
    return [[(e.text, e.label_) for e in nlp(text).ents] for text, _ in TEXTS]


def exact(nlp: Language) -> List[bytes]:
    """Every score of the model and every setting."""
    pipe: Any = nlp.get_pipe("elmo_ner")
    potentials = pipe.model.predict([nlp.make_doc(text) for text, _ in TEXTS])
    scores = [tensor.detach().numpy().tobytes() for tensor in potentials]
    return [*scores, json.dumps(pipe.cfg).encode()]


def without_checksums(folder: Path) -> None:
    """As version 0.1.0 saved it."""
    (folder / "elmo_ner" / CHECKSUMS).unlink()
    cfg = json.loads((folder / "elmo_ner" / "cfg").read_text())
    del cfg["configured"]
    srsly.write_json(folder / "elmo_ner" / "cfg", cfg)
    model = srsly.read_msgpack(folder / "elmo_ner" / "model")

    def old(data: bytes) -> bytes:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        ours = json.loads(header["__metadata__"]["spacy_elmo_ner"])
        del ours["sha256"]
        header["__metadata__"]["spacy_elmo_ner"] = json.dumps(ours)
        encoded = json.dumps(header).encode()
        return len(encoded).to_bytes(8, "little") + encoded + data[8 + size :]

    model["shims"] = [[old(shim) for shim in shims] for shims in model["shims"]]
    srsly.write_msgpack(folder / "elmo_ner" / "model", model)


def test_every_way_to_save_brings_the_same(folder: Path, tmp_path: Path) -> None:
    nlp = spacy.load(folder)
    want = exact(nlp)
    assert found(nlp)[0] == [("Shaka Khan", "PERSON")]
    nlp.to_disk(tmp_path / "again")
    sourced = spacy.blank("en")
    sourced.add_pipe("elmo_ner", source=nlp)
    sourced.to_disk(tmp_path / "sourced")
    component: Any = blank().get_pipe("elmo_ner")
    component.from_bytes(nlp.get_pipe("elmo_ner").to_bytes())
    for other in (
        spacy.load(tmp_path / "again"),
        blank().from_bytes(nlp.to_bytes()),
        pickle.loads(pickle.dumps(nlp)),
        sourced,
        spacy.load(tmp_path / "sourced"),
    ):
        assert exact(other) == want
    # the component alone, whose bytes hold a vocab, too
    assert component.labels == nlp.get_pipe("elmo_ner").labels


def test_a_pipeline_of_before_is_loaded(folder: Path) -> None:
    want = exact(spacy.load(folder))
    without_checksums(folder)
    assert exact(spacy.load(folder)) == want
    old = srsly.msgpack_loads(spacy.load(folder).get_pipe("elmo_ner").to_bytes())
    del old[CHECKSUMS]
    pipe: Any = blank().get_pipe("elmo_ner")
    assert pipe.from_bytes(srsly.msgpack_dumps(old)).cfg == json.loads(want[-1])


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_the_checksums_can_be_checked_by_others(folder: Path) -> None:
    command = ["sha256sum", "-c", CHECKSUMS]
    pipe = folder / "elmo_ner"
    done = subprocess.run(command, cwd=pipe, capture_output=True, text=True)
    listed = (pipe / CHECKSUMS).read_text(encoding="utf8").splitlines()
    assert done.stdout.count(": OK\n") == len(listed) > 0
    assert done.returncode == 0


def test_line_ends_of_another_system_are_no_damage(folder: Path) -> None:
    want = exact(spacy.load(folder))
    for name in ("cfg", CHECKSUMS):
        path = folder / "elmo_ner" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert exact(spacy.load(folder)) == want


def test_a_file_that_was_changed_on_purpose(folder: Path) -> None:
    path = folder / "elmo_ner" / "cfg"
    path.write_text(path.read_text().replace("PERSON", "HUMAN"))
    with pytest.raises(ValueError, match=f"cfg is damaged.*{CHECKSUMS} says.*delete"):
        spacy.load(folder)
    (folder / "elmo_ner" / CHECKSUMS).unlink()
    assert found(spacy.load(folder))[0] == [("Shaka Khan", "HUMAN")]


def test_parts_that_are_left_out(folder: Path, tmp_path: Path) -> None:
    pipe: Any = spacy.load(folder).get_pipe("elmo_ner")
    for part in ("model", "cfg"):
        pipe.to_disk(tmp_path / part, exclude=[part, "vocab"])
        other: Any = blank().get_pipe("elmo_ner")
        other.from_disk(tmp_path / part, exclude=[part, "vocab"])
        other.from_disk(folder / "elmo_ner", exclude=[part, "vocab"])
        other.from_bytes(pipe.to_bytes(exclude=[part]), exclude=["vocab", part])
        assert (other.labels == pipe.labels) == (part == "model")


@pytest.mark.parametrize("checked", [True, False])
def test_labels_that_do_not_fit_the_weights(folder: Path, checked: bool) -> None:
    nlp = spacy.load(folder)
    pipe: Any = nlp.get_pipe("elmo_ner")
    pipe.cfg["labels"].append("MORE")
    nlp.to_disk(folder)
    if not checked:
        (folder / "elmo_ner" / CHECKSUMS).unlink()
    with pytest.raises(ValueError, match="3 labels make 13 tags.* for 9"):
        spacy.load(folder)
    with pytest.raises(ValueError, match="3 labels make 13 tags.* for 9"):
        blank().from_bytes(nlp.to_bytes())


@pytest.mark.parametrize(
    "labels", [5, None, "PER", [1, 2], ["LOC", "LOC"], ["LOC", ""], [], {"LOC": 1}]
)
def test_labels_that_are_none(folder: Path, labels: Any) -> None:
    cfg = json.loads((folder / "elmo_ner" / "cfg").read_text())
    (folder / "elmo_ner" / "cfg").write_text(json.dumps({**cfg, "labels": labels}))
    (folder / "elmo_ner" / CHECKSUMS).unlink()
    with pytest.raises(ValueError, match=re.escape(str(folder / "elmo_ner"))):
        spacy.load(folder)


def with_nan_in_torch(nlp: Language, value: float) -> None:
    (node,) = [
        n for n in nlp.get_pipe("elmo_ner").model.walk() if n.name == "crf_network"
    ]
    with torch.no_grad():
        node.shims[0].module.output.bias[2] = value


def with_nan_in_thinc(nlp: Language, value: float) -> None:
    node, *_ = [n for n in nlp.get_pipe("elmo_ner").model.walk() if n.name == "embed"]
    node.get_param("E")[1, 1] = value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spoil", [with_nan_in_torch, with_nan_in_thinc])
def test_numbers_that_no_training_gives(
    folder: Path, spoil: Callable[[Language, float], None], value: float
) -> None:
    nlp = spacy.load(folder)
    spoil(nlp, value)
    nlp.to_disk(folder)
    with pytest.raises(ValueError, match="elmo_ner/model .*NaN or infinite"):
        spacy.load(folder)
    with pytest.raises(ValueError, match="NaN or infinite"):
        blank().from_bytes(nlp.to_bytes())


FILES = [
    "config.cfg",
    "meta.json",
    "elmo_ner/cfg",
    "elmo_ner/model",
    "tokenizer",
    "vocab/key2row",
    "vocab/lookups.bin",
    "vocab/strings.json",
    "vocab/vectors",
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_pipeline_that_is_none_is_named(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    for content in (b"", POINTER, b"<html>404</html>", b"\x93\x00\xff", whole[:-1]):
        if content == whole[:-1] and name == "config.cfg":
            continue
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(str(path))) as error:
            load_pipeline(str(folder))
        assert ("git lfs pull" in str(error.value)) == (content == POINTER)
        assert "pickle" not in str(error.value)
    path.write_bytes(whole)
    load_pipeline(str(folder))


@pytest.mark.parametrize("name", ["config.cfg", "meta.json", "elmo_ner/model"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ValueError, match=name):
        load_pipeline(str(folder))


def test_a_pipeline_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="There is no pipeline at nowhere"):
        load_pipeline("nowhere")


def damaged(path: Path, n: int) -> Iterator[Path]:
    whole = path.read_bytes()
    for data in mutations(whole, n):
        path.write_bytes(data)
        yield path
    path.write_bytes(whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model", "cfg", CHECKSUMS])
def test_damage_to_a_component_is_refused_by_the_files_name(
    folder: Path, name: str
) -> None:
    nlp = blank()
    pipe: Any = nlp.get_pipe("elmo_ner")
    want = exact(spacy.load(folder))
    n_loaded = 0
    for path in damaged(folder / "elmo_ner" / name, 200):
        try:
            pipe.from_disk(folder / "elmo_ner", exclude=["vocab"])
        except ValueError as error:
            assert str(path) in str(error)
        else:
            # white space in the settings, or beside the checksums
            n_loaded += 1
            assert exact(nlp) == want
    assert n_loaded < (1 if name == "model" else 20)


@pytest.mark.slow
def test_damage_to_the_bytes_of_a_component_is_refused(folder: Path) -> None:
    pipe: Any = spacy.load(folder).get_pipe("elmo_ner")
    whole = pipe.to_bytes(exclude=["vocab"])
    nlp = blank()
    other: Any = nlp.get_pipe("elmo_ner")
    want = exact(spacy.load(folder))
    for data in mutations(whole, 200):
        try:
            other.from_bytes(data, exclude=["vocab"])
        except ValueError as error:
            assert "the bytes of elmo_ner" in str(error)
        else:
            # what holds the parts together says how, not what
            assert exact(nlp) == want


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cfg", "model"])
def test_damage_without_checksums_is_an_error_or_nothing_but_numbers(
    folder: Path, name: str
) -> None:
    """As far as files of version 0.1.0 can tell: what is loaded works."""
    without_checksums(folder)
    nlp = blank()
    pipe: Any = nlp.get_pipe("elmo_ner")
    settings = deepcopy(pipe.cfg)
    for path in damaged(folder / "elmo_ner" / name, 200):
        pipe.cfg = deepcopy(settings)
        try:
            pipe.from_disk(folder / "elmo_ner", exclude=["vocab"])
        except ValueError as error:
            # what a setting may be is said of the component, whoever set it
            assert str(path.parent) in str(error) or "'elmo_ner'" in str(error)
        else:
            found(nlp)


def test_a_folder_of_other_things_is_no_damaged_pipeline(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "meta.json").write_text("{", encoding="utf8")
    with pytest.raises(ValueError, match="There is no pipeline at") as caught:
        load_pipeline(str(tmp_path))
    assert "elsewhere" not in str(caught.value)

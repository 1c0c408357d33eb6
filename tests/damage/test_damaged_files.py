"""Weight files and corpora with damage: read as they were, or refused by their name."""

import json
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import spacy
import srsly
import torch
from spacy.attrs import ENT_TYPE, ORTH
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.bilm.options import ElmoOptions, read_options
from spacy_elmo_ner.bilm.weight_files import (
    read_weights,
)
from spacy_elmo_ner.corpus.docbins import read_docbins
from spacy_elmo_ner.corpus.reader import to_examples
from tests.damage.limited import limited
from tests.damage.mutations import mutations
from tests.tiny_bilm import OPTIONS, write_tiny_bilm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny_bilm(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_damaged_safetensors(folder: Path) -> None:
    path = folder / "w.safetensors"
    before = read_weights(path)
    for data in mutations(path.read_bytes(), 200):
        path.write_bytes(data)
        try:
            after = read_weights(path)
        except ValueError as error:
            assert "w.safetensors" in str(error)
        else:
            # white space around the header
            assert after.options == before.options
            for name, array in before.arrays.items():
                assert torch.equal(after.arrays[name], array)


@pytest.mark.slow
def test_damaged_hdf5(folder: Path) -> None:
    """The published format has no checksum: numbers may be others, nothing else."""
    path = folder / "w.hdf5"
    before = read_weights(path, folder / "o.json")
    n_refused = 0
    for data in mutations(path.read_bytes(), 200):
        path.write_bytes(data)
        try:
            after = read_weights(path, folder / "o.json")
        except ValueError as error:
            n_refused += 1
            assert "w.hdf5" in str(error)
        else:
            assert after.arrays.keys() == before.arrays.keys()
            for array in after.arrays.values():
                assert torch.isfinite(array).all()
    assert n_refused > 60


@pytest.mark.slow
def test_damaged_options(folder: Path) -> None:
    path = folder / "o.json"
    for data in mutations(path.read_bytes(), 200):
        path.write_bytes(data)
        try:
            options = read_options(path)
        except ValueError as error:
            assert "o.json" in str(error)
        else:
            assert isinstance(options, ElmoOptions)


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def docbin(nlp: Language) -> DocBin:
    docs: List[Doc] = []
    for text in ("I like New York. He does not.", "Rome is old.", "Nothing is here."):
        doc = nlp.make_doc(text)
        doc.set_ents([Span(doc, 2, 3, label="LOC")])
        doc.spans["more"] = [Span(doc, 0, 2, label="MORE")]
        doc.user_data["key"] = text
        docs.append(doc)
    return DocBin(docs=docs, store_user_data=True)


def read(path: Path) -> List[Any]:
    """All that commands do with a corpus."""
    docs = list(read_docbins(path, vocab=Vocab()))
    examples = list(to_examples(docs))
    DocBin(docs=docs, store_user_data=True).to_bytes()
    return [
        (
            example.reference.text,
            [(ent.text, ent.label_) for ent in example.reference.ents],
            example.get_aligned_ner(),
            [(span.text, span.label_) for span in example.reference.spans["more"]],
        )
        for example in examples
    ]


@pytest.mark.slow
def test_damaged_docbins(docbin: DocBin, tmp_path: Path) -> None:
    path = tmp_path / "corpus.spacy"
    docbin.to_disk(path)
    before = read(path)
    for data in mutations(path.read_bytes(), 200):
        path.write_bytes(data)
        try:
            after = read(path)
        except ValueError as error:
            assert "corpus.spacy" in str(error)
        else:
            assert after == before


@pytest.mark.slow
def test_damage_that_docbins_do_not_notice(docbin: DocBin, tmp_path: Path) -> None:
    """Their checksum is that of zlib, which whoever makes one by hand gets right."""
    path = tmp_path / "corpus.spacy"
    for data in mutations(zlib.decompress(docbin.to_bytes()), 200):
        path.write_bytes(zlib.compress(data))
        try:
            list(to_examples(read_docbins(path, vocab=Vocab())))
        except ValueError as error:
            assert "corpus.spacy" in str(error)


def strange(change: Callable[[Dict[str, Any]], None], docbin: DocBin) -> bytes:
    message = srsly.msgpack_loads(zlib.decompress(docbin.to_bytes()))
    change(message)
    return zlib.compress(srsly.msgpack_dumps(message))


def column(message: Dict[str, Any], attr: int, value: int) -> None:
    attrs = message["attrs"]
    tokens = np.frombuffer(message["tokens"], dtype="uint64").reshape(-1, len(attrs))
    tokens = tokens.copy()
    tokens[2, attrs.index(attr)] = value
    message["tokens"] = tokens.tobytes()


STRANGE: List[Callable[[Dict[str, Any]], Any]] = [
    lambda message: message.clear(),
    lambda message: message.pop("cats"),
    lambda message: message.update(strings=[]),
    lambda message: message.update(flags=[]),
    lambda message: message.update(attrs=[]),
    lambda message: message.update(attrs=[ENT_TYPE]),
    lambda message: message.update(span_groups=[b"\x93"] * 3),
    lambda message: message.update(user_data=[b"\xc1"] * 3),
    lambda message: column(message, ORTH, 12345678901),
    lambda message: column(message, ENT_TYPE, 12345678901),
]


@pytest.mark.parametrize("change", STRANGE)
def test_docbins_that_contradict_themselves(
    docbin: DocBin, tmp_path: Path, change: Callable[[Dict[str, Any]], None]
) -> None:
    path = tmp_path / "corpus.spacy"
    path.write_bytes(strange(change, docbin))
    with pytest.raises(ValueError, match="corpus.spacy .*convert"):
        read(path)


def test_pointers_of_git_lfs_and_other_files(tmp_path: Path) -> None:
    path = tmp_path / "corpus.spacy"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ValueError, match="corpus.spacy .*git lfs pull"):
        read(path)
    for content in (b"", b"Rome B-LOC\n", zlib.compress(b"\xc1"), zlib.compress(b"")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="corpus.spacy"):
            read(path)


@pytest.mark.slow
def test_a_docbin_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    pack = zlib.compressobj(9)
    zeros = bytes(10_000_000)
    packed = b"".join(pack.compress(zeros) for _ in range(100)) + pack.flush()
    (tmp_path / "bomb.spacy").write_bytes(packed)
    # lists within lists that all promise a million members
    deep = b"\xdd\x00\x0f\xff\xff" * 500 + bytes(2_000_000)
    (tmp_path / "deep.spacy").write_bytes(zlib.compress(deep))
    said = limited(
        [
            "list(spacy_elmo_ner.corpus.docbins.read_docbins("
            f"Path({str(tmp_path / name)!r}), vocab=spacy.vocab.Vocab()))"
            for name in ("bomb.spacy", "deep.spacy")
        ]
    )
    assert len(packed) < 2_000_000
    assert "bomb.spacy" in said[0] and "deep.spacy" in said[1]


def test_json_that_says_the_same_in_another_way_is_the_same(folder: Path) -> None:
    text = json.loads((folder / "o.json").read_text())
    (folder / "o.json").write_text("\ufeff" + json.dumps(text), encoding="utf8")
    assert read_options(folder / "o.json") == OPTIONS

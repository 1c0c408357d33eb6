"""Configs that commands refuse, by the file's name."""

from pathlib import Path

import pytest

from spacy_elmo_ner.cli.configs import read_config

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"


@pytest.mark.parametrize(
    "content,said",
    [
        (b"", "has no section"),
        (b"\x93\x00\xff\xfe", "is not UTF-8"),
        (b"<html>404</html>", "cannot be read"),
        (b'[nlp]\nlang = "en"\n[nlp]\n', "'nlp' already exists"),
        (b'[nlp\nlang = "en"\n', "cannot be read"),
        (POINTER, "git lfs pull"),
    ],
)
def test_what_is_no_config_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "ner.cfg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"ner.cfg .*{said}"):
        read_config(path, [], sections=["nlp"])


def test_overrides_and_variables_come_as_spacy_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "ner.cfg"
    path.write_text('[nlp]\nlang = "en"\nseed = ${paths.seed}\n[paths]\nseed = 1\n')
    config = read_config(path, ["--paths.seed", "7"], sections=["nlp", "paths"])
    assert config["nlp"]["seed"] == "${paths.seed}"
    assert config.interpolate()["nlp"] == {"lang": "en", "seed": 7}
    with pytest.raises(ValueError, match="ner.cfg has no section .training."):
        read_config(path, [], sections=["nlp", "training"])


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere.cfg"):
        read_config(tmp_path / "nowhere.cfg", [])

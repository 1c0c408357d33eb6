from pathlib import Path
from typing import List

import pytest
import spacy

from spacy_elmo_ner.cli.entities import entities

PATTERNS = [
    {"label": "PER", "pattern": "John"},
    {"label": "LOC", "pattern": "Zürich"},
    {
        "label": "LOC",
        "pattern": [{"TEXT": "New"}, {"IS_SPACE": True}, {"TEXT": "York"}],
    },
]


@pytest.fixture(scope="module")
def ruler_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline whose entities are known without a trained model."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("ruler") / "pipeline"
    nlp.to_disk(folder)
    return str(folder)


def rows(capsys: pytest.CaptureFixture) -> List[List[str]]:
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_offsets_point_at_the_entities(
    ruler_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    lines = ["", "In Zürich, 😀 John met John.", "Nobody.", "New  York"]
    file = tmp_path / "lines.txt"
    file.write_bytes(("\ufeff" + "\r\n".join(lines)).encode("utf8"))
    text = "My name is John!"
    entities(texts=[text, "no one"], file=[file], model=ruler_folder)
    first, *others = rows(capsys)
    assert first == ["John", "PER", "11", "15"]
    assert [row[0] for row in others] == ["Zürich", "John", "John", "New York"]
    for name, _, start, end, source in others:
        path, _, number = source.rpartition(":")
        assert path == str(file)
        found = lines[int(number) - 1][int(start) : int(end)]
        assert " ".join(found.split()) == name


def test_a_line_break_in_an_entity_stays_on_one_line(
    ruler_folder: str, capsys: pytest.CaptureFixture
) -> None:
    entities(texts=["To New\n York"], file=[], model=ruler_folder)
    assert rows(capsys) == [["New York", "LOC", "3", "12"]]


def test_bad_input_is_named(ruler_folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no text; give one"):
        entities(texts=[" ", ""], file=[], model=ruler_folder)
    with pytest.raises(ValueError, match="lone surrogate, at position 4"):
        entities(texts=["half\ud83d"], file=[], model=ruler_folder)
    with pytest.raises(ValueError, match="missing.txt cannot be read"):
        entities(texts=[], file=[tmp_path / "missing.txt"], model=ruler_folder)
    latin = tmp_path / "latin.txt"
    latin.write_bytes("Zürich".encode("latin1"))
    with pytest.raises(ValueError, match="latin.txt .* convert it to UTF-8"):
        entities(texts=[], file=[latin], model=ruler_folder)
    with pytest.raises(ValueError, match="no pipeline at .*nowhere"):
        entities(texts=["John"], file=[], model=str(tmp_path / "nowhere"))


def test_nul_characters_are_text(
    ruler_folder: str, capsys: pytest.CaptureFixture
) -> None:
    entities(texts=["\x00 John"], file=[], model=ruler_folder)
    assert rows(capsys) == [["John", "PER", "2", "6"]]

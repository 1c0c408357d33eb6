import gzip
import inspect
import io
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Callable, List, Optional

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.cli.entities import entities as command
from spacy_elmo_ner.cli.escapes import escaped
from spacy_elmo_ner.cli.texts import CHUNK, Text, read_texts

PATTERNS = [
    {"label": "PER", "pattern": "John"},
    {"label": "LOC", "pattern": "Zürich"},
    {"label": "A\tB\x1b[31m\n", "pattern": "odd"},
    {"label": "CODE", "pattern": "a\x1bb\\c"},
    {
        "label": "LOC",
        "pattern": [{"TEXT": "New"}, {"IS_SPACE": True}, {"TEXT": "York"}],
    },
]


@pytest.fixture(scope="module")
def ruler_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline whose entities are known without a trained model."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    folder = tmp_path_factory.mktemp("ruler") / "pipeline"
    nlp.to_disk(folder)
    return str(folder)


def entities(**options: Any) -> None:
    """The command, with the options that it has if none are given."""
    defaults = {
        name: one.default.default if hasattr(one.default, "default") else one.default
        for name, one in inspect.signature(command).parameters.items()
    }
    command(**{**defaults, **options})


def rows(capsys: pytest.CaptureFixture[str]) -> List[List[str]]:
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_offsets_point_at_the_entities(
    ruler_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["", "In Zürich, 😀 John met John.", "Nobody.", "New  York"]
    file = tmp_path / "lines.txt"
    file.write_bytes(("\ufeff" + "\r\n".join(lines)).encode("utf8"))
    text = "My name is John!"
    entities(texts=[text, "no one"], file=[file], model=ruler_folder)
    first, *others = rows(capsys)
    assert first == ["John", "PER", "11", "15", "text:1"]
    assert [row[0] for row in others] == ["Zürich", "John", "John", "New York"]
    for name, _, start, end, source in others:
        path, _, number = source.rpartition(":")
        assert path == str(file)
        found = lines[int(number) - 1][int(start) : int(end)]
        assert " ".join(found.split()) == name


def test_a_line_break_in_an_entity_stays_on_one_line(
    ruler_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entities(texts=["To New\n York"], file=[], model=ruler_folder)
    assert rows(capsys) == [["New York", "LOC", "3", "12", "text:1"]]


def test_source_is_the_text_named(
    ruler_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entities(texts=["John", " ", "no one", "John"], file=[], model=ruler_folder)
    assert [row[4] for row in rows(capsys)] == ["text:1", "text:4"]


def test_nothing_breaks_the_columns(
    ruler_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a\tb\n\x1b[2J.txt"
    file.write_text("odd\na\x1bb\\c\n", "utf8")
    entities(texts=[], file=[file], model=ruler_folder)
    name = str(tmp_path) + r"/a\tb\n\x1b[2J.txt"
    assert rows(capsys) == [
        ["odd", r"A\tB\x1b[31m\n", "0", "3", f"{name}:1"],
        [r"a\x1bb\\c", "CODE", "0", "5", f"{name}:2"],
    ]


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_escapes_are_python_s_and_one_line(text: str) -> None:
    shown = escaped(text)
    assert len(f"x{shown}x".splitlines()) == 1
    assert "\t" not in shown
    assert "\x1b" not in shown
    latin = shown.encode("latin1", "backslashreplace")
    assert latin.decode("unicode_escape") == text


@pytest.mark.parametrize("arguments", [["-"], ["--file", "-"]], ids=str)
def test_standard_input_is_read_as_it_comes(
    arguments: List[str], ruler_folder: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "spacy_elmo_ner", "entities", "-m", ruler_folder]
        + arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf8",
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        print("My name is John!", file=process.stdin, flush=True)
        assert process.stdout.readline() == "John\tPER\t11\t15\t-:1\n"
        # whoever reads has enough: the command ends, without a word
        process.stdout.close()
        print("John, again", file=process.stdin, flush=True)
        assert process.wait(60) == 141
        assert process.stderr.read() == ""


def test_standard_input_has_its_place_among_the_texts(
    ruler_folder: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\nJohn")))
    entities(texts=["John", "-", "odd"], file=[], model=ruler_folder)
    assert [row[4] for row in rows(capsys)] == ["text:1", "-:2", "text:3"]
    with pytest.raises(ValueError, match="no text in the input"):
        entities(texts=["-"], file=[], model=ruler_folder)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ValueError, match="no standard input"):
        entities(texts=["-"], file=[], model=ruler_folder)


def read(*files: Path, longest: int = 10**6) -> List[Text]:
    return [text for batch in read_texts([], files, longest=longest) for text in batch]


@pytest.mark.parametrize("opened", [open, gzip.open, lzma.open])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("shift", range(4))
def test_lines_of_any_file(
    tmp_path: Path, opened: Callable[..., IO[Any]], end: str, shift: int
) -> None:
    """Whatever reads, characters and line ends lie across."""
    suffix = {open: "", gzip.open: ".gz", lzma.open: ".xz"}[opened]
    file = tmp_path / f"a.txt{suffix}"
    lines = [
        "x" * (CHUNK - shift),
        "",
        "Zürich 😀",
        "😀" * CHUNK,
        "\x85\x1c\u2028",
        "end",
    ]
    with opened(file, "wb") as stream:
        stream.write(("\ufeff" + end.join(lines)).encode("utf8"))
    expected = [Text(line, f"{file}:{i}") for i, line in enumerate(lines, start=1)]
    assert read(file) == [text for text in expected if text.text.strip()]


def test_bad_input_is_named(ruler_folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no text; give one"):
        entities(texts=[" ", ""], file=[], model=ruler_folder)
    with pytest.raises(ValueError, match="lone surrogate, at position 4"):
        entities(texts=["half\ud83d"], file=[], model=ruler_folder)
    with pytest.raises(ValueError, match="no pipeline at .*nowhere"):
        entities(texts=["John"], file=[], model=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("missing.txt", None, r"There is no file .*missing\.txt; check its name"),
        ("n" * 300, None, r"There is no file .*…: the name is too long"),
        ("", None, "is a folder, not a file"),
        ("a.txt", "Zürich".encode("latin1"), r"a\.txt, line 1: the byte 0xfc is not"),
        ("a.txt", b"a\nb\r\xed\xa0\x80", r"a\.txt, line 3: the byte 0xed is not UTF-8"),
        ("a.txt", "a".encode("utf16"), r"a\.txt is UTF-16, not UTF-8. Convert it"),
        ("a.txt", "John".encode("utf-16-le"), r"a\.txt is UTF-16LE, not UTF-8"),
        ("a.txt", "John".encode("utf-16-be"), r"a\.txt is UTF-16BE, not UTF-8"),
        ("a.txt", "John".encode("utf32"), r"a\.txt is UTF-32, not UTF-8"),
        ("a.txt", gzip.compress(b"a", mtime=0), r"a\.txt is compressed with gzip"),
        ("a.txt", lzma.compress(b"a"), r"a\.txt is compressed with xz"),
        ("a.txt.gz", b"text", r"a\.txt\.gz is damaged"),
        ("a.txt.gz", gzip.compress(b"text", mtime=0)[:15], r"a\.txt\.gz is damaged"),
        ("a.txt.xz", b"text", r"a\.txt\.xz is damaged"),
        ("a.txt", b"", "no text in the input"),
        ("a.txt", b"\xef\xbb\xbf \n\r\n", "no text in the input"),
        ("a.txt", b"a\n" + b"b" * 11, r"a\.txt:2: 11 characters are more than the 10"),
    ],
)
def test_bad_file_is_named(
    tmp_path: Path, name: str, content: Optional[bytes], message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / name, longest=10)


def test_file_without_permission(tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("the superuser may read every file")
    (tmp_path / "secret.txt").touch(mode=0)
    with pytest.raises(ValueError, match=r"may not read .*secret\.txt"):
        read(tmp_path / "secret.txt")


def test_lines_before_a_bad_one_are_texts(
    ruler_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"John\n\xff\n")
    with pytest.raises(ValueError, match="line 2"):
        entities(texts=[], file=[file], model=ruler_folder)
    assert rows(capsys) == [["John", "PER", "0", "4", f"{file}:1"]]


def test_nul_characters_are_text(
    ruler_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entities(texts=["\x00 John"], file=[], model=ruler_folder)
    assert rows(capsys) == [["John", "PER", "2", "6", "text:1"]]

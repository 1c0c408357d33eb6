"""Files are packed and damaged here by other means than those that read them."""

import gzip
import json
import lzma
import random
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable, Dict, Iterator, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.raw_text import (
    LONGEST_DOCUMENT,
    check_is_text,
    list_files,
    read_documents,
)

PACK: Dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
}
lines = (
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)
    .filter(lambda line: line and line == line.strip())
    .filter(lambda line: not line.startswith("\ufeff"))
)


@pytest.fixture(autouse=True)
def no_unexpected_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(PACK[path.suffix if path.suffix in PACK else ""](data))
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_documents_are_parted_by_blank_lines(tmp_path: Path, suffix: str) -> None:
    text = "\n \na b\n  c d \n\n\t\n\ne\n\nZürich 日本"
    path = write(tmp_path, f"a.txt{suffix}", text.encode("utf8"))
    assert list(read_documents(path)) == ["a b\nc d", "e", "Zürich 日本"]


@pytest.mark.parametrize("suffix", PACK)
def test_each_line_of_a_jsonl_file_is_a_document(tmp_path: Path, suffix: str) -> None:
    texts = ["one\ntwo\n\nthree", "Zürich 😀", "a"]
    rows = [json.dumps({"text": text, "url": "x"}) for text in texts]
    data = "\n\n".join([rows[0], '{"text": " "}', *rows[1:]]).encode("utf8")
    path = write(tmp_path, f"a.jsonl{suffix}", data)
    assert list(read_documents(path)) == texts


def test_line_ends_of_windows_and_byte_order_marks_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", b"\xef\xbb\xbfa b\r\nc\r\n\r\nd\r\n")
    assert list(read_documents(path)) == ["a b\nc", "d"]
    path = write(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": "a"}\r\n')
    assert list(read_documents(path)) == ["a"]


def test_an_empty_file_has_no_documents(tmp_path: Path) -> None:
    for suffix in PACK:
        assert list(read_documents(write(tmp_path, f"a{suffix}", b""))) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(lines, min_size=1, max_size=4), max_size=4), st.booleans())
def test_documents_come_back_as_they_were_written(
    documents: List[str], is_json: bool
) -> None:
    texts = ["\n".join(document) for document in documents]
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("a.jsonl.gz" if is_json else "a.txt.gz")
        rows = [json.dumps({"text": text}) for text in texts]
        whole = "\n".join(rows) if is_json else "\n\n".join(texts)
        path.write_bytes(gzip.compress(whole.encode("utf8")))
        assert list(read_documents(path)) == texts


@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_lines_that_are_not_utf8_are_left_out_and_counted(
    tmp_path: Path, suffix: str
) -> None:
    good, latin = "Zürich".encode("utf8"), "Zürich".encode("latin1")
    data = b"\n".join([good, b"b", latin, b"c", b"nul \0", b"\xff\xfe", b"d"])
    path = write(tmp_path, f"a.txt{suffix}", data)
    with pytest.warns(UserWarning) as caught:
        assert list(read_documents(path)) == ["Zürich\nb\nc\nd"]
    (message,) = [str(warning.message) for warning in caught]
    assert f"{path} has 3 lines that are not UTF-8" in message
    assert f"the first at byte {data.index(latin)};" in message


def test_lines_that_are_no_objects_with_a_text_are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    bad = [
        b"{",
        b"[]",
        b"7",
        b"null",
        b'{"body": "x"}',
        b'{"text": 5}',
        b'{"text": null}',
        b'{"text": ["x"]}',
        b'{"text": "half \\ud83d"}',
        b'{"text": "nul \\u0000"}',
        b'"\xff"',
    ]
    data = b"\n".join([b'{"text": "a"}', *bad, b'{"text": "b"}'])
    path = write(tmp_path, "a.jsonl", data)
    with pytest.warns(UserWarning) as caught:
        assert list(read_documents(path)) == ["a", "b"]
    (message,) = [str(warning.message) for warning in caught]
    assert f"{path} has {len(bad)} lines that are not an object with a text" in message
    assert "the first at byte 14;" in message


@pytest.fixture
def many_lines() -> List[str]:
    """Lines that do not pack well, so that a damaged file has some before the damage."""
    numbers = random.Random(0)
    return ["".join(numbers.choices("abcdefgh ", k=60)).strip() for _ in range(20000)]


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_what_comes_before_a_damage_is_used(
    tmp_path: Path, many_lines: List[str], suffix: str, damage: str
) -> None:
    path = write(tmp_path, f"a.txt{suffix}", "\n\n".join(many_lines).encode("utf8"))
    data = path.read_bytes()
    half = len(data) // 2
    if damage == "truncated":
        path.write_bytes(data[:half])
    else:
        path.write_bytes(data[:half] + b"\xff" * 2000 + data[half + 2000 :])
    with pytest.warns(UserWarning, match=f"{path} is damaged after .* before is used"):
        found = list(read_documents(path))
    # overwritten bytes may unpack to something before they are seen to be wrong
    same = [a == b for a, b in zip(found, many_lines, strict=False)]
    assert same.count(True) > 0.4 * len(many_lines)
    if damage == "truncated":
        assert all(same) and len(found) < 0.6 * len(many_lines)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_that_is_not_packed_at_all_is_damaged_from_its_beginning(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(b"plain text\n")
    with pytest.warns(UserWarning, match="damaged after 0 bytes"):
        assert list(read_documents(path)) == []


def test_a_damage_within_a_gzip_block_is_told_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    # the third kind of block, which there is not
    path.write_bytes(gzip.compress(b"a\n\nb\n", mtime=0)[:10] + b"\x07" + 50 * b"\xff")
    with pytest.warns(UserWarning, match="damaged after 0 bytes.*invalid block type"):
        assert list(read_documents(path)) == []


@pytest.mark.parametrize("n", [-1, 0, 1, LONGEST_DOCUMENT, LONGEST_DOCUMENT + 1])
def test_a_long_text_is_cut_and_loses_no_line(tmp_path: Path, n: int) -> None:
    numbers = [str(i) for i in range(LONGEST_DOCUMENT + n)]
    path = write(tmp_path, "a.txt", "\n".join(numbers).encode("utf8"))
    found = [document.split("\n") for document in read_documents(path)]
    assert [line for document in found for line in document] == numbers
    assert [len(document) for document in found[:-1]] == [LONGEST_DOCUMENT] * (
        len(found) - 1
    )
    assert 0 < len(found[-1]) <= LONGEST_DOCUMENT


def test_folders_are_searched_to_the_bottom_and_sorted(tmp_path: Path) -> None:
    folder = tmp_path / "text"
    inside = [folder / "deeper" / "a.txt", folder / "z.txt.xz"]
    for file in (*inside, tmp_path / "0.txt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"a")
    assert list_files([folder, tmp_path / "0.txt"]) == [*inside, tmp_path / "0.txt"]


NO_TEXT = {
    "random": bytes(random.Random(0).choices(range(256), k=5000)),
    "zeros": bytes(100),
    "utf16": "Zürich, 10 May: prices fell.".encode("utf16"),
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0",
    "cyrillic": "Мама мыла раму.".encode("cp1251"),
}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("data", NO_TEXT.values(), ids=NO_TEXT)
def test_files_that_are_no_text_are_named(
    tmp_path: Path, suffix: str, data: bytes
) -> None:
    path = write(tmp_path, f"a.txt{suffix}", data)
    with pytest.raises(ValueError, match=f"{path} is not UTF-8 text; remove it"):
        check_is_text(path)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=200))
def test_any_text_is_text(text: str) -> None:
    line = text.replace("\ufffd", "")
    with TemporaryDirectory() as folder:
        path = write(Path(folder), "a", (line + "\t\r\n").encode())
        check_is_text(path)
        found = list(read_documents(path))
    document = line.lstrip("\ufeff").strip()
    assert found == ([document] if document else [])


def test_a_few_letters_of_another_encoding_are_left_to_the_reader(
    tmp_path: Path,
) -> None:
    text = "Die Stra\u00dfe in Z\u00fcrich ist lang, und niemand kennt sie. " * 2000
    latin = write(tmp_path, "a.txt", text.encode("latin1"))
    check_is_text(latin)
    with pytest.warns(UserWarning, match="1 lines that are not UTF-8 text"):
        assert list(read_documents(latin)) == []
    # the bytes that are looked at end within a letter
    long = "a" + "\u00fc" * 40_000
    path = write(tmp_path, "b.txt", long.encode("utf8"))
    check_is_text(path)
    assert list(read_documents(path)) == [long]


def test_paths_without_text_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    with pytest.raises(ValueError, match="no text at .*nowhere; check the path"):
        list_files([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="hold no files"):
        list_files([tmp_path / "empty"])

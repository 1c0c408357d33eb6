import re
from pathlib import Path
from typing import Callable


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_table_and_picture(tmp_path: Path, printed_by: Callable[..., str]) -> None:
    picture = tmp_path / "memory.png"
    options = (
        "--size sample --words 400 --step 200 --doc-tokens 300 --characters 600 "
        "--updates 2 --batch 4"
    )
    printed = printed_by("memory", picture, *options.split())
    curve = re.findall(
        r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", printed, re.MULTILINE
    )
    words, elmo, bare = (
        list(map(number, column)) for column in zip(*curve, strict=True)
    )
    assert words[0] == 0 and words[-1] >= 400
    assert 0 < elmo[0] and elmo == sorted(elmo)
    assert 0 < bare[0] and bare == sorted(bare)
    parts = re.findall(
        r"^\| (.+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", printed, re.MULTILINE
    )
    assert [name for name, *_ in parts] == [
        "a Doc of 300 tokens",
        "a token of 600 characters",
        "300 tokens without punctuation",
        "2 updates of 4 sentences, biLM frozen",
        "2 updates of 4 sentences, biLM fine-tuned",
    ]
    assert all(0 < number(before) <= number(peak) for _, before, peak, _ in parts)
    assert picture.read_bytes().startswith(b"\x89PNG")

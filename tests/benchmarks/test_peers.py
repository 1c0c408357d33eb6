import re
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, List

# what each system needs that may be missing
LIBRARIES = {
    "flair": "flair",
    "flair-fast": "flair",
    "distilbert": "transformers",
    "bert": "transformers",
    "gliner": "gliner",
}


def rows_of(printed: str) -> List[List[str]]:
    lines = re.findall(r"^\| (.+) \|$", printed, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_a_row_for_each_precision_and_one_for_what_is_missing(
    repository: Path, printed_by: Callable[..., str]
) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    missing = [name for name, library in LIBRARIES.items() if not find_spec(library)]
    systems = ["elmo_ner", "ner", *missing]
    printed = printed_by(
        "peers",
        *("--conll", conll, "--limit", 4, "--rounds", 1, "--seconds", 0.01),
        *("--batch", 1, "--batch", 3),
        *(option for name in systems for option in ("--system", name)),
    )
    assert "dev.conll: 4 sentences" in printed
    header, *rows = rows_of(printed)
    assert {len(row) for row in rows} == {len(header)} == {9}
    present, absent = rows[:3], rows[3:]
    assert [(row[0], row[2]) for row in present] == [
        ("elmo_ner", "float32"),
        ("elmo_ner", "auto"),
        ("ner", "float32"),
    ]
    assert all(number(cell) > 0 for row in present for cell in row[3:])
    # a process that has torch alone takes more
    assert all(number(row[4]) > 100 for row in present)
    assert [row[0] for row in absent] == missing
    for name, _, reason, *cells in absent:
        assert reason.startswith("not installed: ") and LIBRARIES[name] in reason
        assert set(cells) == {"–"}

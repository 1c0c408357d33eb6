import re
from pathlib import Path
from typing import Callable


def test_rows_are_printed_once_results_agree(
    repository: Path, printed_by: Callable[..., str]
) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    options = "--size sample --batch 4 --batch 32 --threads 1 --rounds 1 --starts 1"
    printed = printed_by(
        "pipe_speed", "--conll", conll, *options.split(), "--limit", "20"
    )
    assert "in 20 Docs, each a sentence" in printed
    for name in ("elmo_ner", "ner"):
        assert re.search(rf"{name} finds [1-9]\d* entities", printed)
    assert printed.count("largest difference") == 2
    speed = r"[\d,]+"
    for batch in (4, 32):
        one = rf"^\| 1 \| {batch} \| 1 \| {speed} \| {speed} \| -?\d+% \| {speed} \|$"
        two = rf"^\| 2 \| {batch} \| 1 \| – \| {speed} \| – \| {speed} \|$"
        assert re.search(one, printed, re.MULTILINE)
        assert re.search(two, printed, re.MULTILINE)
    assert len(re.findall(r"`spacy\.load`.* \| \d+\.\d\d \|", printed)) == 3


def test_profile_names_functions(
    repository: Path, printed_by: Callable[..., str]
) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    options = "--size sample --threads 1 --limit 4 --profile 5"
    printed = printed_by("pipe_speed", "--conll", conll, *options.split())
    assert "tottime" in printed
    assert "|" not in printed

import re
import subprocess
import sys
from pathlib import Path


def test_rows_are_printed_once_results_agree(repository: Path) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    options = "--size default --batch 4 --batch 32 --threads 1 --rounds 1 --starts 1"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipe_speed", "--conll", conll]
        + [*options.split(), "--limit", "20"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "in 20 Docs, each a sentence" in done.stdout
    for name in ("elmo_ner", "ner"):
        assert re.search(rf"{name} finds [1-9]\d* entities", done.stdout)
    assert done.stdout.count("largest difference") == 2
    speed = r"[\d,]+"
    for batch in (4, 32):
        one = rf"^\| 1 \| {batch} \| 1 \| {speed} \| {speed} \| -?\d+% \| {speed} \|$"
        two = rf"^\| 2 \| {batch} \| 1 \| – \| {speed} \| – \| {speed} \|$"
        assert re.search(one, done.stdout, re.MULTILINE)
        assert re.search(two, done.stdout, re.MULTILINE)
    assert len(re.findall(r"`spacy\.load`.* \| \d+\.\d\d \|", done.stdout)) == 2


def test_profile_names_functions(repository: Path) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    options = "--size default --threads 1 --limit 4 --profile 5"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipe_speed", "--conll", conll]
        + options.split(),
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "tottime" in done.stdout
    assert "|" not in done.stdout

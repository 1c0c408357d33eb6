"""The benchmark of few sentences, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable


def test_a_table_of_what_is_run_once(
    repository: Path, tmp_path: Path, printed_by: Callable[..., str]
) -> None:
    sample, results = repository / "assets" / "sample", tmp_path / "results.jsonl"
    corpora = [sample / "train.conll", sample / "dev.conll"]
    options = [*map(str, [results, *corpora]), *"--sentences 20 --updates 1".split()]
    options += ["--updates", "5"]
    assert len(printed_by("few_sentences", "run", *options).splitlines()) == 3
    lines = results.read_text("utf8").splitlines(keepends=True)
    results.write_text("".join(lines[:2]), "utf8")
    # it goes on after what is there
    again = printed_by("few_sentences", "run", *options, "--seed", "0", "--seed", "1")
    assert len(again.splitlines()) == 4
    picture = tmp_path / "few.svg"
    printed = printed_by("few_sentences", "table", results, "--picture", picture)
    row = r"^\| train.conll \| 20 \| (.+?) \| 2 \| \S+ ± \S+ \| (\S+) ± \S+ \| \S+ \|$"
    rows = dict(re.findall(row, printed, re.M))
    assert len(rows) == 3
    # the labels are those of the default pipeline, which knows them already
    trained, fresh = rows["elmo_ner"], rows["elmo_ner, trained_tagger = false"]
    assert float(trained) > 50 > float(fresh)
    assert "<svg" in picture.read_text("utf8")

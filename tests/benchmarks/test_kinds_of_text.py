"""The benchmark of kinds of text, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable

import spacy

from benchmarks.kinds_of_text import ensemble_of


def test_table(
    tmp_path: Path, repository: Path, printed_by: Callable[..., str]
) -> None:
    sample = repository / "assets" / "sample" / "dev.conll"
    tweets, web = tmp_path / "btc.conll", tmp_path / "wnut17.conll"
    tweets.write_text("@ O\nAnna B-PER\nlikes O\nParis B-LOC\n", encoding="utf8")
    web.write_text("Anna B-person\nsaw O\nJaws B-creative-work\n", encoding="utf8")
    files = ["--wikigold", sample, "--btc", tweets, "--wnut17", web]
    printed = printed_by("kinds_of_text", "--conll", sample, *files, "--ensemble")
    rows = re.findall(r"^\| (.+) \| en_elmo_ner_sm \| (.+) \|$", printed, re.M)
    # of one pipeline
    assert rows == re.findall(r"^\| (.+) \| ensemble \| (.+) \|$", printed, re.M)
    assert [name for name, _ in rows] == [
        "documents",
        "sentences",
        "raw text",
        "in lower case",
        "in capitals",
        "as headlines",
        "WikiGold",
        "Broad Twitter",
        "WNUT-17",
    ]
    for _, numbers in rows:
        assert all(0 < float(value) <= 100 for value in numbers.split(" | "))


def test_an_ensemble_leaves_its_pipelines_as_they_are() -> None:
    nlp = spacy.load("en_elmo_ner_sm")
    text, model = "Anna left Lima.", nlp.get_pipe("elmo_ner").model
    of_two = ensemble_of({"en_elmo_ner_sm": nlp, "the same": nlp})
    assert nlp.get_pipe("elmo_ner").model is model
    assert [ent.text for ent in of_two(text).ents] == ["Anna", "Lima"]
    assert [ent.text for ent in nlp(text).ents] == ["Anna", "Lima"]

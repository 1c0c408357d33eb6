"""The default pipeline says the same of itself wherever it says something."""

import configparser
import re
import runpy
from pathlib import Path
from typing import Any, Dict

import pytest
import srsly
from spacy.cli.info import info

from spacy_elmo_ner.pipeline.default_pipeline import NAME, default_folder


@pytest.fixture(scope="module")
def package(repository: Path) -> Path:
    return repository / "assets" / NAME


@pytest.fixture(scope="module")
def meta(package: Path) -> Dict[str, Any]:
    content: Dict[str, Any] = srsly.read_json(package / NAME / "meta.json")
    return content


def read(path: Path) -> str:
    return path.read_text(encoding="utf8")


def test_card_and_terms_are_made_from_meta_json(
    repository: Path, package: Path, meta: Dict[str, Any]
) -> None:
    script = repository / "scripts" / "set_default_pipeline.py"
    made = runpy.run_path(str(script))
    assert made["card_of"](meta) == read(package / "README.md")
    assert made["terms_of_sources"](meta) == read(package / "LICENSES_SOURCES")
    data = made["data_folder"](package, meta)
    assert read(data / "meta.json") == read(package / NAME / "meta.json")
    project = srsly.read_yaml(repository / "project.yml")
    assert meta["version"] == project["vars"]["version"]


def test_report_is_of_the_same_figures(meta: Dict[str, Any]) -> None:
    scores = meta["performance"]
    lines = {"accuracy": {k: scores[f"ents_{k}"] for k in "prf"}}
    for line in re.findall(r".*FB1.*", scores["report"]):
        name, *_ = line.split(":")
        wanted = {**scores["ents_per_type"], **lines}[name.strip()]
        shown = re.search(r"precision: +(.+)%; recall: +(.+)%; FB1: +([\d.]+)", line)
        assert shown and shown.groups() == tuple(
            f"{100 * wanted[k]:.2f}" for k in "prf"
        )


def test_pages_have_the_same_figures(repository: Path, meta: Dict[str, Any]) -> None:
    pretraining = read(repository / "docs" / "pretraining-results.md")
    found = re.search(
        r"([\d.]+) million tokens .*perplexity is ([\d.]+) forward and ([\d.]+) backward",
        meta["notes"],
    )
    assert found
    read_tokens, forward, backward = found.groups()
    assert f"| **{forward}** | **{backward}** |" in pretraining
    runs = re.findall(r"(?m)^\d\. .*?([\d.]+) million words", pretraining)
    assert sum(map(float, runs)) == pytest.approx(float(read_tokens))
    f1 = f"{100 * meta['performance']['ents_f']:.2f}"
    results = read(repository / "docs" / "results.md")
    assert f"| `en_elmo_ner_sm` | {f1} |" in results
    assert f"| `en_elmo_ner_sm` | **{f1}** |" in read(repository / "README.md")


def test_spacy_says_what_the_card_says(package: Path, meta: Dict[str, Any]) -> None:
    told = info(NAME, silent=True)
    assert isinstance(told, dict)
    card = " ".join(read(package / "README.md").split())
    assert " ".join(told["notes"].split()) in card
    assert told["license"] in card
    for source in told["sources"]:
        assert source["name"] in card
        assert source["license"] in card
    loaded = srsly.read_json(default_folder() / "meta.json")
    for field in ("license", "notes", "sources"):
        assert loaded[field] == told[field] == meta[field]


def test_code_and_weights_have_terms_of_their_own(
    repository: Path, package: Path, meta: Dict[str, Any]
) -> None:
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg", encoding="utf8")
    metadata = setup["metadata"]
    assert metadata["license_expression"] == "MIT"
    assert metadata["license_files"].split() == ["LICENSE"]
    assert read(repository / "LICENSE").startswith("MIT License\n")
    terms = read(package / "LICENSE")
    assert terms.startswith("Terms of the pipeline en_elmo_ner_sm: the weights")
    assert "MIT" not in meta["license"]
    for term in meta["license"].split(" AND "):
        assert f"\n{term}\n" in terms

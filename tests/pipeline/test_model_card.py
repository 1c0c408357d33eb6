"""The packaged pipeline says the same of itself wherever it says something."""

import configparser
import re
import runpy
from pathlib import Path
from typing import Any, Dict

import pytest
import srsly
from spacy.cli.info import info
from spacy.cli.package import package

from spacy_elmo_ner.pipeline.packaged import FOLDER


@pytest.fixture(scope="module")
def meta() -> Dict[str, Any]:
    content: Dict[str, Any] = srsly.read_json(FOLDER / "meta.json")
    return content


def read(path: Path) -> str:
    return path.read_text(encoding="utf8")


def test_card_and_terms_are_made_from_meta_json(
    repository: Path, meta: Dict[str, Any]
) -> None:
    ship = runpy.run_path(str(repository / "scripts" / "ship.py"))
    assert ship["card_of"](meta) == read(FOLDER / "README.md")
    assert ship["terms_of_sources"](meta) == read(FOLDER / "LICENSES_SOURCES")


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


def test_readme_has_the_same_figures(repository: Path, meta: Dict[str, Any]) -> None:
    readme = read(repository / "README.md")
    found = re.search(
        r"([\d.]+) million tokens .*perplexity is ([\d.]+) forward and ([\d.]+) backward",
        meta["notes"],
    )
    assert found
    read_tokens, forward, backward = found.groups()
    assert f"| **{forward}** | **{backward}** |" in readme
    runs = re.findall(
        r"([\d.]+) million words", readme.split("### The ELMo that ships")[1]
    )
    assert sum(map(float, runs[:3])) == pytest.approx(float(read_tokens))
    assert f"| what ships | {100 * meta['performance']['ents_f']:.2f} |" in readme


def test_spacy_says_what_the_card_says(tmp_path: Path, meta: Dict[str, Any]) -> None:
    told = info(str(FOLDER), silent=True)
    assert isinstance(told, dict)
    card = " ".join(read(FOLDER / "README.md").split())
    assert " ".join(told["notes"].split()) in card
    assert told["license"] in card
    for source in told["sources"]:
        assert source["name"] in card
        assert source["license"] in card

    package(FOLDER, tmp_path, create_sdist=False, create_wheel=False, silent=True)
    (made,) = tmp_path.iterdir()
    for name in ("README.md", "LICENSE", "LICENSES_SOURCES"):
        assert read(made / name) == read(FOLDER / name)
    packaged = srsly.read_json(made / "meta.json")
    for field in ("license", "notes", "sources", "performance"):
        assert packaged[field] == meta[field]


def test_wheel_names_the_terms_of_code_and_weights(
    repository: Path, meta: Dict[str, Any]
) -> None:
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg", encoding="utf8")
    metadata = setup["metadata"]
    assert metadata["license_expression"] == f"MIT AND {meta['license']}"
    files = metadata["license_files"].split()
    assert [read(repository / file).splitlines()[0] for file in files] == [
        "MIT License",
        "Terms of the pipeline en_elmo_ner_sm: the weights, vectors and tables in this folder.",
        meta["sources"][0]["name"],
    ]
    for term in meta["license"].split(" AND "):
        assert f"\n{term}\n" in read(FOLDER / "LICENSE")

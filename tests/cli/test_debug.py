import json
from pathlib import Path
from typing import List

import numpy as np
import spacy
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_report_as_text_and_as_json(repository: Path, tmp_path: Path) -> None:
    corpora: List[object] = []
    for name in ("train", "dev"):
        output = tmp_path / f"{name}.spacy"
        run("convert", repository / "assets" / "sample" / f"{name}.conll", output)
        corpora += [f"--paths.{name}", output]
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("the", np.ones(2, dtype="f"))  # type: ignore[arg-type]
    nlp.to_disk(tmp_path / "vectors")
    config = repository / "configs" / "sample.cfg"
    command = ("debug", config, *corpora, "--initialize.vectors", tmp_path / "vectors")
    text = run(*command)
    lines = text.splitlines()
    assert lines[0] == "The config is valid; its pipeline is: elmo_ner"
    assert lines[1].startswith("The training corpus has ")
    report = json.loads(run(*command, "--json"))
    for label, count in report["train"]["labels"].items():
        assert any(line.split()[:2] == [label, f"{count:,}"] for line in lines)
    for problem in report["problems"]:
        assert f"Note: {problem['message']}" in text
    (missing,) = [p for p in report["problems"] if p["kind"] == "no_vector"]
    assert not any(one.startswith(("'The'", "'the'")) for one in missing["examples"])
    named = [one for one in missing["examples"] if one.startswith("'.'")]
    assert len(named) == 1

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
import srsly
from packaging.requirements import Requirement

Project = Dict[str, Any]


@pytest.fixture(scope="module")
def project(repository: Path) -> Project:
    content: Project = srsly.read_yaml(repository / "project.yml")
    return content


def expand(text: str, project: Project) -> str:
    return re.sub(
        r"\$\{vars\.(\w+)\}", lambda match: str(project["vars"][match[1]]), text
    )


def test_each_step_finds_what_it_needs(repository: Path, project: Project) -> None:
    commands = {command["name"]: command for command in project["commands"]}
    for names in project["workflows"].values():
        there = {asset["dest"] for asset in project["assets"]}
        for name in names:
            command = commands[name]
            for dep in command.get("deps", []):
                dep = expand(dep, project)
                assert dep in there or (repository / dep).is_file(), (name, dep)
            script = expand(" ".join(command["script"]), project)
            for output in command.get("outputs", []):
                there.add(expand(output, project))
            for file in re.findall(r"configs/\S+", script):
                assert (repository / file).is_file()


def test_commands_run_on_any_system(project: Project) -> None:
    for command in project["commands"]:
        for line in command["script"]:
            assert re.match(
                r"python (-m (spacy|spacy_elmo_ner|build)|scripts/\w+\.py) "
                r"[\w ./$\{\}=-]+$",
                line,
            )


def test_checksums_are_the_published_corpus_s(
    project: Project, shared_data: Path
) -> None:
    sums = {Path(asset["dest"]).name: asset for asset in project["assets"]}
    for name in ("eng.train", "eng.testa"):
        content = (shared_data / "conll2003" / name).read_bytes()
        assert sums[name]["checksum"] == hashlib.md5(content).hexdigest()
        assert f"{len(content):,} bytes" in sums[name]["description"]


def test_its_page_documents_the_project(repository: Path, project: Project) -> None:
    page = (repository / "docs" / "project.md").read_text(encoding="utf8")
    start, end = (
        page.index(f"<!-- WEASEL: AUTO-GENERATED DOCS {word} ")
        for word in ("START", "END")
    )
    part = page[start:end]
    for command in project["commands"]:
        assert f"| `{command['name']}` | {command['help']} |" in part
    for name, steps in project["workflows"].items():
        arrows = " &rarr; ".join(f"`{step}`" for step in steps)
        assert f"| `{name}` | {arrows} |" in part
    for asset in project["assets"]:
        assert asset["dest"] in part
        assert asset["description"] in part


def test_its_page_is_what_spacy_generates(repository: Path, tmp_path: Path) -> None:
    document = pytest.importorskip("weasel.cli.document").project_document
    shutil.copy(repository / "project.yml", tmp_path)
    document(tmp_path, tmp_path / "project.md")
    made = (tmp_path / "project.md").read_text(encoding="utf8")
    assert made == (repository / "docs" / "project.md").read_text(encoding="utf8")


def required(requirements: List[str]) -> Dict[str, Distribution]:
    """The packages that are installed for these, by name, and all that they need."""
    found: Dict[str, Distribution] = {}
    waiting = list(map(Requirement, requirements))
    while waiting:
        requirement = waiting.pop()
        is_asked = not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if is_asked and requirement.name not in found:
            found[requirement.name] = distribution(requirement.name)
            waiting += map(Requirement, found[requirement.name].requires or [])
    return found


@pytest.fixture
def python_of_make_run(repository: Path, tmp_path: Path) -> str:
    """A Python with the packages that `make run` installs, and no others."""
    recipe = (repository / "Makefile").read_text("utf8").split("$(VENV)/installed:")[1]
    extras = re.search(r'--editable "\.\[([\w,]+)\]"', recipe)
    assert extras
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg", encoding="utf8")
    lines = setup["options"]["install_requires"].splitlines()
    for extra in extras[1].split(","):
        lines += setup["options.extras_require"][extra].splitlines()
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/*/site-packages")
    needed = required([line for line in lines if line and not line.startswith("#")])
    for package in needed.values():
        for name in {file.parts[0] for file in package.files or []} - {".."}:
            if not (packages / name).exists():
                (packages / name).symlink_to(str(package.locate_file(name)))
    ours = distribution("spacy-elmo-ner")
    (entry_points,) = (f for f in ours.files or [] if f.name == "entry_points.txt")
    name = entry_points.parts[0]
    (packages / name).symlink_to(str(ours.locate_file(name)))
    return str(folder / "bin" / "python")


def run(python: str, folder: Path, repository: Path, arguments: List[str]) -> str:
    done = subprocess.run(
        [python, "-m", *arguments],
        cwd=folder,
        # nothing may be fetched, and this checkout is what is tested
        env={**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": str(repository)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf8",
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_without_the_default_pipeline_a_command_says_how_to_get_it(
    repository: Path, tmp_path: Path, python_of_make_run: str
) -> None:
    done = subprocess.run(
        [python_of_make_run, "-m", "spacy_elmo_ner", "entities", "My name is John!"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        encoding="utf8",
    )
    assert done.returncode == 1
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert "en_elmo_ner_sm, is not installed; install it with `pip install ./" in line


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="links packages into bin/ and lib/")
def test_sample_workflow_from_end_to_end(
    tmp_path: Path, repository: Path, python_of_make_run: str
) -> None:
    shutil.copy(repository / "project.yml", tmp_path)
    shutil.copytree(repository / "configs", tmp_path / "configs")
    shutil.copytree(repository / "assets" / "sample", tmp_path / "assets" / "sample")
    workflow = ["spacy", "project", "run", "sample", str(tmp_path)]
    run(python_of_make_run, tmp_path, repository, workflow)

    scores = srsly.read_json(tmp_path / "metrics" / "sample.json")
    # it has learnt something: guessing scores next to nothing
    assert scores["spacy"]["ents_f"] > 0.25
    assert list(tmp_path.glob("packages/en_sample-*/dist/*.whl"))
    page = (tmp_path / "visualizations" / "sample.html").read_text(encoding="utf8")
    assert page.count("<article>") == 17  # the development documents
    nlp = spacy.load(tmp_path / "training" / "sample" / "model-best")
    assert [ent.text for ent in nlp("My name is John!").ents] == ["John"]

    again = run(python_of_make_run, tmp_path, repository, workflow)
    for step in ("convert", "train", "evaluate", "package", "visualize"):
        assert f"Skipping 'sample-{step}': nothing changed" in again

    clean = ["spacy", "project", "run", "clean", str(tmp_path)]
    run(python_of_make_run, tmp_path, repository, clean)
    assert not (tmp_path / "training").exists()
    assert (tmp_path / "assets" / "sample" / "train.conll").is_file()

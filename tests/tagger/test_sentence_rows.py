from typing import List

import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from torch.nn.utils.rnn import pack_sequence

from spacy_elmo_ner.tagger.sentence_rows import DocRows, SentenceRows
from spacy_elmo_ner.text.sentences import sentence_words

VOCAB = spacy.blank("en").vocab
LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def rows_of(lengths: List[int]) -> SentenceRows:
    ends = torch.tensor(lengths).cumsum(0).tolist()
    return SentenceRows([(end - n, end) for n, end in zip(lengths, ends, strict=True)])


@given(LENGTHS)
def test_order_is_that_of_torchs_packed_sequences(lengths: List[int]) -> None:
    rows = rows_of(lengths)
    flat = torch.randn(sum(lengths), 3)
    packed = pack_sequence(list(flat.split(lengths)), enforce_sorted=False)
    assert torch.equal(flat[rows.packed], packed.data)
    assert torch.equal(rows.batch_sizes, packed.batch_sizes)
    assert torch.equal(flat[rows.packed][rows.unpacked], flat)


@given(LENGTHS)
def test_reversed_sentences_are_those_read_from_the_end(lengths: List[int]) -> None:
    rows = rows_of(lengths)
    flat = torch.randn(sum(lengths), 3)
    from_end = [sentence.flip(0) for sentence in flat.split(lengths)]
    packed = pack_sequence(from_end, enforce_sorted=False)
    assert torch.equal(flat[rows.packed][rows.reversed], packed.data)


@given(LENGTHS)
def test_padding(lengths: List[int]) -> None:
    rows = rows_of(lengths)
    flat = torch.randn(sum(lengths), 2)
    padded = rows.pad(flat)
    assert padded.shape == (len(lengths), max(lengths), 2)
    for row, sentence in zip(padded, flat.split(lengths), strict=True):
        assert torch.equal(row[: len(sentence)], sentence)


def test_rows_of_docs_are_their_words() -> None:
    nlp = spacy.blank("en")
    docs = [nlp("John  Doe left. Then\n\nhe\u00a0came."), nlp(" \n"), nlp("Hi")]
    rows = DocRows(docs)
    words = [
        [doc[i].text for i in places.tolist()]
        for doc, sentences in zip(docs, rows.of_docs, strict=True)
        for places in sentences
    ]
    assert words == [
        ["John", "Doe", "left", "."],
        ["Then"],
        ["he", "came", "."],
        ["Hi"],
    ]
    assert rows.spans == [(0, 4), (4, 5), (5, 8), (8, 9)]
    tokens = [token.text for doc in docs for token in doc]
    assert [tokens[i] for i in rows.places] == sum(words, [])


@given(st.lists(st.sampled_from(["word", " ", "."]), max_size=40), st.integers(1, 9))
def test_windows_are_those_of_the_sentences(words: List[str], max_length: int) -> None:
    docs = [Doc(VOCAB, words=words), Doc(VOCAB, words=["word"])]
    rows = DocRows(docs)
    windows = rows.windows(max_length)
    ends = [end for _, end in windows.spans]
    assert [start for start, _ in windows.spans] == [0, *ends[:-1]]
    assert windows.lengths.tolist() == [
        len(some) for doc in docs for some in sentence_words(doc, max_length=max_length)
    ]
    assert (windows is rows) == (len(ends) == len(rows.spans))

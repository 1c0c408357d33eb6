from typing import List

import numpy as np
import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_elmo_ner.tagger.document_context import DocumentContext, DocumentTokens

VOCAB = spacy.blank("en").vocab
WORDS = st.lists(st.sampled_from(["Leeds", "LEEDS", "leeds", "won", "1"]), max_size=6)
DOCS = st.lists(WORDS, min_size=1, max_size=4).map(
    lambda docs: [Doc(VOCAB, words=words) for words in docs]
)


def all_tokens(docs: List[Doc]) -> DocumentTokens:
    return DocumentTokens.from_docs(docs, np.arange(sum(map(len, docs))))


def test_tokens_that_are_no_words_are_left_out() -> None:
    docs = [Doc(VOCAB, words=["Leeds", " ", "won"]), Doc(VOCAB, words=["\n", "Leeds"])]
    tokens = DocumentTokens.from_docs(docs, np.array([0, 2, 4]))
    assert tokens.docs.tolist() == [0, 0, 1]
    assert len(set(tokens.words.tolist())) == 3


@given(DOCS)
def test_tokens_share_a_number_where_doc_and_word_agree(docs: List[Doc]) -> None:
    tokens = all_tokens(docs)
    seen = [(i, token.lower_) for i, doc in enumerate(docs) for token in doc]
    assert tokens.docs.tolist() == [i for i, _ in seen]
    words = tokens.words.tolist()
    for one, its_number in zip(seen, words, strict=True):
        for other, number in zip(seen, words, strict=True):
            assert (one == other) == (its_number == number)


@given(DOCS)
def test_context_is_its_equation_token_by_token(docs: List[Doc]) -> None:
    torch.manual_seed(0)
    context = DocumentContext(3, 5).double()
    seen = [(i, token.lower_) for i, doc in enumerate(docs) for token in doc]
    x = torch.randn(len(seen), 3, dtype=torch.float64)
    found = context(x, all_tokens(docs))
    assert found.shape == (len(seen), 5)
    word_weight, bias = context.of_word.weight, context.of_word.bias
    for token, (doc, word) in zip(found, seen, strict=True):
        same_word = [
            row for row, one in zip(x, seen, strict=True) if one == (doc, word)
        ]
        same_doc = [row for row, one in zip(x, seen, strict=True) if one[0] == doc]
        of_word, of_doc = (sum(rows) / len(rows) for rows in (same_word, same_doc))
        expected = word_weight @ of_word + context.of_doc.weight @ of_doc + bias
        expected = expected.clamp(min=0)
        assert torch.allclose(token, expected)


def test_gradient_is_the_one_of_finite_differences() -> None:
    torch.manual_seed(0)
    context = DocumentContext(2, 3).double()
    docs = [Doc(VOCAB, words=["Leeds", "won", "LEEDS"]), Doc(VOCAB, words=["leeds"])]
    tokens = all_tokens(docs)
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: context(values, tokens), (x,))

from typing import List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.bilm.char_ids import boundary_ids, encode_words, index_types

# any code point: NUL, lone surrogates and four-byte characters among them
any_text = st.text(st.characters(blacklist_categories=()), max_size=60)


def one_by_one(word: str) -> List[int]:
    """The format's definition, a byte at a time."""
    ids = [258]
    for byte in word.encode("utf8", "ignore"):
        if len(ids) < 49:
            ids.append(byte)
    ids.append(259)
    ids += [260] * (50 - len(ids))
    return [i + 1 for i in ids]


@settings(deadline=None)
@given(st.lists(any_text, max_size=8))
def test_words_are_their_bytes(words: List[str]) -> None:
    ids = encode_words(words)
    assert ids.shape == (len(words), 50)
    assert ids.dtype == np.int64
    assert ids.tolist() == [one_by_one(word) for word in words]


def test_word_of_48_bytes_fills_the_row() -> None:
    row = encode_words(["x" * 48])[0].tolist()
    assert row == [259] + [ord("x") + 1] * 48 + [260]


def test_long_word_is_cut_inside_a_character() -> None:
    # 47 bytes, then a character of two of which only the first has room
    cut, whole = encode_words(["x" * 47 + "é", "x" * 47])
    assert cut[48] == 0xC3 + 1
    assert cut[49] == whole[48] == 260


def test_lone_surrogates_are_dropped() -> None:
    with_surrogate, without = encode_words(["a\ud800b", "ab"])
    assert with_surrogate.tolist() == without.tolist()


def test_boundaries_are_words_of_one_sign() -> None:
    begin, end = boundary_ids().tolist()
    assert begin == [259, 257, 260] + [261] * 47
    assert end == [259, 258, 260] + [261] * 47


@pytest.mark.parametrize("word", ["<S>", "</S>"])
def test_boundaries_spelled_in_a_text_are_ordinary_words(word: str) -> None:
    assert encode_words([word]).tolist() == [one_by_one(word)]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "a\0", ""]))))
def test_types_are_distinct_and_spell_the_sentences(sentences: List[List[str]]) -> None:
    types, indexed = index_types(sentences)
    assert len(set(types)) == len(types)
    assert [[types[i] for i in sentence] for sentence in indexed] == sentences

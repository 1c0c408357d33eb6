from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.text.written_spaces import CLITICS, QUOTES, written_spaces


def join(words: List[str]) -> str:
    spaces = written_spaces(words)
    return "".join(
        word + " " * space for word, space in zip(words, spaces, strict=True)
    ).rstrip()


@pytest.mark.parametrize(
    "words, text",
    [
        ('He did n\'t say " no " .', 'He didn\'t say "no".'),
        (
            "Leeds ( England ) won 2 - 1 , at last .",
            "Leeds (England) won 2 - 1, at last.",
        ),
        ("It costs $ 5 ; Anna 's sister paid .", "It costs $5; Anna's sister paid."),
        ("`` Stop ! '' he cried", "``Stop!'' he cried"),
        ("They ' re ' here", "They 're' here"),
        (". starts with a stop", ". starts with a stop"),
        ("", ""),
    ],
)
def test_sentences(words: str, text: str) -> None:
    assert join(words.split()) == text


@given(st.lists(st.sampled_from(["a", "Bern", ".", "(", ")", "$", *QUOTES, *CLITICS])))
def test_words_stay_and_spaces_never_double(words: List[str]) -> None:
    text = join(words)
    assert text.replace(" ", "") == "".join(words)
    assert "  " not in text

"""Whatever a file holds, it is read or refused with a sentence that names it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.conll import ConllFormat
from spacy_elmo_ner.corpus.docs import to_sentences
from spacy_elmo_ner.corpus.reader import read_docs

NLP = spacy.blank("en")


def read_or_refuse(name: str, data: bytes, format: ConllFormat = ConllFormat()) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            docs = list(
                read_docs(
                    path,
                    vocab=NLP.vocab,
                    format=format,
                    make_doc=NLP.make_doc,
                    note=lambda text: None,
                )
            )
        except ValueError as error:
            assert str(path) in str(error)
            return
    for doc in docs:
        if name == "file.conll":
            assert all(sentence.words for sentence in to_sentences(doc))


pieces = st.sampled_from(
    [*" \t\n\r#|-_.,;=\"'", "\n\n", "O", "o", "1", "2", "1-2", "B-", "I-PER", "b-per"]
    + [
        "PER-B",
        "Anna",
        "# id = 4",
        "-DOCSTART-",
        "name=B-PER",
        "(PER*",
        "(PER)",
        "*",
        "*)",
        "\ufeff",
        "\0",
        "\u2028",
    ]
)
columns = st.none() | st.sampled_from([-2, -1, 0, 1, 2, 3])


@pytest.mark.parametrize("max_size", [4, 25])
@settings(deadline=None, max_examples=100)
@given(data=st.data(), word=columns, tag=columns)
def test_columns(
    max_size: int, data: st.DataObject, word: Optional[int], tag: Optional[int]
) -> None:
    text = "".join(data.draw(st.lists(pieces, max_size=max_size)))
    delimiter = data.draw(
        st.sampled_from(["auto", "tab", "space", "whitespace", ",", "|"])
    )
    format = ConllFormat("auto", word, tag, delimiter)
    read_or_refuse("file.conll", text.encode("utf-8"), format)


@settings(deadline=None, max_examples=50)
@given(data=st.binary(max_size=40))
def test_bytes(data: bytes) -> None:
    for name in "file.conll", "file.jsonl":
        read_or_refuse(name, data)


keys = st.sampled_from(
    ["text", "spans", "entities", "label", "labels", "start", "end", "start_offset"]
    + ["end_offset", "data", "annotations", "result", "value", "answer", "paragraphs"]
)
leaves = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=5)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
records = st.fixed_dictionaries(
    {"text": st.text(max_size=8)},
    optional={
        "spans": st.lists(st.lists(values, max_size=4) | st.dictionaries(keys, leaves)),
        "label": values,
        "data": values,
        "annotations": values,
        "answer": values,
    },
)


@settings(deadline=None, max_examples=150)
@given(content=values | records | st.lists(records, max_size=3))
def test_json(content: Any) -> None:
    for name in "file.json", "file.jsonl":
        read_or_refuse(name, json.dumps(content).encode("utf-8"))


def test_deep_json() -> None:
    read_or_refuse("file.jsonl", b"[" * 100_000)

from pathlib import Path

import pytest
import spacy
from spacy.util import registry, resolve_dot_names
from thinc.api import Config

CONFIG = """
[corpora]

[corpora.train]
@readers = "spacy_elmo_ner.JoinedCorpus.v1"

[corpora.train.times]
news = 2
none = 0

[corpora.train.augmenter]
@augmenters = "spacy_elmo_ner.TextVariants.v1"
upper = 1.0

[corpora.train.corpora]

[corpora.train.corpora.tweets]
@readers = "spacy_elmo_ner.RawText.v1"

[corpora.train.corpora.news]
@readers = "spacy_elmo_ner.ConllCorpus.v1"

[corpora.train.corpora.none]
@readers = "spacy_elmo_ner.RawText.v1"
path = "not there"
"""


def test_corpora_of_a_config_are_read_in_order_as_often_as_it_says(
    tmp_path: Path,
) -> None:
    (tmp_path / "news").write_text("Oslo B-LOC\n\nRome B-LOC\n", encoding="utf8")
    (tmp_path / "tweets").write_text("hello", encoding="utf8")
    config = Config().from_str(CONFIG)
    for name in ("news", "tweets"):
        config["corpora"]["train"]["corpora"][name]["path"] = str(tmp_path / name)
    (corpus,) = resolve_dot_names(config, ["corpora.train"])
    read = [one.reference.text.strip() for one in corpus(spacy.blank("en"))]
    news = ["Oslo", "OSLO", "Rome", "ROME"]
    assert read == [*news, *news, "hello", "HELLO"]


def test_wrong_use_is_told() -> None:
    joined = registry.readers.get("spacy_elmo_ner.JoinedCorpus.v1")
    with pytest.raises(ValueError, match="no corpora"):
        joined(corpora={})
    with pytest.raises(ValueError, match="'b', but its corpora are a"):
        joined(corpora={"a": list}, times={"b": 2})
    with pytest.raises(ValueError, match="'a' -1 times"):
        joined(corpora={"a": list}, times={"a": -1})
    with pytest.raises(ValueError, match="'a.spacy' as its corpus 'a'"):
        joined(corpora={"a": "a.spacy"})

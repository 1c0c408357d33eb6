from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np
import pytest

from spacy_elmo_ner.pretraining import token_corpus
from spacy_elmo_ner.pretraining.token_corpus import (
    HELD_OUT,
    TRAIN,
    Encoded,
    SentenceStore,
    TokenCorpus,
    write_corpus,
)
from tests.pretraining.conftest import Encode


@pytest.fixture
def sentences() -> List[Tuple[str, List[List[Any]]]]:
    """Chunks as they come from tokenization: (part, sentences of words)."""
    random = np.random.default_rng(0)
    # by Zipf's law, so that frequencies differ; a few words are held out alone
    words = [f"w{k}" for k in range(300)]

    def some(n: int, offset: int) -> List[List[str]]:
        lengths = random.integers(1, 12, n)
        return [
            [words[k] for k in (random.zipf(1.3, length) + offset) % 300]
            for length in lengths
        ]

    return [
        (TRAIN, some(40, 0)),
        (HELD_OUT, some(7, 3)),
        (TRAIN, [["only"]]),
        (TRAIN, some(60, 1)),
        (HELD_OUT, [["never", "trained", "on"]]),
        (TRAIN, some(25, 0)),
    ]


def read(corpus: TokenCorpus, store: SentenceStore) -> List[List[str]]:
    return [[corpus.words[k] for k in store[i]] for i in range(len(store))]


def of(part: str, chunks: List[Tuple[str, List[List[Any]]]]) -> List[List[str]]:
    return [sentence for name, some in chunks if name == part for sentence in some]


@pytest.mark.parametrize("shard", [None, 1, 150, 500])
def test_sentences_come_back_in_order(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    encode: Encode,
    sentences: List[Tuple[str, List[List[Any]]]],
    shard: Optional[int],
) -> None:
    if shard:
        monkeypatch.setattr(token_corpus, "TOKENS_A_SHARD", shard)
    folder = tmp_path / "tokens"
    write_corpus([(part, encode(some)) for part, some in sentences], folder)
    corpus = TokenCorpus(folder)
    for part, store in ((TRAIN, corpus.train), (HELD_OUT, corpus.held_out)):
        expected = of(part, sentences)
        assert read(corpus, store) == expected
        assert store.lengths.tolist() == [len(sentence) for sentence in expected]
        assert store[0].dtype == np.int64
    n_files = len(list(folder.glob("train-*.tokens.npy")))
    assert n_files == {None: 1, 1: 4}.get(shard, n_files)
    if shard == 150:
        assert n_files > 1


def test_words_are_sorted_by_falling_frequency_in_training(
    tmp_path: Path,
    encode: Encode,
    sentences: List[Tuple[str, List[List[Any]]]],
) -> None:
    write_corpus([(part, encode(some)) for part, some in sentences], tmp_path / "t")
    corpus = TokenCorpus(tmp_path / "t")
    expected = Counter(word for sentence in of(TRAIN, sentences) for word in sentence)
    held_out = {word for sentence in of(HELD_OUT, sentences) for word in sentence}
    assert sorted(corpus.words) == sorted(set(expected) | held_out)
    counts = [expected[word] for word in corpus.words]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("parts", [[], [HELD_OUT]], ids=str)
def test_nothing_to_train_on_is_an_error_that_leaves_no_folder(
    tmp_path: Path,
    encode: Encode,
    parts: List[str],
) -> None:
    encoded = [(part, encode([["a", "b"]])) for part in parts]
    with pytest.raises(ValueError, match="no words to train on; check"):
        write_corpus(encoded, tmp_path / "tokens")
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_folder_as_it_was(tmp_path: Path, encode: Encode) -> None:
    write_corpus([(TRAIN, encode([["a", "b"], ["a"]]))], tmp_path / "tokens")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}

    def broken() -> Iterator[Tuple[str, Encoded]]:
        yield TRAIN, encode([["c"]])
        raise OSError("no space left")

    for parts, error in (([], ValueError), (broken(), OSError)):
        with pytest.raises(error):
            write_corpus(parts, tmp_path / "tokens")
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_a_new_corpus_takes_the_place_of_the_old_one(
    tmp_path: Path, encode: Encode
) -> None:
    parts = [(TRAIN, encode([["a"]])), (HELD_OUT, encode([["b"]]))]
    write_corpus(parts, tmp_path / "tokens")
    write_corpus([(TRAIN, encode([["c", "d"]]))], tmp_path / "tokens")
    corpus = TokenCorpus(tmp_path / "tokens")
    assert read(corpus, corpus.train) == [["c", "d"]]
    assert len(corpus.held_out) == 0


@pytest.mark.parametrize("name", ["my.tokens", "a.tokens.npy", "a.lengths"])
def test_a_folder_may_have_any_name(tmp_path: Path, encode: Encode, name: str) -> None:
    write_corpus([(TRAIN, encode([["a", "b"]]))], tmp_path / name / name)
    corpus = TokenCorpus(tmp_path / name / name)
    assert sorted(read(corpus, corpus.train)[0]) == ["a", "b"]


def test_a_folder_that_is_not_ours_is_kept(tmp_path: Path, encode: Encode) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "text.txt").write_text("mine")
    with pytest.raises(ValueError, match="corpus already exists"):
        write_corpus([(TRAIN, encode([["a", "b"]]))], tmp_path / "corpus")
    assert [path.read_text() for path in tmp_path.rglob("*.*")] == ["mine"]


def object_array(file: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, np.array([{}, []], dtype=object), allow_pickle=True)


DAMAGES: Dict[str, Callable[[Path], object]] = {
    "objects": object_array,
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-2]),
    "text": lambda file: file.write_text("text"),
    "other type": lambda file: np.save(file, np.zeros(3)),
    "other shape": lambda file: np.save(file, np.load(file)[None]),
    "shorter": lambda file: np.save(file, np.load(file)[:-1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name",
    ["vocabulary.json", "train-000.tokens.npy", "train-000.lengths.npy"],
)
def test_damaged_tokens_are_named(
    tmp_path: Path,
    encode: Encode,
    name: str,
    damage: str,
) -> None:
    folder = tmp_path / "tokens"
    write_corpus([(TRAIN, encode([["a", "b"], ["a"]]))], folder)
    if name.endswith(".json") and damage in ("other type", "other shape", "shorter"):
        text = {"other type": "3", "other shape": '["b", "a"]'}.get(damage, '["a"]')
        (folder / name).write_text(text)
    else:
        DAMAGES[damage](folder / name)
    with pytest.raises(ValueError, match="is damaged.*delete the folder") as error:
        TokenCorpus(folder)
    assert "pickle" not in str(error.value)


def test_tokens_beyond_the_vocabulary_are_damage(
    tmp_path: Path, encode: Encode
) -> None:
    folder = tmp_path / "tokens"
    write_corpus([(TRAIN, encode([["a", "b"]]))], folder)
    np.save(folder / "train-000.tokens.npy", np.array([0, 2], dtype=np.uint32))
    with pytest.raises(ValueError, match="is damaged"):
        TokenCorpus(folder).train[0]


def test_a_folder_without_tokens_is_an_error_that_says_what_makes_them(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="no tokenised text in .*`.* pretrain`"):
        TokenCorpus(tmp_path)

"""Tokenized text as numbers on disk, which pre-training reads.

A folder holds

    vocabulary.json         every distinct word, the most frequent in training first
    train-000.tokens.npy    index of each token's word, uint32; TOKENS_A_SHARD tokens
    train-000.lengths.npy   tokens of each sentence in that file, uint16
    held_out-000.….npy      the same for documents that are held out from training
    origin.json             the text that all of it was made from, see `text_origin`
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..files.atomic import replacing_folder
from ..files.manifest import is_unchanged
from .text_origin import write_origin

# tokens per file: 60 MB at most, so that it can be sent somewhere
TOKENS_A_SHARD = 14_000_000
TRAIN, HELD_OUT = "train", "held_out"
VOCABULARY = "vocabulary.json"
TOKENS, LENGTHS = ".tokens.npy", ".lengths.npy"


class Encoded(NamedTuple):
    """Some sentences: tokens as indices into `words`, sentence after sentence."""

    words: List[str]
    tokens: np.ndarray
    lengths: np.ndarray


class SentenceStore:
    """Sentences in files that are memory-mapped, not read.

    Args:
        folder: What `write_corpus` wrote.
        part: TRAIN or HELD_OUT.
        n_words: Size of the vocabulary.

    Raises:
        ValueError: If a file is damaged.
    """

    def __init__(self, folder: Path, part: str, n_words: int) -> None:
        names = sorted(
            file.name[: -len(TOKENS)] for file in folder.glob(f"{part}-*{TOKENS}")
        )
        self._folder, self._n_words = folder, n_words
        self._shards = [
            _read_array(folder / f"{name}{TOKENS}", np.uint32) for name in names
        ]
        lengths = [
            _read_array(folder / f"{name}{LENGTHS}", np.uint16) for name in names
        ]
        for name, shard, some in zip(names, self._shards, lengths, strict=True):
            if some.sum(dtype=np.int64) != len(shard) or not some.all():
                raise _damaged(folder / f"{name}{LENGTHS}")
        self.lengths = np.concatenate([np.zeros(0, np.uint16), *lengths])
        self._shard = np.repeat(np.arange(len(names)), [len(one) for one in lengths])
        starts = [np.cumsum(one, dtype=np.int64) - one for one in lengths]
        self._start = np.concatenate([np.zeros(0, np.int64), *starts])

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, i: int) -> np.ndarray:
        """A sentence's words, as int64 indices into the vocabulary.

        Raises:
            ValueError: If it has a word outside of the vocabulary.
        """
        start = self._start[i]
        shard = self._shards[self._shard[i]]
        words: np.ndarray = shard[start : start + self.lengths[i]].astype(np.int64)
        if words.max() >= self._n_words:
            raise _damaged(self._folder)
        return words


class TokenCorpus:
    """What `write_corpus` wrote.

    Raises:
        ValueError: If it is not there, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        if not has_corpus(folder):
            raise ValueError(
                f"There is no tokenised text in {folder}; `python -m spacy_elmo_ner "
                "pretrain` makes it from the text that its config names."
            )
        if not is_unchanged(folder, VOCABULARY):
            raise _damaged(folder / VOCABULARY)
        self.words = _read_words(folder / VOCABULARY)
        self.train = SentenceStore(folder, TRAIN, len(self.words))
        self.held_out = SentenceStore(folder, HELD_OUT, len(self.words))


def _read_words(file: Path) -> List[str]:
    try:
        words = json.loads(file.read_text(encoding="utf8"))
    except ValueError as error:
        raise _damaged(file) from error
    if not isinstance(words, list) or not all(isinstance(x, str) for x in words):
        raise _damaged(file)
    return words


def _read_array(file: Path, dtype: Any) -> np.ndarray:
    try:
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise _damaged(file) from error
    if array.dtype != dtype or array.ndim != 1:
        raise _damaged(file)
    return array


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"{path} is damaged, or was not written by pretrain; delete the folder of "
        "tokens to make them again from the text."
    )


def has_corpus(folder: Path) -> bool:
    """Whether the folder holds tokens."""
    return (folder / VOCABULARY).is_file()


def write_corpus(
    parts: Iterable[Tuple[str, Encoded]],
    folder: Path,
    *,
    origin: Optional[Dict[str, Any]] = None,
) -> None:
    """Write sentences to a folder, which appears when it is complete.

    Args:
        parts: Sentences, and where they belong: TRAIN or HELD_OUT.
        folder: The output.
        origin: See `describe_origin`.

    Raises:
        ValueError: If there are no sentences to train on, or none held out although
            some should be; or if something at the folder's path is not ours.
    """
    with replacing_folder(folder) as fresh:
        indices: Dict[str, int] = {}
        counts = np.zeros(0, dtype=np.int64)
        waiting: Dict[str, List[Tuple[np.ndarray, np.ndarray]]] = {}
        n_files: Dict[str, int] = {TRAIN: 0, HELD_OUT: 0}

        def flush(part: str) -> None:
            tokens, lengths = zip(*waiting.pop(part), strict=True)
            name = f"{part}-{n_files[part]:03}"
            np.save(fresh / f"{name}{TOKENS}", np.concatenate(tokens))
            np.save(fresh / f"{name}{LENGTHS}", np.concatenate(lengths))
            n_files[part] += 1

        for part, (words, tokens, lengths) in parts:
            known = [indices.setdefault(word, len(indices)) for word in words]
            tokens = np.array(known, dtype=np.uint32)[tokens]
            counts = np.pad(counts, (0, len(indices) - len(counts)))
            if part == TRAIN:
                counts += np.bincount(tokens, minlength=len(counts))
            waiting.setdefault(part, []).append((tokens, lengths.astype(np.uint16)))
            if sum(len(one) for one, _ in waiting[part]) > TOKENS_A_SHARD - 2 * len(
                tokens
            ):
                flush(part)
        for part in list(waiting):
            flush(part)
        if not n_files[TRAIN]:
            raise ValueError(
                "The text has no words to train on; check that its files hold text, "
                "one paragraph per line."
            )
        if origin is not None:
            if origin["held_out"] and not n_files[HELD_OUT]:
                raise ValueError(
                    f"The text has so few documents that with held_out = "
                    f"{origin['held_out']} none is kept from training. Put a blank line "
                    "between documents, give more text, or set text.held_out to 0 to do "
                    "without perplexities."
                )
            write_origin(origin, fresh)
        _sort_by_frequency(list(indices), counts, fresh)


def _sort_by_frequency(words: Sequence[str], counts: np.ndarray, folder: Path) -> None:
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    for file in folder.glob(f"*{TOKENS}"):
        np.save(file, rank[np.load(file)])
    text = json.dumps([words[i] for i in order], ensure_ascii=True)
    (folder / VOCABULARY).write_text(text, encoding="utf8")

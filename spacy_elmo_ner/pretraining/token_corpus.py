"""Tokenised text as numbers on disk: what pre-training reads.

A folder holds

    vocabulary.json         every distinct word, the most frequent first
    counts.npy              how often each occurs in training, int64
    train-000.tokens.npy    index of each token's word, uint32; PIECE tokens a file
    train-000.lengths.npy   tokens of each sentence in that file, uint16
    held_out-000.….npy      the same for documents that are kept from training
"""

import json
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..atomic import replacing_folder

# tokens of a file: 60 MB at most, so that it can be sent somewhere
PIECE = 14_000_000
TRAIN, HELD_OUT = "train", "held_out"
VOCABULARY = "vocabulary.json"


class Encoded(NamedTuple):
    """Some sentences: tokens as indices into words, sentence after sentence."""

    words: List[str]
    tokens: np.ndarray
    lengths: np.ndarray


class SentenceStore:
    """Sentences in files that are mapped, not read, into memory."""

    def __init__(self, folder: Path, part: str) -> None:
        files = sorted(folder.glob(f"{part}-*.tokens.npy"))
        self._pieces = [np.load(file, mmap_mode="r") for file in files]
        lengths = [np.load(str(file).replace(".tokens", ".lengths")) for file in files]
        self.lengths = np.concatenate([np.zeros(0, np.uint16), *lengths])
        self._piece = np.repeat(np.arange(len(files)), [len(one) for one in lengths])
        starts = [np.cumsum(one, dtype=np.int64) - one for one in lengths]
        self._start = np.concatenate([np.zeros(0, np.int64), *starts])

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, i: int) -> np.ndarray:
        """A sentence's words, int64 indices into the vocabulary."""
        start = self._start[i]
        piece = self._pieces[self._piece[i]]
        return piece[start : start + self.lengths[i]].astype(np.int64)


class TokenCorpus:
    """What `write_corpus` wrote. Raises ValueError when it is not there."""

    def __init__(self, folder: Path) -> None:
        if not has_corpus(folder):
            raise ValueError(
                f"There is no tokenised text in {folder}; `python -m spacy_elmo_ner "
                "pretrain` makes it from the text that its config names."
            )
        self.words: List[str] = json.loads(
            (folder / VOCABULARY).read_text(encoding="utf8")
        )
        self.counts = np.load(folder / "counts.npy")
        self.train = SentenceStore(folder, TRAIN)
        self.held_out = SentenceStore(folder, HELD_OUT)


def has_corpus(folder: Path) -> bool:
    return (folder / VOCABULARY).is_file()


def write_corpus(parts: Iterable[Tuple[str, Encoded]], folder: Path) -> None:
    """Write sentences to a folder, which appears when it is complete.

    parts: where sentences belong, TRAIN or HELD_OUT, and the sentences.

    Raises ValueError when there are none to train on.
    """
    with replacing_folder(folder) as fresh:
        indices: Dict[str, int] = {}
        counts = np.zeros(0, dtype=np.int64)
        waiting: Dict[str, List[Tuple[np.ndarray, np.ndarray]]] = {}
        n_files: Dict[str, int] = {TRAIN: 0, HELD_OUT: 0}

        def flush(part: str) -> None:
            tokens, lengths = zip(*waiting.pop(part), strict=True)
            name = f"{part}-{n_files[part]:03}"
            np.save(fresh / f"{name}.tokens.npy", np.concatenate(tokens))
            np.save(fresh / f"{name}.lengths.npy", np.concatenate(lengths))
            n_files[part] += 1

        for part, (words, tokens, lengths) in parts:
            known = [indices.setdefault(word, len(indices)) for word in words]
            tokens = np.array(known, dtype=np.uint32)[tokens]
            counts = np.pad(counts, (0, len(indices) - len(counts)))
            if part == TRAIN:
                counts += np.bincount(tokens, minlength=len(counts))
            waiting.setdefault(part, []).append((tokens, lengths.astype(np.uint16)))
            if sum(len(one) for one, _ in waiting[part]) > PIECE - 2 * len(tokens):
                flush(part)
        for part in list(waiting):
            flush(part)
        if not n_files[TRAIN]:
            raise ValueError(
                "The text has no words to train on; check that its files hold text, "
                "one paragraph a line."
            )
        _sort_by_frequency(list(indices), counts, fresh)


def _sort_by_frequency(words: Sequence[str], counts: np.ndarray, folder: Path) -> None:
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    for file in folder.glob("*.tokens.npy"):
        np.save(file, rank[np.load(file)])
    np.save(folder / "counts.npy", counts[order])
    text = json.dumps([words[i] for i in order], ensure_ascii=True)
    (folder / VOCABULARY).write_text(text, encoding="utf8")

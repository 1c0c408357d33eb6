"""The layers of sentences that a frozen biLM has encoded, kept on disk for training.

Training reads every sentence again in every epoch, and a frozen biLM gives it the same
layers each time. They are kept in half precision, one SQLite file for each biLM.
SQLite reads them through a memory map, lets several processes share the file, keeps it
intact when one of them is killed, and limits its size.
"""

import hashlib
import os
import sqlite3
import warnings
import zlib
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple, Type

import numpy as np

from ..kernels.fork_safe_lock import ForkSafeLock

# It changes with the layout of the file, so that old files are not found.
VERSION = "1"
APPLICATION_ID = 0x456C4D6F  # "ElMo"
SUFFIX, ASIDE, BESIDE = ".sqlite", ".damaged", ("-wal", "-shm")
# bytes; a sentence takes some tens of thousands
PAGE_SIZE = 32768
# seconds to wait for another process to finish writing
PATIENCE = 60.0
GIGABYTE = 10**9


def is_layer_cache(file: Path) -> bool:
    """Whether it is a file of a `LayerCache`, or one that SQLite keeps next to it."""
    for suffix in BESIDE:
        if file.name.endswith(suffix):
            file = file.with_name(file.name[: -len(suffix)])
    if file.suffix not in (SUFFIX, ASIDE) or not file.is_file():
        return False
    with file.open("rb") as opened:
        header = opened.read(100)
    # https://www.sqlite.org/fileformat.html#the_database_header
    return header[:6] == b"SQLite" and header[68:72] == APPLICATION_ID.to_bytes(
        4, "big"
    )


class LayerCache:
    """A folder of files, and how large each of them may grow.

    It is for speed only: if anything goes wrong with a file, a warning says so and the
    biLM computes the layers. A file that is damaged or not ours is renamed, and a new
    one is started.

    Args:
        folder: Created if it does not exist.
        max_bytes: Size at which a file takes no more sentences.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self.max_bytes = Path(folder), max_bytes
        self._files: Dict[str, Optional[_File]] = {}
        self._process = os.getpid()
        self._lock = ForkSafeLock()

    def read(self, bilm: str, sentences: Sequence[bytes]) -> List[Optional[np.ndarray]]:
        """Look up the layers of each sentence.

        Args:
            bilm: Name for the biLM and the layers that are kept, see `fingerprint`.
            sentences: See `sentence_key`.

        Returns:
            Each sentence's layers, (tokens, width) float16, or None.
        """
        with self._lock:
            return self._read(bilm, sentences)

    def _read(
        self, bilm: str, sentences: Sequence[bytes]
    ) -> List[Optional[np.ndarray]]:
        found: List[Optional[np.ndarray]] = [None] * len(sentences)
        file = self._file(bilm)
        if file is not None:
            try:
                found = [file.read(sentence) for sentence in sentences]
            except Damaged as error:
                self._set_aside(bilm, str(error))
            except (sqlite3.Error, OSError) as error:
                self._give_up(bilm, str(error))
        return found

    def write(self, bilm: str, sentences: Dict[bytes, np.ndarray]) -> None:
        """Keep the layers of sentences, (tokens, width) float16 each."""
        with self._lock:
            self._write(bilm, sentences)

    def _write(self, bilm: str, sentences: Dict[bytes, np.ndarray]) -> None:
        file = self._file(bilm)
        if file is None or file.is_full:
            return
        try:
            file.write(sentences)
        except Damaged as error:
            self._set_aside(bilm, str(error))
        except (sqlite3.Error, OSError) as error:
            self._give_up(bilm, str(error))
        if file.is_full:
            warnings.warn(
                f"ELMo's cache {file.path} has reached its size or the disk is full. "
                "Training continues; sentences that are not in it are computed again "
                "in every epoch. Give spacy_elmo_ner.ElmoCache.v1 more max_gigabytes, "
                "or delete what is no longer needed.",
                stacklevel=2,
            )

    def close(self) -> None:
        """Close the files; they are opened again when they are needed."""
        for file in self._files.values():
            if file is not None:
                file.close()
        self._files = {}

    def _file(self, bilm: str) -> Optional["_File"]:
        if self._process != os.getpid():
            # a connection must not cross a fork
            self._files, self._process = {}, os.getpid()
        if bilm not in self._files:
            self._files[bilm] = None
            path = self.folder / f"{bilm}{SUFFIX}"
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._files[bilm] = _File(path, self.max_bytes)
            except Damaged as error:
                self._set_aside(bilm, str(error))
            except (sqlite3.Error, OSError) as error:
                self._give_up(bilm, str(error))
        return self._files[bilm]

    def _set_aside(self, bilm: str, reason: str) -> None:
        path = self.folder / f"{bilm}{SUFFIX}"
        names = (path.with_suffix(ASIDE if n == 0 else f".{n}{ASIDE}") for n in count())
        aside = next(name for name in names if not name.exists())
        damaged, self._files[bilm] = self._files[bilm], None
        try:
            if damaged is not None:
                damaged.close()
            for suffix in BESIDE:
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            os.replace(path, aside)
            self._files[bilm] = _File(path, self.max_bytes)
        except (Damaged, sqlite3.Error, OSError) as error:
            self._give_up(bilm, str(error))
            return
        warnings.warn(
            f"ELMo's cache {path} is damaged or was not written by spacy_elmo_ner "
            f"({reason}). It is now {aside}, and a new one was started.",
            stacklevel=2,
        )

    def _give_up(self, bilm: str, reason: str) -> None:
        self._files[bilm] = None
        warnings.warn(
            f"ELMo's cache in {self.folder} cannot be used ({reason}). Training "
            "continues without it, more slowly, with the same result to half "
            "precision.",
            stacklevel=2,
        )

    def __reduce__(self) -> Tuple[Type["LayerCache"], Tuple[Path, int]]:
        return LayerCache, (self.folder, self.max_bytes)


class Damaged(Exception):
    """A file does not contain what it should."""


class _File:
    """One SQLite file: sentence → (crc32, width, layers)."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path, self.is_full = path, False
        self._connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            with _damage_told_apart():
                self._set_up(max_bytes)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def _set_up(self, max_bytes: int) -> None:
        run = self._connection.execute
        run(f"PRAGMA page_size = {PAGE_SIZE}")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        (owner,) = run("PRAGMA application_id").fetchone()
        (n_tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
        if owner != APPLICATION_ID and n_tables:
            raise sqlite3.DatabaseError("file is not a database of ELMo layers")
        run(f"PRAGMA application_id = {APPLICATION_ID}")
        run(
            "CREATE TABLE IF NOT EXISTS layers "
            "(sentence BLOB PRIMARY KEY, crc32 INTEGER, width INTEGER, layers BLOB)"
        )
        run(f"PRAGMA max_page_count = {max(8, max_bytes // PAGE_SIZE)}")
        run(f"PRAGMA mmap_size = {max_bytes}")

    def read(self, sentence: bytes) -> Optional[np.ndarray]:
        with _damage_told_apart():
            row = self._connection.execute(
                "SELECT crc32, width, layers FROM layers WHERE sentence = ?",
                (sentence,),
            ).fetchone()
        if row is None:
            return None
        crc32, width, layers = row
        if zlib.crc32(layers) != crc32:
            raise Damaged("a checksum is wrong")
        return np.frombuffer(layers, dtype=np.float16).reshape(-1, width)

    def write(self, sentences: Dict[bytes, np.ndarray]) -> None:
        rows = []
        for sentence, layers in sentences.items():
            data = np.ascontiguousarray(layers, dtype=np.float16).tobytes()
            rows.append((sentence, zlib.crc32(data), layers.shape[1], data))
        run = self._connection.execute
        try:
            with _damage_told_apart():
                run("BEGIN IMMEDIATE")
                # another process may have computed the same sentence in the meantime
                self._connection.executemany(
                    "INSERT OR IGNORE INTO layers VALUES (?, ?, ?, ?)", rows
                )
                run("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                run("ROLLBACK")
            if "full" not in str(error):
                raise
            self.is_full = True


@contextmanager
def _damage_told_apart() -> Iterator[None]:
    """Raise Damaged for SQLite's errors that mean it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # NOTADB, CORRUPT, and what a table with other columns raises; on Python 3.10
        # only an error's text tells
        signs = ("not a database", "malformed", "no such column", "has no column")
        if any(sign in str(error) for sign in signs):
            raise Damaged(str(error)) from error
        raise


def sentence_key(words: Sequence[str]) -> bytes:
    """16 bytes that stand for a sentence."""
    digest = hashlib.blake2b(digest_size=16)
    for word in words:
        data = word.encode("utf8", "surrogatepass")
        # the length keeps "a b" and "ab" apart, whatever a word contains
        digest.update(len(data).to_bytes(4, "little") + data)
    return digest.digest()


def fingerprint(arrays: Sequence[np.ndarray], settings: str) -> str:
    """A name for the weights and everything else that a sentence's layers depend on."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{VERSION} {settings}".encode())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()

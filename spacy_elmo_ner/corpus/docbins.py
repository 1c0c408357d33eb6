"""The Docs of .spacy files, which may be damaged or malicious."""

import zlib
from pathlib import Path
from typing import Iterator

import numpy as np
from spacy.attrs import DEP, ENT_KB_ID, ENT_TYPE, LEMMA, ORTH, TAG
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..files.reading import reading

DOCBIN_SUFFIX = ".spacy"
REMEDY = "write it again with the convert command"
# attributes of tokens that are hashes of strings
STRING_ATTRS = (ORTH, TAG, LEMMA, DEP, ENT_TYPE, ENT_KB_ID)
# compressed bytes; at most a thousand times as many come out
INFLATED_AT_A_TIME = 10_000
# corpora become 12 times as large in memory as they are on disk
LARGEST_RATIO = 50
LARGEST_SMALL_DOCBIN = 100_000_000


def read_docbins(path: Path, *, vocab: Vocab) -> Iterator[Doc]:
    """Yield the Docs of a .spacy file, or of all .spacy files in and below a folder.

    Raises:
        OSError: If a file cannot be opened.
        ValueError: If a file is not a DocBin. It names the file.
    """
    files = sorted(path.rglob("*" + DOCBIN_SUFFIX)) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"The folder {path} holds no {DOCBIN_SUFFIX} files.")
    for file in files:
        with reading(file, REMEDY):
            for doc in _open_docbin(file, vocab).get_docs(vocab):
                for spans in doc.spans.values():
                    for span in spans:
                        _ = span.label_
                yield doc


def _open_docbin(path: Path, vocab: Vocab) -> DocBin:
    data = path.read_bytes()
    _check_size(path, data)
    docs = DocBin().from_bytes(data)
    for string in docs.strings:
        vocab.strings.add(string)
    columns = [i for i, attr in enumerate(docs.attrs) if attr in STRING_ATTRS]
    for tokens in docs.tokens:
        for value in np.unique(tokens[:, columns]):
            # raise now: an error on later access would not name the file
            _ = vocab.strings[value]
    return docs


def _check_size(path: Path, data: bytes) -> None:
    """Check that the file is compressed as DocBins are, and fits into memory."""
    inflate = zlib.decompressobj()
    size = 0
    for start in range(0, len(data), INFLATED_AT_A_TIME):
        try:
            size += len(inflate.decompress(data[start : start + INFLATED_AT_A_TIME]))
        except zlib.error as error:
            raise ValueError(
                f"{path} is not a {DOCBIN_SUFFIX} file, or a damaged one ({error}); "
                f"{REMEDY}."
            ) from error
        if size > LARGEST_SMALL_DOCBIN + LARGEST_RATIO * len(data):
            raise ValueError(
                f"{path} has {len(data):,} bytes but would take more than "
                f"{size:,} in memory, as no corpus does; {REMEDY}."
            )

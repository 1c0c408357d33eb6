"""Word → 50 byte ids, as the published biLMs read them.

A word is its UTF-8 bytes between a begin and an end marker, padded to 50. All ids are
shifted by one, so that 0 could mask; words are packed here, not masked, so 0 never
occurs. Format: bilm-tf's UnicodeCharsVocabulary, Peters et al. 2018.
"""

from typing import Dict, List, Sequence, Tuple

import numpy as np

from .options import MAX_CHARACTERS

MASK = 1
BEGIN_OF_SENTENCE = 256 + MASK
END_OF_SENTENCE = 257 + MASK
BEGIN_OF_WORD = 258 + MASK
END_OF_WORD = 259 + MASK
PADDING = 260 + MASK


def encode_words(words: Sequence[str]) -> np.ndarray:
    """Turn words into character ids.

    Only a word's first 48 bytes count, even if that cuts a character in two, and lone
    surrogates, which have no bytes, are dropped. The published code does both, too.

    Returns:
        (n_words, 50), int64.
    """
    encoded = [word.encode("utf8", "ignore")[: MAX_CHARACTERS - 2] for word in words]
    lengths = np.array([len(word) for word in encoded], dtype=np.int64)
    ids = np.full((len(words), MAX_CHARACTERS), PADDING, dtype=np.int64)
    ids[:, 0] = BEGIN_OF_WORD
    ids[np.arange(len(words)), lengths + 1] = END_OF_WORD
    column = np.arange(MAX_CHARACTERS)
    is_byte = (column >= 1) & (column <= lengths[:, None])
    ids[is_byte] = np.frombuffer(b"".join(encoded), dtype=np.uint8) + np.int64(MASK)
    return ids


def boundary_ids() -> np.ndarray:
    """Character ids of the begin and end of sentence markers: (2, 50), int64."""
    ids = encode_words(["?", "?"])
    ids[:, 1] = [BEGIN_OF_SENTENCE, END_OF_SENTENCE]
    return ids


def index_types(
    sentences: Sequence[Sequence[str]],
) -> Tuple[List[str], List[np.ndarray]]:
    """The distinct words, and each sentence as int64 indices into them."""
    types: Dict[str, int] = {}
    indexed = [
        np.array([types.setdefault(word, len(types)) for word in words], dtype=np.int64)
        for words in sentences
    ]
    return list(types), indexed

"""Tokenization of documents into sentences, in several processes."""

import itertools
import os
import sys
import threading
import zlib
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Deque, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..bilm.char_ids import index_types
from ..corpus.docbins import DOCBIN_SUFFIX, read_docbins
from ..corpus.raw_text import read_documents
from .token_corpus import HELD_OUT, TRAIN, Encoded

DOCUMENTS_AT_A_TIME = 100
# longer sentences are split, as they would slow down their batch
LONGEST_SENTENCE = 200

_nlp: Dict[str, Language] = {}


def tokenize_files(
    files: Iterable[Path], *, lang: str, held_out: float, processes: int
) -> Iterator[Tuple[str, Encoded]]:
    """Tokenize text files; yield sentences for `token_corpus.write_corpus`, in file
    order.

    Text is split by the language's tokenizer and after final punctuation. A file of
    Docs (.spacy) has its tokens already, and its sentences if they are set.

    Args:
        files: The files.
        lang: spaCy's code for their language.
        held_out: The share of documents to hold out from training. Only a document's
            beginning decides whether it is held out.
        processes: How many processes to use.
    """
    # forked processes would inherit the thread pools of numerical libraries without threads
    context = get_context("spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_end_with_parent
    ) as pool:
        running: Deque[Future[List[Tuple[str, Encoded]]]] = deque()
        for arguments in _chunks(files, lang):
            running.append(pool.submit(_encode_chunk, *arguments, held_out))
            if len(running) > 4 * processes:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _end_with_parent() -> None:
    """Let this pool process end with its parent, even if that is killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def available_processes() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _chunks(
    files: Iterable[Path], lang: str
) -> Iterator[Tuple[List[str], Optional[Path], str]]:
    for file in files:
        if file.suffix == DOCBIN_SUFFIX:
            yield [], file, lang
            continue
        documents = read_documents(file)
        while True:
            chunk = list(itertools.islice(documents, DOCUMENTS_AT_A_TIME))
            if not chunk:
                break
            yield chunk, None, lang


def _encode_chunk(
    texts: List[str], doc_bin: Optional[Path], lang: str, held_out: float
) -> List[Tuple[str, Encoded]]:
    """Tokenize some documents, in a pool process."""
    if lang not in _nlp:
        nlp = spacy.blank(lang)
        nlp.add_pipe("sentencizer")
        # the limit exists for parsers; a text may be a single line
        nlp.max_length = sys.maxsize
        _nlp[lang] = nlp
    nlp = _nlp[lang]
    sentences: Dict[str, List[List[str]]] = {}
    for text in texts:
        part = HELD_OUT if _is_held_out(text, held_out) else TRAIN
        # a paragraph at a time: no sentence crosses paragraphs
        for paragraph in nlp.pipe(text.split("\n")):
            sentences.setdefault(part, []).extend(_sentences(paragraph))
    if doc_bin is not None:
        for doc in read_docbins(doc_bin, vocab=nlp.vocab):
            part = HELD_OUT if _is_held_out(doc.text, held_out) else TRAIN
            sentences.setdefault(part, []).extend(_sentences(doc))
    return [(part, _encode(some)) for part, some in sentences.items() if some]


def _is_held_out(text: str, share: float) -> bool:
    return zlib.crc32(text[:1000].encode("utf8", "ignore")) < share * 2**32


def _sentences(doc: Doc) -> Iterator[List[str]]:
    spans = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
    for span in spans:
        words = [token.text for token in span if not token.is_space]
        for start in range(0, len(words), LONGEST_SENTENCE):
            yield words[start : start + LONGEST_SENTENCE]


def _encode(sentences: List[List[str]]) -> Encoded:
    words, indices = index_types(sentences)
    lengths = np.array([len(sentence) for sentence in sentences])
    return Encoded(words, np.concatenate(indices).astype(np.uint32), lengths)

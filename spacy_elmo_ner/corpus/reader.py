"""Corpora that training reads: Examples whose predicted Docs keep words and sentences.

spaCy's own corpus reader drops the sentence starts of the gold Docs, and without them
an encoder that works sentence by sentence has to guess.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Iterator, Optional, Union

import numpy as np
from spacy.attrs import DEP, ENT_KB_ID, ENT_TYPE, LEMMA, ORTH, TAG
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import ensure_path
from spacy.vocab import Vocab

from ..reading import reading
from .conll import DETECT, read_conll
from .docs import check_grouping, to_docs

DOCBIN_SUFFIX = ".spacy"
REMEDY = "write it again with the convert command"
# attributes of tokens that are hashes of strings
STRING_ATTRS = (ORTH, TAG, LEMMA, DEP, ENT_TYPE, ENT_KB_ID)
# of the compressed bytes; they become a thousand times as many at most
INFLATED_AT_A_TIME = 10_000
# corpora become 12 times as large in memory as they are on disk
LARGEST_RATIO = 50
LARGEST_SMALL_DOCBIN = 100_000_000

# such as those of spaCy, `spacy.lower_case.v1` and others
Augmenter = Callable[[Language, Example], Iterable[Example]]


def create_conll_corpus_v1(
    *,
    path: Optional[Path],
    group_by: str = "sentence",
    limit: int = 0,
    scheme: str = DETECT,
    augmenter: Optional[Augmenter] = None,
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.ConllCorpus.v1`: Examples from a CoNLL file.

    group_by: one Doc for each "sentence", or for each "document". limit: this many
    Docs at most, 0 for all. scheme: see `read_conll`. augmenter: what it makes of an
    Example is read in its place.
    """
    check_grouping(group_by)
    return ConllCorpus(
        _check_path(path),
        group_by=group_by,
        limit=limit,
        scheme=scheme,
        augmenter=augmenter,
    )


def create_docbin_corpus_v1(
    *,
    path: Optional[Path],
    group_by: str = "document",
    limit: int = 0,
    augmenter: Optional[Augmenter] = None,
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.DocBinCorpus.v1`: Examples from a .spacy file or a folder of them.

    group_by: the Docs as they are stored ("document"), or each "sentence" of them on
    its own; an entity that crosses two sentences is then unknown in both. limit: this
    many Docs at most, 0 for all. augmenter: what it makes of an Example is read in its
    place.
    """
    check_grouping(group_by)
    return DocBinCorpus(
        _check_path(path), group_by=group_by, limit=limit, augmenter=augmenter
    )


def read_docs(
    path: Path, *, vocab: Vocab, group_by: str = "document", scheme: str = DETECT
) -> Iterator[Doc]:
    """The Docs of a .spacy file, of a folder of such files, or of a CoNLL file.

    group_by and scheme are for CoNLL files; Docs from .spacy files come as stored.
    """
    if path.suffix == DOCBIN_SUFFIX or path.is_dir():
        return read_docbins(path, vocab=vocab)
    documents = read_conll(path, scheme=scheme).documents
    return to_docs(documents, vocab=vocab, group_by=group_by)


def _check_path(path: Optional[Union[str, Path]]) -> Path:
    if path is None:
        raise ValueError(
            "The corpus has no path. Name the file in the config, or on the command "
            "line with --paths.train and --paths.dev."
        )
    return ensure_path(path)


@dataclass
class ConllCorpus:
    """See `create_conll_corpus_v1`."""

    path: Path
    group_by: str
    limit: int
    scheme: str
    augmenter: Optional[Augmenter]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        documents = read_conll(self.path, scheme=self.scheme).documents
        docs = to_docs(documents, vocab=nlp.vocab, group_by=self.group_by)
        return augmented(nlp, to_examples(docs, limit=self.limit), self.augmenter)


@dataclass
class DocBinCorpus:
    """See `create_docbin_corpus_v1`."""

    path: Path
    group_by: str
    limit: int
    augmenter: Optional[Augmenter]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        docs = read_docbins(self.path, vocab=nlp.vocab)
        if self.group_by == "sentence":
            docs = (sent.as_doc() for doc in docs for sent in _sentences(doc))
        return augmented(nlp, to_examples(docs, limit=self.limit), self.augmenter)


def _sentences(doc: Doc) -> Iterator:
    return doc.sents if doc.has_annotation("SENT_START") else iter([doc[:]])


def read_docbins(path: Path, *, vocab: Vocab) -> Iterator[Doc]:
    """The Docs of a .spacy file, or of all .spacy files in and under a folder.

    Raises OSError, and ValueError naming the file that is no DocBin.
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
            # an error now, and not without the file's name when somebody reads it
            _ = vocab.strings[value]
    return docs


def _check_size(path: Path, data: bytes) -> None:
    """Raise ValueError for what is not compressed as DocBins are, or would fill the
    memory with what it holds."""
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


def to_examples(docs: Iterable[Doc], *, limit: int = 0) -> Iterator[Example]:
    """Examples of the Docs that have tokens: the first `limit`, or all when it is 0."""
    count = 0
    for reference in docs:
        if limit and count == limit:
            return
        if len(reference):
            count += 1
            yield Example(_bare_doc(reference), reference)


def augmented(
    nlp: Language, examples: Iterable[Example], augmenter: Optional[Augmenter]
) -> Iterator[Example]:
    """The Examples, or what augmenter makes of them, with predicted Docs as before.

    spaCy's augmenters tokenize anew, and lose sentence starts that no heads stand for;
    those are set again if there are as many tokens as before.
    """
    if augmenter is None:
        yield from examples
        return
    for example in examples:
        for variant in augmenter(nlp, example):
            reference = variant.reference
            if len(reference) == len(example.x) and not reference.has_annotation("DEP"):
                for token, before in zip(reference, example.x, strict=True):
                    token.is_sent_start = before.is_sent_start
            yield Example(_bare_doc(reference), reference)


def _bare_doc(reference: Doc) -> Doc:
    """A Doc with the words, spaces and sentence starts of another, nothing else."""
    spaces = [bool(token.whitespace_) for token in reference]
    return Doc(
        reference.vocab,
        words=[token.text for token in reference],
        spaces=None if reference.has_unknown_spaces else spaces,
        sent_starts=[token.is_sent_start for token in reference],
    )

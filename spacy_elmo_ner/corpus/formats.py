"""The reader of each corpus format, chosen by the file's name.

A new format is a file with its reader, and an entry in `READERS`.
"""

import warnings
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, NamedTuple, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .annotated_docs import read_annotated_docs
from .conll import ConllFormat, read_conll
from .delimiters import DETECT
from .docbins import DOCBIN_SUFFIX, read_docbins
from .docs import to_docs


class ReadOptions(NamedTuple):
    """Options of all readers; each uses those that its format needs. See
    `read_docs`."""

    vocab: Vocab
    group_by: str = DETECT
    format: ConllFormat = ConllFormat()
    make_doc: Optional[Callable[[str], Doc]] = None
    alignment_mode: str = "strict"
    note: Callable[[str], None] = warnings.warn


# a reader raises OSError, and ValueError that names the file
Reader = Callable[[Path, ReadOptions], Iterator[Doc]]


def read_docbin_docs(path: Path, options: ReadOptions) -> Iterator[Doc]:
    """Read .spacy files."""
    return read_docbins(path, vocab=options.vocab)


def read_json_docs(path: Path, options: ReadOptions) -> Iterator[Doc]:
    """Read files of annotation tools."""
    if options.make_doc is None:
        raise ValueError(f"{path} holds texts, which need a tokenizer to be read.")
    return read_annotated_docs(
        path,
        make_doc=options.make_doc,
        alignment_mode=options.alignment_mode,
        note=options.note,
    )


def read_conll_docs(path: Path, options: ReadOptions) -> Iterator[Doc]:
    """Read CoNLL files."""
    file = read_conll(path, **options.format._asdict())
    if file.note:
        options.note(file.note)
    group_by = options.group_by
    if group_by == DETECT:
        group_by = "document" if file.marks_documents else "sentence"
    docs = to_docs(file.documents, vocab=options.vocab, group_by=group_by)
    return docs if file.pos is None else _tagged(docs, file.pos)


def _tagged(docs: Iterable[Doc], pos: Iterable[str]) -> Iterator[Doc]:
    """The Docs with these parts of speech, one per token, in order."""
    rest = iter(pos)
    for doc in docs:
        for token in doc:
            token.tag_ = next(rest)
        yield doc


READERS: Dict[str, Reader] = {
    DOCBIN_SUFFIX: read_docbin_docs,
    ".json": read_json_docs,
    ".jsonl": read_json_docs,
    ".conll": read_conll_docs,
    ".conllu": read_conll_docs,
    ".conllup": read_conll_docs,
    ".iob": read_conll_docs,
    ".iob2": read_conll_docs,
    ".bio": read_conll_docs,
    ".bioes": read_conll_docs,
    ".biluo": read_conll_docs,
    ".tsv": read_conll_docs,
}


def reader_of(path: Path) -> Reader:
    """The reader of a file or folder.

    A folder holds .spacy files; a name without an entry is that of a CoNLL file.
    """
    if path.is_dir():
        return read_docbin_docs
    return READERS.get(path.suffix, read_conll_docs)

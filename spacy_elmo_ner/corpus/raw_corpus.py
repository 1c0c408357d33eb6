"""Text without annotation, of which a student learns what its teachers say."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Callable, Iterable, Iterator, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .docs import bare_doc
from .raw_text import check_is_text, list_files, read_documents


def create_raw_text_v1(
    *, path: Optional[Path], limit: int = 0, max_length: int = 500
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.RawText.v1`: read Examples without annotation from text files.

    A file has a paragraph a line and a blank line between documents; files whose names
    end in .gz or .xz are unpacked, and in a .jsonl file each line has a "text".

    Args:
        path: A file, or a folder of files.
        limit: At most this many Docs, 0 for all.
        max_length: Documents are parted between paragraphs into Docs of at most so many
            tokens, but for paragraphs that are longer by themselves.

    Raises:
        ValueError: If there is no path, or `max_length` is less than 1.
    """
    if path is None:
        raise ValueError("RawText has no path. Name a file or folder in the config.")
    if max_length < 1:
        raise ValueError(f"RawText has max_length = {max_length}; give 1 or more.")
    return RawText(Path(path), limit, max_length)


@dataclass
class RawText:
    """See `create_raw_text_v1`."""

    path: Path
    limit: int
    max_length: int

    def __call__(self, nlp: Language) -> Iterator[Example]:
        docs = (
            doc
            for file in _text_files(self.path)
            for text in read_documents(file)
            for doc in _parts(nlp, text, self.max_length)
        )
        for doc in islice(docs, self.limit or None):
            yield Example(bare_doc(doc), doc)


def _text_files(path: Path) -> Iterator[Path]:
    for file in list_files([path]):
        check_is_text(file)
        yield file


def _parts(nlp: Language, text: str, max_length: int) -> Iterator[Doc]:
    doc, part = None, ""
    for paragraph in text.split("\n"):
        longer = f"{part}\n{paragraph}" if part else paragraph
        longer_doc = nlp.make_doc(longer)
        if doc is not None and len(longer_doc) > max_length:
            yield doc
            longer, longer_doc = paragraph, nlp.make_doc(paragraph)
        doc, part = longer_doc, longer
    if doc is not None and len(doc):
        yield doc

"""Text without annotation, on which a student learns what its teachers say."""

from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from .docs import bare_doc
from .raw_text import check_is_text, list_files, read_documents


def create_raw_text_v1(
    *, path: Optional[Path], limit: int = 0, max_length: int = 500
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.RawText.v1`: read Examples without annotation from text files.

    A file has one paragraph per line and a blank line between documents; files whose
    names end in .gz or .xz are unpacked, and in a .jsonl file each line has a "text".

    Args:
        path: A file, or a folder of files.
        limit: At most this many Docs, 0 for all. Training keeps them all in memory,
            unless its max_epochs is -1.
        max_length: Documents are split at paragraph breaks into Docs of at most this
            many tokens, except for single paragraphs that are longer.

    Raises:
        ValueError: If there is no path, or a number makes no sense; on reading, if
            there is no text.
    """
    if path is None:
        raise ValueError("RawText has no path. Name a file or folder in the config.")
    if limit < 0 or max_length < 1:
        raise ValueError(
            f"RawText has limit = {limit} and max_length = {max_length}; give a limit "
            "of 0 (none) or more, and a max_length of at least 1."
        )
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
            for doc in _split(nlp, text, self.max_length)
        )
        first = next(docs, None)
        if first is None:
            raise ValueError(f"There are no words in {self.path}.")
        for doc in islice(chain([first], docs), self.limit or None):
            yield Example(bare_doc(doc), doc)


def _text_files(path: Path) -> Iterator[Path]:
    for file in list_files([path]):
        check_is_text(file)
        yield file


def _split(nlp: Language, text: str, max_length: int) -> Iterator[Doc]:
    part: List[str] = []
    length = 0
    for paragraph in _paragraphs(text, nlp.max_length):
        n_tokens = len(nlp.make_doc(paragraph))
        if part and length + n_tokens > max_length:
            yield nlp.make_doc("\n".join(part))
            part, length = [], 0
        if n_tokens:
            part.append(paragraph)
            # plus the line break
            length += n_tokens + 1
    if part:
        yield nlp.make_doc("\n".join(part))


def _paragraphs(text: str, longest: int) -> Iterator[str]:
    """The lines; those that spaCy would refuse to read as one Doc come in pieces."""
    for line in text.split("\n"):
        for start in range(0, len(line), longest):
            yield line[start : start + longest]

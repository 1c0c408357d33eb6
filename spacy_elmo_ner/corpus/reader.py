"""Corpora for training: Examples whose predicted Docs keep words and sentences.

spaCy's own corpus reader drops the sentence starts of the gold Docs. Without them an
encoder that works sentence by sentence has to guess.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..text.annotated_labels import annotated_labels, map_labels, set_annotated_labels
from .conll import ConllFormat
from .delimiters import DETECT
from .docbins import read_docbins
from .docs import GROUPINGS, bare_doc, check_grouping
from .formats import ReadOptions, read_conll_docs, reader_of
from .text_variants import TextVariants

CONLL_GROUPINGS = (DETECT, *GROUPINGS)

# such as those of spaCy, `spacy.lower_case.v1` and others
Augmenter = Callable[[Language, Example], Iterable[Example]]


def create_conll_corpus_v1(
    *,
    path: Optional[Path],
    group_by: str = "sentence",
    limit: int = 0,
    scheme: str = DETECT,
    augmenter: Optional[Augmenter] = None,
    labels: Optional[List[str]] = None,
    label_map: Optional[Dict[str, Optional[str]]] = None,
    word_column: Optional[int] = None,
    tag_column: Optional[int] = None,
    delimiter: str = DETECT,
    pos_column: Optional[int] = None,
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.ConllCorpus.v1`: read Examples from a CoNLL file.

    Reading raises ValueError if the file has no tokens, and warns if it has no
    entities.

    Args:
        path: The file.
        group_by: A Doc for each "sentence", or for each "document"; "auto": for
            documents if the file marks them, otherwise for sentences.
        limit: At most this many Docs, 0 for all.
        scheme: See `read_conll`.
        augmenter: Makes other Examples from an Example, which are read instead.
        labels: The labels that the corpus annotates, after `label_map`. Outside of its
            entities it then says nothing about others, which are neither learned nor
            forgotten there. None if it annotates all labels.
        label_map: New labels by the file's labels; None makes their entities unknown.
        word_column: See `read_conll`.
        tag_column: See `read_conll`.
        delimiter: See `read_conll`.
        pos_column: See `read_conll`.

    Raises:
        ValueError: If there is no path, or `group_by` is none of these.
    """
    check_grouping(group_by, CONLL_GROUPINGS)
    return ConllCorpus(
        _check_path(path),
        group_by=group_by,
        limit=limit,
        format=ConllFormat(scheme, word_column, tag_column, delimiter, pos_column),
        augmenter=augmenter,
        labels=labels,
        label_map=label_map,
    )


def create_docbin_corpus_v1(
    *,
    path: Optional[Path],
    group_by: str = "document",
    limit: int = 0,
    augmenter: Optional[Augmenter] = None,
    labels: Optional[List[str]] = None,
    label_map: Optional[Dict[str, Optional[str]]] = None,
) -> Callable[[Language], Iterable[Example]]:
    """`spacy_elmo_ner.DocBinCorpus.v1`: read Examples from a .spacy file, or a folder
    of them.

    Reading raises ValueError if there are no tokens, and warns if there are no
    entities.

    Args:
        path: The file or folder.
        group_by: The Docs as they are stored ("document"), or a Doc for each
            "sentence". An entity across a sentence boundary is then unknown in both.
        limit: At most this many Docs, 0 for all.
        augmenter: Makes other Examples from an Example, which are read instead.
        labels: See `create_conll_corpus_v1`. None for what the Docs say themselves.
        label_map: See `create_conll_corpus_v1`.

    Raises:
        ValueError: If there is no path, or `group_by` is none of these.
    """
    check_grouping(group_by)
    return DocBinCorpus(
        _check_path(path),
        group_by=group_by,
        limit=limit,
        augmenter=augmenter,
        labels=labels,
        label_map=label_map,
    )


def read_docs(
    path: Path,
    *,
    vocab: Vocab,
    group_by: str = DETECT,
    format: ConllFormat = ConllFormat(),
    make_doc: Optional[Callable[[str], Doc]] = None,
    alignment_mode: str = "strict",
    note: Callable[[str], None] = warnings.warn,
) -> Iterator[Doc]:
    """Yield the Docs of a corpus.

    It may be a .spacy file, a folder of such files, a .jsonl or .json file of an
    annotation tool, or a CoNLL file.

    Args:
        path: The file or folder.
        vocab: The Docs' vocab.
        group_by: For CoNLL files: a Doc for each "sentence" or "document"; with "auto"
            for documents if the file marks them. Other files' Docs come as they are.
        format: For CoNLL files.
        make_doc: For files of annotation tools, see `read_annotated_docs`.
        alignment_mode: For files of annotation tools, see `read_annotated_docs`.
        note: Called with a sentence about everything unusual in a file.

    Raises:
        OSError: If a file cannot be opened.
        ValueError: If a file cannot be read. It names the file.
    """
    check_grouping(group_by, CONLL_GROUPINGS)
    options = ReadOptions(vocab, group_by, format, make_doc, alignment_mode, note)
    return reader_of(path)(path, options)


def _check_path(path: Optional[Union[str, Path]]) -> Path:
    if path is None:
        raise ValueError(
            "The corpus has no path. Name the file in the config, or on the command "
            "line with --paths.train and --paths.dev."
        )
    return Path(path)


@dataclass
class ConllCorpus:
    """See `create_conll_corpus_v1`."""

    path: Path
    group_by: str
    limit: int
    format: ConllFormat
    augmenter: Optional[Augmenter]
    labels: Optional[List[str]]
    label_map: Optional[Dict[str, Optional[str]]]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        if reader_of(self.path) is not read_conll_docs:
            raise ValueError(
                f"{self.path} is not a CoNLL file. If it is not a .spacy file, convert "
                "it to one (convert command); read that with "
                "spacy_elmo_ner.DocBinCorpus.v1."
            )
        options = ReadOptions(nlp.vocab, self.group_by, self.format, note=_ignore)
        docs = relabelled(
            read_conll_docs(self.path, options), self.path, self.labels, self.label_map
        )
        examples = annotated(to_examples(docs, limit=self.limit), self.path)
        return augmented(nlp, examples, self.augmenter)


@dataclass
class DocBinCorpus:
    """See `create_docbin_corpus_v1`."""

    path: Path
    group_by: str
    limit: int
    augmenter: Optional[Augmenter]
    labels: Optional[List[str]]
    label_map: Optional[Dict[str, Optional[str]]]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        docs = read_docbins(self.path, vocab=nlp.vocab)
        docs = relabelled(docs, self.path, self.labels, self.label_map)
        if self.group_by == "sentence":
            docs = (one for doc in docs for one in _sentence_docs(doc))
        examples = annotated(to_examples(docs, limit=self.limit), self.path)
        return augmented(nlp, examples, self.augmenter)


def _ignore(note: str) -> None:
    pass


def _sentence_docs(doc: Doc) -> Iterator[Doc]:
    for sent in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
        of_sentence = sent.as_doc()
        set_annotated_labels(of_sentence, annotated_labels(doc))
        yield of_sentence


def relabelled(
    docs: Iterable[Doc],
    path: Path,
    labels: Optional[Sequence[str]],
    label_map: Optional[Mapping[str, Optional[str]]],
    note: Callable[[str], None] = warnings.warn,
) -> Iterator[Doc]:
    """The gold Docs of a file, with new labels, and with the labels that they annotate.

    Args:
        docs: The Docs, which are changed.
        path: Their file, for messages.
        labels: See `create_conll_corpus_v1`. None leaves it to the Docs.
        label_map: See `create_conll_corpus_v1`.
        note: Called after the last Doc, with the old labels that no entity has.

    Raises:
        ValueError: If an entity has a label that is not among those that are annotated.
    """
    not_met = set(label_map or ())
    for doc in docs:
        not_met.difference_update(ent.label_ for ent in doc.ents)
        not_met.difference_update(annotated_labels(doc) or ())
        try:
            if label_map is not None:
                map_labels(doc, label_map)
            if labels is not None:
                set_annotated_labels(doc, labels)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        yield doc
    if not_met:
        note(
            f"no entity in {path} has a label to rename: {', '.join(sorted(not_met))}."
        )


def to_examples(docs: Iterable[Doc], *, limit: int = 0) -> Iterator[Example]:
    """Make Examples of the Docs that have tokens.

    Args:
        docs: Gold Docs.
        limit: At most this many Examples, 0 for all.
    """
    count = 0
    for reference in docs:
        if limit and count == limit:
            return
        if len(reference):
            count += 1
            yield Example(bare_doc(reference), reference)


def annotated(examples: Iterable[Example], path: Path) -> Iterator[Example]:
    """Pass on the Examples of a file, and check that something can be learned from
    them.

    Without entities, training would run to its end and have learned or measured
    nothing. So this warns if there are none.

    Args:
        examples: The Examples.
        path: Their file, for messages.

    Raises:
        ValueError: If there are no Examples.
    """
    count = entities = 0
    for example in examples:
        count += 1
        entities += len(example.reference.ents)
        yield example
    if not count:
        raise ValueError(f"There are no words in {path}. Check the path.")
    if not entities:
        warnings.warn(
            f"There are no entities in {path}: nothing can be learned from it, and every "
            "score on it is 0.",
            stacklevel=2,
        )


def augmented(
    nlp: Language, examples: Iterable[Example], augmenter: Optional[Augmenter]
) -> Iterator[Example]:
    """The Examples that an augmenter makes, with predicted Docs as before.

    spaCy's augmenters tokenize again, and lose sentence starts that do not follow from
    heads. These are set again if there are as many tokens as before.
    """
    if augmenter is None:
        yield from examples
        return
    for example in examples:
        for variant in augmenter(nlp, example):
            if isinstance(augmenter, TextVariants):
                yield variant
            else:
                _restore(variant.reference, example)
                yield Example(bare_doc(variant.reference), variant.reference)


def _restore(reference: Doc, example: Example) -> None:
    """Restore what one of spaCy's augmenters has lost."""
    if len(reference) == len(example.x) and not reference.has_annotation("DEP"):
        for token, before in zip(reference, example.x, strict=True):
            token.is_sent_start = before.is_sent_start
    set_annotated_labels(reference, annotated_labels(example.reference))

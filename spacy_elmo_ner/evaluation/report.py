"""The whole report on predicted Docs and their gold."""

import time
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example

from ..corpus.conll_tags import OUTSIDE
from ..corpus.docs import sentence_bounds
from ..corpus.reader import to_examples
from ..text.annotated_labels import judged
from .conlleval import PhraseCounts, count_phrases
from .scorer_file import ScoredSentence
from .token_report import TokenReport, report_tokens


@dataclass(frozen=True)
class Report:
    """The scores of predicted Docs.

    Attributes:
        sentences: Gold and predicted tags in IOB2, from which the scores are computed.
        conlleval: The shared task's scores.
        tags: The table per tag.
        spacy: spaCy's own scores, and "speed" in words per second if it was measured.
    """

    sentences: List[ScoredSentence]
    conlleval: PhraseCounts
    tags: TokenReport
    spacy: Dict[str, Any]

    def to_text(self) -> str:
        """The shared task's output and the table per tag."""
        return self.conlleval.to_text() + "\n" + self.tags.to_text()

    def to_dict(self) -> Dict[str, Any]:
        """The scores for JSON, with the text. Every score is a share of 1, as in spaCy."""
        return {
            "conlleval": self.conlleval.to_dict(),
            "tags": self.tags.to_dict(),
            "text": self.to_text(),
            "spacy": self.spacy,
        }


def report_pipeline(nlp: Language, gold: Iterable[Doc]) -> Report:
    """Run a pipeline on the words and sentences of gold Docs, and compare.

    Any pipeline that sets doc.ents works. spaCy's scores are those of all its
    components.

    Raises:
        ValueError: See `report_docs`.
    """
    examples = list(to_examples(gold))
    start = time.perf_counter()
    predicted = list(nlp.pipe(example.predicted for example in examples))
    seconds = time.perf_counter() - start
    report = report_docs([example.reference for example in examples], predicted)
    for example, doc in zip(examples, predicted, strict=True):
        example.predicted = doc
    report.spacy.update(
        # not every component that sets entities has a scorer for them
        {**Scorer(nlp=nlp).score(examples), **report.spacy},
        speed=sum(map(len, predicted)) / seconds,
    )
    return report


def report_docs(gold: Sequence[Doc], predicted: Sequence[Doc]) -> Report:
    """Compare the entities of gold and predicted Docs, given in the same order.

    Raises:
        ValueError: See `comparable`.
    """
    docs = list(zip(gold, comparable(gold, predicted), strict=True))
    sentences = [one for reference, guess in docs for one in _align(reference, guess)]
    pairs = [(sentence.gold, sentence.guess) for sentence in sentences]
    scores = get_ner_prf([Example(guess, reference) for reference, guess in docs])
    return Report(sentences, count_phrases(pairs), report_tokens(pairs), scores)


def comparable(gold: Sequence[Doc], predicted: Sequence[Doc]) -> List[Doc]:
    """The predicted Docs, comparable with the gold token by token.

    Entities that a gold Doc cannot judge are left out: it does not annotate their
    labels, or one of their tokens.

    Raises:
        ValueError: If their words differ, or if nothing is known about any gold token.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"There are {len(gold)} gold Docs, but {len(predicted)} predicted ones. Pass "
            "each with its counterpart."
        )
    with_words = [doc for doc in gold if len(doc)]
    if with_words and not any(doc.has_annotation("ENT_IOB") for doc in with_words):
        raise ValueError(
            "The gold Docs have no entity annotation. Annotate them; use doc.set_ents "
            "for those without entities."
        )
    for number, docs in enumerate(zip(gold, predicted, strict=True), start=1):
        _check(*docs, f"gold Doc number {number}")
    return [
        judged(guess, one, _unknown_places(one, guess))
        for one, guess in zip(gold, predicted, strict=True)
    ]


def _unknown_places(gold: Doc, predicted: Doc) -> List[Tuple[int, int]]:
    """Where tokens without gold are in the prediction's text, which has all tokens."""
    return [
        (guess.idx, guess.idx + len(guess))
        for token, guess in zip(gold, predicted, strict=True)
        if not token.ent_iob
    ]


def _check(gold: Doc, predicted: Doc, name: str) -> None:
    if [token.text for token in gold] != [token.text for token in predicted]:
        raise ValueError(
            f"The {name} and its prediction have different words. Run the pipeline on "
            "the gold words, as the corpus readers of this package do."
        )


def _align(gold: Doc, predicted: Doc) -> List[ScoredSentence]:
    words = [token.text for token in gold]
    columns = words, iob2_tags(gold), iob2_tags(predicted)
    return [
        ScoredSentence(*(column[start:end] for column in columns))
        for start, end in sentence_bounds(gold)
    ]


def iob2_tags(doc: Doc) -> List[str]:
    """The tag of each token, O for unknown ones."""
    return [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else OUTSIDE for t in doc]

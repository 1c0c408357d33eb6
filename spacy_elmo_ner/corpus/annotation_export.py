"""Texts with guessed entities → the files that annotation tools import."""

import json
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from .char_spans import CharSpan


class GuessedText(NamedTuple):
    """A text for somebody to annotate.

    Attributes:
        text: The text.
        spans: The guesses.
        probabilities: The probability of each guess, if known.
        meta: What else the tool should show or keep.
    """

    text: str
    spans: Sequence[CharSpan]
    probabilities: Sequence[Optional[float]]
    meta: Dict[str, Any]


def prodigy(texts: Sequence[GuessedText]) -> Iterator[str]:
    """Yield the lines of a JSONL file for Prodigy."""
    for one in texts:
        spans = [span._asdict() for span in one.spans]
        yield _json({"text": one.text, "spans": spans, "meta": one.meta})


def doccano(texts: Sequence[GuessedText]) -> Iterator[str]:
    """Yield the lines of a JSONL file for doccano's sequence labelling."""
    for one in texts:
        labels: List[Any] = [[*span] for span in one.spans]
        yield _json({"text": one.text, "label": labels, **one.meta})


def label_studio(texts: Sequence[GuessedText]) -> Iterator[str]:
    """Yield the JSON list of tasks for Label Studio, whose guesses are predictions: they
    become annotations when somebody accepts them. The labelling config names its text
    "text" and its labels "label"."""
    tasks: List[Dict[str, Any]] = [
        {
            "data": {"text": one.text, **one.meta},
            "predictions": [
                {
                    "model_version": "elmo_ner",
                    "result": [
                        _result(one.text, span, probability)
                        for span, probability in zip(
                            one.spans, one.probabilities, strict=True
                        )
                    ],
                }
            ],
        }
        for one in texts
    ]
    yield _json(tasks)


EXPORTS: Dict[str, Callable[[Sequence[GuessedText]], Iterator[str]]] = {
    "prodigy": prodigy,
    "doccano": doccano,
    "label-studio": label_studio,
}


def _result(text: str, span: CharSpan, probability: Optional[float]) -> Dict[str, Any]:
    start, end, label = span
    value: Dict[str, Any] = {
        "start": start,
        "end": end,
        "text": text[start:end],
        "labels": [label],
    }
    result: Dict[str, Any] = {
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": value,
    }
    return result if probability is None else {**result, "score": probability}


def _json(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False)

"""Lists of spans in the records of Prodigy, doccano and spaCy.

Prodigy      {"text": …, "spans": [{"start": 0, "end": 4, "label": "PER"}], "answer": …}
doccano      {"text": …, "label": [[0, 4, "PER"]]}; also "labels", and "entities" of
             {"start_offset": 0, "end_offset": 4, "label": "PER"}
spaCy's own  [text, {"entities": [[0, 4, "PER"]]}]
"""

from typing import Any, Dict, List

SPAN_KEYS = ("spans", "entities", "labels", "label")


def is_pair(item: Any) -> bool:
    """Whether a record has spaCy's form."""
    return (
        isinstance(item, list)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], dict)
    )


def lists_of(item: Dict[str, Any]) -> Dict[str, List[Any]]:
    """All lists that may hold spans, by their keys."""
    return {key: item[key] for key in SPAN_KEYS if isinstance(item.get(key), list)}


def listed_spans(item: Dict[str, Any]) -> Dict[str, List[Any]]:
    """The lists of spans that are not empty, by their keys.

    Raises:
        ValueError: If the record has no list that says what its entities are.
    """
    lists = lists_of(item)
    if not lists and "answer" not in item:
        raise ValueError(
            'the record has no list of "spans", "entities", "label" or "labels", so '
            "nothing says what its entities are."
        )
    full = {key: entries for key, entries in lists.items() if entries}
    # if there is a list of spans, lists of names are the text's categories or the
    # labels in use
    spans = {
        key: entries
        for key, entries in full.items()
        if not all(isinstance(entry, str) for entry in entries)
    }
    return spans or full

"""Records of Label Studio.

{"data": {"text": …}, "annotations": [{"result": [{"value": {"start": 0, "end": 4,
"labels": ["PER"]}}]}]}, and its short form (JSON_MIN), which has the spans in a list.
"""

import json
from typing import Any, Dict, List, Optional

from .char_spans import shorten
from .span_lists import SPAN_KEYS

# keys of the short form that every annotation has, with entities or without
LABEL_STUDIO_KEYS = ("annotation_id", "annotator", "lead_time")


def is_empty(item: Any) -> bool:
    """Whether a record of the short form has no spans; it leaves out an empty list."""
    return (
        isinstance(item, dict)
        and not any(key in item for key in SPAN_KEYS)
        and any(key in item for key in LABEL_STUDIO_KEYS)
    )


def label_studio_spans(item: Dict[str, Any]) -> Optional[List[Any]]:
    """The spans of a record's annotation; None if there is none.

    Raises:
        ValueError: If there is more than one, or it does not hold spans.
    """
    annotations = item.get("annotations", item.get("completions")) or []
    if not isinstance(annotations, list) or not all(
        isinstance(annotation, dict) for annotation in annotations
    ):
        raise ValueError('its "annotations" are not a list of objects.')
    done = [a for a in annotations if not a.get("was_cancelled")]
    done = [a for a in done if a.get("ground_truth")] or done
    spans = [_label_studio_values(a.get("result") or []) for a in done]
    if any(other != spans[0] for other in spans[1:]):
        raise ValueError(
            f"there are {len(spans)} annotations that differ. Mark one of them as "
            "ground truth, or delete the others."
        )
    return spans[0] if spans else None


def _label_studio_values(results: Any) -> List[Dict[str, Any]]:
    values = []
    for result in results if isinstance(results, list) else [results]:
        value = result.get("value", {}) if isinstance(result, dict) else None
        if not isinstance(value, dict):
            raise ValueError(f"{shorten(json.dumps(result))} is not a result.")
        # choices, relations and the like are not spans
        kinds = [key for key in value if key.endswith("labels")]
        if kinds == ["labels"]:
            values.append(value)
        elif kinds:
            raise ValueError(
                f"entities are read from spans of plain text, not from {kinds[0]}."
            )
    return values


def label_studio_text(data: Dict[str, Any]) -> Any:
    """The text of a record's data.

    Raises:
        ValueError: If it is not clear which one it is.
    """
    texts = [value for value in data.values() if isinstance(value, str)]
    if "text" not in data and len(texts) > 1:
        raise ValueError(
            'its "data" has several texts, and none of them is called "text".'
        )
    return data.get("text", texts[0] if texts else None)

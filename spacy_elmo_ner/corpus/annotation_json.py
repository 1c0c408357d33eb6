"""JSON of annotation tools → texts with entities at character offsets.

Records are a file's lines (JSONL) or the items of a JSON list. The formats are
 Prodigy       {"text": …, "spans": [{"start": 0, "end": 4, "label": "PER"}], "answer":
…} doccano       {"text": …, "label": [[0, 4, "PER"]]}; also "labels", and "entities" of
              {"start_offset": 0, "end_offset": 4, "label": "PER"}
Label Studio  {"data": {"text": …}, "annotations": [{"result": [{"value": {"start": 0,
              "end": 4, "labels": ["PER"]}}]}]}, and its short form (JSON_MIN)
spaCy's own   [text, {"entities": [[0, 4, "PER"]]}]
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .text_files import read_lines
from .utf16_offsets import find_utf16, unit_offsets

SPAN_KEYS = ("spans", "entities", "labels", "label")
# keys of Label Studio's short form that every annotation has, with entities or without
LABEL_STUDIO_KEYS = ("annotation_id", "annotator", "lead_time")


class CharSpan(NamedTuple):
    """Characters start to end (exclusive) of a text."""

    start: int
    end: int
    label: str


class AnnotatedText(NamedTuple):
    """A text with its entities.

    Attributes:
        place: Where it stands, for messages.
        text: The text.
        spans: Sorted and without overlap; none is empty, or begins or ends with white
            space.
    """

    place: str
    text: str
    spans: List[CharSpan]


class _RawSpan(NamedTuple):
    """A span as the file has it. own: the text that it claims to hold, if it claims
    one.
    """

    start: int
    end: int
    label: str
    own: Optional[str]


class AnnotationFile(NamedTuple):
    """The annotated texts of a file.

    Attributes:
        texts: The texts.
        left_out: Places of records that are no gold: rejected, skipped or not
            annotated.
        blank: Places of spans that are empty or hold white space alone; they are left
            out.
        utf16: Places of texts whose offsets were found to count UTF-16 units.
    """

    texts: List[AnnotatedText]
    left_out: List[str]
    blank: List[str]
    utf16: List[str]


def read_annotations(path: Path) -> AnnotationFile:
    """Read the records of a .jsonl or .json file.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is no JSON, a record has no text or no spans, offsets lie
            outside the text, or entities overlap. It names the file and the line or, in
            a list, the record.
    """
    file = AnnotationFile([], [], [], [])
    records = _read_records(path)
    lists_spans = any(isinstance(item, dict) and _lists(item) for _, item in records)
    for place, item in records:
        try:
            if lists_spans and _is_label_studio_s_empty(item):
                item = {**item, "label": []}
            found = _read_item(item)
            if found is None:
                file.left_out.append(place)
                continue
            text, spans, in_utf16 = found
            trimmed = [_trim(text, span) for span in spans]
        except ValueError as error:
            raise ValueError(f"{path}, {place}: {error}") from None
        if in_utf16:
            file.utf16.append(place)
        file.blank.extend(place for span in trimmed if span.start == span.end)
        kept = sorted({span for span in trimmed if span.start < span.end})
        for before, span in zip(kept, kept[1:], strict=False):
            if span.start < before.end:
                raise ValueError(
                    f"{path}, {place}: {_quote(text, before)} and {_quote(text, span)} "
                    "overlap, and an entity can have one label only. Keep one of them."
                )
        file.texts.append(AnnotatedText(place, text, kept))
    return file


def _read_records(path: Path) -> List[Tuple[str, Any]]:
    lines = read_lines(path)
    try:
        content = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        records = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    records.append((f"line {number}", json.loads(line)))
                except (ValueError, RecursionError) as error:
                    raise ValueError(
                        f"{path}, line {number}: this is not JSON ({error}). A file has "
                        "a record on each line, or one list of records."
                    ) from None
        return records
    if isinstance(content, list) and not _is_pair(content):
        return [(f"record {i}", item) for i, item in enumerate(content, start=1)]
    return [("line 1", content)]


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], dict)
    )


def _read_item(item: Any) -> Optional[Tuple[str, List[CharSpan], bool]]:
    """The text, its spans, and whether their offsets were found to count UTF-16 units.

    None if the record is no gold.
    """
    if _is_pair(item):
        item = {**item[1], "text": item[0]}
    if not isinstance(item, dict):
        raise ValueError(
            'a record is an object with "text" and "spans", "entities", "label" or '
            f'"labels", not {_shorten(json.dumps(item))}.'
        )
    if "paragraphs" in item:
        raise ValueError(
            "this is the training format of spaCy 2. Convert it with spacy convert."
        )
    if item.get("answer", "accept") != "accept":
        return None
    if isinstance(item.get("data"), dict):
        annotations = _label_studio_spans(item)
        if annotations is None:
            return None
        lists = {"annotations": annotations}
        text = _label_studio_text(item["data"])
    else:
        # older versions of doccano call the text "data"
        text = item.get("text", item.get("data"))
        lists = _listed_spans(item)
    if not isinstance(text, str):
        raise ValueError('the record has no "text".')
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            "the text holds half a character (a lone surrogate, at position "
            f"{error.start}). Export it as UTF-8."
        ) from None
    spans, in_utf16 = {}, False
    for key, entries in lists.items():
        spans[key], converted = _read_spans(text, entries)
        in_utf16 |= converted
    if len(set(map(frozenset, spans.values()))) > 1:
        raise ValueError(
            f"its lists {' and '.join(map(json.dumps, spans))} hold different "
            "entities, and one list is read. Delete the others."
        )
    return text, next(iter(spans.values()), []), in_utf16


def _lists(item: Dict[str, Any]) -> Dict[str, List[Any]]:
    return {key: item[key] for key in SPAN_KEYS if isinstance(item.get(key), list)}


def _is_label_studio_s_empty(item: Any) -> bool:
    """Whether a record of the short form has no spans; it leaves out an empty list."""
    return (
        isinstance(item, dict)
        and not any(key in item for key in SPAN_KEYS)
        and any(key in item for key in LABEL_STUDIO_KEYS)
    )


def _listed_spans(item: Dict[str, Any]) -> Dict[str, List[Any]]:
    """The lists of spans that are not empty."""
    lists = _lists(item)
    if not lists and "answer" not in item:
        raise ValueError(
            'the record has no list of "spans", "entities", "label" or "labels", so '
            "nothing says what its entities are."
        )
    full = {key: entries for key, entries in lists.items() if entries}
    # if there is a list of spans, names are the text's categories or the labels in use
    spans = {
        key: entries
        for key, entries in full.items()
        if not all(isinstance(entry, str) for entry in entries)
    }
    return spans or full


def _label_studio_spans(item: Dict[str, Any]) -> Optional[List[Any]]:
    """The spans of the annotation; None if there is none."""
    annotations = item.get("annotations", item.get("completions")) or []
    if not isinstance(annotations, list) or not all(
        isinstance(annotation, dict) for annotation in annotations
    ):
        raise ValueError('its "annotations" are no list of objects.')
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
            raise ValueError(f"{_shorten(json.dumps(result))} is no result.")
        # choices, relations and the like are not spans
        kinds = [key for key in value if key.endswith("labels")]
        if kinds == ["labels"]:
            values.append(value)
        elif kinds:
            raise ValueError(
                f"entities are read from spans of plain text, not from {kinds[0]}."
            )
    return values


def _label_studio_text(data: Dict[str, Any]) -> Any:
    texts = [value for value in data.values() if isinstance(value, str)]
    if "text" not in data and len(texts) > 1:
        raise ValueError(
            'its "data" has several texts, and none of them is called "text".'
        )
    return data.get("text", texts[0] if texts else None)


def _read_spans(text: str, entries: List[Any]) -> Tuple[List[CharSpan], bool]:
    """The spans in characters, and whether offsets were found to count UTF-16 units."""
    spans = [_read_span(span) for span in entries]
    bare = [span for span in spans if span.own is None]
    converted = find_utf16(text, [(span.start, span.end) for span in bare])
    offsets = iter(converted or [(span.start, span.end) for span in bare])
    found = []
    for span in spans:
        start, end = next(offsets) if span.own is None else _find_own(text, span)
        if not 0 <= start <= end <= len(text):
            raise ValueError(
                f"the span from {start} to {end} ({span.label}) is not inside the text, "
                f"which has {len(text)} characters."
            )
        found.append(CharSpan(start, end, span.label))
    return found, converted is not None


def _read_span(span: Any) -> _RawSpan:
    own = None
    if isinstance(span, list) and len(span) >= 3:
        start, end, label = span[:3]
    elif isinstance(span, dict):
        start = span.get("start", span.get("start_offset"))
        end = span.get("end", span.get("end_offset"))
        label = span.get("label", span.get("labels"))
        own = span.get("text")
    else:
        start = end = label = None
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    # bool is an int
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise ValueError(
            f"{_shorten(json.dumps(span))} is not a span. It needs a start and an end, in "
            "characters, and one label."
        )
    if not label.strip():
        raise ValueError(f"the span from {start} to {end} has an empty label.")
    return _RawSpan(start, end, label, own if isinstance(own, str) else None)


def _find_own(text: str, span: _RawSpan) -> Tuple[int, int]:
    """Where a span stands that says what it holds.

    This tells characters from UTF-16 units.
    """
    start, end, _, own = span
    assert own is not None
    piece = text[max(start, 0) : end]
    if _is_same(piece, own):
        return start, end
    characters = unit_offsets(text)
    first, last = characters.get(start, 0), characters.get(end, 0)
    if first < last and _is_same(text[first:last], own):
        return first, last
    raise ValueError(
        f"the span from {start} to {end} is said to be {_shorten(own)!r}, but there the "
        f"text has {_shorten(piece)!r}. Export the annotations again."
    )


def _is_same(text: str, own: str) -> bool:
    # Label Studio writes a line break as a backslash and an n
    return re.sub(r"\s|\\n", "", text) == re.sub(r"\s|\\n", "", own)


def _trim(text: str, span: CharSpan) -> CharSpan:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return CharSpan(start, end, span.label)


def _quote(text: str, span: CharSpan) -> str:
    piece = _shorten(text[span.start : span.end])
    return f"{piece!r} ({span.label}, {span.start} to {span.end})"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"

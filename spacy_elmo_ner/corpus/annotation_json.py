"""JSON of annotation tools → texts with entities at character offsets.

Records are a file's lines (JSONL) or the items of a JSON list. `span_lists.py` has the
forms of Prodigy, doccano and spaCy, `label_studio.py` those of Label Studio.
"""

import json
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple

from ..files.text_files import read_lines
from .char_spans import CharSpan, quote, read_spans, shorten, trim
from .label_studio import is_empty, label_studio_spans, label_studio_text
from .span_lists import is_pair, listed_spans, lists_of


class AnnotatedText(NamedTuple):
    """A text with its entities.

    Attributes:
        place: Where it is, for messages.
        text: The text.
        spans: Sorted and without overlap; none is empty, or begins or ends with white
            space.
    """

    place: str
    text: str
    spans: List[CharSpan]


class AnnotationFile(NamedTuple):
    """The annotated texts of a file.

    Attributes:
        texts: The texts.
        left_out: Places of records that are not gold: rejected, skipped or not
            annotated.
        blank: Places of spans that are empty or hold only white space; they are left
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
        ValueError: If it is not JSON, a record has no text or no spans, offsets lie
            outside the text, or entities overlap. It names the file and the line or, in
            a list, the record.
    """
    file = AnnotationFile([], [], [], [])
    records = _read_records(path)
    lists_spans = any(isinstance(item, dict) and lists_of(item) for _, item in records)
    for place, item in records:
        try:
            if lists_spans and is_empty(item):
                item = {**item, "label": []}
            found = _read_item(item)
            if found is None:
                file.left_out.append(place)
                continue
            text, spans, in_utf16 = found
            trimmed = [trim(text, span) for span in spans]
        except ValueError as error:
            raise ValueError(f"{path}, {place}: {error}") from None
        if in_utf16:
            file.utf16.append(place)
        file.blank.extend(place for span in trimmed if span.start == span.end)
        kept = sorted({span for span in trimmed if span.start < span.end})
        for before, span in zip(kept, kept[1:], strict=False):
            if span.start < before.end:
                raise ValueError(
                    f"{path}, {place}: {quote(text, before)} and {quote(text, span)} "
                    "overlap, but a token can be in only one entity. Keep one of them."
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
    if isinstance(content, list) and not is_pair(content):
        return [(f"record {i}", item) for i, item in enumerate(content, start=1)]
    return [("line 1", content)]


def _read_item(item: Any) -> Optional[Tuple[str, List[CharSpan], bool]]:
    """The text, its spans, and whether their offsets were found to count UTF-16 units.

    None if the record is not gold.
    """
    if is_pair(item):
        item = {**item[1], "text": item[0]}
    if not isinstance(item, dict):
        raise ValueError(
            'a record is an object with "text" and "spans", "entities", "label" or '
            f'"labels", not {shorten(json.dumps(item))}.'
        )
    if "paragraphs" in item:
        raise ValueError(
            "this is the training format of spaCy 2. Convert it with spacy convert."
        )
    if item.get("answer", "accept") != "accept":
        return None
    if isinstance(item.get("data"), dict):
        annotations = label_studio_spans(item)
        if annotations is None:
            return None
        lists = {"annotations": annotations}
        text = label_studio_text(item["data"])
    else:
        # older versions of doccano call the text "data"
        text = item.get("text", item.get("data"))
        lists = listed_spans(item)
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
        spans[key], converted = read_spans(text, entries)
        in_utf16 |= converted
    if len(set(map(frozenset, spans.values()))) > 1:
        raise ValueError(
            f"its lists {' and '.join(map(json.dumps, spans))} hold different "
            "entities, but only one list is read. Delete the others."
        )
    return text, next(iter(spans.values()), []), in_utf16

"""Records are written here as the tools export them, and read by the package."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict, List, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import offsets_to_biluo_tags

from spacy_elmo_ner.corpus.annotated_docs import read_annotated_docs
from spacy_elmo_ner.corpus.annotation_json import read_annotations
from spacy_elmo_ner.corpus.reader import read_docs

NLP = spacy.blank("en")
Spans = List[Tuple[int, int, str]]
TEXT = "Anna lives in Bad Ems."
SPANS = [(0, 4, "PER"), (14, 21, "LOC")]


def prodigy(text: str, spans: Spans) -> Dict[str, Any]:
    entries = [
        {"start": s, "end": e, "label": x, "token_start": 0} for s, e, x in spans
    ]
    return {
        "text": text,
        "spans": entries,
        "answer": "accept",
        "_view_id": "ner_manual",
    }


def doccano(text: str, spans: Spans) -> Dict[str, Any]:
    return {"id": 1, "text": text, "label": [list(span) for span in spans]}


def doccano_labels(text: str, spans: Spans) -> Dict[str, Any]:
    return {"id": 1, "data": text, "labels": [list(span) for span in spans]}


def doccano_entities(text: str, spans: Spans) -> Dict[str, Any]:
    entities = [
        {"id": i, "label": label, "start_offset": start, "end_offset": end}
        for i, (start, end, label) in enumerate(spans)
    ]
    return {
        "id": 1,
        "text": text,
        "entities": entities,
        "relations": [],
        "Comments": [],
    }


def label_studio(text: str, spans: Spans) -> Dict[str, Any]:
    results = [
        {
            "value": {"start": s, "end": e, "text": text[s:e], "labels": [label]},
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
        }
        for s, e, label in spans
    ]
    results.append({"value": {"choices": ["good"]}, "type": "choices"})
    results.append({"from_id": "a", "to_id": "b", "type": "relation"})
    annotation = {"id": 7, "result": results, "was_cancelled": False}
    return {"id": 1, "data": {"text": text, "n": 1}, "annotations": [annotation]}


def label_studio_min(text: str, spans: Spans) -> Dict[str, Any]:
    label = [
        {"start": s, "end": e, "text": text[s:e], "labels": [name]}
        for s, e, name in spans
    ]
    return {"text": text, "id": 1, "label": label, "annotator": 1}


def spacy_pair(text: str, spans: Spans) -> List[Any]:
    return [text, {"entities": [list(span) for span in spans]}]


TOOLS = [prodigy, doccano, doccano_labels, doccano_entities]
TOOLS += [label_studio, label_studio_min, spacy_pair]  # type: ignore[list-item]
# their spans say what they hold
TOOLS_THAT_QUOTE = [label_studio, label_studio_min]
TOOLS_THAT_DO_NOT = [tool for tool in TOOLS if tool not in TOOLS_THAT_QUOTE]
ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def write(path: Path, records: List[Any]) -> Path:
    if path.suffix == ".json":
        path.write_text(json.dumps(records, indent=1), encoding="utf-8")
    else:
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path, **options: str) -> Tuple[List[Doc], List[str]]:
    notes: List[str] = []
    docs = read_annotated_docs(
        path, make_doc=NLP.make_doc, note=notes.append, **options
    )
    return list(docs), notes


def offsets(doc: Doc) -> Spans:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


texts = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6)
    | st.sampled_from(
        ["Anna ", "😀", "don't ", "\u2028", "\r\n", "U.S. ", "  ", "\ufeff"]
    ),
    min_size=1,
    max_size=6,
).map("".join)


@st.composite
def annotated(draw: st.DrawFn) -> Tuple[str, Spans]:
    """A text with spans that do not overlap, at any characters."""
    text = draw(texts)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True))
    cuts.sort()
    label = st.sampled_from(["PER", "JOB TITLE", "ß\n"])
    return text, [
        (start, end, draw(label))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]


def trimmed(text: str, spans: Spans) -> Spans:
    bounds = [
        (
            start + len(text[start:end]) - len(text[start:end].lstrip()),
            start + len(text[start:end].rstrip()),
            label,
        )
        for start, end, label in spans
    ]
    return [span for span in bounds if span[0] < span[1]]


@pytest.mark.filterwarnings("ignore:.W030")
@settings(deadline=None, max_examples=60)
@given(
    records=st.lists(annotated(), min_size=1, max_size=3),
    tool=st.sampled_from(TOOLS),
    suffix=st.sampled_from([".json", ".jsonl"]),
)
def test_every_tool_s_records_are_read_alike(
    records: List[Tuple[str, Spans]],
    tool: Callable[[str, Spans], Any],
    suffix: str,
) -> None:
    if tool not in TOOLS_THAT_QUOTE:
        # at any characters, beyond U+FFFF, they could be meant for UTF-16 units
        records = [(ASTRAL.sub("☺", text), spans) for text, spans in records]
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / f"file{suffix}", [tool(*r) for r in records])
        file = read_annotations(path)
        docs, _ = read(path)
    wanted = [trimmed(text, spans) for text, spans in records]
    assert [(a.text, a.spans) for a in file.texts] == [
        (text, spans) for (text, _), spans in zip(records, wanted, strict=True)
    ]
    assert len(file.blank) == sum(len(s) for _, s in records) - sum(map(len, wanted))
    for doc, (text, _), spans in zip(docs, records, wanted, strict=True):
        assert doc.text == text
        # spaCy says "-" where an offset is inside a token
        tags = offsets_to_biluo_tags(doc, spans)
        aligned = {span for span in spans if doc.char_span(*span) is not None}
        assert set(offsets(doc)) == aligned
        for token, tag in zip(doc, tags, strict=True):
            inside = any(s <= token.idx < e for s, e, _ in aligned)
            if not inside:
                touched = any(
                    s < token.idx + len(token) and token.idx < e for s, e, _ in spans
                )
                assert token.ent_iob_ == ("" if touched else "O")
                assert touched or tag == "O"


@pytest.mark.filterwarnings("error")
def test_read_docs_takes_both_suffixes(tmp_path: Path) -> None:
    for suffix in ".json", ".jsonl":
        path = write(tmp_path / f"file{suffix}", [prodigy(TEXT, SPANS)])
        (doc,) = read_docs(path, vocab=NLP.vocab, make_doc=NLP.make_doc)
        assert offsets(doc) == SPANS
        assert [t.ent_iob_ for t in doc] == ["B", "O", "O", "B", "I", "O"]
        with pytest.raises(ValueError, match="need a tokenizer"):
            read_docs(path, vocab=NLP.vocab)


def test_misaligned_spans_are_counted_and_named(tmp_path: Path) -> None:
    spans = [(0, 3, "PER"), (14, 21, "LOC")]
    records = [doccano(TEXT, SPANS), doccano(TEXT, spans)]
    path = write(tmp_path / "file.jsonl", records)
    docs, notes = read(path)
    assert notes == [
        f"{path}: 1 of 4 entities do not begin and end at token boundaries, and leave "
        "their tokens unknown; use --alignment-mode expand to extend them: 'Ann' in "
        "'Anna' (line 2)."
    ]
    assert [t.ent_iob_ for t in docs[1]] == ["", "O", "O", "B", "I", "O"]
    docs, notes = read(path, alignment_mode="expand")
    assert offsets(docs[1]) == SPANS
    assert (
        "1 of 4 entities do not begin and end at token boundaries, and were" in notes[0]
    )
    many = write(tmp_path / "many.jsonl", [doccano(TEXT, spans)] * 25)
    assert read(many)[1][0].endswith("(line 20) and 5 more.")
    with pytest.raises(ValueError, match="no alignment mode 'contract'"):
        read(path, alignment_mode="contract")


def test_entities_that_share_a_token(tmp_path: Path) -> None:
    path = write(
        tmp_path / "file.jsonl", [doccano("Rome/Oslo", [(0, 4, "A"), (5, 9, "B")])]
    )
    (doc,), notes = read(path)
    if len(doc) > 1:
        path = write(path, [doccano("RomeOslo", [(0, 4, "A"), (4, 8, "B")])])
    with pytest.raises(ValueError, match="line 1: .* share a token"):
        read(path, alignment_mode="expand")


def test_what_is_no_gold_is_left_out(tmp_path: Path) -> None:
    records = [
        prodigy(TEXT, SPANS),
        {**prodigy(TEXT, SPANS), "answer": "reject"},
        {**prodigy(TEXT, []), "answer": "ignore"},
        {"data": {"text": TEXT}, "annotations": []},
        {
            "data": {"text": TEXT},
            "annotations": [{"result": [], "was_cancelled": True}],
        },
    ]
    docs, notes = read(write(tmp_path / "file.jsonl", records))
    assert [offsets(doc) for doc in docs] == [SPANS]
    assert "4 of 5 records are rejected, skipped or not annotated" in notes[0]


def test_no_entities_are_entities_too(tmp_path: Path) -> None:
    records = [
        {"text": TEXT, "answer": "accept"},
        doccano(TEXT, []),
        label_studio(TEXT, []),
        {"text": "", "spans": []},
    ]
    docs, notes = read(write(tmp_path / "file.jsonl", records))
    assert [[t.ent_iob_ for t in doc] for doc in docs] == [["O"] * 6] * 3 + [[]]
    assert notes == []


def test_empty_entities_are_counted_and_left_out(tmp_path: Path) -> None:
    record = doccano(TEXT, [*SPANS, (4, 4, "PER"), (4, 5, "PER")])
    docs, notes = read(write(tmp_path / "file.jsonl", [record]))
    assert [offsets(doc) for doc in docs] == [SPANS]
    assert "2 entities that are empty or of white space alone" in notes[0]


def test_lists_that_agree_or_hold_names_are_one(tmp_path: Path) -> None:
    record = doccano(TEXT, SPANS[::-1])
    others: List[Dict[str, Any]] = [
        {"entities": [{"start": s, "end": e, "label": x} for s, e, x in SPANS]},
        {"spans": []},
        {"labels": ["PER", "LOC"]},
    ]
    for other in others:
        docs, _ = read(write(tmp_path / "file.jsonl", [{**record, **other}]))
        assert [offsets(doc) for doc in docs] == [SPANS]


def test_label_studio_leaves_out_an_empty_list(tmp_path: Path) -> None:
    empty = label_studio_min(TEXT, [])
    del empty["label"]
    path = write(tmp_path / "file.json", [empty, label_studio_min(TEXT, SPANS)])
    docs, notes = read(path)
    assert [offsets(doc) for doc in docs] == [[], SPANS]
    assert notes == []
    # where no record has a list, it may have another name
    with pytest.raises(ValueError, match="record 1: the record has no list of"):
        read(write(path, [{**empty, "ner": [1]}]))


def test_several_annotations_of_a_text(tmp_path: Path) -> None:
    record = label_studio(TEXT, SPANS)
    (annotation,) = record["annotations"]
    other = label_studio(TEXT, SPANS[:1])["annotations"][0]
    path = tmp_path / "file.json"
    record["annotations"] = [annotation, annotation]
    assert offsets(read(write(path, [record]))[0][0]) == SPANS
    record["annotations"] = [other, {**annotation, "ground_truth": True}]
    assert offsets(read(write(path, [record]))[0][0]) == SPANS
    record["annotations"] = [annotation, other]
    with pytest.raises(
        ValueError, match="record 1: there are 2 annotations that differ"
    ):
        read(write(path, [record]))


def test_offsets_in_utf16_units(tmp_path: Path) -> None:
    """Browsers count an emoji as two."""
    text = "😀 Anna 😀 Bo"
    spans = [(3, 7, "PER"), (11, 13, "PER")]
    record = label_studio(text, [])
    record["annotations"][0]["result"] = [
        {"value": {"start": s, "end": e, "text": own, "labels": ["PER"]}}
        for (s, e, _), own in zip(spans, ["Anna", "Bo"], strict=True)
    ]
    path = write(tmp_path / "file.json", [record])
    assert [ent.text for ent in read(path)[0][0].ents] == ["Anna", "Bo"]
    record["annotations"][0]["result"][0]["value"]["text"] = "Ada"
    with pytest.raises(ValueError, match="3 to 7 is given as 'Ada', but .* 'nna '"):
        read(write(path, [record]))


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def in_utf16(text: str, spans: Spans) -> Spans:
    return [
        (utf16_length(text[:start]), utf16_length(text[:end]), label)
        for start, end, label in spans
    ]


def is_plausible(text: str, spans: Spans) -> bool:
    """Whether the spans are in the text, hold something and have whole words alone."""
    inside_words = {
        i
        for word in re.finditer(r"[^\W_]+", text)
        for i in range(word.start() + 1, word.end())
    }
    return all(
        end <= len(text) and text[start:end].strip() and not {start, end} & inside_words
        for start, end, _ in spans
    )


@st.composite
def words_and_emoji(draw: st.DrawFn) -> Tuple[str, Spans]:
    """A text with some emoji, and spans that are words or runs of them."""
    word = st.sampled_from(["I", "Bo", "Anna", "Zürich", "U.S.", "3", "😀", "🇫🇷", "𝒳y"])
    gap = st.sampled_from(["", " ", " ", "-", "  "])
    text = ""
    stretches: List[Tuple[int, int]] = []
    for piece, after in draw(st.lists(st.tuples(word, gap), min_size=1, max_size=8)):
        if stretches and text[-1].isalnum() and piece[0].isalnum():
            text += " "
        stretches.append((len(text), len(text) + len(piece)))
        text += piece + after
    cuts = draw(st.lists(st.integers(0, len(stretches) - 1), max_size=6, unique=True))
    cuts.sort()
    return text, [
        (stretches[first][0], stretches[last][1], "PER")
        for first, last in zip(cuts[::2], cuts[1::2], strict=False)
    ]


@settings(deadline=None, max_examples=150)
@given(
    records=st.lists(words_and_emoji(), min_size=1, max_size=4),
    tool=st.sampled_from(TOOLS_THAT_DO_NOT),
    counts_units=st.booleans(),
)
def test_either_unit_is_read_where_the_words_tell(
    records: List[Tuple[str, Spans]],
    tool: Callable[[str, Spans], Any],
    counts_units: bool,
) -> None:
    written = [(t, in_utf16(t, s) if counts_units else s) for t, s in records]
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "file.jsonl", [tool(*r) for r in written])
        file = read_annotations(path)
    converted = []
    for i, ((text, spans), (_, raw)) in enumerate(zip(records, written, strict=True)):
        is_told = counts_units and not is_plausible(text, raw)
        converted += [f"line {i + 1}"] * is_told
        assert file.texts[i].spans == trimmed(text, spans if is_told else raw)
    assert file.utf16 == converted


def test_converted_offsets_are_counted_and_named(tmp_path: Path) -> None:
    """Each kind of evidence alone, and none."""
    cut = doccano("😀 Anna sleeps", [(3, 7, "PER")])
    outside = doccano("安娜😀安娜", [(4, 6, "PER")])
    either = doccano("😀 a b", [(3, 4, "PER"), (5, 6, "PER")])
    characters = doccano("😀 Anna sleeps", [(2, 6, "PER")])
    path = write(tmp_path / "file.jsonl", [cut, outside, characters])
    docs, notes = read(path, alignment_mode="expand")
    assert [ent.text for doc in docs[::2] for ent in doc.ents] == ["Anna", "Anna"]
    assert read_annotations(path).texts[1].spans == [(3, 5, "PER")]
    assert notes[0] == (
        f"{path}: the offsets of 2 of 3 texts count UTF-16 units, where an emoji is two, "
        "and were converted to characters (line 1, line 2). In texts whose entities fit "
        "either way, offsets are read as characters."
    )
    # 3 to 4 is white space in characters, and beyond the end nothing is
    assert read_annotations(write(path, [either])).utf16 == ["line 1"]
    for spans in [(2, 4, "PER")], [(3, 6, "PER")], [(1, 6, "PER")], [(7, 13, "PER")]:
        assert read_annotations(write(path, [doccano(cut["text"], spans)])).utf16 == []
    with pytest.raises(ValueError, match="from 7 to 30 .PER. is not inside the text"):
        read(write(path, [doccano(cut["text"], [(7, 30, "PER")])]))


def test_duplicates_are_one(tmp_path: Path) -> None:
    path = write(tmp_path / "file.jsonl", [doccano(TEXT, SPANS + SPANS)])
    assert offsets(read(path)[0][0]) == SPANS


@pytest.mark.parametrize(
    "record, message",
    [
        ("[1, 2", "line 2: this is not JSON .* a record on each line"),
        ('"text"', 'line 2: a record is an object with "text"'),
        ({"text": TEXT}, 'line 2: the record has no list of "spans"'),
        ({"spans": []}, 'line 2: the record has no "text"'),
        ({"text": 1, "spans": []}, 'the record has no "text"'),
        ({"text": TEXT, "label": "positive"}, "has no list of"),
        ({"text": TEXT, "label": ["positive"]}, '"positive" is not a span'),
        (doccano(TEXT, [(0, 30, "PER")]), "from 0 to 30 .PER. is not inside the text"),
        (doccano(TEXT, [(-4, 4, "PER")]), "from -4 to 4 .PER. is not inside"),
        (doccano(TEXT, [(5, 4, "PER")]), "from 5 to 4 .PER. is not inside"),
        (doccano(TEXT, [(30, 30, "PER")]), "from 30 to 30 .PER. is not inside"),
        (
            {"text": TEXT, "label": [[0, 4, "A"]], "entities": [[14, 21, "B"]]},
            'its lists "entities" and "label" hold different entities',
        ),
        (
            {"text": TEXT, "label": [[0.0, 4.0, "PER"]]},
            "is not a span. It needs a start",
        ),
        ({"text": TEXT, "label": [[True, 4, "PER"]]}, "is not a span"),
        ({"text": TEXT, "label": [[0, 4, 7]]}, "is not a span"),
        ({"text": TEXT, "label": [[0, 4, " "]]}, "has an empty label"),
        ({"text": TEXT, "spans": [{"start": 0}]}, "is not a span"),
        (
            doccano(TEXT, [(0, 10, "A"), (5, 12, "B")]),
            "line 2: 'Anna lives' .A, 0 to 10. and 'lives i' .B, 5 to 12. overlap",
        ),
        (doccano(TEXT, [(0, 4, "A"), (0, 4, "B")]), "overlap"),
        ({"id": 0, "paragraphs": []}, "training format of spaCy 2"),
        ({"data": {"a": "x", "b": "y"}, "annotations": [{}]}, "has several texts"),
        ({"data": {"text": "x"}, "annotations": [1]}, "are not a list of objects"),
        (
            {"data": {"text": "x"}, "annotations": [{"result": [1]}]},
            "1 is not a result",
        ),
        (
            {
                "data": {"text": "x"},
                "annotations": [
                    {"result": [{"value": {"start": "/p", "hypertextlabels": ["A"]}}]}
                ],
            },
            "not from hypertextlabels",
        ),
        ('{"text": "a\\ud83d", "spans": []}', "half a character"),
    ],
)
def test_records_that_are_refused(tmp_path: Path, record: Any, message: str) -> None:
    path = tmp_path / "file.jsonl"
    line = record if isinstance(record, str) else json.dumps(record)
    path.write_text(json.dumps(prodigy(TEXT, SPANS)) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=re.escape(str(path)) + ", .*" + message):
        read(path)

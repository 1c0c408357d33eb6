"""DataFrames against what `nlp.pipe` and pandas make of the same texts."""

import subprocess
import sys
import tracemalloc
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

import spacy_elmo_ner
from spacy_elmo_ner.tables.levels import COLUMNS, LEVELS

pd = pytest.importorskip("pandas", reason="pandas, of the extra frames, is absent")

TEXTS = ["Anna flew to Lima. Anna left.", "", "Nobody", "😀 Lima"]


@pytest.fixture(scope="module")
def nlp() -> Language:
    nlp = spacy.blank("en")
    patterns = [
        {"label": "PER", "pattern": "Anna"},
        {"label": "LOC", "pattern": "Lima"},
    ]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


def expected(nlp: Language, index: List[Any]) -> List[Any]:
    return [
        (i, ent.text, ent.label_, ent.start_char, ent.end_char)
        for i, doc in zip(index, nlp.pipe(TEXTS), strict=True)
        for ent in doc.ents
    ]


def found(table: Any) -> List[Any]:
    columns = ["text", "label", "start", "end"]
    return list(table[columns].itertuples(name=None))


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_texts_in_every_form(nlp: Language, batch_size: int) -> None:
    frame = pd.DataFrame({"id": list("abcd"), "text": TEXTS}, index=[3, 3, 1, 2])
    forms: Dict[str, Any] = {
        "list": TEXTS,
        "iterator": iter(TEXTS),
        "array": np.array(TEXTS),
        "series": pd.Series(TEXTS, index=frame.index),
        "string series": pd.Series(TEXTS, index=frame.index, dtype="string"),
        "frame": frame,
        "named": frame.rename(columns={"text": "body"}),
    }
    for form, texts in forms.items():
        table = spacy_elmo_ner.predict(
            texts,
            pipeline=nlp,
            text_column="body" if form == "named" else None,
            batch_size=batch_size,
        )
        index = [0, 1, 2, 3] if form in ("list", "iterator", "array") else [3, 3, 1, 2]
        assert found(table) == expected(nlp, index), form
        assert table.index.name == "document"
        if "id" in table:
            assert list(table["id"]) == ["a", "a", "a", "d"]
    one = spacy_elmo_ner.predict(TEXTS[0], pipeline=nlp)
    assert found(one) == expected(nlp, [0, 1, 2, 3])[:3]


@pytest.mark.parametrize("level", LEVELS)
def test_an_empty_table_and_each_batch_have_the_columns_and_types(
    nlp: Language, level: str
) -> None:
    whole = spacy_elmo_ner.predict(TEXTS, level, pipeline=nlp)
    assert tuple(whole.columns) == COLUMNS[level]
    forms: List[Any] = [[], iter([]), pd.Series([], dtype=object), ["", " "]]
    for number, nothing in enumerate(forms):
        empty = spacy_elmo_ner.predict(nothing, level, pipeline=nlp)
        assert dict(empty.dtypes) == dict(whole.dtypes)
        assert len(empty) == (2 if number == 3 and level == "document" else 0)
    frames = list(
        spacy_elmo_ner.predict_frames(TEXTS, level, pipeline=nlp, batch_size=2)
    )
    assert len(frames) == 2
    pd.testing.assert_frame_equal(pd.concat(frames), whole)


def test_columns_keep_their_types_and_give_way(nlp: Language) -> None:
    index = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["part", "n"])
    texts = pd.DataFrame(
        {"label": pd.Categorical(["p", "q"]), "text": ["Anna", "Lima"], 5: [1.5, 2.5]},
        index=index,
    )
    table = spacy_elmo_ner.predict(texts, pipeline=nlp)
    assert table.index.equals(index)
    assert table.index.names == ["part", "n"]
    assert list(table.columns) == ["label_input", 5, *COLUMNS["chunk"]]
    assert table["label_input"].dtype == texts["label"].dtype
    assert list(table["label"]) == ["PER", "LOC"]


def test_no_two_columns_have_one_name(nlp: Language) -> None:
    texts = pd.DataFrame({"text": ["Anna"], "label": [1], "label_input": [2]})
    table = spacy_elmo_ner.predict(texts, pipeline=nlp)
    given = ["label_input_input", "label_input"]
    assert list(table.columns) == [*given, *COLUMNS["chunk"]]
    assert table[given].values.tolist() == [[1, 2]]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_text_is_an_empty_one(nlp: Language, missing: Any) -> None:
    texts = pd.Series(["Anna", missing, "Lima"], dtype=object)
    documents = spacy_elmo_ner.predict(texts, "document", pipeline=nlp)
    assert list(documents["text"]) == ["Anna", "", "Lima"]
    for level in LEVELS[1:]:
        table = spacy_elmo_ner.predict(texts, level, pipeline=nlp)
        assert list(table.index) == [0, 2]


FRAME = pd.DataFrame({"a": ["x"], "b": ["y"]}, index=["first"])


@pytest.mark.parametrize(
    "texts, options, message",
    [
        (["Anna", 3], {}, "Row 1 holds 3, of the type int"),
        (pd.Series([["Anna"]], index=["k"]), {}, "Row 'k' holds .*the type list"),
        (["Anna", "x" * 10**7], {}, "Row 1 has 10,000,000 .*max_length"),
        (["Anna\ud800"], {}, "lone surrogate"),
        (b"Anna", {}, "bytes"),
        ({"text": "Anna"}, {}, "dict"),
        (None, {}, "NoneType"),
        (FRAME, {}, "not clear which column .*'a', 'b'"),
        (FRAME, {"text_column": "c"}, "no column 'c'.*'a', 'b'"),
        (FRAME[["a", "a"]], {"text_column": "a"}, "more than one column 'a'"),
        (FRAME[[]], {}, "no column"),
        (["Anna"], {"text_column": "a"}, "there is no DataFrame"),
        (["Anna"], {"output_level": "word"}, "document, sentence, chunk, token"),
        (["Anna"], {"batch_size": 0}, "batch_size is 0"),
        (["Anna"], {"pipeline": "nowhere"}, "no pipeline at nowhere"),
        (["Anna"], {"pipeline": spacy.blank("en")}, "finds no entities.*assigns"),
    ],
)
def test_what_is_wrong_is_said(
    nlp: Language, texts: Any, options: Dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        spacy_elmo_ner.predict(texts, **{"pipeline": nlp, **options})


def test_nothing_is_computed_before_all_texts_are_known_to_be_such(
    nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nlp, "pipe", None)
    with pytest.raises(ValueError, match="Row 2"):
        spacy_elmo_ner.predict(["Anna", "Lima", 3], pipeline=nlp, batch_size=1)


def test_a_component_that_declares_nothing_may_find_nothing() -> None:
    def name_of(doc: Doc) -> Doc:
        if doc.text.startswith("Anna"):
            doc.ents = [Span(doc, 0, 1, "PER")]
        return doc

    Language.component("test_frames_names", func=name_of)
    nlp = spacy.blank("en")
    nlp.add_pipe("test_frames_names")
    texts = ["", "Anna", *["nobody"] * 5]
    table = spacy_elmo_ner.predict(texts, pipeline=nlp, batch_size=1)
    assert found(table) == [(1, "Anna", "PER", 0, 4)]


def test_memory_is_level_over_a_stream(nlp: Language) -> None:
    n_read = 0

    def texts() -> Iterator[str]:
        nonlocal n_read
        while True:
            n_read += 1
            yield "Anna flew to Lima. " * 20

    frames = spacy_elmo_ner.predict_frames(texts(), "token", pipeline=nlp, batch_size=8)
    peaks = []
    tracemalloc.start()
    try:
        for n, _ in enumerate(frames, start=1):
            if n % 20 == 0:
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
            if n == 100:
                break
    finally:
        tracemalloc.stop()
    assert n_read == 800
    assert peaks[-1] < 1.1 * peaks[1]


def test_the_bar_is_on_standard_error_alone(
    nlp: Language, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacy_elmo_ner.tables.progress.PATIENCE", 0)
    spacy_elmo_ner.predict(TEXTS, pipeline=nlp)
    assert capsys.readouterr().err == ""  # it is no terminal
    spacy_elmo_ner.predict(TEXTS, pipeline=nlp, progress=True)
    printed = capsys.readouterr()
    assert "4.00/4.00" in printed.err
    assert printed.out == ""


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import spacy_elmo_ner, sys; print({'spacy', 'torch', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n"
    public = {"load", "predict", "predict_frames", "share_elmo"}
    assert public <= {*dir(spacy_elmo_ner)}
    assert all(callable(getattr(spacy_elmo_ner, name)) for name in public)
    with pytest.raises(AttributeError, match="no attribute 'predicted'"):
        spacy_elmo_ner.predicted  # noqa: B018


def test_probabilities_are_the_component_s_and_only_on_demand() -> None:
    if not spacy.util.is_package("en_elmo_ner_sm"):
        pytest.skip("en_elmo_ner_sm is not installed")
    texts = ["Anna flew to Lima.", "Nobody"]
    own = spacy_elmo_ner.load()
    settings = {"elmo_ner": {"probabilities": True}}
    docs = list(own.pipe(texts, component_cfg=settings))
    chunks = spacy_elmo_ner.predict(texts, probabilities=True)
    tokens = spacy_elmo_ner.predict(texts, "token", probabilities=True)
    of_ents = [ent._.probability for doc in docs for ent in doc.ents]
    of_tokens = [token._.probability for doc in docs for token in doc]
    assert len(of_ents) == 2
    assert list(chunks["probability"]) == pytest.approx(of_ents)
    assert list(tokens["probability"]) == pytest.approx(of_tokens)
    assert spacy_elmo_ner.predict(texts)["probability"].isna().all()

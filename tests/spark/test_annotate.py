"""DataFrames through a real Spark with two workers."""

import os
import signal
import threading
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.util import is_package

from spacy_elmo_ner.tables.levels import COLUMNS, LEVELS, rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PIPELINE = "en_elmo_ner_sm"
TEXTS = [
    "My name is John!",
    None,
    "Anna flew from Lima to Bonn. She met Bob Smith of Siemens there.",
    "",
    "Nobody came.",
    "  \n ",
    "🙂 Anna Schmidt, 🎉 New York!",
    "The European Union rejected Germany's call. " * 12,
]


@pytest.fixture(scope="module")
def nlp() -> Language:
    if not is_package(PIPELINE):
        pytest.skip(f"{PIPELINE} is not installed")
    return spacy.load(PIPELINE)


@pytest.fixture
def df(spark: "SparkSession") -> "DataFrame":
    numbered = [(2**60 + i if i else None, text) for i, text in enumerate(TEXTS)]
    return spark.createDataFrame(numbered, "id long, text string").repartition(3)


def as_rows(df: "DataFrame", *ordered: str) -> List[Dict[str, Any]]:
    return [row.asDict(recursive=True) for row in df.sort(*ordered).collect()]


def test_entities_are_those_of_nlp_pipe(df: "DataFrame", nlp: Language) -> None:
    from spacy_elmo_ner.spark import annotate

    found = annotate(df, PIPELINE).select("id", "start", "end", "text", "label")
    docs = nlp.pipe(text or "" for text in TEXTS)
    expected = [
        (2**60 + i if i else None, ent.start_char, ent.end_char, ent.text, ent.label_)
        for i, doc in enumerate(docs)
        for ent in doc.ents
    ]
    assert len(expected) > 20
    assert [tuple(row) for row in found.sort("id", "start").collect()] == expected


@pytest.mark.parametrize("level", LEVELS)
def test_rows_of_each_level(df: "DataFrame", nlp: Language, level: str) -> None:
    from spacy_elmo_ner.spark import annotate

    found = annotate(df, PIPELINE, output_level=level, batch_size=2)
    assert found.columns == ["id", *COLUMNS[level]]
    expected = [
        {"id": 2**60 + i if i else None, **row}
        for i, doc in enumerate(nlp.pipe(text or "" for text in TEXTS))
        for row in rows(doc, level)
    ]
    assert as_rows(found, "id", "start") == expected


def test_other_columns_are_kept_whatever_they_hold(
    spark: "SparkSession", ruler: Path
) -> None:
    from pyspark.ml.linalg import Vectors

    from spacy_elmo_ner.spark import annotate

    names = ["n", "a.b", "m", "d", "s", "v", "words"]
    values: List[Tuple[object, ...]] = [
        (2**62 + 1, {"k": [1, 2]}, Decimal("1.50"), (1, "x"), b"\x00", "Anna"),
        (None, None, None, None, None, "Anna and Anna"),
    ]
    schema = (
        "n long, `a.b` map<string, array<int>>, m decimal(10, 2), "
        "d struct<x: int, y: string>, s binary, words string"
    )
    plain = spark.createDataFrame(values, schema)
    vectors = spark.createDataFrame([(2**62 + 1, Vectors.dense(0.5))], ["n", "v"])
    df = plain.join(vectors, "n", "left").select(*(f"`{name}`" for name in names))
    found = annotate(df, ruler, text_col="words").sort("n", "start")
    others = [f"`{name}`" for name in names[:-1]]
    before = df.sort("n").select(*others).collect()
    assert found.select(*others).collect() == [before[0], before[0], before[1]]
    assert [f for f in found.schema if f.name in names] == df.schema.fields[:-1]


def test_annotations_are_what_ner_converter_writes(
    df: "DataFrame", nlp: Language
) -> None:
    from pyspark.sql.functions import expr

    from spacy_elmo_ner.spark import annotate

    found = annotate(df, PIPELINE, as_annotations=True, output_col="ner_chunk")
    assert found.columns == ["id", "text", "ner_chunk"]
    field = found.schema["ner_chunk"]
    # Spark NLP's Annotation, and how its stages know their input
    assert field.dataType.simpleString() == (
        "array<struct<annotatorType:string,begin:int,end:int,result:string,"
        "metadata:map<string,string>,embeddings:array<float>>>"
    )
    assert field.metadata == {"annotatorType": "chunk"}
    assert found.count() == len(TEXTS)
    assert found.filter("ner_chunk is null").count() == 0
    # code as it stands behind a NerConverter
    chunks = found.selectExpr("id", "text", "explode(ner_chunk) as chunk").select(
        "id",
        "chunk.annotatorType",
        "chunk.result",
        expr("chunk.metadata['entity']").alias("entity"),
        expr("int(chunk.metadata['sentence'])").alias("sentence"),
        expr("int(chunk.metadata['chunk'])").alias("chunk"),
        expr("substring(text, chunk.begin + 1, chunk.end - chunk.begin + 1)"),
        expr("size(chunk.embeddings)"),
    )
    expected = [
        (
            2**60 + i if i else None,
            "chunk",
            row["text"],
            row["label"],
            row["sentence"],
            row["chunk"],
            row["text"],
            0,
        )
        for i, doc in enumerate(nlp.pipe(text or "" for text in TEXTS))
        for row in rows(doc, "chunk")
    ]
    assert [tuple(row) for row in chunks.sort("id", "chunk").collect()] == expected


def test_confidence_is_the_probability_of_the_entity() -> None:
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    from spacy_elmo_ner.spark.schemas import annotation

    chunk = dict(sentence=1, chunk=2, text="Bonn", label="LOC", start=7, end=11)
    metadata = annotation({**chunk, "probability": 0.25})["metadata"]
    assert metadata == dict(entity="LOC", sentence="1", chunk="2", confidence="0.25")
    assert "confidence" not in annotation({**chunk, "probability": None})["metadata"]


def test_a_text_is_read_once_however_often_its_entities_are_used(
    df: "DataFrame", ruler: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from spacy_elmo_ner.spark import annotate

    found = annotate(df, ruler, as_annotations=True)
    found.filter("size(entities) > 0").selectExpr(
        "size(entities)", "entities.result"
    ).explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1


def test_a_process_loads_the_pipeline_once_and_keeps_to_its_core(
    spark: "SparkSession", ruler: Path
) -> None:
    import pandas as pd
    from pyspark.sql.functions import pandas_udf

    from spacy_elmo_ner.spark import annotate

    # by a column as well: a task of another kind would get other processes
    def ask(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        import torch

        from spacy_elmo_ner.spark.worker import loaded

        time.sleep(0.2)  # until the other process has a task, too
        loads, threads = loaded.cache_info().misses, torch.get_num_threads()
        for batch in batches:
            yield pd.Series([[os.getpid(), loads, threads]] * len(batch))

    def of_processes() -> Dict[int, Tuple[int, int]]:
        column = pandas_udf(ask, "array<int>")("text")
        answers = [row.answer for row in texts.select(column.alias("answer")).collect()]
        return {pid: (loads, threads) for pid, loads, threads in answers}

    texts = spark.createDataFrame([("Anna met Bob.",)] * 8, "text string")
    texts = texts.repartition(4)
    assert annotate(texts, ruler).count() == 8
    first = of_processes()
    assert annotate(texts, ruler).count() == 8
    again = of_processes()
    assert {*first} & {*again}
    for pid in {*first} & {*again}:
        assert again[pid] == first[pid] and first[pid][0] >= 1 and first[pid][1] == 1


def test_a_pipeline_that_was_trained_anew_takes_the_place_of_the_old(
    spark: "SparkSession", ruler: Path
) -> None:
    from spacy_elmo_ner.spark import annotate

    df = spark.createDataFrame([("Anna met Bob.",)], "text string")
    assert [row.text for row in annotate(df, ruler).collect()] == ["Anna"]
    nlp = spacy.load(ruler)
    nlp.get_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Bob"}])
    nlp.to_disk(ruler)
    assert [row.text for row in annotate(df, ruler).collect()] == ["Anna", "Bob"]


def test_a_very_long_text(spark: "SparkSession", ruler: Path) -> None:
    from spacy_elmo_ner.spark import annotate

    text = "a " * 600_000 + "Anna"
    found = annotate(spark.createDataFrame([(text,)], "text string"), ruler).collect()
    assert [(row.start, row.end) for row in found] == [(1_200_000, 1_200_004)]


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_processes_are_killed(
    spark: "SparkSession", nlp: Language
) -> None:
    """SIGKILL in the middle of a job, for each Python process there is."""
    from spacy_elmo_ner.spark import annotate

    children = Path("/proc/self/task", str(os.getpid()), "children")
    if not children.exists():
        pytest.skip("the processes of others are found in Linux's /proc")
    texts = [
        f"Anna met Dr. X{i} of Bonn. " + "It went on and on. " * 40 for i in range(240)
    ]
    df = spark.createDataFrame(list(enumerate(texts)), "id int, text string")
    found = annotate(df.repartition(6), PIPELINE).select("id", "start", "text", "label")
    failed: List[int] = []
    over = threading.Event()
    watcher = threading.Thread(target=kill, args=(spark, failed, over))
    watcher.start()
    try:
        entities = sorted(map(tuple, found.collect()))
    finally:
        over.set()
        watcher.join()
    assert any(failed)
    expected = [
        (i, ent.start_char, ent.text, ent.label_)
        for i, doc in enumerate(nlp.pipe(texts))
        for ent in doc.ents
    ]
    assert entities == sorted(expected)


def kill(spark: "SparkSession", failed: List[int], over: threading.Event) -> None:
    """Kill all Python processes, while some tasks are done and others at work, until a
    task has failed for it; write down how many have."""
    tracker = spark.sparkContext.statusTracker()
    java = spark.sparkContext._gateway.proc.pid
    while not over.wait(0.02) and not any(failed):
        for stage in map(tracker.getStageInfo, tracker.getActiveStageIds()):
            if stage and stage.numCompletedTasks and stage.numActiveTasks:
                # Java starts one process, which forks those that work
                for pid in [
                    pid for one in children_of(java) for pid in children_of(one)
                ]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                over.wait(1)  # until Spark knows it
                after = tracker.getStageInfo(stage.stageId)
                failed.append(after.numFailedTasks if after else 0)


def children_of(pid: int) -> List[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(text_col="txt"), r"no column 'txt'; its columns are: 'id', 'text'\."),
        (dict(text_col="id"), r"'id' is of the type bigint, not string"),
        (dict(output_level="word"), r"no output level 'word'; the levels are document"),
        (dict(batch_size=0), r"batch size is 0"),
        (dict(pipeline="no_such_pipeline"), r"no pipeline at no_such_pipeline"),
        (dict(as_annotations=True, output_level="token"), r"output_level is 'token'"),
        (dict(as_annotations=True, output_col="ID"), "already has 'id'"),
    ],
)
def test_what_is_wrong_is_said_before_a_job_runs(
    df: "DataFrame", ruler: Path, arguments: Dict[str, Any], message: str
) -> None:
    from spacy_elmo_ner.spark import annotate

    tracker = df.sparkSession.sparkContext.statusTracker()
    jobs = tracker.getJobIdsForGroup()
    with pytest.raises(ValueError, match=message):
        annotate(df, **{"pipeline": ruler, **arguments})
    assert tracker.getJobIdsForGroup() == jobs


def test_columns_that_would_be_there_twice(df: "DataFrame", ruler: Path) -> None:
    from spacy_elmo_ner.spark import annotate

    both = df.selectExpr("id as Label", "text as words", "1 as start")
    with pytest.raises(
        ValueError, match="already has 'Label', 'start'.*withColumnRenamed"
    ):
        annotate(both, ruler, text_col="words")
    assert annotate(both, ruler, text_col="words", as_annotations=True).count() == 8
    with pytest.raises(ValueError, match="more than one column 'text'"):
        annotate(df.join(df.select("text")), ruler)


def test_a_pipeline_that_finds_no_entities(df: "DataFrame", tmp_path: Path) -> None:
    from spacy_elmo_ner.spark import annotate

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "sentences")
    with pytest.raises(ValueError, match="finds no entities.*sentencizer"):
        annotate(df, tmp_path / "sentences")

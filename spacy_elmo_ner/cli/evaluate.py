"""`evaluate`: scores of a pipeline on a gold corpus, as model cards show them."""

from dataclasses import replace
from pathlib import Path
from typing import Optional, Union

import srsly
import typer
from spacy.cli._util import import_code, setup_gpu

from ..evaluation.raw_report import RawReport, report_raw_text
from ..evaluation.report import Report, report_pipeline
from ..evaluation.scorer_file import write_scorer_file
from ..files.atomic import replacing
from .escapes import echo
from .gold_options import (
    GOLD_FILE,
    GoldOptions,
    echo_note,
    old_name,
    read_gold_to_score,
    with_gold_options,
)
from .loading import PIPELINE, load_pipeline
from .options import CODE, GPU_ID
from .outputs import check_outputs


@with_gold_options
def evaluate(
    model: str = PIPELINE,
    data: Path = GOLD_FILE,
    output: Optional[Path] = typer.Option(
        None, "--output", "-o", help="JSON file to write with all scores"
    ),
    predictions: Optional[Path] = typer.Option(
        None, help="File to write with each word, its gold tag and the predicted one"
    ),
    *,
    gold: GoldOptions,
    scheme: Optional[str] = typer.Option(None, hidden=True),
    code: Optional[Path] = CODE,
    raw: bool = typer.Option(
        False,
        "--raw",
        help="Let the pipeline tokenize the corpus's raw text, and compare entities by "
        "character offsets",
    ),
    gpu_id: int = GPU_ID,
) -> None:
    """Print the shared task's scores and a table per tag. With --output they are also
    written as JSON, with spaCy's own scores. The pipeline works on the gold words and
    sentences. With --raw it works on the text alone, and there are scores per label.
    """
    if raw and predictions is not None:
        raise typer.BadParameter(
            "--predictions writes the gold words, which --raw does not use; leave one "
            "out."
        )
    check_outputs([output, predictions], [model, data, code])
    setup_gpu(gpu_id, silent=True)
    import_code(code)
    nlp = load_pipeline(model)
    former = old_name(scheme, "--scheme", "--read-scheme")
    if former:
        gold = replace(gold, read_scheme=former)
    docs = read_gold_to_score(data, nlp, gold)
    report: Union[Report, RawReport]
    if raw:
        report = report_raw_text(nlp, docs)
        is_empty, total = not report.texts, report.total
    else:
        report = report_pipeline(nlp, docs)
        is_empty, total = not report.sentences, report.conlleval.total
    if is_empty:
        raise ValueError(f"There is nothing in {data} to evaluate on.")
    if not total.gold:
        echo_note(f"there are no entities in {data}, so every score is 0.")
    echo(report.to_text().rstrip("\n"))
    if output is not None:
        with replacing(output) as temporary:
            temporary.write_text(
                srsly.json_dumps(report.to_dict(), indent=2), encoding="utf-8"
            )
    if predictions is not None and isinstance(report, Report):
        write_scorer_file(report.sentences, predictions)

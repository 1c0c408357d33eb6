"""`evaluate`: a pipeline's entities on a gold corpus, as the model card shows them."""

from pathlib import Path
from typing import Optional

import srsly
import typer
from spacy.cli._util import import_code, setup_gpu

from ..atomic import replacing
from ..corpus.conll import DETECT
from ..corpus.reader import read_docs
from ..evaluation.report import report_pipeline
from ..evaluation.scorer_file import write_scorer_file
from .loading import load_pipeline


def evaluate(
    model: str = typer.Argument(..., help="Name or folder of a pipeline"),
    data: Path = typer.Argument(
        ..., help="Gold: CoNLL file, .spacy file, or folder of .spacy files"
    ),
    output: Optional[Path] = typer.Option(
        None, "--output", "-o", help="JSON file to write with all scores"
    ),
    predictions: Optional[Path] = typer.Option(
        None, help="File to write with each word, its gold tag and the predicted one"
    ),
    group_by: str = typer.Option(
        "sentence",
        help="What of a CoNLL file becomes one Doc: a sentence, or a document",
    ),
    scheme: str = typer.Option(
        DETECT, help="Tags of a CoNLL file: auto, iob1, iob2, io, biluo or bioes"
    ),
    code: Optional[Path] = typer.Option(
        None, "--code", "-c", help="Python file with registered functions to import"
    ),
    gpu_id: int = typer.Option(
        -1, "--gpu-id", "-g", min=-1, help="GPU, or -1 for the CPU"
    ),
) -> None:
    """Print the shared task's figures and a table per tag; write them as JSON beside
    spaCy's own. The pipeline works on the gold words and sentences."""
    setup_gpu(gpu_id, silent=True)
    import_code(code)
    nlp = load_pipeline(model)
    docs = read_docs(data, vocab=nlp.vocab, group_by=group_by, scheme=scheme)
    report = report_pipeline(nlp, docs)
    if not report.sentences:
        raise ValueError(f"There is nothing in {data} to evaluate on.")
    typer.echo(report.to_text(), nl=False)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as temporary:
            temporary.write_text(
                srsly.json_dumps(report.to_dict(), indent=2), encoding="utf-8"
            )
    if predictions is not None:
        predictions.parent.mkdir(parents=True, exist_ok=True)
        write_scorer_file(report.sentences, predictions)

"""`errors`: what a pipeline gets wrong on a gold corpus."""

from dataclasses import replace
from pathlib import Path
from typing import Optional

import srsly
import typer
from spacy.cli._util import import_code, setup_gpu

from ..corpus.name_uses import names_of
from ..corpus.reader import to_examples
from ..evaluation.error_tables import errors_as_text
from ..evaluation.errors import find_errors
from ..files.atomic import replacing
from ..pipeline.components import with_probabilities
from .errors_page import errors_page
from .escapes import echo
from .gold_options import (
    GOLD_FILE,
    GoldOptions,
    read_gold,
    read_gold_to_score,
    with_gold_options,
)
from .loading import PIPELINE, describe, load_pipeline
from .options import CODE, GPU_ID
from .outputs import check_outputs


@with_gold_options
def errors(
    model: str = PIPELINE,
    data: Path = GOLD_FILE,
    train: Optional[Path] = typer.Option(
        None,
        "--train",
        help="The training corpus: names that are entities there are told from others",
    ),
    output: Optional[Path] = typer.Option(
        None,
        "--output",
        "-o",
        help="JSON file to write with the tables and all mistakes",
    ),
    page: Optional[Path] = typer.Option(
        None, "--page", help="HTML file to write: the tables, and gold beside predicted"
    ),
    limit: int = typer.Option(
        200, "--limit", "-n", min=0, help="Most sentences on the page; 0 for all"
    ),
    *,
    gold: GoldOptions,
    code: Optional[Path] = CODE,
    gpu_id: int = GPU_ID,
) -> None:
    """Print which labels are taken for which, the kinds of errors, the scores of names
    that were and were not in training, and the mistakes that the pipeline is most sure
    of. The pipeline works on the gold words and sentences, as in `evaluate`.
    """
    check_outputs([output, page], [model, data, train, code])
    setup_gpu(gpu_id, silent=True)
    import_code(code)
    nlp = with_probabilities(load_pipeline(model))
    examples = list(to_examples(read_gold_to_score(data, nlp, gold)))
    if not examples:
        raise ValueError(f"There is nothing in {data} to evaluate on.")
    # this file need not annotate what the other one does
    whole = replace(gold, label=[])
    known = None if train is None else names_of(read_gold(train, nlp, whole))
    if known is not None and not known:
        raise ValueError(
            f"There are no entities in {train}; check the path given with --train."
        )
    predicted = list(nlp.pipe(example.predicted for example in examples))
    references = [example.reference for example in examples]
    report = find_errors(references, predicted, known=known)
    echo(errors_as_text(report).rstrip("\n"))
    if output is not None:
        with replacing(output) as temporary:
            json = srsly.json_dumps(report.to_dict(), indent=2)
            temporary.write_text(json, encoding="utf8")
    if page is not None:
        html = errors_page(report, subtitle=describe(nlp), limit=limit)
        with replacing(page) as temporary:
            temporary.write_text(html, encoding="utf8")

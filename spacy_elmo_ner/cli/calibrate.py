"""`calibrate`: a pipeline with calibrated probabilities."""

from functools import lru_cache
from pathlib import Path
from typing import List, Optional, Sequence

import typer
from spacy.cli._util import import_code, setup_gpu

from ..corpus.reader import to_examples
from ..evaluation.calibration import bins_of, expected_calibration_error
from ..evaluation.guesses import Guess, compare
from ..evaluation.temperature import fit_temperature
from ..evaluation.thresholds import thresholds_for
from ..files.atomic import replacing_folder
from ..files.replaceable import check_replaceable
from ..pipeline.components import docs_before
from .escapes import echo
from .gold_options import GOLD, GoldOptions, read_gold, with_gold_options
from .loading import PIPELINE, load_pipeline, ner_of
from .options import CODE, GPU_ID, REPLACE
from .outputs import check_distinct

BINS = 10


@with_gold_options
def calibrate(
    model: str = PIPELINE,
    data: Path = typer.Argument(..., help=f"Gold that it was not trained on: {GOLD}"),
    output: Path = typer.Option(
        ..., "--output", "-o", help="Folder for the calibrated pipeline"
    ),
    precision: Optional[float] = typer.Option(
        None,
        min=0,
        max=1,
        help="Also set a threshold for each label: the lowest that gives its entities "
        "this precision on the data, such as 0.98",
    ),
    *,
    gold: GoldOptions,
    code: Optional[Path] = CODE,
    gpu_id: int = GPU_ID,
    force: bool = REPLACE,
) -> None:
    """Write a pipeline with calibrated probabilities: of the entities with a
    probability of 0.9, nine in ten are right. One number is fitted, the temperature,
    which divides all scores before probabilities are computed. What the pipeline finds
    stays the same; with --precision it leaves out what is less certain.
    """
    check_distinct([output], [model, data, code])
    check_replaceable(output, force=force)
    setup_gpu(gpu_id, silent=True)
    import_code(code)
    nlp = load_pipeline(model)
    ner = ner_of(nlp)
    examples = list(to_examples(read_gold(data, nlp, gold)))
    before_ner = docs_before(nlp, ner, [one.predicted for one in examples])
    for example, doc in zip(examples, before_ner, strict=True):
        example.predicted = doc

    @lru_cache(maxsize=None)
    def guess(temperature: float) -> List[Guess]:
        found = ner.predict(
            [example.predicted for example in examples],
            temperature=temperature,
            probabilities=True,
        )
        return compare(
            examples, [(one.spans, one.probabilities or []) for one in found]
        )

    before = guess(ner.cfg["temperature"])
    ner.cfg["temperature"] = fit_temperature(guess)
    after = guess(ner.cfg["temperature"])
    echo(
        f"{len(after):,} entities found, {sum(one.is_right for one in after):,} of them "
        f"right; temperature {ner.cfg['temperature']}\n"
        f"Expected calibration error on these data: {_error(before):.4f} before, "
        f"{_error(after):.4f} after"
    )
    if precision is not None:
        found = thresholds_for(after, precision)
        ner.cfg["threshold"] = {label: one.value for label, one in found.items()}
        for label, (value, kept, right) in found.items():
            n_right = sum(one.is_right for one in after if one.label == label)
            echo(
                f"{label}: threshold {value:.4f}; {kept:,} entities left, "
                f"{right:,} of {n_right:,} right ones among them"
            )
    with replacing_folder(output, force=force) as fresh:
        nlp.to_disk(fresh)


def _error(guesses: Sequence[Guess]) -> float:
    return expected_calibration_error(
        bins_of(
            [one.probability for one in guesses],
            [one.is_right for one in guesses],
            BINS,
        )
    )

"""elmo_ner on the device: its entities against the CPU's, and its speed."""

from typing import Any, List, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import use_ops
from torch import Tensor

from ..pipelines import (
    BATCH,
    RATE,
    bilm_of,
    elmo_pipeline,
    forget_words,
    initialize,
    made_examples,
)
from ..texts import Sentences
from .device import Device
from .networks import BATCH_TOKENS, differences
from .report import Report, Unsuitable

UPDATES, SENTENCES = 40, 512
# that are read for a cell, in whole batches
TIMED_SENTENCES = 1024


def check_pipeline(
    report: Report,
    device: Device,
    sizes: List[str],
    batches: List[int],
    sentences: Sentences,
) -> None:
    if device.is_cuda:
        try:
            spacy.require_gpu(device.torch.index or 0)
        except ValueError as error:
            raise Unsuitable(f"spaCy has no GPU here: {error}") from error
    try:
        _compare_entities(report, device, sizes[-1], sentences)
        _time_pipes(report, device, sizes, batches, sentences)
    finally:
        spacy.require_cpu()


def _compare_entities(
    report: Report, device: Device, size: str, sentences: Sentences
) -> None:
    """Taught on the device, found there and, by a copy, on the CPU."""
    nlp = elmo_pipeline(size)
    examples = made_examples(nlp, sentences[: 4 * BATCH])
    optimizer = initialize(nlp, examples)
    optimizer.learn_rate = RATE
    batches = [examples[i : i + BATCH] for i in range(0, len(examples), BATCH)]
    taught = device.seconds(
        lambda: [
            nlp.update(batches[i % len(batches)], sgd=optimizer) for i in range(UPDATES)
        ]
    )
    here, emissions = _found(nlp, sentences[:SENTENCES])
    with use_ops("numpy"):
        on_cpu = elmo_pipeline(size).from_bytes(nlp.to_bytes())
        there, expected = _found(on_cpu, sentences[:SENTENCES])
    largest, share = differences(emissions, expected)
    report(
        f"## Entities against the CPU's, {size}\n\n{UPDATES} updates on the device "
        f"took {taught:.1f} s; then of {len(there):,} entities found on the CPU and "
        f"{len(here):,} on the device {len({*here} & {*there}):,} are the same; the "
        f"tagger's scores differ by up to {largest:.1e} ({share:.1e} of their norm)."
    )


def _found(nlp: Language, sentences: Sentences) -> Tuple[List[Any], Tensor]:
    """Entities, and the tagger's scores."""
    docs = [Doc(nlp.vocab, words=words) for words in sentences]
    pipe: Any = nlp.get_pipe("elmo_ner")
    emissions = pipe.model.predict(docs).emissions.detach().float().cpu()
    entities = [
        (i, entity.start, entity.end, entity.label_)
        for i, doc in enumerate(pipe.pipe(docs))
        for entity in doc.ents
    ]
    return entities, emissions


def _time_pipes(
    report: Report,
    device: Device,
    sizes: List[str],
    batches: List[int],
    sentences: Sentences,
) -> None:
    report("\n### nlp.pipe, words/s")
    report.table("size", "batch", "words new", "words kept", n_names=1)
    for size in sizes:
        nlp = elmo_pipeline(size, batch_tokens=BATCH_TOKENS)
        initialize(nlp, made_examples(nlp, [["Rome", "fell"]]))
        for n in batches:

            def cells(nlp: Language = nlp, n: int = n) -> str:
                some = sentences[: max(n, TIMED_SENTENCES)]
                words = sum(map(len, some))
                docs = [Doc(nlp.vocab, words=sentence) for sentence in some]
                # memory is taken, kernels are loaded, graphs are captured
                list(nlp.pipe(docs, batch_size=n))
                forget_words(bilm_of(nlp))
                new = device.seconds(lambda: list(nlp.pipe(docs, batch_size=n)))
                kept = device.median(lambda: list(nlp.pipe(docs, batch_size=n)))
                return f"{words / new:,.0f} | {words / kept:,.0f}"

            report.row(size, str(n), report.cell(cells))

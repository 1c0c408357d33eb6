"""`uncertain`: the texts that are most worth annotating, for an annotation tool."""

import heapq
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.annotation_export import EXPORTS, GuessedText
from ..corpus.char_spans import CharSpan
from ..files.atomic import replacing
from ..pipeline.components import docs_before, with_probabilities
from ..pipeline.readings import uncertainty
from .escapes import echo, escaped
from .loading import MODEL, load_pipeline, ner_of
from .outputs import check_outputs
from .records import READ_AS, TEXT_COLUMN, FileKind, files_in, read_records
from .texts import Text, check_texts, check_unicode, read_texts


def uncertain(
    inputs: List[Path] = typer.Argument(
        ...,
        help="Text files, each line a text of its own; .jsonl; .csv with a header; folders "
        "of such files; or - for standard input",
    ),
    output: Path = typer.Option(..., "--output", "-o", help="File to write"),
    format: str = typer.Option(
        "prodigy", "--format", "-f", help=f"What reads it: {', '.join(EXPORTS)}"
    ),
    limit: int = typer.Option(
        0, "--limit", "-n", min=0, help="Most texts to write; 0 for all"
    ),
    model: Optional[str] = MODEL,
    file_kind: Optional[FileKind] = READ_AS,
    text_column: Optional[str] = TEXT_COLUMN,
) -> None:
    """Write texts with their guessed entities for an annotation tool, those that the
    pipeline is least certain of first. Uncertainty is 1 minus the probability of the
    best reading, of the sentence where that is lowest. Correcting these texts teaches
    it most. With --limit, only that many texts are held in memory.
    """
    if format not in EXPORTS:
        raise typer.BadParameter(
            f"There is no format {format!r}; choose one of {', '.join(EXPORTS)}."
        )
    files = list(files_in(inputs))
    check_texts([], files)
    check_unicode(text_column or "", "column")
    check_outputs([output], [*files, model])
    nlp = with_probabilities(load_pipeline(model))
    read = partial(read_records, kind=file_kind, column=text_column)
    batches = read_texts([], files, longest=nlp.max_length, read_file=read)
    scored = _scored(nlp, batches)
    # equally uncertain texts stay in order
    if limit:
        chosen = heapq.nsmallest(limit, scored, key=_certainty)
    else:
        chosen = sorted(scored, key=_certainty)
    with replacing(output) as temporary, temporary.open("w", encoding="utf8") as file:
        for line in EXPORTS[format]([text for _, text in chosen]):
            file.write(line + "\n")
    echo(f"{len(chosen):,} texts, the least certain first: {output}")


def _certainty(scored: Tuple[float, GuessedText]) -> float:
    return -scored[0]


def _scored(
    nlp: Language, batches: Iterable[List[Text]]
) -> Iterator[Tuple[float, GuessedText]]:
    ner = ner_of(nlp)
    for batch in batches:
        texts = [text.text for text in batch]
        readings = ner.sentence_readings(docs_before(nlp, ner, texts), 1)
        for text, doc, sentences in zip(batch, nlp.pipe(texts), readings, strict=True):
            value = uncertainty(sentences)
            meta = {"source": escaped(text.source), "uncertainty": round(value, 4)}
            yield value, _guessed(doc, meta)


def _guessed(doc: Doc, meta: Dict[str, Any]) -> GuessedText:
    return GuessedText(
        doc.text,
        [CharSpan(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents],
        [ent._.probability for ent in doc.ents],
        meta,
    )

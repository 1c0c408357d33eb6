"""The benchmark of missing labels, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.text.annotated_labels import annotated_labels


def test_table(
    tmp_path: Path, repository: Path, printed_by: Callable[..., str]
) -> None:
    sample = repository / "assets" / "sample"
    files = ["--train", sample / "train.conll", "--dev", sample / "dev.conll"]
    printed = printed_by("missing_labels", tmp_path, *files, "--updates", "2")
    assert len(re.findall(r"^\| a?.* label.* \| [\d.]+ \|$", printed, re.M)) == 2
    whole, partial, word = (
        list(DocBin().from_disk(tmp_path / f"{name}.spacy").get_docs(Vocab()))
        for name in ("all", "partial", "word")
    )
    for full, some, same in zip(whole, partial, word, strict=True):
        known = annotated_labels(some)
        assert known is not None and len(known) == 3
        assert annotated_labels(same) is None
        kept = [str(ent) for ent in full.ents if ent.label_ in known]
        assert [str(ent) for ent in some.ents] == kept
        assert [str(ent) for ent in same.ents] == kept

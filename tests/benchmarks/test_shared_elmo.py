"""The benchmark of a shared ELMo, run for real on a few Docs."""

import re
from pathlib import Path
from typing import Any, Callable

import pytest
from spacy.training import Example
from spacy.util import is_package

from spacy_elmo_ner.pipeline.default_pipeline import NAME, load_default_pipeline
from spacy_elmo_ner.pipeline.shared_elmo import share_elmo

CONLL = "-DOCSTART- -X- O O\n\nRome NNP I-NP I-LOC\nfell VBD I-VP O\n. . O O\n"


@pytest.mark.skipif(not is_package(NAME), reason=f"{NAME} is not installed")
def test_table_of_time_and_memory(
    tmp_path: Path, printed_by: Callable[..., str]
) -> None:
    nlp = share_elmo(load_default_pipeline())
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 512}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    tagger: Any = nlp.add_pipe("tagger", before="elmo_ner", config={"model": model})
    gold = Example.from_dict(nlp.make_doc("Rome fell"), {"tags": ["NNP", "VBD"]})
    tagger.initialize(lambda: [gold], nlp=nlp)
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "file.conll").write_text(CONLL * 4)
    printed = printed_by(
        "shared_elmo", tmp_path / "pipeline", "--conll", tmp_path / "file.conll"
    )
    assert "12 words in 4 Docs: entities' F1 100.00" in printed
    rows = dict(
        re.findall(r"^\| (one ELMo [^|]+) \| [\d,]+ \| (.+) \|$", printed, re.M)
    )
    sizes = {
        name: [float(n) for n in row.replace(",", "").split("|")]
        for name, row in rows.items()
    }
    assert sizes["one ELMo each"][2] > sizes["one ELMo for both"][2] + 10

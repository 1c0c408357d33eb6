"""Texts → rows, without Spark."""

import subprocess
import sys
from pathlib import Path
from typing import List, Optional

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.tables.levels import LEVELS, rows

pytest.importorskip("pyspark", reason="the extra spark is not installed")


@pytest.mark.parametrize("level", LEVELS)
def test_each_text_has_the_rows_that_it_has_alone(ruler: Path, level: str) -> None:
    from spacy_elmo_ner.spark.worker import PipelineFiles, find

    words = st.lists(
        st.sampled_from(["Anna", "met", "a", "Bob", ".", "🙂"]), max_size=9
    )

    @settings(deadline=None)
    @given(
        texts=st.lists(st.none() | words.map(" ".join), max_size=9),
        batch_size=st.integers(1, 10),
    )
    def check(texts: List[Optional[str]], batch_size: int) -> None:
        found = find(texts, files=files, level=level, batch_size=batch_size)
        assert found == [list(rows(nlp(text or ""), level)) for text in texts]

    files, nlp = PipelineFiles(str(ruler), 0), spacy.load(ruler)
    check()


@pytest.mark.parametrize("library", ["pyspark", "pandas", "pyarrow"])
def test_what_is_missing_is_named_with_its_extra(library: str) -> None:
    code = f"import sys; sys.modules[{library!r}] = None; import spacy_elmo_ner.spark"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert library in last and 'pip install "spacy-elmo-ner[spark]"' in last

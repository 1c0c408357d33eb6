import csv
from io import StringIO
from typing import List

from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.tables.spreadsheet import to_csv

CELLS = st.text(alphabet=st.sampled_from("=+-@\t\r\n '\",aé😀1"), max_size=6)


@given(st.lists(CELLS, min_size=1))
def test_no_cell_is_a_formula_and_nothing_is_lost(cells: List[str]) -> None:
    written = to_csv([{"text": cell, "start": -1} for cell in cells], ["text", "start"])
    header, *rows = csv.reader(StringIO(written, newline=""))
    assert header == ["text", "start"]
    assert [number for _, number in rows] == ["-1"] * len(cells)
    for (found, _), cell in zip(rows, cells, strict=True):
        assert found in (cell, "'" + cell)
        assert not found.lstrip().startswith(("=", "+", "-", "@"))
        assert not found.startswith(("\t", "\r", "\n"))

"""Notebooks run from their first cell to the last, and show what they have printed."""

import re
from pathlib import Path
from typing import Any, List

import pytest

from tests.documentation.fenced_blocks import REPOSITORY

pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not here")
pytest.importorskip("ipykernel", reason="ipykernel, which runs notebooks, is not here")
pytest.importorskip("pandas", reason="pandas, the extra frames, is not here")

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


NUMBER = re.compile(r"\d\.\d+")


def shown_by(notebook: Any) -> List[str]:
    """What each cell prints, and the text of what it returns; no warnings."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type != "stream":
                shown.append(output.data["text/plain"])
            elif output.name == "stdout":
                shown.append(output.text)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_shows_what_its_cells_print(path: Path) -> None:
    import nbformat

    from scripts.run_notebook import executed

    written = nbformat.read(path, as_version=4)
    expected, found = shown_by(written), shown_by(executed(path))
    assert len(expected) > 3
    for one, other in zip(expected, found, strict=True):
        assert NUMBER.sub("", one) == NUMBER.sub("", other)
        # probabilities in int8 differ a little from CPU to CPU
        probabilities = [[float(n) for n in NUMBER.findall(x)] for x in (one, other)]
        assert probabilities[0] == pytest.approx(probabilities[1], abs=0.03)

"""Notebooks run from their first cell to the last, and show what they have printed."""

from pathlib import Path
from typing import Any, List

import pytest

from tests.documentation.fenced_blocks import REPOSITORY

pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not here")
pytest.importorskip("ipykernel", reason="ipykernel, which runs notebooks, is not here")
pytest.importorskip("pandas", reason="pandas, the extra frames, is not here")

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def outputs(notebook: Any) -> List[Any]:
    """What each cell shows: its text and its data, but no warnings."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type != "stream" or output.name != "stderr":
                shown.append((cell.id, output.get("text"), output.get("data")))
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_shows_what_its_cells_print(path: Path) -> None:
    import nbformat

    from scripts.run_notebook import executed

    written = nbformat.read(path, as_version=4)
    assert len(outputs(written)) > 3
    assert outputs(executed(path)) == outputs(written)

"""Run a notebook and keep its outputs: `python scripts/run_notebook.py NOTEBOOK`.

Cells with the tag skip-execution, which install what they need, are left as they are.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SKIP = "skip-execution"


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs that its cells have now.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell raises an error.
    """
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, skip_cells_with_tag=SKIP).execute()
    for cell in notebook.cells:
        # times and counts, which differ each time
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None
    return notebook


if __name__ == "__main__":
    file = Path(sys.argv[1])
    nbformat.write(executed(file), file)

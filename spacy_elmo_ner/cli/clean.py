"""`clean`: remove folders that the project's commands wrote."""

import shutil
from pathlib import Path
from typing import List

import typer


def clean(
    folders: List[Path] = typer.Argument(..., help="Folders below the current one"),
) -> None:
    """Remove folders and all that is in them, where they exist.

    Raises ValueError, with nothing removed, for a file and for a folder that does not
    lie below the current one.
    """
    here = Path.cwd().resolve()
    for folder in folders:
        if here not in folder.resolve().parents:
            raise ValueError(f"{folder} does not lie below {here}; remove it by hand.")
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file, not a folder; remove it by hand.")
    for folder in folders:
        if folder.is_dir():
            shutil.rmtree(folder)
            typer.echo(f"{folder} removed")

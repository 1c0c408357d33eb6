"""What the site holds beside docs/: the commands as they are, and the project's file."""

import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

DOCUMENT_COMMANDS = [
    *("typer", "spacy_elmo_ner.cli.app", "utils", "docs"),
    *("--name", "python -m spacy_elmo_ner", "--title", "Command line"),
]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by MkDocs when it has found the pages of docs/."""
    page = subprocess.run(
        [sys.executable, "-m", *DOCUMENT_COMMANDS],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf8",
    ).stdout
    files.append(File.generated(config, "command-line.md", content=page))
    # the generated docs/project.md has a link to it
    project = Path(config.config_file_path).parent / "project.yml"
    files.append(File.generated(config, project.name, abs_src_path=str(project)))
    return files

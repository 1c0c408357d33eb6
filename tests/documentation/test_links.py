"""Links lead somewhere; those within the site `make docs` checks again, anchors too."""

import re
from pathlib import Path
from pydoc import ErrorDuringImport, locate
from typing import List

import pytest

from tests.documentation.fenced_blocks import PAGES, REPOSITORY

OTHERS = [REPOSITORY / "CHANGELOG.md"]
# what scripts/docs_pages.py adds to the site
GENERATED = {"command-line.md", "project.yml"}


@pytest.mark.parametrize("page", PAGES + OTHERS, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, _ = target.partition("#")
        if file and "://" not in file and file not in GENERATED:
            assert (page.parent / file).exists(), f"{page}: {target}"


def objects() -> List[str]:
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf8")
    return re.findall(r"(?m)^::: (\S+)$", page)


@pytest.mark.parametrize("name", objects())
def test_the_api_page_names_what_there_is(name: str) -> None:
    try:
        found = locate(name)
    except ErrorDuringImport as error:
        if isinstance(error.value, ImportError):
            pytest.skip(f"an extra is not installed: {error.value}")
        raise
    assert found is not None
    assert found.__doc__

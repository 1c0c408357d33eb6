"""The pipeline as a package: what its meta.json says, as `spacy package` would say it."""

import json
from pathlib import Path

from setuptools import setup

NAME = "en_elmo_ner_sm"
meta = json.loads(Path(NAME, "meta.json").read_text(encoding="utf8"))

setup(
    name=NAME,
    version=meta["version"],
    description=meta["description"],
    long_description=Path("README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author=meta["author"],
    license_expression=meta["license"],
    license_files=["LICENSE", "LICENSES_SOURCES"],
    install_requires=[f"spacy{meta['spacy_version']}", *meta["requirements"]],
    # not told, setuptools would let a folder of this name in the working directory win
    # over an editable installation
    package_dir={"": "."},
    packages=[NAME],
    package_data={NAME: ["meta.json", f"{NAME}-{meta['version']}/**/*"]},
    entry_points={"spacy_models": [f"{NAME} = {NAME}"]},
)

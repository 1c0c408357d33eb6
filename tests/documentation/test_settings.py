"""The tables of settings say what the code says: names, types, defaults."""

import inspect
import json
import re
from dataclasses import fields
from typing import Any, Dict, List, NamedTuple

import pytest
from spacy import registry
from thinc.api import Config

from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.pipeline.elmo_ner import DEFAULT_CONFIG
from spacy_elmo_ner.pipeline.settings import SETTINGS, TRAINED
from spacy_elmo_ner.pretraining.settings import (
    SoftmaxSettings,
    TextSettings,
    TrainingSettings,
)
from tests.documentation.fenced_blocks import REPOSITORY

DOCS = REPOSITORY / "docs"
REGISTRIES = ("architectures", "tokenizers", "readers", "callbacks")


class Row(NamedTuple):
    name: str
    type: str
    default: str


def tables_of(page: str) -> Dict[str, List[Row]]:
    """heading → the rows of the first table of settings below it."""
    tables: Dict[str, List[Row]] = {}
    text = (DOCS / page).read_text(encoding="utf8")
    for section in re.split(r"(?m)^#+ ", text)[1:]:
        rows = []
        for line in re.findall(r"(?m)^\| `\w+` \|.*\|$", section):
            name, _, type_, default = (
                cell.strip().replace("`", "") for cell in line[1:-1].split("|")
            )
            rows.append(Row(name, type_, default))
        if rows:
            tables[section.splitlines()[0].strip("`")] = rows
    return tables


def written(value: Any) -> str:
    """A value as a config has it; nothing where one has to be given."""
    if value is inspect.Parameter.empty:
        return ""
    return json.dumps(value)


def type_of(annotation: Any) -> str:
    """`Optional[int]`, `Model[List[Doc], List[Floats2d]]`: names without their modules."""
    text = inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=\w)", "", text.replace("~", ""))
    return text.replace("NoneType", "None")


def rows_of(function: Any) -> List[Row]:
    return [
        Row(one.name, type_of(one.annotation), written(one.default))
        for one in inspect.signature(function).parameters.values()
    ]


REGISTERED = [
    (kind, name)
    for kind in REGISTRIES
    for name in sorted(getattr(registry, kind).get_all())
    if name.startswith("spacy_elmo_ner.")
]


@pytest.mark.parametrize("kind, name", REGISTERED)
def test_every_function_of_configs_has_its_table(kind: str, name: str) -> None:
    expected = rows_of(getattr(registry, kind).get(name))
    text = (DOCS / "architectures.md").read_text(encoding="utf8")
    assert f"### `{name}`" in text
    assert tables_of("architectures.md").get(name, []) == expected


def test_settings_of_the_component() -> None:
    shown = tables_of("architectures.md")["elmo_ner"]
    assert {row.name for row in shown} == {*DEFAULT_CONFIG}
    known = {**TRAINED, **SETTINGS}
    for row in shown:
        if row.name in known:
            assert row.default == written(known[row.name].default)
    # labels are learnt
    assert {*known} - {"labels"} <= {row.name for row in shown}


@pytest.mark.parametrize(
    "section, kind",
    [
        ("text", TextSettings),
        ("model", ElmoOptions),
        ("softmax", SoftmaxSettings),
        ("training", TrainingSettings),
    ],
)
def test_settings_of_pretraining(section: str, kind: Any) -> None:
    shown = tables_of("elmo.md")[f"[{section}]"]
    config = Config().from_disk(
        REPOSITORY / "configs" / "pretrain.cfg", interpolate=True
    )[section]
    known = {one.name: one for one in fields(kind) if one.name != "n_characters"}
    assert {row.name for row in shown} == {*known}
    for row in shown:
        assert row.type == type_of(known[row.name].type)
        value = config.get(row.name, known[row.name].default)
        # an old Thinc's 0.6 has a last bit more
        if isinstance(value, float):
            assert json.loads(row.default) == pytest.approx(value)
        else:
            assert row.default == written(value)

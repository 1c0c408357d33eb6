import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.util import load_config

from spacy_elmo_ner.pretraining.settings import Settings, difference, read_settings
from tests.pretraining.conftest import MakeConfig, MakeSettings

COUNTS = [
    "softmax.words",
    "softmax.candidates",
    "training.batch_tokens",
    "training.eval_frequency",
    "training.eval_tokens",
    "model.lstm_width",
]
POSITIVE = ["training.epochs", "training.learn_rate", "training.grad_clip"]
WRONG = [
    *((name, value) for name in COUNTS for value in (0, -1, 1.5, "4", True, None)),
    *((name, value) for name in POSITIVE for value in (0, -1, math.nan, math.inf, "1")),
    *(("training.warmup_steps", value) for value in (-1, 0.5, None)),
    *(("training.seed", value) for value in (-1, 0.5, None)),
    *(("training.cooldown", value) for value in (-0.1, 1.1, math.nan, "no")),
    *(("text.held_out", value) for value in (-0.1, 1.0, 1.5, math.nan, "all", None)),
    *(("text.paths", value) for value in ("news.txt", [1], None)),
    *(("text.lang", value) for value in ("", 3, None)),
    *(("text.tokens", value) for value in ("", 3, None)),
    *(("training.optimizer", value) for value in ("sgd", None)),
    *(("training.start_state", value) for value in ("warm", None)),
    *(("training.precision", value) for value in ("float64", None)),
]


@pytest.mark.parametrize("name, value", WRONG, ids=str)
def test_a_wrong_value_is_an_error_that_names_it(
    tiny_config: MakeConfig, name: str, value: Any
) -> None:
    config = tiny_config({name: value})
    key = name.split(".")[1]
    with pytest.raises(ValueError, match=rf"\b{key}\b") as caught:
        read_settings(config)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"text.held_out": 0},
        {"training.epochs": 0.01, "training.cooldown": 0, "training.warmup_steps": 0},
        {"training.cooldown": 1, "training.optimizer": "adagrad"},
        {"softmax.candidates": 10**6, "training.precision": "bfloat16"},
    ],
    ids=str,
)
def test_values_at_the_edge_are_right(
    tiny_config: MakeConfig, changes: Dict[str, Any]
) -> None:
    settings = read_settings(tiny_config(changes))
    for name, value in changes.items():
        section, key = name.split(".")
        assert getattr(getattr(settings, section), key) == value


@pytest.mark.parametrize("section", ["text", "model", "softmax", "training"])
def test_missing_sections_and_keys_are_named(
    tiny_config: MakeConfig, section: str
) -> None:
    config = tiny_config({})
    key = sorted(config[section])[-1]
    del config[section][key]
    with pytest.raises(ValueError, match=rf"\[{section}\].*incomplete.*'{key}'"):
        read_settings(config)
    del config[section]
    with pytest.raises(ValueError, match=rf"no section \[{section}\]; add it"):
        read_settings(config)


def test_unknown_sections_and_keys_are_named(
    tiny_config: MakeConfig,
) -> None:
    with pytest.raises(ValueError, match=r"section \[train\], .*know.*\[training\]"):
        read_settings(tiny_config({"train.epochs": 1}))
    with pytest.raises(ValueError, match=r"\[training\] has a key epoch,.*epochs"):
        read_settings(tiny_config({"training.epoch": 1}))


def test_the_repositorys_config_is_readable(repository: Path) -> None:
    path = repository / "configs" / "pretrain.cfg"
    overrides = {"paths.tokens": "elsewhere", "training.epochs": 3}
    config = load_config(path, overrides=overrides).interpolate()
    settings = read_settings(config)
    assert settings.text.tokens == "elsewhere"
    assert settings.training.epochs == 3
    assert settings.model.n_filters == sum(n for _, n in config["model"]["filters"])


def saved(settings: Settings) -> Dict[str, Dict[str, Any]]:
    """As a checkpoint gives settings back."""
    found: Dict[str, Dict[str, Any]] = json.loads(json.dumps(asdict(settings)))
    return found


def test_the_same_settings_do_not_differ(
    tiny_settings: MakeSettings,
) -> None:
    assert difference(saved(tiny_settings({})), tiny_settings({})) is None


@pytest.mark.parametrize(
    "name, value",
    [
        ("training.seed", 7),
        ("training.optimizer", "adagrad"),
        ("model.filters", [[1, 8], [3, 8]]),
        ("softmax.candidates", 5),
        ("text.held_out", 0.2),
    ],
)
def test_a_difference_is_named_with_both_values(
    tiny_settings: MakeSettings, name: str, value: Any
) -> None:
    before, after = tiny_settings({}), tiny_settings({name: value})
    found = difference(saved(before), after)
    section, key = name.split(".")
    assert found.startswith(f"{name} is {value!r} instead of ")
    assert found.endswith(repr(saved(before)[section][key]))


def test_a_checkpoint_from_before_there_was_a_start_state_goes_on(
    tiny_settings: MakeSettings,
) -> None:
    before = saved(tiny_settings({}))
    del before["training"]["start_state"]
    assert difference(before, tiny_settings({})) is None
    trained = tiny_settings({"training.start_state": "trained"})
    found = difference(before, trained)
    assert found is not None and "'trained' instead of 'zeros'" in found


@pytest.mark.parametrize("key", ["epochs", "cooldown", "eval_frequency", "eval_tokens"])
def test_how_long_to_train_and_how_often_to_look_may_change(
    tiny_settings: MakeSettings, key: str
) -> None:
    after = tiny_settings({f"training.{key}": 1})
    assert difference(saved(tiny_settings({})), after) is None

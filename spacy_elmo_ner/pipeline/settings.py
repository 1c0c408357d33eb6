"""The settings of `elmo_ner`: what a config gives, what is set later, and which wins.

A component reads them from its `cfg`, where tools change them. There, `configured`
holds what the config gave, and null for what it left to the component.
"""

from math import inf, isclose
from typing import Any, Callable, Dict, Iterable, NamedTuple, Tuple

CONFIGURED = "configured"


def _anything(value: Any) -> bool:
    return bool(value != "")


def _is_threshold(value: Any) -> bool:
    of_labels = value.values() if isinstance(value, dict) else [value]
    return all(
        isinstance(one, (float, int)) and not isinstance(one, bool) and 0 <= one <= 1
        for one in of_labels
    )


def _is_positive(value: float) -> bool:
    return 0 < value < inf


def _are_labels(value: Any) -> bool:
    return value is None or all(isinstance(one, str) for one in value)


class Setting(NamedTuple):
    default: Any
    types: Tuple[type, ...]
    remedy: str
    makes_sense: Callable[[Any], bool] = _anything


NONE = type(None)
KEY = "set it to a key of doc.spans, which is a string that is not empty, or to None"
LABELS = Setting(
    None, (list, tuple, NONE), "set it to a list of labels, or to None", _are_labels
)
# what one call may set for itself
OF_CALL = {
    "threshold": Setting(
        0.0,
        (float, int, dict),
        "it is a probability, so set it to a number from 0 to 1, as a float; or to such a "
        "number for each of some labels",
        _is_threshold,
    ),
    "allow_labels": LABELS,
    "deny_labels": LABELS,
    "temperature": Setting(
        1.0, (float, int), "set it to a number above 0", _is_positive
    ),
    "probabilities": Setting(False, (bool,), "set it to True or False"),
    "scores_key": Setting(None, (str, NONE), KEY),
}
SETTINGS = {
    **OF_CALL,
    "incorrect_spans_key": Setting(None, (str, NONE), KEY),
    "line_is_sentence": Setting(False, (bool,), "set it to True or False"),
    # None until training meets one
    "addresses": Setting(None, (bool, NONE), "set it to True, False or None"),
}
TRAINED = {
    "tag_scheme": Setting("BILUO", (str,), 'set it to "BILUO" or "BIO"'),
    "labels": Setting([], (list,), "set it to a list, and add labels with add_label()"),
}
# What configs saved by version 0.1.0 gave. It did not say, and wrote its defaults out.
OF_VERSION_0_1_0 = {"threshold": 0.0}


def new_cfg(*, tag_scheme: str, **configured: Any) -> Dict[str, Any]:
    """The cfg of a component whose config gives these settings."""
    cfg: Dict[str, Any] = {"labels": [], "tag_scheme": tag_scheme}
    for name, value in configured.items():
        cfg[name] = SETTINGS[name].default if value is None else value
    return {**cfg, CONFIGURED: configured}


def cfg_for_call(
    component: str, cfg: Dict[str, Any], given: Dict[str, Any]
) -> Dict[str, Any]:
    """The cfg for one call. None is a setting's default, as in a config.

    Raises:
        ValueError: If a setting cannot be given per call, or makes no sense.
    """
    for name in given:
        if name not in OF_CALL:
            raise ValueError(
                f"A call of '{component}' has no setting {name!r}; its settings are "
                f"{', '.join(OF_CALL)}."
            )
    if not given:
        return cfg
    cfg = {
        **cfg,
        **{
            name: SETTINGS[name].default if value is None else value
            for name, value in given.items()
        },
    }
    check_cfg(component, cfg)
    return cfg


def check_cfg(component: str, cfg: Dict[str, Any]) -> None:
    """Raise ValueError if a setting makes no sense."""
    for name, (_, types, remedy, makes_sense) in {**TRAINED, **SETTINGS}.items():
        value = cfg.get(name, "")
        if name not in cfg or not isinstance(value, types) or not makes_sense(value):
            was = repr(value) if name in cfg else "missing"
            raise ValueError(f"The {name} of '{component}' is {was}; {remedy}.")
    if not cfg["labels"]:
        return  # they are not known yet
    for name in ("threshold", "allow_labels", "deny_labels"):
        value = cfg[name]
        named: Iterable[str] = value if isinstance(value, (dict, list, tuple)) else ()
        for label in named:
            if label not in cfg["labels"]:
                raise ValueError(
                    f"The {name} of '{component}' is {value!r}, but it has no label "
                    f"{label!r}; it has {', '.join(cfg['labels'])}."
                )


def settle(component: str, cfg: Dict[str, Any], before: Dict[str, Any]) -> None:
    """Apply what the config gives to a cfg that was loaded.

    What the config gives takes effect if it differs from what it gave when the
    component was saved. Otherwise, what was set in cfg since then stays as it was
    saved. So a config that gives the same value again does not undo that: a component
    cannot know whether somebody set it again. In that case, set it in cfg. By default a
    config gives nothing, and whatever it gives later is new.

    Args:
        component: Its name, for errors.
        cfg: What was loaded; it is changed.
        before: The cfg of the component as the config made it.

    Raises:
        ValueError: If the weights were trained with other tags.
    """
    if cfg["tag_scheme"] != before["tag_scheme"]:
        raise ValueError(
            f"The config gives '{component}' the tag_scheme {before['tag_scheme']!r}, but "
            f"its weights were trained with {cfg['tag_scheme']!r}. Leave it as it was, or "
            "train again."
        )
    given, gave = before[CONFIGURED], cfg[CONFIGURED]
    if gave is given:
        gave = OF_VERSION_0_1_0
    for name, value in given.items():
        if value is not None and not _is_equal(value, gave.get(name)):
            cfg[name] = value
    cfg[CONFIGURED] = given
    check_cfg(component, cfg)


def _is_equal(given: Any, saved: Any) -> bool:
    # a float may have lost its last bit in JSON
    if isinstance(given, float) and isinstance(saved, (float, int)):
        return isclose(given, saved, abs_tol=1e-12)
    if isinstance(given, dict) and isinstance(saved, dict):
        return given.keys() == saved.keys() and all(
            _is_equal(value, saved[key]) for key, value in given.items()
        )
    return bool(given == saved)

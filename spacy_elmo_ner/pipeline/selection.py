"""Which of the found entities are kept, by label and by probability."""

from typing import Any, Dict


def needs_probabilities(cfg: Dict[str, Any]) -> bool:
    """Whether these settings drop improbable entities."""
    threshold = cfg["threshold"]
    values = threshold.values() if isinstance(threshold, dict) else [threshold]
    return any(value > 0 for value in values)


def is_kept(cfg: Dict[str, Any], label: str, probability: float) -> bool:
    """Whether these settings keep such an entity."""
    allowed, denied, threshold = (
        cfg[name] for name in ("allow_labels", "deny_labels", "threshold")
    )
    if isinstance(threshold, dict):
        threshold = threshold.get(label, 0.0)
    return (
        (allowed is None or label in allowed)
        and (denied is None or label not in denied)
        and bool(probability >= threshold)
    )

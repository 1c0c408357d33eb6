"""Which numbers are valid for a setting."""

from typing import Optional, TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is an int or a float; True and False are neither."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_count(
    value: object, *, at_least: int, at_most: Optional[int] = None
) -> TypeGuard[int]:
    """Whether it is an int within these bounds; True and False are not."""
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        return False
    return at_most is None or value <= at_most

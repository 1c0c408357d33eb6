"""functools.cached_property without its lock.

Before Python 3.12 all instances share one, which is held while a value is computed:
threads wait for each other, and a process that is forked meanwhile finds it held
forever. Here, two threads may compute a value twice.
"""

from typing import Any, Callable, Generic, Optional, Type, TypeVar, Union, overload

Value = TypeVar("Value")


class cached_property(Generic[Value]):
    """A property that is computed on first access, and kept in the instance."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: Type[Any]) -> "cached_property[Value]": ...

    @overload
    def __get__(self, instance: object, owner: Type[Any]) -> Value: ...

    def __get__(
        self, instance: Optional[object], owner: Type[Any]
    ) -> Union["cached_property[Value]", Value]:
        if instance is None:
            return self
        # from now on the value shadows this
        value = instance.__dict__[self._name] = self._compute(instance)
        return value

"""Whether plain data is of the types that its classes promise: what is read may have been written by anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def is_typed(value: object, hint: Any) -> bool:
    """Whether a value is what the hint says, with all that is in it. Known are classes, tuples, mappings and unions."""
    kind, arguments = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(is_typed(value, each) for each in arguments)
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        if arguments[-1:] == (Ellipsis,):
            return all(is_typed(each, arguments[0]) for each in value)
        return len(value) == len(arguments) and all(map(is_typed, value, arguments))
    if kind is not None:
        return isinstance(value, Mapping) and not value  # of the mappings of a report, none is kept
    if hint in (None, NoneType):
        return value is None
    if not is_dataclass(hint):
        return type(value) is hint or (isinstance(value, hint) and not isinstance(value, (bool, int, str)))
    return type(value) is hint and all(is_typed(getattr(value, name), each) for name, each in _hints(hint).items())


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)

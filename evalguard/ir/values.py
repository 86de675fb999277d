"""What an op computes with: the operands of the graph.

A value is a small tree without side effects. Whatever may have one (a call, an `await`, advancing an iterator) is an
op of its own (see `ops.py`), whose result a `Temp` names. So `net.to(device).eval()` is two ops:

    %1 = call net.to(device)
    %2 = call %1.eval()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Literals: TypeAlias = bool | int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Const:
    """A literal: `None`, `True`, `3`, `-1`, `"train"`."""

    value: Literals


@dataclass(frozen=True, slots=True)
class Name:
    """A variable. The targets of a comprehension get a name of their own, `x@12:8`, for they have a scope of their
    own."""

    id: str


@dataclass(frozen=True, slots=True)
class Temp:
    """The result of one op of the same function."""

    number: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value.name`."""

    value: Value
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """`value[index]`. Unpacking `a, b = v` reads `v[0]` and `v[1]`."""

    value: Value
    index: Value


@dataclass(frozen=True, slots=True)
class Sequence:
    """A tuple, list or set display."""

    kind: Literal["tuple", "list", "set"]
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Star:
    """`*value` inside a display."""

    value: Value


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict display; a `None` key stands for `**value`."""

    items: tuple[tuple[Value | None, Value], ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `is`, `is not`. A chain is an `and` of its
    links."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Not:
    """`not value`."""

    value: Value


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`, also `and` and `or` where neither side holds an op (else they are control flow)."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Closure:
    """A function made here: a nested `def` or a lambda, by its qualified name in the file."""

    function: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else (f-string, slice, ...) that only depends on its parts."""

    parts: tuple[Value, ...]


Value: TypeAlias = (
    Const | Name | Temp | Attribute | Item | Sequence | Star | Mapping | Compare | Not | Binary | Closure | Opaque
)


def as_value(dotted: str) -> Value:
    """A dotted name as the chain of names that it stands for."""
    head, *rest = dotted.split(".")
    value: Value = Name(head)
    for part in rest:
        value = Attribute(value, part)
    return value

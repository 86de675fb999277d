"""What an op computes with: the operands of the graph.

A value is a small tree without side effects. Whatever may have one (a call, an `await`, advancing an iterator) is an
op of its own (see `ops.py`), whose result a `Temp` names. So `net.to(device).eval()` is two ops:

    %1 = call net.to(device)
    %2 = call %1.eval()
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from evalguard.ir.plain import Alternative

Literals: TypeAlias = bool | int | float | str | None


class Const(Alternative, frozen=True):
    """A literal: `None`, `True`, `3`, `-1`, `"train"`."""

    value: Literals


class Name(Alternative, frozen=True):
    """A variable. The targets of a comprehension get a name of their own, `x@12:8`, for they have a scope of their
    own."""

    id: str


class Temp(Alternative, frozen=True):
    """The result of one op of the same function."""

    number: int


class Attribute(Alternative, frozen=True):
    """`value.name`."""

    value: Value
    name: str


class Item(Alternative, frozen=True):
    """`value[index]`. Unpacking `a, b = v` reads `v[0]` and `v[1]`."""

    value: Value
    index: Value


class Sequence(Alternative, frozen=True):
    """A tuple, list or set display."""

    kind: Literal["tuple", "list", "set"]
    items: tuple[Value, ...]


class Star(Alternative, frozen=True):
    """`*value` inside a display."""

    value: Value


class Mapping(Alternative, frozen=True):
    """A dict display; a `None` key stands for `**value`."""

    items: tuple[tuple[Value | None, Value], ...]


class Compare(Alternative, frozen=True):
    """One comparison: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `is`, `is not`. A chain is an `and` of its
    links."""

    operator: str
    left: Value
    right: Value


class Not(Alternative, frozen=True):
    """`not value`."""

    value: Value


class Binary(Alternative, frozen=True):
    """`left operator right`, also `and` and `or` where neither side holds an op (else they are control flow)."""

    operator: str
    left: Value
    right: Value


class Closure(Alternative, frozen=True):
    """A function made here: a nested `def` or a lambda, by its qualified name in the file."""

    function: str


class Opaque(Alternative, frozen=True):
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

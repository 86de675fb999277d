"""Plain data as JSON, and back.

The data is written as a list of nodes, each made of nodes before it, and each only once however often it occurs: most
spans of a file's facts stand there several times. The last node is the whole.

    Call(Temp(1), Name("f"), (), span, span)

    [1, ["Temp", 0], "f", ["Name", 2], ["tuple"], 3, 5, ["Span", 5, 6, 5, 9], ["Call", 1, 3, 4, 7, 7]]

What is read may have been written by anybody: it makes objects of the classes below or is no good, and nothing else
happens.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Hashable, Sequence
from enum import Enum
from types import ModuleType
from typing import Any

from evalguard import finding, source
from evalguard.ir import facts, graph, ops, values
from evalguard.report import Report

Node = Any  # what JSON knows
FAST = 1  # of zlib's levels


class NoGood(Exception):
    """Bytes that are not what `encoded` makes."""


def _classes(*modules: ModuleType) -> dict[str, type]:
    found = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    kept = {each for each in found if dataclasses.is_dataclass(each) or issubclass(each, Enum)}
    return {each.__name__: each for each in kept if each.__module__.startswith("evalguard.")}


CLASSES = _classes(finding, source, values, ops, graph, facts) | {"Report": Report}
_FIELDS = {
    each: tuple(field.name for field in dataclasses.fields(each))
    for each in CLASSES.values()
    if dataclasses.is_dataclass(each)
}
_PLAIN = (str, int, bool, type(None))


def encoded(whole: object) -> bytes:
    """A value as bytes: of the classes of `CLASSES`, of tuples, frozensets, dicts, and what JSON knows. Raises
    TypeError for anything else."""
    nodes: list[Node] = []
    known: dict[Hashable, int] = {}

    def number(value: object) -> int:
        if isinstance(value, _PLAIN):
            return add((type(value), value), value)
        kind = type(value)
        if kind in _FIELDS:
            return add_node(kind.__name__, [number(getattr(value, name)) for name in _FIELDS[kind]])
        match value:
            case tuple():
                return add_node("tuple", [number(item) for item in value])
            case Enum() if kind.__name__ in CLASSES:
                return add_node(kind.__name__, [number(value.value)])
            case float():
                return add_node("float", [number(value.hex())])
            case bytes():
                return add_node("bytes", [number(value.decode("latin-1"))])
            case frozenset():
                return add_node("frozenset", sorted(number(item) for item in value))
            case dict():
                return add_node("dict", [number(part) for pair in value.items() for part in pair])
            case _:
                raise TypeError(f"{kind.__name__} is no plain data")

    def add_node(tag: str, parts: list[int]) -> int:
        return add((tag, *parts), [tag, *parts])

    def add(key: Hashable, node: Node) -> int:
        found = known.get(key)
        if found is None:
            found = known[key] = len(nodes)
            nodes.append(node)
        return found

    number(whole)
    return zlib.compress(json.dumps(nodes, separators=(",", ":")).encode("ascii"), FAST)


def decoded(data: bytes) -> object:
    """What `encoded` was given. Raises NoGood for what it did not make."""
    try:
        nodes = json.loads(zlib.decompress(data))
        made: list[object] = []
        for node in nodes:
            if type(node) is list:
                parts = [made[number] for number in node[1:]]
                made.append(_MAKERS[node[0]](parts))
            else:
                made.append(node)
        return made[-1]
    except (zlib.error, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise NoGood(str(error)) from error


def _maker(each: type) -> Callable[[list[Any]], object]:
    return lambda parts: each(*parts)


def _pairs(parts: Sequence[Any]) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


_MAKERS: dict[str, Callable[[list[Any]], object]] = {
    **{name: _maker(each) for name, each in CLASSES.items()},
    "tuple": tuple,
    "frozenset": frozenset,
    "dict": _pairs,
    "float": lambda parts: float.fromhex(parts[0]),
    "bytes": lambda parts: parts[0].encode("latin-1"),
}

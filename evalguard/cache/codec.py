"""Plain data as JSON, and back.

The data is written as a list of nodes, each made of nodes before it, and each only once however often it occurs: most
spans of a file's facts stand there several times. The last node is the whole.

    Call(Temp(1), Name("f"), (), span, span)

    [1, ["Temp", 0], "f", ["Name", 2], ["tuple"], 3, 5, ["Span", 5, 6, 5, 9], ["Call", 1, 3, 4, 7, 7]]

What is read may have been written by anybody: it makes objects of the classes that a codec knows or is no good, and
nothing else happens.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from types import ModuleType
from typing import Any

Node = Any  # what JSON knows
FAST = 1  # of zlib's levels
MOST_BYTES = 1 << 28  # unpacked: few bytes can be made to unpack to very many


class NoGood(Exception):
    """Bytes that are not what `encoded` makes."""


_PLAIN = (str, int, bool, type(None))


class Codec:
    """Turns plain data into bytes and back: of the dataclasses and enumerations in some modules, of tuples, frozensets,
    dicts, and what JSON knows."""

    def __init__(self, *modules: ModuleType) -> None:
        found = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
        own = {each for each in found if each.__module__ in {module.__name__ for module in modules}}
        self._classes = {each.__name__: each for each in own if is_dataclass(each) or issubclass(each, Enum)}
        self._fields = {
            each: tuple(field.name for field in fields(each)) for each in self._classes.values() if is_dataclass(each)
        }
        self._makers: dict[str, Callable[[list[Any]], object]] = {
            **{name: _maker(each) for name, each in self._classes.items()},
            "tuple": tuple,
            "frozenset": frozenset,
            "dict": _pairs,
            "float": lambda parts: float.fromhex(parts[0]),
            "bytes": lambda parts: parts[0].encode("latin-1"),
        }

    def encoded(self, whole: object) -> bytes:
        """A value as bytes. Raises TypeError for what is no plain data."""
        nodes: list[Node] = []
        known: dict[Hashable, int] = {}

        def number(value: object) -> int:
            if isinstance(value, _PLAIN):
                return add((type(value), value), value)
            kind = type(value)
            if kind in self._fields:
                return add_node(kind.__name__, [number(getattr(value, name)) for name in self._fields[kind]])
            match value:
                case tuple():
                    return add_node("tuple", [number(item) for item in value])
                case Enum() if kind.__name__ in self._classes:
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

    def decoded(self, data: bytes) -> object:
        """What `encoded` was given. Raises NoGood for what it did not make."""
        try:
            unpacking = zlib.decompressobj()
            nodes = json.loads(unpacking.decompress(data, MOST_BYTES))
            made: list[object] = []
            for node in nodes:
                if type(node) is list:
                    parts = [made[number] for number in node[1:]]
                    made.append(self._makers[node[0]](parts))
                else:
                    made.append(node)
            return made[-1]
        except (zlib.error, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise NoGood(str(error)) from error


def _maker(each: type) -> Callable[[list[Any]], object]:
    return lambda parts: each(*parts)


def _pairs(parts: Sequence[Any]) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))

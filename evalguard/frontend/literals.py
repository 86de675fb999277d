"""The values of literals, without a compiler call for the common ones."""

from __future__ import annotations

import ast
import math
import re
import warnings

import libcst as cst

from evalguard.ir.values import Const, Opaque, Value

UNKNOWN = Opaque(())


def literal(node: cst.BaseNumber | cst.SimpleString) -> Value:
    """The value of a number or of a string that is not concatenated; bytes, complex and infinite numbers stay
    unknown."""
    text = node.value if isinstance(node, cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString) else ""
    if isinstance(node, cst.Integer) and text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return Const(int(text)) if len(text) < 4000 else UNKNOWN
    if isinstance(node, cst.SimpleString) and "\\" not in text and "\r" not in text:
        prefix, quotes = node.prefix, node.quote
        content = text[len(prefix) + len(quotes) : len(text) - len(quotes)]
        if "b" not in prefix.lower():
            return Const(content)
    return _evaluated(text)


def joined(parts: list[Value]) -> Value:
    """The value of literals side by side."""
    contents = [part.value if isinstance(part, Const) else None for part in parts]
    if all(isinstance(content, str) for content in contents):
        return Const("".join(content for content in contents if isinstance(content, str)))
    return Opaque(tuple(part for part in parts if not isinstance(part, Const)))


def negated(value: Value) -> Value:
    """`-value`."""
    if isinstance(value, Const) and isinstance(value.value, int | float) and not isinstance(value.value, bool):
        return Const(-value.value)
    return Opaque((value,))


def _evaluated(text: str) -> Value:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(re.sub(r"\r\n?", "\n", text))
    except (SyntaxError, ValueError):
        return UNKNOWN
    if isinstance(value, float) and not math.isfinite(value):
        return UNKNOWN
    return Const(value) if isinstance(value, bool | int | float | str) else UNKNOWN

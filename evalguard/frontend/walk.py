"""Walking over the code of a LibCST tree without its whitespace, commas and brackets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache

import libcst as cst

_OPS = (
    cst.Call,
    cst.Yield,
    cst.NamedExpr,
    cst.IfExp,
    cst.ListComp,
    cst.SetComp,
    cst.DictComp,
    cst.GeneratorExp,
)
_PUNCTUATION = frozenset({"lpar", "rpar", "comma", "lbracket", "rbracket", "lbrace", "rbrace", "dot", "colon", "equal"})


def holds_op(node: cst.CSTNode) -> bool:
    """Whether evaluating an expression takes an op or a branch. The body of a lambda is not evaluated."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, _OPS):
            return True
        waiting.extend(children(current.params if isinstance(current, cst.Lambda) else current))
    return False


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The direct parts of a node that are code."""
    for name in _code_fields(type(node)):
        part = getattr(node, name)
        if isinstance(part, cst.CSTNode):
            yield part
        elif isinstance(part, (list, tuple)):
            yield from part


def target_names(target: cst.CSTNode) -> Iterator[str]:
    """The variables that assigning to a target binds."""
    match target:
        case cst.Name():
            yield target.value
        case cst.Tuple() | cst.List():
            for element in target.elements:
                yield from target_names(element.value)
        case cst.StarredElement():
            yield from target_names(target.value)


@cache
def _code_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in fields(kind)
        if field.name not in _PUNCTUATION and not field.name.startswith("whitespace")
    )

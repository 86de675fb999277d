"""What the names of a file mean where they were imported from, and how a file says a name of a library."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.fixes.script import FUNCTIONS, Script


def dotted(callee: ast.expr, script: Script) -> str:
    """What a callee is called where it was imported from: `torch.nn.functional.dropout` for `F.dropout`."""
    text = script.source(callee)
    head, dot, rest = text.partition(".")
    for node in ast.walk(script.tree):
        for name, meaning in _imported(node):
            if name == head and name != meaning:
                return meaning + dot + rest
    return text


def spelled(name: str, script: Script) -> str | None:
    """How a file says a dotted name of a library, by what it imports for all of its functions; None if it cannot."""
    imported: dict[str, str] = {}
    waiting: list[ast.AST] = list(script.tree.body)
    while waiting:
        node = waiting.pop()
        imported |= {meaning: text for text, meaning in _imported(node)}
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    parts = name.split(".")
    for number in range(len(parts), 0, -1):
        if (text := imported.get(".".join(parts[:number]))) is not None:
            return ".".join([text, *parts[number:]])
    return None


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with what it means."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name, alias.name
    elif isinstance(node, ast.ImportFrom) and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"

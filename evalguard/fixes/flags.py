"""Copies of `self.training` that the constructor makes: the flag itself is asked where they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes import arguments
from evalguard.fixes.script import Script


def flag_of_a_call(finding: Finding, script: Script) -> Iterator[Fix]:
    """`training=self.training` for a call that asks an attribute which nothing sets."""
    if finding.trace:
        yield from arguments.flag_that_follows_the_mode(finding, script)


def read_where_it_is_asked(finding: Finding, script: Script) -> Iterator[Fix]:
    """`self.training` in the place of each read of its copy, which goes. Unsafe: another file may read the copy."""
    statement = next(iter(script.around(finding.span)), None)
    owner = script.class_around(finding.span)
    match statement:
        case ast.Assign(
            targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)],
            value=ast.Attribute(value=ast.Name(id="self"), attr="training"),
        ) if owner is not None:
            reads = [
                node
                for node in ast.walk(owner)
                if isinstance(node, ast.Attribute)
                and node.attr == name
                and isinstance(node.ctx, ast.Load)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
            ]
            gone = script.without(statement)
            is_all = sum(1 for node in ast.walk(script.tree) if _names(name, node)) == len(reads) + 1
            if gone is not None and is_all and reads:
                edits = (gone, *(script.replaced(node, arguments.MODE) for node in reads))
                yield Fix(f"ask `{arguments.MODE}`, and keep no copy", Applicability.UNSAFE, edits)


def _names(attribute: str, node: ast.AST) -> bool:
    """Whether a node is an attribute of that name, or the name as a text, as for `getattr`."""
    match node:
        case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name == attribute
    return False

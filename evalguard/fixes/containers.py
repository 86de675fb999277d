"""Plain collections of modules, put into the containers that `eval()`, `parameters()` and `to()` look into."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes.imports import spelled
from evalguard.fixes.script import Script


def registering_container(finding: Finding, script: Script) -> Iterator[Fix]:
    """`nn.ModuleList(...)` or `nn.ModuleDict(...)` around what is assigned, as the file names them. It changes the keys
    of the state dict, so that old checkpoints may no longer fit."""
    for statement in script.around(finding.span)[:1]:
        match statement:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                is_dict = isinstance(value, (ast.Dict, ast.DictComp)) or _calls(value, "dict")
                if _is_nested(value) or (is_dict and not _has_names_for_keys(value)):
                    continue  # neither may stand in such a container
                name = spelled(f"torch.nn.{'ModuleDict' if is_dict else 'ModuleList'}", script)
                text = script.source(value)
                if name is not None and not text.startswith(name):
                    content = f"{name}({_bare(value, text)})"
                    title = f"keep them in an `{name}`"
                    yield Fix(title, Applicability.UNSAFE, (script.replaced(value, content),))


def _bare(value: ast.expr, text: str) -> str:
    """The text as an argument: a tuple needs its brackets."""
    return f"({text})" if isinstance(value, ast.Tuple) and not text.startswith("(") else text


def _is_nested(value: ast.expr) -> bool:
    """Whether the items are collections themselves."""
    plain = (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp)
    match value:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Dict(values=items):
            return any(isinstance(item, plain) for item in items)
        case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item) | ast.DictComp(value=item):
            return isinstance(item, plain)
        case ast.BinOp(left=left, right=right):
            return _is_nested(left) or _is_nested(right)
    return False


def _has_names_for_keys(value: ast.expr) -> bool:
    """Whether all keys are known to be text."""
    match value:
        case ast.Dict(keys=keys) if keys:
            return all(isinstance(key, ast.Constant) and isinstance(key.value, str) for key in keys)
        case ast.DictComp(key=ast.JoinedStr()) | ast.DictComp(key=ast.Call(func=ast.Name(id="str"))):
            return True
    return False


def _calls(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name

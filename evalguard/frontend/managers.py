"""Which managers of a file may swallow an exception: seen at once, before any `with` is lowered.

    @contextmanager                     class Ignoring:
    def ignoring():                         def __exit__(self, kind, error, trace):
        try:                                    return True
            yield
        except ValueError:
            ...

Only in the body of such a `with` is every call taken to raise: elsewhere the exception just goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from evalguard.frontend.walk import children


def swallowing_managers(module: cst.Module) -> frozenset[str]:
    """The names of the functions, methods and classes at the top of a file or of a class that do."""
    return frozenset(_swallowing(module.body))


def _swallowing(body: Sequence[cst.CSTNode]) -> Iterator[str]:
    for node in body:
        match node:
            case cst.FunctionDef() if _is_manager(node) and _holds(node.body, _is_handling):
                yield node.name.value
            case cst.ClassDef():
                if any(_is_answering_exit(member) for member in node.body.body):
                    yield node.name.value
                yield from _swallowing(node.body.body)
            case _:
                pass


def _is_answering_exit(member: cst.CSTNode) -> bool:
    return isinstance(member, cst.FunctionDef) and member.name.value == "__exit__" and _holds(member.body, _is_answer)


def _is_manager(function: cst.FunctionDef) -> bool:
    return any(_last_name(decorator.decorator).endswith("contextmanager") for decorator in function.decorators)


def _last_name(node: cst.CSTNode) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""


def _holds(node: cst.CSTNode, is_wanted: Callable[[cst.CSTNode], bool]) -> bool:
    return is_wanted(node) or any(_holds(child, is_wanted) for child in children(node))


def _is_handling(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.Try, cst.TryStar)) and bool(node.handlers)


def _is_answer(node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.Return) or node.value is None:
        return False
    return not (isinstance(node.value, cst.Name) and node.value.value in ("None", "False"))

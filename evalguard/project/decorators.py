"""What decorators say of a function: `@property`, `@staticmethod`, `@register`."""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.ir.facts import FileFacts, FunctionFacts
from evalguard.ir.ops import Assign, Define, Return


def is_property(facts: FunctionFacts) -> bool:
    """Whether reading the attribute calls the function."""
    return any(decorator.name.endswith(("property", ".getter")) for decorator in facts.decorators)


def is_static(facts: FunctionFacts) -> bool:
    """Whether the function takes no receiver."""
    return any(decorator.name == "staticmethod" for decorator in facts.decorators)


def is_class_method(facts: FunctionFacts) -> bool:
    """Whether the function takes its class where others take an object."""
    return any(decorator.name == "classmethod" for decorator in facts.decorators)


def gives_back(file: FileFacts, facts: FunctionFacts, called: bool) -> bool:
    """Whether a decorator of a file surely gives back the very function that it is put on, as one that registers does.
    If `called`, it is used as `@decorator(...)`, and what it returns is put on the function."""
    if called:
        returned = only_returned(facts)
        inner = [f for f in file.functions.values() if f.parent == facts.qualname and f.name == returned]
        return len(inner) == 1 and gives_back(file, inner[0], False)
    if not facts.parameters or facts.is_generator or facts.is_async or facts.owner is not None:
        return False
    given = facts.parameters[0].name
    return only_returned(facts) == given and given not in _bound(facts)


def only_returned(facts: FunctionFacts) -> str | None:
    """The variable that every `return` of a function gives."""
    returned = {op.value for block in facts.blocks for op in block.ops if isinstance(op, Return)}
    match list(returned):
        case [ir.Name(id=name)]:
            return name
        case _:
            return None


def _bound(facts: FunctionFacts) -> set[str]:
    """The variables that the body of a function binds by assignments and definitions."""
    bound: set[str] = set()
    for block in facts.blocks:
        for op in block.ops:
            match op:
                case Assign(target=ir.Name(id=name)) | Define(name=ir.Name(id=name)):
                    bound.add(name)
                case _:
                    pass
    return bound

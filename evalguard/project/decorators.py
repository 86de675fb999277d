"""What decorators say of a function: `@torch.no_grad()`, `@property`, `@staticmethod`."""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.ir.facts import FunctionFacts
from evalguard.project.resolve import Index
from evalguard.vocabulary import lookup

SETTERS_OF_GRADIENTS = ("off", "on")


def gradient_effect(path: str, facts: FunctionFacts, index: Index) -> bool | None:
    """What a function's decorators do to gradients: off (False), on (True) or nothing (None)."""
    for decorator in facts.decorators:
        found = index.resolve(path, ir.as_value(decorator.name)) if decorator.name else None
        if not isinstance(found, str):
            continue
        gradients = lookup.gradients(found)
        if gradients is None:
            continue
        if gradients.effect in SETTERS_OF_GRADIENTS:
            return gradients.effect == "on"
        flag = decorator.arguments[0].value if decorator.arguments else None
        constant = flag.value if isinstance(flag, ir.Const) else None
        if lookup.canonical(found) == "torch.inference_mode":
            return constant is False
        return bool(constant)
    return None


def is_property(facts: FunctionFacts) -> bool:
    """Whether reading the attribute calls the function."""
    return any(decorator.name.endswith(("property", ".getter")) for decorator in facts.decorators)


def is_static(facts: FunctionFacts) -> bool:
    """Whether the function takes no receiver."""
    return any(decorator.name == "staticmethod" for decorator in facts.decorators)


def is_class_method(facts: FunctionFacts) -> bool:
    """Whether the function takes its class where others take an object."""
    return any(decorator.name == "classmethod" for decorator in facts.decorators)

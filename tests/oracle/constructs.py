"""The names of the constructs that programs are made of, and how to read them off a program's comments."""

from __future__ import annotations

import re

CORRELATED = frozenset(
    {"flag-test", "phase-test", "epoch-test", "mode-test", "constant-test", "phase-loop", "flag-loop", "range-loop"}
)

OPTIONAL = (
    "train-argument", "chained", "save-restore", "alias", "alias-rebound", "alias-choice", "two-modules", "container",
    "container-variable", "dict", "step", "conditional-expression", "short-circuit", "comprehension", "helper",
    "helper-returns-module", "saving-helper", "factory", "recursion", "nested-function", "lambda", "callback",
    "manager", "manager-no-try", "manager-suppresses", "manager-class", "manager-free", "with-as", "with-two",
    "suppress", "no-grad", "generator-for", "generator-next", "generator-list", "private-methods", "public-methods",
    "own-module", "try-except", "try-finally", "try-else", "typed-except", "reraise", "raise", "assert", "return",
    "return-in-finally", "match", "while", "endless", "loop-else", "break", "continue", "dead-code", "submodule",
    "global-module", "same-argument-twice", "wrapper", "copy", "unpack", "walrus", "del", "zip", "append",
    "module-list", "bound-method", "partial", "lambda-default", "closure", "property", "inheritance", "static-method",
    "star-arguments", "decorator", "no-grad-decorator", "async", "async-with", "async-for", "exit-stack",
    "enumerate", "yield-from", "files",
)  # fmt: skip
OPTIONAL_CORRELATED = (*sorted(CORRELATED), "flag-argument", "flag-reassigned", "flag-train", "flag-default")

# A construct that shows little without others: half of the time they come with it, half of the time it is dropped.
NEEDS = {
    "alias-choice": ("alias", "two-modules"), "alias-rebound": ("alias", "two-modules"), "epoch-test": ("range-loop",),
    "flag-argument": ("helper", "flag-test"), "flag-default": ("helper", "flag-test", "flag-argument"),
    "mode-test": ("save-restore",),
    "helper-returns-module": ("helper",), "recursion": ("helper",), "reraise": ("try-except",),
    "return-in-finally": ("try-finally", "return"), "same-argument-twice": ("helper", "two-modules"),
    "saving-helper": ("save-restore",), "try-else": ("try-except",), "typed-except": ("try-except", "raise"),
    "with-as": ("manager",), "with-two": ("manager",), "exit-stack": ("manager",), "partial": ("helper",),
    "star-arguments": ("helper",), "yield-from": ("generator-for", "generator-list"),
}  # fmt: skip

_COMMENT = re.compile(r"  # (.*)$", re.MULTILINE)


def constructs(text: str) -> frozenset[str]:
    """The constructs that a program names."""
    named = frozenset(name for names in _COMMENT.findall(text) for name in names.split(", ")) - {"layer"}
    return named | {"files"} if "# file: " in text else named


def is_independent(text: str) -> bool:
    """Whether every test of the program is a fresh outcome."""
    return not constructs(text) & CORRELATED

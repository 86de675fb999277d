"""The rules, one file each. A module in this package that defines a `Rule` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from evalguard.rules.base import Rule


def _found() -> Iterator[Rule]:
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        if module.name == "base":
            continue
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == loaded.__name__:
                yield value()


RULES: tuple[Rule, ...] = tuple(sorted(_found(), key=lambda rule: rule.code))
"""All rules, by code."""

if len({rule.code for rule in RULES}) != len(RULES) or len({rule.name for rule in RULES}) != len(RULES):
    raise RuntimeError("two rules have the same code or name")

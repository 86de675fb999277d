"""How facts go from process to process.

Dataclasses with slots are pickled by a function of `dataclasses` that asks for their fields anew for each object. Told
how, `pickle` takes half the time, and the facts of a large project are some million objects.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from evalguard import finding
from evalguard.ir import facts, graph, ops, values


@cache
def pickle_quickly() -> None:
    """From here on pickle facts, and what they hold, field by field."""
    for module in (finding, values, ops, graph, facts):
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
                copyreg.pickle(kind, _reducer(kind))


def _reducer(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    names = [field.name for field in fields(kind)]
    if len(names) < 2:
        return lambda value: (kind, tuple([getattr(value, name) for name in names]))
    of_all = attrgetter(*names)
    return lambda value: (kind, of_all(value))

"""Which variables a function may read before it binds them.

if kind == "linear":
    head = Linear()
elif kind == "cosine":
    head = Cosine()
head(x)                 not bound where neither test holds: Python raises here
"""

from __future__ import annotations

from collections.abc import Callable

from evalguard.flow.liveness import Paths, paths_in, values_of
from evalguard.ir.facts import FunctionFacts
from evalguard.modes.frame import EarlyReads


def early_reads(facts: FunctionFacts, live: Paths, is_private: Callable[[str], bool]) -> EarlyReads:
    """By block and by position of an op in it: the private variables of a function that are read there, of those that
    some path reads before it binds them. `live` are the access paths that may be read from its entry on."""
    own = facts.locals - {parameter.name for parameter in facts.parameters}
    early = {name for path in live if (name := path.partition(".")[0]) in own and is_private(name)}
    found: EarlyReads = {}
    for number, block in enumerate(facts.blocks) if early else ():
        for position, op in enumerate(block.ops):
            names = early & {path.partition(".")[0] for value in values_of(op) for path in paths_in(value)}
            if names:
                found.setdefault(number, {})[position] = frozenset(names)
    return found

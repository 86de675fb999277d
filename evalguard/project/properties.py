"""Which attributes that a function reads may be properties, by their names alone: `agent.net` where a class has one."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.facts import FileFacts, FunctionFacts
from evalguard.ir.ops import Define, Op
from evalguard.ir.values import Attribute, Closure, Value
from evalguard.modes.frame import PropertyReads
from evalguard.project.decorators import is_property
from evalguard.project.resolve import Index


def property_names(index: Index) -> frozenset[str]:
    """The names of all properties in a project."""
    functions = (facts for file in index.files.values() for facts in file.functions.values())
    return frozenset(facts.name for facts in functions if facts.owner is not None and is_property(facts))


def property_reads(file: FileFacts, facts: FunctionFacts, names: frozenset[str]) -> PropertyReads:
    """By block and by position of an op in it: the attributes of those names that a function reads there, inner ones
    first, and in the defaults of what it defines: `lambda net=self.net: ...`."""
    found: PropertyReads = {}
    if names:
        for number, block in enumerate(facts.blocks):
            for position, op in enumerate(block.ops):
                values = (*values_of(op), *_defaults_of(file, op))
                reads = dict.fromkeys(read for value in values for read in _reads(value, names))
                if reads:
                    found.setdefault(number, {})[position] = tuple(reads)
    return found


def _defaults_of(file: FileFacts, op: Op) -> Iterator[Value]:
    """The defaults of the functions that an op makes, which are read where it does."""
    made = [value.function for value in values_of(op) if isinstance(value, Closure)]
    if isinstance(op, Define) and not op.is_class:
        made.append(op.qualname)
    for qualname in made:
        for parameter in file.functions[qualname].parameters:
            if parameter.default is not None:
                yield parameter.default


def _reads(value: Value, names: frozenset[str]) -> Iterator[Attribute]:
    for part in parts_of(value):
        yield from _reads(part, names)
    if isinstance(value, Attribute) and value.name in names:
        yield value

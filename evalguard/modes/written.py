"""What the mode ribbon may show of a function, before it is run: the places that its text writes, and its lines.

    model.backbone(x); nets["G"].eval()      a tree of places: model (.backbone), nets (["G"] (.eval, only called))

A line may be more than one block (`f(x if x else y)`): a path that goes from one to the next is still on the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.graph import Block
from evalguard.ir.ops import Assign, Call, Exit, Op
from evalguard.ir.plain import Plain
from evalguard.modes.evaluate import BUILTINS
from evalguard.modes.frame import Frame
from evalguard.modes.state import State
from evalguard.modes.values import Cls, Ext, Fn, Mod
from evalguard.vocabulary.words import MODULE_WORDS, words

DEEPEST = 4  # attributes and items of one place
MOST_PLACES = 60  # of one function


@dataclass(slots=True)
class Written:
    """A variable that a function writes or reads, with the attributes and items of it: a tree of places. `only_called`
    for what stands nowhere but before brackets: mostly methods, unless they are `called_a_module`."""

    name: str
    called_a_module: bool
    only_called: bool = True
    steps: dict[ir.Value, Written] = field(default_factory=dict)

    @property
    def is_method(self) -> bool:
        """Whether it is one, as far as can be seen."""
        return self.only_called and not self.called_a_module and not self.steps


class Plan(Plain, frozen=True):
    """What is fixed for a function: its places, and for each block the lines on which a path may come to it from
    elsewhere on the same line, or go on there."""

    variables: tuple[tuple[str, Written], ...]
    comes_from: dict[int, frozenset[int]]
    goes_to: dict[int, frozenset[int]]


def lines_with_ops(function: FunctionFacts) -> set[int]:
    """The lines of a function on which something happens."""
    found = {line for block in function.blocks for op in block.ops if (line := line_of(op)) is not None}
    return found | {edge.span.line for block in function.blocks for edge in block.edges if edge.span is not None}


def line_of(op: Op) -> int | None:
    """The line on which a reader sees an op; the end of a `with` is nowhere."""
    return None if isinstance(op, Exit) else op.span.line


def plan_of(frame: Frame) -> Plan:
    """All that is fixed for a function."""
    function = frame.function
    variables: dict[str, Written] = {}
    for parameter in function.parameters:
        variables.setdefault(parameter.name, _written(parameter.name))
    for block in function.blocks:
        for op in block.ops:
            for value in _written_in(op):
                _add(value, variables, isinstance(op, Call) and value is op.callee)
    for name in [name for name in variables if _is_fixed(name, frame)]:
        del variables[name]
    first = [_first_lines(function, number) for number in range(len(function.blocks))]
    last = [_last_line(block) for block in function.blocks]
    comes: dict[int, frozenset[int]] = {}
    goes: dict[int, frozenset[int]] = {}
    for number, block in enumerate(function.blocks):
        onward = [first[edge.target] for edge in block.edges]
        goes[number] = frozenset(
            {line for line in (last[number],) if line is not None and onward and all(o == {line} for o in onward)}
        )
        comes[number] = frozenset()
    before: dict[int, set[int | None]] = {}
    for number in range(len(function.blocks)):
        for target in _next_with_lines(function, number):
            before.setdefault(target, set()).add(last[number])
    for target, lines in before.items():
        if len(lines) == 1:
            comes[target] = frozenset(line for line in lines if line is not None)
    return Plan(tuple(list(variables.items())[:MOST_PLACES]), comes, goes)


def _is_fixed(name: str, frame: Frame) -> bool:
    """Whether a name means a function, a class, an import or a builtin."""
    if name in frame.function.locals and frame.function.qualname != MODULE:
        return False
    found = frame.linker.lookup_global(frame.path, name, State())
    return isinstance(found, (Fn, Cls, Ext, Mod)) or (found is None and name in BUILTINS)


def _written_in(op: Op) -> Iterable[ir.Value]:
    yield from values_of(op)
    if isinstance(op, Assign):
        yield op.target


def _add(value: ir.Value, variables: dict[str, Written], called: bool = False) -> None:
    """Add the places in a value to the tree of those that are known; `called` if the value is what a call calls."""
    chain = _chain_of(value)
    if chain is None:
        for part in parts_of(value):
            _add(part, variables)
        return
    root, steps = chain
    if "@" in root:
        return  # of a comprehension: nobody sees it elsewhere
    current = variables.setdefault(root, _written(root))
    for step in steps[:DEEPEST]:
        bare: ir.Value
        if isinstance(step, ir.Attribute):
            end, bare = f".{step.name}", ir.Attribute(ir.Name(""), step.name)
        elif (
            isinstance(step, ir.Item) and isinstance(step.index, ir.Const) and isinstance(step.index.value, (str, int))
        ):
            end, bare = f"[{quoted(step.index.value)}]", ir.Item(ir.Name(""), step.index)
        else:
            return
        if bare not in current.steps:
            current.steps[bare] = _written(current.name + end)
        current = current.steps[bare]
        if not (called and step is steps[-1] and isinstance(step, ir.Attribute)):
            current.only_called = False


def _written(name: str) -> Written:
    return Written(name, not MODULE_WORDS.isdisjoint(words(name.rpartition(".")[2])[-1:]))


def _chain_of(value: ir.Value) -> tuple[str, list[ir.Value]] | None:
    """The variable that a chain of attributes and items begins with, and its steps in their order."""
    steps: list[ir.Value] = []
    while isinstance(value, (ir.Attribute, ir.Item)):
        steps.append(value)
        value = value.value
    return (value.id, steps[::-1]) if isinstance(value, ir.Name) else None


def _last_line(block: Block) -> int | None:
    test = next((edge.span.line for edge in block.edges if edge.span is not None), None)
    return test or next((line for op in reversed(block.ops) if (line := line_of(op)) is not None), None)


def _first_line(block: Block) -> int | None:
    found = next((line for op in block.ops if (line := line_of(op)) is not None), None)
    return found or next((edge.span.line for edge in block.edges if edge.span is not None), None)


def _first_lines(function: FunctionFacts, number: int) -> set[int | None]:
    """The lines to which a path may come first from the entry of a block on; None for the way out."""
    found: set[int | None] = set()
    waiting, seen = [number], set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        line = _first_line(function.blocks[current])
        if line is not None or not function.blocks[current].edges:
            found.add(line)
        else:
            waiting.extend(edge.target for edge in function.blocks[current].edges)
    return found


def _next_with_lines(function: FunctionFacts, number: int) -> set[int]:
    """The blocks with a line of their own to which a path comes first from the end of this one."""
    if _last_line(function.blocks[number]) is None:
        return set()
    found: set[int] = set()
    waiting, seen = [edge.target for edge in function.blocks[number].edges], set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if _first_line(function.blocks[current]) is not None:
            found.add(current)
        else:
            waiting.extend(edge.target for edge in function.blocks[current].edges)
    return found


def quoted(key: str | int) -> str:
    return f'"{key}"' if isinstance(key, str) and '"' not in key else repr(key)

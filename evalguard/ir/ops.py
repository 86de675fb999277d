"""The ops of a graph: what the code says, in evaluation order, without what it means.

`Call(%1, net.eval)` says that an attribute `eval` was called; that it switches a module's mode is known further up.
Every op carries the span of its expression and the span of its statement, so that a finding and a fix need no tree.
"""

from __future__ import annotations

from typing import TypeAlias

from evalguard.finding import Span
from evalguard.ir.plain import Alternative, Plain
from evalguard.ir.values import Name, Temp, Value


class Argument(Plain, frozen=True):
    """One argument of a call. `keyword` is set for `name=value`; `stars` is 1 for `*value`, 2 for `**value`. `span` is
    kept where it begins on a later line than the call."""

    value: Value
    keyword: str | None = None
    stars: int = 0
    span: Span | None = None


class Assign(Alternative, frozen=True):
    """`target = value`; the target is a Name, a Temp, an Attribute or an Item. `target += value` has `augmented` set
    and the `Binary` as its value."""

    target: Value
    value: Value
    span: Span
    statement: Span
    augmented: bool = False


class Call(Alternative, frozen=True):
    """`result = callee(arguments)`."""

    result: Temp
    callee: Value
    arguments: tuple[Argument, ...]
    span: Span
    statement: Span


class Enter(Alternative, frozen=True):
    """The head of a `with` item: `result` is what `as` would bind."""

    result: Temp
    manager: Value
    span: Span
    statement: Span
    asynchronous: bool = False


class Exit(Alternative, frozen=True):
    """The end of a `with` item, once for each way out. `enter` is the `result` of its Enter."""

    enter: Temp
    manager: Value
    span: Span
    statement: Span
    exceptional: bool = False


class Iterate(Alternative, frozen=True):
    """Advance the iterator of a loop, always the last op of the loop's head block, which has a `next` edge (there
    `result` is the element) and an `exhausted` edge. `loop` is the index in `FunctionFacts.loops`."""

    result: Temp
    iterable: Value
    loop: int
    span: Span
    statement: Span


class Return(Alternative, frozen=True):
    """Leave the function; an edge to its exit block follows."""

    value: Value
    span: Span
    statement: Span


class Yield(Alternative, frozen=True):
    """Hand a value out, always the last op of its block. `delegate` for `yield from`."""

    result: Temp
    value: Value
    delegate: bool
    span: Span
    statement: Span


class Raise(Alternative, frozen=True):
    """`raise value`, always the last op of its block; a `raise` edge follows."""

    value: Value | None
    span: Span
    statement: Span


class Delete(Alternative, frozen=True):
    """`del target`."""

    target: Value
    span: Span
    statement: Span


class Define(Alternative, frozen=True):
    """A `def` or `class` statement is executed. `name` is bound to the function or class of that qualified name."""

    name: Name
    qualname: str
    is_class: bool
    span: Span
    statement: Span


class Import(Alternative, frozen=True):
    """`name` is bound to the dotted path `target`, as written: leading dots stand for a relative import."""

    name: Name
    target: str
    span: Span
    statement: Span


class Evaluate(Alternative, frozen=True):
    """A bare expression statement that is not itself an op's result, such as `model.eval`."""

    value: Value
    span: Span
    statement: Span


Op: TypeAlias = Assign | Call | Enter | Exit | Iterate | Return | Yield | Raise | Delete | Define | Import | Evaluate

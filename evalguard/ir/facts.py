"""All that is kept of one file: neutral, plain, cacheable data."""

from __future__ import annotations

from typing import Literal

from evalguard.finding import Span
from evalguard.ir.bodies import Blocks, Body, blocks_of
from evalguard.ir.graph import Loop
from evalguard.ir.ops import Argument
from evalguard.ir.plain import Plain
from evalguard.ir.values import Value
from evalguard.source import Cells

MODULE = "<module>"  # the qualified name of a file's own body


class Parameter(Plain, frozen=True):
    """`annotation` is its source text. `default` is a value without ops, Opaque(()) where the default holds a call."""

    name: str
    kind: Literal["positional", "keyword", "args", "kwargs"]  # "positional" also takes keywords
    default: Value | None = None
    annotation: str | None = None


class Decorator(Plain, frozen=True):
    """`@name` or `@name(arguments)`: the dotted name as written, "" where it is another expression."""

    name: str
    called: bool
    arguments: tuple[Argument, ...]
    span: Span


class FunctionFacts(Plain, frozen=True):
    """One function, method, lambda, or the module body.

    `qualname` is `Trainer.fit`, `main.inner`, `main.<lambda:12:5>`, `<module>`; a second definition of the same name
    gets `#2`. `owner` is the qualified name of the class whose body it stands in, `parent` that of the enclosing
    function (`<module>` at the top, also for methods of a top-level class, `None` for the module body itself). `locals`
    are the names it binds (parameters included), less those declared global or nonlocal.
    """

    qualname: str
    body: Body  # what `blocks` is made from; it stands here for `bodies`, which needs no more of the fields
    name: str
    span: Span  # of the whole definition, decorators left out
    header: Span  # `def name(...):`
    parameters: tuple[Parameter, ...]
    decorators: tuple[Decorator, ...]
    exit: int  # the block, without ops, that every normal way out reaches
    raise_exit: int  # the block, without ops, that every uncaught `raise` reaches
    loops: tuple[Loop, ...]
    locals: frozenset[str]
    declared_global: frozenset[str] = frozenset()
    is_generator: bool = False
    is_async: bool = False
    owner: str | None = None
    parent: str | None = None
    returns: str | None = None  # annotation, source text
    docstring: str | None = None

    @property
    def blocks(self) -> Blocks:
        """The control-flow graph."""
        return blocks_of(self.body)


class ClassFacts(Plain, frozen=True):
    """One class. `bases` are values (names, attributes); `methods` maps a name to a function's qualified name (the last
    definition wins). Assignments in the body are ops of the enclosing graph with targets `Class.name`."""

    qualname: str
    name: str
    span: Span
    bases: tuple[Value, ...]
    decorators: tuple[Decorator, ...]
    methods: tuple[tuple[str, str], ...]
    parent: str  # the enclosing function's qualified name
    annotations: tuple[tuple[str, str], ...] = ()  # `name: annotation` of the body


class FileFacts(Plain, frozen=True):
    """The facts of one file. `imports` is the table of every import in it, function bodies included: local name to
    dotted target as written."""

    path: str
    functions: dict[str, FunctionFacts]
    classes: dict[str, ClassFacts]
    imports: dict[str, str]
    star_imports: tuple[str, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
    cells: Cells | None = None  # of a file whose lines are shown by cells

    def name_of_line(self, line: int) -> str:
        """What a line of the file is called: "line 12", or "line 3 of cell 2"."""
        if self.cells is None:
            return f"line {line}"
        cell, line = self.cells.place(line)
        return f"line {line} of cell {cell}"

    def address_of_line(self, line: int) -> str:
        """What a line is called from elsewhere: "lib/engine.py:12", or "explore.ipynb:cell 2:3"."""
        if self.cells is None:
            return f"{self.path}:{line}"
        cell, line = self.cells.place(line)
        return f"{self.path}:cell {cell}:{line}"

"""What is carried along while a file and its functions are lowered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst

from evalguard.finding import Span
from evalguard.frontend.blocks import GraphBuilder
from evalguard.frontend.names import Names
from evalguard.frontend.positions import Positions
from evalguard.ir.facts import MODULE, ClassFacts, Decorator, FileFacts, FunctionFacts, Parameter


class FileDraft:
    """The tables of one file, filled as its functions are finished."""

    def __init__(self, path: str, positions: Positions, swallowing: frozenset[str] = frozenset()) -> None:
        self.positions = positions
        self.swallowing = swallowing  # names of managers that may swallow an exception
        self.imports: dict[str, str] = {}
        self.star_imports: list[str] = []
        self.functions: dict[str, FunctionFacts] = {}
        self.classes: dict[str, ClassFacts] = {}
        self._path = path
        self._taken: dict[str, set[str]] = {"function": set(), "class": set()}
        self._named: dict[int, str] = {}

    def qualname(self, node: cst.CSTNode, kind: str, wanted: str) -> tuple[str, bool]:
        """The unique name of a definition, and whether it is the first time that this node is met: the body of a
        `finally` is lowered several times, the functions in it once."""
        known = self._named.get(id(node))
        if known is not None:
            return known, False
        taken = self._taken[kind]
        name, count = wanted, 1
        while name in taken:
            count += 1
            name = f"{wanted}#{count}"
        taken.add(name)
        self._named[id(node)] = name
        return name, True

    def finish(self) -> FileFacts:
        """The facts, functions and classes in the order of the file."""
        return FileFacts(
            self._path,
            dict(sorted(self.functions.items(), key=lambda item: (item[0] != MODULE, item[1].span))),
            dict(sorted(self.classes.items(), key=lambda item: item[1].span)),
            self.imports,
            star_imports=tuple(self.star_imports),
            comments=self.positions.comments,
        )


class FunctionDraft:
    """One function: its graph, its names, and the statement that is being lowered."""

    def __init__(self, file: FileDraft, qualname: str, names: Names, statement: Span) -> None:
        self.file = file
        self.qualname = qualname
        self.names = names
        self.graph = GraphBuilder()
        self.statement = statement
        self.is_generator = False
        self.depth = 0  # of the expression that is being lowered

    def span(self, node: cst.CSTNode) -> Span:
        """The span of a node."""
        return self.file.positions.span(node)

    @contextmanager
    def within(self, statement: Span) -> Iterator[None]:
        """A statement, while it is lowered."""
        before = self.statement
        self.statement = statement
        yield
        self.statement = before

    def inner_name(self, name: str) -> str:
        """The qualified name of a definition that stands here."""
        scope = self.names.class_scope
        around = self.qualname if scope is None else scope.qualname
        return name if around == MODULE else f"{around}.{name}"

    def finish(
        self,
        *,
        name: str,
        span: Span,
        header: Span,
        around: FunctionDraft | None,
        parameters: tuple[Parameter, ...] = (),
        decorators: tuple[Decorator, ...] = (),
        is_async: bool = False,
        returns: str | None = None,
        docstring: str | None = None,
    ) -> None:
        """End the graph and file the function's facts. `around` is the function that it stands in."""
        self.graph.fall_off()
        self.names.bound.update(parameter.name for parameter in parameters)
        graph = self.graph.finish()
        scope = None if around is None else around.names.class_scope
        self.file.functions[self.qualname] = FunctionFacts(
            qualname=self.qualname,
            name=name,
            span=span,
            header=header,
            parameters=parameters,
            decorators=decorators,
            body=graph.blocks,
            exit=graph.exit,
            raise_exit=graph.raise_exit,
            loops=graph.loops,
            locals=self.names.locals,
            declared_global=frozenset(self.names.declared_global),
            is_generator=self.is_generator,
            is_async=is_async,
            owner=None if scope is None else scope.qualname,
            parent=None if around is None else around.qualname,
            returns=returns,
            docstring=docstring,
        )

"""Where the statements of a text stand: what a candidate asks.

    for epoch in range(9):            `around` a place, from the inside out: the step, the inner loop, the outer loop
        for x in loader:
            optimizer.step()          `before` the inner loop: an insertion at the start of its line, with its indent

Lines and columns are those of a `Span`: from 1, in characters.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evalguard.finding import Edit, Span
from evalguard.source import split_lines

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BINDERS = (*FUNCTIONS, ast.ClassDef)
_TRAINING_CALLS = frozenset({"backward", "step", "manual_backward"})
_SUITES = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Script:
    """The text of one file and its tree."""

    path: str
    text: str
    lines: tuple[str, ...]
    tree: ast.Module

    def span(self, node: ast.stmt | ast.expr) -> Span:
        """Where a node stands, its decorators left out."""
        return Span(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno or node.lineno,
            self._column(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def source(self, node: ast.stmt | ast.expr) -> str:
        """The text of a node, as it is written."""
        return text_in(self.text, self.span(node))

    def around(self, span: Span) -> list[ast.stmt]:
        """The statements that hold a place, from the inside out, up to the function or class in whose body it is."""
        chain = self.all_around(span)
        for number, statement in enumerate(chain):
            if isinstance(statement, _BINDERS) and self.span(statement).line < span.line:
                return chain[:number]
        return chain

    def all_around(self, span: Span) -> list[ast.stmt]:
        """The statements that hold a place, functions and classes among them, from the inside out."""
        chain: list[ast.stmt] = []
        body: Sequence[ast.stmt] = self.tree.body
        while True:
            inner = next((statement for statement in body if self._holds(statement, span)), None)
            if inner is None:
                return chain[::-1]
            chain.append(inner)
            body = list(_statements_in(inner))

    def function_around(self, span: Span) -> Function | None:
        """The innermost `def` in which a place stands."""
        return next((s for s in self.all_around(span) if isinstance(s, FUNCTIONS)), None)

    def class_around(self, span: Span) -> ast.ClassDef | None:
        """The innermost class in which a place stands."""
        return next((s for s in self.all_around(span) if isinstance(s, ast.ClassDef)), None)

    def expression_at(self, span: Span) -> ast.expr | None:
        """The largest expression that stands exactly there."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr) and node.lineno == span.line and self.span(node) == span:
                return node
        return None

    def call_around(self, span: Span) -> ast.Call | None:
        """The innermost call that holds a place."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and self._holds(node, span)]
        return min(calls, key=lambda call: len(self.source(call)), default=None)

    def before(self, statement: ast.stmt, *lines: str) -> Edit | None:
        """Lines put before a statement; None where it does not begin its line."""
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
        indent = self.indent(statement)
        if indent is None or (isinstance(statement, ast.If) and self.lines[first - 1].lstrip().startswith("elif")):
            return None
        return self._insertion(first, [indent + line for line in lines])

    def after(self, statement: ast.stmt, *lines: str) -> Edit | None:
        """Lines put after a statement; None where others follow on its line."""
        indent = self.indent(statement)
        last = self.span(statement)
        rest = self.lines[last.end_line - 1][last.end_column - 1 :].strip()
        if indent is None or (rest and not rest.startswith("#")):
            return None
        return self._insertion(last.end_line + 1, [indent + line for line in lines])

    def first_in(self, body: Sequence[ast.stmt], *lines: str) -> Edit | None:
        """Lines put at the head of a suite, after its docstring and what it declares global."""
        while len(body) > 1 and isinstance(body[0], (ast.Global, ast.Nonlocal)):
            body = body[1:]
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            return self.first_in(body[1:], *lines) if len(body) > 1 else self.after(first, *lines)
        return self.before(first, *lines)

    def without(self, statement: ast.stmt) -> Edit | None:
        """A statement that has its lines to itself taken away, with the comment behind it."""
        span = self.span(statement)
        rest = self.lines[span.end_line - 1][span.end_column - 1 :].strip()
        if self.indent(statement) is None or (rest and not rest.startswith("#")):
            return None
        if span.end_line == len(self.lines):
            return Edit(self.path, Span(span.line, 1, span.end_line, len(self.lines[-1]) + 1), "")
        return Edit(self.path, Span(span.line, 1, span.end_line + 1, 1), "")

    def replaced(self, node: ast.stmt | ast.expr, content: str) -> Edit:
        """A node written anew."""
        return Edit(self.path, self.span(node), content)

    def replaced_argument(self, argument: ast.arg, content: str) -> Edit:
        """A parameter written anew."""
        start = self._column(argument.lineno, argument.col_offset)
        end = self._column(argument.end_lineno or argument.lineno, argument.end_col_offset or 0)
        return Edit(self.path, Span(argument.lineno, start, argument.end_lineno or argument.lineno, end), content)

    def indent(self, statement: ast.stmt) -> str | None:
        """The blanks before a statement; None where it does not begin its line."""
        before = self.lines[statement.lineno - 1][: self._column(statement.lineno, statement.col_offset) - 1]
        return None if before.strip() else before

    @property
    def newline(self) -> str:
        """The newline of the file, by its first one."""
        found = re.search(r"\r\n|\r|\n", self.text)
        return found[0] if found else "\n"

    @property
    def indent_unit(self) -> str:
        """One step of indentation, by the first suite of the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, (*_BINDERS, ast.For, ast.With)) and node.body[0].lineno > node.lineno:
                outer, inner = self.indent(node), self.indent(node.body[0])
                if outer is not None and inner is not None and inner.startswith(outer):
                    return inner[len(outer) :]
        return "    "

    def binds(self, name: str, statement: ast.AST) -> bool:
        """Whether a statement, or one in it, binds a name."""
        return any(
            isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(statement)
        )

    def knows(self, name: str, span: Span) -> bool:
        """Whether a name means something at a place: the function around it, one around that or the file binds it."""
        functions = [s for s in self.all_around(span) if isinstance(s, FUNCTIONS)]
        return any(name in _parameters(f) or self.binds(name, f) for f in functions) or any(
            name in _bound_by(statement) for statement in self.tree.body
        )

    def _insertion(self, line: int, lines: Sequence[str]) -> Edit:
        if line > len(self.lines):  # behind a last line that has no newline
            end = Span(len(self.lines), len(self.lines[-1]) + 1, len(self.lines), len(self.lines[-1]) + 1)
            return Edit(self.path, end, "".join(self.newline + each for each in lines))
        return Edit(self.path, Span(line, 1, line, 1), "".join(each + self.newline for each in lines))

    def _holds(self, node: ast.stmt | ast.expr, span: Span) -> bool:
        own = self.span(node)
        return (own.line, own.column) <= (span.line, span.column) and (span.end_line, span.end_column) <= (
            own.end_line,
            own.end_column,
        )

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1]
        return offset + 1 if text.isascii() else len(text.encode()[:offset].decode(errors="ignore")) + 1


def script_of(path: str, text: str, is_notebook: bool = False) -> Script | None:
    """The script of a text; None where the running Python cannot parse it, or counts its lines in another way."""
    if "\f" in text:
        return None  # a form feed is in no indent that could be written again
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(text, "<text>", "exec", _parsing(is_notebook) | ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Script(path, text, tuple(split_lines(text)), tree)


def compiles(text: str, is_cell: bool = False) -> bool:
    """Whether Python takes a text: it may be parsed and still be refused, as a name used before `global` is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", _parsing(is_cell), dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _parsing(is_notebook: bool) -> int:
    """How Python is to parse: IPython lets `await` stand outside of a function."""
    return ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if is_notebook else 0


def text_in(text: str, span: Span) -> str:
    """What stands at a span of a text."""
    start, end = offsets(text, span)
    return text[start:end]


def offsets(text: str, span: Span) -> tuple[int, int]:
    """Where a span begins and ends in a text."""
    starts = line_starts(text)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def line_starts(text: str) -> list[int]:
    """Where the lines of a text begin."""
    return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]


def root_of(place: str) -> str | None:
    """The name with which a place begins; None for what is no chain of names, attributes and items that can be read
    again: `self.net`, `nets["G"]`, `ema.module`, but not `build(3)`."""
    try:
        node = ast.parse(place, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    while not isinstance(node, ast.Name):
        match node:
            case ast.Attribute(value=inner):
                node = inner
            case ast.Subscript(value=inner, slice=ast.Constant() | ast.Name()):
                node = inner
            case _:
                return None
    return node.id


def trains(statement: ast.AST) -> bool:
    """Whether code trains: it computes gradients, or steps."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(isinstance(callee, ast.Attribute) and callee.attr in _TRAINING_CALLS for callee in calls)


def _statements_in(statement: ast.stmt) -> Iterator[ast.stmt]:
    for name in _SUITES:
        yield from getattr(statement, name, ())
    for handler in getattr(statement, "handlers", ()):
        yield from handler.body
    for case in getattr(statement, "cases", ()):
        yield from case.body


def _parameters(function: Function) -> set[str]:
    return {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}


def _bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement of the file's own body binds, in the suites in it as well."""
    if isinstance(statement, _BINDERS):
        return {statement.name}
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return names

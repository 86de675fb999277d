"""Where each node stands in the file.

LibCST's trees hold no positions: they follow from printing the tree, as the offset reached when a node's text begins
and ends. LibCST's own provider does so on a deep copy of the tree, with a range object per node, its whitespace nodes
included. Here one printing pass over the tree itself notes two numbers per node, and lines and columns are computed
for the few nodes that are asked about.

LibCST does not print every file back as it was. It forgets whitespace: in `except E :`, a form feed or a continued
line before the first word of a line, empty lines before a comment that ends a block, a last newline. So each token is
compared with the text, and what was forgotten before it is skipped.

The spans are those of the standard library's `ast`, with one difference: the parentheses of a tuple or of a generator
expression do not belong to it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import AbstractContextManager
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from evalguard.finding import Span
from evalguard.source import SourceProblem

_FORGETTABLE = frozenset(" \t\f\\")
_FORGOTTEN = re.compile(r"(?:[ \t\f]|\\(?:\r\n|\r|\n))+")
_FORGOTTEN_LINES = re.compile(r"[ \t\f\r\n]+(?=#)")


class Positions:
    """The spans of the nodes of one module, which must outlive this object: nodes are known by identity."""

    def __init__(self, module: cst.Module, text: str) -> None:
        recorder = _Recorder(module, text)
        module._codegen(recorder)
        self._ranges = recorder.ranges
        self._suites = recorder.suites
        self._text = text
        self._line_starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text))]
        self.comments = tuple((self._place(offset)[0], comment) for offset, comment in recorder.comments)

    def span(self, node: cst.CSTNode) -> Span:
        """The span of a statement or an expression, without parentheses around it and without decorators."""
        return self._span(*self._ranges[id(node)])

    def span_between(self, first: cst.CSTNode, last: cst.CSTNode) -> Span:
        """From the start of one node to the end of another."""
        return self._span(self._ranges[id(first)][0], self._ranges[id(last)][1])

    def header(self, node: cst.CSTNode, suite: cst.BaseSuite) -> Span:
        """From the keyword of a compound statement to the colon before its suite."""
        return self._span(self._ranges[id(node)][0], self._suites[id(suite)])

    def whole(self) -> Span:
        """The span of the file."""
        return self._span(0, len(self._text))

    def text(self, node: cst.CSTNode) -> str:
        """The source text of an expression."""
        start, end = self._ranges[id(node)]
        return self._text[start:end]

    def _span(self, start: int, end: int) -> Span:
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1


class _Recorder(CodegenState):
    """Counts the characters that a tree prints."""

    def __init__(self, module: cst.Module, text: str) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.text = text
        self.tokens.append("")  # a module that has no tokens at its end prints a newline more
        self.offset = 0
        self.ranges: dict[int, tuple[int, int]] = {}
        self.suites: dict[int, int] = {}
        self.comments: list[tuple[int, str]] = []

    def add_token(self, value: str) -> None:
        if self.text.startswith(value, self.offset):
            self.offset += len(value)
        elif self.offset < len(self.text):
            self.add_after_forgotten_whitespace(value)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            if self.text.startswith(token, self.offset):
                self.offset += len(token)

    def skip_forgotten_whitespace(self) -> None:
        """Go on to where the next node starts."""
        match = _FORGOTTEN.match(self.text, self.offset)
        if match is not None:
            self.offset = match.end()

    def add_after_forgotten_whitespace(self, value: str) -> None:
        """Count a token that stands further on in the text than in the tree."""
        self.skip_forgotten_whitespace()
        lines = _FORGOTTEN_LINES.match(self.text, self.offset)
        if self.text.startswith(value, self.offset):
            self.offset += len(value)
        elif lines is not None and self.text.startswith(value, lines.end()):
            self.offset = lines.end() + len(value)
        elif value.strip():
            line = len(re.findall(r"\r\n?|\n", self.text[: self.offset])) + 1
            raise SourceProblem(f"cannot be analysed: LibCST does not give {value!r} back as it is written", line)

    def pop_trailing_newline(self) -> None:
        """Nothing is to be taken back: a newline that the text lacks was not counted."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        kind = type(node)
        if kind is cst.Comment:
            self.comments.append((self.offset, node.value))  # type: ignore[attr-defined]
        elif kind is cst.IndentedBlock or kind is cst.SimpleStatementSuite:
            self.suites[id(node)] = self.offset

    def record_syntactic_position(  # type: ignore[override]  # any context manager does, and a plain one is faster
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        if self.text[self.offset : self.offset + 1] in _FORGETTABLE:
            self.skip_forgotten_whitespace()
        return _Recording(self, node, start_node, end_node)


class _Recording:
    """Notes a node's range when its text is out; a statement ends where its last part does."""

    __slots__ = ("end_node", "node", "recorder", "start", "start_node")

    def __init__(
        self, recorder: _Recorder, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.recorder = recorder
        self.node = node
        self.start_node = start_node
        self.end_node = end_node
        self.start = recorder.offset

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        ranges = self.recorder.ranges
        start, end = self.start, self.recorder.offset
        if self.start_node is not None and id(self.start_node) in ranges:
            start = ranges[id(self.start_node)][0]
        if self.end_node is not None and id(self.end_node) in ranges:
            end = ranges[id(self.end_node)][1]
        ranges[id(self.node)] = (start, end)

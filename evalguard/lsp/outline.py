"""The definitions at the top of a text and the words in them: who may speak of whom, without an analysis.

    import torch                 rest: torch nn Net fit
    class Net(nn.Module): ...    part `Net`, lines 2 to 9: Net nn Module forward ...
    def fit(net): ...            part `fit`, lines 11 to 20
    fit(Net())                   rest

Words in strings and comments count as well: a wrong yes only makes more to be looked at.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from evalguard.source import split_lines

_WORD = re.compile(r"[^\W\d]\w*")
_CALLED = re.compile(r"([^\W\d]\w*)\s*\(")
_IMPLIED = frozenset("forward train eval step backward to zero_grad parameters state_dict load_state_dict".split())


@dataclass(frozen=True, slots=True)
class Part:
    """A definition: its lines, its text, the names by which others speak of it, and the words in it."""

    name: str
    first: int
    last: int
    text: str
    names: frozenset[str]
    words: frozenset[str]

    @property
    def size(self) -> int:
        """How many lines it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Outline:
    """A text in parts; `rest` is what stands between them. `calls` are the names of what is called there, and `bound`
    the names that a statement there binds, an import too, with the words that they are bound to. `imports` are the
    words of the imports there."""

    lines: tuple[str, ...]
    parts: tuple[Part, ...]
    rest: tuple[str, ...]
    calls: frozenset[str]
    bound: Mapping[str, frozenset[str]]
    imports: frozenset[str]

    def is_rest(self, line: int) -> bool:
        """Whether a line stands between the parts."""
        return not any(part.first <= line <= part.last for part in self.parts)

    def only(self, kept: Collection[Part]) -> str:
        """The text with empty lines for the parts that are not kept."""
        lines = list(self.lines)
        for part in self.parts:
            if part not in kept:
                lines[part.first - 1 : part.last] = [""] * part.size
        return "\n".join(lines)


def outline(text: str) -> Outline | None:
    """The outline of a text, None if Python cannot parse it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = split_lines(text)
    parts: list[Part] = []
    rest: list[str] = []
    bound: dict[str, frozenset[str]] = {}
    imports: set[str] = set()
    end = 0
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            all_words = words_of(lines[node.lineno - 1 : node.end_lineno])
            for name, words in _bound_by(node, all_words):
                bound[name] = bound.get(name, frozenset()) | words
            if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)):
                imports |= all_words
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        last = node.end_lineno or node.lineno
        behind = lines[last - 1].encode()[node.end_col_offset or 0 :]
        if first <= end or re.match(rb"[ \t\f]*(?:#|$)", behind) is None:
            continue  # it shares a line with something else: part of the rest
        rest += lines[end : first - 1]
        end = last
        own = "\n".join(lines[first - 1 : last])
        parts.append(Part(node.name, first, last, own, _names(node), frozenset(_WORD.findall(own))))
    rest += lines[end:]
    called = frozenset(_CALLED.findall("\n".join(rest)))
    return Outline(tuple(lines), tuple(parts), tuple(rest), called, bound, frozenset(imports))


def words_of(lines: Collection[str]) -> frozenset[str]:
    """The words in some lines."""
    return frozenset(_WORD.findall("\n".join(lines)))


def _bound_by(statement: ast.stmt, words: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The names that a statement binds, each with the words that it is bound to: of an import its own alone."""
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, words
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0], words_of([name, other or ""])


def _names(node: ast.stmt) -> frozenset[str]:
    names = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        names.add(node.name)
    if isinstance(node, ast.ClassDef):
        methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        names |= {name for name in methods if not name.startswith("__")} - _IMPLIED
    return frozenset(names)

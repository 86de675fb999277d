"""Reading the text form of facts, which `text.py` describes.

A text is a list of sections (`file`, `class`, `function`), each with entries on the indented lines below it. An entry
is known by its first word; the words of ops are reserved, so that a name that is one of them stands in backquotes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from evalguard.finding import Span
from evalguard.ir.facts import MODULE, ClassFacts, Decorator, FileFacts, FunctionFacts, Parameter
from evalguard.ir.graph import Block, Edge, EdgeKind, Loop
from evalguard.ir.ops import (
    Argument,
    Assign,
    Call,
    Define,
    Delete,
    Enter,
    Evaluate,
    Exit,
    Import,
    Iterate,
    Op,
    Raise,
    Return,
    Yield,
)
from evalguard.ir.values import (
    Attribute,
    Binary,
    Closure,
    Compare,
    Const,
    Item,
    Mapping,
    Name,
    Not,
    Opaque,
    Sequence,
    Star,
    Temp,
    Value,
)

RESERVED = frozenset({"augment", "call", "enter", "evaluate", "exit", "next"})
PLAIN_NAME = re.compile(r"[^\W\d]\w*(?:@\d+:\d+)?")

_T = TypeVar("_T")
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"})
_OPERATORS = _COMPARISONS | {"+", "-", "*", "/", "//", "%", "@", "**", "<<", ">>", "&", "|", "^", "and", "or"}
_PARAMETERS: dict[str, Literal["positional", "keyword", "args", "kwargs"]] = {
    "parameter": "positional",
    "keyword": "keyword",
    "args": "args",
    "kwargs": "kwargs",
}
_CONSTANTS = {"None": None, "True": True, "False": False}
_TOKEN = re.compile(
    r"""\s*(?:
        <(?P<place>\d+:\d+-\d+:\d+)>
      | (?P<literal> b?'(?:[^'\\]|\\.)*' | b?"(?:[^"\\]|\\.)*" | -?\d[\d.]*(?:e[+-]?\d+)? )
      | %(?P<temp>\d+)
      | &(?P<closure>(?:\w+|<\w+(?::\d+:\d+)?>)(?:\#\d+)?(?:\.(?:\w+|<\w+:\d+:\d+>)(?:\#\d+)?)*)
      | (?P<operator> not\ in\b | is\ not\b | (?:in|is|and|or)\b | [=!<>]= | \*\* | // | << | >> | [-+*/%@&|^<>=] )
      | (?P<not>not\b)
      | (?P<name> [^\W\d]\w*(?:@\d+:\d+)? | `[^`]+` )
      | (?P<mark> [()\[\]{},:.?] )
    )""",
    re.VERBOSE,
)
_SPAN = r"(\d+):(\d+)-(\d+):(\d+)"
_SPANS = re.compile(rf"\s*@{_SPAN}(?: in {_SPAN})?$")
_EDGE = re.compile(r"--(\w+)(?: (.*))?--> (\d+)( back)?")
_LOOP = re.compile(r"loop (\d+): (\S+)(?: (.*))? head (\d+)")
_BLOCK = re.compile(r"block (\d+)(?: in ([\d, ]+))?")
_BINDING = re.compile(r"(def|class|import) (\S+) = (.*)")
_FIELD = re.compile(r"([a-z ]+): (.*)")


def read_file(text: str) -> FileFacts:
    """The facts of a file; the inverse of `print_file`."""
    facts = FileFacts("", {}, {}, {})
    for section in _sections(text):
        if section.kind == "function":
            function = _function(section)
            facts.functions[function.qualname] = function
        elif section.kind == "class":
            read = _class(section)
            facts.classes[read.qualname] = read
        else:
            facts = _file(section)
    return facts


def read_function(text: str) -> FunctionFacts:
    """The facts of one function; the inverse of `print_function`."""
    (section,) = _sections(text)
    return _function(section)


def read_value(text: str) -> Value:
    """A value; the inverse of `print_value`."""
    tokens = _Tokens(text)
    return tokens.whole(_value(tokens))


def default_name(qualname: str) -> str:
    """The name of what has this qualified name."""
    if qualname == MODULE:
        return MODULE
    last = qualname.rpartition(".")[2]
    return "<lambda>" if last.startswith("<lambda:") else last.partition("#")[0]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str

    def spans(self) -> tuple[str, Span, Span]:
        """The text before the spans, and the two spans."""
        match = _SPANS.search(self.text)
        if match is None:
            point = Span(self.number, 1, self.number, 1)
            return self.text, point, point
        inner = Span(*map(int, match.groups()[:4]))
        outer = inner if match[5] is None else Span(*map(int, match.groups()[4:]))
        return self.text[: match.start()], inner, outer


@dataclass(slots=True)
class _Section:
    kind: str
    title: str
    lines: list[_Line] = field(default_factory=list)


def _sections(text: str) -> list[_Section]:
    sections: list[_Section] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if line.startswith(" "):
            sections[-1].lines.append(_Line(number, line.strip()))
            continue
        kind, _, title = line.partition(" ")
        if kind not in ("file", "class", "function"):
            raise ValueError(f"line {number}: a section starts with file, class or function: {line!r}")
        sections.append(_Section(kind, title.strip()))
    return sections


# Sections


def _file(section: _Section) -> FileFacts:
    imports: dict[str, str] = {}
    stars: list[str] = []
    comments: list[tuple[int, str]] = []
    for line in section.lines:
        text, _, _ = line.spans()
        word, _, rest = text.partition(" ")
        before, _, after = rest.partition(":")
        if word == "import":
            name, _, target = rest.partition(" = ")
            imports[name.strip("`")] = target
        elif word == "star":
            stars.append(rest)
        elif word == "comment":
            comments.append((int(before), ast.literal_eval(after.strip())))
        else:
            raise _unknown(line)
    path = ast.literal_eval(section.title)
    return FileFacts(path, {}, {}, imports, tuple(stars), tuple(comments))


def _class(section: _Section) -> ClassFacts:
    fields: dict[str, str] = {}
    bases: list[Value] = []
    decorators: list[Decorator] = []
    methods: list[tuple[str, str]] = []
    annotations: list[tuple[str, str]] = []
    for line in section.lines:
        word, _, rest = line.text.partition(" ")
        if word == "base":
            bases.append(read_value(rest))
        elif word == "decorator":
            decorators.append(_decorator(line))
        elif word == "method":
            name, _, qualname = rest.partition(" = ")
            methods.append((name.strip("`"), qualname))
        elif word == "annotation":
            name, _, text = rest.partition(": ")
            annotations.append((name.strip("`"), ast.literal_eval(text)))
        else:
            _read_field(fields, line)
    return ClassFacts(
        qualname=section.title,
        name=fields.get("name", default_name(section.title)),
        span=_span(fields.get("span")),
        bases=tuple(bases),
        decorators=tuple(decorators),
        methods=tuple(methods),
        parent=fields.get("parent", MODULE),
        annotations=tuple(annotations),
    )


def _function(section: _Section) -> FunctionFacts:
    fields: dict[str, str] = {}
    parameters: list[Parameter] = []
    decorators: list[Decorator] = []
    loops: list[Loop] = []
    blocks: list[Block] = []
    for line in section.lines:
        word = line.text.partition(" ")[0]
        opening = _BLOCK.fullmatch(line.text)
        if opening is not None:
            blocks.append(_opened_block(line, opening, len(blocks)))
        elif blocks and line.text.startswith("--"):
            blocks[-1] = _with_edge(blocks[-1], _edge(line))
        elif blocks and re.match(r"(raise )?exit: ", line.text):
            _read_field(fields, line)
        elif blocks:
            blocks[-1] = _with_op(blocks[-1], _op(line))
        elif word in _PARAMETERS:
            parameters.append(_parameter(line))
        elif word == "decorator":
            decorators.append(_decorator(line))
        elif word == "loop":
            loops.append(_loop(line))
        else:
            _read_field(fields, line)
    flags = _listed(fields.get("is", ""))
    returns, docstring = fields.get("returns"), fields.get("docstring")
    return FunctionFacts(
        qualname=section.title,
        name=fields.get("name", default_name(section.title)),
        span=_span(fields.get("span")),
        header=_span(fields.get("header")),
        parameters=tuple(parameters),
        decorators=tuple(decorators),
        body=tuple(blocks),
        exit=int(fields.get("exit", len(blocks) - 2)),
        raise_exit=int(fields.get("raise exit", len(blocks) - 1)),
        loops=tuple(loops),
        locals=frozenset(_listed(fields.get("locals", ""))),
        declared_global=frozenset(_listed(fields.get("globals", ""))),
        is_generator="generator" in flags,
        is_async="async" in flags,
        owner=fields.get("owner"),
        parent=fields.get("parent", None if section.title == MODULE else MODULE),
        returns=None if returns is None else ast.literal_eval(returns),
        docstring=None if docstring is None else ast.literal_eval(docstring),
    )


def _read_field(fields: dict[str, str], line: _Line) -> None:
    match = _FIELD.fullmatch(line.text)
    if match is None:
        raise _unknown(line)
    fields[match[1]] = match[2]


def _unknown(line: _Line) -> ValueError:
    return ValueError(f"line {line.number}: cannot be read: {line.text!r}")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _span(text: str | None) -> Span:
    match = re.fullmatch(_SPAN, text or "1:1-1:1")
    if match is None:
        raise ValueError(f"not a span: {text!r}")
    return Span(*map(int, match.groups()))


# Entries


def _parameter(line: _Line) -> Parameter:
    word, _, rest = line.text.partition(" ")
    tokens = _Tokens(rest)
    name = tokens.name()
    annotation = str(ast.literal_eval(tokens.take("literal"))) if tokens.skip(":") else None
    default = _value(tokens) if tokens.skip("=") else None
    return tokens.whole(Parameter(name, _PARAMETERS[word], default, annotation))


def _decorator(line: _Line) -> Decorator:
    text, span, _ = line.spans()
    name, call, _ = text.partition(" ")[2].partition("(")
    tokens = _Tokens(text[text.index("(") :]) if call else _Tokens("()")
    tokens.expect("(")
    arguments = tokens.listed(")", _argument)
    return tokens.whole(Decorator("" if name == "?" else name, bool(call), arguments, span))


def _loop(line: _Line) -> Loop:
    text, header, span = line.spans()
    match = _LOOP.fullmatch(text)
    if match is None:
        raise _unknown(line)
    return Loop(match[2], int(match[4]), None if match[3] is None else read_value(match[3]), span, header)


def _opened_block(line: _Line, match: re.Match[str], number: int) -> Block:
    if int(match[1]) != number:
        raise ValueError(f"line {line.number}: block {number} is expected here: {line.text!r}")
    return Block((), (), tuple(int(loop) for loop in _listed(match[2] or "")))


def _with_edge(block: Block, edge: Edge) -> Block:
    return Block(block.ops, (*block.edges, edge), block.loops)


def _with_op(block: Block, op: Op) -> Block:
    return Block((*block.ops, op), block.edges, block.loops)


def _edge(line: _Line) -> Edge:
    match = _EDGE.fullmatch(line.text)
    if match is None:
        raise _unknown(line)
    target, kind, back = int(match[3]), EdgeKind(match[1]), match[4] is not None
    if match[2] is None:
        return Edge(target, kind, back=back)
    text, span, _ = _Line(line.number, match[2]).spans()
    return Edge(target, kind, read_value(text), span, back)


def _op(line: _Line) -> Op:
    text, span, statement = line.spans()
    binding = _BINDING.fullmatch(text)
    if binding is not None:
        name, path = Name(binding[2].strip("`")), binding[3]
        if binding[1] == "import":
            return Import(name, path, span, statement)
        return Define(name, path, binding[1] == "class", span, statement)
    try:
        tokens = _Tokens(text)
        return tokens.whole(_op_of(tokens, text, span, statement))
    except ValueError as error:
        raise ValueError(f"line {line.number}: {error}") from error


def _op_of(tokens: _Tokens, text: str, span: Span, statement: Span) -> Op:
    match text.split(" ", 1)[0]:
        case "return":
            return tokens.after("return", lambda: Return(_value(tokens), span, statement))
        case "raise":
            return tokens.after("raise", lambda: Raise(None if tokens.done else _value(tokens), span, statement))
        case "del":
            return tokens.after("del", lambda: Delete(_value(tokens), span, statement))
        case "evaluate":
            return tokens.after("evaluate", lambda: Evaluate(_value(tokens), span, statement))
        case "exit":
            return tokens.after("exit", lambda: _exit(tokens, span, statement))
        case "augment":
            tokens.expect("augment")
            target = _operand(tokens)
            tokens.expect("=")
            return Assign(target, _value(tokens), span, statement, augmented=True)
        case _:
            target = _operand(tokens)
            tokens.expect("=")
            return _result(tokens, target, span, statement)


def _exit(tokens: _Tokens, span: Span, statement: Span) -> Exit:
    exceptional = tokens.skip("raised")
    return Exit(tokens.temp(), _value(tokens), span, statement, exceptional)


def _result(tokens: _Tokens, target: Value, span: Span, statement: Span) -> Op:
    if isinstance(target, Temp):
        if tokens.skip("call"):
            callee = _operand(tokens)
            tokens.expect("(")
            return Call(target, callee, tokens.listed(")", _argument), span, statement)
        if tokens.skip("enter"):
            asynchronous = tokens.skip("async")
            return Enter(target, _value(tokens), span, statement, asynchronous)
        if tokens.skip("next"):
            iterable = _value(tokens)
            tokens.expect("loop")
            return Iterate(target, iterable, int(tokens.take("literal")), span, statement)
        if tokens.skip("yield"):
            delegate = tokens.skip("from")
            return Yield(target, _value(tokens), delegate, span, statement)
    return Assign(target, _value(tokens), span, statement)


def _argument(tokens: _Tokens) -> Argument:
    keyword = None
    span = _place(tokens.take("place")) if tokens.kind == "place" else None
    if tokens.kind == "name" and tokens.following == "=":
        keyword = tokens.name()
        tokens.expect("=")
    stars = 2 if tokens.skip("**") else 1 if tokens.skip("*") else 0
    return Argument(_value(tokens), keyword, stars, span)


def _place(text: str) -> Span:
    return Span(*map(int, re.findall(r"\d+", text)))


# Values


def _value(tokens: _Tokens) -> Value:
    if tokens.skip("not"):
        return Not(_operand(tokens))
    if tokens.skip("*"):
        return Star(_operand(tokens))
    left = _operand(tokens)
    operator = tokens.text
    if tokens.kind != "operator" or operator not in _OPERATORS:
        return left
    tokens.expect(operator)
    right = _operand(tokens)
    return Compare(operator, left, right) if operator in _COMPARISONS else Binary(operator, left, right)


def _operand(tokens: _Tokens) -> Value:
    value = _primary(tokens)
    while True:
        if tokens.skip("."):
            value = Attribute(value, tokens.name())
        elif tokens.skip("["):
            value = Item(value, _value(tokens))
            tokens.expect("]")
        else:
            return value


def _primary(tokens: _Tokens) -> Value:
    match tokens.kind:
        case "literal":
            return Const(ast.literal_eval(tokens.take("literal")))
        case "temp":
            return tokens.temp()
        case "closure":
            return Closure(tokens.take("closure"))
        case "name":
            quoted = tokens.text.startswith("`")
            name = tokens.name()
            return Const(_CONSTANTS[name]) if name in _CONSTANTS and not quoted else Name(name)
    if tokens.skip("?"):
        tokens.expect("(")
        return Opaque(tokens.listed(")", _value))
    if tokens.skip("["):
        return Sequence("list", tokens.listed("]", _value))
    if tokens.skip("{"):
        return _braces(tokens)
    tokens.expect("(")
    return _parentheses(tokens)


def _parentheses(tokens: _Tokens) -> Value:
    if tokens.skip(")"):
        return Sequence("tuple", ())
    first = _value(tokens)
    if tokens.skip(")"):
        return first
    tokens.expect(",")
    return Sequence("tuple", (first, *tokens.listed(")", _value)))


def _braces(tokens: _Tokens) -> Value:
    if tokens.skip(","):
        tokens.expect("}")
        return Sequence("set", ())
    entries = tokens.listed("}", _entry)
    if entries and all(item is None for _, item in entries):
        return Sequence("set", tuple(key for key, _ in entries if key is not None))
    return Mapping(tuple((key, item) for key, item in entries if item is not None))


def _entry(tokens: _Tokens) -> tuple[Value | None, Value | None]:
    if tokens.skip("**"):
        return None, _operand(tokens)
    key = _value(tokens)
    return key, _value(tokens) if tokens.skip(":") else None


class _Tokens:
    """The tokens of one value or op, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = list(_matches(text))
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._found)

    @property
    def kind(self) -> str:
        return "" if self.done else self._found[self._at].lastgroup or ""

    @property
    def text(self) -> str:
        return "" if self.done else _content(self._found[self._at])

    @property
    def following(self) -> str:
        return "" if self._at + 1 >= len(self._found) else _content(self._found[self._at + 1])

    def skip(self, text: str) -> bool:
        if self.text != text or self.kind in ("temp", "closure", "literal"):
            return False
        self._at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.skip(text):
            raise ValueError(f"{text!r} is expected before {self.text!r} in {self._text!r}")

    def take(self, kind: str) -> str:
        if self.kind != kind:
            raise ValueError(f"a {kind} is expected before {self.text!r} in {self._text!r}")
        text = self.text
        self._at += 1
        return text

    def name(self) -> str:
        return self.take("name").strip("`")

    def temp(self) -> Temp:
        return Temp(int(self.take("temp")))

    def listed(self, end: str, read: Callable[[_Tokens], _T]) -> tuple[_T, ...]:
        items: list[_T] = []
        while not self.skip(end):
            items.append(read(self))
            if not self.skip(","):
                self.expect(end)
                break
        return tuple(items)

    def after(self, word: str, read: Callable[[], _T]) -> _T:
        self.expect(word)
        return read()

    def whole(self, result: _T) -> _T:
        if not self.done:
            raise ValueError(f"{self.text!r} is too much in {self._text!r}")
        return result


def _content(match: re.Match[str]) -> str:
    return match[match.lastgroup or 0]


def _matches(text: str) -> Iterator[re.Match[str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"cannot be read: {text[at:]!r}")
        yield match
        at = match.end()

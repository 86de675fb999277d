"""A function's graph as text, to read in a test and to write by hand for one.

    function validate
      parameter net
      parameter limit: 'int' = 3
      loop 0: for %1 head 1
      block 0
        %1 = call net.loader('val')  @2:14-2:31 in 2:5-3:15
        --normal--> 1
      block 1 in 0
        %2 = next %1 loop 0
        --next--> 2
        --exhausted--> 3
      block 2 in 0
        %3 = call net(%2, train=False)
        --true %3 > limit @3:12-3:21--> 3
        --false %3 > limit @3:12-3:21--> 1 back
      block 3
      block 4

Values look like Python, except `%1` (a Temp), `x@12:8` (a Name of a comprehension), `&main.<lambda:3:4>` (a Closure),
`?(a, b)` (an Opaque) and `{,}` (the empty set). An operator stands between spaces, and in brackets if inside another
value. `<4:9-4:20>` stands before an argument that begins on a later line than its call. A name that would be taken for
a word of this form is written in backquotes.

When read, a span that is not given is a point at the line of the text. The last two blocks are the exit and the exit of
uncaught exceptions, unless `exit: 3` and `raise exit: 4` say otherwise. `read_text.py` is the way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from evalguard.finding import Span
from evalguard.ir.facts import MODULE, ClassFacts, Decorator, FileFacts, FunctionFacts, Parameter
from evalguard.ir.graph import Block, Edge, Loop
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
from evalguard.ir.read_text import PLAIN_NAME, RESERVED, default_name, read_file, read_function, read_value
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

__all__ = ["print_file", "print_function", "print_op", "print_value", "read_file", "read_function", "read_value"]


def print_file(facts: FileFacts) -> str:
    """All facts of a file."""
    lines = [f"file {facts.path!r}"]
    lines += [f"  import {_name(name)} = {target}" for name, target in facts.imports.items()]
    lines += [f"  star {target}" for target in facts.star_imports]
    lines += [f"  comment {line}: {text!r}" for line, text in facts.comments]
    sections = ["\n".join(lines) + "\n"]
    sections += [_print_class(each) for each in facts.classes.values()]
    sections += [print_function(each) for each in facts.functions.values()]
    return "\n".join(sections)


def print_function(facts: FunctionFacts) -> str:
    """One function; the inverse of `read_function`."""
    return "\n".join([f"function {facts.qualname}", *(f"  {line}" for line in _function_lines(facts))]) + "\n"


def print_op(op: Op) -> str:
    """One op without its spans."""
    match op:
        case Assign(target, value):
            return f"{'augment ' if op.augmented else ''}{print_value(target)} = {print_value(value)}"
        case Call():
            return f"{print_value(op.result)} = call {_operand(op.callee)}({_arguments(op.arguments)})"
        case Enter():
            return f"{print_value(op.result)} = enter {'async ' if op.asynchronous else ''}{print_value(op.manager)}"
        case Exit():
            return f"exit {'raised ' if op.exceptional else ''}{print_value(op.enter)} {print_value(op.manager)}"
        case Iterate():
            return f"{print_value(op.result)} = next {print_value(op.iterable)} loop {op.loop}"
        case Return():
            return f"return {print_value(op.value)}"
        case Yield():
            return f"{print_value(op.result)} = yield {'from ' if op.delegate else ''}{print_value(op.value)}"
        case Raise():
            return "raise" if op.value is None else f"raise {print_value(op.value)}"
        case Delete():
            return f"del {print_value(op.target)}"
        case Define():
            return f"{'class' if op.is_class else 'def'} {print_value(op.name)} = {op.qualname}"
        case Import():
            return f"import {print_value(op.name)} = {op.target}"
        case Evaluate():
            return f"evaluate {print_value(op.value)}"


def print_value(value: Value) -> str:
    """One value; the inverse of `read_value`."""
    match value:
        case Const():
            return _constant(value)
        case Name():
            return _name(value.id)
        case Temp():
            return f"%{value.number}"
        case Attribute():
            return f"{_base(value.value)}.{_name(value.name, reserved=False)}"
        case Item():
            return f"{_base(value.value)}[{print_value(value.index)}]"
        case Sequence():
            return _sequence(value)
        case Star():
            return f"*{_operand(value.value)}"
        case Mapping():
            return f"{{{', '.join(_entry(key, item) for key, item in value.items)}}}"
        case Compare() | Binary():
            return f"{_operand(value.left)} {value.operator} {_operand(value.right)}"
        case Not():
            return f"not {_operand(value.value)}"
        case Closure():
            return f"&{value.function}"
        case Opaque():
            return f"?({', '.join(map(print_value, value.parts))})"


def _operand(value: Value) -> str:
    text = print_value(value)
    return f"({text})" if isinstance(value, Compare | Binary | Not | Star) else text


def _base(value: Value) -> str:
    # Before a dot, a number would be read as another number and a closure as another function.
    is_number = isinstance(value, Const) and isinstance(value.value, int | float)
    return f"({print_value(value)})" if is_number or isinstance(value, Closure) else _operand(value)


def _constant(value: Const) -> str:
    constant = value.value
    if isinstance(constant, float) and math.isinf(constant):
        return "1e999" if constant > 0 else "-1e999"
    return repr(constant)


def _name(name: str, reserved: bool = True) -> str:
    is_plain = PLAIN_NAME.fullmatch(name) and not (reserved and name in RESERVED)
    return name if is_plain else f"`{name}`"


def _sequence(value: Sequence) -> str:
    items = ", ".join(map(print_value, value.items))
    match value.kind:
        case "tuple":
            return f"({items},)" if len(value.items) == 1 else f"({items})"
        case "list":
            return f"[{items}]"
        case "set":
            return f"{{{items or ','}}}"


def _entry(key: Value | None, item: Value) -> str:
    return f"**{_operand(item)}" if key is None else f"{print_value(key)}: {print_value(item)}"


def _arguments(arguments: Iterable[Argument]) -> str:
    return ", ".join(map(_argument, arguments))


def _argument(argument: Argument) -> str:
    place = "" if argument.span is None else f"<{_span(argument.span)}> "
    keyword = "" if argument.keyword is None else f"{_name(argument.keyword)}="
    return f"{place}{keyword}{'*' * argument.stars}{print_value(argument.value)}"


# Functions and classes


def _function_lines(facts: FunctionFacts) -> Iterator[str]:
    if facts.name != default_name(facts.qualname):
        yield f"name: {facts.name}"
    yield f"span: {_span(facts.span)}"
    yield f"header: {_span(facts.header)}"
    yield from map(_parameter, facts.parameters)
    yield from map(_decorator, facts.decorators)
    flags = [word for word, holds in (("generator", facts.is_generator), ("async", facts.is_async)) if holds]
    if flags:
        yield f"is: {', '.join(flags)}"
    if facts.owner is not None:
        yield f"owner: {facts.owner}"
    if facts.parent not in (None, MODULE):
        yield f"parent: {facts.parent}"
    if facts.returns is not None:
        yield f"returns: {facts.returns!r}"
    if facts.docstring is not None:
        yield f"docstring: {facts.docstring!r}"
    if facts.locals:
        yield f"locals: {', '.join(sorted(facts.locals))}"
    if facts.declared_global:
        yield f"globals: {', '.join(sorted(facts.declared_global))}"
    for index, loop in enumerate(facts.loops):
        yield _loop(index, loop)
    for index, block in enumerate(facts.blocks):
        yield from _block_lines(index, block)
    if (facts.exit, facts.raise_exit) != (len(facts.blocks) - 2, len(facts.blocks) - 1):
        yield f"exit: {facts.exit}"
        yield f"raise exit: {facts.raise_exit}"


def _parameter(parameter: Parameter) -> str:
    kind = "parameter" if parameter.kind == "positional" else parameter.kind
    annotation = "" if parameter.annotation is None else f": {parameter.annotation!r}"
    default = "" if parameter.default is None else f" = {print_value(parameter.default)}"
    return f"{kind} {_name(parameter.name)}{annotation}{default}"


def _decorator(decorator: Decorator) -> str:
    call = f"({_arguments(decorator.arguments)})" if decorator.called else ""
    return f"decorator {decorator.name or '?'}{call}  @{_span(decorator.span)}"


def _loop(index: int, loop: Loop) -> str:
    iterable = "" if loop.iterable is None else f" {print_value(loop.iterable)}"
    return f"loop {index}: {loop.kind}{iterable} head {loop.head}  @{_span(loop.header)} in {_span(loop.span)}"


def _block_lines(index: int, block: Block) -> Iterator[str]:
    loops = f" in {', '.join(map(str, block.loops))}" if block.loops else ""
    yield f"block {index}{loops}"
    for op in block.ops:
        around = "" if op.statement == op.span else f" in {_span(op.statement)}"
        yield f"  {print_op(op)}  @{_span(op.span)}{around}"
    for edge in block.edges:
        yield f"  {_edge(edge)}"


def _edge(edge: Edge) -> str:
    test = "" if edge.test is None else f" {print_value(edge.test)}"
    span = "" if edge.span is None else f" @{_span(edge.span)}"
    return f"--{edge.kind.value}{test}{span}--> {edge.target}{' back' if edge.back else ''}"


def _print_class(facts: ClassFacts) -> str:
    lines = [f"class {facts.qualname}"]
    if facts.name != default_name(facts.qualname):
        lines.append(f"  name: {facts.name}")
    lines.append(f"  span: {_span(facts.span)}")
    lines += [f"  base {print_value(base)}" for base in facts.bases]
    lines += [f"  {_decorator(each)}" for each in facts.decorators]
    if facts.parent != MODULE:
        lines.append(f"  parent: {facts.parent}")
    lines += [f"  method {_name(name)} = {qualname}" for name, qualname in facts.methods]
    lines += [f"  annotation {_name(name)}: {text!r}" for name, text in facts.annotations]
    return "\n".join(lines) + "\n"


def _span(span: Span) -> str:
    return f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"

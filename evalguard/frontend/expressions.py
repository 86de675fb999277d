"""Expressions: calls become ops in evaluation order, what remains is a value.

Two functions do the same walk for two purposes. `lower_value` gives the value of an expression; `lower_condition`
leaves the current block along the edges of an atomic test, so that `a and not b` needs no value at all:

    if a and not f(x): ...          block 0:                    --true a--> 1     --false a--> else
                                    block 1: %1 = call f(x)     --true %1--> else --false %1--> then

An expression that branches inside (`f(x) if a else b`, `a and f(x)`, a comprehension) leaves its value in a Temp that
all ways assign.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import Literal

import libcst as cst

from evalguard.frontend.drafts import FunctionDraft
from evalguard.frontend.literals import UNKNOWN, joined, literal, negated
from evalguard.frontend.names import dotted
from evalguard.frontend.walk import holds_op, target_names
from evalguard.ir.facts import Decorator, Parameter
from evalguard.ir.graph import Edge
from evalguard.ir.ops import Argument, Assign, Call, Iterate, Return, Yield
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

_KEYWORDS = {"None": Const(None), "True": Const(True), "False": Const(False)}
_LONGEST_CHAIN = 32  # operators of `a + b + c ...` in one tree: those who read values recurse on them
_DEEPEST = 64  # of one expression in another, in one tree, for the same reason


def lower_value(draft: FunctionDraft, node: cst.BaseExpression) -> Value:
    """Emit the ops of an expression and return its value."""
    draft.depth += 1
    try:
        value = _lower_value(draft, node)
        if draft.depth % _DEEPEST == 0:
            value = draft.graph.capture(value, draft.span(node), draft.statement)
        return value
    finally:
        draft.depth -= 1


def _lower_value(draft: FunctionDraft, node: cst.BaseExpression) -> Value:
    match node:
        case cst.Name():
            return _KEYWORDS.get(node.value) or draft.names.read(node.value)
        case cst.Attribute():
            return Attribute(lower_value(draft, node.value), node.attr.value)
        case cst.Call():
            return _lower_call(draft, node)
        case cst.Integer() | cst.Float() | cst.Imaginary() | cst.SimpleString():
            return literal(node)
        case cst.Subscript():
            value = lower_value(draft, node.value)
            return Item(value, _lower_index(draft, node.slice))
        case cst.BinaryOperation():
            return _lower_chain(draft, node)
        case cst.BooleanOperation():
            return _lower_boolean(draft, node)
        case cst.Comparison():
            return _lower_comparison(draft, node)
        case cst.UnaryOperation():
            return _lower_unary(draft, node)
        case cst.Tuple():
            return Sequence("tuple", _lower_elements(draft, node.elements))
        case cst.List():
            return Sequence("list", _lower_elements(draft, node.elements))
        case cst.Set():
            return Sequence("set", _lower_elements(draft, node.elements))
        case cst.Dict():
            return Mapping(tuple(_lower_entry(draft, element) for element in node.elements))
        case cst.ConcatenatedString():
            return joined(_lower_strings(draft, node))
        case cst.FormattedString() | cst.TemplatedString():
            return Opaque(_lower_format(draft, node.parts))
        case cst.IfExp():
            return _lower_conditional(draft, node)
        case cst.Lambda():
            return _lower_lambda(draft, node)
        case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
            return _lower_comprehension(draft, node)
        case cst.NamedExpr():
            value = lower_value(draft, node.value)
            assign(draft, node.target, value, node)
            return lower_value(draft, node.target)
        case cst.Await():
            return lower_value(draft, node.expression)
        case cst.Yield():
            return _lower_yield(draft, node)
        case cst.StarredElement():
            return Star(lower_value(draft, node.value))
        case _:
            return UNKNOWN


def lower_condition(draft: FunctionDraft, node: cst.BaseExpression, on_true: int, on_false: int) -> None:
    """Emit the ops of a test and leave for one of two blocks."""
    graph = draft.graph
    match node:
        case cst.UnaryOperation(operator=cst.Not()):
            lower_condition(draft, node.expression, on_false, on_true)
        case cst.BooleanOperation():
            operands = _operands(node)
            for operand in operands[:-1]:
                following = graph.block()
                if isinstance(node.operator, cst.And):
                    lower_condition(draft, operand, following, on_false)
                else:
                    lower_condition(draft, operand, on_true, following)
                graph.start(following)
            lower_condition(draft, operands[-1], on_true, on_false)
        case cst.IfExp():
            first, second = graph.block(), graph.block()
            lower_condition(draft, node.test, first, second)
            graph.start(first)
            lower_condition(draft, node.body, on_true, on_false)
            graph.start(second)
            lower_condition(draft, node.orelse, on_true, on_false)
        case cst.Comparison():
            _test_comparison(draft, node, on_true, on_false)
        case _:
            test_value(draft, lower_value(draft, node), node, on_true, on_false)


def test_value(draft: FunctionDraft, value: Value, node: cst.BaseExpression, on_true: int, on_false: int) -> None:
    """Leave for one of two blocks by a value's truth. A constant knows its way."""
    graph = draft.graph
    match value:
        case Const(constant):
            graph.goto(on_true if constant else on_false)
        case Not(inner):
            test_value(draft, inner, node, on_false, on_true)
        case Binary("and" | "or" as operator, left, right):
            following = graph.block()
            if operator == "and":
                test_value(draft, left, node, following, on_false)
            else:
                test_value(draft, left, node, on_true, following)
            graph.start(following)
            test_value(draft, right, node, on_true, on_false)
        case _:
            graph.branch(value, draft.span(node), on_true, on_false)


# Assignment


def assign(draft: FunctionDraft, target: cst.BaseExpression, value: Value, node: cst.CSTNode | None = None) -> None:
    """Assign a value to a target, taken apart where the target is a tuple. `node` has the span of the op, if not the
    target."""
    match target:
        case cst.Tuple() | cst.List():
            _unpack(draft, target, value)
        case cst.StarredElement():
            assign(draft, target.value, value, node)
        case _:
            place = lower_target(draft, target)
            draft.graph.emit(Assign(place, value, draft.span(node or target), draft.statement))


def lower_target(draft: FunctionDraft, target: cst.BaseExpression) -> Value:
    """The place that an assignment or a `del` writes, bound if it is a name."""
    if isinstance(target, cst.Name):
        return draft.names.bind(target.value)
    return lower_value(draft, target)


def _unpack(draft: FunctionDraft, target: cst.Tuple | cst.List, value: Value) -> None:
    overwritten = isinstance(value, Name) and value.id in target_names(target)
    if overwritten or not isinstance(value, Name):
        value = draft.graph.capture(value, draft.span(target), draft.statement)
    starred = False
    count = len(target.elements)
    for position, element in enumerate(target.elements):
        if isinstance(element, cst.StarredElement):
            starred = True
            assign(draft, element.value, Opaque((value,)))
        else:
            assign(draft, element.value, Item(value, Const(position - count if starred else position)))


# Calls


def _lower_call(draft: FunctionDraft, node: cst.Call) -> Temp:
    callee = lower_value(draft, node.func)
    arguments = _lower_arguments(draft, node.args, draft.span(node).line)
    return _emit_call(draft, node, callee, arguments)


def _emit_call(draft: FunctionDraft, node: cst.Call, callee: Value, arguments: tuple[Argument, ...]) -> Temp:
    result = draft.graph.temp()
    draft.graph.emit(Call(result, callee, arguments, draft.span(node), draft.statement))
    return result


def _lower_arguments(draft: FunctionDraft, nodes: Many[cst.Arg], line: int) -> tuple[Argument, ...]:
    """The arguments of a call that begins on a line."""
    return tuple(_lower_argument(draft, node, line) for node in nodes)


def _lower_argument(draft: FunctionDraft, node: cst.Arg, line: int) -> Argument:
    value = lower_value(draft, node.value)
    keyword = None if node.keyword is None else node.keyword.value
    span = draft.file.positions.span_between(node.value if node.keyword is None else node.keyword, node.value)
    return Argument(value, keyword, len(node.star), span if span.line > line else None)


def _lower_yield(draft: FunctionDraft, node: cst.Yield) -> Temp:
    draft.is_generator = True
    delegate = isinstance(node.value, cst.From)
    inner = node.value.item if isinstance(node.value, cst.From) else node.value
    value = Const(None) if inner is None else lower_value(draft, inner)
    result = draft.graph.temp()
    draft.graph.emit_yield(Yield(result, value, delegate, draft.span(node), draft.statement))
    return result


# Operators


def _lower_chain(draft: FunctionDraft, node: cst.BinaryOperation) -> Value:
    links: list[cst.BinaryOperation] = []
    start: cst.BaseExpression = node
    while isinstance(start, cst.BinaryOperation):
        links.append(start)
        start = start.left
    value = lower_value(draft, start)
    for length, link in enumerate(reversed(links), 1):
        value = Binary(operator_text(link.operator), value, lower_value(draft, link.right))
        if length % _LONGEST_CHAIN == 0 and link is not node:
            value = draft.graph.capture(value, draft.span(link), draft.statement)
    return value


def operator_text(operator: cst.BaseBinaryOp | cst.BaseAugOp) -> str:
    """`+` of `+` and of `+=`."""
    return _OPERATORS[type(operator).__name__.removesuffix("Assign")]


_OPERATORS = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "MatrixMultiply": "@",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "LeftShift": "<<",
    "RightShift": ">>",
}


def _lower_unary(draft: FunctionDraft, node: cst.UnaryOperation) -> Value:
    value = lower_value(draft, node.expression)
    match node.operator:
        case cst.Not():
            return Not(value)
        case cst.Minus():
            return negated(value)
        case _:
            return Opaque((value,))


def _operands(node: cst.BooleanOperation) -> list[cst.BaseExpression]:
    # `a and b and c` leans to the left: its operands, in order.
    kind = type(node.operator)
    operands: list[cst.BaseExpression] = []
    start: cst.BaseExpression = node
    while isinstance(start, cst.BooleanOperation) and type(start.operator) is kind:
        operands.append(start.right)
        start = start.left
    operands.append(start)
    return operands[::-1]


def _lower_boolean(draft: FunctionDraft, node: cst.BooleanOperation) -> Value:
    operator = "and" if isinstance(node.operator, cst.And) else "or"
    operands = _operands(node)
    if holds_op(node) or len(operands) > _LONGEST_CHAIN:
        return _lower_short_circuit(draft, operator, [_value_of(draft, operand) for operand in operands], node)
    value = lower_value(draft, operands[0])
    for operand in operands[1:]:
        value = Binary(operator, value, lower_value(draft, operand))
    return value


def _value_of(draft: FunctionDraft, node: cst.BaseExpression) -> Callable[[], tuple[Value, cst.BaseExpression]]:
    return lambda: (lower_value(draft, node), node)


def _lower_short_circuit(
    draft: FunctionDraft,
    operator: str,
    operands: Many[Callable[[], tuple[Value, cst.BaseExpression]]],
    node: cst.BaseExpression,
) -> Temp:
    graph = draft.graph
    result = graph.temp()
    done = graph.block()
    for position, operand in enumerate(operands):
        value, part = operand()
        graph.emit(Assign(result, value, draft.span(part), draft.statement))
        if position == len(operands) - 1:
            break
        following = graph.block()
        if operator == "and":
            test_value(draft, value, part, following, done)
        else:
            test_value(draft, value, part, done, following)
        graph.start(following)
    graph.enter_block(done)
    return result


_COMPARISONS: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Is: "is",
    cst.IsNot: "is not",
}


def _lower_comparison(draft: FunctionDraft, node: cst.Comparison) -> Value:
    if any(holds_op(link.comparator) for link in node.comparisons[1:]) or len(node.comparisons) > _LONGEST_CHAIN:
        return _lower_short_circuit(draft, "and", _links(draft, node), node)
    value: Value | None = None
    for link in _links(draft, node):
        test, _ = link()
        value = test if value is None else Binary("and", value, test)
    return UNKNOWN if value is None else value


def _test_comparison(draft: FunctionDraft, node: cst.Comparison, on_true: int, on_false: int) -> None:
    for link in _links(draft, node):
        value, _ = link()
        following = draft.graph.block()
        test_value(draft, value, node, following, on_false)
        draft.graph.start(following)
    draft.graph.goto(on_true)


def _links(draft: FunctionDraft, node: cst.Comparison) -> list[Callable[[], tuple[Value, cst.BaseExpression]]]:
    # Each link of `a < b < c`, to be lowered in this order: the value of `b` serves two of them.
    last: list[Value] = []

    def lower_link(link: cst.ComparisonTarget) -> tuple[Value, cst.BaseExpression]:
        left = last.pop() if last else lower_value(draft, node.left)
        right = lower_value(draft, link.comparator)
        last.append(right)
        return Compare(_COMPARISONS[type(link.operator)], left, right), node

    def ready(link: cst.ComparisonTarget) -> Callable[[], tuple[Value, cst.BaseExpression]]:
        return lambda: lower_link(link)

    return [ready(link) for link in node.comparisons]


def _lower_conditional(draft: FunctionDraft, node: cst.IfExp) -> Temp:
    graph = draft.graph
    result = graph.temp()
    first, second, done = graph.block(), graph.block(), graph.block()
    lower_condition(draft, node.test, first, second)
    for start, arm in ((first, node.body), (second, node.orelse)):
        graph.start(start)
        value = lower_value(draft, arm)
        graph.emit(Assign(result, value, draft.span(arm), draft.statement))
        graph.goto(done)
    graph.start(done)
    return result


# Displays


def _lower_elements(draft: FunctionDraft, elements: Many[cst.BaseElement]) -> tuple[Value, ...]:
    return tuple(
        Star(lower_value(draft, element.value))
        if isinstance(element, cst.StarredElement)
        else lower_value(draft, element.value)
        for element in elements
    )


def _lower_entry(draft: FunctionDraft, element: cst.BaseDictElement) -> tuple[Value | None, Value]:
    if isinstance(element, cst.DictElement):
        key = lower_value(draft, element.key)
        return key, lower_value(draft, element.value)
    return None, lower_value(draft, element.value)


def _lower_index(draft: FunctionDraft, elements: Many[cst.SubscriptElement]) -> Value:
    if len(elements) == 1 and not isinstance(elements[0].comma, cst.Comma):
        return _lower_slice(draft, elements[0].slice)
    return Sequence("tuple", tuple(_lower_slice(draft, element.slice) for element in elements))


def _lower_slice(draft: FunctionDraft, node: cst.BaseSlice) -> Value:
    match node:
        case cst.Index():
            value = lower_value(draft, node.value)
            return Star(value) if node.star else value
        case cst.Slice():
            bounds = (node.lower, node.upper, node.step)
            return Opaque(tuple(lower_value(draft, bound) for bound in bounds if bound is not None))
        case _:
            return UNKNOWN


def _lower_strings(draft: FunctionDraft, node: cst.ConcatenatedString) -> list[Value]:
    parts: list[Value] = []
    rest: cst.BaseExpression = node
    while isinstance(rest, cst.ConcatenatedString):
        parts.append(lower_value(draft, rest.left))
        rest = rest.right
    return [*parts, lower_value(draft, rest)]


def _lower_format(
    draft: FunctionDraft,
    parts: Many[cst.BaseFormattedStringContent] | Many[cst.BaseTemplatedStringContent],
) -> tuple[Value, ...]:
    values: list[Value] = []
    for part in parts:
        if isinstance(part, cst.FormattedStringExpression | cst.TemplatedStringExpression):
            values.append(lower_value(draft, part.expression))
            values.extend(_lower_format(draft, part.format_spec or ()))
    return tuple(values)


# Comprehensions


def _lower_comprehension(
    draft: FunctionDraft, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp
) -> Temp:
    """A loop in place, also for a generator expression, which is taken to run at once."""
    span = draft.span(node)
    result = draft.graph.temp()
    empty: Value = Mapping(()) if isinstance(node, cst.DictComp) else Sequence(_kind(node), ())
    draft.graph.emit(Assign(result, empty, span, draft.statement))

    def lower_element() -> None:
        if isinstance(node, cst.DictComp):
            key = lower_value(draft, node.key)
            value = lower_value(draft, node.value)
            draft.graph.emit(Assign(Item(result, key), value, span, draft.statement))
        else:
            value = lower_value(draft, node.elt)
            append = Attribute(result, "append")
            draft.graph.emit(
                Call(draft.graph.temp(), append, (Argument(value),), draft.span(node.elt), draft.statement)
            )

    _lower_for_in(draft, node, node.for_in, lower_element)
    return result


def _kind(node: cst.BaseExpression) -> Literal["list", "set"]:
    return "set" if isinstance(node, cst.SetComp) else "list"


def _lower_for_in(
    draft: FunctionDraft, node: cst.BaseExpression, clause: cst.CompFor, lower_element: Callable[[], None]
) -> None:
    graph = draft.graph
    span = draft.span(node)
    iterable = lower_value(draft, clause.iter)
    source = graph.capture(iterable, draft.span(clause.iter), draft.statement)
    header = draft.file.positions.span_between(clause.target, clause.iter)
    after = graph.block()
    loop = graph.open_loop("comprehension", iterable, span, header)
    body, again = graph.block(), graph.block()
    element = graph.temp()
    graph.emit_iterate(Iterate(element, source, loop, draft.span(clause.iter), draft.statement), body, after)
    with draft.names.renaming(target_names(clause.target), f"@{span.line}:{span.column}"):
        assign(draft, clause.target, element)
        for condition in clause.ifs:
            chosen = graph.block()
            lower_condition(draft, condition.test, chosen, again)
            graph.start(chosen)
        if clause.inner_for_in is None:
            lower_element()
        else:
            _lower_for_in(draft, node, clause.inner_for_in, lower_element)
    graph.enter_block(again)
    graph.link(Edge(graph.head_of(loop), back=True))
    graph.start(after)


# Functions inside expressions, and what stands around functions


def _lower_lambda(draft: FunctionDraft, node: cst.Lambda) -> Closure:
    parameters = lower_parameters(draft, node.params)
    span = draft.span(node)
    wanted = draft.inner_name(f"<lambda:{span.line}:{span.column}>")
    qualname, is_new = draft.file.qualname(node, "function", wanted)
    if is_new:
        names = draft.names.of_lambda(parameter.name for parameter in parameters)
        inner = FunctionDraft(draft.file, qualname, names, draft.span(node.body))
        value = lower_value(inner, node.body)
        inner.graph.emit_return(Return(value, inner.statement, inner.statement))
        inner.finish(name="<lambda>", span=span, header=span, around=draft, parameters=parameters)
    return Closure(qualname)


def lower_parameters(draft: FunctionDraft, node: cst.Parameters) -> tuple[Parameter, ...]:
    """The parameters of a function whose definition is executed here: their defaults are evaluated here too."""
    parameters = [_lower_parameter(draft, each, "positional") for each in (*node.posonly_params, *node.params)]
    if isinstance(node.star_arg, cst.Param):
        parameters.append(_lower_parameter(draft, node.star_arg, "args"))
    parameters += [_lower_parameter(draft, each, "keyword") for each in node.kwonly_params]
    if node.star_kwarg is not None:
        parameters.append(_lower_parameter(draft, node.star_kwarg, "kwargs"))
    return tuple(parameters)


def _lower_parameter(
    draft: FunctionDraft, node: cst.Param, kind: Literal["positional", "keyword", "args", "kwargs"]
) -> Parameter:
    default = None if node.default is None else without_ops(lower_value(draft, node.default))
    annotation = None if node.annotation is None else draft.file.positions.text(node.annotation.annotation)
    return Parameter(node.name.value, kind, default, annotation)


def lower_decorators(draft: FunctionDraft, nodes: Many[cst.Decorator]) -> tuple[Decorator, ...]:
    """The decorators of a definition that is executed here, outermost first."""
    decorators: list[Decorator] = []
    for node in nodes:
        with draft.within(draft.span(node)):
            decorators.append(_lower_decorator(draft, node))
    return tuple(decorators)


def _lower_decorator(draft: FunctionDraft, node: cst.Decorator) -> Decorator:
    expression = node.decorator
    if not isinstance(expression, cst.Call):
        lower_value(draft, expression)
        return Decorator(dotted(expression), False, (), draft.statement)
    callee = lower_value(draft, expression.func)
    arguments = _lower_arguments(draft, expression.args, draft.span(expression).line)
    _emit_call(draft, expression, callee, arguments)
    kept = tuple(Argument(without_ops(each.value), each.keyword, each.stars) for each in arguments)
    return Decorator(dotted(expression.func), True, kept, draft.statement)


def without_ops(value: Value) -> Value:
    """A value for readers outside this graph, who cannot see its temporaries: unknown if it takes an op to compute."""
    return UNKNOWN if _holds_temp(value) else value


def _holds_temp(value: Value) -> bool:
    match value:
        case Temp():
            return True
        case Const() | Name() | Closure():
            return False
        case Attribute() | Star() | Not():
            return _holds_temp(value.value)
        case Item():
            return _holds_temp(value.value) or _holds_temp(value.index)
        case Compare() | Binary():
            return _holds_temp(value.left) or _holds_temp(value.right)
        case Sequence():
            return any(_holds_temp(item) for item in value.items)
        case Mapping():
            return any(_holds_temp(item) or (key is not None and _holds_temp(key)) for key, item in value.items)
        case Opaque():
            return any(_holds_temp(part) for part in value.parts)

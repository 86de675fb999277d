"""Statements: control flow, with every way out of `try` and `with`.

A `try` with all its parts, as lowered (`F` stands for a copy of the body of `finally`, lowered anew each time):

    body --raise--> is it A? --true--> handler A --+
      |                |                           |
      |              false                         |
      |                +--> is it B? ... --none--> Raise --raise--> F, Raise --raise--> outwards
      |                                            |
      +--> else ------------------------------> done: F --> after
      +-- return --> F, Return --> exit

The handlers and the else-branch stand outside the frame of the handlers and inside that of `finally`.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence as Many

import libcst as cst

from evalguard.frontend.blocks import GuardFrame, LoopFrame
from evalguard.frontend.drafts import FunctionDraft
from evalguard.frontend.expressions import (
    assign,
    lower_condition,
    lower_decorators,
    lower_parameters,
    lower_target,
    lower_value,
    operator_text,
    without_ops,
)
from evalguard.frontend.literals import joined, literal
from evalguard.frontend.names import ClassScope, Names, imported, module_of
from evalguard.frontend.patterns import lower_pattern
from evalguard.ir.facts import ClassFacts
from evalguard.ir.ops import (
    Assign,
    Define,
    Delete,
    Enter,
    Evaluate,
    Exit,
    Import,
    Iterate,
    Raise,
    Return,
)
from evalguard.ir.values import Attribute, Binary, Const, Name, Opaque, Sequence, Temp, Value

Body = Many[cst.BaseStatement | cst.BaseSmallStatement]

_SWALLOWING = ("suppress", "ignore", "raises")  # in the name of a manager that may swallow an exception
_CATCH_ALL = frozenset({"Exception", "BaseException"})


def lower_body(draft: FunctionDraft, body: Body) -> None:
    """Lower statements in order."""
    for statement in body:
        if isinstance(statement, cst.SimpleStatementLine):
            lower_body(draft, statement.body)
        else:
            with draft.within(draft.span(statement)):
                _lower_statement(draft, statement)


def docstring_of(body: Body) -> str | None:
    """The docstring of a module or function, cleaned of its indentation."""
    first = body[0] if body else None
    if isinstance(first, cst.SimpleStatementLine):
        first = first.body[0]
    if not isinstance(first, cst.Expr):
        return None
    match first.value:
        case cst.SimpleString():
            value = literal(first.value)
        case cst.ConcatenatedString():
            value = _joined_literals(first.value)
        case _:
            return None
    return inspect.cleandoc(value.value) if isinstance(value, Const) and isinstance(value.value, str) else None


def _joined_literals(node: cst.ConcatenatedString) -> Value:
    parts: list[Value] = []
    rest: cst.BaseString = node
    while isinstance(rest, cst.ConcatenatedString):
        parts.append(literal(rest.left) if isinstance(rest.left, cst.SimpleString) else Opaque(()))
        rest = rest.right
    parts.append(literal(rest) if isinstance(rest, cst.SimpleString) else Opaque(()))
    return joined(parts)


def _lower_suite(draft: FunctionDraft, suite: cst.BaseSuite) -> None:
    lower_body(draft, suite.body)


def _lower_statement(draft: FunctionDraft, node: cst.CSTNode) -> None:
    graph = draft.graph
    match node:
        case cst.Expr():
            _lower_expression_statement(draft, node)
        case cst.Assign():
            _lower_assignment(draft, node)
        case cst.AnnAssign():
            _lower_annotated_assignment(draft, node)
        case cst.AugAssign():
            _lower_augmented_assignment(draft, node)
        case cst.If():
            _lower_if(draft, node)
        case cst.For():
            _lower_for(draft, node)
        case cst.While():
            _lower_while(draft, node)
        case cst.Return():
            _lower_return(draft, node)
        case cst.FunctionDef():
            _lower_function(draft, node)
        case cst.ClassDef():
            _lower_class(draft, node)
        case cst.With():
            _lower_with(draft, node, node.items)
        case cst.Try() | cst.TryStar():
            _lower_try(draft, node)
        case cst.Raise():
            _lower_raise(draft, node)
        case cst.Assert():
            _lower_assert(draft, node)
        case cst.Import() | cst.ImportFrom():
            _lower_import(draft, node)
        case cst.Break():
            graph.leave_loop(again=False)
        case cst.Continue():
            graph.leave_loop(again=True)
        case cst.Del():
            _lower_del(draft, node.target)
        case cst.Global():
            draft.names.declare_global(item.name.value for item in node.names)
        case cst.Nonlocal():
            draft.names.declare_nonlocal(item.name.value for item in node.names)
        case cst.Match():
            _lower_match(draft, node)
        case cst.TypeAlias():
            assign(draft, node.name, Opaque(()), node)


# Simple statements


def _lower_expression_statement(draft: FunctionDraft, node: cst.Expr) -> None:
    value = lower_value(draft, node.value)
    if not isinstance(value, Temp | Const) and not isinstance(node.value, cst.NamedExpr | cst.Ellipsis):
        draft.graph.emit(Evaluate(value, draft.span(node.value), draft.statement))


def _lower_assignment(draft: FunctionDraft, node: cst.Assign) -> None:
    value = lower_value(draft, node.value)
    if len(node.targets) == 1:
        assign(draft, node.targets[0].target, value, node)
        return
    value = draft.graph.capture(value, draft.span(node.value), draft.statement)
    for each in node.targets:
        assign(draft, each.target, value)


def _lower_annotated_assignment(draft: FunctionDraft, node: cst.AnnAssign) -> None:
    scope = draft.names.class_scope
    if scope is not None and isinstance(node.target, cst.Name):
        scope.annotations[node.target.value] = draft.file.positions.text(node.annotation.annotation)
    if node.value is not None:
        assign(draft, node.target, lower_value(draft, node.value), node)
    elif scope is None and isinstance(node.target, cst.Name):
        draft.names.bind(node.target.value)


def _lower_augmented_assignment(draft: FunctionDraft, node: cst.AugAssign) -> None:
    before = lower_value(draft, node.target)
    value = lower_value(draft, node.value)
    target = draft.names.bind(node.target.value) if isinstance(node.target, cst.Name) else before
    result = Binary(operator_text(node.operator), before, value)
    draft.graph.emit(Assign(target, result, draft.statement, draft.statement, augmented=True))


def _lower_return(draft: FunctionDraft, node: cst.Return) -> None:
    value: Value = Const(None) if node.value is None else lower_value(draft, node.value)
    if node.value is not None and draft.graph.has_frames:
        value = draft.graph.capture(value, draft.span(node.value), draft.statement)
    draft.graph.emit_return(Return(value, draft.statement, draft.statement))


def _lower_raise(draft: FunctionDraft, node: cst.Raise) -> None:
    value = None if node.exc is None else lower_value(draft, node.exc)
    if node.cause is not None:
        lower_value(draft, node.cause.item)
    draft.graph.emit_raise(Raise(value, draft.statement, draft.statement))


def _lower_assert(draft: FunctionDraft, node: cst.Assert) -> None:
    graph = draft.graph
    holds, fails = graph.block(), graph.block()
    lower_condition(draft, node.test, holds, fails)
    graph.start(fails)
    message = () if node.msg is None else (lower_value(draft, node.msg),)
    graph.emit_raise(Raise(Opaque(message), draft.statement, draft.statement))
    graph.start(holds)


def _lower_del(draft: FunctionDraft, target: cst.BaseExpression) -> None:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            _lower_del(draft, element.value)
        return
    draft.graph.emit(Delete(lower_target(draft, target), draft.span(target), draft.statement))


def _lower_import(draft: FunctionDraft, node: cst.Import | cst.ImportFrom) -> None:
    if isinstance(node, cst.ImportFrom) and isinstance(node.names, cst.ImportStar):
        draft.file.star_imports.append(module_of(node))
        return
    for name, target, alias in imported(node):
        draft.file.imports.setdefault(name, target)
        if draft.names.class_scope is None:
            draft.names.bind(name)
        draft.graph.emit(Import(Name(name), target, draft.span(alias), draft.statement))


# Branches and loops


def _lower_if(draft: FunctionDraft, node: cst.If) -> None:
    graph = draft.graph
    done = graph.block()
    branch: cst.If | cst.Else | None = node
    while isinstance(branch, cst.If):
        then, otherwise = graph.block(), graph.block()
        lower_condition(draft, branch.test, then, otherwise)
        graph.start(then)
        _lower_suite(draft, branch.body)
        graph.goto(done)
        graph.start(otherwise)
        branch = branch.orelse
    if branch is not None:
        _lower_suite(draft, branch.body)
    graph.enter_block(done)


def _lower_for(draft: FunctionDraft, node: cst.For) -> None:
    graph = draft.graph
    iterable = lower_value(draft, node.iter)
    source = graph.capture(iterable, draft.span(node.iter), draft.statement)
    otherwise, done = graph.block(), graph.block()
    loop = graph.open_loop("for", iterable, draft.statement, draft.file.positions.header(node, node.body))
    body = graph.block()
    element = graph.temp()
    graph.emit_iterate(Iterate(element, source, loop, draft.span(node.iter), draft.statement), body, otherwise)
    graph.push(LoopFrame(graph.head_of(loop), done))
    assign(draft, node.target, element)
    _lower_suite(draft, node.body)
    graph.pop()
    graph.goto(graph.head_of(loop), back=True)
    _lower_loop_end(draft, node.orelse, otherwise, done)


def _lower_while(draft: FunctionDraft, node: cst.While) -> None:
    graph = draft.graph
    otherwise, done = graph.block(), graph.block()
    loop = graph.open_loop("while", None, draft.statement, draft.file.positions.header(node, node.body))
    body = graph.block()
    lower_condition(draft, node.test, body, otherwise)
    graph.start(body)
    graph.push(LoopFrame(graph.head_of(loop), done))
    _lower_suite(draft, node.body)
    graph.pop()
    graph.goto(graph.head_of(loop), back=True)
    _lower_loop_end(draft, node.orelse, otherwise, done)


def _lower_loop_end(draft: FunctionDraft, orelse: cst.Else | None, otherwise: int, done: int) -> None:
    draft.graph.start(otherwise)
    if orelse is not None:
        _lower_suite(draft, orelse.body)
    draft.graph.enter_block(done)


def _lower_match(draft: FunctionDraft, node: cst.Match) -> None:
    graph = draft.graph
    subject = lower_value(draft, node.subject)
    if not isinstance(subject, Name):
        subject = graph.capture(subject, draft.span(node.subject), draft.statement)
    done = graph.block()
    for case in node.cases:
        matched, following = graph.block(), graph.block()
        lower_pattern(draft, case.pattern, subject, matched, following)
        graph.start(matched)
        if case.guard is not None:
            chosen = graph.block()
            lower_condition(draft, case.guard, chosen, following)
            graph.start(chosen)
        _lower_suite(draft, case.body)
        graph.goto(done)
        graph.start(following)
    graph.enter_block(done)


# Ways out: with and try


def _lower_with(draft: FunctionDraft, node: cst.With, items: Many[cst.WithItem]) -> None:
    if not items:
        _lower_suite(draft, node.body)
        return
    graph = draft.graph
    item = items[0].item
    statement, span = draft.statement, draft.span(item)
    manager = lower_value(draft, item)
    entered = graph.temp()
    graph.emit(Enter(entered, manager, span, statement, asynchronous=node.asynchronous is not None))

    def leave() -> None:
        graph.emit(Exit(entered, manager, span, statement))

    frame = GuardFrame(graph.enclosing_loops, leave, sees_calls=_may_swallow(item, draft))
    graph.push(frame)
    bound = items[0].asname
    if bound is not None:
        assign(draft, bound.name, entered)
    _lower_with(draft, node, items[1:])
    graph.pop()
    leave()
    if frame.entry is not None:
        after = graph.block()
        graph.goto(after)
        graph.start(frame.entry)
        graph.emit_exceptional_exit(Exit(entered, manager, span, statement, exceptional=True), after)
        graph.start(after)


def _may_swallow(manager: cst.BaseExpression, draft: FunctionDraft) -> bool:
    callee = manager.func if isinstance(manager, cst.Call) else manager
    match callee:
        case cst.Name():
            name = callee.value
        case cst.Attribute():
            name = callee.attr.value
        case _:
            return False
    return name in draft.file.swallowing or any(word in name.lower() for word in _SWALLOWING)


def _lower_try(draft: FunctionDraft, node: cst.Try | cst.TryStar) -> None:
    if node.finalbody is None:
        _lower_handled(draft, node)
        return
    graph = draft.graph
    statement, cleanup = draft.statement, node.finalbody.body

    def clean_up() -> None:
        _lower_suite(draft, cleanup)

    frame = GuardFrame(graph.enclosing_loops, clean_up, sees_calls=True)
    graph.push(frame)
    _lower_handled(draft, node)
    graph.pop()
    clean_up()
    if frame.entry is not None:
        after = graph.block()
        graph.goto(after)
        graph.start(frame.entry)
        clean_up()
        graph.emit_raise(Raise(None, statement, statement))
        graph.start(after)


def _lower_handled(draft: FunctionDraft, node: cst.Try | cst.TryStar) -> None:
    graph = draft.graph
    done = graph.block()
    frame = GuardFrame(graph.enclosing_loops, sees_calls=True, sees_all=True)
    if node.handlers:
        graph.push(frame)
    _lower_suite(draft, node.body)
    if node.handlers:
        graph.pop()
    if node.orelse is not None:
        _lower_suite(draft, node.orelse.body)
    graph.goto(done)
    graph.start(graph.block() if frame.entry is None else frame.entry)
    _lower_handlers(draft, node.handlers, done)
    graph.start(done)


def _lower_handlers(
    draft: FunctionDraft, handlers: Many[cst.ExceptHandler] | Many[cst.ExceptStarHandler], done: int
) -> None:
    graph = draft.graph
    in_groups = False
    for handler in handlers:
        in_groups = isinstance(handler, cst.ExceptStarHandler)
        caught, following = graph.block(), graph.block()
        kind = None if handler.type is None else lower_value(draft, handler.type)
        if handler.type is None or _catches_all(kind):
            graph.goto(caught)
        else:
            graph.branch(Opaque(() if kind is None else (kind,)), draft.span(handler.type), caught, following)
        graph.start(caught)
        if handler.name is not None:
            assign(draft, handler.name.name, Opaque(() if kind is None else (kind,)))
        _lower_suite(draft, handler.body)
        graph.goto(following if in_groups and not _catches_all(kind) else done)
        graph.start(following)
    if in_groups:
        # Several `except*` may run; whether part of the group is left over is not known.
        left = graph.block()
        graph.branch(Opaque(()), draft.statement, left, done)
        graph.start(left)
    graph.emit_raise(Raise(None, draft.statement, draft.statement))


def _catches_all(kind: Value | None) -> bool:
    match kind:
        case Name(name) | Attribute(_, name):
            return name in _CATCH_ALL
        case Sequence(_, items):
            return any(_catches_all(item) for item in items)
        case _:
            return False


# Definitions


def _lower_function(draft: FunctionDraft, node: cst.FunctionDef) -> None:
    decorators = lower_decorators(draft, node.decorators)
    parameters = lower_parameters(draft, node.params)
    name = node.name.value
    positions = draft.file.positions
    qualname, is_new = draft.file.qualname(node, "function", draft.inner_name(name))
    header = positions.header(node, node.body)
    if is_new:
        inner = FunctionDraft(draft.file, qualname, Names(), draft.statement)
        _lower_suite(inner, node.body)
        inner.finish(
            name=name,
            span=draft.statement,
            header=header,
            around=draft,
            parameters=parameters,
            decorators=decorators,
            is_async=node.asynchronous is not None,
            returns=None if node.returns is None else positions.text(node.returns.annotation),
            docstring=docstring_of(node.body.body),
        )
    scope = draft.names.class_scope
    draft.names.bind(name)
    if scope is not None:
        scope.methods[name] = qualname
    else:
        draft.graph.emit(Define(Name(name), qualname, False, header, draft.statement))


def _lower_class(draft: FunctionDraft, node: cst.ClassDef) -> None:
    decorators = lower_decorators(draft, node.decorators)
    bases = [lower_value(draft, argument.value) for argument in node.bases]
    for argument in node.keywords:
        lower_value(draft, argument.value)
    name = node.name.value
    qualname, is_new = draft.file.qualname(node, "class", draft.inner_name(name))
    outer = draft.names.class_scope
    scope = ClassScope(qualname, Name(name) if outer is None else Attribute(outer.value, name))
    with draft.names.in_class(scope):
        _lower_suite(draft, node.body)
    if is_new:
        draft.file.classes[qualname] = ClassFacts(
            qualname=qualname,
            name=name,
            span=draft.statement,
            bases=tuple(without_ops(base) for base in bases),
            decorators=decorators,
            methods=tuple(scope.methods.items()),
            parent=draft.qualname,
            annotations=tuple(scope.annotations.items()),
        )
    draft.names.bind(name)
    if outer is None:
        header = draft.file.positions.header(node, node.body)
        draft.graph.emit(Define(Name(name), qualname, True, header, draft.statement))

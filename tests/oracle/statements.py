"""Blocks, and the statements that have blocks.

The table at the end gives each statement its weight, and the construct without which it is not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .objects import (
    appended,
    bound_method,
    closure,
    copied,
    default_lambda,
    deleted,
    holder,
    later,
    module_list,
    partial_,
    stacked,
    unpacked,
    walrus,
    worker,
    wrapped,
    zipped,
)
from .simple import (
    a_module,
    a_test,
    alias,
    assertion,
    call,
    call_of,
    chained,
    comprehension,
    conditional_expression,
    container,
    flag_reassigned,
    flag_train,
    lambda_,
    list_,
    may_raise,
    new_flag,
    next_,
    observe,
    recurse,
    save_restore,
    short_circuit,
    switch,
    table,
    train_argument,
    yield_,
)
from .writer import Known, Scope, Writer


def block(writer: Writer, scope: Scope, whole: bool = False) -> None:
    """One or more statements. `whole` for the body of a function that goes on after it: it does not end early."""
    count = writer.left if whole else writer.draw.randint(1, 3)
    written = 0
    while written < max(1, count) and (writer.left > 0 or written == 0):
        writer.left -= 1
        written += 1
        leaves = statement(writer, scope, final=written == count and not whole)
        if leaves and not (writer.has("dead-code") and writer.chance(0.5)):
            return
        if leaves:
            writer.line(f"reveal_mode({a_module(writer, scope)})", "dead-code")
            return


def body(writer: Writer, scope: Scope, size: int, last: str | None = None, tag: str = "helper") -> None:
    """The body of a function: about `size` statements, and `last`."""
    with writer.indented():
        writer.left = size
        block(writer, scope, whole=last is not None)
        if last is not None:
            writer.line(last, tag)


def statement(writer: Writer, scope: Scope, final: bool) -> bool:
    """Write a statement; whether control never goes on after it."""
    if final and writer.chance(0.4) and leave(writer, scope):
        return True
    compound = writer.left > 0 and writer.depth < 5
    for _ in range(8):
        _, feature, write = writer.draw.choices(_STATEMENTS, [weight for weight, _, _ in _STATEMENTS])[0]
        if feature and not writer.has(feature):
            continue
        if write in _COMPOUND and not compound:
            continue
        if write(writer, scope):
            if write in _COMPOUND and writer.chance(0.4):
                observe(writer, scope)
            return False
    observe(writer, scope)
    return False


def leave(writer: Writer, scope: Scope) -> bool:
    ways: list[tuple[str, tuple[str, ...]]] = []
    if scope.in_loop:
        ways += [("break", ("break",))] if writer.has("break") else []
        ways += [("continue", ("continue",))] if writer.has("continue") else []
    if scope.returning and writer.has("return"):
        ways.append((scope.returning, ("return",)))
    if writer.has("raise") and (scope.guarded or (scope.may_raise and writer.chance(0.3))):
        kind = writer.draw.choice(("RuntimeError", "ValueError")) if writer.has("typed-except") else "RuntimeError"
        ways.append((f'raise {kind}("planned")', ("raise",)))
    if not ways:
        return False
    text, tags = writer.draw.choice(ways)
    writer.line(text, *tags)
    return True


def inside(writer: Writer, scope: Scope, **changes: object) -> None:
    with writer.indented():
        block(writer, scope.nested(**changes))


def if_(writer: Writer, scope: Scope) -> bool:
    test, tags = a_test(writer, scope)
    if writer.has("walrus") and writer.chance(0.3):
        name = f"ok_{writer.fresh()}"
        test, tags = f"{name} := choice({writer.fresh()})", ("walrus",)
        scope.flags.append(name)
        scope.own.add(name)
    writer.line(f"if {test}:", *tags)
    inside(writer, scope)
    while writer.chance(0.25):
        test, tags = a_test(writer, scope)
        writer.line(f"elif {test}:", *tags)
        inside(writer, scope)
    if writer.chance(0.45):
        writer.line("else:")
        inside(writer, scope)
    return True


def for_(writer: Writer, scope: Scope) -> bool:
    changes: dict[str, object] = {"in_loop": True}
    streams = [helper for helper in scope.callables if helper.gives == "items"]
    ways = ["items"] * 3
    ways += ["stream"] * 4 if streams and writer.has("generator-for") else []
    ways += ["phase"] * 2 if writer.has("phase-loop") else []
    ways += ["flag"] if writer.has("flag-loop") else []
    ways += ["range"] * 5 if writer.has("range-loop") else []
    match writer.draw.choice(ways):
        case "stream":
            writer.line(f"for y in {call_of(writer, streams[0], scope)[0]}:", "generator-for")
        case "phase":
            name = f"phase_{writer.fresh()}"
            writer.line(f"for {name} in {writer.draw.choice(_PHASE_LISTS)}:", "phase-loop")
            changes["phases"] = [*scope.phases, name]
        case "flag":
            name = f"flag_{writer.fresh()}"
            writer.line(f"for {name} in (True, False):", "flag-loop")
            changes["flags"] = [*scope.flags, name]
        case "range":
            name = f"epoch_{writer.fresh()}"
            bound = writer.draw.choice([*(one for one in scope.epochs if one == "epochs"), "2", "1", "3"])
            writer.line(f"for {name} in range({bound}):", "range-loop")
            changes["epochs"] = [*scope.epochs, name]
        case _:
            if writer.has("enumerate") and writer.chance(0.6):
                writer.line(f"for i, v in enumerate(items({writer.fresh()})):", "for", "enumerate")
            else:
                writer.line(f"for v in items({writer.fresh()}):", "for")
    inside(writer, scope, **changes)
    loop_else(writer, scope)
    return True


def loop_else(writer: Writer, scope: Scope) -> None:
    if writer.has("loop-else") and writer.chance(0.6):
        writer.line("else:", "loop-else")
        inside(writer, scope)


def while_(writer: Writer, scope: Scope) -> bool:
    if writer.has("short-circuit") and writer.chance(0.3):
        writer.line(f"while more({writer.fresh()}) and choice({writer.fresh()}):", "while", "short-circuit")
    else:
        writer.line(f"while more({writer.fresh()}):", "while")
    inside(writer, scope, in_loop=True)
    loop_else(writer, scope)
    return True


def endless(writer: Writer, scope: Scope) -> bool:
    writer.line("while True:", "endless")
    with writer.indented():
        writer.line(f"if leave({writer.fresh()}):", "endless")
        with writer.indented():
            if writer.chance(0.3):
                switch(writer, scope)
            if scope.returning and writer.has("return") and writer.chance(0.3):
                writer.line(scope.returning, "return")
            else:
                writer.line("break", "break")
    inside(writer, scope, in_loop=True)
    return True


def try_(writer: Writer, scope: Scope) -> bool:
    ways = [way for way in ("try-except", "try-finally") if writer.has(way)]
    if not ways:
        return False
    ways = ways if writer.chance(0.4) else [writer.draw.choice(ways)]
    writer.line("try:", *ways)
    with writer.indented():
        inner = scope.nested(guarded=True, may_yield=False)
        if writer.chance(0.3):
            switch(writer, inner)
        if writer.chance(0.4):
            may_raise(writer, inner)
        block(writer, inner)
    outer: dict[str, object] = {"may_yield": False}
    if "try-except" in ways:
        typed = writer.has("typed-except") and writer.chance(0.7)
        if typed:
            kinds = writer.draw.choice(("ValueError", "RuntimeError", "(ValueError, KeyError)"))
            writer.line(f"except {kinds}:", "typed-except")
            handler(writer, scope, outer)
        if not typed or writer.chance(0.5):
            kinds = writer.draw.choice((" Exception", "", " Exception as error"))
            writer.line(f"except{kinds}:", "try-except")
            handler(writer, scope, outer)
        if writer.has("try-else") and writer.chance(0.7):
            writer.line("else:", "try-else")
            inside(writer, scope, **outer)
    if "try-finally" in ways:
        writer.line("finally:", "try-finally")
        returning = scope.returning if writer.has("return-in-finally") else None
        in_loop = scope.in_loop and writer.has("return-in-finally")
        tags_before = len(writer.lines)
        inside(writer, scope, **outer, returning=returning, in_loop=in_loop)
        if writer.has("return-in-finally"):
            for position in range(tags_before, len(writer.lines)):
                if re.match(r" *(return|break|continue)\b", writer.lines[position]):
                    writer.lines[position] += ", return-in-finally"
    return True


def handler(writer: Writer, scope: Scope, outer: dict[str, object]) -> None:
    inside(writer, scope, **outer)
    goes_on = not re.match(r" *(return|break|continue|raise)\b", writer.lines[-1])
    if goes_on and writer.has("reraise") and (scope.guarded or scope.may_raise) and writer.chance(0.4):
        with writer.indented():
            writer.line("raise", "reraise")


def with_(writer: Writer, scope: Scope) -> bool:
    managers = [helper for helper in scope.callables if helper.gives == "manager"]
    ways = ["manager"] * 4 if managers else []
    ways += ["suppress"] if writer.has("suppress") else []
    ways += ["no-grad"] if writer.has("no-grad") else []
    if not ways:
        return False
    changes: dict[str, object] = {"may_yield": False}
    first: list[str] = []
    match writer.draw.choice(ways):
        case "manager" if writer.has("exit-stack") and writer.chance(0.6):
            head, tags, first = stacked(writer, scope, managers)
            writer.line(head, *tags)
        case "manager":
            manager = writer.draw.choice(managers)
            text, tags = call_of(writer, manager, scope)
            if writer.has("with-as") and writer.chance(0.6):
                name = f"net_{writer.fresh()}"
                writer.line(f"with {text} as {name}:", *tags, "with-as")
                changes |= {"modules": [*scope.modules, name]}
            elif writer.has("with-two") and writer.chance(0.7):
                second, more_tags = call_of(writer, writer.draw.choice(managers), scope)
                writer.line(f"with {text}, {second}:", *tags, *more_tags, "with-two")
            else:
                writer.line(f"with {text}:", *tags)
        case "suppress":
            writer.line("with suppress(Exception):", "suppress")
        case _:
            writer.line(writer.draw.choice(("with torch.no_grad():", "with torch.set_grad_enabled(False):")), "no-grad")
    with writer.indented():
        for text in first:
            writer.line(text, "exit-stack")
    inside(writer, scope, **changes)
    return True


def match_(writer: Writer, scope: Scope) -> bool:
    if scope.phases and writer.features & {"phase-test", "phase-loop"} and writer.chance(0.5):
        writer.line(f"match {writer.draw.choice(scope.phases)}:", "match", "phase-test")
        cases = ['"train"', '"val"', "_"]
    else:
        writer.line(f"match pick({writer.fresh()}):", "match")
        cases = ["0", writer.draw.choice(("1", f"1 if choice({writer.fresh()})")), "_"]
    cases = cases[: writer.draw.randint(1, 3)] if writer.chance(0.6) else [cases[0], cases[2]]
    with writer.indented():
        for case in cases:
            writer.line(f"case {case}:", "match")
            inside(writer, scope)
    return True


def nested_function(writer: Writer, scope: Scope) -> bool:
    if not scope.returning or writer.depth > 2:
        return False
    name = f"inner_{writer.fresh()}"
    writer.line(f"def {name}():", "nested-function")
    left = writer.left
    callables = [helper for helper in scope.callables if helper.gives == "nothing"]
    inner = Scope(scope.modules.copy(), callables=callables, returning="return", may_raise=False)
    with writer.without("assert"):
        body(writer, inner, writer.draw.randint(1, 3))
    writer.left = left
    scope.callables.append(Known(name, (), ("nested-function",)))
    return True


_PHASE_LISTS = ('("train", "val")', '["train", "val"]', '("val", "train")', '("train", "val", "test")', '["val"]')

_STATEMENTS: tuple[tuple[int, str | None, Callable[[Writer, Scope], bool]], ...] = (
    (14, None, switch),
    (8, None, observe),
    (8, None, if_),
    (4, None, for_),
    (5, None, may_raise),
    (4, "while", while_),
    (4, "endless", endless),
    (5, "try-except", try_),
    (5, "try-finally", try_),
    (6, None, with_),
    (5, "match", match_),
    (4, "train-argument", train_argument),
    (4, "flag-train", flag_train),
    (4, "flag-reassigned", flag_reassigned),
    (3, "flag-test", new_flag),
    (4, "chained", chained),
    (8, "save-restore", save_restore),
    (5, "alias", alias),
    (4, "container", container),
    (4, "container-variable", container),
    (5, "dict", table),
    (4, "conditional-expression", conditional_expression),
    (4, "short-circuit", short_circuit),
    (4, "comprehension", comprehension),
    (10, None, call),
    (5, "recursion", recurse),
    (5, "lambda", lambda_),
    (5, "nested-function", nested_function),
    (4, "assert", assertion),
    (6, "generator-next", next_),
    (4, "generator-list", list_),
    (9, None, yield_),
    (5, "wrapper", wrapped),
    (4, "copy", copied),
    (4, "unpack", unpacked),
    (4, "walrus", walrus),
    (4, "del", deleted),
    (4, "zip", zipped),
    (4, "append", appended),
    (5, "module-list", module_list),
    (4, "bound-method", bound_method),
    (5, "partial", partial_),
    (4, "lambda-default", default_lambda),
    (7, "closure", closure),
    (5, "property", holder),
    (9, "inheritance", worker),
    (9, None, later),
)

_COMPOUND = (if_, for_, while_, endless, try_, with_, match_)

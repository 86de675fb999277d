"""Definitions by which a function is more than a function: decorated, asynchronous, made by another, in a class."""

from __future__ import annotations

from collections.abc import Callable

from .definitions import scope_of
from .statements import block, body
from .writer import Known, Writer


def define_decorator(writer: Writer, helpers: list[Known]) -> list[Known]:
    name, inner = f"around_{writer.fresh()}", f"helper_{writer.fresh()}"
    tag = "decorator"
    writer.line(f"def {name}(function):", tag)
    with writer.indented():
        if writer.chance(0.7):
            writer.line("@wraps(function)", tag)
        writer.line("def wrapper(m, x):", tag)
        with writer.indented():
            if writer.chance(0.7):
                writer.line(writer.draw.choice(("m.eval()", "m.train()")), tag)
            writer.line("y = function(m, x)", tag)
            if writer.chance(0.5):
                writer.line(writer.draw.choice(("m.eval()", "m.train()", "reveal_mode(m)")), tag)
            writer.line("return y", tag)
        writer.line("return wrapper", tag)
    writer.apart()
    writer.line(f"@{name}", tag)
    writer.line(f"def {inner}(m, x):", tag)
    body(writer, scope_of(writer, ["m"], helpers), writer.draw.randint(1, 4))
    return [Known(inner, ("module", "x"), (tag,))]


def define_no_grad_decorator(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"helper_{writer.fresh()}"
    tag = "no-grad-decorator"
    writer.line(writer.draw.choice(("@torch.no_grad()", "@torch.inference_mode()")), tag)
    writer.line(f"def {name}(m, x):", tag)
    body(writer, scope_of(writer, ["m"], helpers), writer.draw.randint(1, 4))
    return [Known(name, ("module", "x"), (tag,))]


def define_closure(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"make_{writer.fresh()}"
    tag = "closure"
    writer.line(f"def {name}(m):", tag)
    with writer.indented():
        writer.line("def act(x):", tag)
        scope = scope_of(writer, ["m"], helpers)
        scope.own.discard("m")
        body(writer, scope, writer.draw.randint(1, 3))
        writer.line("return act", tag)
    return [Known(name, ("module",), (tag,), "closure")]


def define_property(writer: Writer, _: list[Known]) -> list[Known]:
    name = f"Holder{writer.fresh()}"
    tag = "property"
    writer.line(f"class {name}:", tag)
    with writer.indented():
        writer.line("def __init__(self, m):", tag)
        with writer.indented():
            writer.line("self._m = m", tag)
        writer.line("")
        writer.line("@property", tag)
        writer.line("def net(self):", tag)
        with writer.indented():
            if writer.chance(0.2):
                writer.line("self._m.eval()", tag)
            writer.line("return self._m", tag)
    return [Known(name, ("module",), (tag,), "holder")]


def define_inheritance(writer: Writer, helpers: list[Known]) -> list[Known]:
    base, child = f"Base{writer.fresh()}", f"Child{writer.fresh()}"
    tag = "inheritance"
    writer.line(f"class {base}:", tag)
    with writer.indented():
        writer.line("def __init__(self, m):", tag)
        with writer.indented():
            writer.line("self.m = m", tag)
        writer.line("")
        writer.line("def _run(self, x):", tag)
        scope = scope_of(writer, ["self.m"], helpers)
        with writer.without("return", "raise"):
            body(writer, scope, writer.draw.randint(1, 3), "self._hook(x)", tag)
            if writer.chance(0.6):
                body(writer, scope.nested(), writer.draw.randint(1, 2))
        writer.line("")
        writer.line("def _hook(self, x):", tag)
        body(writer, scope_of(writer, ["self.m"], helpers), writer.draw.randint(1, 2))
    writer.apart()
    writer.line(f"class {child}({base}):", tag)
    with writer.indented():
        writer.line("def _hook(self, x):", tag)
        if writer.chance(0.5):
            with writer.indented():
                writer.line("super()._hook(x)", tag)
        body(writer, scope_of(writer, ["self.m"], helpers), writer.draw.randint(1, 3))
    made = [Known(child, ("module",), (tag,), "worker")]
    return made + ([Known(base, ("module",), (tag,), "worker")] if writer.chance(0.3) else [])


def define_static_method(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"Tools{writer.fresh()}"
    tag = "static-method"
    writer.line(f"class {name}:", tag)
    with writer.indented():
        writer.line("@staticmethod", tag)
        writer.line("def _run(m, x):", tag)
        body(writer, scope_of(writer, ["m"], helpers), writer.draw.randint(1, 3))
        writer.line("")
        writer.line("@classmethod", tag)
        writer.line("def _again(cls, m, x):", tag)
        with writer.without("return", "raise"):
            body(writer, scope_of(writer, ["m"], helpers), writer.draw.randint(1, 2), "cls._run(m, x)", tag)
    return [Known(f"{name}._run", ("module", "x"), (tag,)), Known(f"{name}._again", ("module", "x"), (tag,))]


def define_star_arguments(writer: Writer, helpers: list[Known]) -> list[Known]:
    inner = [one for one in helpers if one.name.startswith("helper_") and one.gives == "nothing"]
    if not inner:
        return []
    name = f"relay_{writer.fresh()}"
    tag = "star-arguments"
    passed = writer.draw.choice(("*args, **options", "m, *args, **options"))
    writer.line(f"def {name}({passed}):", tag)
    with writer.indented():
        if passed.startswith("m") and writer.chance(0.6):
            writer.line(writer.draw.choice(("m.eval()", "m.train()")), tag)
        writer.line(f"return {inner[-1].name}({passed})", tag)
    return [Known(name, inner[-1].parameters, (*inner[-1].tags, tag))]


def define_async(writer: Writer, helpers: list[Known]) -> list[Known]:
    """A coroutine, and one that waits for it."""
    made: list[Known] = []
    for _ in range(writer.draw.randint(1, 2)):
        if made:
            writer.apart()
        name = f"later_{writer.fresh()}"
        writer.line(f"async def {name}(m, x):", "async")
        scope = scope_of(writer, ["m"], [*helpers, *made], awaits=True)
        body(writer, scope, writer.draw.randint(1, 3))
        made.append(Known(name, ("module", "x"), ("async",), "coroutine"))
    return made


def define_async_with(writer: Writer, helpers: list[Known]) -> list[Known]:
    manager, name = f"Paused{writer.fresh()}", f"later_{writer.fresh()}"
    tag = "async-with"
    writer.line(f"class {manager}:", tag)
    with writer.indented():
        writer.line("def __init__(self, m):", tag)
        with writer.indented():
            writer.line("self.m = m", tag)
        for head, switches in (("__aenter__(self)", ("self.m.eval()",)), ("__aexit__(self, kind, error, trace)",
                               ("self.m.train()", "self.m.eval()"))):  # fmt: skip
            writer.line("")
            writer.line(f"async def {head}:", tag)
            with writer.indented():
                writer.line(writer.draw.choice(switches), tag)
    writer.apart()
    writer.line(f"async def {name}(m, x):", tag)
    with writer.indented():
        writer.line(f"async with {manager}(m):", tag)
        scope = scope_of(writer, ["m"], helpers, awaits=True)
        scope.own.discard("m")
        body(writer, scope, writer.draw.randint(1, 3))
        writer.line("reveal_mode(m)", tag)
    return [Known(name, ("module", "x"), (tag,), "coroutine")]


def define_async_for(writer: Writer, helpers: list[Known]) -> list[Known]:
    source, name = f"feed_{writer.fresh()}", f"later_{writer.fresh()}"
    tag = "async-for"
    writer.line(f"async def {source}(m, x):", tag)
    with writer.indented():
        writer.line(writer.draw.choice(("m.eval()", "m.train()", "reveal_mode(m)")), tag)
        writer.line("yield x", tag)
        writer.line(writer.draw.choice(("m.eval()", "m.train()", "reveal_mode(m)")), tag)
    writer.apart()
    writer.line(f"async def {name}(m, x):", tag)
    with writer.indented():
        writer.line(f"async for y in {source}(m, x):", tag)
        scope = scope_of(writer, ["m"], helpers, awaits=True, in_loop=True)
        scope.own.discard("m")
        with writer.indented():
            writer.left = 3
            block(writer, scope)
        writer.line("reveal_mode(m)", tag)
    return [Known(name, ("module", "x"), (tag,), "coroutine")]


FUNCTIONS: tuple[tuple[str, Callable[[Writer, list[Known]], list[Known]]], ...] = (
    ("decorator", define_decorator),
    ("no-grad-decorator", define_no_grad_decorator),
    ("closure", define_closure),
    ("property", define_property),
    ("inheritance", define_inheritance),
    ("static-method", define_static_method),
    ("star-arguments", define_star_arguments),
    ("async", define_async),
    ("async-with", define_async_with),
    ("async-for", define_async_for),
)

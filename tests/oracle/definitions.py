"""What a program defines before it starts: helpers, factories, context managers, generators, a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .statements import block, body
from .writer import Known, Scope, Writer


def define_helper(writer: Writer, helpers: list[Known]) -> list[Known]:
    made: list[Known] = []
    for number in range(writer.draw.randint(1, 2)):
        if number:
            writer.apart()
        name = f"helper_{writer.fresh()}"
        kinds = ["module", "x"]
        names = ["m", "x"]
        tags = ["helper"]
        modules = ["m"]
        flags: list[str] = []
        if writer.has("two-modules") and writer.chance(0.5):
            kinds.insert(1, "module")
            names.insert(1, "n")
            modules.append("n")
        if writer.has("flag-argument"):
            kinds.append("flag")
            flags.append("training")
            names.append("training=True" if writer.has("flag-default") else "training")
            tags.append("flag-argument")
            tags += ["flag-default"] if writer.has("flag-default") else []
        gives = "nothing"
        returning = "return"
        if writer.has("helper-returns-module") and writer.chance(0.6):
            gives = "module"
            tags.append("helper-returns-module")
            returning = f"return {modules[-1]}"
        writer.line(f"def {name}({', '.join(names)}):", *tags)
        call = None
        if writer.has("recursion") and gives == "nothing":
            call = f"{name}({', '.join(one.removesuffix('=True') for one in names)})"
        scope = scope_of(writer, modules, helpers + made, returning=returning, recursive_call=call, flags=flags)
        if gives == "module":
            scope.own.discard(modules[-1])
        body(
            writer, scope, writer.draw.randint(2, 5), returning if gives == "module" else None, "helper-returns-module"
        )
        made.append(Known(name, tuple(kinds), tuple(tags), gives))
    return made


def define_saving_helper(writer: Writer, _: list[Known]) -> list[Known]:
    name = f"switch_{writer.fresh()}"
    writer.line(f"def {name}(m):", "saving-helper")
    with writer.indented():
        writer.line("was = m.training", "saving-helper")
        writer.line(writer.draw.choice(("m.eval()", "m.train()", "m.train(not was)")), "saving-helper")
        writer.line("return was", "saving-helper")
    return [Known(name, ("module",), ("saving-helper",), "saved")]


def define_factory(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"build_{writer.fresh()}"
    writer.line(f"def {name}(x=None):", "factory")
    with writer.indented():
        writer.line("net = Net()", "factory")
    scope = scope_of(writer, ["net"], helpers, returning="return net", may_raise=False)
    scope.own.discard("net")
    scope.callables = []
    with writer.indented():
        writer.left = writer.draw.randint(1, 3)
        with writer.without("submodule", "assert"):
            block(writer, scope.nested(modules=["net"]), whole=True)
        writer.line("return net", "factory")
    return [Known(name, (), ("factory",), "factory")]


def define_callback(writer: Writer, _: list[Known]) -> list[Known]:
    name = f"apply_{writer.fresh()}"
    writer.line(f"def {name}(action, m):", "callback")
    with writer.indented():
        if writer.chance(0.4):
            writer.line(f"if choice({writer.fresh()}):", "callback")
            with writer.indented():
                writer.line("action(m)", "callback")
        else:
            writer.line("action(m)", "callback")
        if writer.chance(0.5):
            writer.line("reveal_mode(m)", "callback")
    return [Known(name, ("action", "module"), ("callback",))]


def define_manager(writer: Writer, _: list[Known]) -> list[Known]:
    return [manager(writer, "manager", ("was = m.training", "m.eval()"), ("m.train(was)",), "finally")]


def define_manager_no_try(writer: Writer, _: list[Known]) -> list[Known]:
    restore = writer.draw.choice(("m.train(was)", "m.train()", "m.eval()"))
    return [manager(writer, "manager-no-try", ("was = m.training", "m.eval()"), (restore,), "plain")]


def define_manager_suppresses(writer: Writer, _: list[Known]) -> list[Known]:
    switch, restore = writer.draw.sample(("m.eval()", "m.train()"), 2)
    return [manager(writer, "manager-suppresses", (switch,), (restore,), "except")]


def manager(writer: Writer, tag: str, before: tuple[str, ...], after: tuple[str, ...], way: str) -> Known:
    name = f"switched_{writer.fresh()}"
    yielded = "yield m" if writer.has("with-as") else "yield"
    writer.line("@contextmanager", tag)
    writer.line(f"def {name}(m):", tag)
    with writer.indented():
        for statement in before:
            writer.line(statement, tag)
        if way == "plain":
            writer.line(yielded, tag)
            for statement in after:
                writer.line(statement, tag)
        else:
            writer.line("try:", tag)
            with writer.indented():
                writer.line(yielded, tag)
            writer.line("finally:" if way == "finally" else "except Exception:", tag)
            with writer.indented():
                for statement in after:
                    writer.line(statement, tag)
    return Known(name, ("module",), (tag,), "manager")


def define_manager_free(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"around_{writer.fresh()}"
    tag = "manager-free"
    writer.line("@contextmanager", tag)
    writer.line(f"def {name}(m, x=None):", tag)
    scope = scope_of(writer, ["m"], [], returning=None, may_raise=False)
    scope.own.discard("m")
    with writer.without("assert"):
        body(writer, scope, writer.draw.randint(1, 3), "yield m" if writer.has("with-as") else "yield", tag)
        body(writer, scope.nested(), writer.draw.randint(1, 3))
    return [Known(name, ("module",), (tag,), "manager")]


def define_manager_class(writer: Writer, _: list[Known]) -> list[Known]:
    name = f"Switched{writer.fresh()}"
    tag = "manager-class"
    keeps = writer.chance(0.6)
    writer.line(f"class {name}:", tag)
    with writer.indented():
        writer.line("def __init__(self, m):", tag)
        with writer.indented():
            writer.line("self.m = m", tag)
            if keeps:
                writer.line("self.was = m.training", tag)
        writer.line("")
        writer.line("def __enter__(self):", tag)
        with writer.indented():
            writer.line(writer.draw.choice(("self.m.eval()", "self.m.train()")), tag)
            writer.line("return self.m", tag)
        writer.line("")
        writer.line("def __exit__(self, kind, error, trace):", tag)
        with writer.indented():
            writer.line("self.m.train(self.was)" if keeps else "self.m.train()", tag)
            if writer.has("manager-suppresses") and writer.chance(0.5):
                writer.line("return True", tag, "manager-suppresses")
    return [Known(name, ("module",), (tag,), "manager")]


def define_generator(writer: Writer, helpers: list[Known]) -> list[Known]:
    name = f"stream_{writer.fresh()}"
    tag = "generator"
    writer.line(f"def {name}(m, x):", tag)
    scope = scope_of(writer, ["m"], helpers, returning="return", may_yield=True)
    with writer.without("typed-except"):
        body(writer, scope, writer.draw.randint(2, 4), writer.draw.choice(("yield x", "yield m(x)")), tag)
        if writer.chance(0.5):
            body(writer, scope.nested(), writer.draw.randint(1, 2))
    return [Known(name, ("module", "x"), (tag,), "items")]


def define_class(writer: Writer, helpers: list[Known]) -> list[Known]:
    public = writer.has("public-methods")
    tag = "public-methods" if public else "private-methods"
    own = writer.has("own-module")
    writer.line("class Runner:", tag)
    made: list[Known] = []
    with writer.indented():
        writer.line("def __init__(self):" if own else "def __init__(self, model):", tag)
        with writer.indented():
            writer.line("self.model = Net()" if own else "self.model = model", tag)
            if writer.chance(0.5):
                writer.line(writer.draw.choice(("self.model.eval()", "self.model.train()")), tag)
        for _ in range(writer.draw.randint(1, 3)):
            name = f"fit_{writer.fresh()}" if public else f"_fit_{writer.fresh()}"
            writer.line("")
            writer.line(f"def {name}(self, x):", tag)
            inside = [replace(method, name=method.name.replace("runner", "self")) for method in made]
            scope = scope_of(writer, ["self.model"], helpers, may_raise=not public)
            scope.callables += inside if not public else []
            with writer.without(*(("assert",) if public else ())):
                body(writer, scope, writer.draw.randint(1, 4))
            made.append(Known(f"runner.{name}", ("x",), (tag,)))
    return made


def scope_of(writer: Writer, modules: list[str], callables: list[Known], **changes: object) -> Scope:
    if writer.has("global-module") and writer.chance(0.4):
        modules = [*modules, "shared"]
    callables = [helper for helper in callables if not helper.name.startswith("runner.") and helper.gives != "factory"]
    return Scope(modules, {name for name in modules if name.isidentifier() and name != "shared"},
                  callables=callables).nested(**changes)  # fmt: skip


DEFINITIONS: tuple[tuple[str, Callable[[Writer, list[Known]], list[Known]]], ...] = (
    ("helper", define_helper),
    ("saving-helper", define_saving_helper),
    ("factory", define_factory),
    ("callback", define_callback),
    ("manager", define_manager),
    ("manager-no-try", define_manager_no_try),
    ("manager-suppresses", define_manager_suppresses),
    ("manager-class", define_manager_class),
    ("manager-free", define_manager_free),
    ("generator-for", define_generator),
    ("generator-next", define_generator),
    ("generator-list", define_generator),
    ("private-methods", define_class),
    ("public-methods", define_class),
)

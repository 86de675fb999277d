"""Statements about what holds, wraps, copies or stands for a module, and functions as values."""

from __future__ import annotations

from .simple import a_module, call_of
from .writer import Known, Scope, Writer

ACTS = ("{}.eval()", "{}.train()", "{}(x)", "reveal_mode({})")


def wrapped(writer: Writer, scope: Scope) -> bool:
    """A new name for a module as a wrapper gives it back."""
    module = a_module(writer, scope)
    form = writer.draw.choice(
        ("nn.DataParallel({})", "torch.compile({})", '{}.to("cpu")', "{}.cuda()", "nn.DataParallel({}).module")
    )
    _bind(writer, scope, form.format(module), "wrapper")
    return True


def copied(writer: Writer, scope: Scope) -> bool:
    _bind(writer, scope, f"deepcopy({a_module(writer, scope)})", "copy")
    return True


def unpacked(writer: Writer, scope: Scope) -> bool:
    first, second = a_module(writer, scope), a_module(writer, scope)
    names = [f"net_{writer.fresh()}", f"net_{writer.fresh()}"]
    writer.line(writer.draw.choice(("{}, {} = {}, {}", "[{}, {}] = ({}, {})")).format(*names, first, second), "unpack")
    scope.modules += names
    scope.own |= set(names)
    return True


def walrus(writer: Writer, scope: Scope) -> bool:
    name = f"net_{writer.fresh()}"
    form = writer.draw.choice(("({} := {}).eval()", "({} := {}).train()", "y = ({} := {})(x)"))
    writer.line(form.format(name, a_module(writer, scope)), "walrus")
    scope.modules.append(name)
    scope.own.add(name)
    return True


def deleted(writer: Writer, scope: Scope) -> bool:
    name = f"net_{writer.fresh()}"
    writer.line(f"{name} = {a_module(writer, scope)}", "del")
    writer.line(writer.draw.choice(ACTS).format(name), "del")
    writer.line(f"del {name}", "del")
    return True


def zipped(writer: Writer, scope: Scope) -> bool:
    """A loop over modules and something else, element by element."""
    some = ", ".join(writer.draw.sample(scope.modules, min(2, len(scope.modules))))
    where = f"({some},)"
    one, other = f"each_{writer.fresh()}", f"w_{writer.fresh()}"
    form = writer.draw.choice(
        ("for {0}, {1} in zip({2}, (1, 2)):", "for {1}, {0} in enumerate({2}):", "for {0} in reversed({2}):",
         "for {1}, {0} in zip(range(2), {2}):")
    )  # fmt: skip
    writer.line(form.format(one, other, where), "zip")
    with writer.indented():
        writer.line(writer.draw.choice(ACTS).format(one), "zip")
        if writer.chance(0.4):
            writer.line(f"reveal_mode({one})", "zip")
    return True


def appended(writer: Writer, scope: Scope) -> bool:
    """A list that is filled bit by bit, and gone through at once."""
    name, one = f"list_{writer.fresh()}", f"each_{writer.fresh()}"
    writer.line(f"{name} = []", "append")
    for module in writer.draw.sample(scope.modules, min(2, len(scope.modules))):
        writer.line(writer.draw.choice(("{}.append({})", "{} += [{}]", "{}.extend(({},))")).format(name, module),
                    "append")  # fmt: skip
    writer.line(f"for {one} in {name}:", "append")
    with writer.indented():
        writer.line(writer.draw.choice(ACTS).format(one), "append")
    return True


def module_list(writer: Writer, scope: Scope) -> bool:
    if not scope.lists:
        name = f"parts_{writer.fresh()}"
        some = ", ".join(writer.draw.sample(scope.modules, min(2, len(scope.modules))))
        writer.line(f"{name} = nn.ModuleList([{some}])", "module-list")
        scope.lists.append(name)
        return True
    name = writer.draw.choice(scope.lists)
    if writer.chance(0.4):
        writer.line(writer.draw.choice(("{}.eval()", "{}.train()", "{}[0].eval()", "{}[0](x)")).format(name),
                    "module-list")  # fmt: skip
        return True
    one = f"each_{writer.fresh()}"
    writer.line(f"for {one} in {name}:", "module-list")
    with writer.indented():
        writer.line(writer.draw.choice(ACTS).format(one), "module-list")
    return True


def bound_method(writer: Writer, scope: Scope) -> bool:
    """A method of a module as a value, or by its name."""
    module, way = a_module(writer, scope), writer.draw.choice(("eval", "train"))
    if writer.chance(0.5):
        writer.line(f'getattr({module}, "{way}")()', "bound-method")
        return True
    name = f"act_{writer.fresh()}"
    writer.line(f"{name} = {module}.{way}", "bound-method")
    scope.callables.append(Known(name, (), ("bound-method",)))
    return True


def partial_(writer: Writer, scope: Scope) -> bool:
    helpers = [one for one in scope.callables if one.name.startswith("helper_") and one.gives == "nothing"]
    if not helpers:
        return False
    helper = writer.draw.choice(helpers)
    name = f"act_{writer.fresh()}"
    tags = (*helper.tags, "partial")
    if helper.parameters[-1] == "flag" and writer.chance(0.5):
        writer.line(f"{name} = partial({helper.name}, training={writer.draw.choice(('True', 'False'))})", *tags)
        scope.callables.append(Known(name, helper.parameters[:-1], tags))
        return True
    modules = [one for one in scope.modules if one not in ("model.drop", "shared")]
    writer.line(f"{name} = partial({helper.name}, {writer.draw.choice(modules)})", *tags)
    scope.callables.append(Known(name, helper.parameters[1:], tags))
    return True


def default_lambda(writer: Writer, scope: Scope) -> bool:
    name = f"act_{writer.fresh()}"
    act = writer.draw.choice(ACTS).format("n")
    writer.line(f"{name} = lambda n={a_module(writer, scope)}: {act}", "lambda-default")
    scope.callables.append(Known(name, (), ("lambda-default",)))
    return True


def closure(writer: Writer, scope: Scope) -> bool:
    makers = [one for one in scope.callables if one.gives == "closure"]
    if not makers:
        return False
    name = f"act_{writer.fresh()}"
    text, tags = call_of(writer, makers[0], scope)
    writer.line(f"{name} = {text}", *tags)
    scope.callables.append(Known(name, ("x",), tuple(tags)))
    return True


def holder(writer: Writer, scope: Scope) -> bool:
    """An object that shows its module by a property."""
    makers = [one for one in scope.callables if one.gives == "holder"]
    if not makers:
        return False
    name = f"holder_{writer.fresh()}"
    writer.line(f"{name} = {call_of(writer, makers[0], scope)[0]}", "property")
    scope.modules.append(f"{name}.net")
    return True


def worker(writer: Writer, scope: Scope) -> bool:
    """An object whose method comes from its base class, and calls one of its own."""
    makers = [one for one in scope.callables if one.gives == "worker"]
    if not makers:
        return False
    made = call_of(writer, writer.draw.choice(makers), scope)[0]
    if writer.chance(0.5):
        writer.line(f"{made}._run(x)", "inheritance")
        return True
    name = f"task_{writer.fresh()}"
    writer.line(f"{name} = {made}", "inheritance")
    scope.callables.append(Known(f"{name}._run", ("x",), ("inheritance",)))
    return True


def later(writer: Writer, scope: Scope) -> bool:
    """Run a coroutine to its end, or wait for it in another."""
    makers = [one for one in scope.callables if one.gives == "coroutine"]
    if not makers:
        return False
    text, tags = call_of(writer, writer.draw.choice(makers), scope)
    writer.line(f"await {text}" if scope.awaits else f"asyncio.run({text})", *tags)
    return True


def stacked(writer: Writer, scope: Scope, managers: list[Known]) -> tuple[str, list[str], list[str]]:
    """The head of a `with` that enters a manager by a stack, or perhaps; its tags, and the lines that follow it."""
    text, tags = call_of(writer, writer.draw.choice(managers), scope)
    if writer.chance(0.5):
        stack = f"stack_{writer.fresh()}"
        return f"with ExitStack() as {stack}:", [*tags, "exit-stack"], [f"{stack}.enter_context({text})"]
    return f"with {text} if choice({writer.fresh()}) else nullcontext():", [*tags, "exit-stack"], []


def _bind(writer: Writer, scope: Scope, value: str, tag: str) -> None:
    name = f"net_{writer.fresh()}"
    writer.line(f"{name} = {value}", tag)
    scope.modules.append(name)
    scope.own.add(name)

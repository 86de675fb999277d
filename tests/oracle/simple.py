"""The statements of one or two lines: one function each, which writes it and says whether it could."""

from __future__ import annotations

from .writer import Known, Scope, Writer


def a_module(writer: Writer, scope: Scope) -> str:
    if len(scope.modules) > 1 and writer.chance(0.4):
        return writer.draw.choice(scope.modules[1:])
    return writer.draw.choice((scope.modules[0], scope.modules[-1]))


def tags_of(writer: Writer, module: str) -> tuple[str, ...]:
    return ("submodule",) if module == "model.drop" else ("global-module",) if module == "shared" else ()


def a_test(writer: Writer, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """A test and the constructs it uses."""
    kinds: list[str] = ["fresh"]
    if scope.flags and writer.has("flag-test"):
        kinds += ["flag", "flag", "flag"]
    if scope.phases and writer.features & {"phase-test", "phase-loop"}:
        kinds += ["phase", "phase", "phase"]
    if scope.epochs and writer.has("epoch-test") and any(name.startswith("epoch_") for name in scope.epochs):
        kinds += ["epoch"] * 4
    if scope.saved and writer.has("mode-test"):
        kinds += ["mode"] * 3
    if writer.has("constant-test"):
        kinds += ["constant"]
    match writer.draw.choice(kinds):
        case "flag":
            flag = writer.draw.choice(scope.flags)
            form = writer.draw.choice(("{0}", "{0}", "not {0}", "{0} and choice({1})", "{0} or choice({1})"))
            return form.format(flag, writer.fresh()), ("flag-test",)
        case "phase":
            form = writer.draw.choice(('{} == "train"', '{} != "train"', '{} == "val"', '{} in ("train", "test")'))
            return form.format(writer.draw.choice(scope.phases)), ("phase-test",)
        case "epoch":
            epoch = writer.draw.choice([name for name in scope.epochs if name.startswith("epoch_")])
            return writer.draw.choice(("{} == 0", "{} % 2 == 0", "{} > 0")).format(epoch), ("epoch-test",)
        case "mode":
            if writer.chance(0.5):
                return writer.draw.choice(scope.saved), ("mode-test",)
            return f"{a_module(writer, scope)}.training", ("mode-test",)
        case "constant":
            return writer.draw.choice(("True", "False", "1 == 2", "not None")), ("constant-test",)
    fresh = "risky" if scope.guarded and writer.chance(0.5) else "choice"
    if writer.has("short-circuit") and writer.chance(0.4):
        operator = writer.draw.choice(("and", "or", "and not"))
        return f"{fresh}({writer.fresh()}) {operator} choice({writer.fresh()})", ("short-circuit",)
    return writer.draw.choice(("{}({})", "{}({})", "not {}({})")).format(fresh, writer.fresh()), ()


def switch(writer: Writer, scope: Scope) -> bool:
    module = a_module(writer, scope)
    writer.line(f"{module}.{writer.draw.choice(('eval', 'eval', 'train'))}()", *tags_of(writer, module))
    return True


def observe(writer: Writer, scope: Scope) -> bool:
    module = a_module(writer, scope)
    tags = tags_of(writer, module)
    ways = ["reveal", "reveal", "forward", "forward", "kept", "direct"]
    if scope.optimizers:
        ways += ["step"] * 3
    match writer.draw.choice(ways):
        case "reveal":
            writer.line(f"reveal_mode({module})", *tags)
        case "forward":
            writer.line(f"{module}(x)", *tags)
        case "kept":
            writer.line(f"y = {module}(x)", *tags)
        case "direct":
            writer.line(f"{module}.forward(x)", *tags)
        case "step":
            writer.line(f"{scope.optimizers[0]}.step()", "step")
    return True


def may_raise(writer: Writer, scope: Scope) -> bool:
    if not scope.guarded:
        return False
    writer.line(f"may_raise({writer.fresh()})", "may-raise")
    return True


def train_argument(writer: Writer, scope: Scope) -> bool:
    form = writer.draw.choice(
        (
            "{}.train(False)",
            "{}.train(True)",
            "{}.train(mode=False)",
            "{}.train(choice({}))",
            "{}.train(not choice({}))",
        )
    )
    writer.line(form.format(a_module(writer, scope), writer.fresh()), "train-argument")
    return True


def flag_train(writer: Writer, scope: Scope) -> bool:
    forms = [form for flag in scope.flags for form in (flag, f"not {flag}", f"mode={flag}")]
    forms += [f'{phase} == "train"' for phase in scope.phases]
    if not forms:
        return False
    writer.line(f"{a_module(writer, scope)}.train({writer.draw.choice(forms)})", "flag-train")
    return True


def flag_reassigned(writer: Writer, scope: Scope) -> bool:
    flags = [flag for flag in scope.flags if flag in scope.own]
    if not flags:
        return False
    flag = writer.draw.choice(flags)
    form = writer.draw.choice(("choice({1})", "choice({1})", "not {0}", "True", "False"))
    writer.line(f"{flag} = " + form.format(flag, writer.fresh()), "flag-reassigned")
    return True


def new_flag(writer: Writer, scope: Scope) -> bool:
    name = f"ok_{writer.fresh()}"
    writer.line(f"{name} = choice({writer.fresh()})", "flag-assigned")
    scope.flags.append(name)
    scope.own.add(name)
    return True


def chained(writer: Writer, scope: Scope) -> bool:
    form = writer.draw.choice(('{}.to("cpu").eval()', "{}.eval().train()", "{}.train().eval()(x)", "y = {}.eval()(x)"))
    writer.line(form.format(a_module(writer, scope)), "chained")
    return True


def save_restore(writer: Writer, scope: Scope) -> bool:
    if scope.saved and writer.chance(0.6):
        form = "{}.train(not {})" if writer.chance(0.15) else "{}.train({})"
        writer.line(form.format(a_module(writer, scope), writer.draw.choice(scope.saved)), "save-restore")
        return True
    module = a_module(writer, scope)
    bound = [name for name in scope.saved if name in scope.own]
    name = writer.draw.choice(bound) if bound and writer.chance(0.3) else f"was_{writer.fresh()}"
    savers = [helper for helper in scope.callables if helper.gives == "saved"]
    if savers and writer.chance(0.6):
        writer.line(f"{name} = {savers[0].name}({module})", "saving-helper")
    else:
        writer.line(f"{name} = {module}.training", "save-restore")
    if name not in scope.saved:
        scope.saved.append(name)
        scope.own.add(name)
    return True


def alias(writer: Writer, scope: Scope) -> bool:
    bound = [name for name in scope.modules if name.startswith("net_") and name in scope.own]
    if bound and writer.has("alias-rebound") and writer.chance(0.5):
        name = writer.draw.choice(bound)
        tag = "alias-rebound"
    else:
        name = f"net_{writer.fresh()}"
        tag = "alias"
    value = a_module(writer, scope)
    if writer.has("alias-choice") and len(scope.modules) > 1 and writer.chance(0.4):
        value = f"{scope.modules[0]} if choice({writer.fresh()}) else {writer.draw.choice(scope.modules[1:])}"
        tag = "alias-choice"
    writer.line(f"{name} = {value}", tag)
    if name not in scope.modules:
        scope.modules.append(name)
        scope.own.add(name)
    return True


def container(writer: Writer, scope: Scope) -> bool:
    some = ", ".join(writer.draw.sample(scope.modules, min(2, len(scope.modules))))
    one = f"each_{writer.fresh()}"
    act = writer.draw.choice((f"{one}.eval()", f"{one}.train()", f"{one}(x)", f"reveal_mode({one})"))
    if writer.has("container-variable") and writer.chance(0.6):
        if not scope.containers or writer.chance(0.3):
            name = f"nets_{writer.fresh()}"
            writer.line(f"{name} = [{some}]", "container-variable")
            scope.containers.append(name)
            return True
        where = writer.draw.choice(scope.containers)
        tag = "container-variable"
        if writer.chance(0.3):
            writer.line(act.replace(one, f"{where}[0]"), tag)
            return True
    else:
        where = f"({some})" if "," in some else f"({some},)"
        tag = "container"
    if writer.has("comprehension") and writer.chance(0.4):
        writer.line(f"[{act} for {one} in {where}]", tag, "comprehension")
        return True
    writer.line(f"for {one} in {where}:", tag)
    with writer.indented():
        writer.line(act, tag)
        if writer.chance(0.4):
            writer.line(f"reveal_mode({one})", tag)
    return True


def table(writer: Writer, scope: Scope) -> bool:
    if not scope.tables:
        name = f"table_{writer.fresh()}"
        second = writer.draw.choice(scope.modules)
        writer.line(f'{name} = {{"G": {scope.modules[0]}, "D": {second}}}', "dict")
        scope.tables.append(name)
        return True
    name = writer.draw.choice(scope.tables)
    item = f'{name}["{writer.draw.choice("GD")}"]'
    forms = ("{}.eval()", "{}.train()", "{}(x)", "reveal_mode({})")
    if writer.chance(0.3):
        one = f"each_{writer.fresh()}"
        writer.line(f"for {one} in {name}.values():", "dict")
        with writer.indented():
            writer.line(writer.draw.choice(forms).format(one), "dict")
        return True
    writer.line(writer.draw.choice(forms).format(item), "dict")
    return True


def conditional_expression(writer: Writer, scope: Scope) -> bool:
    module = a_module(writer, scope)
    test, tags = a_test(writer, scope)
    form = writer.draw.choice(
        ("{0}.eval() if {1} else {0}.train()", "{0}.train() if {1} else None", "y = {0}(x) if {1} else {0}.eval()",
         "y = ({0}.eval() if {1} else {0})(x)")
    )  # fmt: skip
    writer.line(form.format(module, test), "conditional-expression", *tags)
    return True


def short_circuit(writer: Writer, scope: Scope) -> bool:
    module = a_module(writer, scope)
    form = writer.draw.choice(("choice({0}) and {1}.eval()", "choice({0}) or {1}.train()",
                             "choice({0}) and choice({2}) and {1}.train()"))  # fmt: skip
    writer.line(form.format(writer.fresh(), module, writer.fresh()), "short-circuit")
    return True


def comprehension(writer: Writer, scope: Scope) -> bool:
    module = a_module(writer, scope)
    form = writer.draw.choice(
        ("[{0}(v) for v in items({1})]", "[{0}.eval() for v in items({1})]",
         "[{0}.train() for v in items({1}) if choice({2})]",
         "y = sum(0 for v in items({1}) if {0}.eval() and choice({2}))", "y = {{v: {0}(v) for v in items({1})}}",
         "y = [{0}(v) if choice({2}) else {0}.train() for v in items({1})]")
    )  # fmt: skip
    writer.line(form.format(module, writer.fresh(), writer.fresh()), "comprehension")
    return True


def call(writer: Writer, scope: Scope) -> bool:
    helpers = [helper for helper in scope.callables if helper.gives in ("nothing", "module")]
    if not helpers:
        return False
    helper = writer.draw.choice(helpers)
    text, tags = call_of(writer, helper, scope)
    if helper.gives == "module" and writer.chance(0.6):
        form = writer.draw.choice(("{1} = {0}", "{0}.eval()", "{0}(x)"))
        name = f"net_{writer.fresh()}"
        writer.line(form.format(text, name), *tags)
        if form.startswith("{1}"):
            scope.modules.append(name)
            scope.own.add(name)
        return True
    writer.line(text, *tags)
    return True


def call_of(writer: Writer, helper: Known, scope: Scope) -> tuple[str, list[str]]:
    tags = list(helper.tags)
    arguments: list[str] = []
    modules = [name for name in scope.modules if name not in ("model.drop", "shared")]
    for kind in helper.parameters:
        if kind == "module":
            free = [name for name in modules if name not in arguments]
            if not free or writer.has("same-argument-twice"):
                free = modules
            arguments.append(writer.draw.choice(free))
        elif kind == "x":
            arguments.append("x")
        elif kind == "action":
            arguments.append(writer.draw.choice(("lambda n: n.eval()", "lambda n: n.train()", "lambda n: n(x)")))
        else:
            value = writer.draw.choice(["True", "False", *scope.flags])
            if writer.has("flag-default") and writer.chance(0.4):
                continue
            arguments.append(f"training={value}" if writer.chance(0.5) else value)
    chosen = [name for name in arguments if name in modules]
    if len(set(chosen)) < len(chosen):
        tags.append("same-argument-twice")
    return f"{helper.name}({', '.join(arguments)})", tags


def recurse(writer: Writer, scope: Scope) -> bool:
    if not scope.recursive_call:
        return False
    writer.line(f"if more({writer.fresh()}):", "recursion")
    with writer.indented():
        writer.line(scope.recursive_call, "recursion")
    return True


def lambda_(writer: Writer, scope: Scope) -> bool:
    name = f"act_{writer.fresh()}"
    if writer.chance(0.5):
        form = writer.draw.choice(
            ("lambda: {}.eval()", "lambda: {}.train()", "lambda: {}(x)", "lambda: reveal_mode({})")
        )
        writer.line(f"{name} = {form.format(a_module(writer, scope))}", "lambda")
        scope.callables.append(Known(name, (), ("lambda",)))
    else:
        form = writer.draw.choice(
            ("lambda n: n.eval()", "lambda n: n(x)", "lambda n: n.eval() if choice({}) else n.train()")
        )
        writer.line(f"{name} = {form.format(writer.fresh())}", "lambda")
        scope.callables.append(Known(name, ("module",), ("lambda",)))
    return True


def assertion(writer: Writer, scope: Scope) -> bool:
    if not scope.guarded and not scope.may_raise:
        return False
    writer.line(f"assert choice({writer.fresh()})", "assert")
    return True


def next_(writer: Writer, scope: Scope) -> bool:
    makers = [helper for helper in scope.callables if helper.gives == "items"]
    if scope.generators and writer.chance(0.7):
        writer.line(f"next({writer.draw.choice(scope.generators)}, None)", "generator-next")
        return True
    if not makers:
        return False
    name = f"source_{writer.fresh()}"
    writer.line(f"{name} = {call_of(writer, makers[0], scope)[0]}", "generator-next")
    scope.generators.append(name)
    return True


def list_(writer: Writer, scope: Scope) -> bool:
    makers = [helper for helper in scope.callables if helper.gives == "items"]
    if not makers:
        return False
    writer.line(f"y = list({call_of(writer, makers[0], scope)[0]})", "generator-list")
    return True


def yield_(writer: Writer, scope: Scope) -> bool:
    if not scope.may_yield:
        return False
    others = [helper for helper in scope.callables if helper.gives == "items"]
    if others and writer.has("yield-from") and writer.chance(0.6):
        writer.line(f"yield from {call_of(writer, others[0], scope)[0]}", "generator", "yield-from")
        return True
    writer.line(writer.draw.choice(("yield x", "yield {}(x)")).format(a_module(writer, scope)), "generator")
    return True

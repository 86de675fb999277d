"""Random programs that switch, run and reveal modules.

A program is text. Each line that uses a construct worth counting names it in a comment, so that what is left of a
program after shrinking still says what it is made of:

    for phase_3 in ("train", "val"):  # phase-loop
        net_4 = model  # alias
        if phase_3 == "train":  # phase-test
            net_4.eval()

Tests are of two kinds. An *independent* one is a call, `choice(7)`: each execution may differ. A *correlated* one, such
as `phase == "train"`, is tied to other tests, so that not all paths are possible; its constructs are in `CORRELATED`.
The functions imported from `outside` are unknown to an analysis; what they do is in `stub.World`. `risky` and
`may_raise` may raise, and only stand where a `try` of the same function hears of it.

Each program uses a random few of the constructs (swarm testing: Groce et al., ISSTA 2012).
"""

from __future__ import annotations

import random
from contextlib import nullcontext

from .constructs import NEEDS, OPTIONAL, OPTIONAL_CORRELATED
from .definitions import DEFINITIONS
from .files import spread
from .functions import FUNCTIONS
from .statements import block
from .writer import Known, Scope, Writer

IMPORTS = """\
import asyncio
import torch
import torch.nn as nn
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from copy import deepcopy
from functools import partial, wraps
from outside import choice, items, leave, may_raise, more, phase_of, pick, reveal_mode, risky
"""

NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
    def forward(self, x):
        return self.drop(x)  # layer
"""


def generate(seed: str) -> str:
    """The program of a seed; two in three may have correlated tests."""
    draw = random.Random(seed)
    return _program(Writer(draw, _features(draw)))


def _features(draw: random.Random) -> frozenset[str]:
    defined = {name for name, _ in (*DEFINITIONS, *FUNCTIONS)}
    features = [name for name in OPTIONAL if draw.random() < (0.13 if name in defined else 0.3)]
    if "public-methods" in features and "private-methods" in features:
        features.remove("private-methods")
    if draw.random() < 0.65:
        features += [name for name in OPTIONAL_CORRELATED if draw.random() < 0.45]
    for name in [name for name in features if name in NEEDS]:
        if draw.random() < 0.5:
            features += NEEDS[name]
        else:
            features.remove(name)
    return frozenset(features)


def _program(writer: Writer) -> str:
    writer.lines = [*IMPORTS.splitlines(), "", "", *NET.splitlines()]
    helpers: list[Known] = []
    if writer.has("global-module"):
        writer.apart()
        writer.line("shared = Net()", "global-module")
    for feature, make in (*DEFINITIONS, *FUNCTIONS):
        if writer.has(feature):
            writer.apart()
            helpers += make(writer, helpers)
    writer.apart()
    head = len(writer.lines)
    style = writer.draw.choice(("open", "open", "called", "script"))
    scope = _main_scope(writer, helpers)
    parameters = ["x", *scope.flags, *scope.phases, *scope.epochs]
    if style != "script":
        writer.line(f"def program({', '.join(parameters)}):")
    else:
        scope.returning = None
        for name in parameters:
            writer.line(f"{name} = {_argument(writer, name)}")
    with writer.indented() if style != "script" else nullcontext():
        _set_up(writer, scope)
        writer.line(f"reveal_mode({scope.modules[0]})")  # else an analysis may leave out what says nothing of modes
        writer.left = writer.draw.randint(4, 13)
        block(writer, scope, whole=True)
        writer.line(f"reveal_mode({scope.modules[0]})")
    if style == "called":
        writer.apart()
        writer.line(f"program({', '.join(_argument(writer, name) for name in parameters)})")
    if writer.has("files"):
        _, *definitions = "\n".join(writer.lines[:head]).rstrip("\n").split("\n\n\n")
        return spread(IMPORTS, definitions, "\n".join(writer.lines[head:]).split("\n\n\n"), writer.draw)
    return "\n".join(writer.lines) + "\n"


def _main_scope(writer: Writer, helpers: list[Known]) -> Scope:
    scope = Scope(["model"], {"model"}, callables=helpers)
    if writer.features & {"flag-test", "flag-train", "flag-reassigned"}:
        scope.flags = ["flag_a", "flag_b"][: writer.draw.randint(1, 2)]
        scope.own |= set(scope.flags)
    if writer.has("phase-test"):
        scope.phases = ["phase"]
    if writer.has("range-loop"):
        scope.epochs = ["epochs"]
    return scope


def _argument(writer: Writer, name: str) -> str:
    if name.startswith("flag"):
        return f"choice({writer.fresh()})"
    if name.startswith("phase"):
        return f"phase_of({writer.fresh()})"
    if name.startswith("epochs"):
        return f"len(items({writer.fresh()}))"
    return "torch.rand(3)"


def _set_up(writer: Writer, scope: Scope) -> None:
    """Build the modules, the optimizer and the object whose methods are called."""
    built = [helper for helper in scope.callables if helper.gives == "factory"]
    scope.callables = [helper for helper in scope.callables if helper.gives != "factory"]
    if built and writer.chance(0.7):
        writer.line(f"model = {built[0].name}()", "factory")
    else:
        writer.line("model = Net()")
    if writer.has("two-modules"):
        writer.line("other = Net()", "two-modules")
        scope.modules.append("other")
        scope.own.add("other")
    if writer.has("global-module"):
        scope.modules.append("shared")
    if writer.has("step"):
        writer.line("optimizer = torch.optim.SGD(model.parameters(), lr=0.1)", "step")
        scope.optimizers.append("optimizer")
    if writer.has("submodule"):
        scope.modules.append("model.drop")
    methods = [helper for helper in scope.callables if helper.name.startswith("runner.")]
    if methods:
        tag = methods[0].tags[0]
        if writer.has("own-module"):
            writer.line("runner = Runner()", tag, "own-module")
            scope.modules.append("runner.model")
        else:
            writer.line("runner = Runner(model)", tag)
        if tag == "public-methods":
            scope.callables = [helper for helper in scope.callables if helper not in methods]
            _drive(writer, methods)


def _drive(writer: Writer, methods: list[Known]) -> None:
    """Call the public methods in any order, any number of times: what an analysis may assume of them."""
    writer.line(f"while more({writer.fresh()}):", "public-methods")
    with writer.indented():
        writer.line(f"match pick({writer.fresh()}):", "public-methods")
        with writer.indented():
            for number, method in enumerate(methods):
                writer.line(f"case {number}:" if number + 1 < len(methods) else "case _:", "public-methods")
                with writer.indented():
                    writer.line(f"{method.name}(x)", "public-methods")

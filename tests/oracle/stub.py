"""The world a program runs in: a torch whose modules write down their mode, and functions that decide branches.

Nothing here is random. Each decision takes the next number of a given vector of outcomes, and 0 beyond its end; a
`World` remembers how many outcomes each decision had, so that the explorer can go through all of them.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import functools
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Any

PROGRAM = "<program>"  # the file name under which a program is compiled

Log = dict[int, set[str]]  # line -> modes seen there


class Trouble(Exception):
    """What an unknown function raises by itself."""


class World:
    """One run: its outcomes, and what it saw. `limit` is how often a loop of unknown length goes round at most.

    `log` and `likely` are shared between the runs of one exploration; `likely` only takes what is seen before anything
    improbable has happened (a loop without any element, an unknown call that raises)."""

    def __init__(
        self,
        outcomes: Sequence[int],
        log: Log,
        likely: Log,
        entered: set[int],
        limit: int = 2,
        budget: int = 40,
        draw: Callable[[int], int] | None = None,
    ) -> None:
        self.outcomes = outcomes
        self.log = log
        self.likely = likely
        self.entered = entered
        self.limit = limit
        self.budget = budget
        self.draw = draw
        self.taken: list[tuple[int, int]] = []  # outcome, number of outcomes
        self.improbable = False
        self.rounds: dict[int, int] = defaultdict(int)

    def decide(self, count: int) -> int:
        """The next outcome, below `count`. A run that has decided too often gets 0 from then on."""
        position = len(self.taken)
        if position >= self.budget:
            return 0
        outcome = self.draw(count) if self.draw else 0
        if position < len(self.outcomes):
            outcome = self.outcomes[position]
        self.taken.append((outcome, count))
        return outcome

    def see(self, module: Module, frame: FrameType | None) -> None:
        """Write down the mode of `module` at the line of the program that is running."""
        while frame is not None and frame.f_code.co_filename != PROGRAM:
            frame = frame.f_back
        if frame is None:
            return
        while isinstance(module, DataParallel):
            module = module.module
        mode = "train" if module.training else "eval"
        self.log[frame.f_lineno].add(mode)
        if not self.improbable:
            self.likely[frame.f_lineno].add(mode)

    def choice(self, site: int) -> bool:
        """A fresh outcome, yes or no."""
        return bool(self.decide(2))

    def pick(self, site: int) -> int:
        """A fresh outcome among 0, 1 and 2."""
        return self.decide(3)

    def phase_of(self, site: int) -> str:
        """A fresh phase, possibly one that the program does not name."""
        return ("train", "val", "test")[self.decide(3)]

    def items(self, site: int) -> list[Tensor]:
        """An iterable of unknown length."""
        count = self.decide(self.limit + 1)
        self.improbable |= count == 0
        return [Tensor() for _ in range(count)]

    def more(self, site: int) -> bool:
        """Whether a `while` loop, or a recursion, goes on."""
        if self.rounds[site] < self.limit and self.decide(2):
            self.rounds[site] += 1
            return True
        self.improbable |= self.rounds[site] == 0
        self.rounds[site] = 0
        return False

    def leave(self, site: int) -> bool:
        """Whether an endless loop is left."""
        if self.rounds[site] < self.limit and len(self.taken) < self.budget and not self.decide(2):
            self.rounds[site] += 1
            return False
        self.rounds[site] = 0
        return True

    def risky(self, site: int) -> bool:
        """A fresh outcome, yes or no, or an exception."""
        outcome = self.decide(3)
        if outcome == 2:
            self.improbable = True
            raise Trouble
        return bool(outcome)

    def may_raise(self, site: int) -> None:
        """Nothing, or an exception."""
        if self.decide(2):
            self.improbable = True
            raise Trouble

    def reveal_mode(self, module: Module) -> None:
        """Write down the mode of `module`."""
        self.see(module, sys._getframe(1))

    def namespace(self, files: Mapping[str, CodeType], woven: Mapping[str, object]) -> dict[str, Any]:
        """The globals of a program: `torch` and `outside` are served from here, so are the program's own `files`, with
        the functions that are `woven` into them, and the rest by Python."""
        torch = _torch(self)
        outside = ModuleType("outside")
        for name in OUTSIDE:
            setattr(outside, name, getattr(self, name))
        served = {"torch": torch, "torch.nn": torch, "torch.optim": torch, "outside": outside}
        served |= {"contextlib": contextlib, "copy": copy, "functools": functools, "asyncio": _asyncio()}

        def serve(name: str, *how: Any) -> ModuleType:
            names = how[2] if len(how) > 2 else ()  # those that a `from` asks for
            if name not in served:
                served[name] = module = ModuleType(name)
                vars(module).update({**built, **woven, "__name__": name})
                exec(files[name], vars(module))
            if names or "." not in name or name in ("torch.nn", "torch.optim"):
                return served[name]
            folder, _, last = name.partition(".")
            package = served.setdefault(folder, ModuleType(folder))
            setattr(package, last, served[name])
            return package

        built = {"__builtins__": {**vars(builtins), "__import__": serve}}
        return {"__name__": "__main__", **built}


OUTSIDE = ("choice", "items", "leave", "may_raise", "more", "phase_of", "pick", "reveal_mode", "risky")


class Tensor:
    """What a module returns. It can be used in any way, to no effect."""

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        return lambda *_, **__: self


class Module:
    """As much of `nn.Module` as programs use: its mode, and the modules held by it."""

    world: World

    def __init__(self) -> None:
        self.training = True

    def train(self, mode: bool = True) -> Module:
        self.training = bool(mode)
        for value in vars(self).values():
            if isinstance(value, Module):
                value.train(mode)
        return self

    def eval(self) -> Module:
        return self.train(False)

    def to(self, device: str) -> Module:
        return self

    def cuda(self) -> Module:
        return self

    def parameters(self) -> Iterable[Module]:
        return [self]

    def __call__(self, x: Tensor) -> Tensor:
        self.world.see(self, sys._getframe(1))
        return x

    def __init_subclass__(cls) -> None:
        # A direct call is seen as well, and no layer is seen from inside. (B010: mypy knows no such attribute.)
        setattr(cls, "forward", Module.__call__)  # noqa: B010


class DataParallel(Module):
    """As torch's: what is seen of it is the module in it."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module


class ModuleList(Module):
    """As torch's: it is iterated, and its modes are those of its elements."""

    def __init__(self, modules: Iterable[Module]) -> None:
        super().__init__()
        self.elements = list(modules)

    def train(self, mode: bool = True) -> Module:
        for element in self.elements:
            element.train(mode)
        return super().train(mode)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.elements)

    def __getitem__(self, number: int) -> Module:
        return self.elements[number]


class Quiet(contextlib.ContextDecorator):
    """A manager and decorator that does nothing to modes, such as `torch.no_grad()`."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def _asyncio() -> ModuleType:
    """As much of `asyncio` as programs use: nothing ever waits, so that a coroutine runs through at once."""
    module = ModuleType("asyncio")

    def run(coroutine: Coroutine[Any, Any, Any]) -> object:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("a coroutine that waits")

    vars(module).update(run=run)
    return module


def _torch(world: World) -> ModuleType:
    torch = ModuleType("torch")

    class Bound(Module):
        pass

    class Dropout(Bound):
        def __init__(self, p: float) -> None:
            super().__init__()

    class SGD:
        def __init__(self, parameters: Iterable[Module], lr: float) -> None:
            self.modules = list(parameters)

        def step(self) -> None:
            for module in self.modules:
                world.see(module, sys._getframe(1))

    class Parallel(DataParallel):
        pass

    class Modules(ModuleList):
        pass

    Bound.world = Parallel.world = Modules.world = world
    vars(torch).update(
        nn=torch,
        optim=torch,
        Module=Bound,
        Dropout=Dropout,
        SGD=SGD,
        DataParallel=Parallel,
        ModuleList=Modules,
        compile=lambda module: module,
        no_grad=Quiet,
        inference_mode=Quiet,
        set_grad_enabled=Quiet,
        rand=lambda _: Tensor(),
    )
    return torch

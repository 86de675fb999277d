"""Run one fixture: its body, then what nobody in it calls, several times over with other choices.

Functions are called with stand-ins; of a class an object is made, and its public methods are called in some order; a
module is run in train mode and in eval mode. Modules that are given to a function are in train mode in half of the
rounds, in eval mode in the others: that is the caller's choice, and a mode that nobody has switched since is held
against no fixture.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import inspect
import os
import random
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch import nn

from evalguard.sightings import Sighting
from evalguard.trace.recorder import Recorder
from evalguard.vocabulary.words import step_receiver
from runtime import standins
from runtime.standins import Bending, Net, is_module_name, optimizer_for, used_as_module, value

ROUNDS = 6
CALLS = 6  # of the methods of an object
SECONDS = 40  # of processor time


class TooLong(BaseException):
    """A fixture that does not come to an end."""


class Drive:
    """The rounds of one fixture. `revealed` are the modes seen by `reveal_mode`, by line."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = files
        self.texts = {file: Path(file).read_text(encoding="utf-8-sig") for file in files}
        self.text = "\n".join(self.texts.values())
        self.trees = {file: ast.parse(text) for file, text in self.texts.items()}
        self.called = {name for tree in self.trees.values() for name in _called(tree)}
        self.revealed: dict[tuple[str, int], set[str]] = {}
        self.errors: dict[str, str] = {}
        self.worked: set[str] = set()
        self.modules: dict[str, nn.Module] = {}
        self.own: list[type[nn.Module]] = []
        self.train = True

    def run(self) -> tuple[Sighting, ...]:
        """All rounds; what was seen in them."""
        own = (
            []
            if len(self.files) == 1
            else [part.removesuffix(".py") for file in self.files for part in file.split("/")]
        )
        standins.prepare(self.text, own)
        folders = [folder for file in self.files for folder in Path(os.path.abspath(file)).parents]
        sys.path[0:0] = [os.getcwd()]
        sys.path += [str(each) for each in dict.fromkeys(folders) if each.is_relative_to(os.getcwd())]
        recorder = Recorder({os.path.abspath(file): file for file in self.files})
        signal.signal(signal.SIGVTALRM, _too_long)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        recorder.start()
        try:
            with Bending():
                for number in range(ROUNDS):
                    self._round(number)
        except TooLong:
            self._failed("the run", TooLong("it does not come to an end"))
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            recorder.stop()
        return recorder.sightings()

    def _round(self, number: int) -> None:
        random.seed(number)
        torch.manual_seed(number)
        standins.DRAW.seed(number)
        self.train = number % 2 == 0
        for file in self.files:
            for name in [name for name in sys.modules if _is_of(sys.modules[name], self.files)]:
                del sys.modules[name]
            namespace = self._body(file)
            if namespace is not None:
                mine = [made for made in namespace.values() if isinstance(made, type) and issubclass(made, nn.Module)]
                self.own = [kind for kind in mine if kind.__module__ != "runtime.standins" and _is_own(kind)]
                self._roots(file, namespace)

    def _body(self, file: str) -> dict[str, Any] | None:
        """Run a file from top to bottom; what it defined."""
        self.modules = {}
        alone = len(self.files) == 1
        stem = Path(file).stem
        others = "\n".join(text for other, text in self.texts.items() if other != file)
        script = alone or (stem != "__init__" and not re.search(rf"\b{stem}\b", others) and "import ." not in others)
        relative = re.search(r"^\s*from \.", self.texts[file], re.MULTILINE)
        name = "__main__" if script and not (relative and not alone) else file.removesuffix(".py").replace("/", ".")
        if not alone and name != "__main__":
            return self._imported(file, name.removesuffix(".__init__"))
        namespace: dict[str, Any] = {"__name__": name, "__file__": file, "reveal_mode": self._reveal}
        namespace["range"] = standins.short_range
        namespace["__package__"] = standins.PACKAGE if relative else None
        sys.path[0] = os.path.dirname(os.path.abspath(file))
        for free in _free_names(self.trees[file]):
            namespace.setdefault(free, self._given(free, self.text))
        sys.argv = [file]
        try:
            exec(self._compiled(file), namespace)
            self.worked.add(f"{file}: its body")
        except SystemExit:
            pass
        except Exception as error:  # noqa: BLE001  whatever a fixture does
            self._failed(f"{file}: its body", error)
        finally:
            sys.path[0] = os.getcwd()
        return namespace

    def _imported(self, file: str, name: str) -> dict[str, Any] | None:
        builtins.reveal_mode = self._reveal  # type: ignore[attr-defined]
        for part in (name, *(name.partition(".")[2:])):
            try:
                module = importlib.import_module(part or name)
            except Exception as error:  # noqa: BLE001
                self._failed(f"{file}: its import", error)
                return None
            if getattr(module, "__file__", None) and os.path.samefile(module.__file__ or "", file):
                self.worked.add(f"{file}: its import")
                return vars(module)
        self._failed(f"{file}: its import", ImportError(name))
        return None

    def _compiled(self, file: str) -> CodeType:
        return compile(self.texts[file].encode(), os.path.abspath(file), "exec")

    def _roots(self, file: str, namespace: Mapping[str, Any]) -> None:
        for node in self.trees[file].body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            made = namespace.get(node.name)
            if made is None or node.name in self.called:
                continue
            if isinstance(node, ast.ClassDef):
                self._class(f"{file}: {node.name}", made, node)
            elif node.name not in self.called:
                self._call(f"{file}: {node.name}", made, ast.unparse(node))

    def _class(self, name: str, kind: Any, node: ast.ClassDef) -> None:
        if not isinstance(kind, type):
            return
        text = ast.unparse(node)
        made = self._call(f"{name}()", kind, text)
        if made is None:
            return
        if isinstance(made, nn.Module):
            self.modules["made"] = made
            for mode in (True, False):
                try:
                    made.train(mode)
                except Exception as error:  # noqa: BLE001  an override that breaks the switch
                    self._failed(f"{name} in its switch", error)
                    continue
                if not isinstance(made, Net) and type(made).forward.__qualname__.startswith("_forward_unimpl"):
                    type(made).forward = _through_all_it_holds  # type: ignore[method-assign]
                if True:
                    with torch.set_grad_enabled(mode):
                        self._call(f"{name} in a forward", made, text, made.forward)
        public = [
            each
            for each in dict.fromkeys([*_public_methods(kind)])
            if not isinstance(made, nn.Module) or each not in ("forward", "train", "eval")
        ]
        order = [standins.DRAW.choice(public) for _ in range(CALLS)] if public else []
        for method in [*public, *order]:
            function = getattr(made, method, None)
            if callable(function):
                if isinstance(made, nn.Module):
                    evaluates = method.startswith(("validation", "test", "predict", "eval"))
                    trains = method.startswith("training") or (not evaluates and standins.DRAW.random() < 0.5)
                    with contextlib.suppress(Exception):
                        made.train(trains)
                self._call(f"{name}.{method}", function, text)

    def _call(self, name: str, function: Any, text: str, like: Any = None) -> Any:
        """The result of a call with stand-ins, None if it failed; the arguments are for `like`, if that is given."""
        try:
            arguments, keywords = self._arguments(function if like is None else like, text, like is not None)
            result = function(*arguments, **keywords)
            if inspect.iscoroutine(result):
                result = _awaited(result)
            elif inspect.isgenerator(result):
                for _, _item in zip(range(3), result, strict=False):
                    pass
        except SystemExit:
            return None
        except Exception as error:  # noqa: BLE001  whatever a fixture does
            if not _raised_on_purpose(error, self.files):
                self._failed(name, error)
            return None
        self.worked.add(name)
        return result

    def _arguments(self, function: Any, text: str, forward: bool = False) -> tuple[list[Any], dict[str, Any]]:
        arguments: list[Any] = []
        keywords: dict[str, Any] = {}
        target = function.__init__ if isinstance(function, type) else function
        parameters = list(inspect.signature(target).parameters.values())
        if isinstance(function, type) and parameters[:1]:
            parameters = parameters[1:]
        wanted = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        given: dict[str, Any] = {}
        for parameter in sorted(wanted, key=lambda each: step_receiver(each.name) is not None):
            if parameter.default is not parameter.empty and (
                parameter.default is not None or standins.DRAW.random() < 0.5
            ):
                if isinstance(parameter.default, bool) and standins.DRAW.random() < 0.5:
                    given[parameter.name] = not parameter.default
                elif parameter.default == 0.0 and isinstance(parameter.default, float):
                    given[parameter.name] = standins.DRAW.choice([0.0, 0.5])
                elif isinstance(parameter.default, int) and parameter.default > 3:
                    given[parameter.name] = 3
                else:
                    given[parameter.name] = parameter.default
                continue
            if forward:
                given[parameter.name] = standins.elastic()
                continue
            annotation = "" if parameter.annotation is parameter.empty else str(parameter.annotation)
            given[parameter.name] = self._given(parameter.name, text, annotation, isinstance(function, type))
        for parameter in wanted:
            if parameter.kind is parameter.KEYWORD_ONLY:
                keywords[parameter.name] = given[parameter.name]
            else:
                arguments.append(given[parameter.name])
        return arguments, keywords

    def _given(self, name: str, text: str, annotation: str = "", building: bool = False) -> Any:
        receiver = step_receiver(name)
        if receiver == "optimizer" and not name.endswith("s"):
            return optimizer_for(name, self.modules)
        if receiver == "scaler":
            return torch.amp.GradScaler("cpu", enabled=False)
        as_attribute = [
            target for target, source in re.findall(r"(self\.\w+)\s*=\s*(\w+)(?![\w.(])", text) if source == name
        ]
        places = [name, *as_attribute]
        if name in ("nets", "models", "networks", "modules", "parts", "heads", "students", "teachers"):
            keys = re.findall(rf"\b{name}\[[\"'](\w+)[\"']\]", text)
            made = [self._net(f"{name}{number}") for number in range(3)]
            if keys or re.search(rf"\b{name}\.(?:values|items|keys)\(", text):
                return dict(zip([*dict.fromkeys(keys), "a", "b", "c"], made, strict=False))
            return made
        if "Module" in annotation or is_module_name(name) or any(used_as_module(place, text) for place in places):
            return self._net(name)
        if re.search(rf"(?<![\w.]){re.escape(name)}\(", text):
            return standins.Function(name, self.text)
        if "int" in annotation:
            return 3
        if "float" in annotation:
            return 0.1
        if "bool" in annotation:
            return standins.DRAW.random() < 0.5
        if "str" in annotation and "Tensor" not in annotation:
            return value(name) if isinstance(value(name), str) else "elastic"
        if re.search(rf"train\((?:mode=)?{re.escape(name)}\)|training = {re.escape(name)}\b", text):
            return standins.DRAW.random() < 0.5
        return value(name, tensor=not building)

    def _net(self, name: str) -> nn.Module:
        own = [kind for kind in self.own if kind.__name__ not in self.called]
        made: nn.Module = Net()
        if own and standins.DRAW.random() < 0.7:
            with contextlib.suppress(Exception):
                kind = standins.DRAW.choice(own)
                self.own = []
                arguments, keywords = self._arguments(kind, self.text)
                made = kind(*arguments, **keywords)
        self.own = own
        self.modules[name] = made
        made.train(self.train)
        return made

    def _reveal(self, place: Any) -> Any:
        frame = sys._getframe(1)
        if isinstance(place, (nn.DataParallel, standins.Wrapped)):
            place = place.module  # a wrapper has a flag of its own, which says nothing
        where = (os.path.relpath(frame.f_code.co_filename), frame.f_lineno)
        if isinstance(place, nn.Module):
            self.revealed.setdefault(where, set()).add("train" if place.training else "eval")
        return place

    def _failed(self, name: str, error: BaseException) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1:] or [None]
        mine = [
            entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename.endswith(tuple(self.files))
        ]
        line = f" on line {mine[-1].lineno}" if mine else ""
        words = str(error).splitlines()[0][:100] if str(error) else ""
        del last
        if os.environ.get("SHOW_STDERR"):
            traceback.print_exception(error)
        self.errors.setdefault(name, f"{type(error).__name__}{line}: {words}".replace(os.getcwd(), "."))


def _is_own(kind: type) -> bool:
    """Whether a class is defined by a fixture."""
    return not kind.__module__.startswith(("torch.", "runtime."))


def _through_all_it_holds(self: Any, x: Any) -> Any:
    """The forward of a class that leaves it out: through all modules that its attributes hold, however deep."""
    for part in [*vars(self).values(), *self._modules.values()]:
        x = _through(part, x)
    return x


def _through(part: Any, x: Any) -> Any:
    if isinstance(part, nn.Module) and not isinstance(part, (nn.ModuleList, nn.ModuleDict)):
        return part(x)
    if isinstance(part, (list, tuple, nn.ModuleList)):
        for each in part:
            x = _through(each, x)
    if isinstance(part, (dict, nn.ModuleDict)) and part is not getattr(x, "_modules", None):
        for each in part.values():
            x = _through(each, x)
    return x


def _awaited(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def _too_long(*_: object) -> None:
    raise TooLong


def _is_of(module: Any, files: Sequence[str]) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file in {os.path.abspath(each) for each in files}


def _raised_on_purpose(error: BaseException, files: Sequence[str]) -> bool:
    """Whether the text of a fixture raises it itself."""
    entries = traceback.extract_tb(error.__traceback__)
    return (
        bool(entries)
        and entries[-1].filename.endswith(tuple(files))
        and (entries[-1].line or "").startswith(("raise", "assert"))
    )


def _called(tree: ast.Module) -> Iterator[str]:
    """The names of what a file calls, or decorates with; not of what it only hands on."""
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if owner in imported:
                yield name
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                yield from (each.id for each in decorators if isinstance(each, ast.Name))


def _public_methods(kind: type) -> list[str]:
    found = []
    for each in reversed(kind.__mro__):
        if each.__module__.startswith(("torch", "builtins", "runtime")) or each in (object, nn.Module, Net):
            continue
        for name, made in vars(each).items():
            plain = callable(made) or isinstance(made, (staticmethod, classmethod))
            if plain and not isinstance(made, type) and (not name.startswith("_") or name == "__call__"):
                found.append(name)
    return found


def _free_names(tree: ast.Module) -> list[str]:
    """Names that a file reads and that nothing in it binds."""
    read, bound = [], set(dir(builtins)) | {"reveal_mode", "__file__", "__name__"}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.append(name)
            case (
                ast.Name(id=name)
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                bound.add(name)
            case ast.arg(arg=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
    return [name for name in dict.fromkeys(read) if name not in bound]

"""Stand-ins for all that a fixture leaves open: parameters, undefined names, libraries that are not here.

An `Elastic` is a tensor that is also whatever else it is asked to be: a loader of two batches, a batch of as many parts
as are unpacked, a configuration, a function. A `Net` is a module with a batch norm and a dropout that takes anything,
and grows the parts it is asked for. A call of PyTorch whose shapes do not fit gives an `Elastic` that depends on the
same tensors, so that gradients flow: only modes matter here, and modules, hooks, autograd and optimizers are real.
"""

from __future__ import annotations

import argparse
import copy
import dis
import functools
import importlib.abc
import importlib.machinery
import pickle
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from evalguard.vocabulary import lookup
from evalguard.vocabulary.words import LOADER_WORDS, MODULE_WORDS, NOT_MADE_MODULE_WORDS, NOT_MODULE_WORDS, words

DRAW = random.Random(0)
TOLERATED = (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError, AssertionError)
PACKAGE = "package_of_the_fixture"
SWITCHES = r"\s*\.\s*(?:eval|train|parameters|state_dict|load_state_dict|modules|named_parameters|requires_grad_)\b"


class Elastic(torch.Tensor):
    """A tensor that answers to everything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_torch")) or name == "_backward_hooks":
            raise AttributeError(name)
        if name in ("eval", "train", "parameters", "modules", "state_dict", "zero_grad", "step", "update"):
            return lambda *_, **__: self
        made = vars(self)[name] = value(name, near=self)
        return made

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return blend([self, arguments, keywords])

    def __iter__(self) -> Iterator[Any]:
        number = _unpacked(sys._getframe(1))
        return iter([blend([self]) for _ in range(2 if number is None else number)])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return blend([self]) if key in ("train", "val", "test", "eval", "valid") else value(key, near=self)
        try:
            return super().__getitem__(key)
        except TOLERATED:
            return blend([self])

    def __setitem__(self, key: Any, item: Any) -> None:
        pass

    def __contains__(self, item: object) -> bool:
        return DRAW.random() < 0.5

    def __bool__(self) -> bool:
        """The same answer each time, until somebody seems to wait for another."""
        known = vars(self)
        known["asked"] = known.get("asked", 0) + 1
        if "truth" not in known or known["asked"] > 200:
            known["truth"] = DRAW.random() < 0.5
        return bool(known["truth"])

    def __aiter__(self) -> Any:
        async def items() -> Any:
            for each in range(2):
                yield blend([self, each])

        return items()

    def __len__(self) -> int:
        return 20  # more than it gives: programs divide by it

    def __index__(self) -> int:
        return 2

    def __int__(self) -> int:
        return 2

    def __float__(self) -> float:
        return 0.5

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, **_: Any) -> str:
        return "elastic"

    def __format__(self, spec: str) -> str:
        return "elastic"

    def __fspath__(self) -> str:
        return "elastic.pt"

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def item(self) -> Any:
        return DRAW.choice([0.5, 1e6])

    def tolist(self) -> Any:
        return [0.5, 0.5]

    def keys(self) -> Any:
        return ["a", "b"]

    def values(self) -> Any:
        return [blend([self]), blend([self])]

    def items(self) -> Any:
        return [("a", blend([self])), ("b", blend([self]))]


def elastic() -> Elastic:
    """A small random tensor."""
    with torch._C.DisableTorchFunction():
        return torch.rand(2, 4).as_subclass(Elastic)


def blend(parts: Any) -> Any:
    """A tensor that depends on all tensors in the parts."""
    with torch._C.DisableTorchFunction():
        total = torch.rand(2, 4)
        for tensor in _tensors(parts):
            if tensor.is_floating_point() and tensor.numel():
                total = total + 0.001 * torch.nan_to_num(tensor.float().mean())
        return total.as_subclass(Elastic)


def _tensors(parts: Any, depth: int = 4) -> Iterator[torch.Tensor]:
    if isinstance(parts, torch.Tensor):
        yield parts
    elif depth and isinstance(parts, (list, tuple, set)):
        for part in parts:
            yield from _tensors(part, depth - 1)
    elif depth and isinstance(parts, Mapping):
        yield from _tensors(list(parts.values()), depth - 1)


def _unpacked(frame: FrameType) -> int | None:
    """Into how many names a frame unpacks what it has just asked to iterate, None if it does not."""
    code, at = frame.f_code.co_code, frame.f_lasti
    match dis.opname[code[at]]:
        case "UNPACK_SEQUENCE":
            return code[at + 1]
        case "UNPACK_EX":
            return (code[at + 1] & 0xFF) + 1
    return None


class Bending(TorchFunctionMode):
    """What does not fit is bent until it does."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        name = getattr(function, "__name__", "")
        try:
            if name == "to" and args and isinstance(args[0], Elastic):
                return args[0]
            return function(*args, **keywords)
        except TOLERATED:
            if name in ("__get__", "__set__", "__delete__"):
                raise
            if name in ("to", "cuda", "cpu", "half", "type", "requires_grad_"):
                return args[0]
            if name == "backward":
                with torch._C.DisableTorchFunction():
                    if args[0].requires_grad:
                        args[0].float().sum().backward(**{k: v for k, v in keywords.items() if k == "retain_graph"})
                return None
            if name == "grad":
                wanted = args[1] if len(args) > 1 else keywords.get("inputs")
                return tuple(elastic() for _ in (wanted if isinstance(wanted, (list, tuple)) else [wanted]))
            if name == "numpy":
                return blend([args])
            if name == "__gt__" or name == "__lt__":
                return DRAW.random() < 0.5
            return blend([args, keywords])


class Net(nn.Module):
    """A module that listens to its mode, takes anything, and has whatever part it is asked for."""

    dotted = ""

    def __init__(self, *_: Any, listens: bool = True, **__: Any) -> None:
        super().__init__()
        layers = [nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)] if listens else [nn.Linear(4, 4)]
        self.inner = nn.Sequential(*layers)

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        return self.inner(blend([arguments, keywords]).as_subclass(torch.Tensor)).as_subclass(Elastic)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or name == "get_compiler_config":
                raise
        if name == "module":
            return self
        if name in ("config", "device", "dtype") or set(words(name)) & {"size", "dim", "classes", "names", "channels"}:
            return value(name)
        if name in ("loss", "step", "env_step"):
            return lambda *arguments, **keywords: blend([arguments, keywords])
        moding = lookup.self_moding(f"{self.dotted}.{name}") if self.dotted else None
        if moding is not None:
            return functools.partial(self._by_itself, moding)
        part = self._modules[name] = in_mode(Net(), self.training)
        return part

    def _by_itself(self, moding: Any, *arguments: Any, **keywords: Any) -> Any:
        """A method that switches the mode itself."""
        before = self.training
        in_mode(self, False)
        with torch.no_grad():
            result = self(*arguments, **keywords)
        in_mode(self, before if moding.leaves is None else moding.leaves == "train")
        return result

    def __iter__(self) -> Iterator[Any]:
        return iter([self.first_part, self.second_part])

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, f"part_{key}" if isinstance(key, (int, str)) else "part")

    def load_state_dict(self, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return elastic()


def in_mode(module: nn.Module, train: bool) -> nn.Module:
    """Put a module in a mode without a call of `train`, so that no switch is seen."""
    for part in module.modules():
        part.training = train
    return module


class _Open(type):
    """A class whose attributes are whatever they are asked to be."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Function(f"{cls.__name__}.{name}", vars(cls).get("text", ""))


class Library(metaclass=_Open):
    """An object of a library that is not here."""

    dotted = ""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.given = (arguments, keywords)
        for known in (lookup.mode_manager(self.dotted), lookup.framework_call(self.dotted)):
            leaves = getattr(known, "leaves", getattr(known, "mode", None))
            for module in self._modules() if leaves in ("train", "eval") else ():
                in_mode(module, leaves == "train")

    def _modules(self) -> list[nn.Module]:
        return list(_modules_in(_flat(self.given)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("given", "_fields"):
            raise AttributeError(name)
        known = next((found for found in map(lookup.framework_call, self._dotted(name)) if found is not None), None)
        if known is not None:
            return functools.partial(self._of_a_framework, known)
        if name in ("model", "module", "net"):
            made = vars(self)[name] = next(iter(self._modules()), None) or Net()
            return made
        return elastic()

    def _dotted(self, name: str) -> list[str]:
        return [f"{kind.dotted}.{name}" for kind in type(self).__mro__ if getattr(kind, "dotted", "")]

    def _of_a_framework(self, known: Any, *arguments: Any, **keywords: Any) -> Any:
        modules = [*_modules_in([arguments, keywords]), *self._modules()]
        modules += [vars(self)["model"]] if "model" in vars(self) else []
        for module in modules if known.leaves is not None else ():
            in_mode(module, known.leaves == "train" or (known.leaves == "unknown" and DRAW.random() < 0.5))
        return elastic()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        for each in (*arguments, *keywords.values(), *_flat(self.given)):
            if isinstance(each, nn.Module):
                return each(*(other for other in arguments if other is not each))
        return blend([arguments, keywords])

    def __iter__(self) -> Iterator[Any]:
        return iter([elastic(), elastic()])

    def __len__(self) -> int:
        return 2

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __init_subclass__(cls, **_: Any) -> None:
        pass


def _modules_in(parts: Any, depth: int = 3) -> Iterator[nn.Module]:
    if isinstance(parts, nn.Module):
        yield parts
    elif depth and isinstance(parts, (list, tuple)):
        for part in parts:
            yield from _modules_in(part, depth - 1)
    elif depth and isinstance(parts, dict):
        yield from _modules_in(list(parts.values()), depth - 1)


def _flat(given: Any) -> list[Any]:
    arguments, keywords = given
    return [*arguments, *keywords.values()]


# Values for names

NUMBERS = set("total epochs epoch steps step iters iterations rounds repeats num n number folds".split())
SMALL = set(
    "lr rate momentum decay eps eta alpha beta gamma tau temperature weight scale noise std lambda ratio".split()
)
CHANCES = set("p prob probability dropout drop".split())
SIZES = set(
    "size width height dim dims features channels classes hidden depth heads layers k seed length vocab interval every"
    " words tokens inputs_dim in out sizes words count".split()
)
PATHS = set("path file folder dir directory checkpoint ckpt filename weights name text prompt".split())
FLAGS = set(
    "flag training train is use do freeze verbose debug only eval evaluate frozen mc no half compile resume".split()
)


KEYS: list[str] = []  # of the tables in the text of the fixture
TENSORS = set("q k v x y z key query value values keys mask features tokens words inputs out".split())


def value(name: str, near: Any = None, tensor: bool = False) -> Any:
    """Something that fits the name of a parameter or an attribute; rather a `tensor` than a size, if that may be."""
    said = words(name)
    last = said[-1] if said else ""
    if last in ("name", "arch", "kind", "which") and KEYS:
        return DRAW.choice(KEYS)
    if last in ("phase", "split", "stage") or name == "mode":
        return DRAW.choice(["train", "val"])
    if last in ("device", "devices"):
        return "cpu"
    if last in LOADER_WORDS or (last in LOADER_WORDS and near is not None):
        return elastic()
    if tensor and name in TENSORS:
        return elastic()
    if last in NUMBERS or said[:1] in (("num",), ("n",), ("max",)):
        return 3
    if last in SMALL:
        return 0.1
    if last in CHANCES:
        return 0.5
    if last == "sizes":
        return [4, 4]
    if last in SIZES:
        return 4
    if last in PATHS:
        return "elastic.pt"
    if (said and (said[0] in ("is", "use", "do", "no", "with") or last in FLAGS)) and last not in LOADER_WORDS:
        return DRAW.random() < 0.5
    return elastic() if near is None else blend([near])


def is_module_name(name: str) -> bool:
    """Whether a name alone is that of a module."""
    said = words(name)
    return bool(said) and said[-1] in MODULE_WORDS and said[-1] not in NOT_MODULE_WORDS


def used_as_module(target: str, text: str) -> bool:
    """Whether a text switches a name or asks it for its parameters."""
    return re.search(rf"(?<![\w.]){re.escape(target)}{SWITCHES}", text) is not None


# Libraries


class Libraries(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every library that is not here, and gives what its names promise."""

    def __init__(self, text: str, own: Sequence[str]) -> None:
        self.text = text
        self.own = own

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        top = name.partition(".")[0]
        wanted = top == PACKAGE or re.search(rf"(?:import|from) {top}\b", self.text)
        if top in ("torch", *sys.stdlib_module_names, *self.own) or not wanted:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        return _Library(spec.name, self.text)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Library(ModuleType):
    def __init__(self, name: str, text: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._text = text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = member(f"{self.__name__}.{name}", self._text)
        setattr(self, name, made)
        return made


def member(dotted: str, text: str) -> Any:
    """What a library has under a name, by the tables of the vocabulary, or else by what the text does with it."""
    name = dotted.rpartition(".")[2]
    known = lookup.factory(dotted)
    layer = lookup.layer(dotted)
    if known is not None:
        return _builder(known.makes or dotted, known.mode, known.layers != (), known.part)
    if layer is not None and layer.sensitivity == "never":
        return type(name, (Net,), {"__init__": lambda self, *a, **k: Net.__init__(self, listens=False)})
    if layer is not None or lookup.module_class(dotted) is not None:
        return type(
            name, (Net,), {"from_pretrained": classmethod(lambda cls, *a, **k: in_mode(cls(), False)), "dotted": dotted}
        )
    if lookup.from_pretrained_mode(dotted) == "eval" and f"{name}.from_pretrained" in text:
        return type(
            name, (Net,), {"from_pretrained": classmethod(lambda cls, *a, **k: in_mode(cls(), False)), "dotted": dotted}
        )
    if lookup.framework_base(dotted) is not None or f"({name})" in _bases(text):
        as_module = lookup.framework_base(dotted) is not None and name.endswith("Module")
        return type(name, (Net if as_module else Library,), {"dotted": dotted, "text": text})
    if name[:1].isupper():
        said = () if lookup.framework_call(dotted) is not None else words(name)
        as_module = any(used_as_module(target, text) for target in _assigned(name, text)) or (
            bool(said) and said[-1] in MODULE_WORDS and said[-1] not in NOT_MADE_MODULE_WORDS
        )
        return type(name, (Net if as_module else Library,), {"dotted": dotted, "text": text})
    if name.islower() and re.search(rf"^\s*@{name}\b|^\s*@[\w.]+\.{name}\b", text, re.MULTILINE):
        return _decorator
    return Function(dotted, text)


class Function:
    """A function of a library: it calls the modules that it is given, as far as its name says so, and returns a module
    where the text takes its result for one."""

    def __init__(self, dotted: str, text: str) -> None:
        self.dotted = dotted
        self.text = text

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        exporter, manager = lookup.exporter(self.dotted), lookup.mode_manager(self.dotted)
        if exporter is not None and exporter.leaves is not None:
            for module in _modules_in([arguments, keywords]):
                in_mode(module, exporter.leaves == "train")
        if manager is not None:
            return _Managed(list(_modules_in([arguments, keywords])), manager.mode == "train", manager.restores)
        if lookup.runner(self.dotted) is not None:
            given = [*arguments, *keywords.values()]
            module = next((each for each in given if isinstance(each, nn.Module)), None)
            if module is not None:
                return module(*(each for each in given if isinstance(each, torch.Tensor)))
        target = assigned_by(sys._getframe(1), self.text)
        if target is not None and used_as_module(target, self.text):
            given_modules = [each for each in arguments if isinstance(each, nn.Module)]
            return given_modules[0] if given_modules else Net()
        if self._chained(sys._getframe(1)):
            return Net()
        return blend([arguments, keywords])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return member(f"{self.dotted}.{name}", self.text)

    def _chained(self, frame: FrameType) -> bool:
        """Whether the line calls `eval()` and its like on the result."""
        line = (self.text.splitlines() or [""])[min(frame.f_lineno, len(self.text.splitlines())) - 1]
        name = self.dotted.rpartition(".")[2]
        return re.search(rf"\b{re.escape(name)}\([^()]*\){SWITCHES}", line) is not None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None


class _Managed:
    """A library's manager of modes."""

    def __init__(self, modules: list[nn.Module], train: bool, restores: bool) -> None:
        self.modules, self.train = modules, train
        self.before = [(part, part.training) for module in modules for part in module.modules()] if restores else []
        if not restores:
            self.__enter__()

    def __enter__(self) -> Any:
        for module in self.modules:
            in_mode(module, self.train)
        return self.modules[0] if self.modules else None

    def __exit__(self, *_: Any) -> None:
        for part, training in self.before:
            part.training = training


def _decorator(*arguments: Any, **keywords: Any) -> Any:
    if len(arguments) == 1 and callable(arguments[0]) and not isinstance(arguments[0], Elastic):
        return arguments[0]
    return lambda function: function


def _builder(dotted: str, mode: str, listens: bool, part: str) -> Callable[..., Any]:
    def build(*arguments: Any, **keywords: Any) -> Any:
        made = in_mode(Net(listens=listens), mode != "eval")
        vars(made)["dotted"] = dotted
        if part == "attributes":
            return type(dotted.rpartition(".")[2], (Library,), {"dotted": dotted})(made, *arguments)
        return (made, elastic(), elastic()) if part == "first" else made

    build.__name__ = dotted.rpartition(".")[2]
    return build


def _bases(text: str) -> str:
    return " ".join(
        f"({base.strip().rpartition('.')[2]})"
        for bases in re.findall(r"class \w+\((.*?)\)", text)
        for base in bases.split(",")
    )


def _assigned(name: str, text: str) -> list[str]:
    return re.findall(rf"([\w.]+)\s*=\s*(?:[\w.]+\.)?{name}\(", text)


def assigned_by(frame: FrameType, text: str) -> str | None:
    """The place to which the line of a frame assigns."""
    lines = text.splitlines()
    if not 0 < frame.f_lineno <= len(lines):
        return None
    found = re.match(r"\s*([\w.]+)(?:\s*:[^=]+)?\s*=[^=]", lines[frame.f_lineno - 1])
    return found[1] if found else None


# PyTorch itself, where it wants files, devices or arguments


def prepare(text: str, own: Sequence[str]) -> None:
    """Put everything in place for one fixture, with modules of its `own`; meant for a process of its own."""
    libraries = Libraries(text, own)
    KEYS[:] = re.findall(r"[{,(]\s*[\"'](\w+)[\"']\s*[:,)]", text)
    sys.meta_path.append(libraries)
    torch.set_num_threads(1)

    def load(*_: Any, **__: Any) -> Any:
        target = assigned_by(sys._getframe(1), text)
        return Net() if target is not None and used_as_module(target, text) else elastic()

    torch.load = load  # type: ignore[assignment]
    torch.save = lambda *_, **__: None  # type: ignore[assignment]

    def hub(repository: object = "", *_: Any, **__: Any) -> Any:
        known = lookup.hub_repository(repository)
        return in_mode(Net(), known is None or known.mode != "eval")

    torch.hub.load = hub
    torch.jit.load = lambda *_, **__: Net()  # type: ignore[assignment]
    pickle.load = lambda *_, **__: Net() if "pickle.load" in text else elastic()  # type: ignore[assignment]
    torch.nn.parallel.DistributedDataParallel = Wrapped  # type: ignore[misc, assignment]
    torch.nn.Module.load_state_dict = lambda self, *_, **__: None  # type: ignore[method-assign, assignment]
    torch.nn.Module.cuda = lambda self, *_, **__: self  # type: ignore[method-assign, assignment]
    plain_to = torch.nn.Module.to

    def to(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return self if not any(isinstance(each, torch.dtype) for each in arguments) else plain_to(self, torch.float)

    torch.nn.Module.to = to  # type: ignore[method-assign, assignment]
    for kind in (
        nn.BatchNorm1d,
        nn.BatchNorm2d,
        nn.BatchNorm3d,
        nn.InstanceNorm1d,
        nn.InstanceNorm2d,
        nn.InstanceNorm3d,
    ):
        kind._check_input_dim = lambda self, x: None  # type: ignore[method-assign]
    for owner, name in (
        (torch.jit, "trace"),
        (torch.jit, "script"),
        (torch.export, "export"),
        (torch.onnx, "export"),
        (torch.jit, "save"),
        (torch.jit, "freeze"),
        (torch.jit, "optimize_for_inference"),
        (torch.export, "save"),
    ):
        setattr(owner, name, _exporter(getattr(owner, name)))
    for kind in (nn.LSTM, nn.GRU, nn.RNN, nn.MultiheadAttention, nn.TransformerEncoderLayer):
        kind.forward = _bent(kind.forward)  # type: ignore[method-assign]
    torch.optim.Optimizer.load_state_dict = lambda self, *_, **__: None  # type: ignore[method-assign, assignment]
    torch.utils.data.DataLoader = lambda *_, **__: elastic()  # type: ignore[misc, assignment]

    def parse(self: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        found = {}
        for action in self._actions:
            if action.dest in ("help", "version"):
                continue
            if isinstance(action, (argparse._StoreTrueAction, argparse._StoreFalseAction)):
                found[action.dest] = DRAW.random() < 0.5
            elif action.choices:
                found[action.dest] = DRAW.choice(list(action.choices))
            elif (
                isinstance(action.default, (int, float)) and not isinstance(action.default, bool) and action.default > 3
            ):
                found[action.dest] = type(action.default)(3)
            else:
                found[action.dest] = action.default if action.default is not None else value(action.dest)
        return argparse.Namespace(**found)

    argparse.ArgumentParser.parse_args = parse  # type: ignore[method-assign, assignment]
    argparse.ArgumentParser.parse_known_args = lambda self, *a, **k: (parse(self), [])  # type: ignore[method-assign, assignment]


def _exporter(original: Callable[..., Any]) -> Callable[..., Any]:
    """An exporter that is given plain tensors; where it fails it returns a module like the one that it was given."""

    def export(*arguments: Any, **keywords: Any) -> Any:
        given = next((each for each in arguments if isinstance(each, nn.Module)), None)
        if given is not None and any(isinstance(part, Net) for part in given.modules()):
            return Exported(given)
        try:
            with torch._C.DisableTorchFunction():
                return original(*map(_plain, arguments), **{key: _plain(each) for key, each in keywords.items()})
        except (*TOLERATED, RecursionError, ImportError, OSError, torch.jit.Error):  # type: ignore[attr-defined]
            return Net() if given is None else Exported(given)

    return export


class Wrapped(nn.Module):
    """What stands for a wrapper that needs other processes."""

    def __init__(self, module: nn.Module, *_: Any, **__: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        return self.module(*arguments, **keywords)


class Exported(Net):
    """What stands for an exported module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._modules["inner"] = copy.deepcopy(module)
        in_mode(self, module.training)

    def save(self, *_: Any) -> None:
        """As of a scripted module."""

    _save_for_lite_interpreter = save

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        return self.inner(*arguments, **keywords)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return super().__call__(*arguments, **keywords)


def _bent(original: Callable[..., Any]) -> Callable[..., Any]:
    """The forward of a layer that checks its input before it calls PyTorch."""

    def forward(self: Any, *arguments: Any, **keywords: Any) -> Any:
        try:
            return original(self, *arguments, **keywords)
        except TOLERATED:
            weights = list(self.parameters())
            if isinstance(self, nn.TransformerEncoderLayer):
                return blend([arguments, weights])
            state = blend([arguments, weights])
            return blend([arguments, weights]), (state, state) if isinstance(self, nn.LSTM) else state

    return forward


def _plain(given: Any) -> Any:
    if isinstance(given, Elastic):
        return given.detach().as_subclass(torch.Tensor)
    return tuple(map(_plain, given)) if isinstance(given, tuple) else given


def short_range(*arguments: Any) -> Any:
    """`range`, whose many rounds are the first of them and the last."""
    rounds = range(*map(int, arguments))
    return rounds if len(rounds) <= 24 else [*rounds[:21], rounds[-1]]


def optimizer_for(name: str, modules: Mapping[str, nn.Module]) -> torch.optim.Optimizer:
    """An optimizer of the modules whose names go with its own, or of all."""
    rest = [word for word in words(name) if word not in ("opt", "optim", "optimizer", "optimiser", "optimizers")]
    fitting = [
        module
        for key, module in modules.items()
        if any(word.startswith(part) or part.startswith(word) for word in words(key) for part in rest)
    ]
    held: Sequence[nn.Module] = fitting or list(modules.values())
    parameters = [parameter for module in held for parameter in module.parameters()]
    return torch.optim.SGD(parameters or [torch.zeros(1, requires_grad=True)], lr=0.001)

"""What a user tells of functions and classes that the tables do not know: `[tool.evalguard.vocabulary]`.

    [tool.evalguard.vocabulary]
    sets-mode = [{ name = "mylib.freeze_for_eval", mode = "eval" }]
    factories = [{ name = "mylib.build_net", mode = "train" }]
    frameworks = [{ name = "mylib.BaseTask", hooks = { training_step = "train", validation_step = "eval" } }]
    forward-methods = ["encode_everything"]
    steps = [{ name = "mylib.engine.update", loss = 0 }]

Each becomes the entry that a table of `evalguard.vocabulary` would hold, so nothing else needs to know where it is
from. An argument is told by its position, by its name, by both (`[1, "model"]`), or is the object whose method it is
(`"self"`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal, TypeAlias, TypeVar

from evalguard.toml_values import ConfigError, did_you_mean, type_name
from evalguard.vocabulary.terms import (
    Factory,
    ForwardMethod,
    Framework,
    HookMode,
    Mode,
    ModeManager,
    Parameter,
    Part,
    Step,
    Table,
)

WHY: Final = "told by the configuration"
LINK: Final = ""

Entry: TypeAlias = Mapping[str, object]
Place: TypeAlias = Parameter | Literal["receiver"]
AnyEntry = TypeVar("AnyEntry", ModeManager, Factory, Framework, ForwardMethod, Step)
Word = TypeVar("Word", bound=str)

MODES: Final[tuple[Mode, ...]] = ("train", "eval")
FACTORY_MODES: Final[tuple[Mode, ...]] = ("train", "eval", "unknown")
HOOK_MODES: Final[tuple[HookMode, ...]] = ("train", "eval", "managed")
PARTS: Final[tuple[Part, ...]] = ("value", "first", "attributes")

DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def read_vocabulary(value: object, place: str) -> Table:
    """The table of a user. `place` says where it stands: the file and the key, as errors name it."""
    given = _table(value, place)
    _check_keys(given, place, KEYS)
    return Table(
        mode_managers=_entries(given, "sets-mode", place, _mode_manager),
        factories=_entries(given, "factories", place, _factory),
        frameworks=_entries(given, "frameworks", place, _framework),
        forward_methods=_entries(given, "forward-methods", place, _forward_method),
        steps=_entries(given, "steps", place, _step),
    )


KEYS: Final = ("sets-mode", "factories", "frameworks", "forward-methods", "steps")


def _entries(given: Entry, key: str, place: str, read: Callable[[object, str], AnyEntry]) -> tuple[AnyEntry, ...]:
    listed = given.get(key, ())
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise ConfigError(f"{place}.{key}: must be a list, not {type_name(listed)}")
    found: dict[str, AnyEntry] = {}
    for number, value in enumerate(listed):
        entry = read(value, f"{place}.{key}[{number}]")
        if entry.name in found:
            raise ConfigError(f'{place}.{key}[{number}]: "{entry.name}" is told twice')
        found[entry.name] = entry
    return tuple(found.values())


def _mode_manager(value: object, place: str) -> ModeManager:
    entry = _entry(value, place, ("name", "mode", "argument", "restores"))
    return ModeManager(
        name=_name(entry, place),
        module=_argument(entry, "argument", place) or Parameter("module", 0, required=True),
        mode=_one_of(entry, "mode", place, MODES),
        restores=_flag(entry, "restores", place) or False,
        why=WHY,
        link=LINK,
    )


def _factory(value: object, place: str) -> Factory:
    entry = _entry(value, place, ("name", "mode", "part", "layers"))
    return Factory(
        name=_name(entry, place),
        mode=_one_of(entry, "mode", place, FACTORY_MODES),
        part=_one_of(entry, "part", place, PARTS) if "part" in entry else "value",
        layers=_words(entry, "layers", place) if "layers" in entry else None,
        why=WHY,
        link=LINK,
    )


def _framework(value: object, place: str) -> Framework:
    entry = _entry(value, place, ("name", "hooks", "default", "module"))
    hooks = _table(entry.get("hooks", {}), f"{place}.hooks")
    return Framework(
        name=_name(entry, place),
        module=_flag(entry, "module", place),
        hooks={hook: _one_of(hooks, hook, f"{place}.hooks", HOOK_MODES) for hook in hooks},
        default=_one_of(entry, "default", place, HOOK_MODES) if "default" in entry else None,
        why=WHY,
        link=LINK,
    )


def _forward_method(value: object, place: str) -> ForwardMethod:
    if not isinstance(value, str):
        raise ConfigError(f"{place}: must be the name of a method, not {type_name(value)}")
    return ForwardMethod(_dotted(value, place), why=WHY, link=LINK, unproved=True)


def _step(value: object, place: str) -> Step:
    entry = _entry(value, place, ("name", "optimizer", "module", "loss"))
    name = _name(entry, place)
    optimizer, module = _argument(entry, "optimizer", place), _argument(entry, "module", place)
    loss = _argument(entry, "loss", place)
    if optimizer is not None and module is not None:
        raise ConfigError(f'{place}: has an "optimizer" and a "module": one of them is enough')
    if optimizer is None and module is None and loss is None:
        raise ConfigError(f'{place}: says not what is trained: it needs "optimizer", "module" or "loss"')
    if loss == "receiver":
        raise ConfigError(f'{place}.loss: must be an argument, not "self"')
    engine: Literal["engine", "any"] | Parameter = "engine" if module == "receiver" else module or "any"
    return Step(
        name=name,
        optimizer=optimizer or engine,
        takes="module" if isinstance(module, Parameter) else "optimizer",
        loss=loss,
        why=WHY,
        link=LINK,
    )


# ------------------------------------------------------------------------------------------------ values


def _entry(value: object, place: str, keys: Collection[str]) -> Entry:
    entry = _table(value, place)
    _check_keys(entry, place, keys)
    return entry


def _table(value: object, place: str) -> Entry:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place}: must be a table, not {type_name(value)}")
    return value


def _check_keys(table: Entry, place: str, keys: Collection[str]) -> None:
    file, _, prefix = place.rpartition(": ")
    for key in table:
        if key not in keys:
            raise ConfigError(f'{file}: unknown key "{prefix}.{key}"{did_you_mean(key, keys)}')


def _name(entry: Entry, place: str) -> str:
    if "name" not in entry:
        raise ConfigError(f'{place}: has no "name"')
    return _dotted(entry["name"], f"{place}.name")


def _dotted(value: object, place: str) -> str:
    if not isinstance(value, str) or DOTTED.fullmatch(value) is None:
        raise ConfigError(f'{place}: must be a dotted name, such as "mylib.freeze", not {type_name(value)}')
    return value


def _one_of(entry: Entry, key: str, place: str, words: Sequence[Word]) -> Word:
    value = entry.get(key)
    for word in words:
        if value == word:
            return word
    choices = ", ".join(f'"{word}"' for word in words)
    if key not in entry:
        raise ConfigError(f'{place}: has no "{key}": one of {choices}')
    meant = did_you_mean(value, words) if isinstance(value, str) else ""
    raise ConfigError(f"{place}.{key}: must be one of {choices}, not {type_name(value)}{meant}")


def _flag(entry: Entry, key: str, place: str) -> bool | None:
    value = entry.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise ConfigError(f"{place}.{key}: must be true or false, not {type_name(value)}")


def _words(entry: Entry, key: str, place: str) -> tuple[str, ...]:
    value = entry[key]
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{place}.{key}: must be a list of strings, not {type_name(value)}")
    return tuple(value)


def _argument(entry: Entry, key: str, place: str) -> Place | None:
    """An argument of a call: `0`, `"model"`, `[0, "model"]`, or `"self"`; None if nothing is said."""
    match entry.get(key):
        case None:
            return None
        case "self":
            return "receiver"
        case bool():
            pass
        case int() as position if position >= 0:
            return Parameter("", position, required=True)
        case str() as keyword if keyword.isidentifier():
            return Parameter(keyword, None, required=True)
        case [int() as position, str() as keyword] if position >= 0 and keyword.isidentifier():
            return Parameter(keyword, position, required=True)
        case _:
            pass
    wanted = 'a position, a name, both as in [0, "model"], or "self"'
    raise ConfigError(f"{place}.{key}: must be {wanted}, not {type_name(entry[key])}")

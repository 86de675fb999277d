"""Which functions and classes of a project the user has told of, in `[tool.evalguard.vocabulary]`.

    mylib/modes.py: def freeze(net)        told as "freeze", "modes.freeze" or "mylib.modes.freeze"
    mylib/__init__.py: from .modes import freeze          "mylib.freeze" is told of it as well

What is told wins over what the function's body says: the body is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalguard.ir.facts import MODULE
from evalguard.modes.frame import Told
from evalguard.modes.values import Cls, Fn
from evalguard.project.decorators import is_static
from evalguard.project.resolve import Index
from evalguard.vocabulary import lookup


def told_of(index: Index) -> Mapping[tuple[str, str], Told]:
    """The functions and classes that the user has told of, by path and qualified name."""
    if not lookup.told_names():
        return {}
    found: dict[tuple[str, str], Told] = {}
    for name in sorted(lookup.told_names()):
        target = _imported(index, name)
        if target is not None:
            found[target.path, target.qualname] = _told(index, target, name)
    for path, file in index.files.items():
        for qualname in (*file.functions, *file.classes):
            name_given = lookup.told(full_name(path, qualname)) if qualname != MODULE else None
            if name_given is not None:
                target = Cls(path, qualname) if qualname in file.classes else Fn(path, qualname)
                found[path, qualname] = _told(index, target, name_given)
    return found


def _told(index: Index, target: Cls | Fn, name: str) -> Told:
    function = index.method(target, "__init__") if isinstance(target, Cls) else target
    if function is None:
        return Told(name, ())
    facts = index.facts(function)
    has_receiver = facts.owner is not None and not is_static(facts)
    return Told(name, tuple(parameter.name for parameter in facts.parameters[has_receiver:]))


def full_name(path: str, qualname: str) -> str:
    """The dotted name of what stands in a file: `src.mylib.modes.freeze`."""
    return ".".join(_parts(path, qualname))


def _parts(path: str, qualname: str) -> Iterator[str]:
    for part in path.removesuffix(".py").split("/"):
        if part not in ("", ".", "..", "__init__"):
            yield part
    yield qualname


def _imported(index: Index, name: str) -> Cls | Fn | None:
    """What of the project a name means that is imported under another one; its last part may be a method."""
    found = index.import_target("", name)
    return found if isinstance(found, (Cls, Fn)) else None

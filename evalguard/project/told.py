"""Which functions and classes of a project the user has told of, in `[tool.evalguard.vocabulary]`.

    mylib/modes.py: def freeze(net)        told as "freeze", "modes.freeze" or "mylib.modes.freeze"
    mylib/__init__.py: from .modes import freeze          "mylib.freeze" is told of it as well

What is told wins over what the function's body says: the body is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalguard.ir.facts import MODULE
from evalguard.modes.values import Cls, Fn
from evalguard.project.resolve import Index
from evalguard.vocabulary import lookup


def told_of(index: Index) -> Mapping[tuple[str, str], str]:
    """The path and qualified name of each function and class that the user has told of, and the name that was given."""
    if not lookup.told_names():
        return {}
    found: dict[tuple[str, str], str] = {}
    for name in sorted(lookup.told_names()):
        target = _imported(index, name)
        if target is not None:
            found[target.path, target.qualname] = name
    for path, file in index.files.items():
        for qualname in (*file.functions, *file.classes):
            name_given = lookup.told(full_name(path, qualname)) if qualname != MODULE else None
            if name_given is not None:
                found[path, qualname] = name_given
    return found


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
    if found is not None:
        return found
    owner = index.import_target("", name.rpartition(".")[0])
    return index.method(owner, name.rpartition(".")[2]) if isinstance(owner, Cls) else None

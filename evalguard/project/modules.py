"""Which file of the project an import means.

A dotted name may lie under any folder, its *root*: nobody has to tell evalguard where the source folders are.

    train.py             from lib.engine import fit      lib/engine.py: beside the importer
    src/app/main.py      from app.models import build    src/app/models.py: `src` is a folder around the importer
    src/app/main.py      from .models import build       the same, relative
    tools/run.py         from app.models import build    the same, by a root that is no folder around the importer
    app/net/load.py      from models.yolo import Yolo    app/models/yolo.py: written when `app` was no package yet

The nearest folder around the importer wins. One that is itself a package counts for the scripts in it only: elsewhere
its files are imported with the package's name in front (so `import torch` below `app/` never means `app/torch/`). Of
other roots the one nearest to the importer wins, and for a single name none that is a package. If there is no other,
a package around the importer counts after all for a name of several parts that begins with no known library's: its
files ran as scripts before they were packed, or something puts its folder on the path.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Mapping

from evalguard.vocabulary.not_torch import OTHER_FRAMEWORKS, TORCH_LIBRARIES

Parts = tuple[str, ...]
NEAR = 4  # folders around a file that may say what it is for
LIBRARIES = TORCH_LIBRARIES | OTHER_FRAMEWORKS | sys.stdlib_module_names


class Modules:
    """The files of a project as modules. `locations` gives the absolute path of every file looked at, by the path under
    which it is shown, those without facts included; a file without one stands where its shown path says."""

    def __init__(self, paths: Iterable[str], locations: Mapping[str, str] | None = None) -> None:
        self._parts = {path: _parts((locations or {}).get(path, path)) for path in paths}
        self._at: dict[Parts, str] = {}
        self._named: dict[str, list[str]] = {}
        for path in sorted(self._parts, key=lambda shown: self._parts[shown]):
            module = self._module(path)
            self._at.setdefault(module, path)
            if module:
                self._named.setdefault(module[-1], []).append(path)
        self._files = frozenset({*self._parts.values(), *map(_parts, (locations or {}).values())})
        self._above = len(posixpath.commonprefix([parts[:-1] for parts in self._files]))
        self._around = frozenset(parts[:end] for parts in self._parts.values() for end in range(1, len(parts)))
        self._folders = frozenset(part for parts in self._parts.values() for part in parts[:-1])
        self._found: dict[tuple[Parts, str], str | None] = {}

    def order(self, path: str) -> Parts:
        """What files are sorted by: the same wherever evalguard is started."""
        return self._parts[path]

    def folders(self, path: str) -> Parts:
        """The names of the nearest folders around a file, below the one that holds all files that are looked at."""
        return self._parts[path][self._above : -1][-NEAR:]

    def is_package(self, path: str) -> bool:
        """Whether a file is the `__init__.py` of a folder."""
        return self._parts[path][-1] == "__init__.py"

    def may_begin(self, dotted: str) -> bool:
        """Whether a file or folder of the project has the name with which a dotted name begins."""
        return dotted.partition(".")[0] in self._folders or dotted.partition(".")[0] in self._named

    def packages_around(self, path: str) -> list[str]:
        """The `__init__.py` of the packages that a file stands in, outermost first."""
        folder = self._module(path)[:-1]
        found = []
        while folder in self._at and self.is_package(self._at[folder]):
            found.append(self._at[folder])
            folder = folder[:-1]
        return found[::-1]

    def submodule(self, path: str, name: str) -> str | None:
        """The file of a package's submodule."""
        return self._at.get((*self._module(path), name)) if self.is_package(path) else None

    def folder_in(self, path: str, name: str) -> str | None:
        """The dotted name of a folder without `__init__.py` in the package whose `__init__.py` is given."""
        module = self._module(path)
        return f"{module[-1]}.{name}" if self.is_package(path) and (*module, name) in self._around else None

    def relative(self, importer: str, target: str) -> tuple[str, ...]:
        """The absolute parts of a relative target, such as `..models.build`."""
        level = len(target) - len(target.lstrip("."))
        folder = self._parts[importer][:-1]
        return (*folder[: len(folder) - (level - 1)], *filter(None, target[level:].split(".")))

    def at(self, module: Parts) -> str | None:
        """The file of the module whose absolute parts are given."""
        return self._at.get(module)

    def find(self, importer: str, dotted: str) -> str | None:
        """The file that an absolute dotted name means in a file, or, for an importer "", anywhere."""
        folder = self._parts[importer][:-1] if importer else ()
        key = (folder, dotted)
        if key not in self._found:
            self._found[key] = self._find(importer, folder, tuple(dotted.split(".")))
        return self._found[key]

    def _find(self, importer: str, folder: Parts, wanted: Parts) -> str | None:
        best: tuple[int, int] | None = None
        found = None
        for path in self._named.get(wanted[-1], ()):
            module = self._module(path)
            root = module[: -len(wanted)]
            if module[-len(wanted) :] != wanted or path == importer:
                continue
            shared = len(posixpath.commonprefix([root, folder]))  # of tuples, part by part
            is_around = shared == len(root)
            is_package = (*root, "__init__.py") in self._files
            if is_package and len(wanted) == 1 and folder != root:
                continue
            if is_package and is_around and folder != root:
                if wanted[0] in LIBRARIES:
                    continue
                rank = (-1, len(root))
            else:
                rank = (1, len(root)) if is_around else (0, shared)
            if best is None or rank > best:
                best, found = rank, path
        return found

    def _module(self, path: str) -> Parts:
        parts = self._parts[path]
        return parts[:-1] if parts[-1] == "__init__.py" else (*parts[:-1], parts[-1].removesuffix(".py"))


def _parts(location: str) -> Parts:
    return tuple(posixpath.normpath(location.replace("\\", "/")).split("/"))

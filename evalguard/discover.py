"""Which files are looked at.

A file named by the user always is. A folder is walked from the top down, and an entry is left out, with all that is
in it, when one of these says so:

- the patterns of `exclude` and `extend-exclude`, in the syntax of .gitignore;
- a `pyvenv.cfg` inside, the mark of a virtual environment whatever its name;
- the name `.ipynb_checkpoints`, the folder in which Jupyter keeps copies;
- the `.gitignore` files of the folder, of its parents up to the root of the repository, and of the folders below it,
  and `.git/info/exclude`. The deepest file that says anything about an entry decides, its last line first, as in git.

Only what the walk meets is asked about: `evalguard build` looks into `build`. Links to folders are not followed, as git
does not follow them, so a walk ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalguard.ignore import Patterns, parse_patterns

STDIN = "-"
SUFFIXES = (".py", ".pyw", ".ipynb")
COPIES = ".ipynb_checkpoints"  # Jupyter keeps a second copy of every notebook there
DEFAULT_EXCLUDE = (
    ".eggs",
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "*.egg-info",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file to look at: where it is, and its name as shown to the user."""

    path: Path
    shown: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """`files` in the order of their names as shown; `problems` are folders that could not be listed."""

    files: tuple[File, ...]
    problems: tuple[str, ...]


def discover(paths: Sequence[str], excludes: Sequence[Patterns] = (), respect_gitignore: bool = True) -> Discovery:
    """Every Python file and notebook that the paths stand for, each once. The paths exist (see `missing`); `-` is
    passed over."""
    found: dict[Path, File] = {}
    problems: list[str] = []
    for name in paths:
        if name == STDIN:
            continue
        if not os.path.isdir(name):
            _add(found, Path(name))
            continue
        folder = Path(os.path.abspath(name))
        ignores = _from_parents(folder) if respect_gitignore else []
        for path in _walk(folder, ignores, excludes, respect_gitignore, problems):
            _add(found, path)
    return Discovery(tuple(sorted(found.values(), key=lambda file: file.shown)), tuple(problems))


def missing(paths: Iterable[str]) -> list[str]:
    """Those of the paths that do not exist."""
    return [name for name in paths if name != STDIN and not os.path.lexists(name)]


def shown_path(path: Path) -> str:
    """The path relative to the working directory, with `/`."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = str(path)
    return relative.replace(os.sep, "/")


def _add(found: dict[Path, File], path: Path) -> None:
    found.setdefault(Path(os.path.realpath(path)), File(path, shown_path(path)))


def _walk(
    folder: Path,
    ignores: Sequence[Patterns],
    excludes: Sequence[Patterns],
    respect_gitignore: bool,
    problems: list[str],
) -> Iterator[Path]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        problems.append(f"{shown_path(folder)}: cannot be listed: {error.strerror or error}")
        return
    if respect_gitignore and any(entry.name == ".gitignore" for entry in entries):
        ignores = [*ignores, *_read_patterns(folder / ".gitignore", folder)]
    for entry in entries:
        path = folder / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if not is_folder and not (entry.name.endswith(SUFFIXES) and os.path.isfile(path)):
            continue
        if entry.name == COPIES:
            continue
        if _is_left_out(path, is_folder, excludes) or _is_left_out(path, is_folder, ignores):
            continue
        if not is_folder:
            yield path
        elif not os.path.exists(path / "pyvenv.cfg"):
            yield from _walk(path, ignores, excludes, respect_gitignore, problems)


def _is_left_out(path: Path, is_folder: bool, by: Sequence[Patterns]) -> bool:
    for patterns in reversed(by):
        verdict = patterns.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def _from_parents(folder: Path) -> list[Patterns]:
    """The patterns above a folder, the weakest first; none outside a repository."""
    parents = [*reversed(folder.parents), folder]
    roots = [parent for parent in parents if os.path.exists(parent / ".git")]
    if not roots:
        return []
    root = roots[-1]
    ignores = _read_patterns(_git_folder(root) / "info" / "exclude", root)
    for parent in parents[parents.index(root) : -1]:
        ignores += _read_patterns(parent / ".gitignore", parent)
    return ignores


def _git_folder(root: Path) -> Path:
    """The folder with `info/exclude`: `.git` itself, or where the file `.git` of a work tree points."""
    try:
        target = root / (root / ".git").read_text().removeprefix("gitdir:").strip()
        return target / (target / "commondir").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return root / ".git"


def _read_patterns(path: Path, folder: Path) -> list[Patterns]:
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    return [parse_patterns(text.splitlines(), folder)]

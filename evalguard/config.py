"""What the user chose: `[tool.evalguard]` in pyproject.toml, or the top-level keys of evalguard.toml.

The nearest folder upward that holds either decides; evalguard.toml wins in the same folder. Nothing is guessed: an
unknown key, an unknown code or a value of the wrong type is an error that names the file, the key and what was
probably meant.

Codes are chosen by prefix: `EVG2` stands for all that begin so and `ALL` for every code. Where both `select` and
`ignore` speak of a code, the longer prefix wins, and `ignore` if they are the same.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalguard.discover import DEFAULT_EXCLUDE, STDIN, shown_path
from evalguard.ignore import Patterns, parse_patterns
from evalguard.toml_values import ConfigError as ConfigError
from evalguard.toml_values import did_you_mean as did_you_mean
from evalguard.toml_values import type_name

if TYPE_CHECKING:
    from evalguard.vocabulary.terms import Table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EVERY_CODE = "ALL"
OWN_FILE = "evalguard.toml"
PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """The choices of one run. `select` is None for the codes that are on by default. The patterns of the lists begin at
    `folder`; `more_excludes` come after them. What the file `baseline`, seen from `folder`, knows is not reported.
    `vocabulary` is what the user tells of functions and classes. `file` is the configuration file, None without one,
    and `keys` are those that it sets."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    baseline: str | None = None
    vocabulary: Table | None = None
    more_excludes: tuple[Patterns, ...] = ()
    folder: Path = field(default_factory=Path.cwd)
    file: Path | None = None
    keys: frozenset[str] = field(default=frozenset(), compare=False)

    def excludes(self) -> list[Patterns]:
        """The patterns of files and folders to leave out; where several speak of one, the last decides."""
        return [parse_patterns([*self.exclude, *self.extend_exclude], self.folder), *self.more_excludes]

    @property
    def baseline_file(self) -> str | None:
        """The absolute path of the file of known findings."""
        return None if self.baseline is None else os.path.join(self.folder, self.baseline)

    def enables(self, code: str, default: bool) -> bool:
        """Whether findings of the code are wanted; `default` tells whether it is on by default."""
        wanted = _longest_prefix(code, self.extend_select)
        if self.select is None:
            wanted = max(wanted, 0 if default else -1)
        else:
            wanted = max(wanted, _longest_prefix(code, self.select))
        return wanted >= 0 and wanted > _longest_prefix(code, self.ignore)

    def ignores(self, code: str) -> bool:
        """Whether `ignore` speaks of the code."""
        return _longest_prefix(code, self.ignore) >= 0

    def ignores_in_file(self, code: str, path: Path) -> bool:
        """Whether `per-file-ignores` switches the code off in the file of that absolute path."""
        return any(
            _longest_prefix(code, codes) >= 0 and parse_patterns([glob], self.folder).covers(path)
            for glob, codes in self.per_file_ignores
        )


def load_config(paths: Sequence[str], known_codes: Mapping[str, str]) -> Config:
    """The configuration for these paths: of the nearest folder upward from what they have in common. `known_codes`
    maps the codes to their names."""
    start = _common_folder(paths)
    for folder in (start, *start.parents):
        own, project = folder / OWN_FILE, folder / PROJECT_FILE
        if os.path.isfile(own):
            return _config_of(_parse_toml(own), own, "", known_codes)
        if os.path.isfile(project):
            table = _tool_table(project)
            if table is not None:
                return _config_of(table, project, "tool.evalguard.", known_codes)
    return Config()


def with_options(
    config: Config,
    known_codes: Mapping[str, str],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    extend_exclude: Sequence[str] = (),
    respect_gitignore: bool = True,
) -> Config:
    """The configuration with the command line's options over it. A selection there is the whole selection: it takes the
    place of the file's `select`, `extend-select` and `ignore`. Patterns there begin at the working directory."""
    if select:
        config = replace(config, select=_codes(select, "--select", known_codes), extend_select=(), ignore=())
    return replace(
        config,
        ignore=(*config.ignore, *_codes(ignore, "--ignore", known_codes)),
        more_excludes=(*config.more_excludes, parse_patterns(extend_exclude, Path.cwd())),
        respect_gitignore=config.respect_gitignore and respect_gitignore,
    )


def _longest_prefix(code: str, prefixes: Sequence[str]) -> int:
    """The length of the longest of the prefixes that the code has; 0 for `ALL`, -1 for none."""
    matching = ["" if prefix == EVERY_CODE else prefix for prefix in prefixes]
    return max((len(prefix) for prefix in matching if code.startswith(prefix)), default=-1)


def _common_folder(paths: Sequence[str]) -> Path:
    absolute = [os.path.abspath(path) for path in paths if path != STDIN]
    try:
        common = Path(os.path.commonpath(absolute))
    except ValueError:  # no path, or paths on several drives
        return Path.cwd()
    return common if common.is_dir() else common.parent


def _parse_toml(path: Path) -> dict[str, object]:
    try:
        table: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{shown_path(path)}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigError(f"{shown_path(path)}: not valid TOML: {error}") from error
    return table


def _tool_table(path: Path) -> dict[str, object] | None:
    """The table `[tool.evalguard]`. A pyproject.toml that never names us is none of our business, broken or not."""
    try:
        if b"evalguard" not in path.read_bytes():
            return None
    except OSError:
        return None
    tool = _parse_toml(path).get("tool", {})
    table = tool.get("evalguard") if isinstance(tool, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise ConfigError(f"{shown_path(path)}: tool.evalguard: must be a table, not {type_name(table)}")


def _config_of(table: Mapping[str, object], file: Path, prefix: str, known_codes: Mapping[str, str]) -> Config:
    values: dict[str, object] = {}
    for key, value in table.items():
        place = f"{shown_path(file)}: {prefix}{key}"
        read = _READERS.get(key)
        if read is None:
            raise ConfigError(f'{shown_path(file)}: unknown key "{prefix}{key}"{did_you_mean(key, _READERS)}')
        values[key.replace("-", "_")] = read(value, place, known_codes)
    return replace(Config(folder=file.parent, file=file, keys=frozenset(table)), **values)  # type: ignore[arg-type]


def _codes(value: object, place: str, known_codes: Mapping[str, str]) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for code in _strings(value, place, known_codes) if code.strip())
    for code in codes:
        if code != EVERY_CODE and not any(known.startswith(code) for known in known_codes):
            raise ConfigError(f'{place}: unknown code "{code}"{meant_code(code, known_codes)}')
    return codes


def meant_code(word: str, known_codes: Mapping[str, str]) -> str:
    """The end of an error about a word that is no code: which one was probably meant."""
    by_name = {name.upper(): code for code, name in known_codes.items()}
    near_names = difflib.get_close_matches(word, by_name, n=1, cutoff=0.8)
    return f'; did you mean "{by_name[near_names[0]]}"?' if near_names else did_you_mean(word, known_codes)


def _strings(value: object, place: str, known_codes: Mapping[str, str]) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(f"{place}: must be a list of strings, not {type_name(value)}")
    for item in value:
        if not isinstance(item, str):
            raise ConfigError(f"{place}: must be a list of strings, but holds {type_name(item)}")
    return tuple(value)


def _path(value: object, place: str, known_codes: Mapping[str, str]) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{place}: must be the path of a file, not {type_name(value) if value else 'empty'}")
    return value


def _flag(value: object, place: str, known_codes: Mapping[str, str]) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{place}: must be true or false, not {type_name(value)}")
    return value


def _codes_by_glob(
    value: object, place: str, known_codes: Mapping[str, str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place}: must be a table of globs to codes, not {type_name(value)}")
    return tuple((glob, _codes(codes, f'{place}."{glob}"', known_codes)) for glob, codes in value.items())


def _vocabulary(value: object, place: str, known_codes: Mapping[str, str]) -> Table:
    from evalguard.user_vocabulary import read_vocabulary

    return read_vocabulary(value, place)


_Reader = Callable[[object, str, Mapping[str, str]], object]
_READERS: dict[str, _Reader] = {
    "select": _codes,
    "ignore": _codes,
    "extend-select": _codes,
    "exclude": _strings,
    "extend-exclude": _strings,
    "respect-gitignore": _flag,
    "per-file-ignores": _codes_by_glob,
    "baseline": _path,
    "vocabulary": _vocabulary,
}

KEYS = tuple(_READERS)  # all that a configuration file may set

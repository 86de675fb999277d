"""`evalguard config PATHS`: the configuration that holds for the paths, and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, configuration, examples, split_codes
from evalguard.cli.output import print_text, warn_of_a_path_named
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.config import Config

CODES_ON_A_LINE = 12


@click.command(
    context_settings=HELP,
    epilog=examples("evalguard config", "evalguard config src --select EVG2"),
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...", shell_complete=completion.paths)
@click.option("--select", multiple=True, metavar="CODES", callback=split_codes, shell_complete=completion.codes)
@click.option("--ignore", multiple=True, metavar="CODES", callback=split_codes, shell_complete=completion.codes)
@click.option("--extend-exclude", multiple=True, metavar="PATTERN")
@click.option("--no-respect-gitignore", is_flag=True)
def config(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_exclude: tuple[str, ...],
    no_respect_gitignore: bool,
) -> int:
    """Show the configuration that holds for PATHS, and where each value comes from.

    The values are written as in the configuration file. The options are those of the check, to see what they change.

    Exit status: 0 done, 2 wrong usage or an internal error.
    """
    warn_of_a_path_named("config")
    chosen = configuration(paths or (".",), None, select, ignore, extend_exclude, not no_respect_gitignore)
    options = {
        **({"select": "--select", "extend-select": "--select", "ignore": "--select"} if select else {}),
        **({"ignore": "--select and --ignore" if select else "--ignore"} if ignore else {}),
        **({"extend-exclude": "--extend-exclude"} if extend_exclude else {}),
        **({"respect-gitignore": "--no-respect-gitignore"} if no_respect_gitignore else {}),
    }
    print_text(_shown(chosen, options, extend_exclude))
    return 0


def _shown(chosen: Config, options: Mapping[str, str], more_excludes: tuple[str, ...]) -> str:
    from evalguard.check import documentations
    from evalguard.config import KEYS
    from evalguard.discover import shown_path

    file = None if chosen.file is None else visible(shown_path(chosen.file))
    lines = [f"# configuration file: {file or 'none, so the defaults hold'}"]
    rows = []
    for key in KEYS:
        value: object = getattr(chosen, key.replace("-", "_"))
        sources = [file or ""] if key in chosen.keys else []
        if key in options:
            keeps_file = key == "extend-exclude" or options[key] == "--ignore"
            sources = [*(sources if keeps_file else []), options[key]]
        if key == "extend-exclude":
            value = (*chosen.extend_exclude, *more_excludes)
        rows.append((_assignment(key, value, key in chosen.keys), " and ".join(sources) or "default"))
    width = max((len(text) for text, _ in rows if len(text) <= 60), default=0)
    lines += [f"{visible(text):<{width}}  # {source}" for text, source in rows]
    rules = documentations()
    on = [rule.code for rule in rules if chosen.enables(rule.code, rule.default)]
    off = [rule.code for rule in rules if rule.code not in on]
    lines += [*_codes("reported", on), *_codes("not reported", off)]
    return "".join(f"{line}\n" for line in lines)


def _assignment(key: str, value: object, is_set: bool) -> str:
    match value:
        case None if key == "baseline":
            return "# baseline: none"
        case str():
            return f"{key} = {json.dumps(value, ensure_ascii=False)}"
        case None:
            return f"# {key}: the codes that are on by default"
        case bool():
            return f"{key} = {'true' if value else 'false'}"
        case () if key == "per-file-ignores":
            return f"{key} = {{}}"
        case tuple() if all(isinstance(each, str) for each in value):
            return f"{key} = {_list(value)}"
        case tuple():
            return f"{key} = {{ {', '.join(f'{json.dumps(glob)} = {_list(codes)}' for glob, codes in value)} }}"
        case _:
            return f"# {key}: {'as in the file' if is_set else 'nothing is told'}"


def _list(values: tuple[str, ...]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _codes(title: str, codes: list[str]) -> list[str]:
    rows = [codes[start : start + CODES_ON_A_LINE] for start in range(0, len(codes), CODES_ON_A_LINE)]
    return [f"# {title + ':' if number == 0 else '':<13} {' '.join(row)}" for number, row in enumerate(rows)]

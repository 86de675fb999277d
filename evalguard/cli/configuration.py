"""Options that commands share, and the configuration that they and the files of the user amount to."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.config import Config

HELP = {"help_option_names": ["-h", "--help"]}  # the settings of every command


def examples(*commands: str) -> str:
    """The end of a help text: lines that can be typed as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


def split_codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """A callback for options that take codes: separated by commas or blanks, or given several times."""
    return tuple(code for value in values for code in value.replace(",", " ").split())


def choice(forms: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], str]:
    """A callback for `--format`: one of the forms, or an error that says which was meant."""

    def check(context: click.Context, parameter: click.Parameter, value: str) -> str:
        from evalguard.config import did_you_mean

        if value not in forms:
            choices = ", ".join(forms)
            raise click.BadParameter(f'unknown format "{value}"{did_you_mean(value, forms)} (one of {choices})')
        return value

    return check


def configuration(
    paths: Sequence[str],
    stdin_filename: str | None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    extend_exclude: Sequence[str] = (),
    respect_gitignore: bool = True,
    project: str | None = None,
) -> Config:
    """The configuration that belongs to the paths, or to their project, with the options of the command line; a wrong
    one is wrong usage."""
    from evalguard.check import known_codes
    from evalguard.config import ConfigError, load_config, with_options
    from evalguard.discover import STDIN, missing

    absent = missing(paths)
    if absent:
        raise click.UsageError(
            f"no such file or folder: {', '.join(visible(f'{path}{_meant(path)}') for path in absent)}"
        )
    if project is not None and not os.path.isdir(project):
        raise click.UsageError(visible(f"--project: no such folder: {project}{_meant(project)}"))
    named = [stdin_filename if path == STDIN and stdin_filename else path for path in paths]
    codes = known_codes()
    try:
        config = load_config(named if project is None else [project], codes)
        return with_options(
            config,
            codes,
            select=select,
            ignore=ignore,
            extend_exclude=extend_exclude,
            respect_gitignore=respect_gitignore,
        )
    except ConfigError as error:
        raise click.UsageError(visible(str(error))) from error


def _meant(path: str) -> str:
    """The end of an error about a path that does not exist: which one was probably meant, or which subcommand."""
    folder, name = os.path.split(path.rstrip("/\\"))
    try:
        beside = [entry for entry in os.listdir(folder or ".") if not entry.startswith(".")]
    except OSError:
        return _meant(folder) if folder and not os.path.lexists(folder) else ""
    stems = {os.path.splitext(entry)[0]: entry for entry in sorted(beside)}  # `.py` alone makes no name alike
    near = difflib.get_close_matches(os.path.splitext(name)[0], stems, n=1, cutoff=0.6)
    if near:
        return f' (did you mean "{os.path.join(folder, stems[near[0]])}"?)'
    commands = getattr(click.get_current_context().command, "commands", {})
    near = [] if folder else difflib.get_close_matches(name, commands, n=1, cutoff=0.6)
    return f' (did you mean the command "{near[0]}"?)' if near else ""

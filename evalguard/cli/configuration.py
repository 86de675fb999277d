"""Options that commands share, and the configuration that they and the files of the user amount to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.config import Config

HELP = {"help_option_names": ["-h", "--help"]}  # the settings of every command


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
        raise click.UsageError(f"no such file or folder: {', '.join(map(visible, absent))}")
    if project is not None and not os.path.isdir(project):
        raise click.UsageError(f"--project: no such folder: {visible(project)}")
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

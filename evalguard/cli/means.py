"""With what a run works: the cache, the number of processes, and what is said while it takes long."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evalguard.config import Config
    from evalguard.run import Means

SHOWN_AFTER = 1.0  # seconds
SHOWN_EVERY = 0.1
_CLEAR_LINE = "\r\x1b[K"


def job_count(context: click.Context, parameter: click.Parameter, value: str) -> int | None:
    """A callback for `--jobs`: a number from 1, or None for `auto`."""
    if value == "auto":
        return None
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f'must be a number from 1, or "auto", not "{value}"')
    return int(value)


def cache_folder(given: str | None, config: Config) -> Path:
    """Where things are kept for the next run: where the user says, beside the configuration file, or here."""
    from evalguard.cache.database import FOLDER

    if given is not None:
        return Path(given)
    return (config.file.parent if config.file is not None else Path.cwd()) / FOLDER


def means_of(
    config: Config,
    jobs: int | None = None,
    no_cache: bool = False,
    cache_dir: str | None = None,
    no_shortcuts: bool = False,
) -> Means:
    """The means that the options stand for."""
    from evalguard.cache.database import Database
    from evalguard.run import Means

    cache = None if no_cache or no_shortcuts else Database(cache_folder(cache_dir, config))
    if not sys.stderr.isatty():
        return Means(cache, jobs, not no_shortcuts)
    progress = Progress()
    return Means(cache, jobs, not no_shortcuts, progress.show, progress.end)


class Progress:
    """A line on the terminal that says how far a run has come, from the second second on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._next = self._start + SHOWN_AFTER
        self._is_shown = False

    def show(self, stage: str, done: float) -> None:
        """Show that so much of a stage is done, from 0 to 1."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + SHOWN_EVERY
            self._is_shown = True
            click.echo(f"{_CLEAR_LINE}evalguard: {stage} {done:.0%}", err=True, nl=False)

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            click.echo(_CLEAR_LINE, err=True, nl=False)

"""`--watch`: check again whenever a file changes.

The files are asked for their times and sizes once a second: that needs no library, and sees new files as well.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

import click

from evalguard.cli.configuration import configuration
from evalguard.cli.group import GIVEN
from evalguard.discover import STDIN

SECONDS = 1.0
_CLEAR = "\x1b[2J\x1b[H"


def keep_watching(command: click.Command, paths: Sequence[str]) -> NoReturn:
    """Run the command as it was given, but for `--watch`, now and at every change, until it is interrupted."""
    if STDIN in paths:
        raise click.UsageError("--watch watches files: standard input is none.")
    context = click.get_current_context()
    words = [word for word in context.meta[GIVEN] if word != "--watch"]
    while True:
        before = _stamps(paths)
        if sys.stdout.isatty():
            click.echo(_CLEAR, nl=False)
        try:
            command.main(words, prog_name=context.info_name, standalone_mode=False)
        except click.ClickException as error:  # a configuration that is being written, say
            error.show()
        click.echo("evalguard: waiting for a change, Ctrl-C ends", err=True)
        while _stamps(paths) == before:
            time.sleep(SECONDS)


def _stamps(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The time and size of every file that is looked at, and of the configuration and its baseline."""
    from evalguard.config import Config
    from evalguard.discover import discover

    try:
        config = configuration([path for path in paths if os.path.lexists(path)], None)
    except click.UsageError:
        config = Config()
    files = [str(file.path) for file in discover(paths, config.excludes(), config.respect_gitignore).files]
    found = {}
    for file in [*files, *(str(each) for each in (config.file, config.baseline_file) if each)]:
        try:
            status = os.stat(file)
        except OSError:
            continue
        found[file] = (status.st_mtime_ns, status.st_size)
    return found

"""`evalguard clean`: delete what was kept for the next run."""

from __future__ import annotations

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, configuration, examples
from evalguard.cli.means import cache_folder
from evalguard.cli.output import CannotBeDone
from evalguard.report.terminal import visible


@click.command(context_settings=HELP, epilog=examples("evalguard clean", "evalguard clean --cache-dir /tmp/evalguard"))
@click.option(
    "--cache-dir",
    envvar="EVALGUARD_CACHE_DIR",
    metavar="FOLDER",
    shell_complete=completion.folder,
    help="The folder. [default: .evalguard_cache beside the configuration file]",
)
def clean(cache_dir: str | None) -> int:
    """Delete what was kept for the next run. It is only slower for it.

    Exit status: 0 done, or nothing was there, 2 it cannot be deleted.
    """
    from evalguard.cache.database import remove

    folder = cache_folder(cache_dir, configuration((".",), None))
    try:
        removed = remove(folder)
    except (OSError, ValueError) as error:
        raise CannotBeDone(f"{visible(str(folder))} cannot be deleted: {error}") from error
    click.echo(f"deleted {visible(str(folder))}" if removed else "nothing was kept")
    return 0

"""`evalguard baseline PATHS`: keep what is found today, so that only new findings fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, configuration, examples
from evalguard.cli.output import FAILURE, report_problem, tell_warnings, warn_of_a_path_named, write_text
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.baseline import Compared

STALE_SHOWN = 5


@click.command(
    context_settings=HELP, epilog=examples("evalguard baseline .", "evalguard --baseline evalguard-baseline.json .")
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...", shell_complete=completion.paths)
@click.option(
    "--output",
    "output",
    metavar="FILE",
    shell_complete=completion.file,
    help="The file to write. [default: that of the configuration, or evalguard-baseline.json]",
)
@click.option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave these out, too (as in .gitignore).")
@click.option("--no-respect-gitignore", is_flag=True, help="Look also at the files that git ignores.")
def baseline(
    paths: tuple[str, ...], output: str | None, extend_exclude: tuple[str, ...], no_respect_gitignore: bool
) -> int:
    """Keep what is found today in a file, so that only new findings fail.

    Then `evalguard --baseline FILE PATHS` reports what is not in it. Findings are known by their code, file, function
    and statement, so they may move, be indented and wrapped. Write it anew, for the same PATHS, when entries are stale.

    Exit status: 0 done, 2 wrong usage or an internal error.
    """
    from evalguard.baseline import DEFAULT_FILE, written
    from evalguard.check import check_paths
    from evalguard.discover import shown_path

    warn_of_a_path_named("baseline")
    paths = paths or (".",)
    config = configuration(paths, None, extend_exclude=extend_exclude, respect_gitignore=not no_respect_gitignore)
    file = output or (shown_path(Path(config.baseline_file)) if config.baseline_file else DEFAULT_FILE)
    report = check_paths(paths, replace(config, baseline=None))
    tell_warnings(report, paths)
    for problem in report.problems:
        report_problem(problem, with_traceback=False)
    if report.problems:
        return FAILURE
    write_text(written(report, file), file)
    number = len(report.findings)
    click.echo(f"{number} {'finding' if number == 1 else 'findings'} written to {visible(file)}")
    return 0


def warn_of_stale(compared: Compared, file: str) -> None:
    """Say which entries of a baseline no finding has any more."""
    if not compared.stale:
        return
    click.echo(f"evalguard: warning: {len(compared.stale)} stale in {visible(file)}, to be written anew:", err=True)
    for key in compared.stale[:STALE_SHOWN]:
        where = f" in `{visible(key.function)}`" if key.function else ""
        click.echo(f"evalguard: warning:   {visible(key.path)}: {key.code}{where}: {visible(key.statement)}", err=True)
    if len(compared.stale) > STALE_SHOWN:
        click.echo(f"evalguard: warning:   and {len(compared.stale) - STALE_SHOWN} more", err=True)

"""`evalguard add-noqa PATHS`: silence what is there today."""

from __future__ import annotations

from dataclasses import replace

import click

from evalguard.cli.configuration import HELP, configuration
from evalguard.cli.fix import counted, written
from evalguard.cli.output import FAILURE, report_problem, tell_warnings, warn_of_a_path_named
from evalguard.report.terminal import visible


@click.command("add-noqa", context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
def add_noqa(paths: tuple[str, ...]) -> int:
    """Silence what is found today, so that only new findings are reported.

    Each line with a finding gets a comment `# noqa: CODE`.

    PATHS are Python files, notebooks and folders.

    Exit status: 0 done, 2 wrong usage, a file that could not be written, or an internal error.
    """
    from evalguard.check import check_for_fixes
    from evalguard.repair import silenced

    warn_of_a_path_named("add-noqa")
    if "-" in paths:
        raise click.UsageError("add-noqa changes files: standard input is none.")
    checked = check_for_fixes(paths, replace(configuration(paths, None), baseline=None))
    tell_warnings(checked.report)
    for problem in checked.report.problems:
        report_problem(problem, with_traceback=False)
    result = silenced(checked)
    failures = written(checked, result.texts, result.before)
    for failure in failures:
        click.echo(f"evalguard: not written: {visible(failure)}", err=True)
    if failures:
        return FAILURE
    click.echo(f"evalguard: silenced {counted(result.fixed)}", err=True)
    left = [finding for finding in result.report.findings if not finding.code.startswith("EVG9")]
    if left:
        click.echo(f"evalguard: could not silence {counted(left)}", err=True)
    return FAILURE if checked.report.problems else 0

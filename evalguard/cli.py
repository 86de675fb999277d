"""The command `evalguard`: options in, a report and an exit status out.

Exit status: 0 nothing found, 1 findings, 2 wrong usage or a failure of our own, 130 interrupted.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

import evalguard
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.config import Config
    from evalguard.report import Problem, Report

FORMATS = ("text", "flake8", "json")
CLEAN, FINDINGS, FAILURE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    from evalguard.check import contained
    from evalguard.report import Problem

    outcome = contained(lambda: _run_command(arguments))
    if not isinstance(outcome, Problem):
        return outcome
    _report_problem(outcome, with_traceback=True)
    return FAILURE


def _run_command(arguments: Sequence[str] | None) -> int:
    try:
        status = command.main(arguments, prog_name="evalguard", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return status if isinstance(status, int) else CLEAN


def _check_format(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from evalguard.config import did_you_mean

    if value not in FORMATS:
        choices = ", ".join(FORMATS)
        raise click.BadParameter(f'unknown format "{value}"{did_you_mean(value, FORMATS)} (one of {choices})')
    return value


def _split_codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for value in values for code in value.replace(",", " ").split())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--stdin-filename", metavar="PATH", help="The name of the file that is given on standard input.")
@click.option("--select", multiple=True, metavar="CODES", callback=_split_codes, help="Report these codes only.")
@click.option("--ignore", multiple=True, metavar="CODES", callback=_split_codes, help="Do not report these codes.")
@click.option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave these out, too (as in .gitignore).")
@click.option("--no-respect-gitignore", is_flag=True, help="Check also the files that git ignores.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="|".join(FORMATS),
    callback=_check_format,
    help="How the findings are printed.",
)
@click.option("--statistics", is_flag=True, help="Print the number of findings of each rule instead of the findings.")
@click.option("--exit-zero", is_flag=True, help="Exit with status 0 even if there are findings.")
@click.option("--no-cache", is_flag=True, help="Keep nothing for the next run (this version never does).")
@click.option("-v", "--verbose", is_flag=True, help="Tell what is skipped and how long each stage takes.")
@click.version_option(evalguard.__version__, prog_name="evalguard", message="%(prog)s %(version)s")
def command(
    paths: tuple[str, ...],
    stdin_filename: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_exclude: tuple[str, ...],
    no_respect_gitignore: bool,
    form: str,
    statistics: bool,
    exit_zero: bool,
    no_cache: bool,
    verbose: bool,
) -> int:
    """Find PyTorch modules left in the wrong mode.

    PATHS are Python files and folders, or - for standard input; without any, the working directory. CODES are codes
    or prefixes of codes, separated by commas, such as EVG201 or EVG2, or ALL.

    Exit status: 0 nothing found, 1 findings, 2 wrong usage or an internal error.
    """
    from evalguard.check import STDIN_NAME, check_paths

    paths = paths or (".",)
    if statistics and form == "json":
        raise click.UsageError("--statistics has no JSON form: use one of --statistics and --format json.")
    if stdin_filename and "-" not in paths:
        raise click.UsageError("--stdin-filename names the file on standard input: give - as a path.")
    config = _configuration(paths, stdin_filename, select, ignore, extend_exclude, not no_respect_gitignore)
    report = check_paths(paths, config, stdin_filename=stdin_filename or STDIN_NAME)
    _tell(report, config, verbose)
    _print(_rendered(report, "statistics" if statistics else form))
    if report.problems:
        return FAILURE
    return FINDINGS if report.findings and not exit_zero else CLEAN


def _configuration(
    paths: Sequence[str],
    stdin_filename: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    extend_exclude: Sequence[str],
    respect_gitignore: bool,
) -> Config:
    from evalguard.check import known_codes
    from evalguard.config import ConfigError, load_config, with_options
    from evalguard.discover import STDIN, missing

    absent = missing(paths)
    if absent:
        raise click.UsageError(f"no such file or folder: {', '.join(map(visible, absent))}")
    named = [stdin_filename if path == STDIN and stdin_filename else path for path in paths]
    codes = known_codes()
    try:
        config = load_config(named, codes)
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


def _tell(report: Report, config: Config, verbose: bool) -> None:
    """All that is not a finding, on standard error."""
    for warning in report.warnings:
        click.echo(f"evalguard: warning: {visible(warning)}", err=True)
    if not report.files:
        click.echo("evalguard: warning: no Python files found", err=True)
    for problem in report.problems:
        _report_problem(problem, with_traceback=verbose)
    if not verbose:
        return
    click.echo(f"evalguard: configuration: {visible(str(config.file)) if config.file else 'none'}", err=True)
    for path in report.skipped:
        click.echo(f"evalguard: skipped, nothing in it sets or uses a mode: {visible(path)}", err=True)
    for path, function in report.cut_short:
        click.echo(f"evalguard: too large to follow to its end: {visible(path)}: `{visible(function)}`", err=True)
    counts = f"{len(report.files)} files, {len(report.analysed)} analysed, {len(report.skipped)} skipped"
    click.echo(f"evalguard: {counts}", err=True)
    for stage, seconds in report.seconds.items():
        click.echo(f"evalguard: {stage}: {seconds:.3f} s", err=True)


def _report_problem(problem: Problem, with_traceback: bool) -> None:
    place = f" in {visible(problem.path)}" if problem.path else ""
    click.echo(f"evalguard: internal error{place}: {visible(problem.message)}", err=True)
    advice = "" if with_traceback else " (-v shows the traceback)"
    click.echo(f"evalguard: please report this, with the file if you may{advice}", err=True)
    if with_traceback:
        click.echo("\n".join(map(visible, problem.traceback.splitlines())), err=True)


def _rendered(report: Report, form: str) -> str:
    from evalguard.report import flake8, json, statistics, text

    match form:
        case "flake8":
            return flake8.render(report)
        case "json":
            return json.render(report)
        case "statistics":
            return statistics.render(report)
        case _:
            width = text.DEFAULT_WIDTH
            if sys.stdout.isatty():
                width = min(width, shutil.get_terminal_size().columns)
            return text.render(report, _wants_colour(), width)


def _wants_colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _print(text: str) -> None:
    """Print to standard output, whatever its encoding; a reader that has had enough is no error."""
    encoding = sys.stdout.encoding or "utf-8"
    text = text.encode(encoding, errors="backslashreplace").decode(encoding)
    try:
        click.echo(text, nl=False, color=True)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""`evalguard PATHS`: look for modules in the wrong mode, and print what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import evalguard
from evalguard.cli.configuration import HELP, choice, configuration
from evalguard.cli.fix import FixOptions, run_fixes
from evalguard.cli.group import CommandWithSubcommands
from evalguard.cli.output import FAILURE, print_text, report_problem, tell_warnings, wants_colour, width_up_to
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.config import Config
    from evalguard.report import Report

FORMATS = ("text", "flake8", "json")
CLEAN, FINDINGS = 0, 1


def _split_codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for value in values for code in value.replace(",", " ").split())


@click.command(cls=CommandWithSubcommands, context_settings=HELP)
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
    callback=choice(FORMATS),
    help="How the findings are printed.",
)
@click.option("--statistics", is_flag=True, help="Print the number of findings of each rule instead of the findings.")
@click.option("--fix", is_flag=True, help="Apply the safe fixes, each proven by an analysis of the whole project.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply also fixes that could change results that someone relies on.")
@click.option("--fix-only", is_flag=True, help="Apply fixes, and do not report what is left.")
@click.option("--diff", is_flag=True, help="Print what fixes would change, and write nothing.")
@click.option("--show-fixes", is_flag=True, help="Show the fix of each finding; with --fix, list those applied.")
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
    fix: bool,
    unsafe_fixes: bool,
    fix_only: bool,
    diff: bool,
    show_fixes: bool,
    exit_zero: bool,
    no_cache: bool,
    verbose: bool,
) -> int:
    """Find PyTorch modules left in the wrong mode.

    PATHS are Python files, notebooks and folders, or - for standard input; without any, the working directory. CODES
    are codes or prefixes of codes, separated by commas, such as EVG201 or EVG2, or ALL.

    Exit status: 0 nothing found, 1 findings, 2 wrong usage or an internal error. With --fix: 1 if findings are left;
    with --diff: 1 if there is a difference.
    """
    from evalguard.check import STDIN_NAME, check_for_fixes, check_paths

    paths = paths or (".",)
    if statistics and form == "json":
        raise click.UsageError("--statistics has no JSON form: use one of --statistics and --format json.")
    if stdin_filename and "-" not in paths:
        raise click.UsageError("--stdin-filename names the file on standard input: give - as a path.")
    config = configuration(paths, stdin_filename, select, ignore, extend_exclude, not no_respect_gitignore)
    options = FixOptions(fix, unsafe_fixes, diff, fix_only, show_fixes)
    options.check()
    stdin_name = stdin_filename or STDIN_NAME

    def tell(report: Report, mended: str | None = None) -> int:
        _tell(report, config, verbose)
        rendered = _rendered(report, "statistics" if statistics else form)
        if mended is None:
            print_text(rendered)
        else:  # standard output is for the text
            print_text(mended)
            click.echo(rendered, err=True, nl=False)
        if report.problems:
            return FAILURE
        return FINDINGS if report.findings and not exit_zero else CLEAN

    if options.any:
        checked = check_for_fixes(paths, config, stdin_filename=stdin_name)
        return run_fixes(checked, options, stdin_name if "-" in paths else None, tell)
    return tell(check_paths(paths, config, stdin_filename=stdin_name))


def _tell(report: Report, config: Config, verbose: bool) -> None:
    """All that is not a finding, on standard error."""
    tell_warnings(report)
    for problem in report.problems:
        report_problem(problem, with_traceback=verbose)
    if not verbose:
        return
    click.echo(f"evalguard: configuration: {visible(str(config.file)) if config.file else 'none'}", err=True)
    for path, language in report.foreign:
        click.echo(f"evalguard: skipped, its language is {visible(language)}: {visible(path)}", err=True)
    for path in report.skipped:
        if path in dict(report.foreign):
            continue
        click.echo(f"evalguard: skipped, nothing in it sets or uses a mode: {visible(path)}", err=True)
    for path, function in report.cut_short:
        click.echo(f"evalguard: too large to follow to its end: {visible(path)}: `{visible(function)}`", err=True)
    counts = f"{len(report.files)} files, {len(report.analysed)} analysed, {len(report.skipped)} skipped"
    click.echo(f"evalguard: {counts}", err=True)
    for stage, seconds in report.seconds.items():
        click.echo(f"evalguard: {stage}: {seconds:.3f} s", err=True)


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
            return text.render(report, wants_colour(), width_up_to(text.DEFAULT_WIDTH))

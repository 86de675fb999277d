"""`evalguard PATHS`: look for modules in the wrong mode, and print what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import evalguard
from evalguard.cli import completion
from evalguard.cli.baseline import warn_of_stale
from evalguard.cli.configuration import HELP, choice, configuration, examples, split_codes
from evalguard.cli.fix import FixOptions, run_fixes
from evalguard.cli.group import CommandWithSubcommands
from evalguard.cli.means import job_count, means_of
from evalguard.cli.output import (
    FAILURE,
    needs_extra,
    print_text,
    report_problem,
    tell_warnings,
    wants_colour,
    width_up_to,
    write_text,
)
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.changes import Changes
    from evalguard.config import Config
    from evalguard.fingerprint import Key
    from evalguard.report import Report

FORMATS = ("text", "flake8", "json", "github", "gitlab", "html", "junit", "sarif")
HTML = "html"
COUNTED_FORMATS = ("text", "flake8")  # those for people, which --statistics takes the place of
CLEAN, FINDINGS = 0, 1


@click.command(
    cls=CommandWithSubcommands,
    context_settings=HELP,
    epilog=examples(
        "evalguard",
        "evalguard src train.py --select EVG2",
        "evalguard --project . --format flake8 src/train.py",
        "evalguard --format sarif --output-file evalguard.sarif .",
        "evalguard --baseline evalguard-baseline.json .",
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...", shell_complete=completion.paths)
@click.option("--stdin-filename", metavar="PATH", help="The name of the file that is given on standard input.")
@click.option(
    "--project",
    metavar="FOLDER",
    shell_complete=completion.folder,
    help="Read all of this project, and report what has to do with PATHS (for hooks).",
)
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    callback=split_codes,
    shell_complete=completion.codes,
    help="Report these codes only.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODES",
    callback=split_codes,
    shell_complete=completion.codes,
    help="Do not report these codes.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    shell_complete=completion.file,
    help="Report only what is not in this file (see evalguard baseline).",
)
@click.option("--no-baseline", is_flag=True, help="Report also what the configuration's baseline knows.")
@click.option("--diff-base", metavar="REVISION", help="Report only what touches lines changed since then, by git.")
@click.option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave these out, too (as in .gitignore).")
@click.option("--no-respect-gitignore", is_flag=True, help="Check also the files that git ignores.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="|".join(FORMATS),
    callback=choice(FORMATS),
    shell_complete=completion.one_of(FORMATS),
    help="How the findings are printed.",
)
@click.option(
    "--output-file",
    metavar="FILE",
    shell_complete=completion.file,
    help="Write the findings there, in UTF-8, instead of standard output.",
)
@click.option("--statistics", is_flag=True, help="Print the number of findings of each rule instead of the findings.")
@click.option("--fix", is_flag=True, help="Apply the safe fixes, each proven by an analysis of the whole project.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply also fixes that could change results that someone relies on.")
@click.option("--fix-only", is_flag=True, help="Apply fixes, and do not report what is left.")
@click.option("--diff", is_flag=True, help="Print what fixes would change, and write nothing.")
@click.option("--show-fixes", is_flag=True, help="Show the fix of each finding; with --fix, list those applied.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option("--exit-zero", is_flag=True, help="Exit with status 0 even if there are findings.")
@click.option(
    "--jobs",
    default="auto",
    metavar="N|auto",
    callback=job_count,
    help="The number of processes that read files. [default: auto, as many as pay]",
)
@click.option("--no-cache", is_flag=True, help="Keep nothing for the next run, and use nothing kept.")
@click.option(
    "--cache-dir",
    envvar="EVALGUARD_CACHE_DIR",
    metavar="FOLDER",
    shell_complete=completion.folder,
    help="Where things are kept for the next run; also by EVALGUARD_CACHE_DIR. "
    "[default: .evalguard_cache beside the configuration file]",
)
@click.option("--no-shortcuts", is_flag=True, hidden=True, help="Read all files in full.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what is skipped and how long each stage takes.")
@click.version_option(evalguard.__version__, prog_name="evalguard", message="%(prog)s %(version)s")
def command(
    paths: tuple[str, ...],
    stdin_filename: str | None,
    project: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: str | None,
    no_baseline: bool,
    diff_base: str | None,
    extend_exclude: tuple[str, ...],
    no_respect_gitignore: bool,
    form: str,
    output_file: str | None,
    statistics: bool,
    fix: bool,
    unsafe_fixes: bool,
    fix_only: bool,
    diff: bool,
    show_fixes: bool,
    watch: bool,
    exit_zero: bool,
    jobs: int | None,
    no_cache: bool,
    cache_dir: str | None,
    no_shortcuts: bool,
    verbose: bool,
) -> int:
    """Find PyTorch modules left in the wrong mode.

    PATHS are Python files, notebooks and folders, or - for standard input; without any, the working directory. CODES
    are codes or prefixes of codes, separated by commas, such as EVG201 or EVG2, or ALL.

    Exit status: 0 nothing found, 1 findings, 2 wrong usage or an internal error. With --fix: 1 if findings are left;
    with --diff: 1 if there is a difference.
    """
    from evalguard.check import STDIN_NAME, check_for_fixes, check_paths

    paths = paths or (project or ".",)
    if statistics and form not in COUNTED_FORMATS:
        raise click.UsageError(f"--statistics counts for people: use one of --statistics and --format {form}.")
    if stdin_filename and "-" not in paths:
        raise click.UsageError("--stdin-filename names the file on standard input: give - as a path.")
    if watch:
        from evalguard.cli.watch import keep_watching  # here, for few runs ask for it

        return keep_watching(command, tuple(path for path in (*paths, project) if path))
    if "-" in paths and project and not stdin_filename:
        raise click.UsageError("--project with - wants to know by --stdin-filename which of its files that is.")
    config = configuration(paths, stdin_filename, select, ignore, extend_exclude, not no_respect_gitignore, project)
    options = FixOptions(fix, unsafe_fixes, diff, fix_only, show_fixes)
    options.check()
    if baseline is not None and no_baseline:
        raise click.UsageError("--baseline and --no-baseline: use one of them.")
    means = means_of(config, jobs, no_cache, cache_dir, no_shortcuts)
    new = _new(baseline, None if no_baseline else config.baseline_file, diff_base)
    config = replace(config, baseline=None)  # it is asked here, where stale entries are told of
    stdin_name = stdin_filename or STDIN_NAME

    def tell(report: Report, mended: str | None = None) -> int:
        _tell(report, paths, config, verbose)
        to_terminal = output_file is None and mended is None
        if form == HTML and options.any and "-" not in paths:  # proofs are looked for without ribbons
            drawn = check_paths(paths, config, project=project, ribbons=True)
            report = replace(report, strips=drawn.strips)
        rendered = _rendered(report, "statistics" if statistics else form, to_terminal)
        if mended is not None:  # standard output is for the text
            print_text(mended)
        if output_file is not None:
            write_text(rendered, output_file)
        elif mended is None:
            print_text(rendered)
        else:
            click.echo(rendered, err=True, nl=False)
        if report.problems:
            return FAILURE
        return FINDINGS if report.findings and not exit_zero else CLEAN

    if form == HTML:
        _need_html()
    if options.any:
        checked = check_for_fixes(
            paths, config, stdin_filename=stdin_name, project=project, narrowed=new.of, means=means
        )
        means.end()
        return run_fixes(checked, options, stdin_name if "-" in paths else None, tell)
    report = check_paths(paths, config, stdin_filename=stdin_name, project=project, means=means, ribbons=form == HTML)
    means.end()
    if not (project or select or ignore):  # by a part of the findings nothing is known of the rest
        new.tell_stale(report)
    return tell(new.of(report))


@dataclass(frozen=True, slots=True)
class _New:
    """What is new: not in the baseline's file, and touching lines that changed since a revision."""

    file: str | None
    known: frozenset[Key]
    changes: Changes | None

    def of(self, report: Report) -> Report:
        """The report with what is new."""
        if self.file is not None:
            from evalguard.baseline import compare

            report = compare(report, self.known, self.file).report
        return report if self.changes is None else report.only(self.changes.touch)

    def tell_stale(self, report: Report) -> None:
        """Say which entries of the baseline nothing in a whole report has any more."""
        if self.file is not None:
            from evalguard.baseline import compare

            warn_of_stale(compare(report, self.known, self.file), self.file)


def _new(option: str | None, configured: str | None, diff_base: str | None) -> _New:
    from evalguard.discover import shown_path

    file, source, hint = option, "--baseline", ""
    if option is None and configured is not None:
        file, source = shown_path(Path(configured)), "the configuration's baseline"
        hint = "" if os.path.lexists(configured) else "; `evalguard baseline` writes it, --no-baseline does without"
    known: frozenset[Key] = frozenset() if file is None else _read_baseline(file, source, hint)
    return _New(file, known, None if diff_base is None else _changes_since(diff_base))


def _read_baseline(file: str, source: str, hint: str) -> frozenset[Key]:
    from evalguard.baseline import BaselineError, read

    try:
        return read(file)
    except BaselineError as error:
        raise click.UsageError(f"{source}: {visible(str(error))}{hint}") from error


def _changes_since(revision: str) -> Changes:
    from evalguard.changes import ChangesError, changes_since

    try:
        return changes_since(revision)
    except ChangesError as error:
        raise click.UsageError(f"--diff-base: {visible(str(error))}") from error


def _tell(report: Report, paths: Sequence[str], config: Config, verbose: bool) -> None:
    """All that is not a finding, on standard error."""
    tell_warnings(report, paths)
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


def _need_html() -> None:
    try:
        import evalguard.report.html  # noqa: F401
    except ImportError as error:
        raise needs_extra("--format html", error, "report") from error


def _rendered(report: Report, form: str, to_terminal: bool) -> str:
    from evalguard.check import documentations

    match form:  # some want modules that are slow to load, or packages that not everybody has
        case "flake8":
            from evalguard.report import flake8

            return flake8.render(report)
        case "github":
            from evalguard.report import github

            return github.render(report)
        case "gitlab":
            from evalguard.report import gitlab

            return gitlab.render(report)
        case "html":
            from evalguard.report import html

            return html.render(report, documentations(), evalguard.__version__)
        case "json":
            from evalguard.report import json

            return json.render(report)
        case "junit":
            from evalguard.report import junit

            return junit.render(report)
        case "sarif":
            from evalguard.report import sarif

            return sarif.render(report, documentations(), evalguard.__version__)
        case "statistics":
            from evalguard.report import statistics

            return statistics.render(report)
        case _:
            from evalguard.report import text

            if to_terminal:
                return text.render(report, wants_colour(), width_up_to(text.DEFAULT_WIDTH))
            return text.render(report)

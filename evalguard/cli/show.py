"""`evalguard show FILE[:FUNCTION]`: the source with the mode ribbon beside it."""

from __future__ import annotations

import difflib
import os
import sys
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, configuration, examples
from evalguard.cli.output import (
    FAILURE,
    CannotBeDone,
    needs_extra,
    print_text,
    report_problem,
    tell_warnings,
    wants_colour,
    warn_of_a_path_named,
    width_up_to,
)
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.report import Report
    from evalguard.ribbon import Ribbon, Strip

WIDEST = 160
NEAR = 5  # names that an error proposes


@click.command(
    context_settings=HELP,
    epilog=examples("evalguard show train.py", "evalguard show train.py:Trainer.fit --project ."),
)
@click.argument("target", metavar="FILE[:FUNCTION]", shell_complete=completion.file)
@click.option(
    "--project",
    metavar="FOLDER",
    shell_complete=completion.folder,
    help="Read all of this project, so that calls from its other files count.",
)
def show(target: str, project: str | None) -> int:
    """Show the mode of every module on every line.

    Prints the functions of FILE, a Python file or a notebook, or the one FUNCTION, and beside each line a band for each
    module: T train, E eval, TE one or the other, ? nobody knows. The steps of what is found there are numbered in the
    margin.

    Exit status: 0 done, 2 wrong usage or an internal error.
    """
    from evalguard.check import check_paths

    warn_of_a_path_named("show")
    path, name = _divided(target)
    config = configuration((path,), None, project=project)
    report = check_paths([path], config, project=project, ribbons=True)
    tell_warnings(report, (path,))
    for problem in report.problems:
        report_problem(problem, with_traceback=False)
    strip = _strip(report, path)
    print_text(_rendered(report, strip, _chosen(strip, name)))
    return FAILURE if report.problems else 0


def _divided(target: str) -> tuple[str, str]:
    """The path and the name of the function, "" if there is none."""
    path, colon, name = target.rpartition(":")
    if not colon or os.path.exists(target) or not path:
        return target, ""
    return path, name


def _strip(report: Report, path: str) -> Strip:
    real = os.path.realpath(path)
    for shown, strip in report.strips.items():
        if os.path.realpath(shown) == real and any(ribbon.bands for ribbon in strip.ribbons):
            return strip
    if os.path.isdir(path):
        raise click.UsageError(visible(f"{path} is a folder: give one file, with --project {path} if you like"))
    raise CannotBeDone(visible(f"{path}: no module with a mode is seen in it, so there is nothing to show"))


def _chosen(strip: Strip, name: str) -> list[Ribbon]:
    """The functions that are meant: of that name, or all."""
    telling = [ribbon for ribbon in strip.ribbons if ribbon.bands]
    if not name:
        return telling
    exact = [ribbon for ribbon in telling if ribbon.function == name]
    found = exact or [ribbon for ribbon in telling if ribbon.function.endswith(f".{name}")]
    if found:
        return found
    known = [ribbon.function for ribbon in telling]
    near = difflib.get_close_matches(name, known, n=NEAR, cutoff=0.4) or known[:NEAR]
    raise click.UsageError(visible(f'no module is seen in a function "{name}"; in these there is: {", ".join(near)}'))


def _rendered(report: Report, strip: Strip, ribbons: list[Ribbon]) -> str:
    try:
        from evalguard.report import show as picture
    except ImportError as error:
        raise needs_extra("evalguard show", error, "report") from error
    shapes = picture.UNICODE if _can_print(picture.UNICODE) else picture.ASCII
    return picture.render(report, strip, ribbons, wants_colour(), width_up_to(WIDEST), shapes)


def _can_print(shapes: object) -> bool:
    try:
        repr(shapes).encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

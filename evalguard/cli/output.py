"""What a command says: its result on standard output, all else on standard error."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.report import Problem, Report

FAILURE = 2  # the exit status after wrong usage or a failure of our own


class CannotBeDone(click.ClickException):
    """What was asked for failed; not to be taken for findings, whose exit status is another."""

    exit_code = FAILURE


def needs_extra(what: str, missing: ImportError, extra: str) -> CannotBeDone:
    """An error that says how to install what something needs."""
    install = f'python -m pip install "torch-evalguard[{extra}]"'
    return CannotBeDone(f"{what} needs {missing.name}, which is not installed: {install}")


def print_text(text: str) -> None:
    """Print to standard output, whatever its encoding; a reader that has had enough is no error."""
    encoding = sys.stdout.encoding or "utf-8"
    text = text.encode(encoding, errors="backslashreplace").decode(encoding)
    try:
        click.echo(text, nl=False, color=True)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_text(text: str, file: str) -> None:
    """Write a file, in UTF-8, as a whole or not at all: who reads it meanwhile sees the old one."""
    target = os.path.realpath(file)
    whole = not os.path.exists(target) or os.path.isfile(target)  # a pipe or a device cannot be replaced
    part = f"{target}.{os.getpid()}.part" if whole else target
    try:
        Path(part).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        if whole:
            if os.path.exists(target):
                shutil.copymode(target, part)
            os.replace(part, target)
    except OSError as error:
        if whole:
            with contextlib.suppress(OSError):
                os.unlink(part)
        raise CannotBeDone(f"{visible(file)} cannot be written: {error.strerror}") from error


def wants_colour() -> bool:
    """Whether standard output is to be coloured."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def width_up_to(width: int) -> int:
    """The width, or that of the terminal if it is narrower."""
    return min(width, shutil.get_terminal_size().columns) if sys.stdout.isatty() else width


def tell_warnings(report: Report, paths: Sequence[str] = ()) -> None:
    """What people should know of a run on these paths, on standard error."""
    for warning in report.warnings:
        click.echo(f"evalguard: warning: {visible(warning)}", err=True)
    if not report.files:
        click.echo(f"evalguard: warning: no Python files found{_why_none(paths)}", err=True)


def _why_none(paths: Sequence[str]) -> str:
    """Where files were looked for, and whether there are any that were left out."""
    from evalguard.discover import STDIN, discover

    folders = [path for path in paths if path != STDIN]
    if not folders:
        return ""
    where = f" in {', '.join(map(visible, folders))}"
    number = len(discover(folders, respect_gitignore=False).files)
    if not number:
        return where
    left_out = "one is" if number == 1 else f"{number} are"
    return f"{where}: {left_out} left out by .gitignore or the configuration, which `evalguard config` shows"


def warn_of_a_path_named(command: str) -> None:
    """Say how to check a file or folder that has the name of a subcommand."""
    if os.path.exists(command):
        hint = f"`{command}` is taken as the command: to check the file or folder of that name, write ./{command}"
        click.echo(f"evalguard: warning: {hint}", err=True)


def report_problem(problem: Problem, with_traceback: bool) -> None:
    """A failure of our own, on standard error."""
    place = f" in {visible(problem.path)}" if problem.path else ""
    click.echo(f"evalguard: internal error{place}: {visible(problem.message)}", err=True)
    advice = "" if with_traceback else " (-v shows the traceback)"
    click.echo(f"evalguard: please report this, with the file if you may{advice}", err=True)
    if with_traceback:
        click.echo("\n".join(map(visible, problem.traceback.splitlines())), err=True)

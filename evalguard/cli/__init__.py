"""The command `evalguard`: options in, a report and an exit status out. One module for each subcommand.

Exit status: 0 nothing found, 1 findings, 2 wrong usage or a failure of our own, 130 interrupted.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import partial

import click

from evalguard.cli.check import CLEAN, FORMATS, command
from evalguard.cli.output import FAILURE, report_problem

__all__ = ["FORMATS", "command", "main"]

INTERRUPTED = 130


def _subcommand(name: str) -> click.Command:
    """The subcommand of that name. Only the one that is asked for is imported."""
    match name:
        case "add-noqa":
            from evalguard.cli.add_noqa import add_noqa as found
        case "baseline":
            from evalguard.cli.baseline import baseline as found
        case "clean":
            from evalguard.cli.clean import clean as found
        case "config":
            from evalguard.cli.config import config as found
        case "corpus":
            from evalguard.cli.corpus import corpus as found
        case "graph":
            from evalguard.cli.graph import graph as found
        case "rule":
            from evalguard.cli.rule import rule as found
        case "server":
            from evalguard.cli.server import server as found
        case "show":
            from evalguard.cli.show import show as found
        case _:
            from evalguard.cli.trace import trace as found
    return found


for name in ("add-noqa", "baseline", "clean", "config", "corpus", "graph", "rule", "server", "show", "trace"):
    command.add_command(name, partial(_subcommand, name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    from evalguard.check import contained
    from evalguard.report import Problem

    outcome = contained(lambda: _run_command(arguments))
    if not isinstance(outcome, Problem):
        return outcome
    report_problem(outcome, with_traceback=True)
    return FAILURE


def _run_command(arguments: Sequence[str] | None) -> int:
    try:
        status = command.main(arguments, prog_name="evalguard", standalone_mode=False)
    except click.NoSuchOption as error:
        meant = difflib.get_close_matches(error.option_name, error.possibilities or (), n=1)
        click.NoSuchOption(error.option_name, possibilities=meant, ctx=error.ctx).show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return status if isinstance(status, int) else CLEAN

"""The command `evalguard`: options in, a report and an exit status out. One module for each subcommand.

Exit status: 0 nothing found, 1 findings, 2 wrong usage or a failure of our own, 130 interrupted.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

from evalguard.cli.add_noqa import add_noqa
from evalguard.cli.baseline import baseline
from evalguard.cli.check import CLEAN, FORMATS, command
from evalguard.cli.clean import clean
from evalguard.cli.config import config
from evalguard.cli.corpus import corpus
from evalguard.cli.graph import graph
from evalguard.cli.output import FAILURE, report_problem
from evalguard.cli.rule import rule
from evalguard.cli.server import server
from evalguard.cli.show import show
from evalguard.cli.trace import trace

__all__ = ["FORMATS", "command", "main"]

INTERRUPTED = 130

command.add_command(add_noqa)
command.add_command(baseline)
command.add_command(clean)
command.add_command(config)
command.add_command(corpus)
command.add_command(graph)
command.add_command(rule)
command.add_command(server)
command.add_command(show)
command.add_command(trace)


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

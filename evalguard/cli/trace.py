"""`evalguard trace SCRIPT ARGS`: run a program, and say which of the findings it confirms."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, choice, configuration, examples
from evalguard.cli.output import report_problem, tell_warnings, wants_colour, write_text
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.report import Report
    from evalguard.trace.launch import Program

TRACE_FORMS = ("text", "json")


class _Launcher(click.Command):
    """All that stands after the script, or after `-m` and its module, is the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with `--` before the first that is none of ours."""
        valued = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and not parameter.is_flag
            for name in parameter.opts
        }
        position = 0
        while position < len(args) and args[position].startswith("-") and args[position] != "--":
            word = args[position]
            position += 2 if word in valued else 1
            if word == "-m":
                break
        position = min(position, len(args))
        return super().parse_args(ctx, [*args[:position], "--", *args[position:]])


@click.command(
    cls=_Launcher,
    context_settings=HELP,
    options_metavar="[OPTIONS]",
    epilog=examples("evalguard trace train.py small.yaml", "evalguard trace --project . -m package.train"),
)
@click.argument("program", nargs=-1, metavar="[SCRIPT | -m MODULE] [ARGS]...", shell_complete=completion.paths)
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.option(
    "--project",
    metavar="FOLDER",
    shell_complete=completion.folder,
    help="The folder that is checked; the working directory, or that of the script.",
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="|".join(TRACE_FORMS),
    callback=choice(TRACE_FORMS),
    shell_complete=completion.one_of(TRACE_FORMS),
    help="For people, or for programs.",
)
@click.option(
    "--output-file",
    metavar="FILE",
    shell_complete=completion.file,
    help="Write the result there, in UTF-8, instead of standard error.",
)
def trace(program: tuple[str, ...], module: str | None, project: str | None, form: str, output_file: str | None) -> int:
    """Run a program, and compare what happens with what is found.

    The project is checked, then the program is run, as `python` would run it, with the mode of every module recorded at
    each forward, training step, switch and export. At its end each finding is confirmed, not reached or contradicted,
    and what was seen in a wrong mode without a finding is listed. It is the only command that runs code of the project.

    Exit status: that of the program; 2 wrong usage or an internal error.
    """
    from evalguard.trace import launch

    words = list(program)
    if module is None and not words:
        raise click.UsageError("Give a script, or -m and a module.")
    try:
        started = launch.script(words[0], words[1:]) if module is None else launch.module(module, words)
    except launch.CannotRun as error:
        raise click.UsageError(visible(str(error))) from error
    folder = project if project is not None else _project(started.file)
    report = _checked(folder)
    target = None if output_file is None else os.path.abspath(output_file)
    return _run(started, report, form, target)


def _project(file: str) -> str:
    """The working directory, if the script lies in it, else the folder of the script."""
    inside = os.path.realpath(file).startswith(os.path.join(os.path.realpath("."), ""))
    return "." if inside else os.path.dirname(os.path.abspath(file))


def _checked(folder: str) -> Report:
    from evalguard.check import check_paths

    report = check_paths([folder], configuration([folder], None))
    tell_warnings(report, [folder])
    for problem in report.problems:
        report_problem(problem, with_traceback=False)
    return report


def _run(started: Program, report: Report, form: str, output_file: str | None) -> int:
    """Everything that is needed afterwards is imported before: the program may change where modules are found."""
    from evalguard.report.trace import json, text
    from evalguard.trace import launch
    from evalguard.trace.recorder import Recorder
    from evalguard.trace.result import result

    recorder = Recorder(_user_files(report, started.file))
    colour = output_file is None and wants_colour_on(sys.stderr)
    recorder.start()
    ending = launch.run(started, recorder.stop)
    traced = result(report.findings, recorder.sightings(), ending.words, recorder.used_torch, recorder.compiled)
    told = json.render(traced) if form == "json" else text.render(traced, colour)
    if output_file is None:
        click.echo(told, nl=False, err=True)
    else:
        write_text(told, output_file)
    if ending.interrupted and os.name == "posix":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGINT)
    return ending.status


def wants_colour_on(stream: Any) -> bool:
    """Whether what is written there is to be coloured."""
    return bool(stream.isatty()) and wants_colour()


def _user_files(report: Report, script: str) -> dict[str, str]:
    """The files of the project by each name under which Python may compile them."""
    files = {}
    for path in report.files:
        for name in (path, os.path.abspath(path), os.path.realpath(path)):
            files[name] = path
    for path in report.files:
        if os.path.realpath(path) == os.path.realpath(script):
            files[script] = path
    return files

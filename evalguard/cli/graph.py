"""`evalguard graph PATHS`: show what evalguard thinks happens, and so why something is or is not reported."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, choice, configuration, examples
from evalguard.cli.output import FAILURE, print_text, report_problem, tell_warnings, warn_of_a_path_named, write_text
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.callgraph import CallGraph, FunctionNode

FORMS = ("text", "mermaid", "dot")
NEAR = 5  # names that an error proposes


@click.command(
    context_settings=HELP,
    epilog=examples("evalguard graph train.py --function fit", "evalguard graph src --format mermaid"),
)
@click.argument("paths", nargs=-1, metavar="PATHS...", shell_complete=completion.paths)
@click.option("--function", "name", metavar="NAME", help="Show one function in full: fit, Trainer.fit or train.py:fit.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="|".join(FORMS),
    callback=choice(FORMS),
    shell_complete=completion.one_of(FORMS),
    help="Text, or a picture to draw.",
)
@click.option(
    "--output-file",
    metavar="FILE",
    shell_complete=completion.file,
    help="Write there, in UTF-8, instead of standard output.",
)
@click.option("--stdin-filename", metavar="PATH", help="The name of the file that is given on standard input.")
@click.option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave these out, too (as in .gitignore).")
@click.option("--no-respect-gitignore", is_flag=True, help="Look also at the files that git ignores.")
def graph(
    paths: tuple[str, ...],
    name: str | None,
    form: str,
    output_file: str | None,
    stdin_filename: str | None,
    extend_exclude: tuple[str, ...],
    no_respect_gitignore: bool,
) -> int:
    """Show which modes evalguard sees, and why.

    For each function the modes of every place on entry and on exit, and the calls that were resolved; then what was not
    followed, and why. With --function, one function line by line, and why its forwards and steps are reported or not.
    All PATHS, Python files, notebooks and folders, are taken together.

    Exit status: 0 done, 2 wrong usage or an internal error.
    """
    from evalguard.check import STDIN_NAME, graph_paths

    warn_of_a_path_named("graph")
    if not paths:
        raise click.UsageError("Missing argument 'PATHS...'.")
    config = configuration(
        paths, stdin_filename, extend_exclude=extend_exclude, respect_gitignore=not no_respect_gitignore
    )
    picture, report = graph_paths(paths, config, stdin_filename=stdin_filename or STDIN_NAME)
    tell_warnings(report, paths)
    for problem in report.problems:
        report_problem(problem, with_traceback=False)
    text = _rendered(picture, _chosen(picture, name) if name is not None else None, form)
    if output_file is None:
        print_text(text)
    else:
        write_text(text, output_file)
    return FAILURE if report.problems else 0


def _chosen(picture: CallGraph, name: str) -> FunctionNode:
    """The function of that name; there must be exactly one."""
    found = picture.named(name)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{node.path}:{node.qualname}" for node in found)
        raise click.UsageError(visible(f'"{name}" may be any of {names}'))
    left_out = picture.reason_of(name)
    if left_out:
        told = "; ".join(f"{path}:{qualname} is among the {reason}" for reason, (path, qualname) in left_out[:NEAR])
        raise click.UsageError(visible(f'"{name}" was not followed: {told}'))
    known = {node.qualname for node in picture.functions}
    known |= {qualname.rpartition(".")[2] for qualname in known}
    near = difflib.get_close_matches(name.rpartition(":")[2], sorted(known), n=NEAR, cutoff=0.5)
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    raise click.UsageError(visible(f'unknown function "{name}"{meant}'))


def _rendered(picture: CallGraph, function: FunctionNode | None, form: str) -> str:
    from evalguard.report.graph import dot, mermaid, text
    from evalguard.report.graph import function as function_text

    near = picture if function is None else picture.around({function.key})
    match form:
        case "mermaid":
            return mermaid.render(near)
        case "dot":
            return dot.render(near)
        case _:
            return text.render(picture) if function is None else function_text.render(function, picture)

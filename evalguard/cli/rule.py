"""`evalguard rule CODE`: the documentation of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, choice, examples
from evalguard.cli.output import print_text, wants_colour, warn_of_a_path_named, width_up_to
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.rule_documentation import RuleDocumentation

RULE_FORMS = ("text", "markdown", "json")


@click.command(context_settings=HELP, epilog=examples("evalguard rule EVG201", "evalguard rule --all --format json"))
@click.argument("code", required=False, metavar="CODE", shell_complete=completion.codes)
@click.option("--all", "every", is_flag=True, help="All rules.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="|".join(RULE_FORMS),
    callback=choice(RULE_FORMS),
    shell_complete=completion.one_of(RULE_FORMS),
    help="For people, for pages, or for programs.",
)
def rule(code: str | None, every: bool, form: str) -> int:
    """Explain a rule: what it reports, why that is bad, and what to write instead.

    CODE is the code or the name of a rule: EVG201, or training-in-eval-mode.

    Exit status: 0 done, 2 wrong usage or an internal error.
    """
    from evalguard.check import documentations

    warn_of_a_path_named("rule")
    if every == (code is not None):
        raise click.UsageError("Give the code or the name of one rule, or --all.")
    found = documentations()
    print_text(_rendered(found if code is None else [_meant(code, found)], form))
    return 0


def _meant(word: str, documentations: Sequence[RuleDocumentation]) -> RuleDocumentation:
    from evalguard.config import meant_code

    wanted = word.strip().lower()
    for documentation in documentations:
        if wanted in (documentation.code.lower(), documentation.name):
            return documentation
    meant = meant_code(word.upper(), {each.code: each.name for each in documentations})
    raise click.UsageError(f'unknown rule "{visible(word)}"{meant} (evalguard rule --all shows all)')


def _rendered(documentations: Sequence[RuleDocumentation], form: str) -> str:
    from evalguard.report.rule import json, markdown, text

    match form:
        case "json":
            return json.render(documentations)
        case "markdown":
            return markdown.render(documentations)
        case _:
            return text.render(documentations, wants_colour(), width_up_to(text.DEFAULT_WIDTH))

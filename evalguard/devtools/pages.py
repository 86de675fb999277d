"""The pages that are generated as a whole, as Markdown by path: one for each rule, their table, the command's options.

Families of rules are told apart by the first digit of their code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from evalguard.cli import command
from evalguard.report.rule import markdown
from evalguard.rule_documentation import RuleDocumentation

RULES_FOLDER = "docs/reference/rules"
FAMILIES = {
    "1": "Inference in train mode",
    "2": "Training in eval mode",
    "3": "Switches that do not do what they say",
    "4": "Layers that do not listen to the mode",
    "9": "The tool's own",
}
_MADE = "<!-- made by `python -m evalguard.devtools docs`: what stands here is taken from the code -->\n\n"
_HELP_WIDTH = 100


def generated_pages(rules: Sequence[RuleDocumentation]) -> dict[str, str]:
    """The text of each page, by its path from the top of the repository."""
    pages = {f"{RULES_FOLDER}/{rule.code}.md": _rule(rule) for rule in rules}
    return pages | {f"{RULES_FOLDER}/index.md": _index(rules), "docs/reference/cli.md": "\n".join(_command())}


def table_of_rules(rules: Sequence[RuleDocumentation], folder: str) -> str:
    """The rules as a table; `folder` is that of their pages, as the page with the table has to write it."""
    rows = "".join(f"| [{rule.code}]({folder}{rule.code}.md) | {rule.name} | {_finding(rule)} |\n" for rule in rules)
    return f"| code | name | finding |\n| --- | --- | --- |\n{rows}"


def navigation_of_rules(rules: Sequence[RuleDocumentation]) -> str:
    """The pages of the rules as entries of the site's navigation, in TOML."""
    folder = RULES_FOLDER.removeprefix("docs/")
    return "".join(f'    {{ "{rule.code} {rule.name}" = "{folder}/{rule.code}.md" }},\n' for rule in rules)


def _finding(rule: RuleDocumentation) -> str:
    """What the rule finds, as a cell of a table."""
    text = rule.summary.removesuffix(".").replace("|", "\\|")
    return text if rule.default else f"{text} (off by default)"


def _rule(rule: RuleDocumentation) -> str:
    state = "It is on by default." if rule.default else f'It is off by default: `extend-select = ["{rule.code}"]`.'
    modes = "[What the modes do](../../explanation/modes.md)"
    silencing = "[Silence a finding](../../how-to/suppress.md)"
    links = f"{silencing}." if rule.code.startswith("EVG9") else f"{modes} to dropout and batch norm. {silencing}."
    return f"{_MADE}{markdown.page(rule)}\n---\n\n{state} {links}\n"


def _index(rules: Sequence[RuleDocumentation]) -> str:
    return "\n".join([f"{_MADE}# Rules\n", *_families(rules)])


def _families(rules: Sequence[RuleDocumentation]) -> Iterator[str]:
    yield (
        "A code is chosen by its beginning: `--select EVG2` means all that begin so. In a terminal, "
        "`evalguard rule EVG201` shows a rule's page.\n"
    )
    for digit, family in FAMILIES.items():
        members = [rule for rule in rules if rule.code[3] == digit]
        if not members:
            continue
        yield f"## EVG{digit}: {family}\n"
        yield table_of_rules(members, "")


def _command() -> Iterator[str]:
    yield f"{_MADE}# The command"
    for name, each in {
        "evalguard": command,
        **{f"evalguard {sub}": it for sub, it in command.commands.items()},
    }.items():
        context = click.Context(each, info_name=name, terminal_width=_HELP_WIDTH, **each.context_settings)
        formatter = context.make_formatter()
        click.Command.format_usage(each, context, formatter)
        yield f"\n## `{name}`\n"
        yield f"```text\n{formatter.getvalue().removeprefix('Usage: ')}```\n"
        yield _prose(each.help or "")
        if each.epilog:
            lines = each.epilog.splitlines()[2:]  # after the mark and the heading
            yield "\n```bash\n" + "".join(f"{line.strip()}\n" for line in lines) + "```"
        yield "\n| option | meaning |\n| --- | --- |"
        for parameter in each.get_params(context):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None:
                option, meaning = (" ".join(text.split()).replace("|", "&#124;") for text in record)
                yield f"| <code>{option}</code> | {meaning} |"
    yield ""


def _prose(help_text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in help_text.split("\n\n"))

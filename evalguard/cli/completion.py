"""What a shell is told when a word is to be completed: click asks, with the word as far as it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click
from click.shell_completion import CompletionItem

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def paths(context: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """Files and folders; as the first word also the subcommands."""
    commands: dict[str, click.Command] = getattr(context.command, "commands", {})
    first = not context.params.get(parameter.name or "")
    names = [CompletionItem(name) for name in sorted(commands) if first and name.startswith(word)]
    return [*names, CompletionItem(word, type="file")]


def file(context: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """A file."""
    return [CompletionItem(word, type="file")]


def folder(context: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """A folder."""
    return [CompletionItem(word, type="dir")]


def codes(context: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """A code; after a comma, one more."""
    from evalguard.check import known_codes

    before, comma, last = word.rpartition(",")
    known = known_codes().items()
    return [CompletionItem(before + comma + code, help=name) for code, name in known if code.startswith(last.upper())]


def one_of(words: Sequence[str]) -> Completion:
    """One of these words."""

    def complete(context: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
        return [CompletionItem(each) for each in words if each.startswith(word)]

    return complete

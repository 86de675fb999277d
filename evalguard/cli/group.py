"""A command with others beside it: `evalguard PATHS` checks, `evalguard graph PATHS` is another command.

The first argument is the name of a subcommand, or there is none. So `evalguard ./graph` and `evalguard -v graph`
check a folder of that name, and no name but those of the subcommands means anything else than before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

GIVEN = "evalguard.cli.given"  # where a context keeps the words of the command line


class CommandWithSubcommands(click.Command):
    """A command that steps back for another whose name is the first argument."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._loaders: dict[str, Callable[[], click.Command]] = {}

    def add_command(self, name: str, load: Callable[[], click.Command]) -> None:
        """Take another command in, by its name; it is loaded when it is needed."""
        self._loaders[name] = load

    @property
    def commands(self) -> dict[str, click.Command]:
        """All the others, by name."""
        return {name: load() for name, load in self._loaders.items()}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that is meant, which `invoke` then follows."""
        if args and args[0] in self._loaders:
            name, *rest = args
            return self._loaders[name]().make_context(f"{info_name} {name}", rest, parent, **extra)
        given = tuple(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[GIVEN] = given
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the context belongs to."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call it."""
        super().format_usage(ctx, formatter)
        if self._loaders:
            formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The subcommands, after the options."""
        rows = [(name, command.get_short_help_str(limit=80)) for name, command in sorted(self.commands.items())]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)

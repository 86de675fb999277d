"""`evalguard --fix` and its kin: prove fixes, then write, compare or show them.

Exit status, as ruff's: `--fix` 1 if something is left, `--fix-only` 0, `--diff` 1 if there is a difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from evalguard.cli.output import FAILURE, print_text
from evalguard.report.terminal import visible
from evalguard.report.wording import file_and_cell

if TYPE_CHECKING:
    from evalguard.check import Checked
    from evalguard.finding import Finding
    from evalguard.repair import Repaired
    from evalguard.report import Report


@dataclass(frozen=True, slots=True)
class FixOptions:
    """What is asked about fixes."""

    fix: bool = False
    unsafe: bool = False
    diff: bool = False
    only: bool = False
    show: bool = False

    @property
    def changes(self) -> bool:
        """Whether fixes are applied, be it only in memory."""
        return self.fix or self.diff or self.only

    @property
    def any(self) -> bool:
        """Whether fixes are wanted at all."""
        return self.changes or self.show

    def check(self) -> None:
        """Refuse what makes no sense together."""
        if self.unsafe and not self.changes:
            raise click.UsageError("--unsafe-fixes says which fixes are applied: give --fix, --fix-only or --diff too.")


def run_fixes(
    checked: Checked, options: FixOptions, stdin_name: str | None, tell: Callable[[Report, str | None], int]
) -> int:
    """Do what is asked. `tell` prints a report, besides the text of standard input if there is one, and gives the exit
    status that belongs to it."""
    from evalguard.repair import APPLIED, SAFE_ONLY, repaired, with_fixes

    if not options.changes:
        return tell(with_fixes(checked), None)
    result = repaired(checked, APPLIED if options.unsafe else SAFE_ONLY)
    if options.diff:
        _print_diff(result)
        click.echo(f"evalguard: would fix {counted(result.fixed)}", err=True)
        _list(result.fixed, options)
        return FAILURE if result.report.problems else int(bool(result.texts))
    failures = written(checked, result.texts, result.before, stdin_name)
    for failure in failures:
        click.echo(f"evalguard: not written: {visible(failure)}", err=True)
    if failures:
        click.echo("evalguard: fixes are proven together, so no further file was changed", err=True)
        return FAILURE
    click.echo(f"evalguard: fixed {counted(result.fixed)}", err=True)
    _list(result.fixed, options)
    report, text = result.report, None
    if stdin_name is not None:
        text = result.texts.get(stdin_name, checked.content(stdin_name) if stdin_name in checked.documents else "")
    if options.only:
        if text is not None:
            print_text(text)
        return FAILURE if report.problems else 0
    return tell(report, text)


def _print_diff(result: Repaired) -> None:
    from evalguard.fixes.edits import unified_diff

    for name, before, after in result.differences():
        text = unified_diff(before, after, name)
        if sys.stdout.isatty():  # elsewhere it is for `patch`, which wants every character as it is
            text = "".join(f"{visible(line)}\n" for line in text.removesuffix("\n").split("\n"))
        print_text(text)


def written(
    checked: Checked, texts: Mapping[str, str], before: Mapping[str, str], stdin_name: str | None = None
) -> list[str]:
    """Write all files, or none of them if one is refused; the files that were, and why."""
    from evalguard.fixes.write import Prepared, Refused, prepare, write

    prepared: dict[str, Prepared] = {}
    failures: list[str] = []
    for path, text in sorted(texts.items()):
        if path == stdin_name:
            continue
        try:
            prepared[path] = prepare(checked.sources[path].location, before[path], text)
        except Refused as refusal:
            failures.append(f"{path} {refusal}")
    for path, change in prepared.items():
        if failures:
            break
        try:
            write(change)
        except Refused as refusal:
            failures.append(f"{path} {refusal}")
    return failures


def _list(fixed: Sequence[Finding], options: FixOptions) -> None:
    if not options.show:
        return
    for finding in fixed:
        title = finding.fix.title if finding.fix else "gone with another fix"
        place = f"{file_and_cell(finding)}:{finding.span.line}"
        click.echo(f"evalguard: {place}: {finding.code} {visible(title)}", err=True)


def counted(fixed: Sequence[Finding]) -> str:
    """How many findings there are, in how many files."""
    files = len({finding.path for finding in fixed})
    return f"{len(fixed)} problem{'' if len(fixed) == 1 else 's'} in {files} file{'' if files == 1 else 's'}"

"""`python -m evalguard.devtools`: the documentation's generated parts, and the files of a new rule."""

from __future__ import annotations

from pathlib import Path

import click

TABLES = "<!-- tables of devtools corpus -->"
END_OF_TABLES = "<!-- end of the tables -->"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tools() -> None:
    """Tools for those who work on evalguard. Run them in a clone of its repository."""


@tools.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with status 1 if something is out of date.")
def docs(check: bool) -> None:
    """Write what the documentation takes from the code: pages of the rules and the command, outputs, tables."""
    from evalguard.devtools.documents import DocumentError, out_of_date, write

    root = _root()
    try:
        stale = out_of_date(root) if check else write(root)
    except DocumentError as error:
        raise click.ClickException(str(error)) from error
    for path in stale:
        click.echo(f"out of date: {path}" if check else f"written: {path}")
    if check and stale:
        raise click.ClickException("run `python -m evalguard.devtools docs` and read the difference")


@tools.command("new-rule")
@click.argument("code")
@click.argument("name")
def new_rule(code: str, name: str) -> None:
    """Begin the rule CODE, NAME: its file, two fixtures and a line in the changelog.

    NAME is what is bad, in words joined by hyphens, and reads well after "allow": EVG107 eval-on-some-paths.
    """
    from evalguard.devtools.new_rule import NewRuleError, begin

    try:
        written = begin(_root(), code.upper(), name)
    except NewRuleError as error:
        raise click.UsageError(str(error)) from error
    for path in written:
        click.echo(f"written: {path}")
    click.echo(
        f"""
Next:
1. Say in {written[0]} what it reports, why that is bad, and show it: both examples are run as tests.
2. Fill the fixtures with a case that is reported and one that is not.
3. Write `check`, until this passes:
   python -m pytest tests/test_rule_documentation.py tests/test_fixtures.py -k "{code.upper()}"
4. Put the line in CHANGELOG.md into words for a user.
5. Write the pages: python -m evalguard.devtools docs"""
    )


@tools.command("trace-overhead")
def trace_overhead() -> None:
    """Measure how much slower a small net trains under `evalguard trace`. Needs PyTorch."""
    from evalguard.devtools.overhead import overhead

    recorded, alone, ratio = overhead()
    click.echo(f"recorded {recorded * 1000:.1f} ms, alone {alone * 1000:.1f} ms: {(ratio - 1) * 100:+.1f}%")


@tools.command("corpus")
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def corpus(results: tuple[str, ...]) -> None:
    """Write the tables of RESULTS, files of `evalguard corpus`, into their page of the documentation."""
    from evalguard.check import known_codes
    from evalguard.corpus.rows import read_rows
    from evalguard.corpus.table import render

    page = _root() / "docs" / "explanation" / "corpus.md"
    tables = render((row for file in results for row in read_rows(file).rows), known_codes())
    before, rest = page.read_text(encoding="utf-8").split(TABLES, 1)
    _, after = rest.split(END_OF_TABLES, 1)
    page.write_text(f"{before}{TABLES}\n\n{tables}\n{END_OF_TABLES}{after}", encoding="utf-8")


def _root() -> Path:
    root = Path.cwd()
    if not (root / "evalguard" / "rules").is_dir() or not (root / "CHANGELOG.md").is_file():
        raise click.UsageError("run this at the top of a clone of evalguard's repository")
    return root


if __name__ == "__main__":
    tools(prog_name="python -m evalguard.devtools")

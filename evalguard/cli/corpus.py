"""`evalguard corpus LIST`: judge many packages, each by itself, and keep what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalguard.cli import completion
from evalguard.cli.configuration import HELP, examples
from evalguard.cli.output import CannotBeDone, needs_extra, print_text, write_text
from evalguard.report.terminal import visible

if TYPE_CHECKING:
    from evalguard.corpus.entries import Entry
    from evalguard.corpus.rows import Row

STATUS_OF_INTERNAL_ERRORS = 2


def shard(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    """A callback for `--shard`: which of how many, counted from 1."""
    number, _, count = value.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise click.BadParameter(f'must be a shard of a number of shards, such as 2/8, not "{value}"')
    return int(number), int(count)


@click.command(
    context_settings=HELP,
    epilog=examples(
        "evalguard corpus packages.txt --output rows.jsonl",
        "evalguard corpus packages.txt --shard 2/8 --output rows-2.jsonl",
        "evalguard corpus --merge rows-*.jsonl",
    ),
)
@click.argument("files", nargs=-1, metavar="[LIST | --merge FILES...]", shell_complete=completion.file)
@click.option("--merge", is_flag=True, help="Read results instead, and print tables of them in Markdown.")
@click.option("--shard", "part", metavar="I/N", default="1/1", callback=shard, help="Judge one of N parts of the list.")
@click.option(
    "--output",
    metavar="FILE",
    shell_complete=completion.file,
    help="Add the rows to a file, and leave out what has a row there already.",
)
@click.option("--folder", metavar="FOLDER", shell_complete=completion.folder, help="Keep the archives there.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="The processor time that one package may take.",
)
@click.option(
    "--memory",
    metavar="MB",
    type=click.IntRange(256),
    default=8192,
    show_default=True,
    help="The address space that one package may take.",
)
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), default=1, show_default=True, help="Judge so many at the same time."
)
@click.option(
    "--dask",
    metavar="ADDRESS|local",
    help="Let the workers of this scheduler of Dask judge them, or those of a cluster in this process.",
)
def corpus(
    files: tuple[str, ...],
    merge: bool,
    part: tuple[int, int],
    output: str | None,
    folder: str | None,
    timeout: int,
    memory: int,
    jobs: int,
    dask: str | None,
) -> int:
    """Judge many packages, each by itself: how often what is found, how long it takes, and what goes wrong.

    LIST has a line for each: `name==version`, or a folder, or an archive. Packages are downloaded from where pip would
    look, as wheels or else as source archives, and unpacked; nothing of them is built, imported or run. Each is judged
    in a process of its own, with limits, and is one line of JSON. Shards are independent: their results may stand in
    several files.

    Exit status: 0 done, 2 wrong usage or an internal error, also in a package.
    """
    if os.name != "posix":
        raise CannotBeDone("`evalguard corpus` needs limits of time and memory, which this system does not have")
    from evalguard.corpus.entries import of_shard
    from evalguard.corpus.rows import still_to_do

    if merge:
        text, failures = _tables(files)
        print_text(text) if output is None else write_text(text, output)
        return STATUS_OF_INTERNAL_ERRORS if failures else 0
    if len(files) != 1:
        raise click.UsageError("Give one list, or --merge and files of results.")
    entries = of_shard(_entries(files[0]), *part)
    known = _whole_rows(output)
    wanted = still_to_do(entries, known)
    if len(wanted) < len(entries):
        click.echo(f"evalguard: {len(entries) - len(wanted)} of {len(entries)} are done already", err=True)
    rows = _judged(wanted, timeout, memory, folder, jobs, dask)
    return STATUS_OF_INTERNAL_ERRORS if _keep(rows, output, len(wanted)) else 0


def _entries(file: str) -> list[Entry]:
    from evalguard.corpus.entries import ListError, read_list

    try:
        return read_list(Path(file).read_text(encoding="utf-8-sig"), Path(file).parent)
    except (OSError, UnicodeDecodeError, ListError) as error:
        raise click.UsageError(visible(f"{file}: {error}")) from error


def _whole_rows(output: str | None) -> Sequence[Row]:
    """The rows of an earlier run, whose last line is taken away if it was interrupted there."""
    from evalguard.corpus.rows import RowsError, read_rows

    if output is None or not os.path.exists(output):
        return ()
    try:
        known = read_rows(output)
        if os.path.isfile(output) and os.path.getsize(output) > known.whole:
            os.truncate(output, known.whole)
    except (OSError, RowsError) as error:
        raise CannotBeDone(visible(f"{output}: {error}")) from error
    return known.rows


def _judged(
    entries: Sequence[Entry], timeout: int, memory: int, folder: str | None, jobs: int, dask: str | None
) -> Iterator[Row]:
    from evalguard.corpus.judge import Limits
    from evalguard.corpus.run import rows_here, rows_of_dask

    limits = Limits(timeout, memory)
    archives = None if folder is None else os.path.abspath(folder)
    if dask is None:
        return rows_here(entries, limits, archives, jobs)
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise needs_extra("--dask", error, "corpus") from error
    return rows_of_dask(entries, limits, archives, jobs, dask)


def _keep(rows: Iterator[Row], output: str | None, total: int) -> int:
    """Write the rows as they come, tell of each, and count the internal errors."""
    from evalguard.corpus.rows import as_line

    failures = 0
    for number, row in enumerate(rows, 1):
        if output is None:
            print_text(as_line(row))
        else:
            _add(as_line(row), output)
        failures += _told(row, f"{number}/{total}")
    return failures


def _add(line: str, output: str) -> None:
    try:
        with open(output, "a", encoding="ascii") as file:
            file.write(line)
    except OSError as error:
        raise CannotBeDone(f"{visible(output)} cannot be written: {error.strerror}") from error


def _told(row: Row, how_far: str) -> int:
    """Say on standard error what came of an entry; the number of its internal errors."""
    errors = row.get("internal_errors", ())
    name = f"{row['name']} {row['version']}".strip()
    found = f"{len(row['findings'])} findings, {row['seconds']} s" if "findings" in row else row["ended"]
    click.echo(visible(f"evalguard: {how_far} {name}: {found}"), err=True)
    for error in errors:
        click.echo(visible(f"evalguard:   internal error in {error['path']}: {error['message']}"), err=True)
    return len(errors)


def _tables(files: Sequence[str]) -> tuple[str, int]:
    """The tables of some results, and the number of internal errors."""
    from evalguard.check import known_codes
    from evalguard.corpus.rows import merged
    from evalguard.corpus.table import render

    if not files:
        raise click.UsageError("Give the files of results that are to be merged.")
    rows = merged(chain.from_iterable(map(_rows_of, files)))
    return render(rows, known_codes()), sum(len(row.get("internal_errors", ())) for row in rows)


def _rows_of(file: str) -> Sequence[Row]:
    from evalguard.corpus.rows import RowsError, read_rows

    try:
        return read_rows(file).rows
    except RowsError as error:
        raise click.UsageError(visible(f"{file}: {error}")) from error

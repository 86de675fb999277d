"""Results as tables in Markdown: what was run and what came of it, the findings by rule, and every package.

Times of machines do not compare, so the time of a package is its processor time over that of `ast.parse` of the same
files in the same process.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from evalguard.corpus.rows import DONE, Row, merged


def render(rows: Iterable[Row], names: Mapping[str, str]) -> str:
    """The tables. `names` are those of the codes."""
    known = merged(rows)
    done = [row for row in known if row["ended"] == DONE]
    return "\n".join([_summary(known, done), _rules(done, names), _packages(done), _others(known)]).rstrip() + "\n"


def _summary(rows: Sequence[Row], done: Sequence[Row]) -> str:
    ratios = [ratio for row in done if (ratio := _ratio(row)) is not None]
    memory = [row["megabytes"] for row in done]
    facts = [
        ("packages listed in the results", len(rows)),
        ("packages judged to the end", len(done)),
        ("of these, with a file that mentions torch", sum(row["mention_torch"] > 0 for row in done)),
        ("Python files and notebooks", sum(row["files"] for row in done)),
        ("lines", sum(row["lines"] for row in done)),
        ("files analysed in full", sum(row["analysed"] for row in done)),
        ("findings", sum(len(row["findings"]) for row in done)),
        ("packages without a finding", sum(not row["findings"] for row in done)),
        ("functions too large to follow to their end", sum(len(row["cut_short"]) for row in done)),
        ("internal errors", sum(len(row.get("internal_errors", ())) for row in rows)),
    ]
    lines = ["| what | number |", "| --- | ---: |", *(f"| {what} | {number:,} |" for what, number in facts)]
    if ratios:
        lines.append(
            f"| processor time over that of `ast.parse`: median, largest | {_middle_and_most(ratios, '.1f')} |"
        )
        lines.append(f"| peak memory in MB: median, largest | {_middle_and_most(memory, '.0f')} |")
    return "\n".join([*lines, ""])


def _middle_and_most(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}}, {max(values):{form}}"


def _rules(done: Sequence[Row], names: Mapping[str, str]) -> str:
    found = Counter(finding["code"] for row in done for finding in row["findings"])
    packages = Counter(code for row in done for code in {finding["code"] for finding in row["findings"]})
    lines = ["| code | name | findings | packages |", "| --- | --- | ---: | ---: |"]
    lines += [f"| {code} | {names.get(code, '')} | {found[code]:,} | {packages[code]} |" for code in sorted(found)]
    return "\n".join([*lines, ""])


def _packages(done: Sequence[Row]) -> str:
    lines = [
        "| package | files | lines | analysed | findings | x `ast.parse` | MB | cut short | internal errors |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in done:
        ratio = _ratio(row)
        cells = [
            _cell(_title(row)),
            f"{row['files']:,}",
            f"{row['lines']:,}",
            f"{row['analysed']:,}",
            _by_rule(row),
            "" if ratio is None else f"{ratio:.1f}",
            str(row["megabytes"]),
            str(len(row["cut_short"])),
            str(len(row["internal_errors"])),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _others(rows: Sequence[Row]) -> str:
    """Those that were not judged to the end, and why."""
    others = [row for row in rows if row["ended"] != DONE]
    if not others:
        return ""
    lines = ["| package | ended | detail |", "| --- | --- | --- |"]
    for row in others:
        detail = str(row.get("detail", "")).strip().splitlines()
        lines.append(f"| {_cell(_title(row))} | {row['ended']} | {_cell(detail[-1] if detail else '')} |")
    return "\n".join([*lines, ""])


def _by_rule(row: Row) -> str:
    counts = Counter(finding["code"] for finding in row["findings"])
    return ", ".join(f"{code}: {counts[code]}" for code in sorted(counts))


def _ratio(row: Row) -> float | None:
    """The processor time over that of `ast.parse`; None where that is not known or too short to tell."""
    parsing = row.get("parse_seconds", 0.0)
    return row["seconds"] / parsing if parsing >= 0.05 else None


def _title(row: Row) -> str:
    return f"{row['name']} {row['version']}".strip()


def _cell(text: str) -> str:
    """A text that stays in its cell and is shown as it is."""
    escaped = "".join(f"\\{sign}" if sign in "\\|`*_<>[]&" else sign for sign in text)
    return "".join(sign if sign.isprintable() else " " for sign in escaped)

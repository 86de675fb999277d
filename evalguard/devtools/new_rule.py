"""The files of a new rule: all headings of its documentation, a `check` that finds nothing yet, a case that must be
reported and one that must not, and a line in the changelog. The rule's tests fail until it finds something."""

from __future__ import annotations

import re
from pathlib import Path

from evalguard.check import known_codes
from evalguard.devtools.pages import FAMILIES

OWN_FAMILY = "9"  # codes of the tool's own are no rules: see own_codes.py

TEMPLATE = '''"""{code}."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule


class {class_name}(Rule):
    """One sentence: what is wrong, as the table of rules shows it.

    ## What it does
    Reports ... when ... Say what counts, and where it is silent.

    ## Why is this bad?
    Say what happens to somebody who has never heard of it: which layer does what, in which mode, and what comes of it.

    ## Example
    ```python
    {bad}
    ```

    ## Use instead
    ```python
    {good}
    ```

    ## Known limits
    What it does not see, and what it takes for wrong although it is right.
    """

    code = "{code}"
    name = "{name}"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """What is found in one function. Ask the view; `self.finding(view, span, message)` makes a finding."""
        yield from ()
'''
_BAD = """def {function}(model):
    return model  # error: {code}
"""
_GOOD = """def {function}(model):
    return model
"""
_ENTRY = re.compile(r"^- (EVG\d{3}) .*\n(?:  .*\n)*", re.MULTILINE)


SAY_WHAT = "say here, for a user, what it finds."


class NewRuleError(Exception):
    """A code or a name that a new rule cannot have."""


def begin(root: Path, code: str, name: str) -> list[str]:
    """Write the files; their paths, the rule's first."""
    _refuse(code, name)
    stem = name.replace("-", "_")
    words = {"code": code, "name": name, "function": stem}
    files = {
        f"evalguard/rules/{stem}.py": TEMPLATE.format(
            class_name="".join(map(str.capitalize, name.split("-"))),
            bad="print('the shortest code that is wrong')",
            good="print('the same code, as it should be')",
            **words,
        ),
        f"fixtures/rules/{code}/{stem}.py": _BAD.format(**words),
        f"fixtures/rules/{code}/{stem}_mended.py": _GOOD.format(**words),
    }
    there = [path for path in files if (root / path).exists()]
    if there:
        raise NewRuleError(f"{there[0]} is there already")
    changelog = root / "CHANGELOG.md"
    text = _with_entry(changelog.read_text(encoding="utf-8"), code, f"- {code} {name}: {SAY_WHAT}\n")
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8", newline="\n")
    changelog.write_text(text, encoding="utf-8", newline="\n")
    return [*files, "CHANGELOG.md"]


def _refuse(code: str, name: str) -> None:
    known = known_codes()
    families = ", ".join(f"EVG{digit}01 to EVG{digit}99" for digit in FAMILIES if digit != OWN_FAMILY)
    shape = re.fullmatch(r"EVG(\d)(\d\d)", code)
    if shape is None or shape[1] not in FAMILIES or shape[1] == OWN_FAMILY or shape[2] == "00":
        raise NewRuleError(f"{code} is no code of a rule: they are {families}")
    if code in known:
        raise NewRuleError(f"{code} is {known[code]} already")
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", name):
        raise NewRuleError(f'"{name}" is no name of a rule: write words in small letters, joined by hyphens')
    for other, taken in known.items():
        if name == taken:
            raise NewRuleError(f"{name} is the name of {other} already")


def _with_entry(changelog: str, code: str, entry: str) -> str:
    """The changelog with the entry among those of its newest version, in the order of their codes."""
    newest = re.search(r"^## .*?(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if newest is None:
        raise NewRuleError("CHANGELOG.md has no section of a version")
    entries = list(_ENTRY.finditer(changelog, newest.start(), newest.end()))
    later = [found.start() for found in entries if found[1] > code]
    if later:
        position = later[0]
    elif entries:
        position = entries[-1].end()
    else:
        return f"{changelog[: newest.end()].rstrip()}\n\n{entry}\n{changelog[newest.end() :]}".rstrip() + "\n"
    return f"{changelog[:position]}{entry}{changelog[position:]}"

"""The README says what is so: its table of rules, its example and its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalguard.check import known_codes
from evalguard.cli import command
from evalguard.devtools.new_rule import SAY_WHAT

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def readme() -> str:
    return README.read_text(encoding="utf-8")


def test_the_table_lists_every_rule() -> None:
    rows = re.findall(r"^\| \[(EVG\d{3})\]\(docs/reference/rules/\1\.md\) \| ([\w-]+) \|", readme(), re.MULTILINE)
    assert dict(rows) == known_codes()


def test_the_changelog_names_every_rule() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [code for code, name in known_codes().items() if f"{code} {name}" not in changelog] == []
    assert SAY_WHAT not in changelog


def test_the_example_reports_something() -> None:
    shown = re.search(r"output of evalguard --exit-zero examples -->\n```text\n(.*?)```", readme(), re.DOTALL)
    assert shown is not None
    assert "EVG201" in shown[1]


def test_every_option_named_exists() -> None:
    commands = [command, *command.commands.values()]
    options = {name for each in commands for parameter in each.params for name in parameter.opts}
    named = set(re.findall(r"--[a-z-]+", "".join(re.findall(r"`[^`\n]+`", readme()))))
    assert named - options == set()


@pytest.mark.parametrize("name", ["run", "test"])
def test_each_command_stands_behind_its_mark(name: str) -> None:
    assert re.search(rf"^<!-- command: {name} -->\n```bash\n[^\n]+\n```\n", readme(), re.MULTILINE)

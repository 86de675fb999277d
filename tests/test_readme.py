"""The README says what is so: its table of rules, its example and its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import evalguard
from evalguard.check import known_codes
from evalguard.cli import command
from evalguard.config import Config, load_config
from evalguard.report import text

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
OUTPUT = re.compile(r"(?<=output of evalguard -->\n```text\n)(?:.*\n)*?(?=```\n<!-- end of the generated block)")


def readme() -> str:
    return README.read_text(encoding="utf-8")


def test_the_table_lists_every_rule() -> None:
    assert dict(re.findall(r"^\| (EVG\d{3}) \| ([\w-]+) \|", readme(), re.MULTILINE)) == known_codes()


def test_the_changelog_names_every_rule() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [code for code, name in known_codes().items() if f"{code} {name}" not in changelog] == []


def test_the_example_prints_what_is_shown(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(ROOT)
    printed = text.render(evalguard.check_paths(["examples"]))
    assert "EVG201" in printed
    if request.config.getoption("--bless"):
        README.write_text(OUTPUT.sub(lambda _: printed, readme()), encoding="utf-8", newline="\n")
    assert OUTPUT.findall(readme()) == [printed]


def test_the_configuration_shown_is_the_default_one(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", readme(), re.DOTALL)
    assert shown is not None
    file = tmp_path / "pyproject.toml"
    file.write_text(shown[1], encoding="utf-8")
    assert load_config([str(tmp_path)], known_codes()) == Config(folder=tmp_path, file=file)


def test_the_vocabulary_shown_is_understood(tmp_path: Path) -> None:
    shown = re.findall(r"```toml\n(.*?)```", readme(), re.DOTALL)[1]
    (tmp_path / "pyproject.toml").write_text(shown, encoding="utf-8")
    vocabulary = load_config([str(tmp_path)], known_codes()).vocabulary
    assert vocabulary.mode_managers
    assert vocabulary.factories
    assert vocabulary.frameworks
    assert vocabulary.forward_methods
    assert vocabulary.steps


def test_every_option_named_exists() -> None:
    commands = [command, *command.commands.values()]
    options = {name for each in commands for parameter in each.params for name in parameter.opts}
    named = set(re.findall(r"--[a-z-]+", "".join(re.findall(r"`[^`\n]+`", readme()))))
    assert named - options == set()


@pytest.mark.parametrize("name", ["run", "test"])
def test_each_command_stands_behind_its_mark(name: str) -> None:
    assert re.search(rf"^<!-- command: {name} -->\n```bash\n[^\n]+\n```\n", readme(), re.MULTILINE)

"""`evalguard config`: each value, and where it comes from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evalguard.cli import main
from evalguard.config import KEYS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["config", *arguments]) == 0
    return capsys.readouterr().out


def source(text: str, key: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith((f"{key} = ", f"# {key}: "))]
    return line.rpartition("  # ")[2]


def test_without_a_file_the_defaults_hold(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert text.startswith("# configuration file: none, so the defaults hold\n")
    assert {source(text, key) for key in KEYS} == {"default"}
    assert "EVG202" in text.partition("\n# not reported: ")[2]


def test_each_value_names_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(
        '[tool.evalguard]\nignore = ["EVG1"]\nextend-exclude = ["old"]\n'
        '[tool.evalguard.per-file-ignores]\n"tests/*" = ["ALL"]\n'
    )
    Path("src").mkdir()
    text = shown(capsys, "src")
    assert text.startswith("# configuration file: pyproject.toml\n")
    assert (source(text, "ignore"), source(text, "exclude")) == ("pyproject.toml", "default")
    assert source(text, "per-file-ignores") == "pyproject.toml"
    text = shown(capsys, "--ignore", "EVG4", "--extend-exclude", "new", "--no-respect-gitignore")
    assert 'ignore = ["EVG1", "EVG4"]' in text
    assert 'extend-exclude = ["old", "new"]' in text
    assert source(text, "ignore") == "pyproject.toml and --ignore"
    assert source(text, "extend-exclude") == "pyproject.toml and --extend-exclude"
    assert source(text, "respect-gitignore") == "--no-respect-gitignore"
    text = shown(capsys, "--select", "EVG2", "--ignore", "EVG202")
    assert (source(text, "select"), source(text, "ignore")) == ("--select", "--select and --ignore")
    assert "\n# reported:     EVG201\n" in text


def test_what_is_shown_is_toml(capsys: pytest.CaptureFixture[str]) -> None:
    written = (
        'extend-select = ["EVG202"]\nrespect-gitignore = false\nper-file-ignores = { "a b/*" = ["EVG1", "ALL"] }\n'
    )
    Path("evalguard.toml").write_text(written)
    values = tomllib.loads(shown(capsys))
    assert values.items() >= tomllib.loads(written).items()

"""docs/graph.md shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalguard.cli import command, main

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "graph.md"
BLOCK = re.compile(
    r"(?<=output of evalguard )(?P<arguments>[^\n]*)(?P<open> -->\n```\w+\n)"
    r"(?P<shown>(?:.*\n)*?)(?=```\n<!-- end of the generated block)"
)


def test_the_page_prints_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(ROOT)

    def printed(block: re.Match[str]) -> str:
        assert main(block["arguments"].split()) == 0
        return f"{block['arguments']}{block['open']}{capsys.readouterr().out}"

    page = PAGE.read_text(encoding="utf-8")
    fresh = BLOCK.sub(printed, page)
    assert len(BLOCK.findall(page)) == 3
    if request.config.getoption("--bless"):
        PAGE.write_text(fresh, encoding="utf-8", newline="\n")
    else:
        assert page == fresh, "docs/graph.md differs: run `pytest --bless` if the new text is right"


def test_the_page_names_every_option() -> None:
    page = PAGE.read_text(encoding="utf-8")
    options = {name for parameter in command.commands["graph"].params for name in parameter.opts if "--" in name}
    named = set(re.findall(r"--[a-z-]+", page)) - {"--bless"}
    assert {name for name in named if len(name) > 3} - options == set()

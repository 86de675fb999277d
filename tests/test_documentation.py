"""The documentation says what is so: generated parts are fresh, links lead somewhere, and what it shows works."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import evalguard
from evalguard.check import documentations, known_codes
from evalguard.cli import FORMATS, command
from evalguard.config import KEYS, Config, load_config
from evalguard.devtools import documents
from evalguard.devtools.documents import DocumentError, refreshed
from evalguard.report import flake8

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}[^\n]*\n(.*?)```", text_of(name), re.DOTALL)


def test_what_is_generated_is_fresh(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--bless"):
        documents.write(ROOT)
    assert documents.out_of_date(ROOT) == [], "run `python -m evalguard.devtools docs` and read the difference"


@every_page
def test_a_page_is_in_the_navigation(page: Path) -> None:
    navigation = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert navigation.count(f'= "{page.relative_to(DOCS).as_posix()}" }}') == 1


def test_the_navigation_names_no_other_page() -> None:
    named = re.findall(r'= "([^"]+\.md)" }', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert {DOCS / name for name in named} == set(PAGES)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_a_link_leads_to_a_file_and_stays_in_the_site(page: Path) -> None:
    for link in LINK.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
        if link.startswith(("https://", "#")):
            continue
        target = (page.parent / link.partition("#")[0]).resolve()
        assert target.exists(), link
        if page.is_relative_to(DOCS):
            assert target.is_relative_to(DOCS), link


@every_page
def test_a_page_names_only_options_that_exist(page: Path) -> None:
    commands = [command, *command.commands.values()]
    options = {name for each in commands for parameter in each.params for name in parameter.opts} | {"--help"}
    lines = re.findall(
        r"`evalguard [^`\n]*`|^\s*(?:exec )?evalguard .*|`--[a-z-]+", page.read_text("utf-8"), re.MULTILINE
    )
    assert {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z-]+", line)} - options == set()


def test_each_version_of_the_tutorials_script_is_judged_as_the_text_says() -> None:
    *_, first, mended, opposite = blocks("tutorial/first-finding.md", "text")
    assert "EVG201" in first
    assert mended == "No problems found in 1 file.\n"
    assert "EVG101" in opposite
    for script in blocks("tutorial/first-finding.md", "python"):
        compile(script, "train.py", "exec")


def test_the_drawing_shows_the_lines_of_its_file() -> None:
    page = text_of("explanation/how-it-works.md")
    lines = blocks("explanation/how-it-works.md", "python")[0].splitlines()
    drawn = re.findall(r">(\d+)  ([^<]+)</text>", page)
    assert len(drawn) == 7
    for number, text in drawn:
        assert text.removesuffix("(...)") in lines[int(number) - 1]


def test_the_configuration_shown_is_the_default_one(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(blocks("reference/configuration.md", "toml")[0], encoding="utf-8")
    assert load_config([str(tmp_path)], known_codes()) == Config(folder=tmp_path, file=file)


def test_every_key_of_the_configuration_is_explained() -> None:
    keys = set(KEYS)
    assert keys <= {field.name.replace("_", "-") for field in fields(Config)}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text_of("reference/configuration.md"), re.MULTILINE)) == keys


@pytest.mark.parametrize("page", ["how-to/suppress.md", "how-to/vocabulary.md"])
def test_configurations_shown_are_understood(page: str, tmp_path: Path) -> None:
    shown = blocks(page, "toml")
    assert shown
    for text in shown:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        load_config([str(tmp_path)], known_codes())


def test_the_vocabulary_shown_has_every_kind_of_entry(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(blocks("how-to/vocabulary.md", "toml")[-1], encoding="utf-8")
    vocabulary = load_config([str(tmp_path)], known_codes()).vocabulary
    assert vocabulary.mode_managers
    assert vocabulary.factories
    assert vocabulary.frameworks
    assert vocabulary.forward_methods
    assert vocabulary.steps


def test_every_public_name_is_explained() -> None:
    named = set(re.findall(r"^\| `(\w+)", text_of("reference/python.md"), re.MULTILINE))
    assert named == set(evalguard.__all__)


def test_the_problem_matcher_matches() -> None:
    [pattern] = re.findall(r'"regexp": "(.*)"', text_of("how-to/editor.md"))
    line = flake8.render(evalguard.check_source("model.eval(:\n", "src/train.py")).splitlines()[0]
    found = re.fullmatch(pattern.replace("\\\\", "\\"), line)
    assert found is not None
    assert found.groups()[:1] + found.groups()[3:4] == ("src/train.py", "EVG901")


def test_the_settings_of_editors_can_be_read() -> None:
    settings, task = map(json.loads, blocks("how-to/editor.md", "json"))
    assert [settings["glspc.server.command"], *settings["glspc.server.commandArguments"]] == ["evalguard", "server"]
    assert task["version"] == "2.0.0"
    [helix] = blocks("how-to/editor.md", "toml")
    assert tomllib.loads(helix)["language-server"]["evalguard"] == {"command": "evalguard", "args": ["server"]}


def test_every_form_is_explained() -> None:
    table = text_of("how-to/ci.md").partition("## The forms")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(FORMATS)


@pytest.mark.parametrize("page", ["how-to/ci.md", "how-to/pre-commit.md"])
def test_the_snippets_are_yaml_and_name_real_options(page: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with pre-commit")
    options = {name for each in [command, *command.commands.values()] for option in each.params for name in option.opts}
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)
        for line in re.findall(r"evalguard (-.*)", block):
            assert set(re.findall(r"--[a-z-]+", line)) <= options
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    for block in blocks(page, "yaml"):
        for given in re.findall(r"OWNER/evalguard@REVISION\n +with:\n +([\w-]+):", block):
            assert given in action["inputs"]


# The tool that refreshes


def test_a_block_is_filled_and_the_rest_is_kept(tmp_path: Path) -> None:
    page = (
        'before\n```python title="a/b.py"\nx = 1\n```\n'
        "<!-- generated by devtools docs: output of evalguard . -->\nold\n<!-- end of the generated block -->\nafter\n"
    )
    new = refreshed(page, documentations(), tmp_path)
    assert new == page.replace("old\n", "```text\nNo problems found in 1 file.\n```\n")
    assert refreshed(new, documentations(), tmp_path) == new


@pytest.mark.parametrize("what", ["weather", "output of evalguard --nonsense"])
def test_a_block_that_cannot_be_made_is_an_error(what: str, tmp_path: Path) -> None:
    page = f"<!-- generated by devtools docs: {what} -->\n<!-- end of the generated block -->\n"
    with pytest.raises(DocumentError):
        refreshed(page, documentations(), tmp_path)

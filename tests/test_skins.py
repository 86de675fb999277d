"""All skins say the same of the same input: every form of the command, a hook's call, flake8's plugin, and Python."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pages
import pytest
from conftest import FIXTURES

import evalguard
from evalguard.cli import FORMATS, main

Found = tuple[str, int, int, str, str]  # path, line, column, code, message

ODD = "odd, 100%: name.py"
LEAK = """\
def fit(model, loader, optimizer):
    model.eval()
    for x in loader:
        model(x).sum().backward()
        optimizer.step()


def silenced(model, loader, optimizer):
    model.eval  # noqa: EVG301
    model.eval
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real cases of several files, notebooks, an odd name, and a file that is left out."""
    for folder in ("projects/leak_three_calls_deep", "notebooks"):
        shutil.copytree(FIXTURES / folder, tmp_path / folder)
    (tmp_path / "shapes").mkdir()
    for shape in sorted((FIXTURES / "shapes").glob("*.py"))[::3]:
        shutil.copy(shape, tmp_path / "shapes")
    (tmp_path / "old").mkdir()
    for name in (ODD, "old/left_out.py"):
        (tmp_path / name).write_text(LEAK)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.evalguard]\nextend-select = ["EVG202"]\nextend-exclude = ["old"]\n'
        '[tool.evalguard.per-file-ignores]\n"*on_purpose*" = ["ALL"]\n'
    )
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) == 1
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return run


def expected() -> list[Found]:
    """What Python is told, with a cell as the last part of the path."""
    report = evalguard.check_paths(["."], evalguard.config_for(["."]))
    assert len({finding.code for finding in report.findings}) >= 5
    return [found(finding) for finding in report.findings]


def found(finding: evalguard.Finding) -> Found:
    path = finding.path if finding.cell is None else f"{finding.path}:cell {finding.cell}"
    return path, finding.span.line, finding.span.column, finding.code, finding.message


def of_lines(text: str, pattern: str) -> list[Found]:
    matches = re.finditer(pattern, text, re.MULTILINE)
    return [(m["path"], int(m["line"]), int(m["column"]), m["code"], m["message"]) for m in matches]


PLACE = r"(?P<path>[^\n]+?\.(?:py|ipynb:cell \d+)):(?P<line>\d+):(?P<column>\d+)"


def of_text(text: str) -> list[Found]:
    return of_lines(text, rf"^{PLACE}: (?P<code>EVG\d+) [\w-]+ (?P<message>.*)$")


def of_flake8(text: str) -> list[Found]:
    text = re.sub(r"\.ipynb:cell_(\d+):", r".ipynb:cell \1:", text)
    return of_lines(text, rf"^{PLACE}: (?P<code>EVG\d+) (?P<message>.*)$")


def of_json(text: str) -> list[Found]:
    return [
        (
            each["path"] if each["cell"] is None else f"{each['path']}:cell {each['cell']}",
            *(each["line"], each["column"], each["code"], each["message"]),
        )
        for each in json.loads(text)["findings"]
    ]


def placed(path: str, line: int, column: int, code: str, message: str) -> Found:
    """A finding whose message begins with the place if that is in a cell."""
    in_cell = re.fullmatch(rf"{PLACE}: (?P<message>.*)", message) if path.endswith(".ipynb") else None
    if in_cell is None:
        return path, line, column, code, message
    return in_cell["path"], int(in_cell["line"]), int(in_cell["column"]), code, in_cell["message"]


def of_github(text: str) -> list[Found]:
    def read(value: str) -> str:
        return unquote(value)

    result = []
    for command in text.splitlines():
        match = re.fullmatch(r"::(?:error|warning) ([^:]*)::(.*)", command)
        assert match is not None
        properties = dict(each.split("=", 1) for each in match[1].split(","))
        place = (read(properties["file"]), int(properties.get("line", 0)), int(properties.get("col", 0)))
        result.append(placed(*place, properties["title"].split()[0], read(match[2]).split("\n")[0]))
    return result


def of_sarif(text: str) -> list[Found]:
    result = []
    for each in json.loads(text)["runs"][0]["results"]:
        place = each["locations"][0]["physicalLocation"]
        path, region = unquote(place["artifactLocation"]["uri"]), place["region"]
        line, column = region["startLine"], region.get("startColumn", 0)
        result.append(placed(path, line, column, each["ruleId"], each["message"]["text"].split("\n")[0]))
    return result


def of_gitlab(text: str) -> list[Found]:
    result = []
    for each in json.loads(text):
        place = each["location"]
        code = each["check_name"].split()[0]
        result.append(placed(place["path"], place["lines"]["begin"], 0, code, each["description"]))
    return result


def of_junit(text: str) -> list[Found]:
    result = []
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = re.fullmatch(r"(EVG\d+) [\w-]+ at (\d+):(\d+)", case.get("name", ""))
        failure = case.find("failure")
        assert name is not None
        assert failure is not None
        result.append((case.get("classname", ""), int(name[2]), int(name[3]), name[1], failure.get("message", "")))
    return result


def of_html(text: str) -> list[Found]:
    result = []
    for article in pages.read(text).all("article"):
        place = re.match(PLACE, next(article.one("dl", class_="facts").all("dd")).text)
        assert place is not None
        at = (place["path"], int(place["line"]), int(place["column"]))
        result.append((*at, article.one("span", class_="badge").text, article.one("h3").marked))
    return result


READERS: dict[str, Callable[[str], list[Found]]] = {
    "text": of_text,
    "flake8": of_flake8,
    "json": of_json,
    "github": of_github,
    "gitlab": of_gitlab,
    "html": of_html,
    "junit": of_junit,
    "sarif": of_sarif,
}


def without_columns(findings: list[Found], where: Callable[[Found], bool]) -> list[Found]:
    return [
        (path, line, 0, code, message) if where(each) else each
        for each in findings
        for path, line, column, code, message in [each]
    ]


def test_every_form_says_the_same(printed: Callable[..., str]) -> None:
    wanted = expected()
    assert set(READERS) == set(FORMATS)
    for form, read in READERS.items():
        actual = read(printed("--format", form, "."))
        if form == "gitlab":  # it knows no columns, but for those in the message
            assert actual == without_columns(wanted, lambda each: ":cell" not in each[0])
        elif form == "github":  # nor has a span of several lines any there
            several = {each for each, other in zip(wanted, actual, strict=True) if other[2] == 0}
            assert actual == without_columns(wanted, several.__contains__)
        else:
            assert actual == wanted, form


def test_a_hook_with_all_files_says_the_same(printed: Callable[..., str]) -> None:
    files = sorted(str(path) for path in Path().rglob("*") if path.suffix in (".py", ".ipynb"))
    assert of_flake8(printed("--format", "flake8", "--project", ".", *files)) == expected()


def test_flake8_says_the_same_of_its_files() -> None:
    pytest.importorskip("flake8", reason="flake8 is not installed")
    command = [sys.executable, "-m", "flake8", "--select", "EVG", "--exclude", "", "."]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    actual = of_flake8(re.sub(r"^\./", "", run.stdout, flags=re.MULTILINE))
    assert sorted(actual) == sorted(each for each in expected() if ":cell" not in each[0])


def test_python_says_the_same_of_each_text_in_its_project() -> None:
    config = evalguard.config_for(["."])
    wanted = expected()
    for path in [ODD, *(path.as_posix() for path in Path("projects").rglob("*.py"))]:
        report = evalguard.check_source(Path(path).read_text(encoding="utf-8"), path, config, project=".")
        actual = [found(finding) for finding in report.findings if finding.path == path]
        assert actual == [each for each in wanted if each[0] == path]


@pytest.mark.asyncio
async def test_an_editor_shows_the_same_of_all_files() -> None:
    pytest.importorskip("pytest_lsp", reason="pytest-lsp is not installed")
    from lsprotocol import types
    from pytest_lsp import client_capabilities, make_test_lsp_client

    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "evalguard", "server")
    root = Path.cwd()
    folder = types.WorkspaceFolder(root.as_uri(), "project")
    capabilities = client_capabilities("visual-studio-code")
    await client.initialize_session(types.InitializeParams(capabilities, workspace_folders=[folder]))
    names = {}  # of what the editor has open, and of all other files
    for path in sorted(Path().rglob("*.ipynb")):
        sources = [
            "".join(cell["source"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        uris = [f"vscode-notebook-cell:{path.as_posix()}#{number}" for number in range(len(sources))]
        names |= {uri: f"{path.as_posix()}:cell {number}" for number, uri in enumerate(uris, 1)}
        cells = [types.NotebookCell(types.NotebookCellKind.Code, uri) for uri in uris]
        notebook = types.NotebookDocument((root / path).as_uri(), "jupyter-notebook", 1, cells)
        texts = [types.TextDocumentItem(uri, "python", 1, source) for uri, source in zip(uris, sources, strict=True)]
        client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, texts))
    wanted = expected()

    def shown() -> list[Found]:
        return [
            (
                names.get(uri) or unquote(uri).removeprefix(f"file://{root}/"),
                each.range.start.line + 1,
                each.range.start.character + 1,
                str(each.code),
                each.message.split("\n")[0],
            )
            for uri, diagnostics in client.diagnostics.items()
            for each in diagnostics
        ]

    for _ in range(1500):
        if len(shown()) >= len(wanted):
            break
        await asyncio.sleep(0.02)
    assert sorted(shown()) == sorted(wanted)
    await client.shutdown_session()
    await client.stop()

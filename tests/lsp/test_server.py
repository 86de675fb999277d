"""The server as an editor sees it: started as a process, and spoken to by a real client."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("pytest_lsp", reason="pytest-lsp is not installed")

import pytest_asyncio
from lsprotocol import types
from pygls import uris
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from evalguard.cli import main

SECONDS = 30  # until a test gives up; nothing is timed

ENGINE = """\
import torch


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        for x in loader:
            print(model(x))
"""
TRAIN = """\
import torch
from engine import evaluate
from torch import nn


def fit(loader, valid_loader):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    for epoch in range(3):
        for x in loader:
            net(x).sum().backward()
            optimizer.step()
        evaluate(net, valid_loader)
"""
ALONE = """\
import torch
from torch import nn


def test(loader):
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    with torch.no_grad():
        for x in loader:
            print(net(x).argmax())
"""
MENDED = ALONE.replace("    with", "    net.eval()\n    with")


class Editor:
    """A client, and what an editor does with it."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.versions = itertools.count(1)
        self.registered: list[str] = []

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered += [registration.method for registration in params.registrations]

        @client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)
        def refresh(params: None) -> None:
            pass

    async def start(self, *folders: Path, name: str = "visual-studio-code", **capabilities: object) -> None:
        known = client_capabilities(name)
        assert known.workspace is not None
        for key, value in capabilities.items():
            setattr(known, key, value)
        params = types.InitializeParams(
            capabilities=known,
            workspace_folders=[types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders] or None,
        )
        self.result = await self.client.initialize_session(params)

    def open(self, path: Path, text: str | None = None, language: str = "python") -> str:
        uri = path.as_uri()
        content = path.read_bytes().decode() if text is None else text
        item = types.TextDocumentItem(uri, language, next(self.versions), content)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def edit(self, uri: str, text: str) -> None:
        document = types.VersionedTextDocumentIdentifier(next(self.versions), uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def found(self, uri: str) -> list[types.Diagnostic]:
        return list(self.client.diagnostics.get(uri, []))

    async def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                await asyncio.sleep(0.02)

        await asyncio.wait_for(wait(), SECONDS)

    async def codes(self, uri: str, *codes: str) -> list[types.Diagnostic]:
        """The diagnostics, as soon as they have these codes."""
        try:
            await self.until(lambda: uri in self.client.diagnostics and sorted(map(code, self.found(uri))) == [*codes])
        except asyncio.TimeoutError:
            pytest.fail(f"wanted {codes}, got {[(code(d), d.message) for d in self.found(uri)]}")
        return self.found(uri)

    async def hints(self, uri: str) -> dict[int, str]:
        """What is said behind each line, from 1."""
        whole = types.Range(types.Position(0, 0), types.Position(10_000, 0))
        params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
        found = await self.client.text_document_inlay_hint_async(params)
        return {hint.position.line + 1: str(hint.label) for hint in found or []}

    async def hover(self, uri: str, line: int, character: int) -> str:
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line - 1, character))
        found = await self.client.text_document_hover_async(params)
        assert found is None or isinstance(found.contents, types.MarkupContent)
        return "" if found is None else found.contents.value

    async def actions(self, uri: str, diagnostic: types.Diagnostic) -> list[types.CodeAction]:
        context = types.CodeActionContext([diagnostic])
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), diagnostic.range, context)
        found = await self.client.text_document_code_action_async(params)
        assert all(isinstance(action, types.CodeAction) for action in found or [])
        return list(found or [])

    async def applied(self, uri: str, text: str, action: types.CodeAction) -> str:
        """The text after an action."""
        action = await self.client.code_action_resolve_async(action)
        assert action.edit is not None, [message.message for message in self.client.messages]
        return with_edits(text, edits_of(action.edit)[uri])


def code(diagnostic: types.Diagnostic) -> str:
    return str(diagnostic.code)


def edits_of(edit: types.WorkspaceEdit) -> dict[str, list[types.TextEdit]]:
    if edit.changes is not None:
        return {uri: list(edits) for uri, edits in edit.changes.items()}
    return {change.text_document.uri: list(change.edits) for change in edit.document_changes or []}


def with_edits(text: str, edits: list[types.TextEdit]) -> str:
    """A text after edits that are given in UTF-16, as every client must understand."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode("utf-16-le")))
    data = text.encode("utf-16-le")

    def offset(position: types.Position) -> int:
        return starts[position.line] + 2 * position.character

    for edit in sorted(edits, key=lambda edit: offset(edit.range.start), reverse=True):
        start, end = offset(edit.range.start), offset(edit.range.end)
        data = data[:start] + edit.new_text.encode("utf-16-le") + data[end:]
    return data.decode("utf-16-le")


def shown(text: str, place: types.Range) -> str:
    """The characters of a range of one line, in UTF-16."""
    line = text.splitlines()[place.start.line].encode("utf-16-le")
    return line[2 * place.start.character : 2 * place.end.character].decode("utf-16-le")


@pytest_asyncio.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "evalguard", "server", cwd=Path(__file__).parent)
    editor = Editor(client)
    yield editor
    await client.shutdown_session()
    await client.stop()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "engine.py").write_text(ENGINE)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    marked: Callable[..., Awaitable[None]] = pytest.mark.asyncio(test)
    return marked


@asynchronous
async def test_a_finding_leads_to_the_places_of_its_trace(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    assert found.source == "evalguard"
    assert found.severity is types.DiagnosticSeverity.Error
    assert shown(TRAIN, found.range) == "optimizer.step()"
    assert found.message.startswith("`net` may be in eval mode in this training step")
    related = [(each.location.uri, each.location.range.start.line + 1) for each in found.related_information or []]
    assert ((project / "engine.py").as_uri(), 5) in related
    assert related[-1] == (uri, 13)


@asynchronous
async def test_a_code_leads_to_the_page_of_its_rule(editor: Editor, project: Path) -> None:
    await editor.start(project)
    [found] = await editor.codes(editor.open(project / "train.py"), "EVG201")
    assert found.code_description is not None
    page = Path(uris.to_fs_path(found.code_description.href) or "")
    assert page.read_text(encoding="utf-8").startswith("# EVG201 training-in-eval-mode")


@asynchronous
async def test_findings_of_files_that_are_not_open_are_shown_as_well(editor: Editor, project: Path) -> None:
    await editor.start(project)
    await editor.codes((project / "train.py").as_uri(), "EVG201")


@asynchronous
async def test_a_text_that_is_not_saved_is_judged(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    editor.edit(uri, TRAIN.replace("        for x in loader", "        net.train()\n        for x in loader"))
    await editor.codes(uri)
    editor.edit(uri, f"\n\n{TRAIN}")
    [found] = await editor.codes(uri, "EVG201")
    assert found.range.start.line + 1 == 15
    assert (project / "train.py").read_text() == TRAIN


@asynchronous
async def test_an_edit_of_a_callee_changes_what_is_found_in_the_caller(editor: Editor, project: Path) -> None:
    await editor.start(project)
    engine, train = editor.open(project / "engine.py"), editor.open(project / "train.py")
    await editor.codes(train, "EVG201")
    editor.edit(engine, ENGINE + "    model.train()\n")
    await editor.codes(train)
    editor.edit(engine, ENGINE)
    await editor.codes(train, "EVG201")


@asynchronous
async def test_what_was_not_saved_is_forgotten_when_the_file_is_closed(editor: Editor, project: Path) -> None:
    await editor.start(project)
    engine, train = (
        editor.open(project / "engine.py", ENGINE + "    model.train()\n"),
        editor.open(project / "train.py"),
    )
    await editor.codes(train)
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(engine)))
    await editor.codes(train, "EVG201")


@asynchronous
async def test_a_fix_is_proven_when_it_is_chosen(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    mend, silence = await editor.actions(uri, found)
    assert mend.edit is silence.edit is None
    assert mend.is_preferred
    mended = await editor.applied(uri, TRAIN, mend)
    assert mended == TRAIN.replace("        for x in loader", "        net.train()\n        for x in loader")
    editor.edit(uri, mended)
    await editor.codes(uri)


@asynchronous
async def test_a_finding_is_silenced_on_its_line(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    _, silence = await editor.actions(uri, found)
    silenced = await editor.applied(uri, TRAIN, silence)
    assert silenced == TRAIN.replace("optimizer.step()", "optimizer.step()  # noqa: EVG201")
    editor.edit(uri, silenced)
    await editor.codes(uri)


@asynchronous
async def test_a_client_that_cannot_resolve_gets_the_edits_at_once(editor: Editor, project: Path) -> None:
    await editor.start(project, text_document=None)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    mend, silence = await editor.actions(uri, found)
    assert mend.edit is not None
    assert silence.edit is not None


@asynchronous
async def test_hints_say_in_which_mode_a_module_is(editor: Editor, project: Path) -> None:
    await editor.start(project)
    engine, train = editor.open(project / "engine.py"), editor.open(project / "train.py")
    await editor.codes(train, "EVG201")
    assert await editor.hints(train) == {12: "⟨train|eval⟩", 13: "⟨train|eval⟩"}
    assert await editor.hints(engine) == {8: "⟨eval⟩"}


@asynchronous
async def test_hints_move_with_the_text_even_where_it_cannot_be_parsed(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    editor.edit(uri, f"def broken(:\n{TRAIN}")
    [found] = await editor.codes(uri, "EVG901")
    assert found.range.start.line == 0
    assert await editor.hints(uri) == {13: "⟨train|eval⟩", 14: "⟨train|eval⟩"}
    editor.edit(uri, TRAIN)
    await editor.codes(uri, "EVG201")


@asynchronous
async def test_a_hover_tells_the_way_to_a_mode(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    told = await editor.hover(uri, 12, 14)
    assert "`net` runs here in **train** or **eval** mode" in told
    assert f"[engine.py:5]({(project / 'engine.py').as_uri()}#L5) `model.eval()` sets eval mode" in told
    assert await editor.hover(uri, 1, 0) == ""


@asynchronous
async def test_a_hover_over_a_finding_tells_of_its_rule(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    told = await editor.hover(uri, 13, 14)
    assert "**EVG201 training-in-eval-mode**" in told
    assert "[All about EVG201](file://" in told


@asynchronous
@pytest.mark.parametrize(("encoding", "codec"), [("utf-8", "utf-8"), ("utf-16", "utf-16-le"), ("utf-32", "utf-32-le")])
async def test_columns_count_in_the_units_of_the_client(
    editor: Editor, project: Path, encoding: str, codec: str
) -> None:
    text = TRAIN.replace("            optimizer.step()", '            "🔥🔥é"; optimizer.step()')
    general = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)])
    await editor.start(project, general=general)
    uri = editor.open(project / "train.py", text)
    [found] = await editor.codes(uri, "EVG201")
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    line = text.splitlines()[found.range.start.line].encode(codec)
    there = line[unit * found.range.start.character : unit * found.range.end.character]
    assert there.decode(codec) == "optimizer.step()"


@asynchronous
@pytest.mark.parametrize("name", ["emacs", "neovim", "visual-studio-code"])
async def test_editors_as_they_introduce_themselves_are_served(editor: Editor, project: Path, name: str) -> None:
    await editor.start(project, name=name)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    assert await editor.hints(uri) == {12: "⟨train|eval⟩", 13: "⟨train|eval⟩"}
    mend, _ = await editor.actions(uri, found)
    edit = mend.edit or (await editor.client.code_action_resolve_async(mend)).edit
    assert edit is not None
    assert [each.new_text for each in edits_of(edit)[uri]] == ["        net.train()\n"]


@asynchronous
async def test_a_fix_keeps_the_ends_of_lines(editor: Editor, project: Path) -> None:
    text = TRAIN.replace("\n", "\r\n").replace("import torch\r\n", "import torch  # \u2028🔥\r\n", 1)
    (project / "train.py").write_bytes(text.encode())
    await editor.start(project)
    uri = editor.open(project / "train.py")
    [found] = await editor.codes(uri, "EVG201")
    assert found.range.start.line + 1 == 13
    mend, _ = await editor.actions(uri, found)
    resolved = await editor.client.code_action_resolve_async(mend)
    assert resolved.edit is not None
    [edit] = edits_of(resolved.edit)[uri]
    assert edit.range.start.line + 1 == 11
    assert edit.new_text.endswith("net.train()\r\n")


@asynchronous
async def test_a_configuration_counts_when_it_is_saved(editor: Editor, project: Path) -> None:
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    await editor.until(lambda: types.WORKSPACE_DID_CHANGE_WATCHED_FILES in editor.registered)
    configuration = project / "pyproject.toml"
    configuration.write_text('[tool.evalguard]\nignore = ["EVG2"]\n')
    event = types.FileEvent(configuration.as_uri(), types.FileChangeType.Created)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await editor.codes(uri)
    configuration.write_text('[tool.evalguard]\nignored = ["EVG2"]\n')
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
    await editor.until(lambda: any('did you mean "ignore"?' in each.message for each in editor.client.messages))
    configuration.write_text("[tool.evalguard]\n")
    saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(configuration.as_uri()))
    editor.client.text_document_did_save(saved)
    await editor.codes(uri, "EVG201")


@asynchronous
async def test_a_file_without_a_folder_stands_alone(editor: Editor, tmp_path: Path) -> None:
    await editor.start()
    (tmp_path / "other.py").write_text(TRAIN)
    uri = editor.open(tmp_path / "alone.py", ALONE)
    await editor.codes(uri, "EVG101")
    assert (tmp_path / "other.py").as_uri() not in editor.client.diagnostics
    editor.edit(uri, MENDED)
    await editor.codes(uri)
    assert await editor.hints(uri) == {10: "⟨eval⟩"}


@asynchronous
async def test_a_file_without_a_folder_is_judged_with_its_project(editor: Editor, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.evalguard]\n")
    await editor.start()
    await editor.codes(editor.open(project / "train.py"), "EVG201")


@asynchronous
async def test_a_text_without_a_file_is_judged(editor: Editor) -> None:
    await editor.start()
    item = types.TextDocumentItem("untitled:Untitled-1", "python", 1, ALONE)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    await editor.codes("untitled:Untitled-1", "EVG101")


@asynchronous
async def test_two_folders_are_two_projects(editor: Editor, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, engine in ((one, ENGINE), (other, ENGINE + "    model.train()\n")):
        folder.mkdir()
        (folder / "engine.py").write_text(engine)
        (folder / "train.py").write_text(TRAIN)
    await editor.start(one, other)
    await editor.codes(editor.open(one / "train.py"), "EVG201")
    await editor.codes(editor.open(other / "train.py"))
    removed = types.WorkspaceFoldersChangeEvent([], [types.WorkspaceFolder(one.as_uri(), "one")])
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(removed))
    await editor.codes((one / "train.py").as_uri())


@asynchronous
async def test_a_file_that_is_new_belongs_to_the_folder(editor: Editor, project: Path) -> None:
    await editor.start(project)
    await editor.codes(editor.open(project / "train.py"), "EVG201")
    await editor.codes(editor.open(project / "new.py", ALONE), "EVG101")


@asynchronous
async def test_a_file_that_the_configuration_leaves_out_has_no_findings(editor: Editor, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.evalguard]\nextend-exclude = ["alone.py"]\n')
    (project / "alone.py").write_text(ALONE)
    await editor.start(project)
    uri = editor.open(project / "alone.py")
    await editor.codes(editor.open(project / "train.py"), "EVG201")
    assert editor.found(uri) == []


@asynchronous
async def test_code_of_the_project_is_never_imported(editor: Editor, project: Path) -> None:
    for name in ("ast", "copy", "libcst", "pickle", "random", "sitecustomize", "torch", "evalguard"):
        (project / f"{name}.py").write_text(f"open({str(project / 'was_run')!r}, 'w')\n")
    await editor.start(project)
    await editor.codes(editor.open(project / "train.py"), "EVG201")
    assert not (project / "was_run").exists()


@asynchronous
async def test_a_notebook_is_judged_by_its_cells(editor: Editor, tmp_path: Path) -> None:
    await editor.start(tmp_path)
    sources = [
        "%matplotlib inline\nimport torch\nfrom torch import nn\nfrom data import test_loader",
        "net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))",
        "with torch.no_grad():\n    for x in test_loader:\n        print(net(x).argmax())",
    ]
    path = tmp_path / "explore.ipynb"
    path.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    cells = [f"vscode-notebook-cell:{path.as_posix()}#{number}" for number in range(len(sources))]
    document = types.NotebookDocument(
        path.as_uri(), "jupyter-notebook", 1, [types.NotebookCell(types.NotebookCellKind.Code, uri) for uri in cells]
    )
    items = [types.TextDocumentItem(uri, "python", 1, source) for uri, source in zip(cells, sources, strict=True)]
    editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(document, items))
    [found] = await editor.codes(cells[2], "EVG101")
    assert found.range.start == types.Position(2, 14)
    assert (found.related_information or [])[0].location.uri == cells[1]
    assert await editor.hints(cells[2]) == {3: "⟨train⟩"}
    change = types.NotebookDocumentChangeEvent(
        cells=types.NotebookDocumentCellChanges(
            text_content=[
                types.NotebookDocumentCellContentChanges(
                    types.VersionedTextDocumentIdentifier(2, cells[1]),
                    [types.TextDocumentContentChangeWholeDocument(f"{sources[1]}.eval()")],
                )
            ]
        )
    )
    changed = types.DidChangeNotebookDocumentParams(types.VersionedNotebookDocumentIdentifier(2, path.as_uri()), change)
    editor.client.notebook_document_did_change(changed)
    await editor.codes(cells[2])
    assert await editor.hints(cells[2]) == {3: "⟨eval⟩"}


@asynchronous
async def test_a_failure_of_our_own_in_one_file_ends_nothing(editor: Editor, project: Path) -> None:
    """A text that no parser of ours can take, however it fails."""
    (project / "deep.py").write_text("x = " + "-" * 100_000 + "1\n")
    await editor.start(project)
    uri = editor.open(project / "train.py")
    await editor.codes(uri, "EVG201")
    deep = editor.open(project / "deep.py")
    editor.edit(deep, "import torch\nx = " + "+".join(["torch.nn"] * 20_000) + "\ndef train(model): model.train()\n")
    editor.edit(uri, TRAIN.replace("evaluate(net", "print(net"))
    await editor.codes(uri)


@asynchronous
async def test_a_python_file_needs_no_language(editor: Editor, project: Path) -> None:
    """Neovim without its file types sends none."""
    await editor.start(project)
    uri = editor.open(project / "train.py", language="")
    await editor.codes(uri, "EVG201")
    assert await editor.hints(uri) == {12: "⟨train|eval⟩", 13: "⟨train|eval⟩"}


@asynchronous
async def test_what_is_no_python_is_left_alone(editor: Editor, project: Path) -> None:
    await editor.start(project)
    item = types.TextDocumentItem((project / "notes.md").as_uri(), "markdown", 1, "# notes")
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    assert await editor.hints(item.uri) == {}
    assert await editor.hover(item.uri, 1, 0) == ""
    await editor.codes(editor.open(project / "train.py"), "EVG201")


def test_without_its_requirements_the_server_says_what_to_install(tmp_path: Path) -> None:
    for name in ("pygls", "lsprotocol"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('gone', name='{name}')\n")
    run = subprocess.run(
        [sys.executable, "-m", "evalguard", "server"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert 'python -m pip install "torch-evalguard[lsp]"' in run.stderr


@pytest.mark.parametrize("address", ["2087", "localhost:", "localhost:http", "localhost:99999"])
def test_an_address_that_is_none_is_wrong_usage(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--tcp", address]) == 2
    assert "HOST:PORT, such as 127.0.0.1:2087" in capsys.readouterr().err


@asynchronous
async def test_an_editor_may_connect_by_tcp(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "evalguard", "server", "--tcp", f"127.0.0.1:{port}"]
    server = await asyncio.create_subprocess_exec(*command)
    client = make_test_lsp_client()
    for _ in range(500):
        try:
            await client.start_tcp("127.0.0.1", port)
            break
        except OSError:
            await asyncio.sleep(0.05)
    editor = Editor(client)
    await editor.start(project)
    await editor.codes(editor.open(project / "train.py"), "EVG201")
    await client.shutdown_async(None)
    client.exit(None)
    assert await asyncio.wait_for(server.wait(), SECONDS) == 0
    await client.stop()

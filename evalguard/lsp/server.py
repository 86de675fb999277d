"""The language server: requests of the editor in, what the sessions know out.

Nothing here waits for an analysis but the proof of a fix, and no failure in one file ends it: whatever a handler raises
is answered or logged by pygls, and the analysis runs in workers.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

import evalguard
from evalguard.check import config_for, documentations
from evalguard.claims import Claim
from evalguard.config import OWN_FILE, PROJECT_FILE, Config, ConfigError
from evalguard.discover import SUFFIXES
from evalguard.finding import Edit, Finding, Step
from evalguard.lsp import actions, hover
from evalguard.lsp.cures import cures_of
from evalguard.lsp.diagnostics import diagnostic
from evalguard.lsp.hints import hints
from evalguard.lsp.positions import Text, contains, overlaps, text_of
from evalguard.lsp.session import Session
from evalguard.notebook import SUFFIX as NOTEBOOK
from evalguard.project_root import root_of
from evalguard.report.rule import markdown
from evalguard.rule_documentation import RuleDocumentation
from evalguard.source import SourceProblem, read_document, split_lines

_LOG = logging.getLogger(__name__)
_WATCHED = ("**/*.py", "**/*.ipynb", f"**/{PROJECT_FILE}", f"**/{OWN_FILE}", "**/.gitignore")
_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook"),
            cells=[types.NotebookCellLanguage(language="python")],
        )
    ],
    save=True,
)


@dataclass(frozen=True, slots=True)
class _Open:
    """A text in the editor: of a file, or of a cell of a notebook, counted from 1 among those of code."""

    session: Session
    path: str
    cell: int | None = None


class Server(LanguageServer):
    """What is open, and the folders that it belongs to."""

    def __init__(self) -> None:
        super().__init__(
            "evalguard",
            evalguard.__version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,  # what a line is, only we know
            notebook_document_sync=_NOTEBOOKS,
        )
        self.folders: dict[str, Session] = {}
        self.others: dict[str | None, Session] = {}  # projects of files that lie in no folder of the editor
        self.open: dict[str, _Open] = {}
        self._published: set[str] = set()

    # ------------------------------------------------------------------------------------------------- folders

    def add_folder(self, uri: str) -> None:
        """A folder is open in the editor."""
        path = uris.to_fs_path(uri)
        if path is not None and os.path.isdir(path) and os.path.realpath(path) not in self.folders:
            session = self.folders[os.path.realpath(path)] = self._session(Path(os.path.realpath(path)))
            session.link_soon(0)

    async def remove_folder(self, uri: str) -> None:
        """A folder is not open any more."""
        session = self.folders.pop(os.path.realpath(uris.to_fs_path(uri) or ""), None)
        if session is None:
            return
        await session.stop()
        self.changed(session, set(session.views), gone=True)
        for uri_of_text, text in list(self.open.items()):
            if text.session is session:
                self.opened(uri_of_text)

    def sessions(self) -> Iterator[Session]:
        """All of them."""
        yield from self.folders.values()
        yield from self.others.values()

    def _session(self, folder: Path | None) -> Session:
        return Session(folder, self.changed, self.tell)

    def _session_of(self, path: str) -> Session:
        """The innermost folder of the editor around a file, or the project that it belongs to."""
        around = [folder for folder in self.folders if Path(folder) in Path(path).parents]
        if around:
            return self.folders[max(around, key=len)]
        try:
            config = config_for([path])
        except ConfigError as error:
            self.tell(str(error))
            config = Config()
        root = root_of(Path(path), config)
        key = None if root is None else str(root)
        if key not in self.others:
            self.others[key] = self._session(root)
        return self.others[key]

    # ------------------------------------------------------------------------------------------------- texts

    def opened(self, uri: str) -> None:
        """A text is open."""
        path = _path_of(uri)
        if path is None:
            return
        session = self._session_of(path)
        self.open[uri] = _Open(session, path)
        text = self._source(uri)
        session.opened(path, text, _is_on_disk(path, text))

    def edited(self, uri: str) -> None:
        """A text has changed."""
        found = self.open.get(uri)
        if found is not None:
            found.session.edited(found.path, self._source(uri))

    def closed(self, uri: str) -> None:
        """A text is not open any more."""
        found = self.open.pop(uri, None)
        if found is None:
            return
        found.session.closed(found.path, _is_on_disk(found.path, found.session.texts.get(found.path, "")))
        if found.session.folder is None:
            self._publish(uri, [])

    def notebook(self, uri: str, is_new: bool) -> None:
        """A notebook is open, or has changed."""
        path = _path_of(uri)
        document = self.workspace.get_notebook_document(notebook_uri=uri)
        if path is None or document is None:
            return
        self._forget_cells(path)
        session = self._session_of(path)
        sources: list[str] = []
        for cell in document.cells:
            if cell.kind is types.NotebookCellKind.Code:
                synced = cell.document in self.workspace.text_documents  # those in Python
                sources.append(self._source(cell.document) if synced else "")
                self.open[cell.document] = _Open(session, path, len(sources))
        cells = [{"cell_type": "code", "source": source} for source in sources]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        if is_new:
            session.opened(path, text, False)
        else:
            session.edited(path, text)

    def closed_notebook(self, uri: str) -> None:
        """A notebook is not open any more."""
        path = _path_of(uri)
        if path is not None:
            session = self._session_of(path)
            self._forget_cells(path)
            session.closed(path, False)

    def _forget_cells(self, path: str) -> None:
        for uri in [uri for uri, found in self.open.items() if found.path == path and found.cell is not None]:
            del self.open[uri]

    def _source(self, uri: str) -> str:
        source: str = self.workspace.get_text_document(uri).source
        return source

    # ------------------------------------------------------------------------------------------------- places

    def text(self, path: str, cell: int | None) -> Text:
        """The text of a file or cell, from the editor or from the disk."""
        uri = self._open_uri(path, cell)
        if uri is not None:
            return text_of(self._source(uri), self._encoding)
        if cell is not None:
            return Text((), self._encoding)
        try:
            return text_of(read_document(Path(path), path).text, self._encoding)
        except SourceProblem:
            return Text((), self._encoding)

    def uri(self, path: str, cell: int | None = None) -> str:
        """The address of a file or cell, as the editor writes it if it has it open."""
        return self._open_uri(path, cell) or uris.from_fs_path(path) or ""

    def _open_uri(self, path: str, cell: int | None) -> str | None:
        for uri, found in self.open.items():
            if found.path == path and found.cell == cell:
                return uri
        return None

    @property
    def _encoding(self) -> types.PositionEncodingKind | str:
        return self.workspace.position_encoding or types.PositionEncodingKind.Utf16

    def address(self, session: Session, step: Step) -> str | None:
        """A link to a step."""
        path = session.places.get(step.path)
        return None if path is None else f"{self.uri(path, step.cell)}#L{step.span.line}"

    # ------------------------------------------------------------------------------------------------- what is shown

    def changed(self, session: Session, paths: set[str], gone: bool = False) -> None:
        """Something else is known of some files: publish it."""
        for path in sorted(paths):
            view = None if gone else session.views.get(path)
            by_uri: dict[str, list[types.Diagnostic]] = {
                uri: [] for uri, found in self.open.items() if found.path == path
            } or {self.uri(path): []}
            texts: dict[tuple[str, int | None], Text] = {}
            for finding in view.findings if view is not None else ():
                if finding.cell is not None and self._open_uri(path, finding.cell) is None:
                    continue  # a cell has no address while its notebook is closed
                uri = self.uri(path, finding.cell)
                by_uri.setdefault(uri, []).append(self._diagnostic(session, path, finding, texts))
            for uri, found_there in by_uri.items():
                self._publish(uri, found_there)
        capability = self.client_capabilities.workspace and self.client_capabilities.workspace.inlay_hint
        if capability and capability.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def _publish(self, uri: str, found: list[types.Diagnostic]) -> None:
        if not found and uri not in self._published and uri not in self.open:
            return
        (self._published.add if found else self._published.discard)(uri)
        version = self.workspace.get_text_document(uri).version if uri in self.open else None
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def _diagnostic(
        self, session: Session, path: str, finding: Finding, texts: dict[tuple[str, int | None], Text] | None = None
    ) -> types.Diagnostic:
        known = {} if texts is None else texts

        def text(place: str, cell: int | None) -> Text:
            if (place, cell) not in known:
                known[place, cell] = self.text(place, cell)
            return known[place, cell]

        def elsewhere(step: Step) -> tuple[str, Text] | None:
            place = session.places.get(step.path)
            return None if place is None else (self.uri(place, step.cell), text(place, step.cell))

        return diagnostic(finding, text(path, finding.cell), elsewhere, self.page(finding.code))

    def tell(self, trouble: str) -> None:
        """Show people a trouble."""
        _LOG.warning("%s", trouble)
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"evalguard: {trouble}"))

    @cached_property
    def rules(self) -> dict[str, RuleDocumentation]:
        """The documentation of every code."""
        return {rule.code: rule for rule in documentations()}

    @cached_property
    def _pages(self) -> Path:
        """A folder with a page for each rule, for as long as the server runs: `codeDescription` wants an address."""
        folder = Path(tempfile.mkdtemp(prefix="evalguard-rules-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for rule in self.rules.values():
            (folder / f"{rule.code}.md").write_text(markdown.render([rule]), encoding="utf-8")
        return folder

    def page(self, code: str) -> str | None:
        """The address of a rule's page."""
        return uris.from_fs_path(str(self._pages / f"{code}.md")) if code in self.rules else None

    # ------------------------------------------------------------------------------------------------- requests

    def findings_at(self, found: _Open) -> list[Finding]:
        """The findings in a text."""
        view = found.session.view(found.path)
        return [finding for finding in view.findings if finding.cell == found.cell] if view is not None else []

    def claims_at(self, found: _Open) -> list[Claim]:
        """What is claimed in a text."""
        view = found.session.view(found.path)
        return [claim for claim in view.claims if claim.cell == found.cell] if view is not None else []

    def hover(self, uri: str, position: types.Position) -> types.Hover | None:
        """What is to be told of a place: the modes there, and the rules of what is found there."""
        found = self.open.get(uri)
        if found is None:
            return None
        text = self.text(found.path, found.cell)
        claims = [claim for claim in self.claims_at(found) if contains(text.range(claim.span), position)]
        innermost = max((claim.span for claim in claims), key=lambda span: (span.line, span.column), default=None)
        told = []
        if innermost is not None:
            told.append(self.explain(found, [claim for claim in claims if claim.span == innermost]))
        codes = {
            finding.code: None for finding in self.findings_at(found) if contains(text.range(finding.span), position)
        }
        told += [hover.rule_in_short(self.rules[code], self.page(code)) for code in codes if code in self.rules]
        if not told:
            return None
        where = None if innermost is None else text.range(innermost)
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(told)), where)

    def explain(self, found: _Open, claims: Sequence[Claim]) -> str:
        """Why modules are in the modes that are claimed."""
        return hover.explained(claims, lambda step: self.address(found.session, step))

    def hints(self, uri: str, within: types.Range) -> list[types.InlayHint]:
        """The modes at the forwards and steps of a range."""
        found = self.open.get(uri)
        if found is None:
            return []
        text = self.text(found.path, found.cell)
        return hints(self.claims_at(found), text, within, lambda claims: self.explain(found, claims))

    def actions(self, uri: str, within: types.Range) -> list[types.CodeAction]:
        """What can be done about the findings in a range, yet without edits."""
        found = self.open.get(uri)
        if found is None:
            return []
        text = self.text(found.path, found.cell)
        there = [each for each in self.findings_at(found) if overlaps(text.range(each.span), within)]
        cures = cures_of(there, "" if found.cell is not None else self._source(uri))
        return [
            action
            for finding, cure in zip(there, cures, strict=True)
            for action in actions.actions(uri, finding, cure, self._diagnostic(found.session, found.path, finding))
        ]

    async def resolved(self, action: types.CodeAction) -> types.CodeAction:
        """An action with its edits. A cure that is not proven has none, and the user is told why."""
        data: Any = action.data
        found = self.open.get(data["uri"])
        finding = actions.meant(data, self.findings_at(found)) if found is not None else None
        if found is None or finding is None:
            return action
        if data["does"] == "silence":
            edits = actions.silencing(finding, self._source(data["uri"]))
        else:
            proven = await found.session.proven(found.path, finding)
            if proven.fix is None:
                self.tell(f"no fix of {finding.code} is proven: {proven.reason}")
                return action
            edits = list(proven.fix.edits)
        action.edit = self._workspace_edit(found.session, edits)
        return action

    def _workspace_edit(self, session: Session, edits: Sequence[Edit]) -> types.WorkspaceEdit | None:
        capability = self.client_capabilities.workspace and self.client_capabilities.workspace.workspace_edit

        def place(edit: Edit) -> tuple[str, int | None, Text] | None:
            path = session.places.get(edit.path)
            if path is None:
                return None
            uri = self.uri(path, edit.cell)
            version = self.workspace.get_text_document(uri).version if uri in self.open else None
            return uri, version, self.text(path, edit.cell)

        return actions.workspace_edit(edits, place, bool(capability and capability.document_changes))

    async def stop(self) -> None:
        """End all workers."""
        for session in self.sessions():
            await session.stop()


def _path_of(uri: str) -> str | None:
    """The path of a Python file or notebook; a text that has none is given one that no file has."""
    path = uris.to_fs_path(uri)
    if path is not None:
        return os.path.realpath(path) if path.endswith(SUFFIXES) else None
    name = os.path.basename(unquote(urlsplit(uri).path)) or "untitled"
    name = name if name.endswith(SUFFIXES) else f"{name}.py"
    return os.path.join(os.path.realpath(tempfile.gettempdir()), "evalguard-unsaved", name)


def _is_on_disk(path: str, text: str) -> bool:
    """Whether a text is what its file holds, but for the ends of its lines."""
    if path.endswith(NOTEBOOK):
        return False
    try:
        return split_lines(read_document(Path(path), path).text) == split_lines(text)
    except SourceProblem:
        return False


def make_server() -> Server:
    """A server with all its handlers."""
    server = Server()

    @server.feature(types.INITIALIZED)
    def initialized(ls: Server, params: types.InitializedParams) -> None:
        for folder in list(ls.workspace.folders.values()):
            ls.add_folder(folder.uri)
        if not ls.folders and ls.workspace.root_uri:
            ls.add_folder(ls.workspace.root_uri)
        workspace = ls.client_capabilities.workspace
        if workspace and workspace.did_change_watched_files and workspace.did_change_watched_files.dynamic_registration:
            watchers = [types.FileSystemWatcher(glob) for glob in _WATCHED]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            ls.client_register_capability(types.RegistrationParams([registration]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        if params.text_document.language_id == "python" or uri.endswith(".py"):
            ls.opened(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        ls.edited(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        if params.text_document.uri.endswith((PROJECT_FILE, OWN_FILE)):
            relink(ls)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_did_open(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
        ls.notebook(params.notebook_document.uri, True)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_did_change(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
        ls.notebook(params.notebook_document.uri, False)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_did_close(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
        ls.closed_notebook(params.notebook_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        relink(ls)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        relink(ls)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.added:
            ls.add_folder(folder.uri)
        for folder in params.event.removed:
            await ls.remove_folder(folder.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(ls: Server, params: types.HoverParams) -> types.Hover | None:
        return ls.hover(params.text_document.uri, params.position)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        return ls.hints(params.text_document.uri, params.range)

    kinds = [types.CodeActionKind.QuickFix]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds, resolve_provider=True))
    async def code_actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only and not any(kind in ("", types.CodeActionKind.QuickFix) for kind in only):
            return []
        found = ls.actions(params.text_document.uri, params.range)
        if _can_resolve(ls):
            return found
        resolved = [await ls.resolved(action) for action in found]
        return [action for action in resolved if action.edit is not None]

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
        return await ls.resolved(params)

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: Server, params: None) -> None:
        await ls.stop()

    def relink(ls: Server) -> None:
        for session in ls.sessions():
            session.link_soon()

    return server


def _can_resolve(server: Server) -> bool:
    document = server.client_capabilities.text_document
    support = document.code_action.resolve_support if document and document.code_action else None
    return support is not None and "edit" in support.properties


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Serve an editor until it ends."""
    make_server().start_io(stdin, stdout)


def serve_tcp(host: str, port: int) -> None:
    """Serve the first editor that connects."""
    make_server().start_tcp(host, port)

"""An editor to test the language server with: pygls's client on the other side of real pipes.

It keeps texts of its own, and counts code units in its own way, so that it is wrong about nothing together with the
server.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 120.0
_T = TypeVar("_T")
_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def able(**changes: Any) -> types.ClientCapabilities:
    """What a full-grown editor can do."""
    return types.ClientCapabilities(
        workspace=types.WorkspaceClientCapabilities(
            configuration=changes.get("configuration", True),
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=changes.get("versioned", True)),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            did_change_configuration=types.DidChangeConfigurationClientCapabilities(dynamic_registration=True),
        ),
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=changes.get("related", True),
                tag_support=types.ClientDiagnosticsTagOptions(list(types.DiagnosticTag)),
            ),
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        ),
        notebook_document=types.NotebookDocumentClientCapabilities(types.NotebookDocumentSyncClientCapabilities()),
        general=types.GeneralClientCapabilities(position_encodings=changes.get("encodings")),
    )


class Editor:
    """One session. To be used in a ``with``, at the end of which the server has to go as the protocol says."""

    def __init__(
        self,
        root: Path | None,
        *,
        options: object = None,
        configuration: object = None,
        capabilities: types.ClientCapabilities | None = None,
        command: Sequence[str] = (sys.executable, "-m", "tensorlint", "server"),
        cwd: Path | None = None,
    ) -> None:
        self.root = root
        self.configuration = configuration
        self.command = command
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.published: dict[str, list[types.PublishDiagnosticsParams]] = defaultdict(list)
        self.logged: list[types.LogMessageParams] = []
        self.shown: list[types.ShowMessageParams] = []
        self.registered: list[types.Registration] = []
        self.exit_code: int | None = None
        self._cwd = cwd or root
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = LanguageClient("editor", "1")
        self._listen()
        self._params = types.InitializeParams(
            capabilities=capabilities or able(),
            root_uri=None if root is None else root.as_uri(),
            workspace_folders=None if root is None else [types.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options=options,
        )

    def _listen(self) -> None:
        client = self._client

        def note(into: Callable[[Any], None]) -> Callable[[Any], None]:
            def handler(params: Any) -> None:
                with self._arrived:
                    into(params)
                    self._arrived.notify_all()

            return handler

        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(
            note(lambda params: self.published[params.uri].append(params))
        )
        client.feature(types.WINDOW_LOG_MESSAGE)(note(self.logged.append))
        client.feature(types.WINDOW_SHOW_MESSAGE)(note(self.shown.append))
        client.feature(types.CLIENT_REGISTER_CAPABILITY)(
            note(lambda params: self.registered.extend(params.registrations))
        )

        @client.feature(types.WORKSPACE_CONFIGURATION)
        def configure(params: types.ConfigurationParams) -> list[Any]:
            return [self.configuration for _ in params.items]

    def __enter__(self) -> Editor:  # noqa: PYI034  # Python 3.10 has no Self
        self._thread.start()
        self._do(self._client.start_io(*self.command, cwd=self._cwd))
        self.answer = self._do(self._client.initialize_async(self._params))
        self._client.initialized(types.InitializedParams())
        encoding = self.answer.capabilities.position_encoding
        self.encoding = str(getattr(encoding, "value", encoding))
        return self

    def __exit__(self, *_: object) -> None:
        server = self._client._server
        assert server is not None
        try:
            self._do(self._client.shutdown_async(None))
            self.notify(self._client.exit, None)
            self._do(self._client.stop())
        finally:
            if server.returncode is None:
                self._do(_ended(server))
            self.exit_code = server.returncode
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def notify(self, send: Callable[[_T], None], params: _T) -> None:
        async def sent() -> None:
            send(params)

        self._do(sent())

    def request(self, method: str, params: object) -> Any:
        async def answered() -> Any:
            return await self._client.protocol.send_request_async(method, params)

        return self._do(answered())

    def request_and_cancel(self, method: str, params: object) -> Any:
        """What a request is answered by that is not wanted any more."""

        async def answered() -> Any:
            answer = self._client.protocol.send_request_async(method, params, "unwanted")
            self._client.cancel_request(types.CancelParams("unwanted"))
            return await answer

        return self._do(answered())

    def wait(self, until: Callable[[], bool]) -> None:
        with self._arrived:
            assert self._arrived.wait_for(until, PATIENCE), (self.logged, self.shown)

    # What a user does.

    def open(self, path: Path | str, text: str | None = None, language: str = "python") -> str:
        """Open a file, with another text than it has if there is one. Returns its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        if text is None:
            assert isinstance(path, Path)
            text = path.read_text(encoding="utf-8")
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.notify(self._client.text_document_did_open, types.DidOpenTextDocumentParams(item))
        return uri

    def replace(self, uri: str, start: int, end: int, new: str) -> None:
        """Put ``new`` in place of some characters, counted from the beginning of the text."""
        text = self.texts[uri]
        change = types.TextDocumentContentChangePartial(
            types.Range(self.position(text, start), self.position(text, end)), new
        )
        self.change(uri, text[:start] + new + text[end:], [change])

    def change(self, uri: str, text: str, changes: list[Any] | None = None) -> None:
        """Make it another text, as a whole unless the changes are given."""
        self.texts[uri] = text
        self.versions[uri] += 1
        changes = changes or [types.TextDocumentContentChangeWholeDocument(text)]
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.notify(self._client.text_document_did_change, types.DidChangeTextDocumentParams(document, changes))

    def open_notebook(self, path: Path, *cells: tuple[str, str]) -> tuple[str, list[str]]:
        """Open a notebook of cells, each a language and a text. Returns its URI and those of the cells."""
        self.versions[path.as_uri()] = 1
        items = [self._cell(path, index, language, text) for index, (language, text) in enumerate(cells)]
        notebook = types.NotebookDocument(path.as_uri(), "jupyter-notebook", 1, [_as_cell(item) for item in items])
        params = types.DidOpenNotebookDocumentParams(notebook, items)
        self.notify(self._client.notebook_document_did_open, params)
        return notebook.uri, [item.uri for item in items]

    def _cell(self, path: Path, index: int, language: str, text: str) -> types.TextDocumentItem:
        uri = f"vscode-notebook-cell:{path}#W{index}sZmlsZQ%3D%3D"
        self.texts[uri], self.versions[uri] = text, 1
        return types.TextDocumentItem(uri, language, 1, text)

    def insert_cell(self, path: Path, at: int, index: int, text: str) -> str:
        item = self._cell(path, index, "python", text)
        array = types.NotebookCellArrayChange(at, 0, [_as_cell(item)])
        structure = types.NotebookDocumentCellChangeStructure(array, did_open=[item])
        self._change_notebook(path, types.NotebookDocumentCellChanges(structure=structure))
        return item.uri

    def delete_cell(self, path: Path, at: int, uri: str) -> None:
        array = types.NotebookCellArrayChange(at, 1)
        closed = [types.TextDocumentIdentifier(uri)]
        structure = types.NotebookDocumentCellChangeStructure(array, did_close=closed)
        self._change_notebook(path, types.NotebookDocumentCellChanges(structure=structure))

    def replace_in_cell(self, path: Path, uri: str, old: str, new: str) -> None:
        text = self.texts[uri]
        start = text.index(old)
        at = types.Range(self.position(text, start), self.position(text, start + len(old)))
        self.texts[uri] = text.replace(old, new, 1)
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        changes = [types.TextDocumentContentChangePartial(at, new)]
        content = [types.NotebookDocumentCellContentChanges(document, changes)]
        self._change_notebook(path, types.NotebookDocumentCellChanges(text_content=content))

    def _change_notebook(self, path: Path, cells: types.NotebookDocumentCellChanges) -> None:
        self.versions[path.as_uri()] += 1
        notebook = types.VersionedNotebookDocumentIdentifier(self.versions[path.as_uri()], path.as_uri())
        params = types.DidChangeNotebookDocumentParams(notebook, types.NotebookDocumentChangeEvent(cells=cells))
        self.notify(self._client.notebook_document_did_change, params)

    def close_notebook(self, path: Path, uris: Sequence[str]) -> None:
        cells = [types.TextDocumentIdentifier(uri) for uri in uris]
        params = types.DidCloseNotebookDocumentParams(types.NotebookDocumentIdentifier(path.as_uri()), cells)
        self.notify(self._client.notebook_document_did_close, params)

    def save(self, uri: str, path: Path) -> None:
        path.write_bytes(self.texts[uri].encode())
        document = types.TextDocumentIdentifier(uri)
        self.notify(self._client.text_document_did_save, types.DidSaveTextDocumentParams(document))

    def close(self, uri: str) -> None:
        document = types.TextDocumentIdentifier(uri)
        self.notify(self._client.text_document_did_close, types.DidCloseTextDocumentParams(document))

    def changed_on_disk(self, *paths: Path) -> None:
        events = [types.FileEvent(path.as_uri(), types.FileChangeType.Changed) for path in paths]
        self.notify(self._client.workspace_did_change_watched_files, types.DidChangeWatchedFilesParams(events))

    def reconfigure(self, configuration: object) -> None:
        self.configuration = configuration
        params = types.DidChangeConfigurationParams(settings=None)
        self.notify(self._client.workspace_did_change_configuration, params)

    def processor_seconds(self) -> float:
        """What the server has taken of a processor so far; 0 where that cannot be told."""
        server = self._client._server
        assert server is not None
        try:
            after_name = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    # What a user sees.

    def diagnostics(self, uri: str, after: int = 0) -> list[types.Diagnostic]:
        """What is shown of the text as it is now, once it is; after so many messages about it."""

        def arrived() -> bool:
            messages = self.published[uri]
            return len(messages) > after and messages[-1].version == self.versions[uri]

        self.wait(arrived)
        return list(self.published[uri][-1].diagnostics)

    def actions(
        self, uri: str, at: types.Range, about: Sequence[types.Diagnostic] = (), only: list[str] | None = None
    ) -> list[types.CodeAction]:
        context = types.CodeActionContext(list(about), only, types.CodeActionTriggerKind.Invoked)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), at, context)
        return list(self.request(types.TEXT_DOCUMENT_CODE_ACTION, params) or [])

    def hover(self, uri: str, offset: int) -> str:
        position = self.position(self.texts[uri], offset)
        params = types.HoverParams(types.TextDocumentIdentifier(uri), position)
        hover = self.request(types.TEXT_DOCUMENT_HOVER, params)
        return "" if hover is None else hover.contents.value

    def apply(self, edit: types.WorkspaceEdit) -> dict[str, str]:
        """The texts that the edit makes; it must be for the texts as they are."""
        if edit.changes is not None:
            edits = {uri: list(each) for uri, each in edit.changes.items()}
        else:
            edits = {}
            for change in edit.document_changes or ():
                assert isinstance(change, types.TextDocumentEdit)
                assert change.text_document.version == self.versions[change.text_document.uri]
                edits[change.text_document.uri] = list(change.edits)
        return {uri: self._applied(self.texts[uri], each) for uri, each in edits.items()}

    def _applied(self, text: str, edits: Sequence[Any]) -> str:
        places = [(self.offset(text, edit.range.start), self.offset(text, edit.range.end)) for edit in edits]
        parts, done = [], 0
        for (start, end), edit in sorted(zip(places, edits, strict=True), key=lambda pair: pair[0]):
            assert start >= done
            parts += [text[done:start], edit.new_text]
            done = end
        return "".join([*parts, text[done:]])

    def offset(self, text: str, position: types.Position) -> int:
        """Characters before a position that must be one of the text."""
        starts = [0, *_line_starts(text)]
        start = starts[position.line]
        line = text[start:].encode(_CODECS[self.encoding])
        return start + len(line[: position.character * _UNIT[self.encoding]].decode(_CODECS[self.encoding]))

    def position(self, text: str, offset: int) -> types.Position:
        starts = [start for start in [0, *_line_starts(text)] if start <= offset]
        before = text[starts[-1] : offset].encode(_CODECS[self.encoding])
        return types.Position(len(starts) - 1, len(before) // _UNIT[self.encoding])

    def shown_text(self, uri: str, at: types.Range) -> str:
        """The text that a range of it covers."""
        text = self.texts[uri]
        return text[self.offset(text, at.start) : self.offset(text, at.end)]


def _as_cell(item: types.TextDocumentItem) -> types.NotebookCell:
    kind = types.NotebookCellKind.Markup if item.language_id == "markdown" else types.NotebookCellKind.Code
    return types.NotebookCell(kind, item.uri)


def _line_starts(text: str) -> list[int]:
    return [
        index + 1
        for index, character in enumerate(text)
        if character == "\n" or (character == "\r" and text[index + 1 : index + 2] != "\n")
    ]


async def _ended(server: asyncio.subprocess.Process) -> None:
    server.kill()
    await server.wait()

"""Messages in, messages out, and when to judge.

The protocol is spoken in one thread, and texts are judged in another, one at a time. A text is judged when nothing was
typed for a moment, and what is found is shown only while it is what the editor still has.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from tensorlint import __version__
from tensorlint.config import FILE_NAMES
from tensorlint.findings import Applicability, Finding
from tensorlint.report import Report
from tensorlint.runner.judging import internal_error
from tensorlint.server import actions, settings
from tensorlint.server.diagnostics import NAME, Abilities, diagnostics_of
from tensorlint.server.hover import hover_in
from tensorlint.server.judging import MAX_CHARACTERS, Cells, Changes, Judge, Text
from tensorlint.server.places import encoding_name
from tensorlint.server.workspace import Page, Program, Protocol, is_python, notebook_of, program_of

_T = TypeVar("_T")
#: Files whose changes can change what is found in others.
_WATCHED = ("**/*.py", *(f"**/{name}" for name in FILE_NAMES))


@dataclass
class Judged:
    """What was found in a text, or will be once the future is done."""

    text: Text
    found: asyncio.Future[Report]
    #: The comments that were asked for so far.
    comments: dict[Finding, Changes] = field(default_factory=dict)


class Server(LanguageServer):
    """The server: what it knows of the editor, and of the programs that are open in it."""

    def __init__(self) -> None:
        cells = types.NotebookDocumentFilterWithCells([types.NotebookCellLanguage("python")], "jupyter-notebook")
        notebooks = types.NotebookDocumentSyncOptions([cells])
        super().__init__(NAME, __version__, notebook_document_sync=notebooks, protocol_cls=Protocol)
        self.abilities = Abilities()
        self.options: object = None
        self.wishes = settings.Wishes()
        self.era = 0
        #: Whether the editor has said that it will go, as it should before it does.
        self.is_shut_down = False
        self._worker = ThreadPoolExecutor(1, "judge")
        self._judge = Judge(on_error=self._log_from_worker)
        self._loop: asyncio.AbstractEventLoop | None = None
        #: By the URI of a program: what was found in it, and who waits to say it.
        self._judged: dict[str, Judged] = {}
        self._speaking: dict[str, asyncio.Task[None]] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        #: Files that were saved here, by their time and size, of which the watcher may speak once more.
        self._saved: dict[str, tuple[int, int]] = {}
        self._told: set[str] = set()

    # What is open.

    def program(self, uri: str) -> Program | None:
        """The program that a document, or a notebook, belongs to; None where it is none of ours."""
        notebook = self.workspace.get_notebook_document(notebook_uri=uri)
        notebook = notebook or self.workspace.get_notebook_document(cell_uri=uri)
        if notebook is not None:
            return notebook_of(notebook, self.workspace, self.abilities.encoding)
        document = self.workspace.text_documents.get(_key(uri))
        if document is None or not is_python(document):
            return None
        return program_of(document, self.abilities.encoding)

    # When to judge, and when to speak.

    def changed(self, uri: str, delay: float) -> None:
        """Have a program judged when nothing more happens to it for so many seconds, and say what is found."""
        self.forget(uri)
        self._speaking[uri] = self.start(self._speak(uri, delay))

    def around_changed(self) -> None:
        """Have all that is open judged anew, as files or settings have changed; what was touched last comes first."""
        self.era += 1
        if self._refreshing is not None:
            self._refreshing.cancel()
        self._refreshing = self.start(self._refresh())

    def closed(self, *uris: str) -> None:
        """Show nothing any more in these documents."""
        for uri in uris:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def forget(self, uri: str) -> None:
        """Let go of what is being found out about a program."""
        if (task := self._speaking.pop(uri, None)) is not None:
            task.cancel()
        if (judged := self._judged.pop(uri, None)) is not None:
            judged.found.cancel()

    async def judged(self, program: Program) -> Judged:
        """What is found in a program as it is now. Whoever asks for the same gets the same."""
        kind = Cells if program.is_notebook else Text
        text = kind(program.path, program.parts, self.era, self.wishes.certainty)
        judged = self._judged.get(program.uri)
        if judged is None or judged.text != text:
            if judged is not None:
                judged.found.cancel()
            judged = Judged(text, self.on_worker(partial(self._judge.check, text)))
            self._judged[program.uri] = judged
        await asyncio.shield(judged.found)
        return judged

    async def _speak(self, uri: str, delay: float) -> None:
        await asyncio.sleep(delay)
        program = self.program(uri)
        if program is None:
            return
        if sum(map(len, program.parts)) > MAX_CHARACTERS:
            message = f"{program.path} is longer than {MAX_CHARACTERS:,} characters and is not judged"
            self.log_once(message, types.MessageType.Warning)
        self._publish(program, (await self.judged(program)).found.result())

    async def _refresh(self) -> None:
        """One after the other, so that a keystroke waits for one of them at most."""
        await asyncio.sleep(self.wishes.debounce)
        for uri in reversed(list(self._speaking)):
            if uri in self._speaking:
                self._speaking[uri].cancel()
                self._speaking[uri] = self.start(self._speak(uri, 0))
                await asyncio.wait([self._speaking[uri]])

    def _publish(self, program: Program, report: Report) -> None:
        found = diagnostics_of(program, report.findings, self.abilities)
        for page in program.pages:
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(page.uri, found[page.uri], page.version)
            )

    def on_worker(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        """The result of what is done in the thread that judges."""
        return asyncio.get_running_loop().run_in_executor(self._worker, work)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something besides. What goes wrong in it is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log(internal_error(error))

    # What is said.

    def log(self, message: str, kind: types.MessageType = types.MessageType.Error) -> None:
        """Write to the editor's log."""
        self.window_log_message(types.LogMessageParams(kind, message))

    def log_once(self, message: str, kind: types.MessageType = types.MessageType.Error) -> None:
        """Write to the editor's log what would be the same after each keystroke."""
        if message not in self._told:
            self._told.add(message)
            self.log(message, kind)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log what went wrong in a message's handler, which pygls would put before the reader's eyes."""
        self.log(internal_error(error))

    def _log_from_worker(self, message: str) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.log_once, message)

    # What the editor wants.

    def begin(self, params: types.InitializeParams) -> None:
        """Take in what the editor can do and wants."""
        self._loop = asyncio.get_running_loop()
        self.abilities = Abilities.of(params.capabilities, encoding_name(self.workspace.position_encoding))
        folders = [to_fs_path(folder.uri) for folder in params.workspace_folders or ()]
        root = next((folder for folder in [*folders, self.workspace.root_path] if folder is not None), None)
        # What belongs to a program that nothing marks as one depends on where one stands, as on the command line:
        # without a folder nowhere, so that nobody's home directory is searched for callers.
        for place in (root, os.path.dirname(__file__)):
            with suppress(OSError):
                if place is not None:
                    os.chdir(place)
                    break
        self.options = params.initialization_options
        self.wish(None)

    def wish(self, options: object) -> None:
        """Take over settings, on top of those the session began with; what is wrong with them is shown, once."""
        wishes, wrong = settings.read(self.options, options)
        for message in [each for each in wrong if each not in self._told]:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"{NAME}: {message}"))
        if wishes != self.wishes:
            self.wishes = wishes
            self.around_changed()

    async def ask_for_wishes(self) -> None:
        """Ask the editor for its settings, where it can be asked. Those it does not have leave things as they are."""
        if not get_capability(self.client_capabilities, "workspace.configuration", False):
            return
        asked = types.ConfigurationParams([types.ConfigurationItem(section=settings.SECTION)])
        answer = await self.workspace_configuration_async(asked)
        self.wish(answer[0] if answer else None)

    async def watch(self) -> None:
        """Ask to be told of changes of files and settings, as far as the editor takes such requests."""
        wanted: list[types.Registration] = []
        if get_capability(self.client_capabilities, "workspace.did_change_watched_files.dynamic_registration", False):
            watchers = [types.FileSystemWatcher(glob) for glob in _WATCHED]
            options: object = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            wanted.append(types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
        if get_capability(self.client_capabilities, "workspace.did_change_configuration.dynamic_registration", False):
            options = types.DidChangeConfigurationRegistrationOptions(settings.SECTION)
            wanted.append(types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options))
        if wanted:
            await self.client_register_capability_async(types.RegistrationParams(wanted))

    def saved(self, uri: str) -> None:
        """Take notice that a document was saved."""
        path = to_fs_path(uri)
        if path is not None and (state := _state_of(path)) is not None:
            self._saved[path] = state

    def is_known(self, event: types.FileEvent) -> bool:
        """Whether an event of the watcher is about nothing but a save that the editor has told of."""
        path = to_fs_path(event.uri)
        return path in self._saved and self._saved[path] == _state_of(path)

    # What the editor asks.

    async def actions_for(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Fixes and comments for what is found at a place, and all fixes at once where they are asked for."""
        program, page = self._at(params.text_document.uri)
        if program is None or page is None:
            return []
        judged = await self.judged(program)
        report = judged.found.result()
        asked = actions.Asked.by(params, page)
        offered: list[types.CodeAction] = []
        if asked.wants(types.CodeActionKind.QuickFix.value):
            meant = asked.about(report.findings)
            fixes = (actions.quick_fix(program, finding, shown, self.abilities) for finding, shown in meant)
            offered += [fix for fix in fixes if fix is not None]
            for finding, shown in meant:
                if actions.can_be_suppressed(finding) and (comment := await self._comment(judged, report, finding)):
                    offered.append(actions.suppression(program, finding, comment, shown, self.abilities))
        # A cursor that merely moves past asks for nothing in particular, and again with every step.
        automatic = params.context.trigger_kind is types.CodeActionTriggerKind.Automatic
        if asked.wants(actions.FIX_ALL) and not (asked.only is None and automatic):
            offered += await self._fix_all(program, judged.text, report)
        return offered

    async def _comment(self, judged: Judged, report: Report, finding: Finding) -> Changes:
        if finding not in judged.comments:
            work = partial(self._judge.suppress, judged.text, report, finding)
            judged.comments[finding] = await self.on_worker(work)
        return judged.comments[finding]

    async def _fix_all(self, program: Program, text: Text, report: Report) -> list[types.CodeAction]:
        unsafe = self.wishes.unsafe_fixes
        highest = Applicability.UNSAFE if unsafe else Applicability.SAFE
        wanted = {Applicability.SAFE, highest}
        if not any(finding.fix is not None and finding.fix.applicability in wanted for finding in report.findings):
            return []
        changes = await self.on_worker(partial(self._judge.fix_all, text, highest))
        return [actions.fix_all(program, changes, self.abilities, unsafe=unsafe)] if changes else []

    async def hover_at(self, params: types.HoverParams) -> types.Hover | None:
        """The documentation of what is found at a place, or of a code that a comment names there."""
        program, page = self._at(params.text_document.uri)
        if program is None or page is None:
            return None
        report = (await self.judged(program)).found.result()
        markdown = self.abilities.markdown
        work = partial(hover_in, program, page, params.position, report.findings, markdown=markdown)
        return await self.on_worker(work)

    def _at(self, uri: str) -> tuple[Program | None, Page | None]:
        program = self.program(uri)
        return program, None if program is None else program.page(uri)


def _key(uri: str) -> str:
    """What pygls calls a document."""
    return unquote(uri)


def _state_of(path: str) -> tuple[int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def create() -> Server:
    """A server that knows what to do with each message."""
    server = Server()

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        server.start(server.watch())
        server.start(server.ask_for_wishes())

    @server.feature(types.SHUTDOWN)
    def shutdown(params: None) -> None:
        server.is_shut_down = True

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri, server.wishes.debounce)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)
        server.around_changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)
        server.closed(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        server.changed(params.notebook_document.uri, 0)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: types.DidChangeNotebookDocumentParams) -> None:
        structure = params.change.cells and params.change.cells.structure
        if structure:
            server.closed(*(cell.uri for cell in structure.did_close or ()))
        server.changed(params.notebook_document.uri, server.wishes.debounce)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: types.DidCloseNotebookDocumentParams) -> None:
        server.forget(params.notebook_document.uri)
        server.closed(*(cell.uri for cell in params.cell_text_documents))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        if not all(server.is_known(event) for event in params.changes):
            server.around_changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def settings_changed(params: types.DidChangeConfigurationParams) -> None:
        if get_capability(server.client_capabilities, "workspace.configuration", False):
            await server.ask_for_wishes()
        else:
            server.wish(params.settings)

    options = types.CodeActionOptions(code_action_kinds=list(actions.KINDS))

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await server.actions_for(params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await server.hover_at(params)

    return server


def serve() -> int:
    """Speak with an editor until it goes. The exit code is that of the protocol: 0 when it said so before."""
    server = create()
    server.start_io()
    return 0 if server.is_shut_down else 1

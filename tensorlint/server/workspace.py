"""What the editor has open."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lsprotocol import types
from pygls import workspace
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import to_fs_path

from tensorlint.config import DEFAULT_INCLUDE
from tensorlint.contents import SUFFIX
from tensorlint.findings import Edit, Span
from tensorlint.server.places import Places, encoding_name
from tensorlint.source import NEWLINE

_SUFFIXES = tuple(pattern.removeprefix("*") for pattern in DEFAULT_INCLUDE)


class Document(workspace.TextDocument):
    """A text whose lines end where the protocol says, which is where Python ends them.

    pygls splits at form feeds and other separators, too, after which changes would land on the wrong line.
    """

    @property
    def lines(self) -> Sequence[str]:
        """The lines without their ends; a final newline leaves an empty last one."""
        return tuple(NEWLINE.split(self.source))

    def _apply_incremental_change(self, change: types.TextDocumentContentChangePartial) -> None:
        text = self.source
        places = Places(NEWLINE.split(text), encoding_name(self.position_codec.encoding))
        starts = [0, *(match.end() for match in NEWLINE.finditer(text))]
        span = places.span(change.range)
        start = starts[span.row - 1] + span.column - 1
        end = starts[span.end_row - 1] + span.end_column - 1
        self._source = text[:start] + change.text + text[max(start, end) :]


class Workspace(workspace.Workspace):
    """Documents of that kind."""

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> Document:
        return Document(
            doc_uri, source, version, language_id, sync_kind=self._sync_kind, position_codec=self._position_codec
        )


class Protocol(LanguageServerProtocol):
    """pygls's own, with that workspace, and without what it keeps of each notification that was handled."""

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Begin a session; the workspace is there once the editor knows what this server can do."""
        result = yield from super().lsp_initialize(params)
        given = self.workspace
        folders = list(given.folders.values())
        self._workspace = Workspace(
            given.root_uri, types.TextDocumentSyncKind.Incremental, folders, given.position_encoding
        )
        return result

    def _check_handler_result(self, future: Future[Any]) -> None:
        super()._check_handler_result(future)
        for done in [each for each, handled in self._request_futures.items() if handled.done()]:
            del self._request_futures[done]


@dataclass(frozen=True, slots=True)
class Page:
    """One document of a program, whose first line is row ``first`` of it."""

    uri: str
    version: int | None
    text: str
    places: Places
    first: int = 1

    @classmethod
    def of(cls, document: workspace.TextDocument, encoding: str, first: int = 1) -> Page:
        """A document as it is now."""
        text = document.source
        return cls(document.uri, document.version, text, Places(NEWLINE.split(text), encoding), first)

    @property
    def last(self) -> int:
        return self.first + len(self.places.lines) - 1

    def range(self, span: Span) -> types.Range:
        """A span of the program in this document."""
        return self.places.range(self.inside(span))

    def edit(self, edit: Edit) -> types.TextEdit:
        """An edit of the program in this document.

        One that reaches the row behind it, where the rest of the program begins, ends with the document: a line that
        is added there is one more, and one that is taken away leaves none behind.
        """
        span, content, last = self.inside(edit.span), edit.content, len(self.places.lines)
        if span.end_row <= last:
            return types.TextEdit(self.places.range(span), content)
        row, column = span.row, span.column
        if row > last:
            content = "\n" + content.removesuffix("\n")
        elif not content and column == 1 and row > 1:
            row, column = row - 1, len(self.places.lines[row - 2]) + 1
        return types.TextEdit(self.places.range(Span(row, column, last + 1, 1)), content)

    def inside(self, span: Span) -> Span:
        """A span of the program with rows counted from the beginning of this document."""
        up = self.first - 1
        return Span(span.row - up, span.column, span.end_row - up, span.end_column)

    def span(self, of: types.Range) -> Span:
        """A range of this document in the program."""
        span = self.places.span(of)
        down = self.first - 1
        return Span(span.row + down, span.column, span.end_row + down, span.end_column)


@dataclass(frozen=True, slots=True)
class Program:
    """What is judged as one: the documents that it consists of, from top to bottom, and the path it goes by."""

    uri: str
    path: str
    pages: tuple[Page, ...]
    is_notebook: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The texts of its documents."""
        return tuple(page.text for page in self.pages)

    def page_at(self, row: int) -> Page:
        """The document that a row of the program stands in; a row between two of them is the end of the first."""
        return next((page for page in self.pages if row <= page.last + 1), self.pages[-1])

    def page(self, uri: str) -> Page | None:
        """The document of this name, if it is one of the program's."""
        return next((page for page in self.pages if page.uri == uri), None)


def notebook_of(notebook: types.NotebookDocument, open_in: workspace.Workspace, encoding: str) -> Program | None:
    """A notebook, whose code cells are one program; None where it has none."""
    path = to_fs_path(notebook.uri)
    pages: list[Page] = []
    for cell in notebook.cells:
        document = open_in.text_documents.get(unquote(cell.document))
        if cell.kind is types.NotebookCellKind.Code and document is not None and document.language_id == "python":
            # One row before each cell, as in the text of a notebook.
            first = pages[-1].last + 2 if pages else 2
            pages.append(Page.of(document, encoding, first))
    path = UNSAVED + SUFFIX if path is None else os.path.abspath(path)
    return Program(notebook.uri, path, tuple(pages), is_notebook=True) if pages else None


#: What a program goes by that was never saved.
UNSAVED = "<unsaved>"


def program_of(document: workspace.TextDocument, encoding: str) -> Program:
    """A document that is a program by itself."""
    path = to_fs_path(document.uri)
    path = UNSAVED if path is None else os.path.abspath(path)
    return Program(document.uri, path, (Page.of(document, encoding),))


def is_python(document: workspace.TextDocument) -> bool:
    """Whether a document is a program: by its name as on the command line, else by what the editor takes it for."""
    name = document.path.lower()
    return name.endswith(_SUFFIXES) or (document.language_id == "python" and not name.endswith((".pyi", ".ipynb")))

"""Rows and columns of a handful of nodes, found by writing the module out once.

LibCST's own ``PositionProvider`` records every node and costs twice the parse (2.0 s per MB, measured on
LibCST 1.9); findings need a few. Only a file that has a finding is written out, up to the last of
the nodes asked for, and only these are remembered.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState

from tensorlint.findings import Span
from tensorlint.source import NEWLINE

_SILENT = nullcontext()
_WHITESPACE = " \t\f\\\r\n"
#: What LibCST may leave out: form feeds, and backslashes on lines that are blank otherwise.
_FORGOTTEN = re.compile(r"\f|(?:\A|[\r\n])[ \t]*\\[\r\n]")


class _Recorder(CodegenState):
    """Follows the row and column of the text written so far."""

    def __init__(self, module: cst.Module, wanted: frozenset[int]) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.wanted = wanted
        self.row, self.column = 1, 1
        self.starts: dict[int, tuple[int, int]] = {}
        self.spans: dict[int, Span] = {}
        self.outer: dict[int, Span] = {}
        self.tokens: list[str] = []
        self.statements: list[Span] = []
        #: ``f"{x=}"``, which shows its own source.
        self.quoted: list[Span] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        if "\n" in value or "\r" in value:
            parts = NEWLINE.split(value)
            self.row += len(parts) - 1
            self.column = len(parts[-1]) + 1
        else:
            self.column += len(value)

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.column += sum(map(len, self.indent_tokens))

    def before_codegen(self, node: cst.CSTNode) -> None:
        if id(node) in self.wanted or type(node) is cst.FormattedStringExpression:
            self.starts[id(node)] = (self.row, self.column)

    def after_codegen(self, node: cst.CSTNode) -> None:
        if type(node) is cst.FormattedStringExpression and node.equal is not None:
            self.quoted.append(Span(*self.starts[id(node)], self.row, self.column))
        if id(node) in self.wanted:
            self.outer[id(node)] = Span(*self.starts[id(node)], self.row, self.column)
            # Kept only where the node itself recorded nothing: this one includes surrounding whitespace.
            self.spans.setdefault(id(node), self.outer[id(node)])

    # A generator for each of a hundred thousand nodes is what the base class would make of this.
    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> AbstractContextManager[None]:
        if id(node) in self.wanted or type(node) is cst.SimpleStatementLine:
            return self._recording(node)
        return _SILENT

    @contextmanager
    def _recording(self, node: cst.CSTNode) -> Iterator[None]:
        start = (self.row, self.column)
        yield
        span = Span(*start, self.row, self.column)
        if id(node) in self.wanted:
            self.spans[id(node)] = span
        if type(node) is cst.SimpleStatementLine:
            self.statements.append(span)


@dataclass(frozen=True, slots=True)
class Places:
    """Spans by the ``id`` of their nodes, and the spans of the simple statements, in source order.

    ``outer`` includes the parentheses around an expression, ``spans`` does not.
    """

    spans: dict[int, Span]
    outer: dict[int, Span]
    statements: tuple[Span, ...]
    quoted: tuple[Span, ...] = ()

    def is_quoted(self, span: Span) -> bool:
        """Whether ``span`` lies in the braces of an ``f"{x=}"``."""
        start, end = (span.row, span.column), (span.end_row, span.end_column)
        return any((each.row, each.column) <= start and end <= (each.end_row, each.end_column) for each in self.quoted)

    def last_row(self, span: Span) -> int:
        """The last row of the statement around ``span``, where a comment about all of it stands."""
        index = bisect.bisect_right(self.statements, (span.row, span.column), key=lambda item: (item.row, item.column))
        around = self.statements[index - 1] if index else span
        return max(around.end_row, span.end_row) if around.end_row >= span.row else span.end_row


def locate(module: cst.Module, nodes: Iterable[cst.CSTNode], text: str = "") -> Places:
    """Where the nodes of ``module`` stand. A node that is not part of the module is left out.

    ``text`` is what was parsed. LibCST forgets, or repeats, form feeds and continued blank lines before a statement.
    """
    recorder = _Recorder(module, frozenset(map(id, nodes)))
    differs = _FORGOTTEN.search(text) is not None
    for part in (*module.header, *module.body, *module.footer):
        part._codegen(recorder)
        if len(recorder.outer) == len(recorder.wanted) and not differs:
            break  # what follows is of no interest
    spans, outer, statements, quoted = recorder.spans, recorder.outer, recorder.statements, recorder.quoted
    if differs and (written := "".join(recorder.tokens)) != text:
        back = _way_back(written, text)
        spans, outer = ({key: back(span) for key, span in each.items()} for each in (spans, outer))
        statements, quoted = ([back(span) for span in each] for each in (statements, quoted))
    return Places(spans, outer, tuple(statements), tuple(quoted))


def _way_back(written: str, text: str) -> Callable[[Span], Span]:
    """From places in what LibCST writes to places in the text it read, which has other whitespace."""
    offsets: list[int] = []
    at = 0
    for char in written:
        while char not in _WHITESPACE and at < len(text) and text[at] in _WHITESPACE:
            at += 1
        offsets.append(at)
        at += at < len(text) and text[at] == char
    offsets.append(len(text))
    old, new = ([0, *(match.end() for match in NEWLINE.finditer(each))] for each in (written, text))

    def place(row: int, column: int, *, end: bool) -> tuple[int, int]:
        offset = old[row - 1] + column - 1
        found = offsets[offset - 1] + 1 if end and offset else offsets[offset]
        row = bisect.bisect_right(new, found)
        return row, found - new[row - 1] + 1

    def back(span: Span) -> Span:
        start = place(span.row, span.column, end=False)
        empty = (span.row, span.column) == (span.end_row, span.end_column)
        return Span(*start, *(start if empty else place(span.end_row, span.end_column, end=True)))

    return back

"""What the editor offers to do about findings: the fixes of the command line, one by one or all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types

from tensorlint.codes import TOOL_CODES
from tensorlint.findings import Applicability, Finding, Fix, Span
from tensorlint.server.diagnostics import NAME, Abilities
from tensorlint.server.judging import Changes
from tensorlint.server.workspace import Page, Program

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.{NAME}"
KINDS = (types.CodeActionKind.QuickFix.value, FIX_ALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the editor asks for: where, about which diagnostics, and which kinds of actions."""

    page: Page
    at: Span
    diagnostics: Sequence[types.Diagnostic]
    only: Sequence[str] | None

    @classmethod
    def by(cls, params: types.CodeActionParams, page: Page) -> Asked:
        only = params.context.only
        kinds = None if only is None else [getattr(kind, "value", kind) for kind in only]
        return cls(page, page.span(params.range), params.context.diagnostics, kinds)

    def wants(self, kind: str) -> bool:
        """Whether a kind of action, or one above it, was asked for, or none in particular."""
        return self.only is None or any(f"{kind}.".startswith(f"{wanted}.") for wanted in self.only if wanted)

    def about(self, findings: Iterable[Finding]) -> list[tuple[Finding, list[types.Diagnostic]]]:
        """The findings that are meant, with the diagnostics that show them: by place, or because they are named."""
        meant = []
        for finding in findings:
            shown = self._that_show(finding)
            if shown or _meet(finding.span, self.at):
                meant.append((finding, shown))
        return meant

    def _that_show(self, finding: Finding) -> list[types.Diagnostic]:
        """The diagnostics of this finding; those of its code on its row where columns are not as we count them."""
        near = [
            (span, each)
            for each in self.diagnostics
            if each.code == finding.code and (span := self.page.span(each.range)).row == finding.span.row
        ]
        return [each for span, each in near if span == finding.span] or [each for _, each in near]


def quick_fix(
    program: Program, finding: Finding, shown: list[types.Diagnostic], abilities: Abilities
) -> types.CodeAction | None:
    """The fix of one finding; None where there is none to apply."""
    fix = finding.fix
    if fix is None or fix.applicability is Applicability.DISPLAY:
        return None
    return types.CodeAction(
        title=f"{NAME} ({finding.code}): {fix.message}{_unsafe(fix)}",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=shown or None,
        is_preferred=fix.is_safe or None,
        edit=_workspace_edit(_of_fix(program, fix), abilities),
    )


def _of_fix(program: Program, fix: Fix) -> Iterator[tuple[Page, list[types.TextEdit]]]:
    """The edits of a fix, which has rows of the program, by the documents they are for."""
    for page in program.pages:
        edits = [edit for edit in fix.edits if program.page_at(edit.span.row) is page]
        yield page, [page.edit(edit) for edit in edits]


def _unsafe(fix: Fix) -> str:
    if fix.is_safe:
        return ""
    return f" (unsafe: {fix.reason})" if fix.reason else " (unsafe)"


def can_be_suppressed(finding: Finding) -> bool:
    """Whether a comment can accept the finding; those about comments, and errors, cannot be."""
    return finding.code not in TOOL_CODES


def suppression(
    program: Program, finding: Finding, changes: Changes, shown: list[types.Diagnostic], abilities: Abilities
) -> types.CodeAction:
    """The comment that accepts one finding."""
    codes = ", ".join(sorted({finding.code, *finding.also}))
    return types.CodeAction(
        title=f"{NAME} ({finding.code}): suppress with `# noqa: {codes}`",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=shown or None,
        edit=_workspace_edit(_of_changes(program, changes), abilities),
    )


def fix_all(program: Program, changes: Changes, abilities: Abilities, *, unsafe: bool) -> types.CodeAction:
    """All fixes of the program at once."""
    return types.CodeAction(
        title=f"{NAME}: fix all, also what is unsafe" if unsafe else f"{NAME}: fix all that is safe",
        kind=FIX_ALL,
        edit=_workspace_edit(_of_changes(program, changes), abilities),
    )


def _of_changes(program: Program, changes: Changes) -> Iterator[tuple[Page, list[types.TextEdit]]]:
    """The edits in the documents, by them. Rows are those of the documents."""
    for page, edits in zip(program.pages, changes, strict=True):
        yield page, [types.TextEdit(page.places.range(edit.span), edit.content) for edit in edits]


def _workspace_edit(changes: Iterable[tuple[Page, list[types.TextEdit]]], abilities: Abilities) -> types.WorkspaceEdit:
    """Edits for the versions of the documents that they were made for."""
    changed = [(page, edits) for page, edits in changes if edits]
    if not abilities.versioned_edits:
        return types.WorkspaceEdit(changes={page.uri: edits for page, edits in changed})
    return types.WorkspaceEdit(document_changes=[_versioned(page, edits) for page, edits in changed])


def _versioned(page: Page, edits: list[types.TextEdit]) -> types.TextDocumentEdit:
    return types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(page.uri, page.version), edits)


def _meet(one: Span, other: Span) -> bool:
    """Whether two spans share a place, if only an end."""
    return (one.row, one.column) <= (other.end_row, other.end_column) and (other.row, other.column) <= (
        one.end_row,
        one.end_column,
    )

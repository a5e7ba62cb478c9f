"""What the editor offers to do about findings: the fixes of the command line, one by one or all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types

from tensorlint.codes import TOOL_CODES
from tensorlint.findings import Applicability, Edit, Finding, Fix, Span
from tensorlint.server.diagnostics import NAME, Abilities
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
            inside = self.page.first <= finding.span.row <= self.page.last
            if inside and (shown or _meet(finding.span, self.at)):
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
        edit=workspace_edit(program, fix.edits, abilities),
    )


def _unsafe(fix: Fix) -> str:
    if fix.is_safe:
        return ""
    return f" (unsafe: {fix.reason})" if fix.reason else " (unsafe)"


def can_be_suppressed(finding: Finding) -> bool:
    """Whether a comment can accept the finding; those about comments, and errors, cannot be."""
    return finding.code not in TOOL_CODES


def suppression(
    program: Program, finding: Finding, edits: Sequence[Edit], shown: list[types.Diagnostic], abilities: Abilities
) -> types.CodeAction:
    """The comment that accepts one finding."""
    codes = ", ".join(sorted({finding.code, *finding.also}))
    return types.CodeAction(
        title=f"{NAME} ({finding.code}): suppress with `# noqa: {codes}`",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=shown or None,
        edit=workspace_edit(program, edits, abilities),
    )


def fix_all(program: Program, edits: Sequence[Edit], abilities: Abilities, *, unsafe: bool) -> types.CodeAction:
    """All fixes of the program at once."""
    return types.CodeAction(
        title=f"{NAME}: fix all, also what is unsafe" if unsafe else f"{NAME}: fix all that is safe",
        kind=FIX_ALL,
        edit=workspace_edit(program, edits, abilities),
    )


def workspace_edit(program: Program, edits: Iterable[Edit], abilities: Abilities) -> types.WorkspaceEdit:
    """Edits of a program in the protocol's words, for the versions of its documents that they were made for."""
    by_page: dict[str, tuple[Page, list[types.TextEdit]]] = {}
    for edit in edits:
        page = program.page_at(edit.span.row)
        by_page.setdefault(page.uri, (page, []))[1].append(types.TextEdit(page.range(edit.span), edit.content))
    if not abilities.versioned_edits:
        return types.WorkspaceEdit(changes={uri: changes for uri, (_, changes) in by_page.items()})
    return types.WorkspaceEdit(document_changes=list(_versioned(by_page.values())))


def _versioned(changed: Iterable[tuple[Page, list[types.TextEdit]]]) -> Iterator[types.TextDocumentEdit]:
    for page, edits in changed:
        yield types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(page.uri, page.version), edits)


def _meet(one: Span, other: Span) -> bool:
    """Whether two spans share a place, if only an end."""
    return (one.row, one.column) <= (other.end_row, other.end_column) and (other.row, other.column) <= (
        one.end_row,
        one.end_column,
    )

"""Findings as the editor shows them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.uris import from_fs_path

from tensorlint.findings import Certainty, Finding, TraceStep
from tensorlint.links import rule_url
from tensorlint.rules import all_rules
from tensorlint.server.places import Places
from tensorlint.server.workspace import Program
from tensorlint.source import Source, SourceError

NAME = "tensorlint"
_SEVERITY = {
    Certainty.CERTAIN: types.DiagnosticSeverity.Error,
    Certainty.LIKELY: types.DiagnosticSeverity.Warning,
    Certainty.POSSIBLE: types.DiagnosticSeverity.Information,
}
#: Comments that do nothing.
_UNNECESSARY = frozenset({"TBX903", "TBX904"})
_TAGS = {"unnecessary": types.DiagnosticTag.Unnecessary, "deprecated": types.DiagnosticTag.Deprecated}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the editor can show, and how it counts."""

    encoding: str = "utf-16"
    related: bool = False
    tags: tuple[types.DiagnosticTag, ...] = ()
    markdown: bool = False
    versioned_edits: bool = False

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities, encoding: str) -> Abilities:
        def can(name: str, default: object = False) -> object:
            return get_capability(capabilities, name, default)

        tags = can("text_document.publish_diagnostics.tag_support.value_set", ())
        formats = can("text_document.hover.content_format", ())
        return cls(
            encoding,
            bool(can("text_document.publish_diagnostics.related_information")),
            tuple(tags) if isinstance(tags, (list, tuple)) else (),
            isinstance(formats, (list, tuple)) and types.MarkupKind.Markdown in formats,
            bool(can("workspace.workspace_edit.document_changes")),
        )


def diagnostics_of(
    program: Program, findings: Iterable[Finding], abilities: Abilities
) -> Mapping[str, list[types.Diagnostic]]:
    """By each document of the program what is found in it; an empty list where nothing is."""
    found: dict[str, list[types.Diagnostic]] = {page.uri: [] for page in program.pages}
    elsewhere = _Elsewhere(abilities.encoding)
    for finding in findings:
        found[program.page_at(finding.span.row).uri].append(_diagnostic(program, finding, abilities, elsewhere))
    return found


def _diagnostic(program: Program, finding: Finding, abilities: Abilities, elsewhere: _Elsewhere) -> types.Diagnostic:
    also = f" (also {', '.join(finding.also)})" if finding.also else ""
    remedy = f"\nhelp: {finding.help}" if finding.help else ""
    tag = _tag(finding.code)
    severity = _SEVERITY[finding.certainty] if tag is None else types.DiagnosticSeverity.Hint
    return types.Diagnostic(
        range=program.page_at(finding.span.row).range(finding.span),
        message=f"{finding.message}{also}{remedy}",
        severity=severity,
        code=finding.code,
        code_description=types.CodeDescription(href=rule_url(finding.code)),
        source=NAME,
        tags=[tag] if tag in abilities.tags else None,
        related_information=_related(program, finding, elsewhere) if abilities.related and finding.trace else None,
        data={
            "certainty": finding.certainty.label,
            "also": list(finding.also),
            "fix": finding.fix and finding.fix.applicability.value,
        },
    )


def _tag(code: str) -> types.DiagnosticTag | None:
    """How findings of a code are shown that say of no program that it goes wrong."""
    rule = all_rules().get(code)
    return _TAGS.get("unnecessary" if code in _UNNECESSARY else "" if rule is None else rule.harmless)


def _related(program: Program, finding: Finding, elsewhere: _Elsewhere) -> list[types.DiagnosticRelatedInformation]:
    return [
        types.DiagnosticRelatedInformation(location, step.message)
        for step in finding.trace
        if (location := elsewhere.location(step) if step.path else _here(program, step)) is not None
    ]


def _here(program: Program, step: TraceStep) -> types.Location:
    page = program.page_at(step.span.row)
    return types.Location(page.uri, page.range(step.span))


class _Elsewhere:
    """Places in other files, each of which is read once."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._places: dict[str, Places] = {}

    def location(self, step: TraceStep) -> types.Location | None:
        if step.path not in self._places:
            try:
                lines = Source.read(step.path).lines
            except SourceError:  # it is gone by now
                return None
            self._places[step.path] = Places(lines, self._encoding)
        uri = from_fs_path(os.path.abspath(step.path))
        return None if uri is None else types.Location(uri, self._places[step.path].range(step.span))

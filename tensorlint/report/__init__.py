"""What a run found, and one module for each format that turns it into text. Nothing here prints."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import cast

from tensorlint.contents import source_of
from tensorlint.findings import Applicability, Finding, Location, Span
from tensorlint.source import Source, SourceError

#: Format name to the module of this package that has a ``render(report, style)``.
FORMATS: Mapping[str, str] = {
    "full": "full",
    "concise": "concise",
    "grouped": "grouped",
    "json": "json_",
    "json-lines": "json_lines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "azure": "azure",
    "junit": "junit",
    "pylint": "pylint",
}
#: Those that people read: a summary follows.
FOR_PEOPLE = frozenset({"full", "concise", "grouped"})


@dataclass(frozen=True, slots=True)
class RuleText:
    """What there is to say about a code, for formats that describe the rules. ``documentation`` is Markdown."""

    name: str
    documentation: str


@dataclass(frozen=True, slots=True)
class Style:
    """How text is dressed: with colour or not, and relative to which directory paths are shown."""

    colour: bool = False
    cwd: str = ""
    #: What formats for programs have paths relative to; empty for the same.
    base: str = ""
    #: How wide the terminal is; 0 where text goes elsewhere, and nobody breaks lines.
    columns: int = 0
    #: Whether codes lead to their documentation.
    links: bool = False
    #: Whether unsafe fixes are on offer, too.
    unsafe_fixes: bool = False
    #: The codes that were found, described.
    rules: Mapping[str, RuleText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found, in order, and the exit code that follows from it.

    Of the ``checked`` paths, ``judged`` passed the byte screen. ``data`` holds the bytes of the files that have
    findings, for the snippets.
    """

    findings: tuple[Finding, ...] = ()
    checked: int = 0
    judged: int = 0
    data: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    #: Findings that were fixed, or would be, and the bytes of their files before and after.
    applied: tuple[Finding, ...] = ()
    changes: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)
    #: How many files were passed over, by what they are: templates of programs, notebooks of other languages.
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: Suppression comments that were added.
    comments: int = 0

    @property
    def has_errors(self) -> bool:
        """Whether some file could not be judged: TBX900 to TBX902."""
        return any(finding.is_internal for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 some file could not be judged."""
        return 2 if self.has_errors else 1 if self.findings else 0

    def only_errors(self) -> Report:
        """The same without findings of the rules."""
        return replace(self, findings=tuple(finding for finding in self.findings if finding.is_internal))

    def fixable(self, applicability: Applicability) -> int:
        """How many findings have a fix of this applicability."""
        return sum(finding.fix is not None and finding.fix.applicability is applicability for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """Findings by code, most frequent first."""
        counted = Counter(finding.code for finding in self.findings)
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of a program with findings; none when it has no readable text."""
        source = self._source(path)
        return () if source is None else source.lines

    def location(self, path: str, span: Span) -> Location:
        """Where people look for what stands in ``span`` of the program at ``path``."""
        source = self._source(path)
        return Location(None, span) if source is None else source.location(span)

    def in_file(self, path: str, span: Span) -> Span:
        """Where it stands in the file, for readers that know nothing of cells."""
        source = self._source(path)
        return span if source is None else source.in_file(span)

    def _source(self, path: str) -> Source | None:
        return _source_of(path, self.data[path]) if path in self.data else None

    def line_of(self, finding: Finding) -> str:
        """The line that a finding begins on, with single spaces and no indentation: it tells findings from others."""
        lines = self.lines(finding.path)
        return " ".join(lines[finding.span.row - 1].split()) if finding.span.row <= len(lines) else ""


@lru_cache(maxsize=4)
def _source_of(path: str, data: bytes) -> Source | None:
    """The program in a file, kept for as long as its findings are told; None where it cannot be read."""
    try:
        return source_of(path, data)
    except SourceError:
        return None


def render(report: Report, output_format: str, style: Style) -> str:
    """The report in one of ``FORMATS``, ending in a newline unless empty."""
    module = importlib.import_module(f"{__name__}.{FORMATS[output_format]}")
    return cast("Callable[[Report, Style], str]", module.render)(report, style)

"""What is found in a text that an editor has open, and what its fixes make of it. Knows nothing of the protocol.

A text is judged as ``tensorlint - --stdin-filename PATH`` would judge it: itself as the editor has it, the program
around it as it lies on disk.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tensorlint.config import ConfigError, Layer, Resolver
from tensorlint.discovery import is_excluded
from tensorlint.findings import Applicability, Certainty, Edit, Finding, Span, tool_finding
from tensorlint.report import Report
from tensorlint.runner import Fixing, forget, run_text
from tensorlint.runner.gathering import suppress
from tensorlint.runner.judging import internal_error
from tensorlint.source import NEWLINE, Source, file_bytes

#: For each document of a program the edits in it.
Changes: TypeAlias = Sequence[Sequence[Edit]]
#: Texts longer than this were generated, and judging them would keep others waiting.
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be judged: a program, the path it goes by, and the state of the files and settings around it.

    ``parts`` are the texts of its documents. ``era`` grows with each change of what is around it, so that two of the
    same text in one era are equal.
    """

    path: str
    parts: tuple[str, ...]
    era: int = 0
    certainty: Certainty | None = None

    @property
    def size(self) -> int:
        """How many characters it has."""
        return sum(map(len, self.parts))

    def data(self) -> bytes:
        """The program as its file would hold it."""
        return file_bytes(self.parts[0])

    def texts_in(self, data: bytes) -> tuple[str, ...]:
        """The texts of its documents in such bytes. Raises ``SourceError`` where they cannot be read."""
        return (Source.from_bytes(self.path, data).text,)


@dataclass(frozen=True, slots=True)
class Cells(Text):
    """The code cells of a notebook, as a notebook that has nothing else."""

    def data(self) -> bytes:
        """A notebook of these cells."""
        cells = [{"cell_type": "code", "source": part} for part in self.parts]
        return json.dumps({"cells": cells, "nbformat": 4}).encode()

    def texts_in(self, data: bytes) -> tuple[str, ...]:
        """The texts of the cells."""
        return tuple(cell["source"] for cell in json.loads(data)["cells"])


@dataclass
class Judge:
    """Judges one text after the other, and remembers the program around them for as long as an era lasts.

    Not to be used by two threads at once, as the linter's memory of programs is the process's.
    """

    on_error: Callable[[str], None] = lambda message: None
    _era: int = -1
    _resolvers: dict[Certainty | None, Resolver] = field(default_factory=dict)

    def check(self, text: Text) -> Report:
        """What is found. Whatever goes wrong is a finding, too, and is told to ``on_error``."""

        def work() -> Report:
            resolver = self._resolver(text)
            return run_text(text.path, text.data(), resolver) if _is_wanted(text, resolver) else Report()

        return self._guarded(text, work)

    def fix_all(self, text: Text, highest: Applicability) -> Changes:
        """The edits that ``--fix`` makes."""

        def work() -> Report:
            resolver, fixing = self._resolver(text), Fixing(highest, write=False)
            return run_text(text.path, text.data(), resolver, fixing) if _is_wanted(text, resolver) else Report()

        return _changes(text, self._guarded(text, work))

    def suppress(self, text: Text, report: Report, finding: Finding) -> Changes:
        """The edit that ``--add-noqa`` makes for one finding of the report; none where no comment can stand."""
        alone = replace(report, findings=(finding,), data={text.path: text.data()})
        return _changes(text, self._guarded(text, lambda: suppress(alone, write=False)))

    def _resolver(self, text: Text) -> Resolver:
        if text.era != self._era:
            forget()
            self._resolvers.clear()
            self._era = text.era
        if text.certainty not in self._resolvers:
            self._resolvers[text.certainty] = Resolver(
                Layer.of_options(certainty=text.certainty and text.certainty.label)
            )
        return self._resolvers[text.certainty]

    def _guarded(self, text: Text, work: Callable[[], Report]) -> Report:
        try:
            report = work()
        except ConfigError as error:
            report = Report(findings=(tool_finding("TBX900", text.path, str(error)),))
        except Exception as error:  # noqa: BLE001  # the promise of TBX900, and the server lives on
            report = Report(findings=(tool_finding("TBX900", text.path, internal_error(error)),))
        for finding in report.findings:
            if finding.code == "TBX900":
                self.on_error(f"{finding.path}: {finding.message}")
        return report


def _is_wanted(text: Text, resolver: Resolver) -> bool:
    """Whether the text is to be judged at all."""
    path = os.path.abspath(text.path)
    return text.size <= MAX_CHARACTERS and not is_excluded(path, resolver.for_file(path))


def _changes(text: Text, report: Report) -> Changes:
    """What the report changes; nothing where the encoding of the file does not have all characters of the text."""
    if text.path not in report.changes:
        return ()
    before, after = (text.texts_in(data) for data in report.changes[text.path])
    if before != text.parts:
        return ()
    changes = [tuple(edits_between(old, new)) for old, new in zip(before, after, strict=True)]
    return changes if any(changes) else ()


def edits_between(before: str, after: str) -> Iterator[Edit]:
    """The edits that lead from one text to another: a line that stays is left alone, and so are the ends of others."""
    old, new = _with_ends(before), _with_ends(after)
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            continue
        removed, added = "".join(old[start:end]), "".join(new[new_start:new_end])
        head = _common(removed, added)
        tail = _common(removed[head:][::-1], added[head:][::-1])
        yield Edit(
            Span(*_after(start, removed[:head]), *_after(start, removed[: len(removed) - tail])),
            added[head : len(added) - tail],
        )


def _with_ends(text: str) -> list[str]:
    """The lines of a text, each with its end; the last may be empty."""
    ends = [match.end() for match in NEWLINE.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    shared = min(len(one), len(other))
    return next((index for index in range(shared) if one[index] != other[index]), shared)


def _after(lines_before: int, text: str) -> tuple[int, int]:
    """The place behind a text that begins on the line after so many lines."""
    lines = NEWLINE.split(text)
    return lines_before + len(lines), len(lines[-1]) + 1

"""What there is to say about a code: for ``tensorlint rule``, the documentation pages, and the statistics."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from tensorlint.codes import TOOL_CODES
from tensorlint.findings import Applicability, Certainty
from tensorlint.fixtures_path import programs
from tensorlint.links import rule_url
from tensorlint.rules import all_rules

_TOOL_DOCUMENTATION = {
    "TBX900": """
        tensorlint itself failed on this file. The message names the exception and, when it is known, the rule. Other
        files are still reported and the exit code is 2. Please report it, with the part of the file that is enough.
    """,
    "TBX901": """
        The file is not valid Python, so that nothing in it was judged. The exit code is 2.
    """,
    "TBX902": """
        The file, or the directory, could not be read: no permission, a dangling symbolic link, bytes that are not
        in the encoding the file declares, a NUL byte, more than 2 MB of program, or an expression nested too deeply
        to be parsed. The exit code is 2.
    """,
    "TBX903": """
        A `# noqa: TBX101` or `# tensorlint: ignore` that suppresses nothing: the line was mended, or the finding begins
        on another line. A comment is left alone while one of the rules it names is switched off, and so are a bare
        `# noqa`, other tools' codes, comments for a whole file, and, under flake8, every `# noqa`. What is too
        uncertain to be shown counts as something to suppress. The fix, which is safe, takes the code or the comment
        out.
    """,
    "TBX904": """
        A suppression comment that names nothing there is, and so never had an effect: `# noqa: TBX999`,
        `# tensorlint: ignore[TBX999]`, `# tensorlint: ignore[]`, or a bracket that is left open, as in
        `# tensorlint: ignore[TBX101`. Other tools' codes in a `# noqa` are theirs to judge; so is, under flake8, every
        `# noqa`. The fix, which is safe, takes a code that does not exist out, and the comment with the last of them;
        what was meant by empty brackets, or by one bracket, is for you to say.
    """,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code, documented."""

    code: str
    name: str
    since: str
    fix: str | None
    default: bool
    #: How sure a finding must be to be shown without being asked for.
    shown: str
    documentation: str
    bad: tuple[Path, ...] = ()
    good: tuple[Path, ...] = ()

    @property
    def visibility(self) -> str:
        """What is not shown unless it is asked for, in words; empty where everything but ``possible`` findings is."""
        if not self.default:
            return "off by default"
        return "by default only `certain` findings are shown" if self.shown == Certainty.CERTAIN.label else ""

    @property
    def url(self) -> str:
        return rule_url(self.code)


def catalogue() -> dict[str, Entry]:
    """Every code in order."""
    entries: dict[str, Entry] = {}
    for code, rule in all_rules().items():
        bad, good = programs(code)
        entries[code] = Entry(
            code,
            rule.name,
            rule.since,
            rule.fix and rule.fix.value,
            bool(getattr(rule, "default", True)),
            rule.shown.label,
            inspect.cleandoc(rule.__doc__ or ""),
            bad,
            good,
        )
    for code, name in TOOL_CODES.items():
        fix = Applicability.SAFE.value if code in {"TBX903", "TBX904"} else None
        documentation = inspect.cleandoc(_TOOL_DOCUMENTATION[code])
        entries[code] = Entry(code, name, "0.1.0", fix, True, Certainty.LIKELY.label, documentation)
    return dict(sorted(entries.items()))

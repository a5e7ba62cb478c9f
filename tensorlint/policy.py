"""What one file is judged and fixed by. Apart from the engine, so that reading settings imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from tensorlint.findings import Applicability, Certainty, Fix

#: How an export is spelled out: ``.detach().cpu().numpy()``, or ``.numpy(force=True)`` (torch 1.13 and later).
ExportStyle = Literal["chain", "force"]


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """Which findings get a fix, and how far it is trusted. ``codes`` None stands for all of them."""

    codes: frozenset[str] | None = None
    #: Codes whose unsafe fixes count as safe, and the other way round.
    safe: frozenset[str] = frozenset()
    unsafe: frozenset[str] = frozenset()
    style: ExportStyle = "chain"

    def covers(self, code: str) -> bool:
        return self.codes is None or code in self.codes


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rules judge, and how sure a finding must be to be shown."""

    codes: frozenset[str]
    #: None leaves it to each rule, which is shown as far as it was measured to be right.
    certainty: Certainty | None = None
    #: Whether findings that one change mends are told as one. Off where the caller selects by code afterwards.
    merge: bool = True
    #: Whether findings are shown in spite of the comments that suppress them.
    ignore_noqa: bool = False
    #: The release of NumPy that the program is for; None for the newest.
    numpy: str | None = None
    #: None where nobody asks for fixes.
    fixes: FixPolicy | None = field(default_factory=FixPolicy)

    def shows(self, certainty: Certainty, shown: Certainty) -> bool:
        """Whether a finding this sure is shown, of a rule that is ``shown`` from there on by itself."""
        return certainty >= (shown if self.certainty is None else self.certainty)

    def accompanies(self, certainty: Certainty) -> bool:
        """Whether a finding this sure is told beside one that is shown and is mended by the same change."""
        return certainty >= (Certainty.LIKELY if self.certainty is None else self.certainty)

    def trusted(self, code: str, fix: Fix) -> Fix | None:
        """The fix of a finding with this code, trusted as far as the settings say; None where none is wanted."""
        if self.fixes is None or not self.fixes.covers(code):
            return None
        if fix.applicability is Applicability.UNSAFE and code in self.fixes.safe:
            return replace(fix, applicability=Applicability.SAFE)
        if fix.applicability is Applicability.SAFE and code in self.fixes.unsafe:
            return replace(fix, applicability=Applicability.UNSAFE, reason="the settings call it unsafe")
        return fix

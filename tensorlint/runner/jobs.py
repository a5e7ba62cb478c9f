"""What is to be done for one file, and what came of it: all that travels between processes."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlint.config import Settings, codes_of, resolve
from tensorlint.contents import program_bytes
from tensorlint.findings import Applicability, Finding
from tensorlint.policy import FixPolicy, Policy
from tensorlint.program.dependencies import Dependency
from tensorlint.screen import is_of_interest, may_matter
from tensorlint.tabulated import clues_of


@dataclass(frozen=True, slots=True)
class Fixing:
    """That fixes are wanted: up to which applicability, and whether they are to be written to the files."""

    highest: Applicability = Applicability.SAFE
    write: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """One file that is to be judged, complete, so that it can travel to another process."""

    path: str
    data: bytes
    policy: Policy
    #: Whether it passed the byte screen. If not, it only has to be a program.
    matters: bool = True
    #: How little a fix may be trusted to be applied; None where nothing is to be fixed.
    highest: Applicability | None = None
    #: Whether somebody asked for this very file, so that it must be a program.
    named: bool = True
    #: Whether somebody wants to know what the outcome depends on.
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one file: what is left to find, and what was found before when something was fixed."""

    path: str
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...] = ()
    fixed: bytes | None = None
    before: tuple[Finding, ...] = ()
    #: What the file is, where it is no program of ours and was passed over.
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, how many seconds of a processor that took, and what it depends on besides the job."""

    judged: Judged
    seconds: float = 0.0
    depends_on: frozenset[Dependency] = frozenset()


def job_of(
    path: str, data: bytes, policy: Policy, fixing: Fixing | None, *, named: bool = True, traced: bool = False
) -> Job:
    """What is to be done with these bytes."""
    searched = program_bytes(path, data)
    matters = is_of_interest(searched) and may_matter(searched, clues_of(policy.codes))
    highest = fixing.highest if fixing is not None and matters else None
    return Job(path, data, policy, matters, highest, named, traced)


def policy_of(settings: Settings, path: str) -> Policy:
    """What the settings say about one file."""
    fixable = codes_of(settings.fixable) - codes_of(settings.unfixable)
    safe, unsafe = codes_of(settings.extend_safe_fixes), codes_of(settings.extend_unsafe_fixes)
    fixes = FixPolicy(fixable, safe, unsafe, settings.export_style)
    return Policy(
        resolve(settings, path),
        settings.certainty,
        ignore_noqa=settings.ignore_noqa,
        numpy=settings.target_numpy,
        fixes=fixes,
    )

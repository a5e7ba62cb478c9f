"""What runs of a program, as written and as fixed, say about its claims and its fix. Pure: no process, no file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tensorlint.verify.claims import Claim, Judgement, Warns
from tensorlint.verify.observed import Run, State


def differences(before: Run, after: Run, expected: Sequence[Warns] = (), unstable: Collection[str] = ()) -> list[str]:
    """What a safe fix changed that it may not change, in words.

    A program that worked must end with the same values, sharing, warnings (but for the ``expected`` ones, which the fix
    takes away) and output. Of one that failed, what it had printed, and the state in which it reached the statement
    that failed. ``unstable`` are names that differ between two runs of the same program.
    """
    found: list[str] = []
    if before.failed:
        if not after.stdout.startswith(before.stdout):
            found.append(f"printed {_head(after.stdout)} instead of {_head(before.stdout)} before the failing line")
        found += _states(before.before, after.before, unstable, "before the failing line")
        return found
    if after.stdout != before.stdout:
        found.append(f"prints {_head(after.stdout)} instead of {_head(before.stdout)}")
    found += _states(before.state, after.state, unstable, "at the end")
    kept = [warning for warning in before.warnings if not any(claim.covers(warning) for claim in expected)]
    if (now := list(after.warnings)) != kept and now != list(before.warnings):
        found.append(f"warnings are {_warnings(now)} instead of {_warnings(kept)}")
    return found


def unstable_names(first: Run, second: Run) -> set[str]:
    """Names whose values differ between two runs of one program: uninitialised memory, times, addresses."""
    pairs = [(first.before, second.before), (first.state, second.state)]
    return {
        name
        for one, other in pairs
        if one and other
        for name in one.values.keys() | other.values.keys()
        if one.values.get(name) != other.values.get(name)
    }


def shown(claims: Sequence[Claim], run: Run, companions: dict[str, Run]) -> list[Judgement]:
    return [claim.judge(run, companions.get(claim.companion or "")) for claim in claims]


def _states(before: State | None, after: State | None, unstable: Collection[str], when: str) -> Iterator[str]:
    if before is None:
        return
    if after is None:
        yield f"the state {when} was not reached"
        return
    for name, value in before.values.items():
        if name not in unstable and after.values.get(name) != value:
            yield f"`{name}` is {_brief(after.values.get(name))} instead of {_brief(value)} {when}"
    for group in sorted(before.sharing ^ after.sharing):
        if not {name.partition("[")[0].partition(".")[0] for name in group} & set(unstable):
            lost = "no longer share memory" if group in before.sharing else "now share memory"
            yield f"{', '.join(f'`{name}`' for name in group)} {lost} {when}"


def _brief(description: object) -> str:
    text = str(description)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _head(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _warnings(warnings: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{category}: {message.splitlines()[0][:60]}" for category, message in warnings) or "none"

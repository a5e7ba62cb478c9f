"""One program on one device: run it, judge its claims, fix it, run the result, and say what that proves."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from tensorlint.findings import Applicability, Certainty, Finding
from tensorlint.source import Source
from tensorlint.verify import devices
from tensorlint.verify.claims import Claim, Judgement, Warns
from tensorlint.verify.judge import differences, shown, unstable_names
from tensorlint.verify.observed import Run
from tensorlint.verify.pool import Environment, Order, Pool
from tensorlint.verify.program import Program, ProgramError, read_program

ACCELERATORS = ("sim", "cuda", "mps")
_REAL = {"cuda": "no cuda device", "mps": "no mps device"}
#: How torch says that a backend lacks an operator.
_NO_KERNEL = re.compile(r"(aten::[\w.]+)")


class Verdict(enum.Enum):
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What the linter made of a program: its text, the codes that were applied, the rows (of the program as it was)
    in which, and the rows (of the result) in which a finding is left."""

    text: str
    applied: tuple[str, ...] = ()
    mended: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()


#: Program text and how far fixes may go, to the repaired program.
Fixer = Callable[[Program, Applicability], Repaired]


@dataclass(frozen=True, slots=True)
class FixCheck:
    """One fix, executed. ``problems`` is empty when it did what it promises."""

    applicability: Applicability
    codes: tuple[str, ...]
    text: str
    seen: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one program on one device, with the observation it rests on."""

    program: Program
    device: str
    verdict: Verdict
    observation: str
    claims: tuple[tuple[Claim, Judgement], ...] = ()
    fixes: tuple[FixCheck, ...] = ()

    @property
    def sort_key(self) -> tuple[bool, str, str, str]:
        return (not self.program.of_rule, self.program.group, self.program.name, self.device)


@dataclass(frozen=True)
class Devices:
    """Where programs are to run: those that name an accelerator on each of ``accelerators``, the others on the CPU."""

    cpu: bool
    accelerators: tuple[str, ...]
    #: Why an accelerator that was asked for is not there.
    missing: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def find_devices(asked: Sequence[str], python: str, programs: Sequence[Program]) -> Devices:
    """What was asked for, or without a wish the CPU, the simulated accelerator, and the real ones that are there.

    An interpreter is only asked for its accelerators when a program needs one: it takes seconds.
    """
    wanted = {"cpu", *ACCELERATORS} if not asked or "all" in asked else set(asked)
    candidates = [
        device for device in ACCELERATORS if device in wanted and any(program.accelerator for program in programs)
    ]
    with ThreadPoolExecutor(max(len(candidates), 1)) as threads:
        found = dict(
            zip(candidates, threads.map(lambda device: devices.available(device, python), candidates), strict=True)
        )
    missing = {
        device: _REAL.get(device) or f"no simulated accelerator: {each.reason}"
        for device, each in found.items()
        if not each.usable
    }
    accelerators = [device for device in candidates if asked or device == "sim" or device not in missing]
    names = {device: each.name for device, each in found.items() if each.usable}
    return Devices("cpu" in wanted, tuple(accelerators), missing, names)


def linter_fix(program: Program, highest: Applicability) -> Repaired:
    """What ``tensorlint --fix`` makes of the program."""
    from tensorlint.codes import default_codes
    from tensorlint.engine import fix
    from tensorlint.policy import Policy

    policy = Policy(default_codes() | {program.group}, Certainty.LIKELY)
    fixed = fix(Source(program.name, program.text), policy, highest)
    applied = tuple(sorted({code for finding in fixed.applied for code in (finding.code, *finding.also)}))
    return Repaired(fixed.source.text, applied, _rows(fixed.applied), _rows(fixed.findings))


def _rows(findings: Iterable[Finding]) -> frozenset[int]:
    return frozenset(row for finding in findings for row in range(finding.span.row, finding.span.end_row + 1))


class Harness:
    """Verifies programs in a pool of processes. ``fixer`` is the linter, or a stand-in."""

    def __init__(self, pool: Pool, environment: Environment, where: Devices, fixer: Fixer = linter_fix) -> None:
        self._pool = pool
        self._environment = environment
        self._where = where
        self._fixer = fixer

    def verify(self, programs: Sequence[Program], jobs: int = 1) -> Iterator[Row]:
        """Rows as they are done. An error of the fixer is the row's, never the run's."""
        forbidden = warnings_of_rules(programs)
        with ThreadPoolExecutor(jobs) as threads:
            futures: list[Future[Row]] = [
                threads.submit(self.row, program, device, forbidden.get(program.group, ()))
                for program in programs
                for device in self._devices(program)
            ]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                threads.shutdown(cancel_futures=True)

    def count(self, programs: Iterable[Program]) -> int:
        return sum(len(self._devices(program)) for program in programs)

    def _devices(self, program: Program) -> tuple[str, ...]:
        if not program.accelerator:
            return ("cpu",) if self._where.cpu else ()
        return self._where.accelerators or ("cpu",)

    def row(self, program: Program, device: str, forbidden: Sequence[Warns] = ()) -> Row:
        if reason := self._obstacle(program, device):
            return Row(program, device, Verdict.NOT_RUN, reason)
        run = self._run(program, program.text, device, "each")
        if reason := _beyond_simulation(run, device):
            return Row(program, device, Verdict.NOT_RUN, reason)
        if program.good:
            return _good(program, device, run, forbidden)
        try:
            companions = self._companions(program, program.text, device)
        except ProgramError as error:
            return Row(program, device, Verdict.REFUTED, str(error))
        judged = tuple(zip(program.claims, shown(program.claims, run, companions), strict=True))
        row = Row(program, device, Verdict.CONFIRMED, "; ".join(judgement.seen for _, judgement in judged), judged)
        wrong = [f"{claim.text}: {judgement.seen}" for claim, judgement in judged if not judgement.holds]
        if run.failed and (wrong or not any(claim.failure for claim in program.claims)):
            wrong.append(f"the program {run.ending}")
        if wrong:
            return replace(row, verdict=Verdict.REFUTED, observation="; ".join(wrong))
        return self._with_fixes(row, run)

    def _obstacle(self, program: Program, device: str) -> str:
        """Why it cannot be run here at all."""
        if program.accelerator and device == "cpu":
            return "needs an accelerator; `--device sim` simulates one"
        if device in self._where.missing:
            return self._where.missing[device]
        for requirement in program.requires:
            if requirement.is_device:
                if requirement.package != device:
                    return _REAL[requirement.package]
            elif missing := requirement.missing_from(dict(self._environment.packages)):
                return missing
        return ""

    def _run(self, program: Program, text: str, device: str, snapshot: str | int | None) -> Run:
        claims = program.claims
        return self._pool.run(
            Order(
                text=devices.adapt(text, device) if program.accelerator else text,
                name=program.path.name,
                prelude=devices.prelude(device),
                probes=tuple(dict.fromkeys(probe for claim in claims for probe in claim.probes())),
                marks=tuple(dict.fromkeys(mark for claim in claims for mark in claim.marks().items())),
                snapshot=snapshot,
                bounded=device in {"cpu", "sim"},
            )
        )

    def _companions(self, program: Program, text: str, device: str) -> dict[str, Run]:
        """The runs that claims compare one of ``text`` with: of a program beside it, or of itself on the CPU."""
        runs: dict[str, Run] = {}
        for name in {claim.companion for claim in program.claims if claim.companion}:
            if name == "cpu":
                runs[name] = self._run(program, text, "cpu", None)
                continue
            path = program.path.with_name(name)
            if not path.is_file():
                raise ProgramError(f"{program.path}: `{name}` is not beside it")
            other = replace(read_program(path), claims=program.claims)
            runs[name] = self._run(other, other.text, device, None)
        return runs

    def _with_fixes(self, row: Row, run: Run) -> Row:
        checks: list[FixCheck] = []
        try:
            safe = self._fixer(row.program, Applicability.SAFE)
            if safe.applied:
                checks.append(self._safe(row, run, safe))
            unsafe = self._fixer(row.program, Applicability.UNSAFE)
            if unsafe.applied and unsafe.text != safe.text:
                checks.append(self._unsafe(row, run, unsafe))
        except Exception as error:  # noqa: BLE001  # whatever a rule does; it is this row's verdict
            problem = f"the fixer failed: {type(error).__name__}: {error}"
            return replace(row, verdict=Verdict.REFUTED, observation=problem, fixes=tuple(checks))
        problems = [f"{check.applicability.value} fix: {each}" for check in checks for each in check.problems]
        if problems:
            return replace(row, verdict=Verdict.REFUTED, observation="; ".join(problems), fixes=tuple(checks))
        return replace(row, fixes=tuple(checks))

    def _safe(self, row: Row, run: Run, repaired: Repaired) -> FixCheck:
        """A safe fix takes away failures where it edits, and changes nothing else."""
        program, device = row.program, row.device
        fixed = self._run(program, repaired.text, device, run.statement if run.failed else "each")
        expected = [] if repaired.left else [claim for claim in program.claims if isinstance(claim, Warns)]
        changed = differences(run, fixed, expected)
        if changed:
            again = self._run(program, program.text, device, "each")
            changed = differences(run, fixed, expected, unstable_names(run, again))
        kind, codes, text = Applicability.SAFE, repaired.applied, repaired.text
        if _elsewhere(run, fixed, repaired):
            seen = f"{fixed.ending}, as before, in a line the fix does not touch; everything is equal"
            return FixCheck(kind, codes, text, seen, tuple(changed))
        still = [claim.text for claim in program.claims if claim.failure and claim.judge(fixed).holds]
        problems = (*_failure(fixed, repaired), *changed, *_still(still if not repaired.left else []))
        return FixCheck(kind, codes, text, f"{fixed.ending}; everything else is equal", problems)

    def _unsafe(self, row: Row, run: Run, repaired: Repaired) -> FixCheck:
        """An unsafe fix takes the claim away; what else it changes, its message says."""
        program, device = row.program, row.device
        fixed, still = self._still_true(program, repaired.text, device)
        kind, codes, text = Applicability.UNSAFE, repaired.applied, repaired.text
        if _elsewhere(run, fixed, repaired):
            return FixCheck(kind, codes, text, f"{fixed.ending}, as before, in a line the fix does not touch")
        if still:
            # How long something small takes once says little.
            again = self._still_true(program, repaired.text, device)[1]
            still = [text for text in still if text in again]
        expected_gone = program.of_rule and not repaired.left and len(still) == len(program.claims)
        problems = (*_failure(fixed, repaired), *_still(still if expected_gone else []))
        return FixCheck(kind, codes, text, fixed.ending, problems)

    def _still_true(self, program: Program, fixed: str, device: str) -> tuple[Run, list[str]]:
        """A run of the program as it was fixed, and the claims of the program that hold of it."""
        run = self._run(program, fixed, device, None)
        judged = zip(program.claims, shown(program.claims, run, self._companions(program, fixed, device)), strict=True)
        return run, [claim.text for claim, judgement in judged if judgement.holds]


def _elsewhere(run: Run, fixed: Run, repaired: Repaired) -> bool:
    """Whether the program fails as it did, in a line that no fix was meant for.

    A constructor that casts is the finding, and its fix spells the cast out; that the result indexes nothing shows many
    lines later, and there still.
    """
    if run.raised is None or fixed.raised is None or run.row in repaired.mended:
        return False
    return (run.raised.kinds, run.raised.message) == (fixed.raised.kinds, fixed.raised.message)


def _still(claims: Sequence[str]) -> Iterator[str]:
    if claims:
        yield f"the claim is still true: {'; '.join(claims)}"


def warnings_of_rules(programs: Iterable[Program]) -> dict[str, tuple[Warns, ...]]:
    """The warnings that bad programs of a rule claim: its good ones must not show them."""
    found: dict[str, tuple[Warns, ...]] = {}
    for program in programs:
        claims = tuple(claim for claim in program.claims if isinstance(claim, Warns))
        if claims and program.of_rule:
            found[program.group] = (*found.get(program.group, ()), *claims)
    return found


def _good(program: Program, device: str, run: Run, forbidden: Sequence[Warns]) -> Row:
    if run.failed:
        return Row(program, device, Verdict.REFUTED, run.ending)
    for claim in forbidden:
        if claim.judge(run).holds:
            return Row(program, device, Verdict.REFUTED, claim.judge(run).seen)
    return Row(program, device, Verdict.CONFIRMED, run.ending)


def _failure(fixed: Run, repaired: Repaired) -> Iterator[str]:
    """A fixed program may fail only where a finding is left."""
    if fixed.failed and fixed.row not in repaired.left:
        yield f"the fixed program {fixed.ending} in line {fixed.row}"


def _beyond_simulation(run: Run, device: str) -> str:
    if device != "sim" or run.raised is None or "NotImplementedError" not in run.raised.kinds:
        return ""
    operator = _NO_KERNEL.search(run.raised.message)
    return f"the simulated accelerator has no {operator[1] if operator else run.raised.message.splitlines()[0]}"

"""The verifier: its vocabulary, what it catches, and what a program that misbehaves can do to it (nothing)."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tensorlint.evidence import EvidenceError, ledgers, seen
from tensorlint.findings import Applicability
from tensorlint.fixtures_path import fixtures_root
from tensorlint.report import Style
from tensorlint.verify import ledger, report
from tensorlint.verify.claims import VOCABULARY, ClaimError, Warns, parse_claim
from tensorlint.verify.harness import Devices, Fixer, Harness, Repaired, Row, Verdict, find_devices
from tensorlint.verify.judge import differences, unstable_names
from tensorlint.verify.observed import Raised, Run, State
from tensorlint.verify.pool import Environment, Limits, MissingTorchError, Order, Pool
from tensorlint.verify.program import ProgramError, Requirement, find_programs, read_program, release
from tests.conftest import Outcome
from tests.conftest import Program as Tensorlint

ROOT = fixtures_root()
assert ROOT is not None
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None or importlib.util.find_spec("numpy") is None,
    reason="torch or NumPy is not installed",
)
NOWHERE = Environment("3.12.1", "2.13.0", "2.4.6", "Linux x86_64", {"torch": "2.13.0+cpu", "numpy": "2.4.6"})


# ---------------------------------------------------------------------------------------------------- claims, programs

CLAIMS = (
    'raises TypeError "can\'t convert"',
    'warns UserWarning "not writable"',
    "shares-memory a b[0]",
    'copies x net.state["w"]',
    "value-changes a.sum() between one and two",
    "dtype x.y is torch.float32",
    "value tuple(x.shape) is (1, 2)",
    "grad net.weight is None",
    "gradient differs from good_reference.py",
    "exit-signal SIGSEGV",
    "slower-than good_batched.py by 2.5",
    "alias on cpu, copy on accelerator: a b",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_claims_are_parsed(text: str) -> None:
    assert parse_claim(text).text == text


def test_each_claim_of_the_vocabulary_is_tried_and_documented() -> None:
    documented = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {type(parse_claim(text)) for text in CLAIMS} == set(VOCABULARY)
    for text in CLAIMS:
        word = text.partition(" ")[0]
        assert re.search(rf"`(\S+` / `)?{word} ", documented), f"fixtures/README.md does not explain `{word}`"


@pytest.mark.parametrize(
    "text", ["raises TypeError", "raises", "crashes", "exit-signal SIGKILL", "slower-than x by 2", "dtype x float", ""]
)
def test_what_is_no_claim_is_an_error(text: str) -> None:
    with pytest.raises(ClaimError):
        parse_claim(text)


def write(folder: Path, text: str, name: str = "bad_it.py") -> Path:
    path = folder / "TBX101_x" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "no `# claim:` line"),
        ("# claim: explodes", "not a claim: `explodes`"),
        ("# claim: none\n# device: gpu", "not a device: `gpu`"),
        ("# claim: none\n# colour: red", "not a header: `colour`"),
        ("# claim: none\n# verdict: perhaps", "not a verdict: `perhaps`"),
        ("# claim: none\n# requires: torch=2", "not a requirement: `torch=2`"),
    ],
)
def test_a_header_that_cannot_be_meant_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    path = write(tmp_path, f'{header}\n"""Story."""\n')
    with pytest.raises(ProgramError, match=re.escape(f"{path}: ")) as error:
        read_program(path)
    assert message in str(error.value)


def test_every_shipped_header_parses() -> None:
    programs = find_programs([ROOT])
    assert {program.path for program in programs} == set(ROOT.glob("*/*.py"))


def test_requirements() -> None:
    packages = {"torch": "2.2.2+cu121", "numpy": "1.26.4"}
    assert Requirement("torch", ">=", "2.2").missing_from(packages) == ""
    assert Requirement("torch", "<", "2.2").missing_from(packages) == "needs torch<2.2, this is 2.2.2+cu121"
    assert Requirement("numpy", ">=", "2").missing_from(packages) == "needs numpy>=2, this is 1.26.4"
    assert Requirement("pandas").missing_from(packages) == "needs pandas, which is not installed"
    assert release("2.13.0+cpu") == (2, 13) > release("2.2") > release("1.13.1")


# ------------------------------------------------------------------------------------------------------------- equality


def ended(*, stdout: str = "", **values: str) -> Run:
    return Run(complete=True, stdout=stdout, state=State(values))


def test_two_equal_runs_do_not_differ() -> None:
    assert differences(ended(a="1", stdout="x"), ended(a="1", b="new", stdout="x")) == []


def test_what_a_safe_fix_may_not_change() -> None:
    assert differences(ended(a="1"), ended(a="2")) == ["`a` is 2 instead of 1 at the end"]
    assert differences(ended(a="1"), ended()) == ["`a` is None instead of 1 at the end"]
    assert differences(ended(stdout="x"), ended(stdout="y")) == ["prints 'y' instead of 'x'"]
    shared = Run(complete=True, state=State({}, frozenset({("a", "b")})))
    assert differences(shared, ended()) == ["`a`, `b` no longer share memory at the end"]
    assert differences(ended(), shared) == ["`a`, `b` now share memory at the end"]


def test_warnings_are_equal_but_for_the_claimed_one() -> None:
    claim = parse_claim('warns UserWarning "not writable"')
    assert isinstance(claim, Warns)
    loud = replace(ended(), warnings=(("UserWarning", "it is not writable"), ("DeprecationWarning", "old")))
    quiet = replace(ended(), warnings=(("DeprecationWarning", "old"),))
    assert differences(loud, quiet, [claim]) == []
    assert len(differences(loud, quiet)) == 1
    assert len(differences(loud, ended(), [claim])) == 1


def test_of_a_program_that_raised_what_came_before_is_compared() -> None:
    raised = Raised(("TypeError", "Exception"), "no", 3)
    before = Run(complete=True, raised=raised, before=State({"a": "1"}), state=State({"a": "7"}), stdout="one\n")
    after = Run(complete=True, before=State({"a": "1"}), state=State({"a": "9"}), stdout="one\ntwo\n")
    assert differences(before, after) == []
    assert differences(before, replace(after, stdout="two\n")) != []
    assert differences(before, replace(after, before=State({"a": "2"}))) != []
    assert differences(before, replace(after, before=None)) == ["the state before the failing line was not reached"]


def test_what_differs_between_two_runs_of_one_program_is_not_compared() -> None:
    assert unstable_names(ended(a="1", b="2"), ended(a="1", b="3")) == {"b"}
    assert differences(ended(a="1", b="2"), ended(a="1", b="9"), unstable={"b"}) == []


# -------------------------------------------------------------------------------------------------------------- running


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(sys.executable, 1, Limits(seconds=6, megabytes=1024)) as pool:
        yield pool


@pytest.fixture(scope="module")
def strict_pool() -> Iterator[Pool]:
    with Pool(sys.executable, 1, Limits(seconds=2, megabytes=512)) as pool:
        yield pool


def no_fix(text: str) -> Fixer:
    return lambda program, highest: Repaired(text)


def verdict(pool: Pool, path: Path, fixer: Fixer | None = None, device: str = "cpu") -> Row:
    program = read_program(path)
    harness = Harness(pool, NOWHERE, Devices(True, ("sim",)), fixer or no_fix(program.text))
    return harness.row(program, device)


RAISES = """\
# claim: raises TypeError "can't convert"
\"\"\"Story.\"\"\"
import torch

t = torch.ones(2, device="meta")
print("before")
a = t.numpy()
print("after", a)
"""


@needs_torch
def test_a_true_claim_is_confirmed(pool: Pool, tmp_path: Path) -> None:
    row = verdict(pool, write(tmp_path, RAISES))
    assert (row.verdict, row.program.group) == (Verdict.CONFIRMED, "TBX101")
    assert row.observation.startswith("raised TypeError: can't convert meta device type tensor to numpy")


@needs_torch
@pytest.mark.parametrize(
    ("claim", "seen"),
    [
        ('raises ValueError "can\'t convert"', "raised TypeError: can't convert meta"),
        ('raises TypeError "another text"', "raised TypeError: can't convert meta"),
        ('warns UserWarning "x"', "no warning"),
        ("shares-memory a t", "NameError: name 'a' is not defined"),
        ("copies t t[:1]", "IndexError"),
        ("dtype t is torch.float64", "torch.float32"),
        ("value tuple(t.shape) is (3,)", "(2,)"),
        ("value-changes t.shape between one and two", "mark `one` was not reached"),
        ("exit-signal SIGSEGV", "raised TypeError"),
        ("grad t is None is None", ""),
    ],
)
def test_a_false_claim_is_refuted(pool: Pool, tmp_path: Path, claim: str, seen: str) -> None:
    if claim.startswith(("copies", "grad")):
        claim, seen = "grad t is None", ""
        text = "import torch\nt = torch.ones(2, requires_grad=True)\nt.sum().backward()\n"
        row = verdict(pool, write(tmp_path, f'# claim: {claim}\n"""S."""\n{text}'))
    else:
        row = verdict(pool, write(tmp_path, RAISES.replace(RAISES.splitlines()[0], f"# claim: {claim}")))
    assert row.verdict is Verdict.REFUTED
    assert row.observation.startswith(f"{claim}: ")
    assert seen in row.observation


@needs_torch
@pytest.mark.parametrize(
    ("claims", "body"),
    [
        (("shares-memory a b", "copies a c"), "a = torch.zeros(3)\nb = a.numpy()[1:]\nc = b.copy()"),
        (("shares-memory a b",), "a = np.zeros(4)\nb = torch.from_numpy(a[::2])"),
        (("value-changes a[0].item() between x and y",), "a = torch.zeros(2)\n# mark: x\na += 1\n# mark: y"),
        (("grad a is None",), "a = torch.ones(1, requires_grad=True)\n(a.detach() * 2).sum()"),
        (('raises SystemExit "3"',), "raise SystemExit(3)"),
        (('raises KeyError "x"', "value reached is True"), "reached = True\n{}['x']"),
        (('warns UserWarning "not writable"',), "a = np.zeros(2)\na.flags.writeable = False\ntorch.from_numpy(a)"),
        (("exit-signal SIGSEGV",), "import ctypes\nctypes.string_at(0)"),
        (("exit-signal SIGABRT",), "import os\nos.abort()"),
    ],
)
def test_each_kind_of_claim_can_be_seen(pool: Pool, tmp_path: Path, claims: tuple[str, ...], body: str) -> None:
    header = "".join(f"# claim: {claim}\n" for claim in claims)
    row = verdict(pool, write(tmp_path, f'{header}"""S."""\nimport numpy as np\nimport torch\n{body}\n'))
    assert (row.verdict, row.observation) == (Verdict.CONFIRMED, row.observation), row.observation


@needs_torch
def test_claims_against_another_program(pool: Pool, tmp_path: Path) -> None:
    body = (
        "import torch\nw = torch.ones(2, requires_grad=True)\n(w * {factor}).sum().backward()\nsum(range({rounds}))\n"
    )
    write(tmp_path, '# claim: none\n"""S."""\n' + body.format(factor=2, rounds=1_000_000), "good_it.py")
    claims = "# claim: gradient differs from good_it.py\n# claim: slower-than good_it.py by 3\n"
    wrong = write(tmp_path, f'{claims}"""S."""\n' + body.format(factor=3, rounds=50_000_000))
    assert verdict(pool, wrong).verdict is Verdict.CONFIRMED
    same = write(tmp_path, f'{claims}"""S."""\n' + body.format(factor=2, rounds=1_000_000))
    row = verdict(pool, same)
    assert row.verdict is Verdict.REFUTED
    assert "the gradients of w agree" in row.observation
    assert "slower-than good_it.py by 3: " in row.observation


def stand_in(text: str, highest: Applicability, left: frozenset[int] = frozenset()) -> Fixer:
    """A fixer whose only fix makes this of a program."""

    def fixer(program: object, asked: Applicability) -> Repaired:
        if highest is Applicability.UNSAFE and asked is Applicability.SAFE:
            return Repaired(RAISES)
        return Repaired(text, ("TBX101",), frozenset({7}), left)

    return fixer


FIXED = RAISES.replace("t.numpy()", "list(t.shape)")


@needs_torch
def test_a_right_fix_is_confirmed(pool: Pool, tmp_path: Path) -> None:
    row = verdict(pool, write(tmp_path, RAISES), stand_in(FIXED, Applicability.SAFE))
    assert row.verdict is Verdict.CONFIRMED, row.observation
    assert [(check.applicability, check.problems) for check in row.fixes] == [(Applicability.SAFE, ())]


@needs_torch
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RAISES + "\n", "the claim is still true"),
        (RAISES.replace("t.numpy()", "t.undefined"), "the fixed program raised AttributeError"),
        (FIXED.replace("torch.ones(2,", "torch.ones(3,"), "`t` is"),
        (FIXED.replace('"before"', '"changed"'), "printed 'changed"),
        (FIXED.replace('print("before")', 'import warnings; warnings.warn("w")'), "printed "),
        (FIXED.replace("import torch", "import torch, os; os.abort()"), "ended by SIGABRT"),
        ("def", "SyntaxError"),
    ],
)
def test_a_wrong_safe_fix_is_caught(pool: Pool, tmp_path: Path, text: str, problem: str) -> None:
    row = verdict(pool, write(tmp_path, RAISES), stand_in(text, Applicability.SAFE))
    assert row.verdict is Verdict.REFUTED
    assert "safe fix: " in row.observation
    assert problem in row.observation


@needs_torch
@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("torch.ones(2)", "torch.ones(2, dtype=torch.float64)", "`b` is"),
        ("a.numpy()", "a.numpy().copy()", "`a`, `b` no longer share memory"),
        ("print(b)", "print(b.sum())", "prints "),
        ("print(b)", "print(b); import warnings; warnings.warn('w')", "warnings are UserWarning: w instead of none"),
    ],
)
def test_a_safe_fix_that_changes_a_working_program_is_caught(
    pool: Pool, tmp_path: Path, before: str, after: str, problem: str
) -> None:
    text = '# claim: shares-memory a b\n"""S."""\nimport torch\na = torch.ones(2)\nb = a.numpy()\nprint(b)\n'
    row = verdict(pool, write(tmp_path, text), stand_in(text.replace(before, after), Applicability.SAFE))
    assert row.verdict is Verdict.REFUTED
    assert problem in row.observation


@needs_torch
def test_an_unsafe_fix_has_to_take_the_claim_away(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path, RAISES)
    good = verdict(pool, path, stand_in(FIXED.replace('"before"', '"changed"'), Applicability.UNSAFE))
    assert good.verdict is Verdict.CONFIRMED
    wrong = verdict(pool, path, stand_in(RAISES.replace('"before"', '"changed"'), Applicability.UNSAFE))
    assert "unsafe fix: " in wrong.observation
    assert "the claim is still true" in wrong.observation


@needs_torch
def test_a_fixer_that_fails_is_one_row(pool: Pool, tmp_path: Path) -> None:
    def broken(program: object, highest: Applicability) -> Repaired:
        raise RuntimeError("oops")

    row = verdict(pool, write(tmp_path, RAISES), broken)
    assert (row.verdict, row.observation) == (Verdict.REFUTED, "the fixer failed: RuntimeError: oops")


@needs_torch
def test_a_good_program_must_run_and_not_show_the_claim(pool: Pool, tmp_path: Path) -> None:
    clean = write(tmp_path, '# claim: none\n"""S."""\nprint(1)\n', "good_a.py")
    raising = write(tmp_path, '# claim: none\n"""S."""\n1 / 0\n', "good_b.py")
    warning = write(tmp_path, '# claim: none\n"""S."""\nimport warnings\nwarnings.warn("odd")\n', "good_c.py")
    assert verdict(pool, clean).verdict is Verdict.CONFIRMED
    assert verdict(pool, raising).observation == "raised ZeroDivisionError: division by zero"
    harness = Harness(pool, NOWHERE, Devices(True, ()), no_fix(""))
    claim = parse_claim('warns UserWarning "odd"')
    assert isinstance(claim, Warns)
    assert harness.row(read_program(warning), "cpu", [claim]).verdict is Verdict.REFUTED


MISBEHAVIOUR = {
    "hangs": ("while True: pass", "still running after 2 s"),
    "sleeps": ("import time; time.sleep(60)", "still running after 2 s"),
    "eats memory": ("b = [bytearray(1 << 20) for _ in range(9)]\nb.append(bytearray(8 << 30))", "raised MemoryError"),
    "fills the disk": ("with open('x', 'wb') as f:\n    while True: f.write(bytes(1 << 20))", "SIGXFSZ|File too large"),
    "segfaults": ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV"),
    "aborts": ("import os; os.abort()", "ended by SIGABRT"),
    "leaves": ("import os; os._exit(0)", "left with exit code 0 before its end"),
    "kills its group": ("import os, signal; os.killpg(0, signal.SIGKILL)", "ended by SIGKILL"),
    "kills its parent": ("import os, signal, time; os.kill(os.getppid(), 9); time.sleep(9)", "ended the process that"),
    "stops its parent": ("import os, signal; os.kill(os.getppid(), signal.SIGSTOP)", "ended the process that"),
    "ignores signals": (
        "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "still running after 2 s",
    ),
    "leaves a thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n1 / 0",
        "Zero",
    ),
    "leaves a process": (
        "import os, time\nif not os.fork():\n  os.setsid()\n  if not os.fork(): time.sleep(99)\n  os._exit(0)\n1 / 0",
        "Zero",
    ),
    "asks the network": ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", "have no network"),
    "raises nonsense": ("class E(BaseException):\n    def __str__(self): return '\\ud800\\0'\nraise E", "raised E"),
    "recurses": ("def f(): f()\nf()", "RecursionError"),
    "does not parse": ("def", "SyntaxError"),
}


@needs_torch
@pytest.mark.skipif(sys.platform != "linux", reason="process limits are tested on Linux")
@pytest.mark.parametrize("deed", MISBEHAVIOUR)
def test_a_program_that_misbehaves_is_one_row(
    strict_pool: Pool, tmp_path: Path, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tensorlint.verify.pool._GRACE", 3.0)
    body, seen = MISBEHAVIOUR[deed]
    bad = write(tmp_path, f'# claim: value 1 is 2\n"""S."""\nprint("hello")\n{body}\n')
    fine = write(tmp_path, RAISES, "bad_fine.py")
    row, after = verdict(strict_pool, bad), verdict(strict_pool, fine)
    assert row.verdict is Verdict.REFUTED
    assert re.search(seen, row.observation), row.observation
    assert after.verdict is Verdict.CONFIRMED, after.observation


@needs_torch
def test_garbage_is_only_output(pool: Pool, tmp_path: Path) -> None:
    body = (
        "import os, sys\nsys.stdout.buffer.write(bytes(range(256)) * 9000)\nprint('\\ud800')\n"
        "for fd in range(3, 40):\n    try: os.write(fd, b'{\"exit\": 7}\\n')\n    except OSError: pass\n"
        "os.closerange(0, 40)\n"
    )
    row = verdict(pool, write(tmp_path, f'# claim: value 1 + 1 is 2\n"""S."""\n{body}'))
    assert row.verdict is Verdict.CONFIRMED, row.observation


@needs_torch
def test_without_fork_each_program_has_an_interpreter(tmp_path: Path) -> None:
    path = write(tmp_path, RAISES)
    hanging = write(tmp_path, '# claim: none\n"""S."""\nwhile True: pass\n', "good_h.py")
    with Pool(sys.executable, 1, Limits(seconds=8), fork=False) as pool:
        assert verdict(pool, path).verdict is Verdict.CONFIRMED
        assert verdict(pool, hanging).verdict is Verdict.REFUTED


@needs_torch
def test_programs_are_pinned_and_apart(pool: Pool) -> None:
    text = (
        "import os, random, numpy, torch\n"
        "print(random.random(), numpy.random.rand(), torch.rand(1), os.listdir(), torch.get_num_threads())\n"
        "open('left', 'w').close()\n"
    )
    first, second = pool.run(Order(text, "p.py")), pool.run(Order(text, "p.py"))
    assert first.stdout == second.stdout
    assert first.stdout.endswith("['p.py'] 1\n")


# ------------------------------------------------------------------------------------------------------------- devices


def test_what_cannot_be_run_says_why(tmp_path: Path) -> None:
    text = '# claim: none\n# device: accelerator\n"""S."""\n'
    program = read_program(write(tmp_path, text, "good_it.py"))
    real = read_program(write(tmp_path, text + "", "good_two.py"))
    real = replace(real, requires=(Requirement("cuda"),))
    old = replace(program, requires=(Requirement("torch", "<", "2"),))
    with Pool("/nonexistent") as pool:
        harness = Harness(pool, NOWHERE, Devices(True, ("sim", "cuda"), {"cuda": "no cuda device"}))
        rows = [harness.row(*pair) for pair in ((program, "cpu"), (program, "cuda"), (real, "sim"), (old, "sim"))]
    assert {row.verdict for row in rows} == {Verdict.NOT_RUN}
    assert [row.observation for row in rows] == [
        "needs an accelerator; `--device sim` simulates one",
        "no cuda device",
        "no cuda device",
        "needs torch<2, this is 2.13.0+cpu",
    ]


@needs_torch
def test_real_devices_are_missing_only_when_asked_for() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    programs = find_programs([ROOT / "claims" / "A2_cuda_needs_cpu.py"])
    assert "cuda" not in find_devices([], sys.executable, programs).accelerators
    asked = find_devices(["cuda"], sys.executable, programs)
    assert (asked.cpu, asked.accelerators, asked.missing) == (False, ("cuda",), {"cuda": "no cuda device"})


@needs_torch
def test_a_device_that_is_not_there_is_an_error(tensorlint: Tensorlint) -> None:
    outcome = tensorlint("verify", "--device", "cuda", "numpy-off-cpu", env={"CUDA_VISIBLE_DEVICES": ""})
    said = "Error: --device cuda: no cuda device; `--device sim` simulates an accelerator\n"
    assert outcome == Outcome(2, "", said)


# --------------------------------------------------------------------------------------------------------------- report


def rows() -> list[Row]:
    programs = find_programs([ROOT / "TBX102_numpy_requires_grad"])[:2]
    return [
        Row(programs[0], "cpu", Verdict.CONFIRMED, "raised RuntimeError: ..."),
        Row(programs[1], "sim", Verdict.NOT_RUN, "no simulated accelerator"),
        Row(programs[1], "cpu", Verdict.REFUTED, "ran to its end\x1b[31m"),
    ]


def test_the_table_is_plain_text() -> None:
    text = report.table(rows(), NOWHERE, 1.0, Style())
    assert "3 runs: 1 confirmed, 1 refuted, 1 not run." in text
    assert "not run 1 on simulated: no simulated accelerator" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", [200, 60])
def test_explain_shows_program_and_observation(columns: int) -> None:
    text = report.explain(rows()[2], columns, Style())
    assert "ran to its end\\x1b[31m" in text
    assert (" | " in text.splitlines()[2]) == (columns == 200)


def test_a_ledger_says_where_and_what() -> None:
    data = json.loads(ledger.render_ledger(rows(), NOWHERE, Devices(True, ("sim",), names={"sim": "simulated"})))
    assert data["schema"] == 1
    assert data["counts"] == {"confirmed": 1, "refuted": 1, "not-run": 1}
    assert {row["verdict"] for row in data["rows"]} == {"confirmed", "refuted", "not-run"}
    assert data["devices"] == {"cpu": "CPU", "sim": "simulated"}


# --------------------------------------------------------------------------------------------------------- command line


def interpreter(folder: Path, body: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for an interpreter")
def test_without_torch_it_says_what_to_install(tensorlint: Tensorlint, tmp_path: Path) -> None:
    path = interpreter(tmp_path, 'echo \'{"error": "ModuleNotFoundError: No module named torch"}\'')
    with pytest.raises(MissingTorchError), Pool(path) as pool:
        pool.environment()
    outcome = tensorlint("verify", "TBX101", "--python", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "pip install 'tensorlint[verify]'" in outcome.err


@needs_torch
def test_an_interpreter_is_found_from_here(tensorlint: Tensorlint, tmp_path: Path) -> None:
    outcome = tensorlint("verify", "TBX208", "--device", "cpu", "--python", os.path.relpath(sys.executable, tmp_path))
    assert outcome.code == 0, outcome.err


def test_usage_errors(tensorlint: Tensorlint, tmp_path: Path) -> None:
    for arguments, message in (
        (["TBX999"], "no fixtures for `TBX999`"),
        (["no/such/path"], "`no/such/path` is neither the code of a rule nor a path that exists"),
        (["TBX101", "--python", "no/such/python"], "no/such/python cannot be run"),
        ([str(tmp_path)], "no fixture programs"),
    ):
        outcome = tensorlint("verify", *arguments)
        assert (outcome.code, outcome.out) == (2, ""), outcome.err
        assert message in outcome.err


@needs_torch
def test_fixtures_of_ones_own(tensorlint: Tensorlint, tmp_path: Path) -> None:
    write(tmp_path, RAISES)
    (tmp_path / "helper.py").write_text("1 / 0\n")
    outcome = tensorlint("verify", ".", "--record", "ledger.json", "--explain", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "this executes the programs in ." in outcome.err
    assert "1 run: 1 confirmed, 0 refuted, 0 not run." in outcome.out
    assert "\x1b" not in outcome.out + outcome.err
    assert json.loads((tmp_path / "ledger.json").read_text())["rows"][0]["verdict"] == "confirmed"
    write(tmp_path, RAISES.replace("TypeError", "ValueError"))
    outcome = tensorlint("verify", ".", "--output-format", "json", cwd=tmp_path)
    assert outcome.code == 1
    assert [row["verdict"] for row in json.loads(outcome.out)["rows"]] == ["refuted"]


@needs_torch
def test_a_rule_is_verified(tensorlint: Tensorlint) -> None:
    outcome = tensorlint("verify", "TBX102")
    assert outcome.code == 0, outcome.out
    assert re.search(r"^TBX102 +cpu +\d+ +\d+ +0 +0 +(\d+) of \1", outcome.out, re.MULTILINE)


def test_linting_imports_nothing_of_the_verifier(tensorlint: Tensorlint, tmp_path: Path) -> None:
    code = "import sys, tensorlint.cli; tensorlint.cli.main(['check', '.']); print('tensorlint.verify' in sys.modules)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


# ------------------------------------------------------------------------------------------------------------- evidence


def test_shipped_ledgers_can_be_read_and_refute_nothing() -> None:
    assert {release(book["torch"])[:2] for book in ledgers()} >= {(1, 13), (2, 2), (2, 13)}
    for book in ledgers():
        assert [row["fixture"] for row in book["rows"] if row["verdict"] == "refuted"] == []


def test_evidence_counts_by_rule_and_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Devices(True, ("sim",), names={"sim": "simulated accelerator"})
    (tmp_path / "one.json").write_text(ledger.render_ledger(rows(), NOWHERE, where), encoding="utf-8")
    monkeypatch.setattr("tensorlint.evidence.evidence_root", lambda: tmp_path)
    ledgers.cache_clear()
    try:
        cpu, sim = seen("TBX102")
        assert (cpu.device, cpu.not_run, len(cpu.refuted)) == ("cpu", 0, 1)
        assert (sim.device, sim.not_run, sim.refuted) == ("simulated accelerator", 1, ())
        (tmp_path / "two.json").write_text('{"schema": 2}', encoding="utf-8")
        ledgers.cache_clear()
        with pytest.raises(EvidenceError, match="not a ledger of schema 1"):
            seen("TBX102")
    finally:
        ledgers.cache_clear()


def test_the_page_of_a_rule_says_where_it_was_confirmed(tensorlint: Tensorlint) -> None:
    text = tensorlint("rule", "TBX102").out
    assert re.search(r"\d+ flagged and \d+ not flagged on torch 2\.13\.0\S*, NumPy 2\.4\.6, .*, cpu", text)
    assert json.loads(tensorlint("rule", "TBX102", "--output-format", "json").out)["evidence"]


def test_a_ledger_that_proves_too_little_is_told() -> None:
    sys.path.insert(0, str(ROOT.parent / "tools"))
    try:
        from proved import complaints  # type: ignore[import-not-found,unused-ignore]
    finally:
        sys.path.pop(0)
    row = {"rule": "TBX101", "fixture": "f", "device": "cpu", "verdict": "confirmed", "claims": [1]}
    assert "TBX101: 1 bad programs confirmed, needs 3" in complaints([row])
    assert complaints([{**row, "verdict": "refuted"}])[0] == "f on cpu: refuted"
    away = {**row, "verdict": "not-run", "observation": "no cuda device"}
    assert not [
        complaint
        for complaint in complaints([{**away, "fixture": f"x/bad_{number}.py"} for number in range(3)])
        if complaint.startswith("TBX101") and "bad" in complaint
    ]

"""What the verifier catches, and what a program that misbehaves can do to it (nothing)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tensorlint.findings import Applicability
from tensorlint.verify.claims import Warns, parse_claim
from tensorlint.verify.harness import Devices, Fixer, Harness, Repaired, Row, Verdict, find_devices
from tensorlint.verify.pool import Limits, Order, Pool
from tensorlint.verify.program import Requirement, find_programs, read_program
from tests.conftest import Outcome
from tests.conftest import Program as Tensorlint
from tests.verifying import NOWHERE, RAISES, ROOT, needs_torch, write

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
def test_what_is_fixed_is_compared_with_itself_on_the_cpu(pool: Pool, tmp_path: Path) -> None:
    text = '# claim: alias on cpu, copy on accelerator: x y\n# device: accelerator\n"""S."""\nimport torch\n'
    text += 'x = torch.ones(2)\ny = x.to("cuda")\n'
    fixer = stand_in(text.replace('"cuda"', '"cuda", copy=True'), Applicability.UNSAFE)
    row = verdict(pool, write(tmp_path, text), fixer, "sim")
    assert (row.verdict, len(row.fixes)) == (Verdict.CONFIRMED, 1), row.observation


@needs_torch
def test_who_looks_at_memory_does_not_hold_it(pool: Pool, tmp_path: Path) -> None:
    text = '# claim: none\n"""S."""\nimport numpy as np\nimport torch\nx, a = torch.ones(2), np.ones(2)\n'
    text += "x = x.resize_(1)\na.resize(8)\nx.resize_(8).fill_(1)\n"
    row = verdict(pool, write(tmp_path, text, "good_it.py"), stand_in(text + "# fixed\n", Applicability.SAFE))
    assert row.verdict is Verdict.CONFIRMED, row.observation


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

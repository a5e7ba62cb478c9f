from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlint import engine
from tensorlint.config import Resolver
from tensorlint.deep import with_deep_stack
from tensorlint.discovery import Discovered, discover
from tensorlint.engine import Policy
from tensorlint.findings import Certainty, Finding, Span
from tensorlint.report import Report
from tensorlint.rules import all_rules
from tensorlint.runner import run, run_text
from tensorlint.screen import is_of_interest, may_matter
from tensorlint.source import Source
from tensorlint.tabulated import clues_of

BUG = "import torch\nx = torch.Tensor([1, 20000001]).cuda().numpy()\n"
ALL = clues_of(frozenset(all_rules()))
FORKS = sys.platform == "linux" and sys.version_info < (3, 14)


def fake_check(source: Source, policy: Policy, world: object = None) -> list[Finding]:
    """A finding on each line with "finding", and each of the ways an engine can fail."""
    if "explode" in source.text:
        raise KeyError("explode")
    if "recurse" in source.text:
        return fake_check(source, policy)
    if "memory" in source.text:
        raise MemoryError
    if "die" in source.text:
        os.kill(os.getpid(), signal.SIGKILL)
    return [
        Finding("TBX101", "m", source.path, Span(row, 1, row, 2), Certainty.CERTAIN)
        for row, line in enumerate(source.lines, start=1)
        if "finding" in line
    ]


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "check", fake_check)


def write(root: Path, **programs: str) -> list[Discovered]:
    for name, text in programs.items():
        (root / f"{name}.py").write_text(text)
    return discover([str(root)], Resolver(isolated=True).for_directory)


def lint(files: list[Discovered], jobs: int = 1) -> Report:
    return run(files, Resolver(isolated=True), jobs)


def brief(report: Report) -> list[tuple[str, str, int]]:
    return [(finding.code, os.path.basename(finding.path), finding.span.row) for finding in report.findings]


# The screen


@pytest.mark.parametrize(
    "text",
    [
        "x.numpy()",
        "f = x.numpy",
        "x . y; x\\\n.numpy ()",
        "torch.from_numpy(a)",
        "import torch\ntorch.as_tensor(a)",
        "import torch\nnp.asarray(x)",
        "torch.FloatTensor (a)",
        "Tensor\n(a)",
        "import torch\nbest = model.state_dict()",
        "torch.frombuffer(b)",
        "import torch\nrandom.shuffle(x)",
        "import torch\nnp.mean(x)",
        "import torch\ntorch.zeros(2, dtype=np.float32)",
        "import numpy as np\nnp.array(weights.values())",
        "from_dlpack(x)",
        "import torch\nfor p in ps:\n    kept.append(p.add_(1))",
        "import torch\nold = [p.data for p in ps]\nopt.step()",
        "from random import shuffle\nimport torch\nshuffle(x)",
        "import numpy as np\nb = np.zeros(3)\nkept.append(b)",
    ],
)
def test_the_screen_keeps(text: str) -> None:
    assert is_of_interest(text.encode())
    assert may_matter(text.encode(), ALL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "import numpy as np\nnp.zeros(3)",
        "import torch\ntorch.nn.Linear(1, 2)",
        "import torch\nfrom torch.utils.data import Dataset\nclass D(Dataset):\n    def __init__(self): pass",
    ],
)
def test_the_screen_drops(text: str) -> None:
    assert not (is_of_interest(text.encode()) and may_matter(text.encode(), ALL))


def test_a_rule_that_is_not_selected_lets_no_file_through() -> None:
    text = b"import torch\nfor x in xs:\n    loss.backward()\n    total += loss\n"
    assert may_matter(text, all_rules()["TBX503"].clues)
    assert not may_matter(text, clues_of(frozenset({"TBX101", "TBX304"})))


def test_every_rule_says_what_it_needs() -> None:
    assert [code for code, rule in all_rules().items() if () in rule.clues] == []


def test_the_list_of_rules_costs_no_libcst() -> None:
    program = "import sys; from tensorlint.rules import all_rules; all_rules(); assert 'libcst' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nothing_is_imported_for_files_that_cannot_matter(tmp_path: Path, jobs: str) -> None:
    files = [tmp_path / f"f{number}.py" for number in range(30)]
    for file in files:
        file.write_text("def f(x):\n    return x + 1\n")
    program = (
        "import sys; from tensorlint.cli import main; code = main(sys.argv[1:])\n"
        "assert code == 0, code\n"
        "heavy = {'libcst', 'torch', 'numpy', 'tensorlint.engine', 'tensorlint.rules'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for arguments in ([str(tmp_path)], [str(file) for file in files], ["--version"]):
        subprocess.run(
            [sys.executable, "-c", program, *arguments, *(["-j", jobs] if arguments[0] != "--version" else [])],
            check=True,
        )


@pytest.mark.parametrize("named", [False, True])
def test_a_broken_file_without_tokens_is_reported(tmp_path: Path, named: bool) -> None:
    write(tmp_path, broken="def f(:\n")
    path = str(tmp_path / "broken.py")
    assert brief(lint([Discovered(path, named=named)])) == [("TBX901", "broken.py", 1)]


# Order, processes


@pytest.mark.skipif(not FORKS, reason="the replaced engine does not reach a spawned process")
@pytest.mark.usefixtures("faked")
def test_the_report_does_not_depend_on_order_or_processes(tmp_path: Path) -> None:
    files = write(tmp_path, **{f"f{n}": "x.numpy()\n" * n + "finding\n" * (n % 3) for n in range(40)})
    expected = lint(files)
    assert len(expected.findings) == sum(n % 3 for n in range(40))
    assert (expected.checked, expected.judged) == (40, 39)
    assert lint(files[::-1]) == expected
    assert lint(files, jobs=2) == expected
    assert lint(files[::-1], jobs=3) == expected


@pytest.mark.skipif(not FORKS, reason="the replaced engine does not reach a spawned process")
@pytest.mark.usefixtures("faked")
def test_a_process_that_dies_costs_one_file(tmp_path: Path) -> None:
    programs = {f"f{n:02}": "x.numpy()  # finding\n" for n in range(30)}
    programs |= {"f07": "x.numpy()  # die\n", "f21": "x.numpy()  # die\n"}
    report = lint(write(tmp_path, **programs), jobs=2)
    assert brief(report) == [("TBX900" if n in {7, 21} else "TBX101", f"f{n:02}.py", 1) for n in range(30)]
    assert "the process that read this file died" in report.findings[7].message
    assert report.exit_code == 2


def test_real_files_in_processes(tmp_path: Path) -> None:
    files = write(tmp_path, **{f"f{n}": BUG for n in range(25)})
    report = lint(files, jobs=2)
    assert report == lint(files)
    assert {finding.path for finding in report.findings} == {file.path for file in files}


# What goes wrong


@pytest.mark.usefixtures("faked")
@pytest.mark.parametrize(
    ("word", "code", "message"),
    [
        ("explode", "TBX900", "internal error: KeyError: 'explode' (test_runner.py:"),
        ("memory", "TBX900", "internal error: MemoryError (test_runner.py:"),
        ("recurse", "TBX902", "the file is nested too deeply to be analysed"),
    ],
)
def test_what_one_file_does_to_the_engine_leaves_the_others(tmp_path: Path, word: str, code: str, message: str) -> None:
    report = lint(write(tmp_path, a="x.numpy()  # finding\n", b=f"x.numpy()  # {word}\n", c="x.numpy()  # finding\n"))
    assert brief(report) == [("TBX101", "a.py", 1), (code, "b.py", 1), ("TBX101", "c.py", 1)]
    assert report.findings[1].message.startswith(message)
    assert report.exit_code == 2


def test_an_internal_error_names_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorlint.rules import all_rules

    rule = all_rules()["TBX101"]
    monkeypatch.setattr(rule, "subscriptions", classmethod(lambda cls: iter([("export", "broken")])))
    namespace: dict[str, object] = dict(vars(sys.modules[rule.__module__]))
    exec("def broken(self, event):\n    raise ValueError('boo')\n", namespace)  # noqa: S102  # in the rule's own module
    monkeypatch.setattr(rule, "broken", namespace["broken"], raising=False)
    report = run_text("x.py", BUG.encode(), Resolver(isolated=True))
    errors = [finding.message for finding in report.findings if finding.code == "TBX900"]
    assert len(errors) == 1
    assert errors[0].startswith("internal error: ValueError: boo (TBX101, ")


def test_a_directory_that_cannot_be_listed(tmp_path: Path) -> None:
    report = lint([Discovered(str(tmp_path), error="Permission denied")])
    assert [(finding.code, finding.message) for finding in report.findings] == [
        ("TBX902", "the directory cannot be read: Permission denied")
    ]
    assert (report.checked, report.exit_code) == (1, 2)


def test_settings_of_each_file_are_its_own(tmp_path: Path) -> None:
    for name, table in (("a", 'select = ["TBX2"]'), ("b", 'ignore = ["TBX2"]')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text(BUG)
        (tmp_path / name / "pyproject.toml").write_text(f"[tool.tensorlint]\n{table}\n")
    resolver = Resolver()
    report = run(discover([str(tmp_path)], resolver.for_directory), resolver)
    codes = {os.path.basename(os.path.dirname(finding.path)): set[str]() for finding in report.findings}
    for finding in report.findings:
        codes[os.path.basename(os.path.dirname(finding.path))].add(finding.code)
    assert codes == {"a": {"TBX201"}, "b": {"TBX101"}}


def test_the_report_keeps_the_text_of_files_with_findings_only(tmp_path: Path) -> None:
    report = lint(write(tmp_path, bug=BUG, clean="import torch, numpy\n"))
    assert [os.path.basename(path) for path in report.data] == ["bug.py"]
    assert report.lines(str(tmp_path / "bug.py")) == tuple(BUG.split("\n"))


def test_deep_stack_carries_results_and_errors() -> None:
    def depth(n: int) -> int:
        return 0 if n == 0 else 1 + depth(n - 1)

    limit = sys.getrecursionlimit()
    assert with_deep_stack(lambda: depth(20_000)) == 20_000
    with pytest.raises(ZeroDivisionError):
        with_deep_stack(lambda: 1 // 0)
    assert sys.getrecursionlimit() == limit

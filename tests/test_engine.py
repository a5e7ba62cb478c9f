"""One file through the engine: merging, certainty, suppression, order, and failure of a rule."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tensorlint import engine
from tensorlint.engine import RuleError, check
from tensorlint.findings import Certainty
from tensorlint.flow.file_facts import file_facts
from tensorlint.policy import Policy
from tensorlint.rules import all_rules
from tensorlint.rules.base import Draft
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source

ALL = frozenset(all_rules())
BOTH = "import torch\nnet = torch.nn.Linear(2, 2).cuda()\nx = net(torch.ones(2).cuda())\nx.numpy()\n"


def codes(program: str, policy: Policy | None = None) -> list[str]:
    return [finding.code for finding in check(Source("program.py", program), policy or Policy(ALL))]


def test_device_and_grad_on_one_line_are_one_finding() -> None:
    (finding,) = check(Source("program.py", BOTH), Policy(ALL))
    assert (finding.code, finding.also) == ("TBX101", ("TBX102",))
    assert ".detach().cpu()" in finding.help
    assert (finding.span.row, finding.span.column) == (4, 1)
    assert [step.span.row for step in finding.trace] == [2, 3]


def test_each_of_the_two_is_told_alone_when_the_other_is_off() -> None:
    assert codes(BOTH, Policy(frozenset({"TBX102"}))) == ["TBX102"]
    assert codes(BOTH, Policy(frozenset({"TBX101"}))) == ["TBX101"]


def test_suppressing_one_of_the_two_leaves_the_other() -> None:
    assert codes(BOTH.replace("x.numpy()", "x.numpy()  # noqa: TBX101")) == ["TBX102"]
    assert codes(BOTH.replace("x.numpy()", "x.numpy()  # tensorlint: ignore[TBX1]")) == []


def test_certainty_is_a_threshold() -> None:
    program = "import torch\ndef f(x, device):\n    return x.to(device).numpy()\n"
    assert codes(program, Policy(ALL, Certainty.CERTAIN)) == []
    assert codes(program, Policy(ALL, Certainty.LIKELY)) == ["TBX101"]
    quiet = "import torch\ndef f(x):\n    return x.cpu().numpy()\n"
    assert codes(quiet, Policy(ALL, Certainty.LIKELY)) == []
    assert codes(quiet, Policy(ALL, Certainty.POSSIBLE)) == ["TBX102"]


def test_a_rule_whose_likely_findings_were_not_worth_it_shows_the_certain_ones() -> None:
    likely = "import torch\ndef f(x, device):\n    return x.to(device).numpy()\n"
    assert (codes(likely), codes(likely, Policy(ALL, Certainty.LIKELY))) == ([], ["TBX101"])
    best = "import torch\ndef f(model, optimizer):\n    best = model.state_dict()\n    optimizer.step()\n"
    assert codes(f"{best}    return best\n") == ["TBX302"]


def test_a_trace_begins_where_this_caller_got_it() -> None:
    program = "import torch\ndef scale(x):\n    return x * 2\na = torch.ones(3).cuda()\nb = torch.ones(3).cuda()\n"
    program += "first = scale(a)\nsecond = scale(b)\nsecond.numpy()\n"
    (finding,) = check(Source("program.py", program), Policy(ALL))
    assert [step.span.row for step in finding.trace] == [5]


def test_a_file_that_does_not_parse_is_one_finding() -> None:
    (finding,) = check(Source("program.py", "import torch\nx = (\n"), Policy(ALL))
    assert finding.code == "TBX901"
    assert finding.span.row >= 2


def test_positions_survive_tabs_parentheses_and_newlines_of_every_kind() -> None:
    for newline in ("\n", "\r\n", "\r"):
        program = newline.join(
            ["import torch", "def f():", "\tx = torch.ones(2).cuda()", "\treturn ((x  .numpy()))", ""]
        )
        (finding,) = check(Source("program.py", program), Policy(ALL))
        assert (finding.span.row, finding.span.column, finding.span.end_column) == (4, 11, 22)


def test_a_rule_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, event: object) -> Iterator[Draft]:
        raise ZeroDivisionError("broken rule")

    monkeypatch.setattr(all_rules()["TBX101"], "on_export", fail)
    with pytest.raises(RuleError, match="TBX101: ZeroDivisionError: broken rule"):
        check(Source("program.py", BOTH), Policy(ALL))


def test_findings_do_not_depend_on_the_hash_seed() -> None:
    programs = sorted((Path(engine.__file__).parent.parent / "fixtures").glob("TBX*/bad_*.py"))[::12]
    options = ["--isolated", "--no-cache", "--certainty", "possible", "--output-format", "json"]
    outputs = set()
    for seed in (0, 42):
        done = subprocess.run(
            [sys.executable, "-m", "tensorlint", "check", *options, *map(str, programs)],
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            check=False,
        )
        assert done.returncode == 1, done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_linting_imports_neither_torch_nor_numpy() -> None:
    program = "import sys\nfrom tensorlint.engine import *\nfrom tensorlint.source import Source\n"
    program += "from tensorlint.rules import all_rules\n"
    program += f"check(Source('p.py', {BOTH!r}), Policy(frozenset(all_rules())))\n"
    program += "assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np, torch",
        "import os; import torch",
        "import torch as th, numpy as np",
        "try: import torch",
        "from torch import nn",
        "import os, torch.nn as nn",
    ],
)
def test_an_import_of_torch_is_seen_wherever_it_stands(line: str) -> None:
    assert file_facts(Source("t.py", f"{line}\n")).imports_torch


@pytest.mark.parametrize("line", ["import numpy as torch", "from numpy import torch", "# import torch", "x = 'torch'"])
def test_a_name_is_no_import_of_torch(line: str) -> None:
    assert not file_facts(Source("t.py", f"{line}\n")).imports_torch


def test_a_suppression_counts_on_the_line_that_the_finding_begins_on() -> None:
    text = "import torch\n\nx = torch.ones(3, requires_grad=True)\nprint(\n    x.numpy(),{}\n    2,\n){}\n"
    for inside, behind, wanted in (("  # noqa: TBX102", "", []), ("", "  # noqa: TBX102", ["TBX102"])):
        source = Source("src/program.py", text.format(inside, behind))
        assert [finding.code for finding in judge_source(source, frozenset({"TBX102"}), Certainty.CERTAIN)] == wanted

"""Mistakes of the nearest predecessor, TorchFix 0.7, that must not return.

| mistake                                              | test                                                        |
|------------------------------------------------------|-------------------------------------------------------------|
| results that depend on the hash seed                 | here; of findings: ``test_engine``                          |
| a fix that drops an argument                         | here                                                        |
| a fix that uses a module which is not imported       | here; where imports go: ``test_fix``                        |
| nested fixes lost without a second pass              | here                                                        |
| ``# noqa`` ignored by the command line               | ``test_cli.test_comments``; when fixing: here               |
| exit 0 with findings                                 | here                                                        |
| nothing done for ``-``                               | ``test_cli.test_standard_input``, ``test_fix_cli``          |
| a crash in fix-building kills the run                | here, for the program and under flake8                      |
| flake8 columns off by one                            | ``test_flake8.test_found_at_the_column_of_our_own_program`` |
| output ordered by visitor                            | here                                                        |
| a code registered in three places                    | here                                                        |
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import tensorlint
from tensorlint.rules import all_rules
from tests.conftest import Program, execute
from tests.fixing import after, assert_sound, parses

BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
FIXED = "import torch\nx = torch.zeros(3).cuda().cpu().numpy()\n"


def test_fixed_programs_do_not_depend_on_the_hash_seed(tensorlint: Program) -> None:
    # A third of them: what depends on the seed does so for whole kinds of programs.
    programs = sorted(map(str, (Path(__file__).parent.parent / "fixtures").glob("*/*.py")))[::3]
    patches = {
        tensorlint("--diff", "--unsafe-fixes", "--isolated", *programs, env={"PYTHONHASHSEED": str(seed)}).out
        for seed in (1, 42)
    }
    assert len(patches) == 1
    assert patches.pop().count("\n@@ ") > 50


@pytest.mark.parametrize(
    "call",
    [
        "torch.zeros(2, 3, dtype=np.float32, requires_grad=flag, device='cpu')",
        "torch.full((2, 3), 7, dtype=np.int64, **options)",
        "np.zeros((2, 3), dtype=torch.float32, order='F')",
        "np.linalg.norm(t, 2, axis=0, keepdims=True)",
        "np.stack([t, t], axis=1, out=None)",
        "torch.from_numpy(a[::-1]).to(device, non_blocking=True)",
        "np.array({}.values(), dtype=object, copy=True, ndmin=2)",
        "np.logical_and(t, t)",
    ],
)
def test_no_fix_drops_an_argument(call: str) -> None:
    head = "import numpy as np\nimport torch\nt = torch.ones(3, requires_grad=True)\na = np.zeros((2, 2))\n"
    result = assert_sound(f"{head}y = {call}\n")
    assert result.applied
    new = result.source.text.split("y = ")[1]
    arguments = [
        [ast.unparse(each) for each in (*node.args, *node.keywords)]
        for node in ast.walk(ast.parse(call))
        if isinstance(node, ast.Call)
    ]
    kept = [part for each in arguments for part in each if not re.search(r"\bt\b|a\[|\.values|dtype=(np|torch)", part)]
    counts = [len(node.args) + len(node.keywords) for node in ast.walk(ast.parse(new)) if isinstance(node, ast.Call)]
    assert all(part in new for part in kept), new
    assert max(counts) == max(map(len, arguments))


def test_no_fix_uses_a_module_that_is_not_imported() -> None:
    program = "from torch import Tensor, arange\nfrom numpy.random import shuffle\n"
    program += "rows = arange(6)\nshuffle(rows)\nx = Tensor([1, 20000001])\n"
    new = after(program)
    assert new.count("import torch\n") == 1
    bound = {alias.asname or alias.name for node in ast.walk(ast.parse(new)) for alias in getattr(node, "names", [])}
    bound |= {
        node.id for node in ast.walk(ast.parse(new)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    used = {node.id for node in ast.walk(ast.parse(new)) if isinstance(node, ast.Name)}
    assert used - bound <= {"len"}
    assert "torch.randperm" in new


def test_nested_fixes_need_no_second_run(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        "import torch\nx = torch.Tensor(torch.Tensor([1, 2]).cuda().numpy().astype('int64')).cuda().numpy()\n"
    )
    assert tensorlint("--fix", "--select", "TBX1,TBX2", "x.py").code == 0
    new = (tmp_path / "x.py").read_text()
    assert (new.count("tensor("), new.count(".cpu().numpy()")) == (2, 2)
    assert tensorlint("--diff", "--unsafe-fixes", "-q", "x.py").out == ""


def test_what_is_suppressed_is_not_fixed(tensorlint: Program, tmp_path: Path) -> None:
    for comment in ("# noqa", "# noqa: TBX101", "# tensorlint: ignore[TBX1]"):
        program = BUG.replace("()\n", f"()  {comment}\n")
        (tmp_path / "x.py").write_text(program)
        outcome = tensorlint("--fix", "--unsafe-fixes", "-q", "x.py")
        assert (outcome.code, outcome.out, (tmp_path / "x.py").read_text()) == (0, "", program)


def test_findings_that_are_left_are_never_exit_zero(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import numpy as np\nx = np.array({}.values())\n" + BUG)
    assert tensorlint("x.py").code == 1
    assert tensorlint("--fix", "x.py").code == 1
    assert tensorlint("--fix", "--unsafe-fixes", "x.py").code == 0


def test_a_crash_in_fix_building_costs_neither_findings_nor_files(tmp_path: Path) -> None:
    program = "from tensorlint.rules import mending\ndef crash(*arguments): raise ZeroDivisionError('boo')\n"
    program += "mending.export = crash\nimport sys\nfrom tensorlint.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    cast = "import torch\ny = torch.Tensor([1, 2])\n"
    for name, text in (("a", cast), ("b", BUG + cast), ("c", cast)):
        (tmp_path / f"{name}.py").write_text(text)
    command = [
        sys.executable,
        "-c",
        program,
        "--isolated",
        "-q",
        "--output-format",
        "concise",
        "--extend-select",
        "TBX216",
    ]
    found = execute(command, tmp_path)
    assert found.code == 2
    assert [" ".join(re.split(r"[: ]+", line)[:4:3]) for line in found.out.splitlines()] == [
        "a.py TBX216",
        "b.py TBX900",
        "b.py TBX101",
        "b.py TBX216",
        "c.py TBX216",
    ]
    assert "TBX101: its fix cannot be built: ZeroDivisionError: boo" in found.out
    assert execute([*command, "--fix"], tmp_path).code == 2
    mended = cast.replace("Tensor([1, 2]", "tensor([1, 2], dtype=torch.float32")
    assert [(tmp_path / f"{name}.py").read_text() for name in "abc"] == [mended, BUG + mended, mended]


def test_under_flake8_no_fix_is_built(tmp_path: Path) -> None:
    program = "from tensorlint.fix import repair\nfrom tensorlint import engine\n"
    program += "def crash(*arguments): raise ZeroDivisionError('boo')\nengine._fix = crash\n"
    program += "from tensorlint.rules import mending\nmending.export = crash\n"
    program += "import sys\nfrom flake8.main.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    for name in "ab":
        (tmp_path / f"{name}.py").write_text(BUG + "import os\n")
    outcome = execute([sys.executable, "-c", program, "--isolated", "-j", "1", "--select", "TBX,F401", "."], tmp_path)
    assert sorted(line.split()[1] for line in outcome.out.splitlines()) == ["F401", "F401", "TBX101", "TBX101"]


def test_output_is_in_the_order_of_the_text(tensorlint: Program, tmp_path: Path) -> None:
    head = "import numpy as np\nimport torch\nx = torch.ones(3).cuda()\n"
    rows = [
        "torch.Tensor([1, 20000001])",
        "x.numpy()",
        "np.isnan(x)",
        "np.array({}.values())",
        "x.numpy()",
        "torch.Tensor([20000003])",
    ]
    (tmp_path / "x.py").write_text(head + "def f():\n    x.numpy()\n" + "\n".join(rows) + "\nf()\n")
    out = tensorlint("-q", "--output-format", "concise", "x.py").out.splitlines()
    places = [tuple(map(int, line.split(":")[1:3])) for line in out]
    assert places == sorted(places)
    codes = [line.split()[1] for line in out]
    assert len(codes) >= 6
    assert codes != sorted(codes), "otherwise the order of codes would do"


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_a_code_is_written_down_in_one_place(code: str) -> None:
    """In its own module: other modules may speak of it in words, but have no string that is the code.

    ``rule_table`` is written from these modules.
    """
    package = Path(tensorlint.__file__).parent
    places = [
        path.name
        for path in sorted(package.rglob("*.py"))
        if "fixtures" not in path.relative_to(package).parts and path.name != "rule_table.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == code
    ]
    assert places == [Path(sys.modules[all_rules()[code].__module__].__file__ or "").name]


def test_the_helper_knows_a_program() -> None:
    assert parses("x = 1\n")
    assert not parses("x = (\n")

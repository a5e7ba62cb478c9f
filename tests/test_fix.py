"""Edits, and what fixes make of expressions of all shapes."""

from __future__ import annotations

import pytest

from tensorlint.engine import check
from tensorlint.findings import Applicability, Certainty, Edit, Fix
from tensorlint.fix.edits import EditError, apply, choose
from tensorlint.policy import Policy
from tensorlint.source import Source
from tests.fixing import ALL, GRAD, after, assert_sound, edit

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE

# Edits


def made_of(*edits: Edit) -> Fix:
    return Fix(SAFE, "m", edits)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_edits_count_characters_and_rows_as_an_editor_does(newline: str) -> None:
    text = newline.join(["é = '\x0c'", "b", ""])
    fixes = [made_of(edit(1, 5, 1, 8, "1")), made_of(edit(2, 1, 2, 1, "("), edit(2, 2, 2, 2, ")"))]
    assert apply(text, fixes) == newline.join(["é = 1", "(b)", ""])
    assert apply(text, reversed(fixes)) == apply(text, fixes)
    assert apply(text, [made_of(edit(1, 8, 3, 1, "!"))]) == "é = '\x0c'!"


@pytest.mark.parametrize(
    "wrong",
    [
        [edit(0, 1, 0, 1, "")],
        [edit(4, 1, 4, 1, "")],
        [edit(3, 2, 3, 2, "")],
        [edit(2, 1, 1, 1, "")],
        [edit(1, 1, 1, 3, "x"), edit(1, 2, 1, 4, "y")],
    ],
)
def test_edits_that_do_not_lie_in_the_text_or_overlap_are_refused(wrong: list[Edit]) -> None:
    with pytest.raises(EditError):
        apply("abcd\nefgh\n", [made_of(*wrong)])


def test_the_earlier_of_two_fixes_that_meet_is_chosen() -> None:
    one, touching, apart = (made_of(edit(1, column, 1, end, "x")) for column, end in ((1, 3), (3, 5), (6, 7)))
    assert choose([one, touching, apart]) == [0, 2]
    assert choose([touching, one, apart]) == [0, 2]
    assert choose([made_of(edit(1, 5, 1, 5, "x")), made_of(edit(1, 5, 1, 5, "y"))]) == [0]


def test_the_same_fix_twice_is_made_once() -> None:
    same = made_of(edit(1, 2, 1, 2, ".copy()"))
    assert choose([same, same]) == [0, 1]
    assert apply("a\n", [same, same]) == "a.copy()\n"


def test_two_fixes_share_an_import() -> None:
    line = edit(1, 1, 1, 1, "import copy\n")
    fixes = [made_of(line, edit(row, 1, row, 1, "x")) for row in (2, 3)]
    assert choose(fixes) == [0, 1]
    assert apply("\na\nb\n", fixes) == "import copy\n\nxa\nxb\n"


def test_two_pairs_of_brackets_do_not_share_one() -> None:
    inner = made_of(edit(1, 1, 1, 1, "("), edit(1, 2, 1, 2, ")"))
    outer = made_of(edit(1, 1, 1, 1, "("), edit(1, 6, 1, 6, ")"))
    assert choose([inner, outer]) == [0]
    assert apply("a + b\n", [inner]) == "(a) + b\n"


# Imports

TRAIN = "def train(model, opt):\n    best = model.state_dict()\n    opt.step()\n    model.load_state_dict(best)\n"
TRAINED = TRAIN.replace("model.state_dict()", "copy.deepcopy(model.state_dict())")
TYPED = "from typing import TYPE_CHECKING\nfrom torch import Tensor\nif TYPE_CHECKING:\n    import torch\n"
CAST, WAS_CAST = "x = Tensor([1, 2])\n", "x = torch.tensor([1, 2], dtype=torch.float32)\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("import os\n\nimport torch\n", "import copy\nimport os\n\nimport torch\n"),
        ("import abc\nimport os\n\nimport torch\n", "import abc\nimport copy\nimport os\n\nimport torch\n"),
        ("import abc\n\nimport torch\n", "import abc\nimport copy\n\nimport torch\n"),
        ("from os import path\n\nimport torch\n", "import copy\nfrom os import path\n\nimport torch\n"),
        ("import abc, os  # two\nimport torch\n", "import abc, os  # two\nimport copy\nimport torch\n"),
        ("from __future__ import annotations\n", "from __future__ import annotations\n\nimport copy\n"),
        (
            "from __future__ import annotations\n\nimport torch\n",
            "from __future__ import annotations\n\nimport copy\n\nimport torch\n",
        ),
        ('"""Doc."""\n', '"""Doc."""\n\nimport copy\n'),
        ('"""Doc."""\nimport torch\n', '"""Doc."""\nimport copy\n\nimport torch\n'),
        ("'a' 'b'\n", "'a' 'b'\n\nimport copy\n"),
        ("#!/bin/x\n# c\n\n", "#!/bin/x\n# c\n\nimport copy\n\n"),
        ("# c\nimport torch\n", "# c\nimport copy\n\nimport torch\n"),
        ("", "import copy\n\n"),
        ("@decorator\n", "import copy\n\n@decorator\n"),
        ("@one\n# c\n@two(\n    3)\n", "import copy\n\n@one\n# c\n@two(\n    3)\n"),
        ("if True:\n    import torch\n", "import copy\n\nif True:\n    import torch\n"),
        ("try:\n    import torch\nexcept ImportError:\n    pass\n", None),
        ("from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import copy\n", None),
        ("import torch; y = 1\n", "import copy\n\nimport torch; y = 1\n"),
        ("import abc; import torch\n", "import abc; import torch\nimport copy\n"),
        ("import abc, \\\n    os\n", "import abc, \\\n    os\nimport copy\n"),
        ("from . import a\nfrom .b import c\n", "import copy\n\nfrom . import a\nfrom .b import c\n"),
        ("from a import (\n    b,\n)\n", "import copy\n\nfrom a import (\n    b,\n)\n"),
        ("import Abc\n", "import copy\n\nimport Abc\n"),
        ("def f():\n    import copy\n", "import copy\n\ndef f():\n    import copy\n"),
    ],
)
def test_where_a_standard_import_goes(before: str, expected: str | None) -> None:
    if expected is None:
        first, blank, rest = before.partition("\n\n")
        expected = f"{first}\nimport copy\n\n{rest}" if blank else f"import copy\n\n{before}"
        expected = expected.replace(
            "from typing import TYPE_CHECKING\nimport copy", "import copy\nfrom typing import TYPE_CHECKING"
        )
    assert after(before + TRAIN) == expected + TRAINED


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from torch import Tensor\n", "import torch\nfrom torch import Tensor\n"),
        ("import os\nfrom torch import Tensor\n", "import os\nimport torch\nfrom torch import Tensor\n"),
        ("import numpy\nfrom torch import Tensor\n", "import numpy\nimport torch\nfrom torch import Tensor\n"),
        (
            "import torchvision\nfrom torch import Tensor\n",
            "import torch\nimport torchvision\nfrom torch import Tensor\n",
        ),
        (
            "import torch.nn as nn\nfrom torch import Tensor\n",
            "import torch\nimport torch.nn as nn\nfrom torch import Tensor\n",
        ),
        ("if 1:\n    from torch import Tensor\n", "import torch\n\nif 1:\n    from torch import Tensor\n"),
        (
            TYPED,
            TYPED.replace("\nfrom", "\nimport torch\nfrom"),
        ),
    ],
)
def test_where_an_import_of_torch_goes(before: str, expected: str) -> None:
    assert after(before + CAST) == expected + WAS_CAST
    assert after(before + CAST.rstrip()) == expected + WAS_CAST.rstrip()


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_an_added_import_ends_as_its_neighbours_do(newline: str) -> None:
    program = ("import abc\nimport torch\n" + TRAIN).replace("\n", newline)
    assert after(program) == ("import abc\nimport copy\nimport torch\n" + TRAINED).replace("\n", newline)


def test_an_import_after_the_only_line() -> None:
    assert after("from torch import Tensor; x = Tensor([1, 2])") == (
        "import torch\nfrom torch import Tensor; x = torch.tensor([1, 2], dtype=torch.float32)"
    )
    lines = TRAIN.replace("\n    ", "; ").replace("def train(model, opt):; ", "def train(model, opt): ")
    assert after("'Doc.'\n" + lines) == "'Doc.'\n\nimport copy\n" + lines.replace(
        "model.state_dict()", "copy.deepcopy(model.state_dict())"
    )


@pytest.mark.parametrize(
    ("imports", "spelled"),
    [
        ("import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("import torch as th\n", "th.tensor({}, dtype=th.float32)"),
        ("from torch import tensor, float32\n", "tensor({}, dtype=float32)"),
        ("from torch import tensor as t, float32 as f\n", "t({}, dtype=f)"),
        ("import torch.nn\n", "torch.tensor({}, dtype=torch.float32)"),
        ("try:\n    import torch as th\nexcept ImportError:\n    raise\n", "th.tensor({}, dtype=th.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nimport torch as th\n", "th.tensor({}, dtype=th.float32)"),
        ("import torch\nif TYPE_CHECKING:\n    import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nimport torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nelse:\n    import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("import torch as a, torch as b\n", "a.tensor({}, dtype=a.float32)"),
    ],
)
def test_torch_is_called_as_the_program_calls_it(imports: str, spelled: str) -> None:
    program = f"from torch import Tensor\n{imports}x = Tensor([1, 2])\n"
    assert after(program) == program.replace("Tensor([1, 2])", spelled.format("[1, 2]"))


FROM = "from torch import Tensor\n"
SCRIPT = """\
import torch
net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
best = net.state_dict()
opt.step()
import copy
net.load_state_dict(best)
"""


@pytest.mark.parametrize(
    "program",
    [
        FROM + "torch = None\nx = Tensor([1, 2])\n",
        FROM + "def f(torch):\n    return Tensor([1, 2])\n",
        FROM + "def f(x):\n    y = Tensor([1, 2])\n    torch = x\n    return y\n",
        FROM + "def f(x):\n    y = Tensor([1, 2])\n    import torch\n    return torch, y\n",
        FROM + "def f(x):\n    for torch in x:\n        yield Tensor([1, 2])\n",
        FROM + "def f(torch):\n    def g():\n        return Tensor([1, 2])\n    return g\n",
        FROM + "from a import torch\nx = Tensor([1, 2])\n",
        FROM + "from a import *\nx = Tensor([1, 2])\n",
        FROM + "def torch(): pass\nx = Tensor([1, 2])\n",
        FROM + "class torch: pass\nx = Tensor([1, 2])\n",
        "import torch\n" + TRAIN.replace("opt)", "opt, copy)"),
        "import torch\n" + TRAIN + "    import copy\n",
        "import torch\n" + TRAIN.replace("    opt.step()", "    import copy\n    opt.step()"),
        "import torch\ndef copy(): pass\n" + TRAIN,
        "import torch\nfrom shutil import copy\n" + TRAIN,
        "import torch\nfrom numpy import *\n" + TRAIN,
        SCRIPT,
        "import numpy as np\nlist = 3\nx = np.array({}.values())\n",
        "import numpy as np\ndef f(list):\n    return np.array({}.values())\n",
    ],
)
def test_no_fix_where_a_name_it_needs_means_something_else(program: str) -> None:
    result = fixed(program)
    assert [finding.fix for finding in result.findings] == [None]
    assert (result.source.text, result.applied) == (program, ())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("    import copy\n", "copy.deepcopy"),
        ("    import copy as c\n", "c.deepcopy"),
        ("    from copy import deepcopy\n", "deepcopy"),
        ("    try:\n        from copy import deepcopy as d\n    finally:\n        pass\n", "d"),
    ],
)
def test_an_import_of_the_function_is_used_when_it_came_first(program: str, expected: str) -> None:
    head, body = TRAIN.split("\n", 1)
    text = f"import torch\n{head}\n{program}{body}"
    assert after(text) == text.replace("model.state_dict()", f"{expected}(model.state_dict())")


def test_only_imports_lend_their_names() -> None:
    program = "import torch\nclass K:\n    make, t = torch.as_tensor, torch\n    x = torch.Tensor([1, 2])\n"
    assert "x = torch.tensor([1, 2], dtype=torch.float32)" in after(program)


# Shapes of expressions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x.numpy()", "x.detach().numpy()"),
        ("c.numpy()", "c.detach().cpu().numpy()"),
        ("c.detach().numpy()", "c.detach().cpu().numpy()"),
        ("c.cpu().numpy()", "c.detach().cpu().numpy()"),
        ("c.data.numpy()", "c.data.cpu().numpy()"),
        ("c.to('cpu').numpy()", "c.detach().to('cpu').numpy()"),
        ("torch.zeros(2).cuda().numpy()", "torch.zeros(2).cuda().cpu().numpy()"),
        ("(x).numpy()", "(x).detach().numpy()"),
        ("((x)).numpy()", "((x)).detach().numpy()"),
        ("( x + 1 ).numpy()", "( x + 1 ).detach().numpy()"),
        ("(y := x).numpy()", "(y := x).detach().numpy()"),
        ("(x if x is c else c).numpy()", "(x if x is c else c).detach().cpu().numpy()"),
        ("x[0].numpy()", "x[0].detach().numpy()"),
        ("x.numpy  ( )", "x.detach().numpy  ( )"),
        ("x . numpy()", "x.detach() . numpy()"),
        ("x\\\n    .numpy()", "x.detach()\\\n    .numpy()"),
        ("(x  # one\n    .numpy()  # two\n)", "(x.detach()  # one\n    .numpy()  # two\n)"),
        ("(x\n    .cpu()  # one\n    .numpy())", "(x\n    .detach()\n    .cpu()  # one\n    .numpy())"),
        ("(x\n    .mean()\n    .numpy())", "(x\n    .mean()\n    .detach()\n    .numpy())"),
        (
            "torch.Tensor(\n    [1, 2]\n)",
            "torch.tensor(\n    [1, 2],\n    dtype=torch.float32\n)",
        ),
        ("y = x.numpy(); z = c.numpy()", "y = x.detach().numpy(); z = c.detach().cpu().numpy()"),
        ("y = x.numpy();  # type: ignore", "y = x.detach().numpy();  # type: ignore"),
        ("y: int = x.numpy()", "y: int = x.detach().numpy()"),
        ("[t.numpy() for t in [x] if c.numpy()]", "[t.detach().numpy() for t in [x] if c.detach().cpu().numpy()]"),
        ("f'{x.numpy()!r:>{3}}'", "f'{x.detach().numpy()!r:>{3}}'"),
        ("print(*x.numpy(), **x.numpy())", "print(*x.detach().numpy(), **x.detach().numpy())"),
        ("x.numpy()[0] = c.numpy()", "x.detach().numpy()[0] = c.detach().cpu().numpy()"),
        ("x.numpy().mean().item()", "x.detach().numpy().mean().item()"),
        ("x.numpy().item()", "x.item()"),
        ("(x + 1).cpu().numpy().tolist()", "(x + 1).tolist()"),
        ("float((x + 1).numpy())", "(x + 1).item()"),
        ("float(x.argmax().cuda().numpy())", "float(x.argmax().cuda().item())"),
        (
            "np.stack([x, c * 2, (x)])",
            "np.stack([x.detach().numpy(), (c * 2).detach().cpu().numpy(), (x).detach().numpy()])",
        ),
        ("np.stack([t for t in [x]])", "np.stack([t.detach().numpy() for t in [x]])"),
        ("out[0] = x", "out[0] = x.detach().numpy()"),
        ("out[0] = x * 2", "out[0] = (x * 2).detach().numpy()"),
        ("torch.Tensor([1, 2],)", "torch.tensor([1, 2], dtype=torch.float32,)"),
        ("torch.Tensor( [1, 2] )", "torch.tensor( [1, 2], dtype=torch.float32 )"),
        ("torch.Tensor(([1, 2]))", "torch.tensor(([1, 2]), dtype=torch.float32)"),
        ("torch.Tensor(y := [1, 2])", "torch.tensor(y := [1, 2], dtype=torch.float32)"),
        ("torch.Tensor(\n    [2],  # one\n)", "torch.tensor(\n    [2], dtype=torch.float32,  # one\n)"),
        (
            "torch.Tensor([2] if x is c else [4])",
            "torch.tensor([2] if x is c else [4], dtype=torch.float32)",
        ),
        ("torch.FloatTensor([2])", "torch.tensor([2], dtype=torch.float32)"),
        ("torch.zeros(2, dtype=np.float32)", "torch.zeros(2, dtype=torch.float32)"),
        ("np.zeros(2, dtype = torch.float32)", "np.zeros(2, dtype = np.float32)"),
        ("np.zeros(2, torch.bool)", "np.zeros(2, np.bool_)"),
        ("np.zeros(2, dtype=torch.bfloat16)", None),
        ("torch.from_numpy(out[::-1])", "torch.from_numpy(out[::-1].copy())"),
        (
            "torch.from_numpy(out[::-1] if x is c else out[1::-1])",
            "torch.from_numpy((out[::-1] if x is c else out[1::-1]).copy())",
        ),
        ("np.array({}.values())", "np.array(list({}.values()))"),
        ("np.array(i for i in out)", "np.array(list(i for i in out))"),
        ("np.isnan(x.detach())", "torch.isnan(x.detach())"),
        ("np.nonzero(x.detach())", "torch.nonzero(x.detach(), as_tuple=True)"),
        ("np.size(x)", "x.numel()"),
        ("np.size(x * 2)", "(x * 2).numel()"),
        ("np.random.shuffle(x)", "x[:] = x[torch.randperm(len(x))]"),
        ("np.random.shuffle(x); y = 1", "x[:] = x[torch.randperm(len(x))]; y = 1"),
        ("y = np.random.shuffle(x)", None),
        ("np.random.shuffle(x[0:])", None),
    ],
)
def test_shapes(line: str, expected: str | None) -> None:
    result = assert_sound(f"{GRAD}{line}\n")
    assert result.before
    assert result.source.text == f"{GRAD}{line if expected is None else expected}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x.numpy()", "x.numpy(force=True)"),
        ("c.cpu().numpy ( )", "c.cpu().numpy ( force=True)"),
        ("(x + 1).numpy()", "(x + 1).numpy(force=True)"),
        ("x.numpy(  # why\n)", "x.numpy(  # why\nforce=True)"),
        ("x.numpy(force=False)", "x.detach().numpy(force=False)"),
        ("out[0] = x", "out[0] = x.numpy(force=True)"),
        ("np.stack([x, c * 2])", "np.stack([x.numpy(force=True), (c * 2).numpy(force=True)])"),
        ("x.numpy().item()", "x.item()"),
    ],
)
def test_the_style_force(line: str, expected: str) -> None:
    result = assert_sound(f"{GRAD}{line}\n", style="force")
    assert result.source.text == f"{GRAD}{expected}\n"


@pytest.mark.parametrize(
    "line",
    [
        "np.size(  # how many\n    x)",
        "np.random.shuffle(x  # rows\n)",
        "y = (x\n    .cpu()  # home\n    .numpy()\n    .item())",
        "y = (x\n    # home\n    .detach().numpy().item())",
    ],
)
def test_no_fix_that_would_lose_a_comment(line: str) -> None:
    program = f"{GRAD}{line}\n"
    assert after(program) == program


def test_what_was_imported_and_is_detached_is_not_detached_again() -> None:
    program = "import torch\nfrom model import outputs\n\nboxes = outputs['boxes'][0].{}.numpy()\n"
    found = assert_sound(program.format("cpu().detach()"), certainty=Certainty.POSSIBLE)
    assert found.source.text == program.format("detach().cpu()")


def test_a_comment_that_stays_costs_no_fix() -> None:
    assert after(f"{GRAD}y = (  # a\n    x.numpy().item()  # b\n)\n") == f"{GRAD}y = (  # a\n    x.item()  # b\n)\n"


def test_a_value_with_more_than_one_target_is_not_made_an_array_for_one() -> None:
    program = GRAD + "out[0] = last = x\n"
    (finding,) = check(Source("program.py", program), Policy(ALL))
    assert (finding.code, finding.fix) == ("TBX105", None)


def test_what_is_written_later_is_the_tensor_where_there_is_no_accelerator() -> None:
    device = "'cuda' if torch.cuda.is_available() else 'cpu'"
    program = f"import torch\nx = torch.ones(3, device={device})\ny = x.numpy()\ny[0] = 7\nprint(x)\n"
    (finding,) = check(Source("program.py", program), Policy(ALL))
    assert finding.fix is not None
    assert finding.fix.applicability is UNSAFE


def test_what_an_f_string_shows_is_not_safe_to_change() -> None:
    for line, applicability in (("f'{x.numpy()=}'", UNSAFE), ("f'{x.numpy()}'", SAFE)):
        (finding,) = check(Source("program.py", f"{GRAD}y = {line}\n"), Policy(ALL))
        assert finding.fix is not None
        assert finding.fix.applicability is applicability


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("if x is not None:\n\tpass\n\x0c\n", "\ty = E"),
        ("\x0c", "y = E"),
        ("if 1:\n    z = 1\n\x0c", "    y = E"),
        ("if 1:\n\x0c    z = 1\n\x0c    u = 1\n", "    y = E"),
        ("if 1:\n    z = 1\n    \x0c", "y = E"),
        ("\\\n", "y = E"),
        ("if 1:\n    z = 1\n    \\\n", "  y = E"),
        ("s = '''\n\x0c\n'''\n\x0c", "y = E; \\\n\x0c z = E"),
        ("\n\x0c\n\x0c# c\n", "y = E"),
        ("z =\x0c1\n", "y =\x0cE"),
    ],
)
def test_form_feeds_and_continued_blank_lines_move_nothing(before: str, line: str) -> None:
    if before.startswith("if x"):
        before = before.replace("\n\tpass", "\n\tz = 1")
    old = f"{GRAD}{before}{line}\n".replace("E", "c.numpy()")
    new = f"{GRAD}{before}{line}\n".replace("E", "c.detach().cpu().numpy()")
    assert assert_sound(old).source.text == new
    for finding in check(Source("program.py", old), Policy(ALL)):
        row = Source("program.py", old).lines[finding.span.row - 1]
        assert row[finding.span.column - 1 : finding.span.end_column - 1] == "c.numpy()"


# The safety net

PROGRAM = "import torch\nx = torch.zeros(3).cuda().numpy() ** 2  # c\ny = torch.Tensor([1, 2])\n"


def inject(monkeypatch: pytest.MonkeyPatch, repair: Callable[[Export], Repair | None], code: str = "TBX101") -> None:
    """Have a rule hand out this repair for every export off the CPU."""

    def on_export(self: object, event: Export) -> Iterator[Draft]:
        yield Draft(event.node, "m", Certainty.CERTAIN, repair=lambda style: repair(event))

    monkeypatch.setattr(all_rules()[code], "on_export", on_export)


def raising(event: Export) -> Repair:
    raise ZeroDivisionError("boo")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 + 2", "the fix turns a Power beside it into a Add"),
        ("a if b else c", "the fix turns a BinaryOperation beside it into a IfExp"),
        ("(", "the fixed program does not parse (line 3)"),
        ("1\n", "the fixed program does not parse"),
        ("1; y = 3", "the fix adds or removes something beside it"),
        ("1  # ", "the fix turns a BinaryOperation beside it into a Integer"),
        ("lambda: 1", "the fix turns a BinaryOperation beside it into a Lambda"),
        ("np.zeros(3)", "the fix uses `np`, which nothing imports"),
        ("[copy for y in x]", "the fix uses `copy`, which nothing imports"),
        ("1, 2", "the fix turns a BinaryOperation beside it into a Tuple"),
    ],
)
def test_a_wrong_repair_changes_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch, text: str, reason: str) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, text),)))
    result = fixed(PROGRAM)
    assert result.source.text == PROGRAM
    assert result.applied == ()
    assert sorted(finding.code for finding in result.findings) == ["TBX101", "TBX216", "TBX900"]
    (message,) = errors(result.findings)
    assert message.startswith(f"internal error: TBX101: {reason}")
    assert message.endswith("; nothing in this file was changed; please report it")


def test_the_same_repairs_are_fine_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above does not pass because nothing is ever applied."""
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "(1 + 2)"),)))
    assert after(PROGRAM).split("\n")[1] == "x = (1 + 2) ** 2  # c"


def test_a_name_that_only_type_checking_imports_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "np.zeros(3)"),)))
    head = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np\n"
    assert errors(fixed(head + PROGRAM).findings)
    assert errors(fixed("import numpy as np\n" + PROGRAM).findings) == []
    assert errors(fixed(head + "else:\n    import numpy as np\n" + PROGRAM).findings) == []


def test_a_changed_neighbour_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that reaches further than the node it is for."""
    real = Layout.fix_of

    def too_far(*arguments: object) -> Fix:
        made = real(*arguments)  # type: ignore[arg-type]
        return Fix(made.applicability, made.message, (*made.edits, edit(2, 1, 2, 2, "z")))

    monkeypatch.setattr(Layout, "fix_of", too_far)
    result = fixed(PROGRAM, codes=frozenset({"TBX101"}))
    assert result.source.text == PROGRAM
    assert errors(result.findings)[0].startswith("internal error: TBX101: the fix turns 'x' beside it into 'z'")


@pytest.mark.parametrize(
    "old",
    ["x = 1\n", "if a:\n    x = 1\n", "f(a, b)\n", "import os\n", "x = 'a'\n", "def f(x): pass\n", "x = 1; y = 2\n"],
)
def test_what_counts_as_a_change(old: str) -> None:
    changes = [
        "y = 1\n",
        "x = 1\ny = 2\n",
        "if a:\n    x = 1\nelse:\n    x = 1\n",
        "f(b, a)\n",
        "import os, sys\n",
        "x = 'b'\n",
    ]
    changes += ["x = b'a'\n", "def f(x, y): pass\n", "async def f(x): pass\n", "x = 1\n", "f(a, *b)\n", "x = 'a' 'a'\n"]
    for new in changes:
        if new != old:
            with pytest.raises(UnsafeChangeError):
                check_unchanged(cst.parse_module(old), cst.parse_module(new), ())
    check_unchanged(cst.parse_module(old), cst.parse_module(old.replace(" = ", "=").replace("\n", "  # c\n")), ())


@pytest.mark.parametrize("asked", [check, fix])
def test_a_repair_that_raises_costs_no_finding(monkeypatch: pytest.MonkeyPatch, asked: object) -> None:
    inject(monkeypatch, raising)
    source = Source("program.py", PROGRAM)
    found = check(source, Policy(ALL)) if asked is check else fix(source, Policy(ALL)).findings
    codes = sorted(finding.code for finding in found)
    assert codes == (["TBX101", "TBX216", "TBX900"] if asked is check else ["TBX101", "TBX900"])
    assert "TBX101: its fix cannot be built: ZeroDivisionError: boo" in errors(found)[0]


def test_a_repair_of_a_node_of_nowhere_costs_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(cst.Name("x"), "y"),)))
    found = check(Source("program.py", PROGRAM), Policy(ALL))
    assert sorted(finding.code for finding in found) == ["TBX101", "TBX216", "TBX900"]
    assert "TBX101: its fix cannot be built: KeyError" in errors(found)[0]


def test_no_repair_is_built_where_nobody_wants_fixes(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, raising)
    source = Source("program.py", PROGRAM)
    for policy in (Policy(ALL, fixes=None), Policy(ALL, fixes=FixPolicy(codes=ALL - {"TBX101"}))):
        assert sorted(finding.code for finding in check(source, policy)) == ["TBX101", "TBX216"]


def test_only_the_wrong_one_of_several_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "("),)))
    result = fixed(PROGRAM)
    assert errors(result.findings)[0].startswith("internal error: TBX101: the fixed")


def test_a_repair_that_never_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.receiver, "torch.zeros(3).cuda().float()"),)))
    result = fixed(PROGRAM)
    assert (result.source.text, result.applied) == (PROGRAM, ())
    assert errors(result.findings)[0].startswith("internal error: TBX101: its fix does not settle")


def test_a_rule_that_fails_on_the_fixed_program_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = all_rules()["TBX101"].on_export  # type: ignore[attr-defined]

    def on_export(self: object, event: Export) -> Iterator[Draft]:
        yield from real(self, event)
        if ".cpu()" in cst.Module(()).code_for_node(event.node):
            raise ZeroDivisionError("boo")

    monkeypatch.setattr(all_rules()["TBX101"], "on_export", on_export)
    from tensorlint.runner import Fixing

    report = run_text("program.py", PROGRAM.encode(), Resolver(isolated=True), Fixing())
    assert (report.changes, report.exit_code) == ({}, 2)
    assert "ZeroDivisionError: boo" in report.findings[0].message


# Convergence


def test_nested_conversions_are_all_fixed() -> None:
    program = "import torch\nx = " + "torch.Tensor(" * 8 + "[2]" + ").cuda().numpy()" * 8 + "\n"
    result = assert_sound(program)
    assert [finding.code for finding in result.applied].count("TBX101") == 8
    assert {finding.code for finding in result.findings} == {"TBX407"}
    assert result.source.text.count(".cpu().numpy()") == 8


def test_a_conflict_waits_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    real = engine._apply
    monkeypatch.setattr(engine, "_apply", lambda *arguments: rounds.append(1) or real(*arguments))
    program = "from torch import Tensor\n" + TRAIN + CAST  # both imports go to the same place
    result = fixed(program)
    assert len(rounds) == 2
    assert result.source.text == "import copy\n\nimport torch\nfrom torch import Tensor\n" + TRAINED + WAS_CAST
    assert (len(result.applied), result.findings) == (2, ())


def test_two_findings_of_one_cause_are_fixed_at_once() -> None:
    program = "import numpy as np\nimport torch\nclass Rows:\n    a = np.ones(3)\n    def f(self):\n"
    program += "        t = torch.from_numpy(self.a)\n        t += 1\n        t *= 2\n        return t\n"
    result = assert_sound(program)
    assert [finding.code for finding in result.applied] == ["TBX303", "TBX303"]
    assert result.source.text == program.replace("from_numpy(self.a)", "from_numpy(self.a).clone()")


@pytest.mark.parametrize(
    ("policy", "done"),
    [
        (FixPolicy(), ["TBX101", "TBX216"]),
        (FixPolicy(codes=frozenset({"TBX216"})), ["TBX216"]),
        (FixPolicy(codes=frozenset()), []),
        (FixPolicy(unsafe=frozenset({"TBX216"})), ["TBX101"]),
    ],
)
def test_what_is_fixed_by_whom(policy: FixPolicy, done: list[str]) -> None:
    result = fix(Source("program.py", PROGRAM), Policy(ALL, fixes=policy))
    assert [finding.code for finding in result.applied] == done
    assert len(result.findings) == 2 - len(done)


def test_an_unsafe_fix_can_be_trusted() -> None:
    policy = Policy(ALL, fixes=FixPolicy(safe=frozenset({"TBX302"})))
    assert (
        fix(Source("program.py", "import torch\n" + TRAIN), policy).source.text
        == "import copy\n\nimport torch\n" + TRAINED
    )


# Unused suppressions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = 1  # noqa: TBX101", "x = 1"),
        ("x = 1  # noqa: TBX101 - the reason", "x = 1"),
        ("x = 1  # noqa: TBX101, E501", "x = 1  # noqa: E501"),
        ("x = 1  # noqa: E501,TBX101,TBX2", "x = 1  # noqa: E501"),
        ("x = 1  # NOQA:tbx101", "x = 1"),
        ("x = 1  # noqa: TBX101  # type: ignore", "x = 1  # type: ignore"),
        ("x = 1  # type: ignore  # noqa: TBX101", "x = 1  # type: ignore"),
        ("x = 1  # noqa: TBX101 # tensorlint: ignore[TBX102]", "x = 1"),
        ("x = 1  # tensorlint: ignore", "x = 1"),
        ("x = 1  # tensorlint: ignore[TBX101, TBX102]", "x = 1"),
        ("x = '''\n# noqa: TBX101\n'''  # noqa: TBX101", "x = '''\n# noqa: TBX101\n'''"),
        ("x = (\n    1  # noqa: TBX101\n)", "x = (\n    1\n)"),
        ("# noqa: TBX101", None),
        ("if x:\n    # noqa: TBX101\n    pass", "if x:\n    pass"),
        ("x = 1 ;  # noqa: TBX101", "x = 1 ;"),
        ("y = c.numpy()  # noqa: TBX101, TBX102, TBX201", "y = c.numpy()  # noqa: TBX101, TBX102"),
        ("y = c.numpy()  # tensorlint: ignore[TBX1,TBX201]", "y = c.numpy()  # tensorlint: ignore[TBX1]"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_unused_suppression_is_reported_and_taken_out(line: str, expected: str | None, newline: str) -> None:
    program = f"{GRAD}{line}\nz = 1\n".replace("\n", newline)
    result = fixed(program, SAFE)
    assert "TBX903" in {finding.code for finding in result.applied}
    kept = f"{GRAD}{expected}\nz = 1\n" if expected is not None else f"{GRAD}z = 1\n"
    assert result.source.text == kept.replace("\n", newline)
    assert "TBX903" not in {finding.code for finding in result.findings}


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: E501",
        "x = 1  # noqa: E501 - why TBX101",
        "x = 1  # flake8: noqa: TBX101",
        "y = c.numpy()  # noqa: TBX101, TBX102",
        "y = c.numpy()  # noqa: TBX1",
        "y = c.numpy()  # tensorlint: ignore",
        "y = (\n    c.numpy()  # noqa: TBX1\n)",
        "y = c.numpy() + \\\n    1  # noqa: TBX1",
        "x = '# noqa: TBX101'",
        "x = '''\n# noqa: TBX101\n'''",
    ],
)
def test_a_suppression_that_is_used_or_speaks_to_others_stays(line: str) -> None:
    program = f"{GRAD}{line}\n"
    result = fixed(program)
    assert (result.source.text, result.findings) == (program, ())


def test_a_code_that_was_not_asked_is_not_unused() -> None:
    program = f"{GRAD}x = 1  # noqa: TBX101\n"
    asked = [
        frozenset({"TBX903"}),
        frozenset({"TBX903", "TBX102"}),
        frozenset({"TBX903", "TBX101"}),
        frozenset({"TBX101"}),
    ]
    found = [[finding.code for finding in check(Source("p.py", program), Policy(codes))] for codes in asked]
    assert found == [[], [], ["TBX903"], []]


def test_what_is_only_possible_is_something_to_suppress() -> None:
    program = "import torch\ndef f(x):\n    return x.cpu().numpy()  # noqa: TBX102\n"
    assert fixed(program).findings == ()
    assert [finding.code for finding in fixed(program.replace("TBX102", "TBX101")).applied] == ["TBX903"]


@pytest.mark.parametrize(
    ("comment", "message", "left"),
    [
        ("# noqa: TBX999", "there is no rule `TBX999`", ""),
        ("# noqa: TBX1O1 why", "there is no rule `TBX1O1` (did you mean `TBX101`?)", ""),
        ("# noqa: E501, TBX777, TBX888", "there is no rule `TBX777, TBX888`", "# noqa: E501"),
        ("# tensorlint: ignore[numpy-of-cpu]", "there is no rule `numpy-of-cpu` (did you mean `numpy-off-cpu`?)", ""),
        ("# tensorlint: ignore[E501]", "there is no rule `E501`", ""),
        ("# tensorlint: ignore[]", "this comment suppresses nothing: it names no rule", None),
        ("# tensorlint: ignore[ ]", "this comment suppresses nothing: it names no rule", None),
        ("# tensorlint: ignore[", "this comment suppresses nothing: its bracket is not closed", None),
        ("# tensorlint: ignore[TBX101", "this comment suppresses nothing: its bracket is not closed", None),
        ("# tensorlint: ignore[TBX999  # why", "this comment suppresses nothing: its bracket is not closed", None),
    ],
)
def test_a_comment_that_names_nothing(comment: str, message: str, left: str | None) -> None:
    program = f"x = 1  {comment}\n"
    (finding,) = check(Source("p.py", program), Policy(ALL))
    assert (finding.code, finding.message) == ("TBX904", message)
    assert (finding.span.row, finding.span.column, finding.noqa_row) == (1, 8, 1)
    result = fix(Source("p.py", program), Policy(ALL))
    assert result.source.text == (program if left is None else f"x = 1  {left}".rstrip() + "\n")
    assert check(Source("p.py", program), Policy(ALL - {"TBX904"})) == []


def test_a_comment_for_the_file_that_names_nothing() -> None:
    program = "# flake8: noqa: TBX999\nx = 1\n"
    (finding,) = check(Source("p.py", program), Policy(ALL))
    assert (finding.code, finding.span.row, finding.span.column) == ("TBX904", 1, 1)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501, W5",
        "# noqa: TBX903",
        "# noqa: the rule TBX999",
        "# noqa: TBX999, TBX904",
        "# noqa: TBX999  # tensorlint: ignore[TBX904]",
        "'# noqa: TBX999'",
        "# about noqa: TBX999",
    ],
)
def test_a_comment_that_names_something_or_may_not(comment: str) -> None:
    assert check(Source("p.py", f"x = 1, {comment}\n"), Policy(ALL)) == []


def test_comments_that_cover_are_ignored_on_demand() -> None:
    program = f"{GRAD}c.numpy()  # noqa: TBX1\nx = 1  # noqa: TBX101  # noqa\ny = c.numpy()  # tensorlint: ignore\n"
    found = check(Source("p.py", program), Policy(ALL, ignore_noqa=True))
    row = GRAD.count("\n") + 1
    expected = [(row, "TBX101"), (row + 1, "TBX903"), (row + 2, "TBX101")]
    assert [(each.span.row, each.code) for each in found] == expected


def test_unused_suppressions_can_be_fixable_or_not() -> None:
    program = "x = 1  # noqa: TBX101\n"
    result = fix(Source("p.py", program), Policy(ALL, fixes=FixPolicy(codes=ALL - {"TBX903"})))
    assert (result.source.text, [finding.fix for finding in result.findings]) == (program, [None])


# Comments that are added


def added(program: str) -> str:
    report = run_text("program.py", program.encode(), Resolver(isolated=True))
    result = suppress(Report(report.findings, data={"program.py": program.encode()}), write=False)
    assert errors(result.findings) == []
    ((_, new),) = result.changes.values()
    left = run_text("program.py", new, Resolver(isolated=True))
    assert [finding.code for finding in left.findings] == []
    return new.decode()


BOTH = "# noqa: TBX101, TBX102"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("c.numpy()", f"c.numpy()  {BOTH}"),
        ("c.numpy()   ", f"c.numpy()  {BOTH}"),
        ("c.numpy()  # why", f"c.numpy()  # why  {BOTH}"),
        ("c.numpy()  # type: ignore", f"c.numpy()  # type: ignore  {BOTH}"),
        ("c.numpy()  # noqa: E501", "c.numpy()  # noqa: E501, TBX101, TBX102"),
        ("c.numpy()  # noqa: E501 - why", "c.numpy()  # noqa: E501, TBX101, TBX102 - why"),
        ("c.numpy()  # noqa: TBX101", "c.numpy()  # noqa: TBX101, TBX102"),
        ("c.numpy()  # tensorlint: ignore[TBX101]", "c.numpy()  # tensorlint: ignore[TBX101]  # noqa: TBX102"),
        ("c.numpy()  #noqa : E501", "c.numpy()  # noqa: E501, TBX101, TBX102"),
        ("c.numpy()  # noqa: e501", "c.numpy()  # noqa: E501, TBX101, TBX102"),
        ("y = (\n    c.numpy()\n)", f"y = (\n    c.numpy()  {BOTH}\n)"),
        ("y = (\n    c.numpy()\n)  # noqa", f"y = (\n    c.numpy()  {BOTH}\n)  # noqa"),
        ("y = (c\n    .numpy()\n)  # why", f"y = (c  {BOTH}\n    .numpy()\n)  # why"),
        ("for y in f'''\n{c.numpy()}\n''': pass", f"for y in f'''\n{{c.numpy()}}\n''': pass  {BOTH}"),
        ("y = c.numpy() + \\\n    1", f"y = c.numpy() + \\\n    1  {BOTH}"),
        ("if c.numpy() is \\\n        None: pass", f"if c.numpy() is \\\n        None: pass  {BOTH}"),
        ("if (c.numpy() is\n        None): pass", f"if (c.numpy() is  {BOTH}\n        None): pass"),
        ("y = c.numpy(), '''\n'''", f"y = c.numpy(), '''\n'''  {BOTH}"),
        ("y = f'''\n{c.numpy()}\n'''", f"y = f'''\n{{c.numpy()}}\n'''  {BOTH}"),
        ("y = '# noqa', c.numpy()", f"y = '# noqa', c.numpy()  {BOTH}"),
        ("y = '# noqa: E501', c.numpy()", f"y = '# noqa: E501', c.numpy()  {BOTH}"),
        ("c.numpy(); c.cpu().numpy()", f"c.numpy(); c.cpu().numpy()  {BOTH}"),
        ("if 1: c.numpy()", f"if 1: c.numpy()  {BOTH}"),
        ("if 1:\n\tc.numpy()\n\x0c", f"if 1:\n\tc.numpy()  {BOTH}\n\x0c"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_comment_is_added_where_it_suppresses(line: str, expected: str, newline: str) -> None:
    old, new = (f"{GRAD}{each}\nz = 1".replace("\n", newline) for each in (line, expected))
    assert added(old) == new


def test_a_comment_that_has_no_place_is_an_error() -> None:
    program = f"{GRAD}for y in f'''\n{{c.numpy()}}\n''': pass\n"
    with pytest.raises(CommentError, match="beside it"):
        with_comments(Source("program.py", program), {7: ["TBX101"]})
    report = run_text("program.py", program.encode(), Resolver(isolated=True))
    (finding,) = report.findings
    misplaced = changed(finding, noqa_row=7)
    result = suppress(Report((misplaced,), data={"program.py": program.encode()}), write=False)
    assert (result.changes, result.comments, result.exit_code) == ({}, 0, 2)
    assert [(each.code, each.message[:20]) for each in result.findings] == [("TBX902", "no comment was added")]


@pytest.mark.parametrize(
    ("line", "reason", "expected"),
    [
        ("c.numpy()", "see #12", f"c.numpy()  {BOTH}  see #12"),
        ("c.numpy()  # noqa: E501", "ours", "c.numpy()  # noqa: E501, TBX101, TBX102  ours"),
        ("c.numpy()  # noqa: E501  theirs", "ours", "c.numpy()  # noqa: E501, TBX101, TBX102  theirs"),
        ("c.numpy()", "GH12 E501", f"c.numpy()  {BOTH} - GH12 E501"),
        ("c.numpy()", ", E501", f"c.numpy()  {BOTH} - , E501"),
        ("c.numpy()", "live-snapshot too", f"c.numpy()  {BOTH} - live-snapshot too"),
    ],
)
def test_a_comment_with_a_reason(line: str, reason: str, expected: str) -> None:
    row = GRAD.count("\n") + 1
    source = Source("program.py", f"{GRAD}{line}\n")
    new = with_comments(source, {row: ["TBX102", "TBX101"]}, reason).decode()
    assert new == f"{GRAD}{expected}\n"
    (comment,) = Suppressions.parse(Source("program.py", new)).comments
    assert comment.prefixes[-2:] == ("TBX101", "TBX102")


def test_a_reason_that_the_encoding_does_not_have() -> None:
    source = Source("program.py", f"{GRAD}c.numpy()\n", encoding="latin-1")
    row = GRAD.count("\n") + 1
    assert with_comments(source, {row: ["TBX101"]}, "weiß").endswith(b"wei\xdf\n")
    with pytest.raises(CommentError, match="latin-1 does not have all characters"):
        with_comments(source, {row: ["TBX101"]}, "weiß 我")


def test_no_comment_is_added_about_comments() -> None:
    program = b"x = 1  # noqa: TBX101\ny = 1  # noqa: TBX999\n"
    report = run_text("program.py", program, Resolver(isolated=True))
    assert [finding.code for finding in report.findings] == ["TBX903", "TBX904"]
    result = suppress(changed(report, data={"program.py": program}), write=False)
    assert (result.changes, result.comments, result.findings) == ({}, 0, ())


def test_a_name_imported_on_one_path_is_only_used_beside_itself() -> None:
    head = "import sys\nfrom torch import Tensor\nif sys.argv:\n    import torch\n"
    assert after(head + "x = Tensor([1, 2])\n") == head + "x = Tensor([1, 2])\n"
    assert after(head + "x = torch.Tensor([1, 2])\n").endswith(WAS_CAST)
    both = head + "else:\n    import torch\n"
    assert after(both + CAST).endswith(WAS_CAST)

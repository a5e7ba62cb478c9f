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

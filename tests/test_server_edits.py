"""What the language server offers to change, and what is left after edits at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from tensorlint.config import Resolver
from tensorlint.findings import Applicability
from tensorlint.fix import edits as fix_edits
from tensorlint.runner import Fixing, run_text
from tensorlint.server.judging import edits_between
from tensorlint.source import NEWLINE
from tests.editor import Editor
from tests.serving import BUG, CALLER, HELPER, UNSAFE, editing, fresh, project_in, whole

# What newer releases of Python deprecate in pygls is not ours to mend.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pygls\.")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_in(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def editor(project: Path) -> Iterator[Editor]:
    with editing(project) as editor:
        yield editor


# What is offered.


def test_a_safe_fix_is_preferred(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "safe.py", "import torch\n\ns = '😀'; x = torch.zeros(3).cuda().numpy()\n")
    (shown,) = editor.diagnostics(uri)
    fix, comment = editor.actions(uri, shown.range, [shown], ["quickfix"])
    assert (fix.kind, fix.is_preferred, list(fix.diagnostics or ())) == ("quickfix", True, [shown])
    assert fix.edit is not None
    assert editor.apply(fix.edit)[uri].endswith("x = torch.zeros(3).cuda().cpu().numpy()\n")
    assert (comment.title, comment.is_preferred) == ("tensorlint (TBX101): suppress with `# noqa: TBX101`", None)
    assert comment.edit is not None
    assert editor.apply(comment.edit)[uri].endswith(".numpy()  # noqa: TBX101\n")


def test_an_unsafe_fix_says_so_and_is_none_of_all(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "unsafe.py", UNSAFE)
    (shown,) = editor.diagnostics(uri)
    fix, comment = editor.actions(uri, shown.range, [shown])
    assert "(unsafe: " in fix.title
    assert fix.is_preferred is None
    assert fix.edit is not None
    assert "import copy\n" in editor.apply(fix.edit)[uri]
    assert "noqa: TBX302" in comment.title


def test_a_fix_is_offered_where_the_editor_names_the_finding(editor: Editor, project: Path) -> None:
    """Neovim asks at the cursor, for all diagnostics of the line."""
    uri = editor.open(project / "line.py", BUG)
    (shown,) = editor.diagnostics(uri)
    start = types.Range(types.Position(2, 0), types.Position(2, 0))
    assert editor.actions(uri, start, [], ["quickfix"]) == []
    assert len(editor.actions(uri, start, [shown], ["quickfix"])) == 2


@pytest.mark.parametrize("only", ["source", "source.fixAll", "source.fixAll.tensorlint"])
def test_all_fixes_at_once(editor: Editor, project: Path, only: str) -> None:
    text = (
        "import torch\r\n\r\nx = torch.zeros(3).cuda().numpy()\r\ny = [torch.ones(3).cuda().numpy() for _ in 'ab']\r\n"
    )
    path = project / f"all_{only}.py"
    uri = editor.open(path, text)
    (action,) = editor.actions(uri, whole(editor, uri), (), [only])
    assert action.kind == "source.fixAll.tensorlint"
    assert action.edit is not None
    (_, after) = run_text(str(path), text.encode(), Resolver(), Fixing(write=False)).changes[str(path)]
    assert editor.apply(action.edit)[uri] == after.decode() != text
    assert editor.actions(uri, whole(editor, uri), (), ["source.organizeImports"]) == []


def test_what_is_offered_is_for_the_text_as_it_is(editor: Editor, project: Path) -> None:
    """Asked for at once after a keystroke, before anything is shown of it."""
    uri = editor.open(project / "at_once.py", BUG)
    editor.replace(uri, 0, 0, "# 😀 one line more\n")
    action = editor.actions(uri, whole(editor, uri), (), ["quickfix"])[0]
    assert action.edit is not None
    assert editor.apply(action.edit)[uri] == editor.texts[uri].replace(".numpy()", ".cpu().numpy()")


@pytest.mark.parametrize("fixture", ["TBX103_numpy_predicate_on_tensor", "TBX205_tensor_of_tensor"])
def test_edits_are_those_of_the_command_line(editor: Editor, project: Path, fixture: str) -> None:
    folder = next(Path(__file__).parent.parent.glob(f"fixtures/{fixture.partition('_')[0]}_*"))
    path = sorted(folder.glob("bad_*.py"))[0]
    text = path.read_text()
    uri = editor.open(project / f"{fixture}.py", text)
    editor.diagnostics(uri)
    for finding in fresh(project / f"{fixture}.py", text):
        at = editor.position(text, sum(len(line) + 1 for line in text.split("\n")[: finding.span.row - 1]))
        offered = [each for each in editor.actions(uri, types.Range(at, types.Position(at.line + 1, 0))) if each.edit]
        if finding.fix is not None and finding.fix.applicability is not Applicability.DISPLAY:
            expected = fix_edits.apply(text, [finding.fix])
            assert expected in [editor.apply(each.edit)[uri] for each in offered if each.edit is not None]


# The same as a fresh run, whatever is typed.

PIECES = (
    "x = torch.zeros(3).cuda().numpy()\n", "    y = prepared(x).numpy()\n", "import torch\n", "def f(a):\n",
    "    return a.to('cuda')\n", "class C:\n", "\n", "\r\n", "\r", "'😀'", '"""', "(", ")", ".cpu()", ".numpy()", "é",
    "\f", "# noqa\n", "  # noqa: TBX101", "    ", "\t", "with torch.no_grad():\n", "np", "for _ in x:\n", "0", "\\\n",
    "z = model(x)\n", "# -*- coding: latin-1 -*-\n", "\u2028", "x = 1; print(x)\n",
)  # fmt: skip
START = CALLER.replace("from", "import numpy as np\nfrom", 1) + "\n\ndef g(model, x):\n    x = x.cuda()\n" + BUG


def whole_newlines(text: str, offset: int) -> int:
    """The same place, unless it parts a newline in two: there is none such in the protocol."""
    return offset - (text[offset - 1 : offset + 1] == "\r\n") if offset else 0


def random_edit(random: random.Random, editor: Editor, uri: str) -> None:
    text = editor.texts[uri]
    start = whole_newlines(text, random.randint(0, len(text)))
    kind = random.random()
    if kind < 0.02 or len(text) > 3000:
        editor.change(uri, START)
    elif kind < 0.55:
        editor.replace(uri, start, start, random.choice(PIECES))
    elif kind < 0.85:
        editor.replace(uri, start, whole_newlines(text, min(len(text), start + random.randint(1, 12))), "")
    else:
        line = random.choice(text.split("\n")) + "\n"
        editor.replace(uri, start, start, line)


def compared(editor: Editor, uri: str, path: Path, after: int = 0) -> None:
    text = editor.texts[uri]
    shown = {
        (each.code, editor.offset(text, each.range.start), editor.offset(text, each.range.end), each.message)
        for each in editor.diagnostics(uri, after)
    }
    starts = [0, *(match.end() for match in NEWLINE.finditer(text))]
    lines = NEWLINE.split(text)

    def offset(row: int, column: int) -> int:
        return (
            min(starts[row - 1] + min(column - 1, len(lines[row - 1])), len(text)) if row <= len(lines) else len(text)
        )

    expected = set()
    for finding in fresh(path, text):
        also = f" (also {', '.join(finding.also)})" if finding.also else ""
        message = f"{finding.message}{also}" + (f"\nhelp: {finding.help}" if finding.help else "")
        span = finding.span
        expected.add((finding.code, offset(span.row, span.column), offset(span.end_row, span.end_column), message))
    assert shown == expected, (text, shown - expected, expected - shown)


def test_random_edits_leave_what_a_fresh_run_finds(editor: Editor, project: Path) -> None:
    edit_at_random(editor, project, seed=14, edits=300)


def edit_at_random(editor: Editor, project: Path, seed: int, edits: int) -> None:
    """Edits in bursts, after each of which what is shown is what a fresh run finds. Now and then all is saved."""
    dice = random.Random(seed)
    path = project / f"random_{seed}.py"
    helper = project / "helper.py"
    uri = editor.open(path, START)
    done = 0
    while done < edits:
        for _ in range(dice.randint(1, 8)):
            random_edit(dice, editor, uri)
            done += 1
        editor.diagnostics(uri)
        after = 0
        if dice.random() < 0.1:
            after = len(editor.published[uri])
            helper.write_text(HELPER if dice.random() < 0.5 else HELPER.replace('"cuda"', '"cpu"'))
            editor.save(uri, path)
        compared(editor, uri, path, after)
    helper.write_text(HELPER)
    editor.close(uri)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_edits_between_texts_lead_from_one_to_the_other(newline: str) -> None:
    dice = random.Random(newline)
    for _ in range(200):
        before = [dice.choice(["", "a", "ab", "abc", "  x"]) for _ in range(dice.randint(0, 8))]
        after = [line for line in before if dice.random() < 0.8]
        after.insert(dice.randint(0, len(after)), dice.choice(["new", "ab", ""]))
        old, new = newline.join(before), newline.join(after)
        fix = [_as_fix(edit) for edit in edits_between(old, new)]
        assert fix_edits.apply(old, fix) == new


def _as_fix(edit: object) -> object:
    from tensorlint.findings import Edit, Fix

    assert isinstance(edit, Edit)
    return Fix(Applicability.SAFE, "", (edit,))

"""The language server, driven by an editor over real pipes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from tensorlint.config import Resolver
from tensorlint.findings import Applicability, Certainty, Span
from tensorlint.runner import Fixing, run_text
from tensorlint.server import settings
from tensorlint.server.judging import Cells, Judge, Text
from tensorlint.server.places import Places
from tests.conftest import Program
from tests.editor import Editor, able
from tests.serving import BUG, CALLER, HELPER, UNSAFE, codes, editing, project_in, whole

# What newer releases of Python deprecate in pygls is not ours to mend.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pygls\.")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_in(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def editor(project: Path) -> Iterator[Editor]:
    with editing(project) as editor:
        yield editor


# What is shown, and when.


def test_what_is_typed_is_judged_and_not_what_lies_on_disk(editor: Editor, project: Path) -> None:
    path = project / "typed.py"
    path.write_text("nothing = 1\n")
    uri = editor.open(path, "import torch\n")
    assert editor.diagnostics(uri) == []
    editor.replace(uri, 13, 13, "x = torch.zeros(3).cuda().numpy()\n")
    (shown,) = editor.diagnostics(uri)
    assert (shown.code, shown.source, shown.severity) == ("TBX101", "tensorlint", types.DiagnosticSeverity.Error)
    assert editor.shown_text(uri, shown.range) == "torch.zeros(3).cuda().numpy()"
    assert shown.code_description is not None
    assert shown.code_description.href.endswith("TBX101.md")
    assert shown.data == {"certainty": "certain", "also": [], "fix": "safe"}
    assert "help: insert `.cpu()`" in shown.message
    assert path.read_text() == "nothing = 1\n"


def test_nothing_is_shown_of_what_is_closed(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "closed.py", BUG)
    assert editor.diagnostics(uri)
    editor.close(uri)
    editor.wait(lambda: editor.published[uri][-1].version is None)
    assert list(editor.published[uri][-1].diagnostics) == []


def test_only_what_is_last_is_shown(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "last.py", "import torch\n")
    for number in range(30):
        editor.replace(uri, len(editor.texts[uri]), len(editor.texts[uri]), f"x{number} = torch.ones({number})\n")
    editor.change(uri, BUG)
    assert codes(editor.diagnostics(uri)) == ["TBX101"]
    versions = [each.version or 0 for each in editor.published[uri]]
    assert versions == sorted(versions)


def test_the_program_around_the_file_is_known(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "caller.py", CALLER)
    (shown,) = editor.diagnostics(uri)
    assert shown.code == "TBX101"
    elsewhere = [each for each in shown.related_information or () if each.location.uri != uri]
    assert [(each.location.uri, each.location.range.start.line) for each in elsewhere] == [
        ((project / "helper.py").as_uri(), 4)
    ]


def test_a_saved_file_changes_what_is_found_in_others(editor: Editor, project: Path) -> None:
    aside = project / "aside.py"
    aside.write_text(HELPER)
    caller = editor.open(project / "aside_caller.py", CALLER.replace("helper", "aside"))
    helper = editor.open(aside)
    assert codes(editor.diagnostics(caller)) == ["TBX101"]
    seen = len(editor.published[caller])
    at = editor.texts[helper].index('x.to("cuda")')
    editor.replace(helper, at, at + len('x.to("cuda")'), "x.to('cpu')")
    editor.diagnostics(helper)
    assert len(editor.published[caller]) == seen  # what is not saved is nobody else's
    editor.save(helper, aside)
    assert editor.diagnostics(caller, after=seen) == []
    seen = len(editor.published[caller])
    aside.write_text(HELPER)
    editor.changed_on_disk(aside)
    assert codes(editor.diagnostics(caller, after=seen)) == ["TBX101"]


def test_settings_of_the_project_are_honoured_and_read_anew(editor: Editor, project: Path) -> None:
    package = project / "package"
    package.mkdir()
    (package / "pyproject.toml").write_text('[tool.tensorlint]\nignore = ["TBX101"]\n')
    uri = editor.open(package / "ignored.py", BUG)
    assert editor.diagnostics(uri) == []
    (package / "pyproject.toml").write_text('[tool.tensorlint]\nignore = ["TBX102"]\n')
    editor.changed_on_disk(package / "pyproject.toml")
    assert codes(editor.diagnostics(uri, after=1)) == ["TBX101"]
    (package / "pyproject.toml").write_text('[tool.tensorlint]\nignroe = ["TBX102"]\n')
    seen = len(editor.published[uri])
    editor.changed_on_disk(package / "pyproject.toml")
    (shown,) = editor.diagnostics(uri, after=seen)
    assert shown.code == "TBX900"
    assert "did you mean `ignore`" in shown.message
    editor.wait(lambda: any("ignroe" in message.message for message in editor.logged))
    editor.logged.clear()
    (package / "pyproject.toml").unlink()
    editor.changed_on_disk(package / "pyproject.toml")
    editor.diagnostics(uri, after=seen + 1)


@pytest.mark.parametrize("name", ["vendored/bug.py", "build/deep/bug.py"])
def test_what_is_excluded_is_not_judged(editor: Editor, project: Path, name: str) -> None:
    assert editor.diagnostics(editor.open(project / name, BUG)) == []


def test_other_documents_are_left_alone(editor: Editor, project: Path) -> None:
    other = editor.open(project / "notes.txt", BUG, language="plaintext")
    stub = editor.open(project / "stub.pyi", BUG)
    unsaved = editor.open("untitled:Untitled-1", BUG)
    assert codes(editor.diagnostics(unsaved)) == ["TBX101"]
    assert codes(editor.diagnostics(editor.open(project / "script", "#!/usr/bin/env python\n" + BUG))) == ["TBX101"]
    assert other not in editor.published
    assert stub not in editor.published


def test_a_syntax_error_is_shown_where_it_is(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "broken.py", "import torch\n\nx = '😀' )\n")
    (shown,) = editor.diagnostics(uri)
    assert (shown.code, shown.range.start) == ("TBX901", types.Position(2, 9))


def test_a_text_beyond_all_measure_is_not_judged(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "long.py", BUG + "# long\n" * 150_000)
    assert editor.diagnostics(uri) == []
    assert any("long.py" in message.message for message in editor.logged)


def test_lines_end_where_the_protocol_says(editor: Editor, project: Path) -> None:
    text = "import torch\r\n\f\r\ns = 'a\u2028b\x1cc'\rx = torch.zeros(3).cuda().numpy()\r\n"
    uri = editor.open(project / "lines.py", text)
    (shown,) = editor.diagnostics(uri)
    assert shown.range.start.line == 3
    editor.replace(uri, text.index("zeros"), text.index("zeros") + 5, "ones")
    (shown,) = editor.diagnostics(uri)
    assert editor.shown_text(uri, shown.range) == "torch.ones(3).cuda().numpy()"


def test_an_unused_comment_is_shown_as_such(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "unused.py", "import torch\n\nx = torch.zeros(3)  # noqa: TBX101\n")
    (shown,) = editor.diagnostics(uri)
    assert (shown.code, shown.severity) == ("TBX903", types.DiagnosticSeverity.Hint)
    assert list(shown.tags or ()) == [types.DiagnosticTag.Unnecessary]
    (action,) = editor.actions(uri, shown.range, [shown], ["quickfix"])
    assert action.edit is not None
    assert editor.apply(action.edit)[uri] == "import torch\n\nx = torch.zeros(3)\n"


# Notebooks.


def test_the_cells_of_a_notebook_are_one_program(editor: Editor, project: Path) -> None:
    path = project / "book.ipynb"
    told = [("markdown", "# 😀"), ("python", "%matplotlib inline\nimport torch\nx = torch.zeros(3).cuda()")]
    _, (_, first, second) = editor.open_notebook(path, *told, ("python", "s = '😀'; y = x.numpy()"))
    (shown,) = editor.diagnostics(second)
    assert (shown.code, editor.shown_text(second, shown.range)) == ("TBX101", "x.numpy()")
    (step,) = shown.related_information or ()
    assert (step.location.uri, editor.shown_text(first, step.location.range)) == (first, "torch.zeros(3).cuda()")
    assert editor.diagnostics(first) == []
    fix, comment = editor.actions(second, shown.range, [shown], ["quickfix"])
    assert fix.edit is not None
    assert editor.apply(fix.edit) == {second: "s = '😀'; y = x.cpu().numpy()"}
    assert comment.edit is not None
    assert editor.apply(comment.edit) == {second: "s = '😀'; y = x.numpy()  # noqa: TBX101"}
    assert "numpy-off-cpu" in editor.hover(second, editor.texts[second].index(".numpy"))
    editor.replace_in_cell(path, first, ".cuda()", "")
    editor.wait(lambda: not editor.published[second][-1].diagnostics)
    third = editor.insert_cell(path, 2, 9, "x = torch.ones(3).cuda()")
    editor.wait(lambda: bool(editor.published[second][-1].diagnostics))
    (action,) = editor.actions(third, whole(editor, third), (), ["source.fixAll"])
    assert action.edit is not None
    assert editor.apply(action.edit) == {second: "s = '😀'; y = x.cpu().numpy()"}
    editor.delete_cell(path, 2, third)
    editor.wait(lambda: not editor.published[second][-1].diagnostics)
    editor.close_notebook(path, [first, second])


@pytest.mark.parametrize(
    "cells",
    [
        (UNSAFE,),
        ("import torch", UNSAFE.partition("\n\n")[2].rstrip("\n")),
        ("from __future__ import annotations", UNSAFE.rstrip("\n")),
        ("import os", "import torch\nimport sys", UNSAFE.partition("\n\n")[2]),
        ("", "%pip install torch\n", UNSAFE),
    ],
)
def test_a_fix_may_add_lines_to_another_cell(editor: Editor, tmp_path: Path, cells: tuple[str, ...]) -> None:
    path = tmp_path / "copied.ipynb"
    _, uris = editor.open_notebook(path, *(("python", cell) for cell in cells))
    (shown,) = editor.diagnostics(uris[-1])
    fix = editor.actions(uris[-1], shown.range, [shown], ["quickfix"])[0]
    assert fix.edit is not None
    fixed = editor.apply(fix.edit)
    notebook = Cells(str(path), cells)
    report = run_text(str(path), notebook.data(), Resolver(), Fixing(Applicability.UNSAFE, write=False))
    expected = notebook.texts_in(report.changes[str(path)][1])
    assert tuple(fixed.get(uri, editor.texts[uri]) for uri in uris) == expected != cells
    editor.close_notebook(path, uris)


def test_an_unused_comment_on_the_last_line_of_a_cell(editor: Editor, project: Path) -> None:
    path = project / "comment.ipynb"
    _, (first, second) = editor.open_notebook(
        path, ("python", "import torch\n# noqa: TBX101"), ("python", "x = torch.zeros(3)")
    )
    (shown,) = editor.diagnostics(first)
    assert shown.code == "TBX903"
    (fix,) = editor.actions(first, shown.range, [shown], ["quickfix"])
    assert fix.edit is not None
    assert editor.apply(fix.edit) == {first: "import torch"}
    editor.close_notebook(path, [first, second])


# What is explained.


def test_hover_shows_the_rule_of_a_finding(editor: Editor, project: Path) -> None:
    uri = editor.open(project / "hover.py", BUG)
    text = editor.hover(uri, BUG.index(".numpy"))
    assert text.startswith("**[TBX101](https://")
    assert "## What it does" in text
    assert editor.hover(uri, 0) == ""


def test_hover_shows_the_rules_that_a_comment_names(editor: Editor, project: Path) -> None:
    text = BUG.replace("()\n", "()  # noqa: TBX101, TBX302, F401  # tensorlint: ignore[live-snapshot]\n")
    uri = editor.open(project / "hover_comment.py", text)
    assert "numpy-off-cpu" in editor.hover(uri, text.index("TBX101"))
    assert "state-dict-alias" in editor.hover(uri, text.index("TBX302") + 6)
    assert "TBX301" in editor.hover(uri, text.index("live-snapshot") + 5)
    assert "unused-suppression" in editor.hover(uri, text.index("F401") + 1)  # what is found of the comment


# A session from its beginning to its end.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32"])
def test_positions_are_counted_as_agreed(tmp_path: Path, encoding: str) -> None:
    """With an editor that can do little else."""
    text = "import torch\n\ns = '😀é'; x = torch.zeros(3).cuda().numpy()\n"
    capabilities = able(encodings=[encoding], versioned=False, related=False, configuration=False)
    with Editor(tmp_path, options={"tensorlint": {"debounce": 1}}, capabilities=capabilities) as editor:
        assert editor.encoding == encoding
        uri = editor.open(tmp_path / "counted.py", text)
        (shown,) = editor.diagnostics(uri)
        assert editor.shown_text(uri, shown.range) == "torch.zeros(3).cuda().numpy()"
        assert shown.related_information is None
        action = editor.actions(uri, shown.range, [shown])[0]
        assert action.edit is not None
        assert editor.apply(action.edit)[uri] == text.replace(".numpy()", ".cpu().numpy()")
        editor.replace(uri, text.index("zeros"), text.index("zeros") + 5, "ones")
        (shown,) = editor.diagnostics(uri)
        assert editor.shown_text(uri, shown.range) == "torch.ones(3).cuda().numpy()"
    assert editor.exit_code == 0


def test_settings_of_the_editor(tmp_path: Path) -> None:
    likely = "import torch\n\n\ndef f(model, x, device):\n    return model(x.to(device)).detach().numpy()\n"
    options = {"settings": {"debounce": 0, "certainty": "certain", "unknwn": 1}}
    with Editor(tmp_path, options=options, configuration={"certainty": "likely"}) as editor:
        uri = editor.open(tmp_path / "likely.py", likely)
        editor.wait(lambda: any(codes(list(each.diagnostics)) == ["TBX101"] for each in editor.published[uri]))
        shown = editor.published[uri][-1].diagnostics[0]
        assert shown.severity is types.DiagnosticSeverity.Warning
        assert "unknown setting `unknwn`" in editor.shown[0].message
        seen = len(editor.published[uri])
        editor.reconfigure({"unsafeFixes": True})
        assert editor.diagnostics(uri, after=seen) == []
        other = editor.open(tmp_path / "unsafe.py", UNSAFE)
        (action,) = editor.actions(other, whole(editor, other), (), ["source.fixAll"])
        assert "unsafe" in action.title


def test_an_error_of_the_tool_ends_nothing(project: Path) -> None:
    """A rule that fails is TBX900, is logged, and the next text is judged."""
    program = (
        "import sys\n"
        "from tensorlint.rules.numpy_off_cpu import NumpyOffCpu\n"
        "def fail(self, event):\n"
        "    raise ZeroDivisionError('as ordered')\n"
        "    yield\n"
        "[setattr(NumpyOffCpu, name, fail) for name in vars(NumpyOffCpu).copy() if name.startswith('on_')]\n"
        "from tensorlint.cli import main\n"
        "sys.exit(main(['server']))\n"
    )
    with Editor(project, options={"debounce": 0}, command=(sys.executable, "-c", program)) as editor:
        uri = editor.open(project / "fails.py", BUG)
        (shown,) = editor.diagnostics(uri)
        assert (shown.code, shown.severity) == ("TBX900", types.DiagnosticSeverity.Error)
        assert "as ordered" in shown.message
        editor.wait(lambda: any("as ordered" in message.message for message in editor.logged))
        with pytest.raises(Exception, match="nowhere"):
            editor.request("tensorlint/nowhere", None)
        ghost = "file:///was/never/opened.py"
        editor.texts[ghost], editor.versions[ghost] = "", 0
        editor.change(ghost, "x = 1")
        editor.wait(lambda: any("KeyError" in message.message for message in editor.logged))
        editor.change(uri, UNSAFE)
        assert codes(editor.diagnostics(uri)) == ["TBX302"]
    assert editor.exit_code == 0


def test_the_protocol_is_spoken_while_a_text_is_judged(tmp_path: Path) -> None:
    """And nothing is said of a text that is not the editor's any more."""
    go = tmp_path / "go"
    program = (
        "import os, sys, time\n"
        "from tensorlint.server.judging import Judge\n"
        "check = Judge.check\n"
        "def wait(self, text):\n"
        f"    while not os.path.exists({str(go)!r}):\n"
        "        time.sleep(0.01)\n"
        "    return check(self, text)\n"
        "Judge.check = wait\n"
        "from tensorlint.cli import main\n"
        "sys.exit(main(['server', '--stdio']))\n"
    )
    with Editor(tmp_path, options={"debounce": 0}, command=(sys.executable, "-c", program)) as editor:
        uri = editor.open(tmp_path / "slow.py", BUG)
        editor.replace(uri, 0, 0, "# a line more\n")
        hover = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(3, 20))
        with pytest.raises(JsonRpcRequestCancelled):
            editor.request_and_cancel(types.TEXT_DOCUMENT_HOVER, hover)
        assert editor.published[uri] == []
        go.touch()
        assert codes(editor.diagnostics(uri)) == ["TBX101"]
        assert [each.version for each in editor.published[uri]] == [2]
        go.unlink()
        editor.replace(uri, 0, 0, "# and one more, which is still being judged at the end\n")
    assert editor.exit_code == 0


def test_who_goes_without_a_word_is_no_error_of_ours(tmp_path: Path) -> None:
    """The pipe ends: the server goes, too, and says by its exit code that nobody took leave."""
    done = subprocess.run([sys.executable, "-m", "tensorlint", "server"], input=b"", capture_output=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")


def test_without_the_extra_one_line_says_what_is_missing(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "pygls").mkdir()
    (tmp_path / "pygls" / "__init__.py").write_text("raise ModuleNotFoundError('no pygls', name='pygls')\n")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    outcome = tensorlint("server", env={"PYTHONPATH": paths})
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "Error: the language server needs pygls: pip install 'tensorlint[lsp]'\n"


# The parts that have no need of an editor.


@pytest.mark.parametrize(
    ("encoding", "line", "column", "character"),
    [
        ("utf-8", "a😀é", 3, 5), ("utf-16", "a😀é", 3, 3), ("utf-32", "a😀é", 3, 2),
        ("utf-8", "a😀é", 4, 7), ("utf-16", "a😀é", 4, 4), ("utf-16", "abc", 3, 2), ("utf-8", "", 1, 0),
    ],
)  # fmt: skip
def test_places(encoding: str, line: str, column: int, character: int) -> None:
    places = Places(("before", line), encoding)
    position = places.range(Span(2, column, 2, column)).start
    assert position == types.Position(1, character)
    assert places.row_and_column(position) == (2, column)


def test_places_outside_of_the_text() -> None:
    places = Places(("one", "two"))
    assert places.row_and_column(types.Position(7, 0)) == (2, 4)
    assert places.row_and_column(types.Position(0, 99)) == (1, 4)
    assert places.range(Span(9, 1, 9, 1)).start == types.Position(1, 3)


@pytest.mark.parametrize(
    ("options", "wishes", "wrong"),
    [
        (None, settings.Wishes(), 0),
        ({"certainty": "Possible", "unsafeFixes": True}, settings.Wishes(Certainty.POSSIBLE, True), 0),
        ({"tensorlint": {"debounce": 500}}, settings.Wishes(debounce=0.5), 0),
        ({"settings": {"certainty": None}}, settings.Wishes(), 0),
        ({"certainty": "perhaps", "unsafeFixes": "yes", "debounce": -1, "else": 1}, settings.Wishes(), 4),
        ("nonsense", settings.Wishes(), 0),
    ],
)
def test_wishes(options: object, wishes: settings.Wishes, wrong: int) -> None:
    read, complaints = settings.read(json.loads(json.dumps(options)))
    assert (read, len(complaints)) == (wishes, wrong)


def test_the_settings_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parent.parent / "docs" / "editors.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    (defaults, wrong) = settings.read({"certainty": "likely", "unsafeFixes": False, "debounce": 150})
    assert (documented, wrong) == (["certainty", "unsafeFixes", "debounce"], [])
    assert defaults == settings.Wishes(Certainty.LIKELY)


@pytest.mark.parametrize("text", ["# coding: latin-1\ns = 'é→'\n", "# coding: no-such\n", "s = '\ud800'\n", "\0"])
def test_any_text_is_judged_without_an_error_of_the_tool(tmp_path: Path, text: str) -> None:
    said: list[str] = []
    judge = Judge(on_error=said.append)
    report = judge.check(Text(str(tmp_path / "odd.py"), (text + BUG,)))
    assert report.findings
    assert said == []
    assert judge.fix_all(Text(str(tmp_path / "odd.py"), (text + BUG,)), Applicability.SAFE) is not None

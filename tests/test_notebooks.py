"""Notebooks: which program they are, where its findings stand, and how formats and the command line tell of them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlint.config import Resolver
from tensorlint.discovery import Discovered
from tensorlint.findings import Location, Span
from tensorlint.ipython import as_python, is_indented
from tensorlint.report import FORMATS, Report, Style, render
from tensorlint.runner import run
from tensorlint.runner.gathering import suppress
from tensorlint.source import NEWLINE
from tests.conftest import Program
from tests.notebooks import CELLS, FOUND, cell, changed_lines, fixed, lint, notebook, places


def python(text: str) -> str:
    """What stands in the first cell, as Python, which must parse and keep its rows."""
    result = as_python(text)
    ast.parse(result)
    assert len(NEWLINE.split(result)) == len(NEWLINE.split(text))
    return result


# ------------------------------------------------------------------------------------------------ what IPython adds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%matplotlib inline\nx = 1", "0\nx = 1"),
        ("!pip install a \\\n  b\nx", "0\n\nx"),
        ("if x:\n    !ls\nelse:\n    %cd ..", "if x:\n    0\nelse:\n    0"),
        ("files = !ls *.pt\ny", "files = _()\ny"),
        ("a = b = %sx ls", "a = b = _()"),
        ("x.numpy?", "0"),
        ("?x\nx??\ny", "0\n0\ny"),
        ("pip install torch\nx", "0\nx"),
        ("cd = 1\nls - x\ncd in x", "cd = 1\nls - x\ncd in x"),
        (",f a\n;f a\n/f a", "0\n0\n0"),
        ("%time y = f(x)", "0;    y = f(x)"),
        ("%time for i in x: f(i)", "0"),
        ("%time", "0"),
        ("plt.show();", "plt.show();"),
        ("%%bash\nls\n", "\n\n"),
        ("# a script\n\n%%writefile a.py\nx", "\n\n\n"),
        ("%%time\nx = 1", "0\nx = 1"),
        ("%%capture out\nx = 1", "0\nx = 1"),
        ("%%time\n  # a\n  x = 1\n  y", "if 1:\n  # a\n  x = 1\n  y"),
        ("# a\n%%timeit -n 3 \\\n  -r 3\n\tx = 1", "# a\nif 1:\n\n\tx = 1"),
    ],
)
def test_what_only_ipython_understands(text: str, expected: str) -> None:
    assert python(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x = (a\n% b)",
        "x = a \\\n% b",
        'x = """\n%time\n!ls\n"""',
        "x = a % b  # what?",
        "f(a, b=c != d)",
        "x = 'why?'",
        "x = [\n    1,\n    # ?\n]",
        "x != y",
        "x = f(\n    '''a\n! b''',\n)",
        "x = '%s' % (\ny\n)\n",
    ],
)
def test_what_is_python_stays(text: str) -> None:
    assert python(text) == text


@given(st.text(alphabet=" \n\r\\%!?'\"#()=x0;:>.", max_size=40))
def test_rows_stay_whatever_is_in_a_cell(text: str) -> None:
    assert len(NEWLINE.split(as_python(text))) == len(NEWLINE.split(text))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_many_blank_lines(newline: str) -> None:
    text = "# a" + newline * 500 + "x"
    assert as_python(text) == text
    assert as_python(newline * 500 + "%%bash") == newline * 500
    assert not is_indented(text)


@given(st.sampled_from(sorted(Path(__file__).parent.glob("test_*.py"))))
def test_programs_are_left_as_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert as_python(text) == text


# ------------------------------------------------------------------------------------------------------ the findings


def test_cells_are_one_program_and_findings_name_the_cell() -> None:
    report = lint(notebook(*CELLS))
    assert places(report) == [FOUND]
    (step,) = report.findings[0].trace
    assert report.location("/p/a.ipynb", step.span) == Location(4, Span(1, 5, 1, 26))


def test_a_name_is_what_the_last_cell_made_it() -> None:
    assert places(lint(notebook(*CELLS[:4], "x = torch.zeros(3)", CELLS[4]))) == []
    twice = notebook(
        "import torch", "def f(x):\n    return x.cpu()", "def f(x):\n    return x.cuda()", "f(torch.ones(1)).numpy()"
    )
    assert [(code, number) for code, number, *_ in places(lint(twice))] == [("TBX101", 4)]


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("indent", [None, 1, 4])
def test_layouts(as_list: bool, indent: int | None) -> None:
    assert places(lint(notebook(*CELLS, as_list=as_list, indent=indent))) == [FOUND]


def test_nbformat_3() -> None:
    cells = [{**cell(each, key="input"), "language": "python"} for each in CELLS]
    cells.insert(3, {**cell("puts x.numpy", key="input"), "language": "ruby"})
    sheets = [{"cells": cells[:2], "metadata": {}}, {"cells": cells[2:], "metadata": {}}]
    text = json.dumps({"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets})
    assert places(lint(text)) == [("TBX101", 6, 2, 5)]


def test_commands_do_not_hide_nor_shift_anything() -> None:
    body = "%%time\nx = torch.zeros(3).cuda()\nfiles = !ls\n%time y = x.numpy()\nx.shape?\nz = x.numpy();"
    found = places(lint(notebook("import torch", body)))
    assert found == [("TBX101", 2, 4, 11), ("TBX101", 2, 6, 5)]
    assert places(lint(notebook("import torch", body.replace("%%time", "%%bash")))) == []


def test_colab_forms_and_top_level_await() -> None:
    text = notebook(
        "#@title Settings\nimport torch\nn = 3  #@param {type: 'slider'}\ndevice = 'cuda'  #@param ['cuda', 'cpu']",
        "x = torch.zeros(n).to('cuda')\nawait ready()\nasync with lock as l:\n    x.numpy()",
    )
    assert places(lint(text)) == [("TBX101", 2, 4, 5)]


def test_an_indented_cell_is_taken_as_ipython_takes_it() -> None:
    text = notebook("import torch\nx = torch.zeros(3).cuda()", "    # a\n    y = x.numpy()\n    z = 1")
    assert places(lint(text)) == [("TBX101", 2, 2, 9)]


def test_json_escapes_hide_nothing_from_the_screen() -> None:
    text = notebook(*CELLS).replace("torch", "\\u0074orch").replace(".numpy", "\\u002enumpy")
    assert b"torch" not in text.encode()
    assert places(lint(text)) == [FOUND]


def test_a_line_like_the_one_between_cells() -> None:
    text = notebook("import torch\n# %%\nx = torch.zeros(3).cuda()", "# %%%\nx.numpy()")
    assert places(lint(text)) == [("TBX101", 2, 2, 1)]
    assert "x.cpu().numpy()" in fixed(text)


def test_modules_beside_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "__init__.py").touch()  # a notebook is never part of the package it lies in
    (tmp_path / "helper.py").write_text("def away(x):\n    return x.to('cuda')\n")
    (tmp_path / "a.ipynb").write_text(notebook("import torch\nfrom helper import away", "away(torch.ones(1)).numpy()"))
    report = run([Discovered(str(tmp_path / "a.ipynb"))], Resolver(isolated=True))
    assert places(report) == [("TBX101", 2, 1, 1)]


# -------------------------------------------------------------------------------------------------------- comments


@pytest.mark.parametrize("comment", ["# noqa: TBX101", "# noqa", "# tensorlint: ignore[TBX101]"])
def test_comments_in_cells(comment: str) -> None:
    assert places(lint(notebook(*CELLS[:4], f"{CELLS[4]}  {comment}"))) == []
    assert places(lint(notebook(*CELLS[:4], f"{comment}\n{CELLS[4]}", "x.numpy()"))) != []


def test_a_comment_for_the_whole_file() -> None:
    assert places(lint(notebook("!ls\n# tensorlint: ignore-file", *CELLS))) == []
    assert places(lint(notebook("!ls  # tensorlint: ignore-file", *CELLS))) != []


def test_unused_comments_are_taken_out() -> None:
    text = notebook("import torch", "x = 1  # noqa: TBX101", "# tensorlint: ignore[TBX3]")
    assert places(lint(text)) == [("TBX903", 2, 1, 8), ("TBX903", 3, 1, 1)]
    assert fixed(text) == notebook("import torch", "x = 1", "").replace('"source": []', '"source": [\n    \n   ]')


def test_add_noqa() -> None:
    text = notebook(*CELLS)
    ((_, new),) = suppress(lint(text), write=False, reason="é").changes.values()
    assert changed_lines(text, new.decode()) == ['"y = x.numpy()  # noqa: TBX101  é"']
    assert places(lint(new)) == []


# ---------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "row", "column", "message"),
    [
        ("", 1, 1, "the file is no notebook: it is empty"),
        ("{\n,}", 2, 1, "the file is no notebook: not valid JSON: Expecting property name enclosed in double quotes"),
        ("[" * 100_000, 1, 1, "the file is no notebook: its JSON is nested too deeply"),
        ("[]", 1, 1, "the file is no notebook: there is no list of cells in it"),
        ('{"cells": 1}', 1, 1, "the file is no notebook: there is no list of cells in it"),
        ('{"cells": [1]}', 1, 12, "cell 1 is no object"),
        ('{"cells": [{},\n{"cell_type": "code"}]}', 2, 1, "cell 2 has no source"),
        ('{"cells": [{"cell_type": "code", "source": 1}]}', 1, 44, "the source of cell 1 is no text"),
        ('{"cells": [{"cell_type": "code", "source": "\\ud800"}]}', 1, 44, "cell 1 contains half of a surrogate pair"),
        ('{"cells": [{"cell_type": "code", "source": "\\u0000"}]}', 1, 44, "cell 1 contains a NUL character"),
    ],
)
def test_what_is_no_notebook(text: str, row: int, column: int, message: str) -> None:
    (finding,) = lint(text).findings
    assert (finding.code, finding.span.row, finding.span.column) == ("TBX902", row, column)
    assert finding.message.startswith(message)


def test_a_script_is_no_notebook_by_its_name_only() -> None:
    (finding,) = lint("import torch\n").findings
    assert finding.message.startswith("the file is no notebook: not valid JSON")


@pytest.mark.parametrize(
    ("broken", "row"),
    [("x = (", 1), ("x = 1\nif x:", 2), ("x = '''\n\n", 1), ("try:\n    x", 2), ("print 1", 1), ("x = \\", 1)],
)
def test_a_cell_that_does_not_parse_is_named(broken: str, row: int) -> None:
    report = lint(notebook(*CELLS, broken, "    y = 1"))
    assert [(code, number, at) for code, number, at, _ in places(report)] == [("TBX901", 6, row)]


@pytest.mark.parametrize(
    "metadata",
    [
        {"language_info": {"name": "R"}},
        {"kernelspec": {"name": "julia-1.9", "language": "julia"}},
        {"kernelspec": {"name": "ir"}},
        {"kernelspec": {"name": "python2", "language": "python"}},
        {"kernelspec": {"name": "python3"}, "language_info": {"name": "python", "version": "2.7.12"}},
    ],
)
def test_other_languages_are_passed_over(metadata: dict[str, object]) -> None:
    report = lint(notebook(*CELLS, "x <- (", **metadata))
    assert (report.findings, report.checked) == ((), 0)
    assert "Skipped 1 notebook of another language." in render(report, "concise", Style()) + _summary(report)


def _summary(report: Report) -> str:
    from tensorlint.report import summary

    return summary.render(report, Style())


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "python3"}},
        {"language_info": {"name": "ipython"}},
        {"kernelspec": {"name": "python2"}, "language_info": {"name": "python", "version": "3.11.2"}},
        {"kernelspec": {"name": "conda-env-torch"}},
        {"kernelspec": None, "language_info": []},
    ],
)
def test_what_says_nothing_is_python(metadata: dict[str, object]) -> None:
    assert places(lint(notebook(*CELLS, **metadata))) == [FOUND]


def test_a_cell_of_another_language() -> None:
    other = {**cell("select x.numpy()"), "metadata": {"vscode": {"languageId": "sql"}}}
    content = json.loads(notebook(*CELLS))
    content["cells"].insert(4, other)
    assert places(lint(json.dumps(content))) == [("TBX101", 6, 2, 5)]


@pytest.mark.parametrize("cells", [(), ("",), ("\n\n",), (("markdown", "x"),), ("%%html\n<b>",)])
def test_notebooks_without_a_program(cells: tuple[str, ...]) -> None:
    assert lint(notebook(*cells)) == Report(checked=1)


# -------------------------------------------------------------------------------------------------------- formats


def test_json_has_the_cell() -> None:
    report = lint(notebook(*CELLS))
    (told,) = json.loads(render(report, "json", Style()))
    assert (told["cell"], told["location"], told["end_location"]) == (
        5,
        {"row": 2, "column": 5},
        {"row": 2, "column": 14},
    )
    assert told["noqa_row"] == 2
    assert told["trace"] == [{"cell": 4, "row": 1, "column": 5, "message": told["trace"][0]["message"]}]
    assert [(edit["cell"], edit["location"]["row"]) for edit in told["fix"]["edits"]] == [(5, 2)]


@pytest.mark.parametrize("output_format", ["concise", "grouped", "full"])
def test_formats_for_people_name_the_cell(output_format: str) -> None:
    assert "cell 5:2:5" in render(lint(notebook(*CELLS)), output_format, Style())


def test_the_way_from_cell_to_cell() -> None:
    shown = render(lint(notebook(*CELLS)), "full", Style(cwd="/p"))
    assert shown.splitlines()[1:9] == [
        "  |",
        " ::: cell 4",
        "1 | x = torch.zeros(3).cuda()",
        "  |     --------------------- moved to the accelerator by `.cuda()` here",
        " ::: cell 5",
        "2 | y = x.numpy()",
        "  |     ^^^^^^^^^",
        "  |",
    ]


@pytest.mark.parametrize("output_format", sorted(set(FORMATS) - {"concise", "grouped", "full", "json", "json-lines"}))
def test_formats_for_programs_point_into_the_file(output_format: str) -> None:
    text = notebook(*CELLS)
    row = next(at for at, line in enumerate(text.splitlines(), start=1) if "y = x.numpy()" in line)
    shown = render(lint(text), output_format, Style(cwd="/p"))
    assert re.search(rf"\b{row}\b", shown)
    assert "(cell 5, line 2)" in shown


def test_sarif_has_places_of_the_file_and_no_edits_of_cells() -> None:
    text = notebook(*CELLS)
    ((result,),) = [each["results"] for each in json.loads(render(lint(text), "sarif", Style()))["runs"]]
    region = result["locations"][0]["physicalLocation"]["region"]
    line = text.splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "x.numpy()"
    assert "(cell 4, line 1)" in result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]["message"]["text"]
    assert "fixes" not in result


# ----------------------------------------------------------------------------------------------------- command line


def test_found_by_default_and_forced_out(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "a.ipynb").write_text(notebook(*CELLS))
    assert tensorlint("--show-files").out == "nb/a.ipynb\n"
    assert tensorlint("--output-format", "concise", "-q").out.startswith("nb/a.ipynb:cell 5:2:5: TBX101")
    forced = tensorlint("--force-exclude", "--exclude", "*.ipynb", "nb/a.ipynb")
    assert (forced.code, forced.out) == (0, "No Python files found.\n")


def test_standard_input(tensorlint: Program) -> None:
    text = notebook(*CELLS)
    outcome = tensorlint("-", "--stdin-filename", "x.ipynb", "--fix", stdin=text)
    assert outcome.out == text.replace("y = x.numpy()", "y = x.cpu().numpy()")


def test_fix_and_diff(tensorlint: Program, tmp_path: Path) -> None:
    path, text = tmp_path / "a.ipynb", notebook(*CELLS)
    path.write_text(text)
    patch = tensorlint("--diff", "-q")
    assert [line for line in patch.out.splitlines() if line[:1] in "+-"] == [
        "--- a.ipynb",
        "+++ a.ipynb",
        '-    "y = x.numpy()"',
        '+    "y = x.cpu().numpy()"',
    ]
    assert tensorlint("--fix-only", "-q").code == 0
    assert changed_lines(text, path.read_text()) == ['"y = x.cpu().numpy()"']


def test_the_example_in_the_readme(tensorlint: Program) -> None:
    root = Path(__file__).parent.parent
    shown = tensorlint("examples/spiral.ipynb", cwd=root).out
    assert f"$ tensorlint examples/spiral.ipynb\n{shown}```\n" in (root / "README.md").read_text(encoding="utf-8")


def test_a_percent_script_is_a_program_like_any_other(tensorlint: Program, tmp_path: Path) -> None:
    script = "# %% [markdown]\n# # Title\n# %%\n# %matplotlib inline\n# !pip install torch\nimport torch\n# %%\n"
    (tmp_path / "a.py").write_text(script + "torch.zeros(3).cuda().numpy()\n")
    assert tensorlint("--output-format", "concise", "-q").out.startswith("a.py:8:1: TBX101")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">>> x = 1\n>>> y", "    x = 1\n    y"),
        ("# a\n>>> def f():\n...     ls\n...\n>>> f()", "# a\n    def f():\n        ls\n   \n    f()"),
        (">>> x = [1,\r\n...  2]\r\n", "    x = [1,\r\n     2]\r\n"),
        (">>> !ls\n>>>", "    0\n   "),
        ("In [1]: x = (1,\n   ...:      2)\nIn [2]: ...", "        x = (1,\n             2)\n        ..."),
        ("x >>= 1\n...", "x >>= 1\n..."),
        ("x = [\n...\n]", "x = [\n...\n]"),
    ],
)
def test_prompts_are_taken_off(text: str, expected: str) -> None:
    assert as_python(text) == expected
    ast.parse(f"if 1:\n{expected}" if is_indented(text) else expected)

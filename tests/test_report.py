from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlint.findings import Applicability, Certainty, Edit, Finding, Fix, Span, TraceStep
from tensorlint.links import rule_url
from tensorlint.report import FORMATS, Report, Style, render, statistics, summary
from tensorlint.report.full import MAX_WIDTH
from tensorlint.report.text import width

PLAIN = Style(cwd="/p")
EVAL = """\
import torch

def evaluate(model, x, device):
    feats = model(x.to(device))
    model.eval()
    del x

    return feats.numpy()
"""
FINDING = Finding(
    code="TBX101",
    message="`feats` is on the GPU here: `.numpy()` raises TypeError",
    path="/p/src/eval.py",
    span=Span(8, 12, 8, 25),
    certainty=Certainty.CERTAIN,
    help="insert `.detach().cpu()` before `.numpy()`",
    trace=(TraceStep(Span(4, 13, 4, 32), "moved to `device` here"),),
    noqa_row=8,
)
FIX = Fix(Applicability.SAFE, "insert `.cpu()`", (Edit(Span(8, 17, 8, 17), ".cpu()"),))


def report(*findings: Finding, text: str = EVAL, checked: int = 41) -> Report:
    return Report(findings, checked, len(findings), {finding.path: text.encode() for finding in findings})


def block(finding: Finding, text: str = EVAL, style: Style = PLAIN) -> str:
    return render(report(finding, text=text), "full", style)


def marked(text: str, *spans: Span, message: str = "m") -> str:
    """What stands below the header: the first span is the finding, the others its trace."""
    trace = tuple(TraceStep(span, message) for span in spans[1:])
    finding = replace(FINDING, span=spans[0], trace=trace, help="")
    return block(finding, text).split("\n", 1)[1]


def test_full() -> None:
    assert (
        block(FINDING)
        == """\
src/eval.py:8:12: TBX101 `feats` is on the GPU here: `.numpy()` raises TypeError  [certain]
  |
4 |     feats = model(x.to(device))
  |             ------------------- moved to `device` here
...
8 |     return feats.numpy()
  |            ^^^^^^^^^^^^^
  |
  = help: insert `.detach().cpu()` before `.numpy()`
"""
    )


def test_full_in_colour() -> None:
    coloured = block(FINDING, style=Style(colour=True, cwd="/p"))
    assert "\x1b[31;1m^^^^^^^^^^^^^\x1b[0m" in coloured
    assert "\x1b[94m-------------------\x1b[0m \x1b[94mmoved to `device` here\x1b[0m" in coloured


def test_findings_are_set_apart_by_a_blank_line() -> None:
    one = block(FINDING)
    assert render(report(FINDING, FINDING), "full", PLAIN) == one + "\n" + one


def test_neighbouring_lines_and_a_single_line_between() -> None:
    assert (
        marked("a\nb\nc\nd\n", Span(4, 1, 4, 2), Span(1, 1, 1, 2), Span(3, 1, 3, 2))
        == """\
  |
1 | a
  | - m
2 | b
3 | c
  | - m
4 | d
  | ^
"""
    )


def test_trace_after_the_finding_stands_below_it() -> None:
    assert (
        marked("a\nb\n", Span(1, 1, 1, 2), Span(2, 1, 2, 2))
        == """\
  |
1 | a
  | ^
2 | b
  | - m
"""
    )


def test_several_marks_in_a_line() -> None:
    assert (
        marked("f(a, b)\n", Span(1, 3, 1, 4), Span(1, 6, 1, 7), Span(1, 1, 1, 8))
        == """\
  |
1 | f(a, b)
  |   ^
  | ------- m
  |      - m
"""
    )


def test_gutter_is_as_wide_as_the_longest_row() -> None:
    text = "x\n" * 120
    assert (
        marked(text, Span(100, 1, 100, 2), Span(9, 1, 9, 2))
        == """\
    |
  9 | x
    | - m
...
100 | x
    | ^
"""
    )


def test_tabs_and_wide_characters_are_aligned() -> None:
    assert (
        marked("\tx = 日本.numpy()\n", Span(1, 6, 1, 16))
        == """\
  |
1 |     x = 日本.numpy()
  |         ^^^^^^^^^^^^
"""
    )
    assert marked("a\tb\n", Span(1, 3, 1, 4)).splitlines()[-1] == "  |     ^"
    assert marked("e\u0301x\n", Span(1, 3, 1, 4)).splitlines()[-1] == "  |  ^"


def test_only_the_first_line_of_a_long_expression_is_underlined() -> None:
    assert (
        marked("x = f(  \n    1,\n)\n", Span(1, 5, 3, 2))
        == """\
  |
1 | x = f(
  |     ^^
"""
    )


def test_an_empty_span_has_one_caret() -> None:
    assert marked("ab\n", Span(1, 3, 1, 3)).splitlines()[-1] == "  |   ^"


@pytest.mark.parametrize("column", [1, 150, 5000, 9990])
def test_a_very_long_line_is_cut_around_the_caret(column: int) -> None:
    text = "a" * (column - 1) + "XY" + "b" * (10_000 - column)
    _, shown, carets = marked(text, Span(1, column, 1, column + 2)).splitlines()
    assert len(shown) <= MAX_WIDTH + 4
    assert shown[carets.index("^") :][:2] == "XY"
    assert carets.endswith("^^")
    assert shown.endswith("...") == (column < 9000)
    assert shown.startswith("1 | ...") == (column > 100)


def test_an_underline_never_leaves_a_cut_line() -> None:
    _, shown, carets = marked("x" * 1000, Span(1, 400, 1, 900)).splitlines()
    assert len(carets) <= len(shown)


def test_what_a_cut_leaves_out_is_shown_in_a_part_of_its_own() -> None:
    text = "ab = 1;" + "x" * 1000
    _, first, carets, second, dashes = marked(text, Span(1, 400, 1, 402), Span(1, 1, 1, 3)).splitlines()
    assert first.startswith("1 | ...x")
    assert first[carets.index("^") :].startswith("xx")
    assert (second[:12], dashes) == ("1 | ab = 1;x", "  | -- m")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_wider_than_the_terminal(columns: int) -> None:
    line = "    y = f(" + ", ".join(f"a{number}" for number in range(60)) + ").numpy()"
    trace = (TraceStep(Span(1, 9, 1, 40), "moved to the accelerator by `.cuda()` here"),)
    end = len(line) + 1
    finding = replace(FINDING, span=Span(2, end - 8, 2, end), trace=trace, fix=FIX, message=f"{FINDING.message} always")
    text = block(finding, f"{line}\n{line}\n", replace(PLAIN, columns=columns))
    assert max(width(each) for each in text.splitlines()) <= columns
    one_line = " ".join(text.replace("  | ", "").split())
    for part in (f"{finding.message} [certain]", f"help: {finding.help} [safe fix]", trace[0].message):
        assert part in one_line
    wide = block(finding, f"{line}\n{line}\n")
    assert wide.splitlines()[0].endswith(f"{finding.message}  [certain]")


def test_codes_are_links_where_they_may_be() -> None:
    linking = replace(PLAIN, links=True)
    finding = replace(FINDING, also=("TBX102",))

    def link(code: str) -> str:
        return f"\x1b]8;;{rule_url(code)}\x1b\\{code}\x1b]8;;\x1b\\"

    for output_format in ("full", "concise", "grouped"):
        text = render(report(finding), output_format, linking)
        assert f"{link('TBX101')} (also {link('TBX102')})" in text
        plain = text.replace(link("TBX101"), "TBX101").replace(link("TBX102"), "TBX102")
        assert plain == render(report(finding), output_format, PLAIN)
    assert link("TBX101") in statistics.render(report(FINDING), linking, {"TBX101": "x"})
    assert "\x1b" not in render(report(finding), "json", linking)
    # Links take no room.
    narrow = replace(PLAIN, columns=60)
    linked = block(finding, style=replace(narrow, links=True))
    assert linked.count("\n") == block(finding, style=narrow).count("\n")


def test_rows_that_are_not_there_are_left_out() -> None:
    finding = replace(FINDING, span=Span(99, 1, 99, 2), trace=())
    assert block(finding, "x\n") == (
        "src/eval.py:99:1: TBX101 `feats` is on the GPU here: `.numpy()` raises TypeError  [certain]\n"
        "  = help: insert `.detach().cpu()` before `.numpy()`\n"
    )


def test_a_file_without_text_has_a_header_only() -> None:
    finding = Finding("TBX902", "the file cannot be read: gone", "/p/x.py", Span(1, 1, 1, 1), Certainty.CERTAIN)
    expected = "x.py:1:1: TBX902 the file cannot be read: gone  [certain]\n"
    assert render(Report((finding,), 1), "full", PLAIN) == expected
    undecodable = Report((finding,), 1, 1, {"/p/x.py": b"\xff"})
    assert render(undecodable, "full", PLAIN) == expected


def test_also() -> None:
    finding = replace(FINDING, also=("TBX102", "TBX105"))
    assert block(finding).startswith("src/eval.py:8:12: TBX101 (also TBX102, TBX105) `feats`")
    assert json.loads(render(report(finding), "json", PLAIN))[0]["also"] == ["TBX102", "TBX105"]


def test_concise() -> None:
    line = "src/eval.py:8:12: TBX101 `feats` is on the GPU here: `.numpy()` raises TypeError [certain]\n"
    assert render(report(FINDING, FINDING), "concise", PLAIN) == line * 2


def test_paths_outside_of_the_working_directory_stay_absolute() -> None:
    assert render(report(FINDING), "concise", Style(cwd="/elsewhere")).startswith("/p/src/eval.py:8:12:")


def test_github() -> None:
    finding = replace(FINDING, message="50% of\n`x`", path="/p/a,b:c.py")
    assert render(report(finding), "github", PLAIN) == (
        "::warning title=tensorlint (TBX101),file=a%2Cb%3Ac.py,line=8,col=12,endLine=8,endColumn=25::50%25 of\\n`x`\n"
    )


def test_json() -> None:
    assert json.loads(render(report(replace(FINDING, fix=FIX)), "json", PLAIN)) == [
        {
            "code": "TBX101",
            "also": [],
            "message": "`feats` is on the GPU here: `.numpy()` raises TypeError",
            "filename": "/p/src/eval.py",
            "location": {"row": 8, "column": 12},
            "end_location": {"row": 8, "column": 25},
            "cell": None,
            "certainty": "certain",
            "help": "insert `.detach().cpu()` before `.numpy()`",
            "fix": {
                "applicability": "safe",
                "message": "insert `.cpu()`",
                "reason": "",
                "edits": [
                    {
                        "content": ".cpu()",
                        "location": {"row": 8, "column": 17},
                        "end_location": {"row": 8, "column": 17},
                    }
                ],
            },
            "noqa_row": 8,
            "url": "https://github.com/tensorlint/tensorlint/blob/main/docs/rules/TBX101.md",
            "trace": [{"row": 4, "column": 13, "message": "moved to `device` here"}],
        }
    ]


def test_json_without_findings_and_without_fix() -> None:
    assert render(Report(), "json", PLAIN) == "[]\n"
    assert json.loads(render(report(FINDING), "json", PLAIN))[0]["fix"] is None


def test_summary() -> None:
    likely = replace(FINDING, certainty=Certainty.LIKELY, fix=FIX)
    other = replace(FINDING, path="/p/other.py")
    assert summary.render(report(FINDING, likely, other), PLAIN) == (
        "Found 3 findings in 2 files (2 certain, 1 likely). Checked 41 files.\n1 fixable with `--fix`.\n"
    )
    assert (
        summary.render(report(FINDING, checked=1), PLAIN) == "Found 1 finding in 1 file (1 certain). Checked 1 file.\n"
    )
    broken = replace(FINDING, code="TBX901", path="/p/broken.py")
    assert summary.render(report(FINDING, broken), PLAIN) == (
        "Found 1 finding in 1 file (1 certain). 1 path could not be checked. Checked 40 files.\n"
    )
    assert summary.render(report(broken), PLAIN) == "1 path could not be checked. Checked 40 files.\n"
    assert summary.render(report(), PLAIN) == "All clear: 41 files checked.\n"
    assert summary.render(Report(), PLAIN) == "No Python files found.\n"


def test_statistics() -> None:
    other = replace(FINDING, code="TBX301")
    counted = report(*[FINDING] * 10, other)
    names = {"TBX101": "numpy-off-cpu", "TBX301": "live-snapshot"}
    assert statistics.render(counted, PLAIN, names) == "10  TBX101  numpy-off-cpu\n 1  TBX301  live-snapshot\n"
    assert json.loads(statistics.render(counted, PLAIN, names, as_json=True)) == [
        {"code": "TBX101", "name": "numpy-off-cpu", "count": 10},
        {"code": "TBX301", "name": "live-snapshot", "count": 1},
    ]
    assert statistics.render(Report(), PLAIN, names) == ""


def test_exit_code() -> None:
    error = replace(FINDING, code="TBX900")
    assert [r.exit_code for r in (Report(), report(FINDING), report(error), report(FINDING, error))] == [0, 1, 2, 2]
    assert report(replace(FINDING, code="TBX903")).exit_code == 1


@pytest.mark.parametrize("output_format", FORMATS)
def test_names_no_terminal_should_see(output_format: str) -> None:
    finding = replace(FINDING, path="/p/a\udcff\x1b[31m\n.py", message="`\x1b]0;x\x07` and \udc80")
    text = render(report(finding, text="\x1b[31m" + EVAL), output_format, PLAIN)
    assert "\x1b" not in text
    assert "\x07" not in text
    text.encode()


@given(
    st.text(max_size=60),
    st.integers(1, 5),
    st.integers(1, 400),
    st.integers(1, 5),
    st.integers(1, 400),
)
def test_any_span_in_any_text_can_be_shown(text: str, row: int, column: int, end_row: int, end_column: int) -> None:
    text = text.encode(errors="ignore").decode()
    span = Span(row, column, max(row, end_row), end_column)
    shown = marked(text * 5, span, Span(1, 1, 1, 1))
    assert all(width(line) <= MAX_WIDTH + 10 for line in shown.split("\n"))
    assert "^" in shown or row > len(Report(data={"x": (text * 5).encode()}).lines("x"))

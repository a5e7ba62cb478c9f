"""Comments that suppress: the unused and unknown ones are taken out, and others are added."""

from __future__ import annotations

from dataclasses import replace as changed

import pytest

from tensorlint.config import Resolver
from tensorlint.engine import check, fix
from tensorlint.findings import Applicability
from tensorlint.fix.comments import CommentError, with_comments
from tensorlint.policy import FixPolicy, Policy
from tensorlint.report import Report
from tensorlint.runner import run_text
from tensorlint.runner.gathering import suppress
from tensorlint.source import Source
from tensorlint.suppression import Suppressions
from tests.fixing import ALL, GRAD, errors, fixed

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
    result = fixed(program, Applicability.SAFE)
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

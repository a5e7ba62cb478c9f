from __future__ import annotations

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlint.findings import Certainty, Finding, Span
from tensorlint.nesting import check_nesting
from tensorlint.source import Source, SourceError
from tensorlint.suppression import CommentRows, Suppressions


def source(text: str, *, noqa: bool = True) -> Source:
    return Source("x.py", text, noqa=noqa)


def suppressions(text: str, *, noqa: bool = True) -> Suppressions:
    return Suppressions.parse(source(text, noqa=noqa))


# Bytes to text


def test_utf8_is_the_default() -> None:
    assert Source.from_bytes("x.py", "ä = 'é'\n".encode()) == Source("x.py", "ä = 'é'\n", "utf-8", bom=False)


def test_bom_is_taken_off_and_remembered() -> None:
    assert Source.from_bytes("x.py", codecs.BOM_UTF8 + b"x = 1\n") == Source("x.py", "x = 1\n", "utf-8", bom=True)


@pytest.mark.parametrize(
    "head",
    [
        "# coding: latin-1\n",
        "#!/usr/bin/python\n# -*- coding: iso-8859-1 -*-\n",
        "\n# vim: set fileencoding=latin-1 :\n",
    ],
)
def test_cookie_is_honoured_on_the_first_two_lines(head: str) -> None:
    text = head + "name = 'é'\n"
    read = Source.from_bytes("x.py", text.encode("latin-1"))
    assert (read.text, read.encoding) == (text, "iso-8859-1")


def test_cookie_on_the_third_line_is_only_a_comment() -> None:
    with pytest.raises(SourceError, match="byte 0xe9 is not utf-8"):
        Source.from_bytes("x.py", "\n\n# coding: latin-1\nname = 'é'\n".encode("latin-1"))


def test_carriage_returns_end_the_lines_a_cookie_may_stand_on() -> None:
    data = b"import os\rimport sys\r# coding: latin-1\r"
    assert Source.from_bytes("x.py", data).encoding == "utf-8"


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\rb\r", "a\nb\r\nc\rd", "\fa\n\x0bb\x1c\u2028\n", ""])
def test_newlines_stay_as_they_are(text: str) -> None:
    assert Source.from_bytes("x.py", text.encode()).text == text


@pytest.mark.parametrize(
    ("data", "message", "row", "column"),
    [
        (b"x = 1\ny = '\xff'\n", "the file cannot be decoded: byte 0xff is not utf-8", 2, 6),
        (codecs.BOM_UTF8 + b"y = '\xff'\n", "the file cannot be decoded: byte 0xff is not utf-8", 1, 6),
        (b"# coding: ascii\nx = '\xc3\xa9'\n", "the file cannot be decoded: byte 0xc3 is not ascii", 2, 6),
        (b"# coding: klingon\n", "the file cannot be decoded: unknown encoding: klingon", 1, 1),
        (b"# coding: rot13\nx = 1\n", "the file cannot be decoded as rot13", 1, 1),
        (b"x = 1\n\n  \0\n", "the file contains a NUL byte", 3, 3),
        ("x = 1\n".encode("utf-16"), "the file is UTF-16", 1, 1),
    ],
)
def test_what_cannot_be_read_says_why_and_where(data: bytes, message: str, row: int, column: int) -> None:
    with pytest.raises(SourceError) as caught:
        Source.from_bytes("x.py", data)
    error = caught.value
    assert str(error).startswith(message)
    assert (error.code, error.row, error.column) == ("TBX902", row, column)


@given(st.binary(max_size=200), st.sampled_from([b"", b"# coding: latin-1\n", b"# coding: utf-7\n", codecs.BOM_UTF8]))
def test_any_bytes_give_a_source_or_a_source_error(data: bytes, head: bytes) -> None:
    try:
        read = Source.from_bytes("x.py", head + data)
    except SourceError:
        return
    assert read.text.encode("utf-8") is not None
    if read.encoding != "utf-7":
        assert read.text.encode(read.encoding) == (head + data).removeprefix(codecs.BOM_UTF8)


def test_read_names_the_reason(tmp_path: os.PathLike[str]) -> None:
    missing = os.path.join(tmp_path, "missing.py")
    with pytest.raises(SourceError, match="No such file or directory"):
        Source.read(missing)
    os.symlink("nowhere.py", missing)
    with pytest.raises(SourceError, match="dangling symbolic link"):
        Source.read(missing)
    with pytest.raises(SourceError, match="directory"):
        Source.read(os.fspath(tmp_path))


def test_lines_end_where_python_ends_them() -> None:
    assert source("a\x0cb\r\nc\rd\u2028e\nf").lines == ("a\x0cb", "c", "d\u2028e", "f")


# Suppression comments


@pytest.mark.parametrize(
    ("comment", "code", "covered"),
    [
        ("# noqa", "TBX101", True),
        ("#noqa", "TBX101", True),
        ("# NOQA", "TBX101", True),
        ("# noqa: TBX101", "TBX101", True),
        ("# noqa:TBX101,F401", "TBX101", True),
        ("# noqa: F401 TBX101", "TBX101", True),
        ("# noqa: F401", "TBX101", False),
        ("# noqa: TBX1", "TBX101", True),
        ("# noqa: TBX", "TBX303", True),
        ("# noqa: tbx101", "TBX101", True),
        ("# noqa: numpy-off-cpu", "TBX101", True),
        ("# noqa: numpy-off-cpu, F401: why", "TBX102", False),
        ("# noqa: Numpy-Off-CPU live-snapshot why", "TBX301", True),
        ("# noqa: numpy-off-cpus", "TBX102", True),  # no name: the reason of a comment for all codes
        ("# noqa: TBX1O1", "TBX101", False),
        ("# noqa: TBX2", "TBX101", False),
        ("# noqa: it is fine here", "TBX101", True),
        ("# type: ignore  # noqa: TBX101", "TBX101", True),
        ("# noqabc", "TBX101", False),
        ("# tensorlint: ignore", "TBX101", True),
        ("# tensorlint:ignore", "TBX101", True),
        ("# tensorlint: ignore[TBX101]", "TBX101", True),
        ("# tensorlint: ignore[TBX101, TBX2]", "TBX204", True),
        ("# tensorlint: ignore[TBX101, TBX2]", "TBX303", False),
        ("# tensorlint: ignore[tbx1]", "TBX101", True),
        ("# tensorlint: ignore[live-snapshot, numpy-off-cpu]", "TBX101", True),
        ("# tensorlint: ignore[numpy-off-cpu]", "TBX102", False),
        ("# tensorlint: ignore[]", "TBX101", False),
        ("# tensorlint: ignore[TBX101", "TBX101", False),
        ("# tensorlint: ignore[TBX101 # tensorlint: ignore[TBX102]", "TBX101", False),
        ("# tensorlint: ignored", "TBX101", False),
        ("# tensorlint: ignore-file", "TBX101", False),  # not alone on its line
        ("# flake8: noqa: F401", "TBX101", False),
    ],
)
def test_comment_on_the_line(comment: str, code: str, covered: bool) -> None:
    parsed = suppressions(f"x = 1\ny = x.numpy()  {comment}\n")
    assert parsed.covers(2, code) is covered
    assert parsed.covers(1, code) is False


@pytest.mark.parametrize(
    ("line", "code", "covered"),
    [
        ("# tensorlint: ignore-file", "TBX101", True),
        ("# flake8: noqa", "TBX101", True),
        ("# flake8: noqa: TBX1", "TBX101", True),
        ("# flake8: noqa: TBX1", "TBX201", False),
        ("    # tensorlint: ignore-file", "TBX101", True),
        ("# noqa", "TBX101", False),
    ],
)
def test_comment_for_the_file(line: str, code: str, covered: bool) -> None:
    assert suppressions(f"if x:\n    pass\n{line}\ny = 1\n").covers(4, code) is covered


def test_file_ignored() -> None:
    assert suppressions("# tensorlint: ignore-file\n").file_ignored
    assert not suppressions("# flake8: noqa: TBX1\n").file_ignored
    assert not suppressions("x = 1\n").file_ignored


def test_text_in_a_string_is_no_comment() -> None:
    parsed = suppressions('a = "# noqa"\nb = """\n# tensorlint: ignore-file\n# noqa\n"""\n')
    assert parsed.comments == ()


def test_a_program_that_does_not_tokenise_still_has_comments() -> None:
    parsed = suppressions("x.numpy()  # noqa: TBX101\ny = (\n")
    assert parsed.covers(1, "TBX101")


def test_rows_agree_for_every_kind_of_newline() -> None:
    for newline in ("\n", "\r\n", "\r"):
        assert suppressions(newline.join(["x = 1", "\fy = 2  # noqa", "z = 3"])).covers(2, "TBX101")


def test_a_caller_that_honours_noqa_itself_gets_only_our_own_comments() -> None:
    parsed = suppressions("a  # noqa\nb  # tensorlint: ignore\n", noqa=False)
    assert not parsed.covers(1, "TBX101")
    assert parsed.covers(2, "TBX101")


def test_a_finding_is_covered_from_one_row() -> None:
    finding = Finding("TBX101", "m", "x.py", Span(2, 1, 4, 1), Certainty.CERTAIN, noqa_row=6)
    covering = [row for row in range(1, 8) if suppressions("\n" * (row - 1) + "# noqa\n").covers_finding(finding)]
    assert covering == [6]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a\nb\n", [1, 2]),
        ("f(\n    a,\n)\n", [1, 2, 3]),
        ("f(\n    a + \\\n    b,\n)\n", [1, 3, 3, 4]),
        ("a = \\\n    b = \\\n    c\n", [3, 3, 3]),
        ("x = '''\n\n''' + y\nz\n", [3, 2, 3, 4]),
        ("x = '''''' + ''' '''\nz\n", [1, 2]),
        ("x = f'''\n{a}\n''', b\n", [3, 3, 3]),
        ("if a:\n    b = rf'''\n{a}'''\n\n    c\n", [1, 3, 3, 4, 5]),
        ("x = a + \\\n    '''\n'''\n", [3, 3, 3]),
        ("# \\\nx\n", [1, 2]),
        ("x = \\\n  1\ny = ''''\n", [2, 2, 3]),  # no program
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_row_whose_comment_counts(text: str, rows: list[int], newline: str) -> None:
    comment_rows = CommentRows(source(text.replace("\n", newline)))
    # Asked about the rows that a finding may begin on: within a string that is no f-string there is none.
    assert [comment_rows.of(row) for row in range(1, len(rows) + 1)] == rows


def test_an_internal_error_cannot_be_suppressed() -> None:
    finding = Finding("TBX900", "m", "x.py", Span(1, 1, 1, 1), Certainty.CERTAIN)
    assert not suppressions("# tensorlint: ignore-file\nx  # noqa\n").covers_finding(finding)


# Nesting


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 201 + ")" * 201,
        "x = " + "[\n" * 1000 + "]" * 1000,
        "x = 1" + " + 1" * 1001,
        "x = (1" + "\n + 1" * 1001 + ")",
        "x = a" + ".b" * 1001,
        "x = f" + "()" * 1001,
        "x = " + "not " * 1001 + "y",
        "x = " + "-" * 5000 + "1",
    ],
)
def test_too_deep(text: str) -> None:
    with pytest.raises(SourceError, match="nested too deeply") as caught:
        check_nesting(source("import torch\n" + text + "\n"))
    assert caught.value.row >= 2


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 199 + ")" * 199,
        "x = [" + "-1.5, " * 50_000 + "]",
        "x = 1 + 1\n" * 5_000,
        "x = '" + "((((+-" * 1_000 + "'",
        "'''" + "[[[[\n" * 1_000 + "'''",
        "# " + "((((" * 1_000,
        ")" * 500,
    ],
)
def test_not_deep_at_all(text: str) -> None:
    check_nesting(source(text))

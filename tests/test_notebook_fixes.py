"""Fixes of notebooks: nothing but the lines that are fixed changes in the file."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tensorlint.ipynb import Document
from tensorlint.source import NEWLINE
from tests.notebooks import CELLS, changed_lines, fixed, lint, notebook, places, read

# ----------------------------------------------------------------------------------------------------------- fixes


def test_only_the_fixed_line_changes() -> None:
    text = notebook(*CELLS)
    assert changed_lines(text, fixed(text)) == ['"y = x.cpu().numpy()"']


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: json.dumps(json.loads(text)),
        lambda text: json.dumps(json.loads(text), indent="\t", sort_keys=True, separators=(" ,", " : ")),
        lambda text: text.replace("!ls", "\\u0021ls é"),
        lambda text: "\ufeff" + text,
    ],
)
def test_the_file_keeps_its_layout(write: Any) -> None:
    text = write(notebook(*CELLS))
    assert fixed(text) == text.replace("y = x.numpy()", "y = x.cpu().numpy()")


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_escapes_stay_what_they_are(ensure_ascii: bool) -> None:
    content = json.loads(notebook(*CELLS[:4], CELLS[4] + "  # größer \U0001f600 < 3\nz = '/'"))
    text = json.dumps(content, indent=1, ensure_ascii=ensure_ascii).replace("'/'", "'\\/'")
    assert fixed(text) == text.replace("y = x.numpy()", "y = x.cpu().numpy()")


def test_a_source_in_one_string() -> None:
    text = notebook(*CELLS, as_list=False)
    assert fixed(text) == text.replace("y = x.numpy()", "y = x.cpu().numpy()")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_strings_of_several_lines_stay_in_a_list(size: int) -> None:
    """Some tools write all of a cell as one element of its list."""
    content = json.loads(notebook(*CELLS))
    for cell in content["cells"]:
        lines = cell["source"]
        cell["source"] = ["".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    text = json.dumps(content, indent=1)
    assert fixed(text) == text.replace("y = x.numpy()", "y = x.cpu().numpy()")


SNAPSHOT = (
    "model = torch.nn.Linear(3, 4)\nopt = torch.optim.SGD(model.parameters(), 0.1)\nbest = model.state_dict()\n"
    "for _ in range(3):\n    opt.step()\nmodel.load_state_dict(best)"
)


def sources(text: str) -> list[str]:
    return ["".join(each["source"]) for each in json.loads(text)["cells"]]


def test_an_import_goes_to_the_first_imports() -> None:
    first, second, third = sources(fixed(notebook("!ls\nx = 1", "%matplotlib inline\nimport torch", SNAPSHOT)))
    assert first == "!ls\nx = 1"
    assert second == "%matplotlib inline\nimport copy\n\nimport torch"
    assert "best = copy.deepcopy(model.state_dict())\n" in third


def test_an_import_at_the_end_of_a_cell_stays_in_it() -> None:
    assert sources(fixed(notebook("import torch\nimport abc", SNAPSHOT)))[0] == "import torch\nimport abc\nimport copy"


def test_no_import_goes_into_a_magic_cell() -> None:
    first, second, _ = sources(fixed(notebook("%%capture\nimport torch", "x = 1\n", SNAPSHOT)))
    assert (first, second) == ("%%capture\nimport torch", "import copy\n\nx = 1\n")


def test_no_fix_where_its_import_has_no_place() -> None:
    report = lint(notebook("%%capture\nimport torch", f"%%time\n{SNAPSHOT}", "x = 1"))
    assert [(finding.code, finding.fix) for finding in report.findings] == [("TBX302", None)]


def test_a_fix_across_a_command() -> None:
    text = notebook("import torch\nx = torch.zeros(3).cuda()", "%time y = x.numpy()\nfiles = !ls {y}\nx.numpy?")
    assert sources(fixed(text))[1] == "%time y = x.cpu().numpy()\nfiles = !ls {y}\nx.numpy?"


# ------------------------------------------------------------------------------------------------------ properties

TEXTS = st.text(st.sampled_from("ab \n\r\t\f\"\\'#%!?é\u2028\U0001f600/<=("), max_size=30)
KINDS = st.sampled_from(["code", "markdown", "raw"])


def _split(text: str, lines: bool) -> object:
    return re.findall(r"[^\n]*\n|[^\n]+", text) if lines else text


@st.composite
def notebooks(draw: st.DrawFn) -> str:
    cells = [
        {"source": _split(draw(TEXTS), draw(st.booleans())), "cell_type": draw(KINDS), "metadata": {"a": draw(TEXTS)}}
        for _ in range(draw(st.integers(0, 4)))
    ]
    content = {"metadata": {}, "nbformat": 4, "cells": cells, "x": draw(TEXTS)}
    layout = draw(st.sampled_from([{}, {"indent": 1}, {"indent": 2, "separators": (" , ", ":")}, {"indent": "\t"}]))
    return json.dumps(content, ensure_ascii=draw(st.booleans()), sort_keys=draw(st.booleans()), **layout)


@example(notebook("\\\r?"))
@given(notebooks())
def test_what_is_not_changed_comes_back_byte_for_byte(text: str) -> None:
    source = read(text)
    assert source.to_bytes() == text.encode()
    assert len(NEWLINE.split(source.program)) == len(source.lines)
    assert source.is_whole


@given(notebooks(), TEXTS, st.data())
def test_one_cell_that_changes_changes_nothing_else(text: str, new: str, data: st.DataObject) -> None:
    document = Document.read(text)
    if not document.cells:
        return
    chosen = data.draw(st.sampled_from(document.cells))
    changed = document.with_cells({chosen.number: new})
    before, after = json.loads(text), json.loads(changed)
    source = after["cells"][chosen.number - 1]["source"]
    assert isinstance(source, list) == isinstance(before["cells"][chosen.number - 1]["source"], list)
    assert source == _split(new, isinstance(source, list))
    before["cells"][chosen.number - 1]["source"] = source
    assert before == after
    assert changed[: chosen.start] == text[: chosen.start]
    assert changed.endswith(text[chosen.end :])


@given(notebooks(), st.data())
def test_places_in_the_file_are_those_of_the_characters(text: str, data: st.DataObject) -> None:
    document = Document.read(text)
    lines = text.split("\n")
    for each in document.cells:
        rows = NEWLINE.split(each.text)
        row = data.draw(st.integers(1, len(rows)))
        for column, char in enumerate(rows[row - 1], start=1):
            if char.isalpha() and char.isascii():
                at, beside = document.position(each, row, column)
                assert lines[at - 1][beside - 1] == char


def test_a_session_is_taken_as_ipython_takes_it() -> None:
    session = ">>> y = x.numpy()\n>>> for _ in y:\n...     x.numpy()\n>>> # the end"
    text = notebook("import torch\nx = torch.zeros(3).cuda()", session, "%%time\n  z = 1\n  x.numpy()")
    assert places(lint(text)) == [("TBX101", 2, 1, 9), ("TBX101", 2, 3, 9), ("TBX101", 3, 3, 3)]
    assert [line for line in sources(fixed(text))[1].splitlines() if "cpu" in line] == [
        ">>> y = x.cpu().numpy()",
        "...     x.cpu().numpy()",
    ]


def test_no_import_goes_into_a_session() -> None:
    first, second, _ = sources(fixed(notebook(">>> import torch", "x = 1", SNAPSHOT)))
    assert (first, second) == (">>> import torch", "import copy\n\nx = 1")

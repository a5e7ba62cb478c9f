"""What the tests of notebooks share: a notebook is made, judged and fixed, and what was found is named by cells."""

from __future__ import annotations

import json
from typing import Any

from tensorlint.config import Layer, Resolver
from tensorlint.contents import source_of
from tensorlint.findings import Applicability, Certainty
from tensorlint.notebook import Notebook
from tensorlint.report import Report
from tensorlint.runner import Fixing, run_text

#: A finding in the third cell that runs, which is the fifth of all; the way to it begins in another cell.
CELLS = (
    ("markdown", "# Title\n\nx.numpy()"),
    "%matplotlib inline\nimport torch",
    ("raw", "x.numpy()"),
    "x = torch.zeros(3).cuda()",
    "!ls *.pt\ny = x.numpy()",
)
FOUND = ("TBX101", 5, 2, 5)


def cell(told: str | tuple[str, str], as_list: bool = True, key: str = "source") -> dict[str, Any]:
    kind, text = ("code", told) if isinstance(told, str) else told
    rest = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, **rest, key: text.splitlines(keepends=True) if as_list else text}


def notebook(*cells: str | tuple[str, str], as_list: bool = True, indent: int | None = 1, **metadata: object) -> str:
    content = {
        "cells": [cell(each, as_list) for each in cells],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=indent, ensure_ascii=False) + "\n"


def read(text: str) -> Notebook:
    source = source_of("a.ipynb", text.encode())
    assert isinstance(source, Notebook)
    return source


def lint(text: str | bytes, certainty: Certainty | None = None, fixing: Fixing | None = None) -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    options = Layer.of_options(certainty=certainty and certainty.label)
    return run_text("/p/a.ipynb", data, Resolver(options, isolated=True), fixing)


def places(report: Report) -> list[tuple[str, int | None, int, int]]:
    found = [(each, report.location(each.path, each.span)) for each in report.findings]
    return [(each.code, place.cell, place.span.row, place.span.column) for each, place in found]


def fixed(text: str | bytes, highest: Applicability = Applicability.UNSAFE) -> str:
    report = lint(text, fixing=Fixing(highest))
    assert not report.has_errors, report.findings
    (_, new) = report.changes["/p/a.ipynb"]
    return new.decode()


def changed_lines(old: str, new: str) -> list[str]:
    assert len(old.splitlines()) == len(new.splitlines())
    return [line.strip() for line, was in zip(new.splitlines(), old.splitlines(), strict=True) if line != was]

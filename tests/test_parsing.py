"""The tree of a program, without what LibCST proves of each of its nodes."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from tensorlint.parsing import parse_module

FILES = sorted((Path(__file__).parent.parent / "tensorlint" / "flow").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_tree_is_libcsts_own(path: Path) -> None:
    text = path.read_text()
    assert parse_module(text).deep_equals(cst.parse_module(text))


def test_nodes_made_by_hand_are_proved_as_before() -> None:
    with pytest.raises(cst.ParserSyntaxError):
        parse_module("def f(:")
    parse_module("x = 1")
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")

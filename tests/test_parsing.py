"""The tree of a program, without what LibCST proves of each of its nodes."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from tensorlint.parsing import nodes_taken_as_read, parse_module

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


def test_one_reading_within_another_ends_with_the_outer_one() -> None:
    with nodes_taken_as_read():
        parse_module("x = 1")
        cst.Name("")
    with pytest.raises(cst.CSTValidationError):
        cst.Name("")


def test_a_libcst_that_proves_nothing_of_a_node_is_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cst.CSTNode, "__post_init__")
    with nodes_taken_as_read():
        pass
    assert not hasattr(cst.CSTNode, "__post_init__")

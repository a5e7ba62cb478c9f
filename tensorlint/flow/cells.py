"""The cells of a notebook, where some are known to raise, or not to: nobody has to be told what their output says.

A cell begins with a comment as jupytext writes it, ``# %%``, that may have options. ``tags=["raises-exception"]`` is
Jupyter's word for a cell that is meant to raise; ``raises="TypeError"`` is what ``notebook`` adds where the output of
the cell recorded that exception when it ran last, and ``raises=""`` where it recorded none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from tensorlint.flow.scene import EVERY, NOTHING

_RAISES = re.compile(r"""# ?%%.*?(?:(?P<any>\braises-exception\b)|\braises="(?P<names>[^"]*)")""")
_BEGINS = re.compile(r"# ?%%")


def may_raise(text: str) -> bool:
    """Whether a cell of the program is known to raise, or to have raised nothing."""
    return _RAISES.search(text) is not None


def cells(module: cst.Module) -> Iterator[tuple[Sequence[cst.CSTNode], frozenset[str]]]:
    """The statements of each cell, and the exceptions that it is known to raise."""
    first, raised = 0, _raised(module.header)
    for position, statement in enumerate(module.body):
        comments = [line for line in statement.leading_lines if line.comment and _BEGINS.match(line.comment.value)]
        if comments:
            yield module.body[first:position], raised
            first, raised = position, _raised(comments[-1:])
    yield module.body[first:], raised


def _raised(lines: Sequence[cst.EmptyLine]) -> frozenset[str]:
    for line in reversed(lines):
        if line.comment is not None and (match := _RAISES.match(line.comment.value)):
            return frozenset({EVERY} if match["any"] else (match["names"] or "").split() or {NOTHING})
    return frozenset()

"""How the rules speak: short spellings of source, places for the trace, and what names say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlint.fix.repair import append
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.rules.base import Note

if TYPE_CHECKING:
    import libcst as cst


def spell(node: cst.CSTNode, limit: int = 48) -> str:
    """The source of an expression on one line, cut in the middle when it is long."""
    import libcst  # here and not above: the rules are read to check an option, too

    text = " ".join(libcst.Module(body=()).code_for_node(node).split())
    return text if len(text) <= limit else f"{text[: limit - 15]}...{text[-12:]}"


def spell_with(node: cst.BaseExpression, suffix: str) -> str:
    """The same with a method behind it, as the program would have to write it: ``(a / b).detach()``."""
    change = append(node, suffix)
    return f"{change.before}{spell(node)}{change.after}"


def history(*facts: Fact) -> tuple[Note, ...]:
    """The places that made these facts, for the trace. What keeps an export from failing is no part of it."""
    return tuple(
        Note(fact.site, fact.reason)
        for fact in facts
        if fact.site is not None and fact.reason and fact.truth is not Truth.NO
    )


def history_of_cut(cut: Fact) -> tuple[Note, ...]:
    """The place where a graph was left behind, for the trace."""
    return (Note(cut.site, cut.reason),) if cut.site is not None and cut.reason else ()

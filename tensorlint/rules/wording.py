"""How the rules speak: short spellings of source, places for the trace, and what names say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlint.fix.repair import append
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.memory import Owner
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.rules.base import Note

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.domain.values import Value
    from tensorlint.flow.scene import Scene


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


def where_from(value: Value) -> tuple[Note, ...]:
    """The place where a tensor or an array was made, or came in, for the trace."""
    if not isinstance(value, (Tensor, Array)):
        return ()
    if value.origin is not None:
        return (Note(value.origin.site, value.origin.message),)
    places = sorted(
        (storage.site, storage.owner is Owner.ARGUMENT) for storage in value.storages if storage.site is not None
    )
    return tuple(Note(site, "it comes in here" if handed else "it was made here") for site, handed in places[:1])


def bound_at(node: cst.CSTNode, scene: Scene) -> tuple[Note, ...]:
    """The place that says what a name stands for, where there is one."""
    name = spell(node)
    made = scene.only_value(name)
    return () if made is None else (Note(scene.at(made), f"this is what `{name}` stands for"),)

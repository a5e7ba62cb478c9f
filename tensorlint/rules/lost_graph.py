"""What `.backward()` is called on that has lost the graph of what it was made of: the rules of TBX501, 504 and 505."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.tensors import Rewrapped, Tensor
from tensorlint.flow.events import MethodCall

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class LostGraph:
    """``cut`` says what lost it; the ``leaf`` is one that was made of the numbers, and without one it raises."""

    cut: Fact
    leaf: Rewrapped | None
    #: The element of an array that the tensor was assigned into, where that is what lost it.
    element: cst.CSTNode | None


def lost_graph(event: MethodCall) -> LostGraph | None:
    value = event.value
    if event.name != "backward" or not isinstance(value, Tensor):
        return None
    leaf = value.rewrapped if value.grad.truth is Truth.YES else None
    if leaf is None and not (value.sure and value.grad.truth is Truth.NO and value.grad.reason):
        return None
    cut = leaf.cut if leaf is not None else value.grad
    return LostGraph(cut, leaf, _element(event.scene.node(cut.site)))


def _element(node: cst.CSTNode | None) -> cst.CSTNode | None:
    import libcst  # here and not above: the rules are read to check an option, too

    return node if isinstance(node, libcst.Subscript) else None

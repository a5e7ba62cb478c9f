"""Where numbers are cut off the graph that computed them, and where they go from there.

A tensor needs no gradient for many reasons, most of which are only that nothing is known to the contrary. Here it is
followed where that is certain, and what the program did to make it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import cut_of, leaves
from tensorlint.flow.domain.tensors import Array, Rewrapped, Tensor
from tensorlint.flow.domain.values import Scalar, Sequence, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame

#: What looks at the shape or the dtype of a tensor, and makes another of numbers that are not its own.
_OF_SHAPE = re.compile(r"(.*\.)?(new|new_(?!tensor).*|.+_like|len|size)")
#: What may return something with a graph that is not known to have one, and what counts.
_OWN_GRAPH = re.compile(r"(torch\.)?(autograd|func|_?functorch|utils|distributed)\.(?!Variable)")
#: The sum of losses is a loss.
_AVERAGES = frozenset({"sum", "mean", "torch.sum", "torch.mean"})
#: What leaves a sum of losses one.
_PASSING = _AVERAGES | frozenset(
    {"to", "cpu", "cuda", "float", "double", "clone", "squeeze", "view", "reshape", "flatten"}
)
#: How an export is spoken of that raises for what has a graph.
_RAISES = re.compile(r"`\.?numpy\b")
_NUMBERS = frozenset({"int", "float", "number", "complex"})


def carried(
    machine: Machine, result: Value, operands: Iterable[Value], node: cst.CSTNode, frame: Frame, name: str = ""
) -> Value:
    """``result`` of a computation with ``operands``, with what is known of the graph they have or had.

    ``name``: the function or method that computed it.
    """
    if not isinstance(result, (Tensor, Array, Scalar, Sequence)):
        return result
    inside = [leaf for operand in operands for leaf in leaves(operand)]
    match result:
        case Tensor(grad=Fact(truth=Truth.NO)):
            grad = ungraphed(machine, inside, node, frame, name)
            lost = NO_FACT if grad.reason else _weighed(machine, inside, name)
            return replace(result, grad=grad, rewrapped=result.rewrapped or _made_anew(inside, name), lost=lost)
        case Tensor():
            rewrapped = result.rewrapped or _regraphed(machine, inside, name)
            return replace(result, rewrapped=rewrapped, lost=_lost_term(machine, inside, node, name))
        case Array():
            cut = exported(machine, inside, node, name)
            return replace(result, cut=cut) if cut.reason else result
        case Scalar(kind=kind) if kind in _NUMBERS or kind.startswith("np."):
            cut = exported(machine, inside, node, name)
            return replace(result, cut=cut) if cut.reason and not _OF_SHAPE.fullmatch(name.strip(".()")) else result
        case Sequence(kind="tuple", items=items) if items is not None:
            return replace(result, items=tuple(carried(machine, item, inside, node, frame, name) for item in items))
        case Sequence(kind="tuple", element=element) if element is not None:
            return replace(result, element=carried(machine, element, inside, node, frame, name))
        case _:
            return result


def cut_here(machine: Machine, node: cst.CSTNode, name: str) -> Fact:
    words = f"`{name}` leaves its graph behind here" if name else "its graph is left behind here"
    return Fact(Truth.NO, machine.at(node), words)


def ungraphed(machine: Machine, inside: list[Value], node: cst.CSTNode, frame: Frame, name: str) -> Fact:
    """How it is known of a tensor that it has no graph, if it is."""
    if _OWN_GRAPH.match(name) or name == ".requires_grad_()":
        return NO_FACT
    if _OF_SHAPE.fullmatch(name.strip(".()")):
        return Fact(Truth.NO, machine.at(node))
    if any(leaf.grad.truth > Truth.UNKNOWN for leaf in inside if isinstance(leaf, (Tensor, Unknown))):
        return NO_FACT if frame.env.grad_mode.truth is Truth.NO else cut_here(machine, node, name)
    cut = cut_of(*inside)
    if all(map(has_no_graph, inside)):
        return cut if cut.reason else Fact(Truth.NO, machine.at(node))
    return NO_FACT


def has_no_graph(value: Value) -> bool:
    match value:
        case Tensor(grad=grad, dtype=dtype) | Unknown(grad=grad, dtype=dtype):
            return grad.truth is Truth.NO and (grad.site is not None or dtype.is_integral)
        case _:
            return True


def exported(machine: Machine, inside: list[Value], node: cst.CSTNode, name: str) -> Fact:
    """What cut off the numbers of an array, or one number: an array has no graph."""
    before = cut_of(*inside)
    if before.reason:
        return before
    graphed = any(leaf.grad.truth > Truth.UNKNOWN for leaf in inside if isinstance(leaf, (Tensor, Unknown)))
    return cut_here(machine, node, name) if graphed else NO_FACT


def _regraphed(machine: Machine, inside: list[Value], name: str) -> Rewrapped | None:
    """The first leaf that the graph of a result begins with, where what each of them was made of had its own."""
    if machine.learning:
        return None
    begins = [
        leaf
        for leaf in inside
        if isinstance(leaf, (Tensor, Unknown)) and not has_no_graph(leaf) and leaf.grad.truth is not Truth.NO
    ]
    made = [leaf.rewrapped for leaf in begins if isinstance(leaf, Tensor) and leaf.rewrapped is not None]
    lost = all(each.of_graph and each.site not in machine.lessons.leaves_used for each in made)
    if not made or len(made) < len(begins) or not lost:
        return None
    # Losses are averaged, weighted and added up; each of them is a number by itself.
    weighed = not name and all(isinstance(leaf, Scalar) or getattr(leaf, "zero_dim", False) for leaf in inside)
    first = min(made, key=lambda each: each.site)
    return replace(first, steps=max(first.steps, 1 if weighed or name.strip(".()") in _AVERAGES else 2))


def _made_anew(inside: list[Value], name: str) -> Rewrapped | None:
    """What made a tensor of a number that had a graph, where the result is that number times others."""
    made = [leaf.rewrapped for leaf in inside if isinstance(leaf, Tensor) and leaf.zero_dim and leaf.rewrapped]
    if name or len(made) != 1 or not made[0].of_graph or not all(isinstance(leaf, (Tensor, Scalar)) for leaf in inside):
        return None
    return replace(made[0], steps=max(made[0].steps, 1))


def _weighed(machine: Machine, inside: list[Value], name: str) -> Fact:
    """What cut a number off its graph that something is multiplied by of which nothing is known."""
    if machine.learning or (name and name.strip(".()") not in _AVERAGES):
        return NO_FACT
    return next((cut for leaf in inside if (cut := _cut_in_passing(machine, leaf)).reason), NO_FACT)


def _lost_term(machine: Machine, inside: list[Value], node: cst.CSTNode, name: str) -> Fact:
    """What cut a term off its graph, if this adds it to others that have one, or goes on with such a sum."""
    if machine.learning or (name and name.strip(".()") not in _PASSING):
        return NO_FACT
    graphed = [leaf for leaf in inside if isinstance(leaf, (Tensor, Unknown)) and leaf.grad.truth is not Truth.NO]
    before = next((leaf.lost for leaf in graphed if isinstance(leaf, Tensor) and leaf.lost.reason), NO_FACT)
    match node:
        case cst.BinaryOperation(operator=cst.Add()) | cst.AugAssign(operator=cst.AddAssign()):
            # What is added to a number is one, too.
            sums = graphed and all(isinstance(leaf, Tensor) and leaf.zero_dim for leaf in graphed)
            terms = (leaf for leaf in inside if leaf not in graphed)
            found = next((cut for leaf in terms if (cut := _cut_in_passing(machine, leaf)).reason), NO_FACT)
            return found if sums and not before.reason else before
        case cst.BinaryOperation(operator=cst.Subtract()) | cst.AugAssign(operator=cst.SubtractAssign()):
            return before
        case _:
            # A product of two losses is none.
            return before if len(graphed) == 1 else NO_FACT


def _cut_in_passing(machine: Machine, value: Value) -> Fact:
    """What cut a number, or a tensor, off its graph; not where the program asks for just that, nor by raising."""
    match value:
        case Scalar(cut=cut):
            return NO_FACT if _RAISES.match(cut.reason) else cut
        case Tensor(rewrapped=Rewrapped(of_graph=True) as made):
            return replace(made.cut, site=made.site, reason=made.cut.reason or "it is a leaf of its own")
        case Tensor(grad=cut) if cut.reason and cut.truth is Truth.NO:
            return NO_FACT if _asks_for_it(machine.sites.node(cut.site)) else cut
        case Tensor(lost=cut):
            return cut
        case _:
            return NO_FACT


def _asks_for_it(node: cst.CSTNode | None) -> bool:
    """Whether what cut it is ``.detach()`` or ``.data``, or is not seen."""
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="detach" | "detach_"))) | cst.Attribute():
            return True
        case _:
            return node is None

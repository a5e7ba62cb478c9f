from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Change, Repair, replace, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Dictionary, Scalar, Sequence, Value
from tensorlint.flow.events import ArrayIndexed, Event, ItemWrite, LibraryCall, NumpyCall
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.knowledge import EXPORTS, REDUCTIONS_RAISE, SILENTLY_WRONG
from tensorlint.knowledge.numpy_functions import (
    EXPORTS_OF_LIST,
    EXPORTS_OF_LIST_UNCHANGED,
    EXPORTS_UNCHANGED,
    FALSE_OFF_CPU,
)
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import Risk, export_risk, off_the_cpu
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst

#: What joins the tensors of a list as NumPy joins their arrays.
_JOINED = {"stack": "stack", "concatenate": "cat", "concat": "cat"}
#: What makes a number of a tensor of one element by ``float()``, which works anywhere.
_NUMBERS = frozenset({"float64", "double", "float_"})
#: What sees no difference between a list of numbers and an array of them.
_OF_NUMBERS = REDUCTIONS_RAISE | frozenset(
    {"array", "asarray", "average", "median", "nanmean", "percentile", "quantile", "argmax", "argmin", "argsort"}
)


class ImplicitExport(Rule):
    """A tensor handed to a NumPy function is exported without a word, and that fails like `.numpy()`.

    ## What it does
    Reports a tensor that is or may be off the CPU, or that needs a gradient, where it is passed to a NumPy
    function or assigned into an array.

    ## Why is this bad
    NumPy asks the tensor for `__array__`, which is `.numpy()` under another name: it works for a plain CPU
    tensor and raises TypeError for one on a GPU and RuntimeError for one that needs a gradient. `np.array_equal` and
    `np.array_equiv` swallow that error and answer False, whatever the numbers are.

    ## Example
    ```python
    import numpy as np
    import torch

    weights = torch.nn.Linear(3, 1).weight
    print(np.linalg.norm(weights))
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    weights = torch.nn.Linear(3, 1).weight
    print(np.linalg.norm(weights.detach().cpu().numpy()))
    ```

    ## Lists of tensors
    A list has no `.detach()`. Each tensor in it is exported: `[x.detach().cpu().numpy() for x in xs]`. Where the
    tensors are known to fit, torch joins them first and one array is exported: `torch.cat(xs).detach().cpu().numpy()`
    for `np.concatenate(xs)`, `torch.stack` for `np.stack` and for statistics of numbers.

    Where a backward pass goes through what is made of the list, no export will do: that is TBX106.

    ## Fix safety
    Safe for the functions that were measured to give the same for the array as for the tensor. Unsafe for the others:
    `np.exp` of a tensor is a tensor, of an array an array. Unsafe, too, where torch joins a list, as it refuses an
    empty one and chooses dtype and memory layout in its own way; for `np.array_equal`, whose answer changes; and where
    the array is a view of the tensor and is written afterwards, which changes the tensor on the CPU, and nothing but a
    copy on a GPU.

    ## References
    - torch documentation, `Tensor.numpy`; pytorch/pytorch#136264; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX105"
    name = "implicit-export"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in SILENTLY_WRONG and not event.differentiated:
            for argument in event.arguments:
                if not takes_export(event, argument):
                    continue
                remedy = exported(argument, event)
                draft = export_draft(argument, event.node, event.scene, f"`np.{event.name}`", remedy, swallows(event))
                if draft is not None:
                    number = event.name in _NUMBERS and not isinstance(argument.value, Sequence)
                    yield dataclasses.replace(draft, certainty=Certainty.POSSIBLE) if number else draft
                    return

    def on_item_write(self, event: ItemWrite) -> Iterator[Draft]:
        remedy = None if event.value.node is event.node else exported(event.value, event)
        draft = export_draft(event.value, event.node, event.scene, "assigning it into an array", remedy)
        if draft is not None:
            # An array of objects keeps the tensor as it is; one element of another takes a number by ``float``, which
            # exports nothing (measured on torch 2.13.0 with NumPy 2.4.6).
            # Of an element whose axes nobody knows, that is what the loss of each epoch does.
            number = event.surely or (event.element and not getattr(event.value.value, "has_axes", True))
            yield dataclasses.replace(draft, certainty=Certainty.POSSIBLE) if event.objects or number else draft

    def on_array_indexed(self, event: ArrayIndexed) -> Iterator[Draft]:
        draft = export_draft(event.index, event.node, event.scene, "indexing an array", exported(event.index, event))
        if draft is not None:
            yield draft


def takes_export(event: NumpyCall, argument: Argument) -> bool:
    """Whether a tensor that is passed there, or those in a list, are exported."""
    return swallows(event) or event.name in (EXPORTS_OF_LIST if isinstance(argument.value, Sequence) else EXPORTS)


def swallows(event: NumpyCall) -> bool:
    """Whether the error of an export is no error of the call, which answers False."""
    return event.name in FALSE_OFF_CPU


def export_draft(
    argument: Argument,
    node: cst.CSTNode,
    scene: Scene,
    how: str,
    remedy: Remedy | None,
    swallowed: bool = False,
) -> Draft | None:
    if isinstance(argument.value, Dictionary):
        # An array of one object, which the dictionary is.
        return None
    tensors = [leaf for leaf in leaves(argument.value) if isinstance(leaf, Tensor)]
    judged = [(tensor, risk) for tensor in tensors if (risk := export_risk(tensor, scene, presume=False)) is not None]
    worst: tuple[Tensor, Risk] | None = max(judged, key=lambda pair: pair[1].surest or 0, default=None)
    if worst is None or worst[1].surest is None:
        return None
    tensor, risk = worst
    surest = risk.surest or Certainty.POSSIBLE
    reasons = []
    if risk.device is not None and risk.device >= surest:
        reasons.append(off_the_cpu(tensor.device))
    if risk.grad is not None and risk.grad >= surest:
        reasons.append("needs a gradient")
    several = isinstance(argument.value, Sequence)
    subject = "a tensor" if argument.node is node else f"`{spell(argument.node)}`"
    subject = f"the tensors in {subject}" if several else subject
    why = f"as {'one' if several else 'it'} {' and '.join(reasons)}"
    exports = f"{how} exports {subject} to NumPy, which raises {why}"
    answers = f"{how} answers False whatever the numbers are: {subject} cannot become an array {why}"
    return Draft(
        node,
        answers if swallowed else exports,
        surest,
        remedy.help if remedy is not None else f"pass `{risk.calls()}.numpy()` of {'each' if several else 'it'}",
        history(tensor.device, tensor.grad),
        repair=None if remedy is None else remedy.repair,
    )


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to pass in the place of a tensor or a list of them, in words and as a fix."""

    help: str
    repair: Builder


@dataclass(frozen=True, slots=True)
class _Place:
    """An expression to be exported: a tensor, or a list of tensors that no one has written out."""

    node: cst.BaseExpression
    tensor: Tensor
    risk: Risk
    #: The list, and what torch calls joining it, where that is known to work.
    items: Sequence | None = None
    join: Spelling | None = None

    def text(self, style: ExportStyle) -> str:
        suffix = mending.spelled(self.risk, style)
        if self.items is None:
            return suffix
        (change,) = self.changes(style)
        return f"{change.before}{source_of(self.node)}{change.after}"

    def changes(self, style: ExportStyle) -> tuple[Change, ...]:
        if self.items is None:
            return mending.bring_home(self.node, self.risk, ".numpy()", style)
        suffix = mending.spelled(self.risk, style)
        if self.join is not None:
            return (Change(self.node, before=f"{self.join.text}(", after=f"){suffix}"),)
        name = "each" if re.search(r"\bx\b", source_of(self.node)) else "x"
        return (Change(self.node, before=f"[{name}{suffix} for {name} in ", after="]"),)

    def doubt(self) -> str:
        known = self.items is not None and self.items.items and self.tensor.dtype
        joins = "" if self.join is None or known else "torch refuses an empty list, and finds another common dtype"
        return mending.doubt(self.risk) or joins


def exported(argument: Argument, event: ArrayIndexed | NumpyCall | ItemWrite | LibraryCall) -> Remedy | None:
    """For the tensors that are written there, and for lists of them: each is brought home by what it needs."""
    if argument.star:
        return None
    name = event.name if isinstance(event, NumpyCall) else ""
    places = [place for place in _places(argument.node, argument.value, event.scene, name) if place.risk.calls()]
    if not places:
        return None
    if isinstance(event, NumpyCall) and (joined := _joined(places[0], argument, event)) is not None:
        return joined
    alike = EXPORTS_OF_LIST_UNCHANGED if isinstance(argument.value, Sequence) else EXPORTS_UNCHANGED
    several = any(place.node is not argument.node for place in places)
    texts = [f"`{text}`" for text in dict.fromkeys(place.text("chain") for place in places)]
    ending = "" if places[0].items is not None else f" of {'each' if several else 'it'}"
    changes = "" if not name or name in alike else "the result becomes an array where it was a tensor"
    if isinstance(event, NumpyCall) and swallows(event):
        changes = "the answer becomes that of the numbers"
    return Remedy(f"pass {' and '.join(texts)}{ending}", partial(_exported, event, places, changes))


def _exported(event: Event, places: list[_Place], changes_result: str, style: ExportStyle) -> Repair:
    texts = ", ".join(f"`{text}`" for text in dict.fromkeys(place.text(style) for place in places))
    message = f"append {texts}" if all(place.items is None for place in places) else f"pass {texts}"
    doubts = [doubt for place in places if (doubt := place.doubt() or mending.written(event, place.risk))]
    reason = doubts[0] if doubts else changes_result
    imports = {name: None for place in places if place.join is not None for name in place.join.imports}
    changes = tuple(change for place in places for change in place.changes(style))
    return Repair(message, changes, Applicability.UNSAFE if reason else Applicability.SAFE, reason, tuple(imports))


def _joined(place: _Place, argument: Argument, event: NumpyCall) -> Remedy | None:
    """``torch.cat(xs)`` for ``np.concatenate(xs)``: torch joins what NumPy would, and one array is exported."""
    axis = event.keyword("axis") or event.positional(1)
    if place.items is None or place.node is not argument.node or event.name not in _JOINED:
        return None
    if len(event.arguments) != (1 if axis is None else 2) or not (axis is None or _is_integer(axis.value)):
        return None
    function = event.scene.spelling(f"torch.{_JOINED[event.name]}")
    if function is None:
        return None
    dimension = "" if axis is None else f", dim={source_of(axis.node)}"
    call = f"{function.text}({source_of(place.node)}{dimension})"
    help_ = f"write `{call}{mending.spelled(place.risk, 'chain')}`"
    return Remedy(help_, partial(_rewritten, event.node, call, place, function.imports))


def _rewritten(node: cst.CSTNode, call: str, place: _Place, imports: tuple[str, ...], style: ExportStyle) -> Repair:
    text = f"{call}{mending.spelled(place.risk, style)}"
    reason = mending.doubt(place.risk) or "torch chooses a common dtype and the layout of the memory in its own way"
    return Repair(f"write `{text}`", (replace(node, text),), Applicability.UNSAFE, reason, imports)


def _places(node: cst.BaseExpression, value: Value, scene: Scene, name: str) -> list[_Place]:
    """The expressions that are tensors: the argument itself, or what is written in a list of them; and lists."""
    import libcst

    match node, value:
        case _, Tensor():
            risk = export_risk(value, scene, presume=False)
            return [_Place(node, value, risk)] if risk is not None else []
        case ((libcst.List() | libcst.Tuple()), Sequence(items=items)) if items is not None:
            elements = [element.value for element in node.elements if isinstance(element, libcst.Element)]
            if len(elements) != len(items):
                return []
            return [
                place for pair in zip(elements, items, strict=True) for place in _places(*pair, scene=scene, name=name)
            ]
        case libcst.ListComp(), Sequence():
            return _places(node.elt, any_element(value), scene, name)
        case (
            (libcst.Name() | libcst.Attribute() | libcst.Subscript() | libcst.Call()),
            Sequence(kind="list" | "tuple"),
        ):
            tensor = any_element(value)
            risk = export_risk(tensor, scene, presume=False)
            if risk is None or not isinstance(tensor, Tensor):
                return []
            join = scene.spelling("torch.stack") if tensor.zero_dim and name in _OF_NUMBERS else None
            return [_Place(node, tensor, risk, value, join)]
        case _:
            return []


def _is_integer(value: Value) -> bool:
    return isinstance(value, Scalar) and value.kind == "int"

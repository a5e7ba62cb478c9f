from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Change, Repair, replace, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import MethodCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.mending import NOT_PROVEN
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Builder

_NUMBERS = frozenset({"item", "tolist"})
_STEPS = frozenset({"cpu", "detach"})


class NeedlessStep(Rule):
    """`.detach()` and `.cpu()` where they do nothing, or in the wrong order.

    ## What it does
    Reports `.cpu()`, `.detach()` and `.data` right before `.item()` or `.tolist()`; `.cpu().detach()`, unless nothing
    needs a gradient there; and a second `.detach()` or `.cpu()` in one chain. Off by default; to tidy a code base up,
    `tensorlint --select needless-step --fix`.

    ## Why is this bad
    `.item()` and `.tolist()` take a tensor on any device, with a gradient or without, and copy what they need. On an
    accelerator `.cpu()` of a tensor with a graph records the copy in the graph, which `.detach()` then throws away; the
    other way round nothing is recorded. None of this is slow: it is only more to read than there is to do.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(3, 1)
    output = model(torch.rand(4, 3))
    loss = output.mean().detach().cpu().item()
    scores = output.cpu().detach().numpy()
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(3, 1)
    output = model(torch.rand(4, 3))
    loss = output.mean().item()
    scores = output.detach().cpu().numpy()
    ```

    ## Fix safety
    Safe where the value is known to be a torch tensor: values, devices and memory are the same. Otherwise unsafe.

    ## References
    - torch documentation, `Tensor.item`, `Tensor.tolist`, `Tensor.detach`; measured on torch 2.13.0
    """

    code = "TBX404"
    name = "needless-step"
    clues = (screen.NEEDLESS,)
    fix = Applicability.SAFE
    default: ClassVar[bool] = False
    harmless = "unnecessary"

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        value = event.value
        sure = isinstance(value, Tensor) and value.sure
        if event.arguments or not (sure or (isinstance(value, Unknown) and event.scene.file.numpy_is_torchs)):
            return
        repair: Builder
        before, steps = _steps(event.receiver)
        certainty = Certainty.CERTAIN if sure else Certainty.LIKELY
        if event.name in _NUMBERS and steps:
            written, better = _chain((*steps, event.name)), _chain((event.name,))
            message = f"`{written}` of `{spell(before)}`: `{better}` needs nothing before it"
            repair = partial(_dropped, event.receiver, before, sure)
        elif event.name in steps:
            message = f"`{_chain((*steps, event.name))}` of `{spell(before)}`: `.{event.name}()` is there already"
            repair = partial(_again, event, sure)
        elif event.name == "detach" and steps[-1:] == ("cpu",) and _has_graph(event):
            recorded = isinstance(value, Tensor) and value.sure and value.grad.truth is Truth.YES
            certainty = Certainty.CERTAIN if recorded else Certainty.LIKELY
            message = f"`.cpu().detach()` of `{spell(before)}` takes its graph along: detached first, it has none"
            repair = partial(_swapped, event, sure)
        else:
            return
        yield Draft(event.node, message, certainty, "write `.detach().cpu()`, or no more than is needed", repair=repair)


def _has_graph(event: MethodCall) -> bool:
    """Whether there may be a graph to record in."""
    known = isinstance(event.value, (Tensor, Unknown)) and event.value.grad.truth is Truth.NO
    return event.scene.grad_mode.truth is not Truth.NO and not known


def _chain(steps: tuple[str, ...]) -> str:
    return "".join(f".{step}" if step == "data" else f".{step}()" for step in steps)


def _steps(node: cst.BaseExpression) -> tuple[cst.BaseExpression, tuple[str, ...]]:
    """What is brought to the CPU or detached at the end of a chain, and by what."""
    import libcst

    steps: tuple[str, ...] = ()
    while True:
        match node:
            case libcst.Call(func=libcst.Attribute(value=inner, attr=libcst.Name(value=name)), args=[]) if (
                name in _STEPS
            ):
                node, steps = inner, (name, *steps)
            case libcst.Attribute(value=inner, attr=libcst.Name(value="data")):
                node, steps = inner, ("data", *steps)
            case _:
                return node, steps


def _dropped(node: cst.BaseExpression, kept: cst.BaseExpression, sure: bool, style: ExportStyle) -> Repair:
    return _repair(f"write `{spell(kept)}`", (replace(node, source_of(kept)),), sure)


def _again(event: MethodCall, sure: bool, style: ExportStyle) -> Repair:
    kept = event.receiver
    return _repair(f"write `{spell(kept)}`", (replace(event.node, source_of(kept)),), sure)


def _swapped(event: MethodCall, sure: bool, style: ExportStyle) -> Repair | None:
    import libcst

    match event.node:
        case libcst.Call(
            func=libcst.Attribute(
                value=libcst.Call(func=libcst.Attribute(attr=libcst.Name() as first)), attr=libcst.Name() as second
            )
        ):
            return _repair("write `.detach().cpu()`", (replace(first, "detach"), replace(second, "cpu")), sure)
        case _:
            return None


def _repair(message: str, changes: tuple[Change, ...], sure: bool) -> Repair:
    reason = "" if sure else NOT_PROVEN
    return Repair(message, changes, Applicability.UNSAFE if reason else Applicability.SAFE, reason)

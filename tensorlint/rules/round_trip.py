from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append, method_call, replace, source_of
from tensorlint.flow.domain.dtypes import each_named
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.events import RoundTrip as Event
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell, where_from

#: What ``torch.tensor`` makes of a list of the numbers of such a tensor is of the same dtype.
_KEPT = each_named("float32 int64 bool")


class RoundTrip(Rule):
    """A tensor becomes a list, or an array on the CPU, only to be made a tensor again.

    ## What it does
    Reports `torch.tensor(x.tolist())` and `torch.from_numpy(np.array(x.tolist()))` in loops where `x` is a tensor, with
    a `dtype=` also where it is an array; and `torch.from_numpy(x.cpu().numpy()).to(device)` where `x` is on an
    accelerator before and after.
    Off by default: it is for code that is slower than it should be.

    ## Why is this bad
    A list holds a Python object for each number: a million of them take 450 ms there and back, a copy 30 ms at most. By
    way of an array, the accelerator is waited for and all of the data goes to the CPU and back again.

    ## Example
    ```python
    import torch

    scores = torch.rand(1000, 10)
    for _ in range(3):
        again = torch.tensor(scores.tolist())
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(1000, 10)
    for _ in range(3):
        again = scores.detach().clone()
    ```

    ## Fix safety
    Unsafe: an empty tensor of several dimensions keeps its shape, which a list does not. By way of an array, and where
    the dtype may be another one, there is no fix.

    ## References
    - torch documentation, `torch.tensor`; measured on torch 2.13.0
    """

    code = "TBX407"
    name = "round-trip"
    default: ClassVar[bool] = False
    clues = (screen.ROUND_TRIP, *screen.BOUNDARY)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_round_trip(self, event: Event) -> Iterator[Draft]:
        told = {argument.keyword for argument in event.arguments}
        if "requires_grad" in told:
            # A leaf is made of it on purpose.
            return
        dtype = event.value.dtype
        if isinstance(event.value, Array) and not ("dtype" in told and (dtype.is_integral or dtype.is_float)):
            # Of float64 the list makes float32, and what is in an array of objects it arranges.
            return
        source = spell(event.source)
        if event.by == "list":
            message = f"`{spell(event.node)}` makes a Python object of each number in `{source}` on the way"
        else:
            message = f"`{spell(event.node)}` brings `{source}` to the CPU, and it goes back from there"
        yield Draft(
            event.node,
            message,
            _certainty(event),
            f"use `{source}.detach().clone()`" if isinstance(event.value, Tensor) else f"use `{source}` itself",
            (*(history(event.value.device) if isinstance(event.value, Tensor) else ()), *where_from(event.value)),
            repair=partial(_directly, event),
        )


def _certainty(event: Event) -> Certainty:
    if event.scene.is_test:
        return Certainty.POSSIBLE
    if event.by == "list":
        if event.scene.in_loop:
            return Certainty.CERTAIN
        # What a module does once costs nobody much.
        return Certainty.LIKELY if event.scene.function else Certainty.POSSIBLE
    there = isinstance(event.value, Tensor) and event.value.device.truth is Truth.YES
    return Certainty.CERTAIN if there and event.back.truth is Truth.YES else Certainty.LIKELY


def _directly(event: Event, style: ExportStyle) -> Repair | None:
    given, value = event.arguments[0].node, event.value
    if event.name != "tensor" or event.by != "list" or method_call(given) is None:
        return None
    text, reason = source_of(event.source), "an empty one keeps its shape"
    if isinstance(value, Array):
        kept = source_of(given) == f"{text}.tolist()"
        return Repair(f"write `{text}`", (replace(given, text),), Applicability.UNSAFE, reason) if kept else None
    if len(event.arguments) != 1 or value.dtype not in _KEPT:
        return None
    moved = ".detach().clone()" if value.device.truth is Truth.NO else '.detach().to("cpu", copy=True)'
    copied = append(event.source, moved)
    text = f"{copied.before}{text}{copied.after}"
    return Repair(f"write `{text}`", (replace(event.node, text),), Applicability.UNSAFE, reason)

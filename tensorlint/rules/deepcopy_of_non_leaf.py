from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import tensorlint.fix.repair as repairs
from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown, Value
from tensorlint.flow.object_events import DeepCopy
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell, spell_with


class DeepcopyOfNonLeaf(Rule):
    """`copy.deepcopy` of a tensor that was computed with a gradient raises: it copies leaves only.

    ## What it does
    Reports `copy.deepcopy(x)` where `x`, or something in the list, dictionary or object `x`, is the result of an
    operation and needs a gradient: the output of a model, a loss, a part of a parameter.

    ## Why is this bad
    Such a tensor belongs to a graph, which cannot be copied with it: `RuntimeError: Only Tensors created explicitly by
    the user (graph leaves) support the deepcopy protocol at the moment.` Parameters, leaves and what was computed under
    `torch.no_grad()` are copied.

    ## Example
    ```python
    import copy

    import torch

    layer = torch.nn.Linear(3, 1)
    output = layer(torch.rand(2, 3))
    before = copy.deepcopy(output)
    ```

    ## Use instead
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    output = layer(torch.rand(2, 3))
    before = output.detach().clone()
    ```
    `output.clone()` is a copy that stays in the graph.

    ## Fix safety
    Unsafe: the copy has no history and needs no gradient, which is what a snapshot is for; who wants to differentiate
    through it needs `.clone()`.

    ## References
    - pytorch/pytorch#28594; measured on torch 2.13.0
    """

    code = "TBX507"
    name = "deepcopy-of-non-leaf"
    clues = (screen.DEEP_COPY,)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_deep_copy(self, event: DeepCopy) -> Iterator[Draft]:
        if event.scene.caught or event.scene.other_framework:
            return
        what = spell(event.value.node)
        held = [(f"`{what}`", event.value.value), *((f"`{name}`", value) for name, value in event.attributes)]
        for subject, value in held:
            computed = next(filter(_is_computed, leaves(value)), None)
            if not isinstance(computed, (Tensor, Unknown)):
                continue
            alone = computed is event.value.value
            inside = "" if computed is value else "a tensor in "
            yield Draft(
                event.node,
                f"`copy.deepcopy` raises RuntimeError: {inside}{subject} was computed with a gradient, "
                "and only leaves are copied",
                _certainty(computed, alone=computed is value),
                f"use `{spell_with(event.value.node, '.detach().clone()')}`"
                if alone
                else "`.detach()` what is kept in there",
                history(computed.grad),
                repair=partial(_cloned, event, event.value) if alone else None,
            )
            return


def _is_computed(value: Value) -> bool:
    known = isinstance(value, (Tensor, Unknown)) and value.grad.passed_on
    return known and value.grad.truth > Truth.UNKNOWN  # type: ignore[union-attr]


def _certainty(value: Tensor | Unknown, *, alone: bool) -> Certainty:
    if isinstance(value, Tensor) and value.sure and value.grad.truth is Truth.YES:
        return Certainty.CERTAIN
    # One of several things in a container that is known as one is no more than likely to be there.
    return Certainty.LIKELY if alone and isinstance(value, Tensor) else Certainty.POSSIBLE


def _cloned(event: DeepCopy, data: Argument, style: ExportStyle) -> Repair:
    text = f"{_primary(data)}.detach().clone()"
    reason = "the copy has no history"
    return Repair(f"write `{text}`", (repairs.replace(event.node, text),), Applicability.UNSAFE, reason)


def _primary(data: Argument) -> str:
    import libcst

    text = source_of(data.node)
    plain = isinstance(data.node, (libcst.Name, libcst.Attribute, libcst.Call, libcst.Subscript))
    return text if plain else f"({text})"

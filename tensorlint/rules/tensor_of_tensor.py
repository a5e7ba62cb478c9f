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
from tensorlint.flow.domain.values import Sequence
from tensorlint.flow.events import TorchCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell, spell_with, where_from


class TensorOfTensor(Rule):
    """`torch.tensor` of a tensor warns, copies and cuts the graph; of a list of tensors it takes numbers only.

    ## What it does
    Reports `torch.tensor(x)` where `x` is a tensor, or a list of tensors.

    ## Why is this bad
    `torch.tensor` reads data. A tensor is copied with a `UserWarning`, and what comes out has no history: no gradient
    flows through it. Each tensor in a list has to be a number: one with more elements raises `ValueError: only one
    element tensors can be converted to Python scalars`.

    ## Example
    ```python
    import torch

    labels = torch.arange(4)
    targets = torch.tensor(labels)
    ```

    ## Use instead
    ```python
    import torch

    labels = torch.arange(4)
    targets = labels.detach().clone()
    ```

    ## Fix safety
    Safe: `.detach().clone()` is what the warning asks for, and gives the same tensor on the same device. With a dtype
    or a device there is no fix.

    ## References
    - torch documentation, `torch.tensor`; measured on torch 2.13.0
    """

    code = "TBX205"
    name = "tensor-of-tensor"
    clues = (screen.TENSOR,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional() or event.keyword("data")
        if event.name != "tensor" or data is None or data.star or event.keyword("requires_grad") is not None:
            # A leaf is made of it on purpose: whether that is right is TBX501's to say.
            return
        if isinstance(data.value, Tensor) and data.value.sure:
            grad = data.value.grad.truth
            cut = ", without its history" if grad > Truth.UNKNOWN else ""
            yield Draft(
                event.node,
                f"`torch.tensor` of the tensor `{spell(data.node)}` warns and copies it{cut}",
                # Without a history to lose, the warning is all there is to it.
                Certainty.CERTAIN if grad is Truth.YES else Certainty.LIKELY,
                f"use `{spell_with(data.node, '.detach().clone()')}`, or the tensor itself",
                (*history(data.value.grad), *where_from(data.value)),
                repair=partial(_copied, event, data) if len(event.arguments) == 1 else None,
            )
        elif isinstance(data.value, Sequence) and data.value.kind in {"list", "tuple"}:
            inside = [leaf for leaf in leaves(data.value) if isinstance(leaf, Tensor) and leaf.sure]
            grads = [leaf.grad for leaf in inside if leaf.grad.truth is Truth.YES]
            if inside:
                yield Draft(
                    event.node,
                    f"`torch.tensor` takes a number of each tensor in `{spell(data.node)}`: one with more elements "
                    "raises, and no gradient flows through it",
                    Certainty.POSSIBLE,
                    "use `torch.stack(...)`",
                    history(*grads[:1]),
                )


def _copied(event: TorchCall, data: Argument, style: ExportStyle) -> Repair:
    text = f"{_primary(data)}.detach().clone()"
    return Repair(f"write `{text}`", (repairs.replace(event.node, text),))


def _primary(data: Argument) -> str:
    import libcst

    text = source_of(data.node)
    plain = isinstance(data.node, (libcst.Name, libcst.Attribute, libcst.Call, libcst.Subscript))
    return text if plain else f"({text})"

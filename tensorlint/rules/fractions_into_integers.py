from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import each_named
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Scalar
from tensorlint.flow.events import FloatsIntoIntegers, MethodCall
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst

_INTEGERS = each_named("int8 uint8 int16 int32 int64")
#: Pixels: what is scaled to them is meant to be cut.
_SMALL = each_named("int8 uint8")
#: Which argument holds what is written.
_WRITES = {"copy_": 0, "fill_": 0, "masked_fill_": 1, "index_fill_": 2}


class FractionsIntoIntegers(Rule):
    """Fractions that are written into a tensor of integers are cut to whole numbers, without a word.

    ## What it does
    Reports `t.copy_(x)`, `t[i] = x` and `t.fill_(x)` where `t` is a tensor of integers and `x` is known to be
    fractions: of `torch.rand`, `torch.randn`, a sigmoid or a softmax, the output of a linear layer, or a number like
    `0.5`.

    ## Why is this bad
    A tensor keeps its dtype when it is written: `torch.zeros_like(labels)` of int64 labels stays int64, and
    probabilities become 0 in it. No gradient flows through either. `t += x` and `t[mask] = x` raise; a copy and a plain
    index do not.

    ## Example
    ```python
    import torch

    labels = torch.tensor([0, 2, 1])
    confidence = torch.zeros_like(labels)
    confidence[0] = torch.rand(3, 4).softmax(-1).max()
    ```

    ## Use instead
    ```python
    import torch

    labels = torch.tensor([0, 2, 1])
    confidence = torch.zeros_like(labels, dtype=torch.float32)
    confidence[0] = torch.rand(3, 4).softmax(-1).max()
    ```

    ## References
    - torch documentation, `Tensor.copy_`; measured on torch 2.13.0
    """

    code = "TBX508"
    name = "fractions-into-integers"
    clues = (screen.FRACTIONS,)
    shown = Certainty.CERTAIN

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        position = _WRITES.get(event.name)
        if position is None or len(event.arguments) <= position or any(each.star for each in event.arguments):
            return
        yield from _draft(event.node, Argument(event.receiver, event.value), event.arguments[position])

    def on_floats_into_integers(self, event: FloatsIntoIntegers) -> Iterator[Draft]:
        yield from _draft(event.node, event.target, event.value)


def _draft(node: cst.CSTNode, target: Argument, written: Argument) -> Iterator[Draft]:
    tensor, value = target.value, written.value
    if not isinstance(tensor, Tensor) or tensor.dtype not in _INTEGERS:
        return
    match value:
        case Tensor(numbers=numbers) if numbers:
            known = numbers != "fraction" and (numbers == "unit" or tensor.dtype not in _SMALL)
            # A quotient may be the cell of a grid, for which the fraction is not wanted.
            surest = Certainty.CERTAIN if tensor.sure and value.sure else Certainty.LIKELY
            certainty = surest if known else Certainty.POSSIBLE
            what = f"`{spell(written.node)}`" if written.node is not node else "what is assigned"
            cut = " and detached" if value.grad.truth is Truth.YES else ""
            notes = history(value.grad) if cut else ()
        case Scalar(kind="float") if _is_fraction(written.node):
            certainty, what, cut, notes = Certainty.CERTAIN, f"`{spell(written.node)}`", "", ()
        case _:
            return
    yield Draft(
        node,
        f"`{spell(target.node)}` is {tensor.dtype}: {what} is cut to whole numbers{cut} there",
        certainty,
        "make the tensor that is written one of floats, `dtype=torch.float32`",
        notes,
    )


def _is_fraction(node: cst.BaseExpression) -> bool:
    """Whether a number is spelled that is not whole."""
    import libcst

    match node:
        case libcst.UnaryOperation(operator=libcst.Minus(), expression=inner):
            return _is_fraction(inner)
        case libcst.Float(evaluated_value=float() as number):
            return not number.is_integer()
        case _:
            return False

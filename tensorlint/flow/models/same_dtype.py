"""Products and losses whose operands have to be of one dtype: they raise where others promote."""

from __future__ import annotations

from tensorlint.flow.arguments import given
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import BOOL, FLOAT64, Dtype
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import is_made_float32, tensor_dtype
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Scalar, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.knowledge.row import names

_ATTENTION = "nn.functional.scaled_dot_product_attention"
#: Products, and what else computes of several tensors of one dtype; measured on torch 2.13.0 with float32 and each of
#: float64 and the integers.
_PRODUCTS = names(
    "matmul mm bmm mv dot addmm baddbmm addmv tensordot cdist lerp linalg.solve linalg.lstsq nn.functional.linear "
    "nn.functional.bilinear nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d "
    "nn.functional.conv_transpose1d nn.functional.conv_transpose2d nn.functional.conv_transpose3d "
    "nn.functional.grid_sample " + _ATTENTION
)
#: Losses whose weights do not promote, by their functions.
_WEIGHTED = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
#: Those whose target does not, and those that only raise for it where they are differentiated.
_OF_ONE_DTYPE = frozenset({"binary_cross_entropy", "huber_loss"})
_BACKWARDS = frozenset({"huber_loss"})
_MODULES = {
    "torch.nn.CrossEntropyLoss": "cross_entropy",
    "torch.nn.NLLLoss": "nll_loss",
    "torch.nn.MultiMarginLoss": "multi_margin_loss",
    "torch.nn.BCELoss": "binary_cross_entropy",
    "torch.nn.HuberLoss": "huber_loss",
}
#: The modules that keep a weight which their scores have to be like.
WEIGHTED_MODULES = frozenset(path for path, name in _MODULES.items() if name in _WEIGHTED)


def note_product(machine: Machine, name: str, operands: tuple[Argument, ...], call: Call) -> None:
    """Tell of a product, by its function (``nn.functional.linear``) or a method, of float32 and something else."""
    if name == _ATTENTION:
        mask = given(operands, 3, "attn_mask")
        operands = tuple(each for each in operands if each is not mask or tensor_dtype(each.value) is not BOOL)
    if (name in _PRODUCTS or (name == "einsum" and _contracts(call.first))) and any(
        is_made_float32(operand.value) for operand in operands
    ):
        machine.meet_float(call.frame, call.node, operands)


def note_loss(machine: Machine, path: str, weight: Dtype, call: Call) -> None:
    """Tell of a weight or a target of float64 where the loss that is called, a function or a module, raises for it.

    Measured on torch 2.13.0: others promote.
    """
    name = _MODULES.get(path, path.removeprefix("torch.nn.functional."))
    scores, target = given(call.arguments, 0, "input"), given(call.arguments, 1, "target")
    if name in _WEIGHTED and weight is FLOAT64 and scores is not None and _may_be_float32(scores.value):
        presumed = not is_made_float32(scores.value)
        machine.meet_float(call.frame, call.node, (), weight=True, presumed=presumed)
    if name not in _OF_ONE_DTYPE or scores is None or target is None:
        return
    if name in _BACKWARDS and not _has_graph(scores):
        return
    for double, other in ((target, scores), (scores, target)):
        if tensor_dtype(double.value) is FLOAT64 and is_made_float32(other.value):
            machine.meet_float(call.frame, call.node, (double,))


def _contracts(equation: Value | None) -> bool:
    """Whether an ``einsum`` sums over an axis of two operands, which is a product; without one it promotes."""
    if not isinstance(equation, Scalar) or not isinstance(equation.literal, str):
        return False
    inputs, arrow, output = equation.literal.partition("->")
    shared = {letter for letter in inputs if letter.isalpha() and sum(letter in each for each in inputs.split(",")) > 1}
    return bool(shared - {*output}) if arrow else bool(shared)


def _may_be_float32(scores: Value) -> bool:
    """Whether nothing is known of scores, which are float32 where nobody casts a network."""
    return is_made_float32(scores) or (isinstance(scores, (Tensor, Unknown)) and not scores.dtype)


def _has_graph(scores: Argument) -> bool:
    return isinstance(scores.value, Tensor) and scores.value.grad.truth > Truth.UNKNOWN

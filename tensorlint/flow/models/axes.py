"""Which tensors surely have a dimension: of two floats that meet the wider decides where it has one, else the other."""

from __future__ import annotations

from collections.abc import Sequence as Several

from tensorlint.flow.call import Call
from tensorlint.flow.domain.dtypes import BOOL, FLOAT64, Dtype
from tensorlint.flow.domain.promotion import of_joined_tensors, of_tensors
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import Scalar, Sequence, Value
from tensorlint.knowledge.row import names

#: What gives each element of its operands, or something of each, in the same shape.
_EACH = names(
    "to cpu cuda float double half bfloat16 int long short byte bool type type_as pin_memory detach clone contiguous "
    "requires_grad_ zeros_like ones_like full_like rand_like randn_like empty_like Parameter Variable "
    "add sub mul div true_divide pow maximum minimum clamp clip abs neg exp log log2 log10 log1p expm1 sqrt rsqrt "
    "square sin cos tan tanh sigmoid relu gelu elu softplus leaky_relu silu erf floor ceil round softmax log_softmax "
    "logsigmoid normalize dropout cumsum cumprod flip roll nan_to_num masked_fill add_ sub_ mul_ div_ clamp_ t "
    "transpose permute sort argsort"
)
#: What gives one of them at least, whatever it is given.
_SURELY = names(
    "cat concat concatenate stack hstack vstack unsqueeze flatten ravel expand repeat tile outer eye arange linspace "
    "logspace one_hot bincount nonzero unique matmul mm bmm mv linear conv1d conv2d conv3d embedding"
)
#: What is told the shape of the tensor that it makes.
_OF_SHAPE = names("zeros ones empty full rand randn randint view reshape new_zeros new_ones new_full new_empty")


def has_axes(name: str, operands: Several[Tensor], call: Call) -> bool:
    """Whether what a function or method of torch gives, ``softmax`` or ``nn.functional.softmax``, has a dimension."""
    name = name.removeprefix("nn.functional.")
    if name in _EACH:
        return any(operand.has_axes for operand in operands)
    if name in _OF_SHAPE:
        first = call.arguments[0].value if call.arguments else None
        return first is not None and not (isinstance(first, Sequence) and first.items == ())
    if name == "topk":
        # The best one alone is taken for a number.
        return not any(isinstance(each.value, Scalar) and each.value.literal == 1 for each in call.arguments)
    return name in _SURELY


def are_axes(data: Value) -> bool:
    """Whether a tensor has a dimension that is made of this: of an array that has one, or of a list."""
    return isinstance(data, Sequence) or (isinstance(data, (Array, Tensor)) and data.has_axes)


def axes_left(indices: Several[Value]) -> bool:
    """Whether what is taken of a tensor by these has a dimension: a slice keeps one, ``None`` adds one, a mask, too."""
    return any(
        (isinstance(index, Scalar) and index.kind in {"slice", "None"})
        or (isinstance(index, (Tensor, Array)) and (index.has_axes or index.dtype is BOOL))
        for index in indices
    )


def promoted(left: Tensor, right: Tensor) -> Dtype:
    """The dtype of an operator between two tensors, where that hangs on their dimensions, too."""
    dtype = of_tensors(left.dtype, right.dtype)
    if dtype or not (left.has_axes or right.has_axes):
        return dtype
    if left.has_axes and right.has_axes:
        dtype = of_joined_tensors((left.dtype, right.dtype))
    for one, other in ((left, right), (right, left)):
        # Nothing is wider, and the other is a float of whatever width.
        float_too = other.dtype.is_floating or (other.source is Provenance.MODEL and not other.dtype)
        if not dtype and one.dtype is FLOAT64 and one.has_axes and float_too:
            return FLOAT64
    return dtype

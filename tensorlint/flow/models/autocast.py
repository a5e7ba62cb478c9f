"""``torch.autocast``: which dtype is computed in under it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tensorlint.flow.arguments import keyword
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import BFLOAT16, FLOAT32, FLOAT64, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.values import Scalar, Symbol, Value
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function

#: Stand for the context manager, with the dtype behind them, which the second is not sure of.
_AUTOCAST = "torch.autocast():"
_MAYBE_AUTOCAST = "torch.maybe_autocast():"

#: Functions and layers that compute in the lower precision. The others keep what they are given (measured on the CPU
#: with torch 2.13.0).
_LOWERED = re.compile(
    r"(^|\.)(matmul|mm|bmm|addmm|baddbmm|einsum|linear|conv\dd|scaled_dot_product_attention"
    r"|(Lazy)?(Linear|Conv(Transpose)?\dd)|LSTM|RNN|MultiheadAttention)$"
)
_IN_FLOAT32 = ("_loss", "cross_entropy", "Loss")


@function("torch.**.autocast")
def autocast(machine: Machine, path: str, call: Call) -> Value:
    dtype = _asked_for(path.removeprefix("torch."), call.first, call.arguments)
    return Symbol(path=(_MAYBE_AUTOCAST if dtype.unsure else _AUTOCAST) + dtype.name)


def set_by(value: Value) -> Dtype | None:
    """The dtype that a context manager sets, or a decorator, where it is such a one: none where it is switched off."""
    match value:
        case Symbol(path=path) if path.startswith(_AUTOCAST):
            return Dtype(path.removeprefix(_AUTOCAST))
        case Symbol(path=path) if path.startswith(_MAYBE_AUTOCAST):
            return Dtype(path.removeprefix(_MAYBE_AUTOCAST), unsure=True)
    return None


def autocast_to(machine: Machine, name: str, given: Iterable[Dtype]) -> Dtype:
    """What ``autocast`` makes of the result of a function or layer that is given such tensors; not known for most.

    It casts what is a float other than float64, and nothing else.
    """
    dtypes = set(given)
    if not machine.autocast or any(dtype is FLOAT64 or dtype.is_integral for dtype in dtypes):
        return UNKNOWN_DTYPE
    if _LOWERED.search(name):
        known = any(dtype.is_floating for dtype in dtypes)
        return machine.autocast if known else machine.autocast.weakened()
    return FLOAT32 if name.endswith(_IN_FLOAT32) else UNKNOWN_DTYPE


def _asked_for(name: str, first: Value | None, arguments: tuple[Argument, ...]) -> Dtype:
    """bfloat16 is the default on the CPU and nowhere else."""
    enabled = keyword(arguments, "enabled")
    if isinstance(enabled, Scalar) and enabled.literal is False:
        return UNKNOWN_DTYPE
    told = next((argument.value for argument in arguments if dtype_of(argument.value)), None)
    if told is not None and not (isinstance(told, Scalar) and told.kind == "str"):
        certain = enabled is None or (isinstance(enabled, Scalar) and enabled.known and enabled.literal is True)
        return dtype_of(told) if certain else dtype_of(told).weakened()
    if keyword(arguments, "dtype") is not None:
        return UNKNOWN_DTYPE
    device = keyword(arguments, "device_type") or first
    on_cpu = name == "cpu.amp.autocast" or (isinstance(device, Scalar) and device.literal == "cpu")
    return BFLOAT16 if on_cpu else UNKNOWN_DTYPE

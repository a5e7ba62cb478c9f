from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Scalar, Sequence
from tensorlint.flow.events import TorchCall
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.constructors import DTYPES, kept_as_given, numbers_spelled, spelled_out
from tensorlint.rules.wording import bound_at, spell, where_from

if TYPE_CHECKING:
    import libcst as cst

#: The bits of what each constructor makes; below 0 for those that have a sign.
_BITS = {"LongTensor": -64, "IntTensor": -32, "ShortTensor": -16, "CharTensor": -8, "ByteTensor": 8}
_WIDTHS = {"int64": 64, "uint64": 64, "int32": 32, "uint32": 32, "int16": 16, "uint16": 16}
#: What draws numbers that are cut to 0, or nearly so, and what gives fractions that somebody may want cut.
_DRAWN = frozenset({"rand", "random", "random_sample", "randn", "standard_normal"})
_FRACTIONS = frozenset({"uniform", "normal", "linspace", "exp", "log", "sqrt", "sin", "cos", "tanh", "std", "softmax"})
_WHOLE = frozenset({"floor", "ceil", "round", "around", "rint", "trunc", "fix", "zeros", "ones", "zeros_like"})


class LegacyConstructorTruncates(Rule):
    """`torch.LongTensor(data)` and its relatives cut off fractions and wrap what does not fit, without a word.

    ## What it does
    Reports `torch.LongTensor`, `IntTensor`, `ShortTensor`, `CharTensor` and `ByteTensor` of data that is seen to change
    by that: lists and arrays with a fraction that the program spells, arrays of numbers drawn from 0 to 1 or around 0,
    complex numbers, and integers of an array that the dtype is too small for.

    ## Why is this bad
    The name asks for a dtype, and nothing says that data is lost: `1.7` is 1, `-1.7` is -1, 300 in an array is 44 in a
    `ByteTensor`, and 2**31 is negative in an `IntTensor`. Where data is rounded on purpose, a cast says so.

    ## Example
    ```python
    import numpy as np
    import torch

    weights = np.array([0.5, 1.5, 2.5])
    print(torch.LongTensor(weights))  # tensor([0, 1, 2])
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    weights = np.array([0.5, 1.5, 2.5])
    print(torch.as_tensor(weights))
    ```
    `torch.as_tensor(x).long()` says the same as `torch.LongTensor(x)`, and that it is meant.

    ## Limits
    Most arrays of floats that become labels hold whole numbers, and what a program does not spell is not known: of
    those it speaks at `possible`, and of what is computed as a fraction at `likely`. Integers of a list that do not fit
    raise RuntimeError, but for negative ones in a `ByteTensor`, which wrap. `torch.BoolTensor` is a comparison with 0,
    and the constructors of floats are TBX201.

    ## Fix safety
    Where numbers are seen to change, a fix that keeps the change would only hide it: the fix is `torch.tensor(x)`,
    which is unsafe, as it has the right numbers and another dtype. Elsewhere it is
    `torch.as_tensor(x, dtype=torch.int64)`, which is safe: the same values, dtype and aliasing.

    ## References
    - torch documentation, `torch.Tensor`; measured on torch 2.13.0 and NumPy 2.4
    """

    code = "TBX206"
    name = "legacy-constructor-truncates"
    clues = (screen.CONSTRUCTOR,)
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name not in _BITS or data is None or len(event.arguments) != 1 or data.star:
            return
        lost = lost_of(event, data)
        if lost is None:
            return
        certainty, what = lost
        surely = certainty is Certainty.CERTAIN
        if event.scene.is_test:
            # A test may be about just that.
            certainty = Certainty.POSSIBLE
        target = DTYPES[event.name]
        yield Draft(
            event.node,
            f"`torch.{event.name}` makes {target} of `{spell(data.node)}`: {what}",
            certainty,
            f"keep the values with `torch.tensor(...)`, or say that {target} is meant: "
            f"`torch.as_tensor(..., dtype=torch.{target})`",
            where_from(data.value) or bound_at(data.node, event.scene),
            # TBX216 speaks of every legacy constructor: one change mends both.
            mend=event.node,
            repair=kept_as_given(event) if surely else spelled_out(event, data),
        )


def lost_of(event: TorchCall, data: Argument) -> tuple[Certainty, str] | None:
    """What an integer constructor loses of ``data``, and how sure that is; None where it loses nothing."""
    made = _made_of(event, data)
    match data.value:
        case Array(zero_dim=True) | Array(sure=False):
            return None
        case Array(dtype=dtype) if dtype.is_complex:
            return Certainty.CERTAIN, "the imaginary part is cut off"
        case Array(dtype=dtype) if dtype.is_float and dtype.sure:
            return _of_floats([*numbers_spelled(_inside(made))], _called(made), made)
        case Array(dtype=dtype) if dtype.is_integer and dtype.sure:
            return _of_integers(event, [*numbers_spelled(_inside(made))], data.value)
        case Sequence(kind="list" | "tuple"):
            return _of_list(event, [*numbers_spelled(made)], data.value)
        case _:
            return None


def _of_floats(spelled: list[int | float], called: str, made: cst.CSTNode) -> tuple[Certainty, str] | None:
    import libcst

    if _fraction(spelled) is not None or called in _DRAWN:
        return Certainty.CERTAIN, "fractions are cut off"
    if called in _WHOLE or spelled:
        return None
    divided = isinstance(made, libcst.BinaryOperation) and isinstance(made.operator, libcst.Divide)
    certainty = Certainty.LIKELY if divided or called in _FRACTIONS else Certainty.POSSIBLE
    return certainty, "fractions are cut off, where it has any"


def _of_integers(event: TorchCall, spelled: list[int | float], array: Array) -> tuple[Certainty, str] | None:
    over = next((number for number in spelled if _wrapped(event, number) != number), None)
    if over is not None:
        return Certainty.CERTAIN, f"{over} becomes {_wrapped(event, over)}"
    narrower = _WIDTHS.get(array.dtype.name, 0) > abs(_BITS[event.name])
    if spelled or array.small or not narrower:
        return None
    return Certainty.POSSIBLE, f"of {array.dtype}, where numbers that do not fit wrap"


def _of_list(event: TorchCall, spelled: list[int | float], numbers: Sequence) -> tuple[Certainty, str] | None:
    unsigned, negative = event.name == "ByteTensor", [number for number in spelled if number < 0]
    if unsigned and negative:
        # A negative integer wraps; a negative float raises, as everything does that does not fit otherwise.
        whole = all(isinstance(number, int) for number in spelled) and min(negative) >= -255
        return (Certainty.CERTAIN, f"{negative[0]} becomes {_wrapped(event, negative[0])}") if whole else None
    cut = _fraction(spelled)
    if cut is not None:
        return Certainty.CERTAIN, f"{cut} becomes {int(cut)}"
    element = any_element(numbers)
    if spelled or not isinstance(element, Scalar) or element.kind not in {"float", "np.float64"}:
        return None
    return Certainty.POSSIBLE, "fractions are cut off, where it has any"


def _fraction(spelled: list[int | float]) -> float | None:
    return next((float(number) for number in spelled if isfinite(number) and number != int(number)), None)


def _wrapped(event: TorchCall, number: float) -> int:
    """What an integer of an array is in a smaller dtype: its last bits."""
    bits = _BITS[event.name]
    every: int = 1 << abs(bits)
    held = int(number) % every
    return held - every if bits < 0 and held >= every // 2 else held


def _made_of(event: TorchCall, data: Argument) -> cst.CSTNode:
    """The expression that a name stands for, or the one that is given."""
    import libcst

    named = event.scene.only_value(spell(data.node)) if isinstance(data.node, libcst.Name) else None
    return data.node if named is None else named


def _called(made: cst.CSTNode) -> str:
    import libcst

    return spell(made.func).rpartition(".")[2] if isinstance(made, libcst.Call) else ""


def _inside(made: cst.CSTNode) -> cst.CSTNode:
    """What an array is made of: ``np.array([...])``."""
    import libcst

    match made:
        case libcst.Call(args=[libcst.Arg(value=value, keyword=None, star=""), *_]) if _called(made) in _OF_LISTS:
            return value
        case _:
            return made


_OF_LISTS = frozenset({"array", "asarray", "asanyarray", "ascontiguousarray"})

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import UINT8
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.events import MethodCall, NumpyCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell, spell_with, where_from

if TYPE_CHECKING:
    import libcst as cst

_CASTS = frozenset({"to", "type", "astype"})


class PixelsOutOfRange(Rule):
    """Floats below 0 or above 255 are made bytes, and come out as other pixels.

    ## What it does
    Reports `.byte()`, `.to(torch.uint8)`, `.astype(np.uint8)` and `np.uint8(x)` of numbers that nothing bounds: normal
    noise, or what a linear or convolutional layer gives, scaled or not. Off by default: who looks at the pictures sees
    it.

    ## Why is this bad
    A byte holds 0 to 255. On the CPU others wrap around: 256.0 is black, and -1.0 is white. What an accelerator makes
    of them, or NumPy on another processor, is not defined: reports show -3.14 as 0 on a GPU, and 253 on the CPU.

    ## Example
    ```python
    import torch

    decoder = torch.nn.ConvTranspose2d(8, 3, 4, stride=4)
    with torch.no_grad():
        image = decoder(torch.randn(1, 8, 4, 4)) * 255
    pixels = image.to(torch.uint8)
    ```

    ## Use instead
    ```python
    import torch

    decoder = torch.nn.ConvTranspose2d(8, 3, 4, stride=4)
    with torch.no_grad():
        image = decoder(torch.randn(1, 8, 4, 4)) * 255
    pixels = image.clamp(0, 255).to(torch.uint8)
    ```

    ## Fix safety
    Unsafe: the numbers that wrapped become 0 or 255.

    ## References
    - pytorch/pytorch#36807, #181805, #191025; measured on torch 2.13.0 and NumPy 2.4.6, on x86-64
    """

    code = "TBX112"
    name = "pixels-out-of-range"
    clues = (screen.PIXELS,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE
    default: ClassVar[bool] = False

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        casts = event.name in _CASTS and any(dtype_of(each.value) is UINT8 for each in event.arguments)
        if casts or event.name == "byte":
            yield from _draft(event.node, Argument(event.receiver, event.value))

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name == "uint8" and data is not None:
            yield from _draft(event.node, data)


def _draft(node: cst.CSTNode, cast: Argument) -> Iterator[Draft]:
    value = cast.value
    if not isinstance(value, (Tensor, Array)) or value.numbers != "wild":
        return
    bound = ".clip(0, 255)" if isinstance(value, Array) else ".clamp(0, 255)"
    yield Draft(
        node,
        f"nothing keeps `{spell(cast.node)}` between 0 and 255: as bytes, what is outside wraps around",
        Certainty.CERTAIN if value.sure else Certainty.LIKELY,
        f"bound it first: `{spell_with(cast.node, bound)}`",
        where_from(value),
        repair=partial(_bounded, cast.node, bound),
    )


def _bounded(cast: cst.BaseExpression, bound: str, style: ExportStyle) -> Repair:
    reason = "what wrapped around becomes 0 or 255"
    return Repair(f"append `{bound}`", (append(cast, bound),), Applicability.UNSAFE, reason)

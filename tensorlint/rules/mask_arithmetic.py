from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append, replace, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import Dtype, each_named
from tensorlint.flow.domain.inside import is_mask, tensor_dtype
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import UNKNOWN, Scalar, Value
from tensorlint.flow.events import Event, IntegersOperated, MethodCall, TorchCall
from tensorlint.knowledge.row import names
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell
from tensorlint.versions import Versions

if TYPE_CHECKING:
    import libcst as cst

#: What torch 2.13.0 does not compute of integers and bool (measured).
_OF_FLOATS = names(
    "mean nanmean std var norm softmax log_softmax quantile nanquantile std_mean var_mean multinomial bernoulli histc "
    "logcumsumexp cdist inverse det slogdet logdet pinverse rand_like randn_like "
    "gelu elu selu silu mish leaky_relu softplus logsigmoid normalize layer_norm "
    "linalg.inv linalg.det linalg.slogdet linalg.svd linalg.eig linalg.eigh linalg.qr linalg.cholesky linalg.pinv "
    "linalg.norm linalg.vector_norm linalg.matrix_norm linalg.matrix_rank linalg.lstsq linalg.solve linalg.cond"
)
#: What takes a mask of bool, and its place among the arguments of the function. Bytes were taken for one before.
_MASKED = {
    "masked_fill": 1,
    "masked_fill_": 1,
    "masked_select": 1,
    "masked_scatter": 1,
    "masked_scatter_": 1,
    "where": 0,
}
_SIGNED = each_named("int8 int16 int32 int64")
_DIVISIONS = names("div_ divide_ true_divide_")
_OPERATIONS = names("add_ sub_ subtract_ mul_ multiply_ pow_ floor_divide_")


class MaskArithmetic(Rule):
    """Arithmetic that torch does not do with masks and integers: `1 - mask`, the mean of a comparison, `image /= 255`.

    ## What it does
    Reports subtraction with tensors of bool; means, deviations, norms, softmax, inverses and the like of tensors of
    integers or bool; masks of integers or floats where a mask of bool is taken; and division of tensors of integers in
    place, or other operators by which they become floats there. And `~` of bytes, of which 0 and 1 are no mask.

    ## Why is this bad
    NumPy does all of this. torch raises on every device: `RuntimeError: Subtraction, the - operator, with a bool tensor
    is not supported`, `mean(): could not infer output dtype. Input dtype must be either a floating point or complex
    dtype`, `result type Float can't be cast to the desired output type Byte`.

    ## Example
    ```python
    import numpy as np
    import torch

    padding = torch.from_numpy(np.array([0, 7, 7]) == 0)
    keep = 1 - padding
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    padding = torch.from_numpy(np.array([0, 7, 7]) == 0)
    keep = ~padding
    ```

    ## Limits
    `~mask` of bytes, which is 255 and 254 where 1 and 0 are meant, is `likely` only: of bytes of 255 it is right.

    ## Fix safety
    Safe: the line raises whenever it is reached. `1 - mask` becomes `~mask`, which is a mask again, and counts as 0 and
    1 where it is multiplied.

    ## References
    - pytorch/pytorch#24180; measured on torch 2.13.0
    """

    code = "TBX213"
    name = "mask-arithmetic"
    clues = (screen.MASK, *screen.BOUNDARY)
    fix = Applicability.SAFE
    # Before, comparisons gave uint8, of which `~` was the other mask (release notes of torch 1.2).
    versions = Versions(torch_from="1.2")

    def on_integers_operated(self, event: IntegersOperated) -> Iterator[Draft]:
        left, right = event.left, event.right
        if event.operator == "~":
            yield Draft(
                event.node,
                f"`~` of `{spell(left.node)}`, which is uint8, gives 255 for 0 and 254 for 1: no mask",
                Certainty.LIKELY,
                f"write `~{spell(left.node)}.bool()`, or compare it with 0",
                _made(left.value),
            )
            return
        if event.scene.caught or not (_counts(left.value) and _counts(right.value)):
            return
        if not (event.operator[0] == "-" and (is_mask(left.value) or is_mask(right.value))):
            if event.operator == "/=" or _is_float(right.value):
                yield _in_place(event.node, event.operator, left)
            return
        mask = right if is_mask(right.value) else left
        inverted = mask is right and source_of(left.node) in {"1", "1.", "1.0"}
        yield Draft(
            event.node,
            f"`{event.operator}` raises RuntimeError: `{spell(mask.node)}` is a tensor of bool",
            Certainty.CERTAIN,
            f"write `~{spell(mask.node)}`" if inverted else "cast it by `.float()` or `.int()`, or use `^`",
            _made(mask.value),
            repair=partial(_inverted, event.node, mask.node) if inverted else None,
        )

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if isinstance(event.value, Tensor) and event.value.sure:
            receiver = Argument(event.receiver, event.value)
            if event.name != "where":
                # (Whose mask comes behind the tensor.)
                yield from _refused(event, event.name, (receiver, *event.arguments), f"`.{event.name}`")
            operand = event.arguments[0].value if event.arguments else UNKNOWN
            floats = event.name in _DIVISIONS or (event.name in _OPERATIONS and _is_float(operand))
            whole = any(each.keyword in {"rounding_mode", "alpha"} or each.star for each in event.arguments)
            if floats and not whole and event.value.dtype.is_integral and not event.scene.caught:
                yield _in_place(event.node, f".{event.name}()", receiver)

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        name = event.name.removeprefix("nn.functional.")
        yield from _refused(event, name, event.arguments, f"`{name}`")


def _refused(event: Event, name: str, arguments: tuple[Argument, ...], subject: str) -> Iterator[Draft]:
    """What is said of a call whose operand or mask is of a dtype that it does not take."""
    if event.scene.caught or any(each.star for each in arguments):
        return
    plain = [each for each in arguments if not each.keyword]
    position = _MASKED.get(name, 0)
    operand = plain[position] if position < len(plain) else None
    if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
        return
    dtype = operand.value.dtype
    if name in _MASKED and len(plain) > 1 and _is_no_mask(dtype):
        wanted, what = ".bool()", "takes a mask of bool"
    elif name in _OF_FLOATS and dtype.is_integral and dtype.sure and not _told(arguments):
        wanted, what = ".float()", "takes floats"
    else:
        return
    yield Draft(
        event.node,
        f"{subject} {what}, and raises: `{spell(operand.node)}` is {dtype}",
        Certainty.CERTAIN,
        f"cast it by `{wanted}`",
        _made(operand.value),
        repair=partial(_cast, operand.node, wanted),
    )


def _told(arguments: tuple[Argument, ...]) -> bool:
    """Whether a dtype to compute in is given: by its name, or by its place behind the dimension."""
    return (
        any(each.keyword in {"dtype", "out"} for each in arguments) or sum(not each.keyword for each in arguments) > 2
    )


def _is_no_mask(dtype: Dtype) -> bool:
    return dtype.sure and (dtype.is_float or dtype in _SIGNED)


def _counts(value: Value) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Scalar) and value.kind in {"int", "float", "bool"})


def _is_float(value: Value) -> bool:
    return tensor_dtype(value).is_floating or (isinstance(value, Scalar) and value.kind == "float")


def _in_place(node: cst.CSTNode, operator: str, written: Argument) -> Draft:
    dtype = tensor_dtype(written.value)
    return Draft(
        node,
        f"`{operator}` in place raises RuntimeError: `{spell(written.node)}` is {dtype}, and the result is float",
        Certainty.CERTAIN,
        "make floats of it first, by `.float()`, or bind the result instead of writing it",
        _made(written.value),
    )


def _made(value: Value) -> tuple[Note, ...]:
    origin = value.origin if isinstance(value, Tensor) else None
    return () if origin is None else (Note(origin.site, origin.message),)


def _inverted(node: cst.CSTNode, mask: cst.BaseExpression, style: ExportStyle) -> Repair:
    import libcst

    plain = bool(mask.lpar) or isinstance(mask, (libcst.Name, libcst.Attribute, libcst.Call, libcst.Subscript))
    text = f"~{source_of(mask)}" if plain else f"~({source_of(mask)})"
    return Repair(f"write `{text}`", (replace(node, text),))


def _cast(node: cst.BaseExpression, method: str, style: ExportStyle) -> Repair:
    return Repair(f"append `{method}`", (append(node, method),))

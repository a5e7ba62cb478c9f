from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.domain.dtypes import printed_as
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import Scalar, Value, dtype_in, is_dtype
from tensorlint.flow.events import Event, MethodCall, NumpyCall, TorchCall
from tensorlint.knowledge.row import names
from tensorlint.knowledge.tensor_methods import TENSOR_METHODS
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell, where_from

if TYPE_CHECKING:
    import libcst as cst

#: Where a tensor comes from that is known to be one by more than the method it is asked for.
_KNOWN = frozenset({None, Provenance.MODEL, Provenance.LOADER, Provenance.ARGUMENT, Provenance.PARAMETER_OF_MODULE})
#: What gives the tensor as it was where it has that shape, as in a program that works.
_OFTEN_ITSELF = names("view reshape contiguous")
#: Functions that change nothing of what they are given, unless they are told where to write (measured on torch 2.13.0
#: and NumPy 2.4.6).
_TORCH = names(
    "clamp clip squeeze unsqueeze reshape transpose permute flatten cat concat stack where masked_fill flip roll "
    "nn.functional.relu nn.functional.softmax nn.functional.normalize nn.functional.pad nn.functional.interpolate"
)
_NUMPY = names(
    "append clip squeeze expand_dims reshape transpose concatenate stack vstack hstack delete insert where flip roll "
    "repeat pad sort swapaxes moveaxis"
)
#: Context managers that do nothing before they are entered.
_CONTEXTS = names(
    "no_grad inference_mode enable_grad autocast amp.autocast cuda.amp.autocast autograd.detect_anomaly "
    "autograd.no_grad"
)


class ResultThrownAway(Rule):
    """`x.to(device)` as a statement leaves a tensor where it is: the result is thrown away.

    ## What it does
    Reports `.to()`, `.cuda()`, `.float()` and other casts, `.detach()`, `.astype()`, `.clamp()` and what changes the
    shape of a tensor or an array, and functions such as `torch.clamp` and `np.append`, whose result nobody takes: it is
    a statement of its own, or is bound to the variable of the loop around, which is not read again. Likewise
    `torch.no_grad()` and other contexts that nobody enters.

    ## Why is this bad
    A module is moved and cast in place, a list appends in place; a tensor and an array do not. It stays on the CPU, in
    float64, in its graph, as short as it was: what comes after raises on a GPU (`Expected all tensors to be on the same
    device`), or goes on with what was to be left behind.

    ## Example
    ```python
    import torch

    images = torch.rand(8, 3, 32, 32)
    images.half()
    print(images.dtype)
    ```

    ## Use instead
    ```python
    import torch

    images = torch.rand(8, 3, 32, 32)
    images = images.half()
    print(images.dtype)
    ```

    ## Limits
    What may change nothing is `possible` only: `.view()` and `.reshape()` of what may have that shape, `.cuda()` and
    `.to(device)` of what may be there, `.detach()` of what may have no graph. A cast of what may be of that dtype is
    `likely`, and not shown by default.
    `.cpu()`, `.numpy()` and `.item()` as a statement are not reported: they are written to wait for the GPU. Nor is
    anything in a `try`, nor the last line of a cell.

    ## Fix safety
    Unsafe: from then on the program computes with the result, which it never did before.

    ## References
    - pytorch/pytorch#7460; measured on torch 2.13.0
    """

    code = "TBX118"
    name = "result-thrown-away"
    clues = (screen.THROWN_AWAY,)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if not event.thrown_away or not _is_in_scope(event) or any(each.name == "out" for each in event.arguments):
            return
        match event.value:
            case Tensor(sure=sure, source=source) as tensor:
                told = Certainty.CERTAIN if sure and source in _KNOWN else Certainty.LIKELY
                what, certainty = "tensor", min(told, _matters(tensor, event))
            case Array(sure=True):
                what, certainty = "array", Certainty.CERTAIN
            case _:
                return
        subject = spell(event.receiver)
        yield Draft(
            event.node,
            f"`.{event.name}()` makes a new {what}, which is thrown away: `{subject}` stays as it is",
            certainty,
            "bind the result, or leave the call out",
            where_from(event.value),
            repair=partial(_bound, event.node, event.receiver) if event.thrown_away == "statement" else None,
        )

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        if event.name in _CONTEXTS and event.discarded and _is_in_scope(event):
            yield Draft(
                event.node,
                f"`torch.{event.name}()` is a context manager, and does nothing as a statement",
                Certainty.CERTAIN,
                f"write `with torch.{event.name}(...):` around what it is for",
            )
        if event.name in _TORCH:
            yield from _of_function(event, f"torch.{event.name}", "tensor")

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name in _NUMPY:
            yield from _of_function(event, f"np.{event.name}", "array")


def _matters(tensor: Tensor, event: MethodCall) -> Certainty:
    """How sure it is that the result is another tensor than the one that stays, for who goes on."""
    row = TENSOR_METHODS.get(event.name)
    given = [
        dtype_in(each.value) for each in event.arguments if isinstance(each.value, Scalar) and is_dtype(each.value)
    ]
    cast = given or ([printed_as(row.dtype)] if row is not None and printed_as(row.dtype) else [])
    if cast or event.name in {"type", "type_as", "astype"}:
        other = tensor.dtype and cast and all(dtype and dtype is not tensor.dtype for dtype in cast)
        return Certainty.CERTAIN if other else Certainty.LIKELY
    known = {"to": tensor.device.truth is Truth.NO, "detach": tensor.grad.truth > Truth.UNKNOWN}
    known["cuda"] = known["to"]
    return Certainty.CERTAIN if known.get(event.name, event.name not in _OFTEN_ITSELF) else Certainty.POSSIBLE


def _of_function(event: TorchCall, name: str, what: str) -> Iterator[Draft]:
    first = event.positional()
    told = event.keyword("out") or event.keyword("inplace")
    # What is behind a star may say so.
    in_place = (told is not None and not _surely_false(told.value)) or any(each.star for each in event.arguments)
    # A cell of a notebook shows what its last line gives.
    shown = event.scene.file.path.endswith(".ipynb") and not event.scene.function and not event.scene.in_loop
    if event.discarded and first is not None and _is_in_scope(event) and not (in_place or shown):
        yield Draft(
            event.node,
            f"`{name}` makes a new {what}, which is thrown away: `{spell(first.node)}` stays as it is",
            Certainty.CERTAIN,
            "bind the result, or leave the call out",
        )


def _surely_false(value: Value) -> bool:
    """Whether it is ``False``, and no flag that is so by default."""
    return isinstance(value, Scalar) and value.known and value.literal is False


def _is_in_scope(event: Event) -> bool:
    """Whether tensors are at hand, and it is not tried whether the call works."""
    return event.scene.file.imports_torch and not event.scene.handlers


def _bound(call: cst.CSTNode, receiver: cst.BaseExpression, style: ExportStyle) -> Repair | None:
    from tensorlint.flow.tree import dotted_name  # imports LibCST, which the list of rules must not

    path = dotted_name(receiver)
    if not path:
        return None
    text = f"{path} = {source_of(call)}"
    return Repair(
        f"write `{text}`", (replace(call, text),), Applicability.UNSAFE, "what comes after was never run with it"
    )

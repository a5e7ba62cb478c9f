from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, replace
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import PLAIN, Scalar, Sequence, Unknown
from tensorlint.flow.events import TorchCall
from tensorlint.flow.scene import Spelling
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.constructors import DTYPES, spelled_out
from tensorlint.rules.legacy_constructor import harm_of
from tensorlint.rules.legacy_constructor_truncates import lost_of
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class LegacyConstructorStyle(Rule):
    """A legacy constructor of which nothing is lost: `torch.tensor` and `torch.empty` say what it does.

    ## What it does
    Reports `torch.Tensor`, `torch.FloatTensor`, `torch.LongTensor`, `torch.cuda.FloatTensor` and their relatives: of
    lists, arrays and sizes. Where they do harm, TBX201, TBX202 and TBX206 say so. Off by default; for a refactor,
    `tensorlint --select legacy-constructor-style --fix src/`.

    ## Why is this bad
    One name stands for two things: of `[3]` it makes a tensor that holds 3, of `3` one of three uninitialised values.
    The dtype is in the name, the device is always the CPU, and PyTorch's documentation advises against it.

    ## Example
    ```python
    import torch

    lengths = torch.LongTensor([3, 1, 2])
    buffer = torch.FloatTensor(4, 2).zero_()
    ```

    ## Use instead
    ```python
    import torch

    lengths = torch.tensor([3, 1, 2], dtype=torch.int64)
    buffer = torch.empty(4, 2, dtype=torch.float32).zero_()
    ```

    ## Fix safety
    Safe for lists of numbers, for arrays and for sizes: equal values, dtype, shape and aliasing (measured). Unsafe
    where the argument may be something else, as an integer would be a size, and in a file that sets the default dtype
    or device.

    ## References
    - torch documentation, `torch.Tensor`; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX216"
    name = "legacy-constructor-style"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE
    default: ClassVar[bool] = False
    harmless = "deprecated"

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        place, _, kind = event.name.rpartition(".")
        if kind not in DTYPES or place not in {"", "cuda"}:
            return
        if any(argument.keyword or argument.star for argument in event.arguments):
            return
        if _is_shape(event.arguments):
            yield _draft(event, "torch.empty", None if place else _allocated(event))
            return
        data = event.positional()
        if data is None or not _is_data(event, data):
            return
        wanted = "torch.tensor" if isinstance(data.value, Sequence) else "torch.as_tensor"
        yield _draft(event, wanted, None if place or _does_harm(event, data) else spelled_out(event, data))


def _draft(event: TorchCall, wanted: str, repair: Builder | None) -> Draft:
    place, _, kind = event.name.rpartition(".")
    message = f"`torch.{event.name}` is a legacy constructor: `{wanted}` says what it does"
    device = f', device="{place}"' if place else ""
    advice = f"use `{wanted}(..., dtype=torch.{DTYPES[kind]}{device})`"
    # Where one change mends the harm that TBX201 knows of, the two are one finding.
    return Draft(event.node, message, Certainty.CERTAIN, advice, mend=event.node, repair=repair)


def _is_shape(arguments: tuple[Argument, ...]) -> bool:
    """Whether it is given whole numbers, a shape, or nothing: a tensor of that size."""
    if len(arguments) != 1:
        # Of several arguments it takes whole numbers only.
        return True
    (argument,) = arguments
    return (isinstance(argument.value, Scalar) and argument.value.kind == "int") or _asks_size(argument.node)


def _asks_size(node: cst.CSTNode) -> bool:
    """``x.size()``, ``x.size(0)``, ``x.shape[0]``. The shape of an array is a tuple, and as good as a list."""
    import libcst

    match node:
        case libcst.Call(func=libcst.Attribute(attr=libcst.Name(value="size"))):
            return True
        case libcst.Subscript(
            value=libcst.Attribute(attr=libcst.Name(value="shape")),
            slice=[libcst.SubscriptElement(slice=libcst.Index())],
        ):
            return True
        case _:
            return False


def _is_data(event: TorchCall, data: Argument) -> bool:
    match data.value:
        case Array(zero_dim=zero_dim):
            return not zero_dim
        case Sequence(kind=kind):
            return kind in {"list", "tuple"}
        case Unknown(tensor=tensor):
            sized = names.SIZE.search(spell(data.node)) or event.consumer.endswith("_")
            return tensor is not Truth.YES and not sized
        case Tensor() | _:
            return False


def _does_harm(event: TorchCall, data: Argument) -> bool:
    """Whether TBX201 or TBX206 knows a better change than to say what the constructor does."""
    dtype = DTYPES[event.name]
    harm = harm_of(event, data) if dtype.is_float else lost_of(event, data) if dtype.is_integer else None
    return harm is not None and harm[0] > Certainty.POSSIBLE


def _allocated(event: TorchCall) -> Builder | None:
    import libcst

    call = event.node
    assert isinstance(call, libcst.Call)
    # ``torch.Tensor`` follows the default dtype, as ``torch.empty`` does.
    named = None if event.name == "Tensor" else DTYPES[event.name]
    sizes = [each.value for each in event.arguments]
    doubt = "this file sets the default dtype or device" if event.scene.file.sets_defaults else ""
    if len(sizes) == 1 and not (isinstance(sizes[0], Scalar) or sizes[0] == PLAIN):
        doubt = "what is no size would be data"
    function = mending.beside(call.func, event.scene, "torch.empty")
    dtype = mending.beside(call.func, event.scene, f"torch.{named}") if named else None
    if function is None or (named and dtype is None):
        return None
    return partial(_empty, call, function, dtype, doubt)


def _empty(call: cst.Call, function: Spelling, dtype: Spelling | None, doubt: str, style: ExportStyle) -> Repair:
    arguments = [] if call.args else ["0"]
    arguments += [] if dtype is None else [f"dtype={dtype.text}"]
    return Repair(
        f"use `{function.text}(...)`",
        (replace(call.func, function.text), *([add_argument(call, ", ".join(arguments))] if arguments else [])),
        Applicability.UNSAFE if doubt else Applicability.SAFE,
        doubt,
        function.imports,
    )

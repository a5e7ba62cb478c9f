from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, replace, source_of
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Scalar
from tensorlint.flow.events import TorchCall, UnsetRead
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.constructors import DTYPES
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class ConstructorSizeNotData(Rule):
    """`torch.Tensor(n)` allocates `n` uninitialised values; it does not hold the number `n`.

    ## What it does
    Reports a legacy constructor that is given an integer, a NumPy integer or a 0-d integer array, when the
    number is data (it came from NumPy), or when the memory is used before anything is written to it.

    ## Why is this bad
    `torch.Tensor(7)` is seven numbers that happened to lie in memory: a reward, a label or a weight that is
    different in every run.

    ## Example
    ```python
    import torch

    reward = 7
    target = torch.Tensor(reward) + 0.99
    ```

    ## Use instead
    ```python
    import torch

    reward = 7
    target = torch.tensor(float(reward)) + 0.99
    ```
    `torch.empty(n)` says that an uninitialised buffer is wanted.

    ## Limits
    A buffer that is filled in place, wrapped in `nn.Parameter` or handed to another function is left alone.

    ## Fix safety
    Unsafe: `torch.tensor(n, dtype=...)` holds the number, which is what the code around it uses. Not offered where the
    name says that it is a size.

    ## References
    - pytorch/pytorch#47112; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX202"
    name = "constructor-size-not-data"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name not in DTYPES or len(event.arguments) != 1 or data is None or event.consumer.endswith("_"):
            return
        match data.value:
            case Array(zero_dim=True, dtype=Dtype(name="int64", unsure=False)) | Scalar(kind="np.int64"):
                yield Draft(
                    event.node,
                    f"`torch.{event.name}({spell(data.node)})` allocates that many uninitialised values "
                    "instead of holding the number",
                    Certainty.CERTAIN,
                    f"use `torch.tensor({spell(data.node)})` for the number, `torch.empty(...)` for a buffer",
                    mend=event.node,
                    repair=_repair(event.node, event.scene),
                )
            case _:
                return

    def on_unset_read(self, event: UnsetRead) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{spell(event.node)}` is uninitialised memory, and is used before anything is written to it",
            Certainty.LIKELY if _is_meant_as_data(event) else Certainty.POSSIBLE,
            "use `torch.tensor(...)` for a number, `torch.zeros(...)` or `torch.empty(...)` for a buffer",
            (Note(event.scene.at(event.use), "used as data here"),),
            mend=event.node,
            repair=_repair(event.node, event.scene),
        )


def _is_meant_as_data(event: UnsetRead) -> bool:
    """Whether a number was to be held, or something adds up in the memory; else any input may have been welcome."""
    import libcst

    match event.node, event.use:
        case libcst.Call(args=[_]), _:
            return True
        case _, libcst.AugAssign():
            return True
        case _, libcst.Call(func=libcst.Attribute(attr=libcst.Name(value=method))):
            return method.endswith("_")
        case _:
            return False


def _repair(node: cst.CSTNode, scene: Scene) -> Builder | None:
    """For a legacy constructor of one value that is not called a size."""
    import libcst

    match node:
        case libcst.Call(func=function, args=[libcst.Arg(value=value, keyword=None, star="")]):
            dtype_made = DTYPES.get(source_of(function).rpartition(".")[2])
        case _:
            return None
    if dtype_made is None or names.SIZE.search(spell(value)):
        return None
    tensor, dtype = (mending.beside(function, scene, f"torch.{name}") for name in ("tensor", dtype_made))
    return None if tensor is None or dtype is None else partial(_number, node, tensor, dtype)


def _number(call: cst.Call, tensor: Spelling, dtype: Spelling, style: ExportStyle) -> Repair:
    return Repair(
        f"use `{tensor.text}(..., dtype={dtype.text})`",
        (replace(call.func, tensor.text), add_argument(call, f"dtype={dtype.text}")),
        Applicability.UNSAFE,
        "the tensor holds the number then, in place of that many values",
        tensor.imports,
    )

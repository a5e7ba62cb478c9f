from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Scalar, Symbol, Value
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.events import MethodCall, NumpyCall, TorchCall
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


#: Dtypes the other library does not have (torch has the unsigned ones since 2.3).
_ONLY_NUMPY = frozenset({"uint16", "uint32", "uint64"})
_ONLY_TORCH = frozenset({"bfloat16"})
#: ``np.bool`` is missing from NumPy 1.24 to 1.26.
_NUMPY_NAMES = {"bool": "bool_"}


class DtypeMixup(Rule):
    """A NumPy dtype given to torch, or a torch dtype given to NumPy.

    ## What it does
    Reports `dtype=np.float32` in a torch call, `dtype=torch.float32` in a NumPy call,
    `array.astype(torch.float32)` and `tensor.to(np.float32)`.

    ## Why is this bad
    The two libraries do not know each other's dtypes: it raises TypeError on every device.

    ## Example
    ```python
    import numpy as np
    import torch

    grid = torch.zeros(2, dtype=np.float32)
    ```

    ## Use instead
    ```python
    import torch

    grid = torch.zeros(2, dtype=torch.float32)
    ```

    ## Fix safety
    Safe: the old line raises whenever it is reached. Dtypes that the other library does not have get no fix.

    ## References
    - measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX210"
    name = "dtype-mixup"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        if not event.name.startswith(("distributed", "load", "save")):
            yield from _mixed(event, "numpy", keyword_only=True)

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        yield from _mixed(
            event,
            "torch",
            keyword_only=event.name not in {"zeros", "ones", "empty", "array", "asarray"},
        )

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if isinstance(event.value, Tensor) and event.name in {
            "to",
            "type",
            "new_zeros",
            "new_ones",
            "new_full",
            "new_tensor",
        }:
            yield from _mixed(event, "numpy", keyword_only=event.name.startswith("new_"))
        elif isinstance(event.value, Array) and event.value.sure and event.name in {"astype", "view"}:
            yield from _mixed(event, "torch", keyword_only=False)


def _mixed(event: TorchCall | MethodCall, namespace: str, *, keyword_only: bool) -> Iterator[Draft]:
    other = "torch" if namespace == "numpy" else "NumPy"
    for argument in event.arguments:
        if argument.keyword != "dtype" and (keyword_only or argument.keyword):
            continue
        if _namespace(argument.value) == namespace:
            right = f"{'torch' if namespace == 'numpy' else 'np'}.{dtype_of(argument.value).name or '...'}"
            yield Draft(
                event.node,
                f"{other} does not know the dtype `{spell(argument.node)}`: TypeError",
                Certainty.CERTAIN,
                f"write `{right}`",
                repair=_repair(event.scene, argument, namespace),
            )
            return


def _repair(scene: Scene, argument: Argument, namespace: str) -> Builder | None:
    name = dtype_of(argument.value).name
    if not name or name in (_ONLY_NUMPY if namespace == "numpy" else _ONLY_TORCH):
        return None
    path = f"torch.{name}" if namespace == "numpy" else f"numpy.{_NUMPY_NAMES.get(name, name)}"
    spelling = scene.spelling(path)
    return None if spelling is None else partial(_other, argument.node, spelling)


def _other(node: cst.CSTNode, spelling: Spelling, style: ExportStyle) -> Repair:
    return Repair(f"write `{spelling.text}`", (replace(node, spelling.text),), imports=spelling.imports)


def _namespace(value: Value) -> str:
    """The library a dtype belongs to, or nothing when it is no dtype."""
    match value:
        case Scalar(kind="numpy.dtype" | "torch.dtype" as kind):
            return kind.split(".")[0]
        case Symbol(path=path) if dtype_of(value):
            return path.split(".")[0]
        case _:
            return ""

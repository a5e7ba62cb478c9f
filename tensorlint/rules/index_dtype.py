from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.arguments import given
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import BOOL, INT32, UINT8, Dtype, each_named
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import Event, MethodCall, ModuleCall, TensorIndex, TorchCall
from tensorlint.knowledge.row import names
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

_FLOATS = each_named("float16 bfloat16 float32 float64")
_ODD = each_named("int8 int16 uint16 uint32 uint64")
#: Class labels. Floats of the shape of the scores are probabilities for ``cross_entropy``; bytes are taken by some.
_NO_LABELS = _ODD | {BOOL, INT32}
_NO_PLACES = _ODD | _FLOATS
_NO_INDEX = _NO_PLACES | {BOOL, UINT8}
_ONLY_INT64 = _NO_INDEX | {INT32}

#: What each takes no index of (measured on torch 2.13.0): the place of the index among the arguments of the function,
#: its keyword, and the dtypes that raise.
_FUNCTIONS: Mapping[str, tuple[int, str, frozenset[Dtype]]] = {
    "cross_entropy": (1, "target", _NO_LABELS),
    "nll_loss": (1, "target", _NO_LABELS | _FLOATS),
    "multi_margin_loss": (1, "target", _ONLY_INT64),
    "multilabel_margin_loss": (1, "target", _ONLY_INT64),
    "nn.functional.embedding": (0, "input", _NO_INDEX),
    # The weight comes first there.
    "embedding": (1, "indices", _NO_INDEX),
    "one_hot": (0, "tensor", _ONLY_INT64),
    "gather": (2, "index", _NO_INDEX),
    "scatter": (2, "index", _NO_INDEX),
    "scatter_add": (2, "index", _NO_INDEX),
    "index_select": (2, "index", _NO_INDEX),
    "index_add": (2, "index", _NO_INDEX),
    "index_copy": (2, "index", _ONLY_INT64),
    "index_fill": (2, "index", _ONLY_INT64),
    "take": (1, "index", _ONLY_INT64),
    "take_along_dim": (1, "indices", _ONLY_INT64),
    "bincount": (0, "input", _FLOATS | {BOOL}),
}
#: Those whose index, where a legacy constructor made floats of it, TBX201 speaks of.
_TOLD = names("gather scatter scatter_add index_select index_add")
_MODULES = {
    "nn.CrossEntropyLoss": "cross_entropy",
    "nn.NLLLoss": "nll_loss",
    "nn.MultiMarginLoss": "multi_margin_loss",
    "nn.MultiLabelMarginLoss": "multilabel_margin_loss",
    "nn.Embedding": "nn.functional.embedding",
    "nn.EmbeddingBag": "nn.functional.embedding",
}


class IndexDtype(Rule):
    """Labels and indices of a dtype that torch does not take for them: int32 labels, float or int16 indices.

    ## What it does
    Reports class labels of `cross_entropy` and `nll_loss`, indices of embeddings, of `gather`, `scatter`,
    `index_select` and their relatives, and tensors as indices, whose dtype is known and refused.

    ## Why is this bad
    It raises on every device: `RuntimeError: expected target dtype to be Long or Byte, but got Int`, `IndexError:
    tensors used as indices must be long, int, byte or bool tensors`. NumPy takes integers of any size for an index, and
    data sets keep labels as small as they can.

    ## Example
    ```python
    import numpy as np
    import torch

    labels = torch.from_numpy(np.array([0, 2], dtype=np.int32))
    torch.nn.functional.cross_entropy(torch.rand(2, 3), labels)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    labels = torch.from_numpy(np.array([0, 2], dtype=np.int32)).long()
    torch.nn.functional.cross_entropy(torch.rand(2, 3), labels)
    ```

    ## Limits
    Floats given to `cross_entropy` may be probabilities, and are not reported. What torch takes today, as int32 for an
    index or an embedding, is not either.

    ## Fix safety
    Safe: the line raises whenever it is reached. Floats as an index get no fix, as they may be meant for a mask.

    ## References
    - SeldonIO/alibi-detect#411, skorch-dev/skorch#161; measured on torch 2.13.0
    """

    code = "TBX212"
    name = "index-dtype"
    clues = (screen.SMALL_INTEGERS, *screen.BOUNDARY)
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        last = event.name.removeprefix("nn.functional.")
        name = event.name if event.name in _FUNCTIONS else last
        yield from _taken(event, name, event.arguments, f"`{last}`")

    def on_module_call(self, event: ModuleCall) -> Iterator[Draft]:
        yield from _taken(event, _MODULES.get(event.name, ""), event.arguments, f"`{event.name}`")

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if isinstance(event.value, Tensor) and event.value.sure:
            arguments = (Argument(event.receiver, event.value), *event.arguments)
            yield from _taken(event, event.name.removesuffix("_"), arguments, f"`.{event.name}`")

    def on_tensor_index(self, event: TensorIndex) -> Iterator[Draft]:
        index = event.index.value
        if isinstance(index, Tensor) and index.narrowed is None:
            # A tensor of one integer is as good as the integer, of whatever size.
            number = index.zero_dim or index.sliced or index.picked
            yield from _judged(event, event.index, _FLOATS if number else _NO_PLACES, "which no index can be")


def _taken(event: Event, name: str, arguments: tuple[Argument, ...], subject: str) -> Iterator[Draft]:
    """What is said of a call: the index among its arguments is of a dtype that it refuses."""
    if name not in _FUNCTIONS or any(each.star for each in arguments):
        return
    position, keyword, refused = _FUNCTIONS[name]
    index = given(arguments, position, keyword)
    if index is None or not isinstance(index.value, Tensor):
        return
    if index.value.narrowed is None or name not in _TOLD:
        yield from _judged(event, index, refused, f"which {subject} does not take")


def _judged(event: Event, index: Argument, refused: frozenset[Dtype], refusal: str) -> Iterator[Draft]:
    tensor = index.value
    if not isinstance(tensor, Tensor) or not tensor.sure or event.scene.caught:
        return
    if tensor.dtype in refused:
        # Floats in brackets are places, or a mask that ``torch.zeros`` made.
        either = isinstance(event, TensorIndex) and tensor.dtype in _FLOATS
        yield Draft(
            event.node,
            f"`{spell(index.node)}` is {tensor.dtype}, {refusal}: it raises",
            Certainty.CERTAIN,
            f"cast it by `.long()`{', or by `.bool()` if it is a mask' if either else ''}",
            () if tensor.origin is None else (Note(tensor.origin.site, tensor.origin.message),),
            repair=None if either else partial(_cast, index.node),
        )


def _cast(node: cst.BaseExpression, style: ExportStyle) -> Repair:
    return Repair("append `.long()`", (append(node, ".long()"),))

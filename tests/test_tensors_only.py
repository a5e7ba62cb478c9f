"""Where a tensor is wanted an array is refused: executed."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest

from tensorlint.knowledge import tensors_only

pytestmark = pytest.mark.filterwarnings("ignore")

#: Arguments, of a shape or a number, for what a matrix does not fit.
_CALLS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(["dot", "vdot", "outer", "ger"], ((3,), (3,))),
    "cross": ((3, 3), (3, 3)),
    "bmm": ((1, 3, 3), (1, 3, 3)),
    "mv": ((3, 3), (3,)),
    "searchsorted": ((3,), (3,)),
    "bucketize": ((3, 3), (3,)),
    "tensordot": ((3, 3), (3, 3), 1),
    **dict.fromkeys(
        ["cumprod", "cumsum", "log_softmax", "logsumexp", "softmax", "unsqueeze", "nn.functional.softmax"], ((3, 3), 0)
    ),
    "topk": ((3, 3), 1),
    **dict.fromkeys(["transpose", "swapaxes"], ((3, 3), 0, 1)),
    "permute": ((3, 3), 1, 0),
    "reshape": ((3, 3), 3, 3),
    "clamp": ((3, 3), (3, 3)),
    "clip": ((3, 3), (3, 3)),
}
_INTEGERS = {
    "take": 1,
    "take_along_dim": 1,
    "nn.functional.nll_loss": 1,
    "nn.functional.multi_margin_loss": 1,
    "nn.Embedding": 0,
}
_INTEGERS |= {"nn.NLLLoss": 1}
_LAYERS = {
    **dict.fromkeys(["nn.Linear", "nn.LSTM", "nn.GRU", "nn.Embedding"], (3, 3)),
    **dict.fromkeys(["nn.Conv1d", "nn.Conv2d", "nn.Conv3d"], (3, 3, 1)),
    **dict.fromkeys(["nn.Softmax", "nn.LogSoftmax"], (-1,)),
    "nn.LayerNorm": (3,),
}


def _arguments(numpy: Any, name: str, count: int) -> list[Any]:
    given = _CALLS.get(name, ((3, 3),) * count)
    made = [
        numpy.full(each, 0.25) + (numpy.eye(3) / 2 if each == (3, 3) else 0) if isinstance(each, tuple) else each
        for each in given
    ]
    if name in {"permute", "reshape"}:
        made[1:] = [tuple(made[1:])]
    if name in _INTEGERS:
        position = _INTEGERS[name]
        made[position] = numpy.zeros(
            made[position].shape[:1] if "loss" in name.lower() else made[position].shape, dtype="int64"
        )
    return made


def _refuses(torch: Any, numpy: Any, function: Callable[..., object], given: list[Any], position: int) -> bool:
    """Whether a call with tensors works, and raises with an array at that position."""
    tensors = [torch.from_numpy(each) if isinstance(each, numpy.ndarray) else each for each in given]
    function(*[each.clone() if torch.is_tensor(each) else each for each in tensors])
    tensors[position] = given[position]
    with pytest.raises((TypeError, AttributeError)):
        function(*tensors)
    return True


@pytest.mark.parametrize("name", sorted(tensors_only.ONE_TENSOR))
def test_functions_refuse_an_array_in_the_place_of_a_tensor(name: str) -> None:
    torch, numpy = pytest.importorskip("torch"), pytest.importorskip("numpy")
    function = attrgetter(name)(torch)
    two = name in tensors_only.TWO_TENSORS
    given = _arguments(numpy, name, 2 if two else 1)
    assert all(_refuses(torch, numpy, function, given, position) for position in range(2 if two else 1))


@pytest.mark.parametrize("name", sorted(tensors_only.TAKE_ANOTHER))
def test_methods_refuse_an_array_in_the_place_of_a_tensor(name: str) -> None:
    torch, numpy = pytest.importorskip("torch"), pytest.importorskip("numpy")
    assert _refuses(torch, numpy, getattr(torch.Tensor, name), _arguments(numpy, name, 2), 1)


@pytest.mark.parametrize("name", sorted(tensors_only.LISTED_TENSORS))
def test_a_list_of_tensors_has_no_array_in_it(name: str) -> None:
    torch, numpy = pytest.importorskip("torch"), pytest.importorskip("numpy")
    if hasattr(torch, name):
        with pytest.raises(TypeError):
            getattr(torch, name)([torch.ones(3), numpy.ones(3)])
        with pytest.raises(TypeError):
            getattr(torch, name)([numpy.ones(3)])


@pytest.mark.parametrize("name", sorted(tensors_only.LAYERS))
def test_layers_refuse_an_array(name: str) -> None:
    torch, numpy = pytest.importorskip("torch"), pytest.importorskip("numpy")
    layer = attrgetter(name)(torch)(*_LAYERS.get(name, ())).double()
    two = name in tensors_only.LOSSES
    given = _arguments(numpy, name, 2 if two else 1)
    if name.startswith("nn.Conv"):
        given = [numpy.ones((1, 3, *[2] * int(name[-2])))]
    assert all(_refuses(torch, numpy, layer, given, position) for position in range(2 if two else 1))

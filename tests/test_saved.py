"""What ``knowledge.saved`` says autograd keeps is what a write changes the gradient by, and torch does not notice."""

from __future__ import annotations

from typing import Any

import pytest

from tensorlint.knowledge.saved import KEEP_INPUT, LOSSES, RESULT, SAVED

torch = pytest.importorskip("torch")
F = torch.nn.functional

_LABELS = {"cross_entropy", "nll_loss", "embedding"}
_CONVOLUTIONS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}
_ROWS = {"softmax", "log_softmax", "logsumexp", "cumprod"}


_TWO = {name for name, pairs in SAVED.items() if any(1 in pair for pair in pairs)}


def function(name: str) -> Any:
    """The function as a program calls it; methods of the same name are the same operator."""
    return getattr(F, name) if name in _FUNCTIONAL else getattr(torch, name)


_FUNCTIONAL = {name for name in SAVED if hasattr(F, name) and not hasattr(torch, name)} | {*_CONVOLUTIONS, "embedding"}


def operands(name: str) -> list[Any]:
    """Numbers between 0.1 and 0.9 in the shapes that the function takes."""
    torch.manual_seed(0)

    def some(*shape: int) -> Any:
        return torch.rand(*shape) * 0.8 + 0.1

    if dimensions := _CONVOLUTIONS.get(name):
        return [some(1, 2, *(4,) * dimensions), some(3, 2, *(2,) * dimensions)]
    if name == "bmm":
        return [some(2, 3, 3), some(2, 3, 3)]
    if name == "mv":
        return [some(3, 3), some(3)]
    if name == "dot":
        return [some(3), some(3)]
    if name == "embedding":
        return [torch.tensor([0, 1, 2]), some(4, 3)]
    if name in _LABELS:
        return [some(3, 3), torch.tensor([0, 1, 2])]
    return [some(3, 3), some(3, 3)] if name in _TWO else [some(3, 3)]


def gradient(name: str, kept: int, needs: int, write: str) -> Any:
    given = operands(name)
    given[needs].requires_grad_()
    extra = [1] if name in _ROWS else [3] if name == "pow" else []
    result = function(name)(*given, *extra)
    target = result if kept == RESULT else given[kept]
    weights = torch.arange(1.0, result.numel() + 1).reshape(result.shape)
    loss = (result * weights).sum()
    changed = target.detach().clone()
    changed = changed.roll(1, 0) if not changed.is_floating_point() else changed * 0.5 + 0.05
    if write == "data":
        target.data.copy_(changed)
    elif write == "array":
        target.detach().numpy()[...] = changed.numpy()
    elif write == "seen":
        target.detach().copy_(changed)
    loss.backward()
    return given[needs].grad


@pytest.mark.parametrize("write", ["data", "array"])
@pytest.mark.parametrize(
    ("name", "kept", "needs"), [(name, kept, needs) for name in sorted(SAVED) for kept, needs in SAVED[name]]
)
def test_a_write_behind_its_back_changes_the_gradient(name: str, kept: int, needs: int, write: str) -> None:
    right, wrong = gradient(name, kept, needs, ""), gradient(name, kept, needs, write)
    assert not torch.allclose(right, wrong)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        gradient(name, kept, needs, "seen")


@pytest.mark.parametrize("name", sorted(KEEP_INPUT))
def test_layers_keep_what_they_are_given(name: str) -> None:
    torch.manual_seed(0)
    if name == "Embedding":
        layer, data, changed = torch.nn.Embedding(4, 3), torch.tensor([0, 1, 2]), torch.tensor([3, 3, 3])
    elif name == "LayerNorm":
        layer, data, changed = torch.nn.LayerNorm(4), torch.rand(2, 4), torch.rand(2, 4)
    elif name == "Linear":
        layer, data, changed = torch.nn.Linear(4, 3), torch.rand(2, 4), torch.rand(2, 4)
    else:
        shape = (1, 2, *(4,) * int(name[-2]))
        layer, data, changed = getattr(torch.nn, name)(2, 3, 2), torch.rand(shape), torch.rand(shape)
    (right,) = torch.autograd.grad(layer(data).square().sum(), [layer.weight])
    loss = layer(data).square().sum()
    data.numpy()[...] = changed.numpy()
    (wrong,) = torch.autograd.grad(loss, [layer.weight])
    assert not torch.allclose(right, wrong)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_are_modules_of_their_functions(name: str) -> None:
    assert hasattr(torch.nn, name)
    assert LOSSES[name] in SAVED

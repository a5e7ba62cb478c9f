"""Generated arguments: tensors and arrays of a dtype and a sign, and how a call is made with them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")

Make = Callable[..., Any]
Arguments = tuple[Any, ...]
Recipe = Callable[[Make], Arguments]

DTYPES = ("float32", "float64", "int64", "int32", "bool", "complex64")


class Options(dict[str, Any]):
    """Keyword arguments of a recipe: its last element, when it has one."""


def split(arguments: Arguments) -> tuple[Arguments, dict[str, Any]]:
    if arguments and isinstance(arguments[-1], Options):
        return arguments[:-1], dict(arguments[-1])
    return arguments, {}


def numbers(shape: tuple[int, ...], dtype: str, sign: int = 1) -> Any:
    """Values in (0, 1), negated by ``sign`` -1; square matrices are symmetric and positive definite."""
    count = int(np.prod(shape)) if shape else 1
    values = (np.arange(count) * 7 % 10 + 1.37) / 15.0
    data = values.reshape(shape)
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        data = (data + np.swapaxes(data, -1, -2)) / 4 + np.eye(shape[-1]) * 0.45
    if dtype == "bool":
        return data > 0.4
    if dtype.startswith("int"):
        return np.asarray(np.ceil(data * 10) * sign).astype(dtype)
    if dtype.startswith("complex"):
        return np.asarray(data * sign + 0.25j * data).astype(dtype)
    return np.asarray(data * sign).astype(dtype)


def tensors(dtype: str, sign: int = 1, grad: bool = False) -> Make:
    def make(*shape: int, of: str = dtype) -> Any:
        made = torch.tensor(numbers(shape, of, sign))
        if grad and (made.is_floating_point() or made.is_complex()):
            return made.requires_grad_().clone()
        return made

    return make


def arrays(dtype: str, sign: int = 1) -> Make:
    def make(*shape: int, of: str = dtype) -> Any:
        return np.array(numbers(shape, of, sign))

    return make


def m(make: Make) -> Any:
    return make(3, 3)


def m_and(make: Make, *rest: Any) -> Arguments:
    """The same, before ``rest``."""
    return (m(make), *rest)


def index(make: Make) -> Any:
    """A (3, 3) matrix of indices, of the library that ``make`` serves."""
    found = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    return torch.tensor(found) if isinstance(make(1), torch.Tensor) else found


def several(*values: int) -> Any:
    return torch.tensor(values)


#: Tried in this order when a name has no recipe of its own; the first that does not raise is used.
GENERIC: tuple[Recipe, ...] = (
    lambda make: (m(make),),
    lambda make: (m(make), m(make)),
    lambda make: (m(make), 0),
    lambda make: (m(make), 0, 1),
    lambda make: (m(make), 1),
    lambda make: (make(3),),
    lambda make: (make(3), make(3)),
    lambda make: (m(make), make(3)),
    lambda make: (m(make), make(3), make(3)),
    lambda make: (m(make), m(make), m(make)),
    lambda make: (make(1, 3, 3),),
    lambda make: (make(1, 3, 3), make(1, 3, 3)),
    lambda make: (m(make), make(1, 3, 3), make(1, 3, 3)),
    lambda make: (make(1, 3, 3), make(1, 3, 3), make(1, 3, 3)),
    lambda make: (make(3), m(make), make(3)),
    lambda make: (m(make), (3, 3)),
    lambda make: (m(make), 0, index(make)),
    lambda make: (m(make), index(make)),
    lambda make: (m(make), (0, 1)),
    lambda make: ([m(make), m(make)],),
    lambda make: (3,),
    lambda make: ((3, 3),),
    lambda make: (make(1, 3, 4, 4), 2),
    lambda make: (make(1, 3, 4, 4, 4), 2),
    lambda make: (),
)

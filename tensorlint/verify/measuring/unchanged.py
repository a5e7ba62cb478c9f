"""Whether it changes anything to hand a NumPy function ``t.detach().cpu().numpy()`` in the place of ``t``.

A function passes when every call that works on tensors gives, on their arrays, a result of the same type, dtype, shape,
strides and values, which lies in the memory of the argument or does not, as the other; and when at least one call
worked. The arguments are plain CPU tensors of several dtypes and shapes, 0-d, empty and transposed ones among them,
in each position where a tensor can stand; the options are those that change dtype, axis or copying.
"""

from __future__ import annotations

import functools
import importlib
import io
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tensorlint.knowledge import numpy_functions as on_tensor
from tensorlint.verify.measuring.handed import MISSING, TENSOR_CALLS, exists
from tensorlint.verify.measuring.observing import is_array, is_tensor, leaves, shares
from tensorlint.verify.measuring.report import NOT_RUN, Checked
from tensorlint.verify.measuring.rows import resolve, tried

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")

DTYPES = ("float32", "float64", "int64", "uint8", "bool")
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (3,), (4,), (2, 2), (2, 3), (3, 3))
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"axis": 0},
    {"axis": -1},
    {"keepdims": True},
    {"dtype": "float32"},
    {"dtype": "float64"},
    {"copy": True},
    {"order": "F"},
)
#: Their result is whatever lay in the memory before.
UNINITIALISED = {"empty_like"}

Call = Callable[..., Any]


def plain_tensors() -> Iterator[Any]:
    for dtype, shape in itertools.product(DTYPES, SHAPES):
        count = int(np.prod(shape))
        values = (np.arange(count) * 7 % 5 + 1).reshape(shape)
        if len(shape) == 2 and shape[0] == shape[1]:
            values = values + values.T + 9 * np.eye(shape[0], dtype=int)  # what can be inverted
        made = torch.tensor(values > 2 if dtype == "bool" else (values / 4 if "float" in dtype else values))
        made = made.to(getattr(torch, dtype))
        yield made
        if len(shape) == 2:
            yield made.t()


def exported(value: Any) -> Any:
    """The arguments of a call, each tensor in them brought to NumPy in the open."""
    if is_tensor(value):
        return value.detach().cpu().numpy()
    return [exported(item) for item in value] if isinstance(value, list) else value


def calls(name: str, tensor: Any, count: int) -> list[Call]:
    """Calls with ``count`` arguments: each is handed the function, and says where the tensor goes."""
    if name in TENSOR_CALLS:
        return [functools.partial(TENSOR_CALLS[name], tensor)]
    places = itertools.product((tensor, exported(tensor)), repeat=count)
    return [functools.partial(_handed, given) for given in places if any(item is tensor for item in given)]


def list_calls(name: str, tensor: Any, count: int) -> list[Call]:
    """The same for lists of tensors."""
    lists = [tensor, tensor], [tensor, exported(tensor)], [tensor]
    if name in TENSOR_CALLS and count == 1:
        return [functools.partial(TENSOR_CALLS[name], given) for given in lists]
    return [functools.partial(_handed, (given,) * count) for given in lists]


def _handed(given: tuple[Any, ...], call: Call) -> Any:
    return call(*given)


def same(left: Any, right: Any, values: bool = True) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, (tuple, list)):
        return len(left) == len(right) and all(same(a, b, values) for a, b in zip(left, right, strict=True))
    if is_array(left):
        if (left.dtype, left.shape) != (right.dtype, right.shape) or (left.size and left.strides != right.strides):
            return False
        if left.dtype == object:
            return all(same(a, b) for a, b in zip(left.flat, right.flat, strict=True))
        return not values or left.tobytes() == right.tobytes() or np.array_equal(left, right, equal_nan=True)
    if isinstance(left, np.generic):
        return bool(left.dtype == right.dtype and (left == right or (left != left and right != right)))
    known = left is None or isinstance(left, (np.dtype, bool, int, float, complex, str))
    return known and bool(left == right or left != left)


def difference(name: str, of_list: bool = False) -> str | None:
    """What changes when the tensors are exported first, or None; of a list of tensors when asked.

    The function is called with as many arguments as it takes to work on some tensor; further ones would be options,
    such as the axis, which are no data.
    """
    function = resolve(np, name)
    make = list_calls if of_list else calls
    for count in (1, 2, 3):
        found = [
            compare(name, function, call, tensor) for tensor in plain_tensors() for call in make(name, tensor, count)
        ]
        if any(found):
            return next(problem for problem in found if problem)
        if None in found:
            return None
    return "no call works"


def compare(name: str, function: Call, call: Call, tensor: Any) -> str | None:
    """What is different; None when nothing is; an empty string when the call does not work on tensors."""
    worked = False
    for options in OPTIONS:
        before, error, written = performed(call, function, options)
        if error is not None:
            continue
        after, refused, then_written = performed(
            call, lambda *given, **more: function(*exported([*given]), **more), options
        )
        worked |= not options
        described = f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}, {options}"
        if refused is not None:
            return f"{described}: the array raises {type(refused).__name__}"
        if not same(before, after, name not in UNINITIALISED) or written != then_written:
            return f"{described}: {before!r:.60} and {after!r:.60}"
        if [shares(item, tensor) for item in leaves(before)] != [shares(item, tensor) for item in leaves(after)]:
            return f"{described}: one shares memory"
    return None if worked else ""


def performed(call: Call, function: Call, options: dict[str, Any]) -> tuple[Any, Exception | None, bytes]:
    """Result, exception and what was written to a file, if one was among the arguments."""
    files: list[io.BytesIO] = []

    def watched(*given: Any, **more: Any) -> Any:
        files.extend(item for item in given if isinstance(item, io.BytesIO))
        return function(*given, **more, **options)

    np.random.seed(0)
    result, error = tried(call, watched)
    return result, error, b"".join(file.getvalue() for file in files)


def check_unchanged() -> Iterator[Checked]:
    """The sets of functions to which an export in the open makes no difference."""
    groups = (on_tensor.EXPORTS_UNCHANGED, "a tensor"), (on_tensor.EXPORTS_OF_LIST_UNCHANGED, "a list of tensors")
    for group, handed in groups:
        for name in sorted(group):
            if not exists(name):
                yield Checked("unchanged", name, handed, "no difference", MISSING, NOT_RUN)
                continue
            found = difference(name, of_list=handed != "a tensor")
            yield Checked.judged("unchanged", name, handed, "no difference", found or "no difference", found is None)

"""Looking at results: what a value is, which memory it lies in, whether it was overwritten."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from tensorlint.knowledge.row import Result

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


def is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def leaves(value: Any) -> Iterator[Any]:
    """The tensors and arrays in a value, tuples and lists opened."""
    if is_tensor(value) or is_array(value):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)


def parts(value: Any) -> list[Any]:
    """The dense tensors a sparse one is made of; any other value itself."""
    if not is_tensor(value) or value.layout is torch.strided:
        return [value]
    if value.layout is torch.sparse_coo:
        return [value._indices(), value._values()]
    if value.layout in {torch.sparse_csr, torch.sparse_bsr}:
        return [value.crow_indices(), value.col_indices(), value.values()]
    if value.layout in {torch.sparse_csc, torch.sparse_bsc}:
        return [value.ccol_indices(), value.row_indices(), value.values()]
    return []


def span(value: Any) -> tuple[int, int] | None:
    """First and last address of the memory a tensor or array lies in; None when there is none."""
    if is_tensor(value):
        if value.is_meta or value.layout is not torch.strided or value.is_nested or value.numel() == 0:
            return None
        storage = value.untyped_storage()
        return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    if is_array(value) and value.size:
        low, high = np.lib.array_utils.byte_bounds(value)
        return int(low), int(high)
    if isinstance(value, bytearray):
        return span(np.frombuffer(value, np.uint8))
    return None


def shares(left: Any, right: Any) -> bool | None:
    """Whether two values lie in one piece of memory; None when one has none to compare."""
    ones = [one for part in parts(left) if (one := span(part)) is not None]
    others = [other for part in parts(right) if (other := span(part)) is not None]
    if not ones or not others:
        return None
    return any(one[0] < other[1] and other[0] < one[1] for one in ones for other in others)


def contents(value: Any) -> bytes | None:
    """The memory of a value, to see whether it is overwritten."""
    if is_tensor(value):
        if value.layout is torch.sparse_coo:
            value = value._values()
        if value.is_meta or value.layout is not torch.strided or value.is_nested or value.dtype == torch.qint8:
            return None
        flat = torch.empty(0, dtype=torch.uint8).set_(value.detach().untyped_storage())
        return bytes(flat.numpy().tobytes())
    if is_array(value):
        return bytes(value.tobytes())
    return None


def dtype_name(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def overlapping(value: Any) -> bool:
    """Whether two elements lie in one cell: more elements than cells between the first and the last."""
    if is_tensor(value):
        if value.layout is not torch.strided or value.is_nested:
            return False
        sizes, strides = tuple(value.shape), tuple(value.stride())
    else:
        sizes, strides = value.shape, tuple(step // value.itemsize for step in value.strides)
    if not value.shape or 0 in sizes:
        return False
    cells = 1 + sum((size - 1) * abs(step) for size, step in zip(sizes, strides, strict=True))
    return bool(np.prod(sizes) > cells)


def kind(value: Any) -> set[Result]:
    """What the value may be called."""
    if value is None:
        return {Result.NONE}
    if is_tensor(value):
        return {Result.TENSOR, Result.SAME, Result.TENSOR_OR_TUPLE}
    if isinstance(value, np.memmap):
        return {Result.ARRAY}
    if is_array(value):
        return {Result.ARRAY, Result.NUMPY_SCALAR, Result.SAMPLE, Result.SAME}
    if isinstance(value, np.generic):
        return {Result.NUMPY_SCALAR, Result.SAMPLE, Result.SCALAR}
    if isinstance(value, (bool, int, float, complex, str)):
        return {Result.SCALAR, Result.SIZE, Result.SAMPLE}
    if isinstance(value, (tuple, list)):
        found = list(leaves(value))
        if found and all(is_tensor(item) for item in found):
            return {Result.TENSOR_TUPLE, Result.TENSOR_LIST, Result.TENSOR_OR_TUPLE}
        if found or any(isinstance(item, np.generic) for item in value):
            return {Result.ARRAY_TUPLE}
        return {Result.SIZE, Result.OTHER}
    if isinstance(value, (torch.dtype, np.dtype)):
        return {Result.DTYPE}
    if isinstance(value, torch.device):
        return {Result.DEVICE}
    return {Result.OTHER}

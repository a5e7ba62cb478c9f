"""A value in words that can be compared: what it is, how it looks, what it holds."""

from __future__ import annotations

import functools
import hashlib
import json
import types
import warnings
from collections.abc import Callable
from typing import Any

_PREVIEW = 8
_DEPTH = 6


def describer(torch: Any, numpy: Any) -> Callable[[Any, int], Any]:
    """A function that turns a value into something JSON can hold and ``==`` can compare."""

    @functools.singledispatch
    def describe(value: Any, depth: int = 0) -> Any:
        attributes = getattr(value, "__dict__", None)
        name = type(value).__name__
        if not isinstance(attributes, dict) or depth > _DEPTH or type(value).__module__ != "__main__":
            return {"type": name}
        return {"type": name, "attributes": {str(key): describe(item, depth + 1) for key, item in attributes.items()}}

    @describe.register(type(None))
    @describe.register(bool)
    @describe.register(int)
    @describe.register(str)
    @describe.register(float)
    @describe.register(complex)
    @describe.register(bytes)
    def _plain(value: Any, depth: int = 0) -> Any:
        return repr(value)

    @describe.register(type)
    @describe.register(types.FunctionType)
    @describe.register(types.BuiltinFunctionType)
    @describe.register(types.ModuleType)
    def _named(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "name": value.__name__}

    @describe.register(list)
    @describe.register(tuple)
    def _sequence(value: Any, depth: int = 0) -> Any:
        if depth > _DEPTH:
            return {"type": type(value).__name__}
        return {"type": type(value).__name__, "items": [describe(item, depth + 1) for item in value]}

    @describe.register(set)
    @describe.register(frozenset)
    def _set(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "items": sorted(json.dumps(describe(item, depth + 1)) for item in value)}

    @describe.register(dict)
    def _mapping(value: Any, depth: int = 0) -> Any:
        if depth > _DEPTH:
            return {"type": type(value).__name__}
        return {
            "type": type(value).__name__,
            "items": {repr(key): describe(item, depth + 1) for key, item in value.items()},
        }

    @describe.register(numpy.generic)
    def _scalar(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "value": repr(value.item())}

    @describe.register(numpy.dtype)
    @describe.register(torch.dtype)
    @describe.register(torch.device)
    def _spelled(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "value": str(value)}

    @describe.register(numpy.ndarray)
    def _array(value: Any, depth: int = 0) -> Any:
        about = {"type": type(value).__name__, "dtype": str(value.dtype), "shape": list(value.shape)}
        if value.dtype.hasobject:
            return {**about, "items": [describe(item, depth + 1) for item in value.reshape(-1)[:64].tolist()]}
        return {**about, "shown": _some(value), "digest": _digest(value.tobytes())}

    @describe.register(torch.Tensor)
    def _tensor(value: Any, depth: int = 0) -> Any:
        about = {
            "type": type(value).__name__,
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "device": value.device.type,
            "requires_grad": value.requires_grad,
        }
        if value.device.type == "meta":
            return about
        dense = value.detach().cpu()
        dense = dense.to_dense() if dense.layout != torch.strided else dense
        dense = dense.dequantize() if dense.is_quantized else dense
        # A copy: memory that was asked for its array cannot be given another size by the program any more.
        dense = dense.resolve_conj().resolve_neg().contiguous().clone()
        data = dense.reshape(-1).view(torch.uint8).numpy().tobytes() if dense.numel() else b""
        return {**about, "shown": _some(dense), "digest": _digest(data)}

    @describe.register(torch.nn.Module)
    def _module(value: Any, depth: int = 0) -> Any:
        held = {**dict(value.named_parameters()), **dict(value.named_buffers())}
        return {"type": type(value).__name__, "held": {name: describe(item, depth + 1) for name, item in held.items()}}

    @describe.register(torch.optim.Optimizer)
    def _optimizer(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "state": describe(value.state_dict(), depth + 1)}

    def safely(value: Any, depth: int = 0) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return describe(value, depth)
        except Exception as error:  # noqa: BLE001  # whatever a program's value does when it is looked at
            return {"type": type(value).__name__, "unreadable": type(error).__name__}

    return safely


def _some(value: Any) -> str:
    flat = value.reshape(-1)
    shown = ", ".join(_short(item) for item in flat[:_PREVIEW].tolist())
    return f"[{shown}, ...]" if flat.shape[0] > _PREVIEW else f"[{shown}]" if value.ndim else shown


def _short(item: Any) -> str:
    return f"{item:.6g}" if type(item) is float else repr(item)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def preview(description: Any) -> str:
    """A description in a few words."""
    if not isinstance(description, dict):
        return str(description)
    if "unreadable" in description:
        return f"a {description['type']} that cannot be read ({description['unreadable']})"
    if "shown" in description or "value" in description:
        return str(description.get("shown", description.get("value")))
    items = description.get("items", description.get("attributes", description.get("held")))
    if items is None:
        return str(description.get("name", f"a {description['type']}"))
    each = items.values() if isinstance(items, dict) else items
    return f"{description['type']}({', '.join(preview(item) for item in list(each)[:_PREVIEW])})"[:200]

"""Which memory a value lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Memory:
    """Which bytes a value lies in, so that two values can be asked whether they share them."""

    def __init__(self, torch: Any, numpy: Any) -> None:
        self._torch = torch
        self._numpy = numpy
        self._bounds = getattr(getattr(numpy.lib, "array_utils", numpy), "byte_bounds", None) or numpy.byte_bounds

    def extent(self, value: Any) -> tuple[int, int] | None:
        """First byte and the one after the last of the storage; None for what has none on this machine's CPU."""
        if isinstance(value, self._torch.Tensor):
            return self._of_tensor(value)
        return self._of_array(value) if isinstance(value, self._numpy.ndarray) else None

    def _of_tensor(self, tensor: Any) -> tuple[int, int] | None:
        if tensor.layout != self._torch.strided:
            return None
        storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()
        start = storage.data_ptr()
        return (start, start + storage.nbytes()) if start and storage.nbytes() else None

    def _of_array(self, array: Any) -> tuple[int, int] | None:
        while isinstance(array.base, self._numpy.ndarray):
            array = array.base
        if isinstance(array.base, self._torch.Tensor):
            return self._of_tensor(array.base)
        start, end = self._bounds(array)
        return (start, end) if end > start else None

    def shared(self, left: Any, right: Any) -> bool:
        one, other = self.extent(left), self.extent(right)
        if one is None or other is None or self._places(left) != self._places(right):
            return False
        return one[0] < other[1] and other[0] < one[1]

    def _places(self, value: Any) -> str:
        return str(value.device) if isinstance(value, self._torch.Tensor) else "cpu"

    def groups(self, leaves: Mapping[str, Any]) -> list[list[str]]:
        """The names that lie in one storage, for each storage with several names."""
        found: list[list[str]] = []
        for name, value in leaves.items():
            for group in found:
                if self.shared(leaves[group[0]], value):
                    group.append(name)
                    break
            else:
                found.append([name])
        return [group for group in found if len(group) > 1]

    def leaves(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """Tensors and arrays that can be reached from module-level names, by path."""
        found: dict[str, Any] = {}
        for name, value in names.items():
            self._visit(found, name, value, 0)
        return found

    def _visit(self, found: dict[str, Any], path: str, value: Any, depth: int) -> None:
        # No function in a function: one that calls itself would hold the arrays until somebody collects garbage, and
        # NumPy gives none another size that is held by others.
        if len(found) >= 200 or depth > 3:
            return
        if isinstance(value, (self._torch.Tensor, self._numpy.ndarray)):
            found[path] = value
        for part, item in self._parts(value):
            self._visit(found, f"{path}{part}", item, depth + 1)

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, (list, tuple)):
            yield from ((f"[{index}]", item) for index, item in enumerate(value[:32]))
        elif isinstance(value, dict):
            yield from ((f"[{key!r}]", item) for key, item in list(value.items())[:32])
        elif isinstance(value, self._torch.nn.Module):
            yield from ((f".{name}", item) for name, item in value.named_parameters())
        elif type(value).__module__ == "__main__":
            yield from ((f".{name}", item) for name, item in list(getattr(value, "__dict__", {}).items())[:32])

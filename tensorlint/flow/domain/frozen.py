"""Frozen dataclasses that are made at the price of others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, **options: Any) -> Any:
        """The same decorator, equality and hash, without the guard at run time: the type checker is that.

        The guard has every field set by a call of ``__setattr__``, which takes longer than all else that making a value
        does, and values are made a hundred thousand times in a megabyte of source.
        """
        return dataclasses.dataclass(cls, unsafe_hash=frozen, **options)


__all__ = ["dataclass"]

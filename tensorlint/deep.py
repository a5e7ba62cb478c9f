"""Room for deep recursion: a thread with a large stack and a recursion limit to match.

Both the parser (native code) and the interpreter recurse along the program they read. The default stack of a thread
is small enough for a real program to overflow it, which ends the process; the memory is only used when needed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_STACK_SIZES = (512 << 20, 64 << 20, 0)
_RECURSION_LIMIT = 50_000


def with_deep_stack(function: Callable[[], _T]) -> _T:
    """The function's result, or its exception, from a thread where it may recurse deeply."""
    results: list[_T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001  # carried over to the caller's thread
            errors.append(error)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        thread = _start(target)
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return results[0]


def _start(target: Callable[[], None]) -> threading.Thread:
    """A running thread with the largest stack to be had; a machine may limit address space."""
    for size in _STACK_SIZES:
        try:
            previous = threading.stack_size(size)
        except ValueError:
            continue
        try:
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
        except RuntimeError:
            if size == 0:
                raise
        else:
            return thread
        finally:
            threading.stack_size(previous)
    raise RuntimeError("no thread could be started")

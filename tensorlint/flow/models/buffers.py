"""Memory that Python's own objects lend to arrays: which of it may be written."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow.call import Call
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.values import PLAIN, Foreign, Scalar, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.knowledge import Access, Row, Share

_WRITABLE = Foreign(framework="buffer")
#: A file that was opened for bytes, and the like of one in memory.
_STREAM = Foreign(framework="binary stream")
_READS = frozenset({"read", "read1", "readline", "getvalue"})


@function("builtins.bytes")
def make_bytes(machine: Machine, path: str, call: Call) -> Value:
    return Scalar(kind="bytes")


@function("builtins.bytearray", "builtins.memoryview", "ctypes.*", "multiprocessing.shared_memory.SharedMemory")
@function(
    *(
        f"{module}.{name}"
        for module in ("multiprocessing", "multiprocessing.sharedctypes", "torch.multiprocessing")
        for name in ("Array", "RawArray")
    )
)
def writable(machine: Machine, path: str, call: Call) -> Value:
    """What is to be written to, as are its parts: ``shared.buf``, ``values.get_obj()``."""
    return _WRITABLE


@function("builtins.open")
def opened(machine: Machine, path: str, call: Call) -> Value:
    plain = [argument.value for argument in call.arguments if not argument.keyword]
    mode = call.keyword("mode") or (plain[1] if len(plain) > 1 else None)
    of_bytes = isinstance(mode, Scalar) and isinstance(mode.literal, str) and "b" in mode.literal
    return _STREAM if of_bytes else PLAIN


@function("io.BytesIO")
def stream(machine: Machine, path: str, call: Call) -> Value:
    return _STREAM


def stream_method(name: str) -> Value:
    """What a file of bytes gives."""
    if name in _READS:
        return Scalar(kind="bytes")
    return _WRITABLE if name == "getbuffer" else _STREAM if name == "__enter__" else PLAIN


def frozen_by(machine: Machine, row: Row, first: Value, node: cst.Call) -> Fact:
    """Whether the array that a call makes lies in memory that is read-only."""
    if row.access is Access.NEVER:
        return Fact(Truth.YES, machine.at(node), "read-only from here on")
    if isinstance(first, Foreign) and first.framework == "PIL" and row.share is Share.MAYBE:
        return Fact(Truth.YES, machine.at(node), "read-only: it looks into the image")
    if row.access is Access.BUFFER:
        if isinstance(first, Scalar) and first.kind == "bytes":
            return Fact(Truth.YES, machine.at(node), "read-only: it looks into a bytes object")
        if isinstance(first, Unknown):
            return Fact(Truth.UNKNOWN, machine.at(node), "read-only where the buffer is a bytes object")
    return NO_FACT

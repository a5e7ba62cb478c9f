"""Devices: whether what a program names, or puts something on, is another than the CPU."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import DeviceValue, Module, Scalar, Symbol, Unknown, Value

CPU_NAMES = ("cpu", "meta")
ACCELERATOR_NAMES = ("cuda", "mps", "xpu", "hpu", "npu", "mtia", "hip", "xla", "privateuseone", "vulkan")
#: Why a tensor on the meta device is not brought back: there is nothing to bring.
NO_DATA = "put on the meta device here, where tensors have no data"


def names_device(value: Scalar) -> bool:
    text = value.literal
    return value.kind == "str" and isinstance(text, str) and text.split(":")[0] in (*CPU_NAMES, *ACCELERATOR_NAMES)


def is_type_of_tensors(path: str) -> bool:
    """Whether it names a legacy type, ``torch.cuda.FloatTensor``, which says what a tensor is of and where it lives."""
    return path.startswith("torch.") and path.endswith("Tensor")


def fact_of_type(value: Value | None) -> Fact | None:
    """Where a type of tensors, or its name, makes them; None of anything else."""
    match value:
        case Symbol(path=path, device=chosen) if is_type_of_tensors(path):
            return Fact(Truth.YES) if ".cuda." in path else chosen
        case Scalar(literal=str(path)) if is_type_of_tensors(path):
            return Fact(Truth.YES) if ".cuda." in path else NO_FACT
        case _:
            return None


def device_fact(value: Value, site: Site | None = None, words: str = "") -> Fact:
    """Whether the device that ``value`` stands for is off the CPU."""
    match value:
        case DeviceValue():
            fact = value.fact
        case Scalar(kind="str", literal=str(text)) if text.split(":")[0] == "cpu":
            return Fact(Truth.NO, site, "brought to the CPU here")
        case Scalar(kind="str", literal=str(text)) if text.split(":")[0] in ACCELERATOR_NAMES:
            fact = Fact(Truth.YES)
        case Scalar(kind="str", literal="meta"):
            return Fact(Truth.YES, site, NO_DATA)
        case Scalar(kind="int"):
            fact = Fact(Truth.YES)
        case Tensor() | Module():
            fact = value.device
        case _:
            fact = fact_of_type(value) or UNKNOWN_FACT
    if site is None:
        return fact
    return replace(fact, site=site, reason=words)


def kinds_of(value: Value) -> frozenset[str]:
    """What a device may be where it is off the CPU; empty where that is not known."""
    match value:
        case DeviceValue(kinds=kinds):
            return kinds
        case Scalar(kind="str", literal=str(text)) if text.split(":")[0] in ACCELERATOR_NAMES:
            return frozenset({text.split(":")[0]})
    return frozenset()


def together(operands: Iterable[Tensor | Unknown], default: Fact = NO_FACT) -> Fact:
    """Where the result of operands lies that have to lie on one device; a number of no dimension may lie anywhere.

    An operand on the CPU is evidence against any other device: torch refuses to mix them, and what comes later is
    not reached.
    """
    operands = tuple(operands)
    found = strongest((operand.device for operand in operands), default)
    held = any(
        (operand.device.truth is Truth.NO or operand.device.was_settled) and not getattr(operand, "zero_dim", False)
        for operand in operands
    )
    return Fact(Truth.UNKNOWN, found.site) if held and found.truth > Truth.UNKNOWN else found

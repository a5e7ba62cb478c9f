"""Layers that are given other weights than those they were made with, which were float32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.dtypes import FLOAT32
from tensorlint.flow.domain.inside import tensor_dtype
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import Module, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame


def note_given(machine: Machine, owner: cst.BaseExpression, given: Value, frame: Frame) -> None:
    """``given`` is bound to an attribute of ``owner``: a layer, or one of its weights, may be float64 from there."""
    if not isinstance(given, (Tensor, Unknown)) or tensor_dtype(given) is FLOAT32:
        return
    # All of them are looked at before any is changed.
    for node, value in [(node, machine.silently(node, frame)) for node in _chain(owner)]:
        if isinstance(value, Module) and value.refuses_double:
            frame.env.change(value, _of_any_float)
            _remember(machine, node, value, frame)
        elif isinstance(value, Tensor) and value.source is Provenance.PARAMETER_OF_MODULE:
            for _, held in list(frame.env.items()):
                if isinstance(held, Module) and held.storages & value.storages:
                    frame.env.change(held, _of_any_float)


def _chain(owner: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """``net.layers[0]``, ``net.layers`` and ``net``."""
    yield owner
    if isinstance(owner, (cst.Attribute, cst.Subscript)):
        yield from _chain(owner.value)


def _remember(machine: Machine, node: cst.BaseExpression, layer: Module, frame: Frame) -> None:
    """Every object of a class may have the layer that one of them keeps."""
    if not machine.learning or not isinstance(node, cst.Attribute):
        return
    keeper = machine.silently(node.value, frame)
    cls = machine.cls(keeper) if isinstance(keeper, Module) else None
    if cls is not None:
        machine.record_attribute(cls, node.attr.value, _of_any_float(layer))


def _of_any_float(value: Value) -> Value:
    return replace(value, refuses_double=False) if isinstance(value, Module) else value

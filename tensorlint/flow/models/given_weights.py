"""Layers that are given other weights than those they were made with, which were float32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.dtypes import FLOAT32
from tensorlint.flow.domain.inside import tensor_dtype
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import Module, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame


def note_given(machine: Machine, owner: cst.BaseExpression, given: Value, frame: Frame) -> None:
    """``given`` is bound to an attribute of ``owner``: a layer, or one of its weights, may be float64 from there."""
    if isinstance(given, Module) or tensor_dtype(given) is FLOAT32:
        return
    for node, value in [(node, machine.silently(node, frame)) for node in _chain(owner)]:
        if isinstance(value, Module) and value.refuses_double:
            frame.env.change(value, _of_any_float)
            _remember(machine, node, value, frame)
        elif isinstance(value, Tensor) and value.source is Provenance.PARAMETER_OF_MODULE:
            for path, held in list(frame.env.items()):
                if isinstance(held, Module) and held.storages & value.storages:
                    frame.env.bindings[path] = _of_any_float(held)


def _chain(owner: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """``net.layers[0]``, ``net.layers`` and ``net``."""
    node = owner
    while True:
        yield node
        if not isinstance(node, (cst.Attribute, cst.Subscript)):
            return
        node = node.value


def _remember(machine: Machine, node: cst.BaseExpression, layer: Module, frame: Frame) -> None:
    """Every object of a class may have the layer that one of them keeps."""
    match node:
        case cst.Attribute(value=keeper, attr=cst.Name(value=name)) if machine.learning:
            held_by = machine.silently(keeper, frame)
            cls = machine.cls(held_by) if isinstance(held_by, Module) else None
            if cls is not None:
                machine.record_attribute(cls, name, _of_any_float(layer))
        case _:
            pass


def _of_any_float(value: Value) -> Value:
    return replace(value, refuses_double=False) if isinstance(value, Module) else value

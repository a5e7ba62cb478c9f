"""Networks that are recorded to run without Python: ``torch.jit.trace`` and ``.script``, ``torch.onnx.export``."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.annotations import value_of
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.details import Tracer, Tracing
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import Dictionary, Function, Module, Scalar, Sequence, Unknown, Value, is_false
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import parameters_of

#: What a scripted network of a class that was seen goes by.
_SCRIPTED = "torch.jit.script"


@function("torch.jit.trace")
def trace(machine: Machine, path: str, call: Call) -> Value | None:
    _record(machine, call, Tracer.TRACE, ("func", "example_inputs"))
    return None


@function("torch.onnx.export")
def to_onnx(machine: Machine, path: str, call: Call) -> Value | None:
    """Since torch 2.9 the exporter reads the code of the network, unless it is told to trace."""
    by_tracing = call.keyword("dynamo")
    if by_tracing is None or is_false(by_tracing):
        _record(machine, call, Tracer.ONNX if by_tracing is None else Tracer.TRACE, ("model", "args"))
    return None


@function("torch.jit.script")
def script(machine: Machine, path: str, call: Call) -> Value | None:
    """What stands for the network it is given."""
    _record(machine, call, Tracer.SCRIPT, ("obj",))
    given = call.first
    if isinstance(given, Module) and given.cls is not None and machine.learning and machine.unit is None:
        machine.lessons.scripted.add(given.cls)
    return replace(given, name=_SCRIPTED) if isinstance(given, Module) and given.cls is not None else given


@function(*(f"torch.{name}" for name in ("jit.is_tracing", "jit.is_scripting", "onnx.is_in_onnx_export")))
def is_recorded(machine: Machine, path: str, call: Call) -> Value:
    if machine.tracing is None:
        return Scalar(kind="bool")
    return Scalar(kind="bool", literal=path.endswith("is_scripting") is machine.tracing.reads_code, known=True)


def _record(machine: Machine, call: Call, tracer: Tracer, names: tuple[str, ...]) -> None:
    """Follow what is recorded, and tell what of it is no tensor on the way."""
    if machine.learning or call.frame.quiet or machine.unit is not None:
        return
    plain = [argument for argument in call.arguments if not argument.keyword and not argument.star]
    given = {**dict(zip(names, plain, strict=False)), **{each.keyword: each for each in call.arguments}}
    network, inputs = given.get(names[0]), given.get(names[-1])
    callee = None if network is None else network.value
    info = _function(machine, callee)
    if network is None or callee is None or info is None or (inputs is None and tracer is not Tracer.SCRIPT):
        return
    # What it leaves behind is not this program's.
    frame = Frame(call.frame.env.copy(), call.frame.function, call.frame.cls, call.frame.self_name, quiet=True)
    spelled = cst.Call(func=network.node)
    machine.tracing = Tracing(tracer, frozenset(machine.lessons.scripted))
    if inputs is None or tracer is Tracer.SCRIPT:
        arguments = _any_tensors(machine, info, frame)
    else:
        arguments = _examples(inputs) or _any_tensors(machine, info, frame)
    machine.call_value(callee, Call(spelled, arguments, frame))
    machine.tracing = None
    for escape in frame.escapes:
        machine.emit(call.frame, events.LeavesTrace, call.node, tracer=tracer, escape=escape)


def _function(machine: Machine, callee: Value | None) -> FunctionInfo | None:
    """What is recorded: the ``forward`` of a network whose class was seen, or a function."""
    match callee:
        case Module(name=name) if name != _SCRIPTED and (cls := machine.cls(callee)) is not None:
            return cls.method("forward")
        case Function(definition=site):
            return machine.function_at(site)
        case _:
            return None


def _examples(inputs: Argument) -> tuple[Argument, ...]:
    """The example as arguments: a tensor, a tuple of them, with a dictionary at its end by keyword; or nothing."""
    match inputs.value:
        case Tensor():
            return (Argument(inputs.node, inputs.value),)
        case Sequence(items=tuple(items)):
            last = items[-1] if items else None
            by_name = last.entries if isinstance(last, Dictionary) else {}
            positional = items[:-1] if isinstance(last, Dictionary) else items
            return (
                *(Argument(inputs.node, value) for value in positional),
                *(Argument(inputs.node, value, keyword=str(name)) for name, value in by_name.items()),
            )
        case _:
            return ()


def _any_tensors(machine: Machine, info: FunctionInfo, frame: Frame) -> tuple[Argument, ...]:
    """A tensor for each parameter that has to be given and is not said to be anything else."""
    required = [each for each in parameters_of(info.node) if each.default is None]
    arguments = []
    for parameter in required[1:] if info.cls is not None else required:
        value: Value = Tensor(sure=not machine.traces_run)
        if parameter.annotation is not None:
            declared = value_of(parameter.annotation.annotation, lambda node: machine.resolve(node, frame))
            value = declared if declared is not None else Unknown(source=Provenance.PARAMETER)
        arguments.append(Argument(parameter.name, value, keyword=parameter.name.value))
    return tuple(arguments)

"""Calls: who is called, with what, and which model says what it means."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import join_all
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    PLAIN,
    UNKNOWN,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Partial,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tensorlint.flow.graphs import waits
from tensorlint.flow.learned import FunctionLesson
from tensorlint.flow.machine import Machine
from tensorlint.flow.models import (  # noqa: F401  # they register models
    builtin_functions,
    data_loading,
    other_libraries,
    torch_creation,
    tracers,
)
from tensorlint.flow.models.arithmetic import beginning
from tensorlint.flow.models.arrays import array_method
from tensorlint.flow.models.buffers import stream_method
from tensorlint.flow.models.containers import dictionary_method, sequence_method
from tensorlint.flow.models.cuts import carried
from tensorlint.flow.models.frames import frame_method
from tensorlint.flow.models.libraries import partial_call, symbol_call
from tensorlint.flow.models.modules import loaded_module, module_call, module_method
from tensorlint.flow.models.objects import construct, own_method
from tensorlint.flow.models.optimizers import optimizer_method
from tensorlint.flow.models.tensors import tensor_method
from tensorlint.flow.models.unknowns import unknown_method
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import REDUCTIONS_RAISE

#: Functions that look at an object, and read no data of it.
_LOOKS = frozenset(f"builtins.{name}" for name in ("len", "isinstance", "type", "id", "hasattr", "callable"))
#: Libraries that wait for an accelerator only where a number is asked for, and what asks how many elements there are.
_NEVER_WAIT = ("torch.", "numpy.", "time.", "random.")
_COUNTED_THERE = frozenset(
    {"nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "equal", "allclose"}
)
_COUNTS = frozenset(f"builtins.{name}" for name in ("range", "enumerate", "zip", "len", "float", "int"))
#: A table of more functions is not gone through.
_MAX_OPTIONS = 8


class Calls(Machine):
    def call(self, node: cst.Call, frame: Frame) -> Value:
        self._note_consumer(node, frame)
        result = self._call(node, frame)
        if waits(node) or (frame.uploads and not self._goes_on(node, frame)):
            self.arrive(frame)
        return result

    def _goes_on(self, node: cst.Call, frame: Frame) -> bool:
        """Whether a call is known to wait for no accelerator, for all that is in it."""
        match self.silently(node.func, frame):
            case Method(receiver=Tensor(), name=name):
                return name not in _COUNTED_THERE
            case Symbol(path=path):
                name = path.rpartition(".")[2]
                return path in _COUNTS or (path.startswith(_NEVER_WAIT) and name not in _COUNTED_THERE)
            case Module() | Method(receiver=Array() | Module() | Optimizer() | Sequence() | Dictionary()):
                return True
            case _:
                return False

    def _call(self, node: cst.Call, frame: Frame) -> Value:
        if isinstance(node.func, cst.Attribute):
            path = dotted_name(node.func)
            bound = self.lookup(path, frame) if path else None
            if bound is None:
                receiver = self.owner_of(node.func, frame)
                arguments = self._arguments(node, frame)
                return self.method(receiver, node.func.attr.value, Call(node, arguments, frame))
            return self.call_value(bound, Call(node, self._arguments(node, frame), frame))
        callee = self.evaluate(node.func, frame)
        if isinstance(callee, Symbol) and callee.path in _LOOKS:
            stale, frame.env.stale = frame.env.stale, {}
            arguments = self._arguments(node, frame)
            frame.env.stale = stale
        else:
            arguments = self._arguments(node, frame)
        call = Call(node, arguments, frame)
        options = self._options(node.func, frame) if isinstance(callee, Unknown) else ()
        return self._any_of(options, call) if options else self.call_value(callee, call)

    def _options(self, func: cst.BaseExpression, frame: Frame) -> tuple[Value, ...]:
        """What ``TABLE[key]`` or ``TABLE.get(key)`` may be for some key; empty where not all of it is seen."""
        match func:
            case (
                cst.Subscript(value=table)
                | cst.Call(func=cst.Attribute(value=table, attr=cst.Name(value="get")), args=[_])
            ):
                held = self.silently(table, frame)
            case _:
                return ()
        options = held.contents if isinstance(held, (Sequence, Dictionary)) else ()
        seen = all(isinstance(each, (Function, ClassObject, Partial, Module)) for each in options)
        return options if seen and 1 < len(options) <= _MAX_OPTIONS else ()

    def _any_of(self, options: tuple[Value, ...], call: Call) -> Value:
        """What a call of one of these returns and does; nothing is said of what only one of them is known to do."""
        frame = call.frame
        quiet, before = frame.quiet, frame.env
        frame.quiet = True
        results, after = [], []
        for option in options:
            frame.env = before.copy()
            results.append(self.call_value(option, call))
            after.append(frame.env)
        frame.quiet = quiet
        frame.env = reduce(lambda one, other: one.joined(other, lambda path: self.lookup(path, frame)), after)
        return join_all(results)

    def _arguments(self, node: cst.Call, frame: Frame) -> tuple[Argument, ...]:
        arguments = tuple(
            Argument(
                argument.value,
                self.evaluate(argument.value, frame),
                argument.keyword.value if argument.keyword is not None else "",
                argument.star,
            )
            for argument in node.args
        )
        if self.learning:
            for argument in arguments:
                if isinstance(argument.value, Function) and argument.value.definition in self.functions:
                    lesson = self.lessons.functions.get(argument.value.definition, FunctionLesson())
                    self.lessons.functions[argument.value.definition] = replace(lesson, handed_on=True)
        return arguments

    def _note_consumer(self, node: cst.Call, frame: Frame) -> None:
        """Remember what stands around a call: ``float(t.numpy())``, ``t.numpy().item()``, ``from_numpy(a).clone()``.

        Of functions of NumPy these are the ones that raise for a tensor, by their path: ``np.any(np.isnan(t))``.
        """
        func = node.func
        if type(func) is cst.Attribute:
            if type(func.value) is cst.Call:
                self.consumers[id(func.value)] = (func.attr.value, node)
            elif func.attr.value in REDUCTIONS_RAISE and len(node.args) == 1 and type(node.args[0].value) is cst.Call:
                owner = frame.env.lookup(dotted_name(func.value))
                if isinstance(owner, Symbol) and owner.path == "numpy":
                    self.consumers[id(node.args[0].value)] = (f"numpy.{func.attr.value}", node)
        elif type(func) is cst.Name and func.value in {"float", "int", "bool"} and len(node.args) == 1:
            inner = node.args[0].value
            if type(inner) is cst.Call:
                self.consumers.setdefault(id(inner), (func.value, node))

    def call_value(
        self,
        callee: Value,
        call: Call,
    ) -> Value:
        match callee:
            case Symbol(path=path, device=chosen):
                made = symbol_call(self, path, call)
                if chosen.truth is not Truth.MAYBE or not isinstance(made, Tensor):
                    return made
                words = "made by a type here that depends on the machine"
                return replace(made, device=replace(chosen, site=self.at(call.node), reason=words))
            case Function(definition=site, receiver=receiver) if (function := self.function_at(site)) is not None:
                with self.enclosed(function, callee.captured):
                    return self.apply(function, receiver, call.arguments, call.frame, call.node)
            case ClassObject(definition=site) if (cls := self.class_at(site)) is not None:
                return construct(self, cls, call)
            case Module():
                return module_call(self, callee, call)
            case Instance():
                cls = self.cls(callee)
                method = None if cls is None else cls.method("__call__") or cls.method("forward")
                if method is not None:
                    return self.apply(method, callee, call.arguments, call.frame, call.node)
                return unknown_result(self, call)
            case Method(receiver=receiver, name=name) if _spells(call.node.func, name):
                return self.method(receiver, name, call)
            case Method(receiver=Tensor() | Array() as receiver, name=name) if isinstance(call.node.func, cst.Call):
                # ``getattr(x, "numpy")()``
                return self.method(receiver, name, call)
            case Partial():
                return partial_call(self, callee, call)
            case Foreign():
                return callee
            case Unknown(source=Provenance.LOAD):
                # What is called after it was loaded is a network that was saved as a whole.
                return module_call(self, loaded_module(self, callee), call)
            case Unknown():
                return unknown_result(self, call, callee=callee)
            case _:
                return unknown_result(self, call)

    def method(
        self,
        receiver: Value,
        name: str,
        call: Call,
    ) -> Value:
        result = self._method(receiver, name, call)
        if isinstance(receiver, (Tensor, Array, Scalar, Unknown)):
            given = (receiver, *(argument.value for argument in call.arguments))
            result = carried(self, result, given, call.node, call.frame, f".{name}()")
            if isinstance(receiver, Tensor) and isinstance(result, Tensor) and result.oid == receiver.oid:
                self._changed_in_place(receiver, result.grad, call.frame)
        if (
            name == "cpu"
            and not call.arguments
            and isinstance(result, Unknown)
            and result.device.truth is Truth.UNKNOWN
        ):
            # Whatever has a method of this name: what it returns was brought home.
            return replace(result, device=Fact(Truth.NO, self.at(call.node), "brought to the CPU here"))
        return result

    @staticmethod
    def _changed_in_place(receiver: Tensor, grad: Fact, frame: Frame) -> None:
        """What is known of the graph of a tensor after an operation in place."""
        if grad.truth is receiver.grad.truth is Truth.NO and grad.site != receiver.grad.site:
            frame.env.change(receiver, lambda held: replace(held, grad=grad) if isinstance(held, Tensor) else held)

    def _is_of_known_kind(self, receiver: Value) -> bool:
        """Whether it is known whose methods an object has."""
        match receiver:
            case Module() | Instance() | ClassObject():
                return self.cls(receiver) is not None
            case Unknown() | Symbol():
                return False
            case _:
                return True

    def _method(
        self,
        receiver: Value,
        name: str,
        call: Call,
    ) -> Value:
        if self.hearing is not None and not call.frame.quiet and not self._is_of_known_kind(receiver):
            self.hearing.named(name, call.frame.env.grad_mode)
        match receiver:
            case Module() | Instance() if (
                isinstance(call.node.func, cst.Attribute)
                and (cls := self.cls(receiver)) is not None
                and (found := cls.method(name)) is not None
                and found.is_property
            ):
                # ``self.net(x)``: what the property gives is called.
                return self.call_value(self.attribute(receiver, name, call.node.func, call.frame), call)
            case Symbol() if name == "detach" and not call.arguments:
                # A tensor that was imported.
                return unknown_method(self, UNKNOWN, name, call)
            case Symbol(path=path):
                return symbol_call(self, f"{path}.{name}", call)
            case Tensor():
                return tensor_method(self, receiver, name, call)
            case Array():
                return array_method(self, receiver, name, call)
            case Unknown():
                return unknown_method(self, receiver, name, call)
            case Module():
                return module_method(self, receiver, name, call)
            case Instance() | ClassObject() if (cls := self.cls(receiver)) is not None:
                return own_method(self, cls, receiver, name, call)
            case Sequence():
                return sequence_method(self, receiver, name, call)
            case Dictionary():
                return dictionary_method(self, receiver, name, call)
            case Optimizer():
                return optimizer_method(self, receiver, name, call)
            case Foreign(framework=framework) if name == "numpy" and framework:
                return Array(storages=self.storage())
            case Foreign(framework="pandas"):
                return frame_method(self, receiver, name, call)
            case Foreign(framework="binary stream"):
                return stream_method(name)
            case Foreign():
                return receiver if receiver.framework else Unknown(source=Provenance.CALL)
            case Scalar(kind="str") if name == "encode":
                return Scalar(kind="bytes")
            case Scalar(kind="str") if name == "format":
                return beginning(receiver, "{")
            case Scalar(kind="bytes"):
                return receiver if name != "decode" else Scalar(kind="str")
            case Scalar(kind="str"):
                return Sequence(element=Scalar(kind="str")) if name in {"split", "splitlines"} else Scalar(kind="str")
            case Scalar() | DeviceValue():
                return PLAIN
            case Function():
                return UNKNOWN
            case _:
                return unknown_result(self, call)


def _spells(func: cst.BaseExpression, method: str) -> bool:
    """Whether a call names the method it calls: not where that was looked up before."""
    return isinstance(func, cst.Attribute) and func.attr.value == method

"""Methods, by the kind of value they are called on."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.calls import Calls
from tensorlint.flow.domain.dtypes import is_integral
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Owner, Storages
from tensorlint.flow.domain.values import (
    NONE,
    PARAMETER_OF_MODULE,
    PLAIN,
    UNKNOWN,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Module,
    Optimizer,
    Origin,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    is_dtype,
    is_none,
)
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.events import Argument
from tensorlint.flow.index import ClassInfo, dotted_name, names_in
from tensorlint.flow.state import Frame
from tensorlint.flow.torch_calls import names_device
from tensorlint.knowledge import (
    ARRAY_METHODS,
    ARRAY_ONLY_METHODS,
    TENSOR_METHODS,
    TENSOR_ONLY_METHODS,
    Access,
    Result,
    Share,
)

_OPTIMIZER_NAME = re.compile(r"(^|_)(opt|optim|optimizer|optimiser|solver|trainer)\w*$|_opt(im)?$", re.IGNORECASE)
_MODEL_NAME = re.compile(r"(model|net|network|module|actor|critic|policy|encoder|decoder)\w*$", re.IGNORECASE)
_DISTRIBUTION_METHODS = frozenset(
    {"sample", "sample_n", "rsample", "log_prob", "entropy", "mean", "stddev", "variance", "cdf", "icdf"}
)
_MOVES = frozenset({"to", "cuda", "cpu", "xpu", "mps", "npu", "hpu"})
_OF_NETWORKS = frozenset({"eval", "train", "zero_grad", "load_state_dict", "named_parameters", "requires_grad_"})
_MODULE_CASTS = frozenset(
    {"half", "float", "double", "bfloat16", "eval", "train", "type", "share_memory", "apply", "compile"}
)


class Methods(Calls):
    def method(
        self, receiver: Value, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        result = self._method(receiver, name, arguments, node, frame)
        if name == "cpu" and not arguments and isinstance(result, Unknown) and result.device.truth is Truth.UNKNOWN:
            # Whatever has a method of this name: what it returns was brought home.
            return replace(result, device=Fact(Truth.NO, self.at(node), "brought to the CPU here"))
        return result

    def _method(
        self, receiver: Value, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        match receiver:
            case Symbol(path=path):
                return self.symbol_call(f"{path}.{name}", arguments, node, frame)
            case Tensor():
                return self._tensor_method(receiver, name, arguments, node, frame)
            case Array():
                return self._array_method(receiver, name, arguments, node, frame)
            case Unknown():
                return self._unknown_method(receiver, name, arguments, node, frame)
            case Module():
                return self._module_method(receiver, name, arguments, node, frame)
            case Instance() | ClassObject() if (cls := self.cls(receiver)) is not None:
                return self._own_method(cls, receiver, name, arguments, node, frame)
            case Sequence():
                return self._sequence_method(receiver, name, arguments, node, frame)
            case Dictionary():
                return self._dictionary_method(receiver, name, arguments, node, frame)
            case Optimizer():
                return self._optimizer_method(receiver, name, arguments, node, frame)
            case Foreign(framework=framework) if name == "numpy" and framework:
                return Array(storages=self.storage())
            case Foreign():
                return receiver if receiver.framework else Unknown(source="call")
            case Scalar(kind="str") if name == "encode":
                return Scalar(kind="bytes")
            case Scalar(kind="bytes"):
                return receiver if name != "decode" else Scalar(kind="str")
            case Scalar(kind="str"):
                return Sequence(element=Scalar(kind="str")) if name in {"split", "splitlines"} else Scalar(kind="str")
            case Scalar() | DeviceValue():
                return PLAIN
            case Function():
                return UNKNOWN
            case _:
                return self.unknown_result(arguments, node, frame)

    def _optimizer_method(
        self, value: Optimizer, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        if name == "step":
            mutation = Mutation(self.at(node), How.UPDATE, "the optimizer updates the parameters in place here")
            self.update_parameters(frame, mutation, value.storages)
        elif name == "zero_grad" and not any(
            argument.keyword == "set_to_none" and _is_false(argument.value) for argument in arguments
        ):
            self.release_gradients(frame)
        elif name == "load_state_dict":
            frame.env.replace(value.oid, lambda held: replace(value, fresh=False))
        elif name == "state_dict" and value.fresh:
            # No state yet, and the groups of parameters are copied.
            return Dictionary(element=UNKNOWN, oid=self.next_serial())
        elif name == "state_dict":
            state = self.storage(Owner.PARAMETER)
            return self._state_of(UNKNOWN, value.storages or state, node)
        return NONE

    def _own_method(
        self, cls: ClassInfo, receiver: Value, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        bound = cls.attribute(name)
        if bound is not None:
            return self.call_value(bound, arguments, node, frame)
        method = cls.method(name)
        if (
            method is None
            and name == "apply"
            and cls.is_autograd_function
            and (forward := cls.method("forward")) is not None
        ):
            context = Argument(node.func, Unknown(tensor=Truth.NO))
            self.apply(forward, None, (context, *arguments), frame, node)
            return self.unknown_result(arguments, node, frame)
        if method is None:
            return self.unknown_result(arguments, node, frame)
        if isinstance(receiver, ClassObject):
            names = {dotted_name(decorator) for decorator in method.decorators}
            if "classmethod" in names:
                return self.apply(method, receiver, arguments, frame, node)
            return self.apply(method, None, arguments, frame, node)
        return self.apply(method, receiver, arguments, frame, node)

    # Tensors.

    def _tensor_method(
        self, value: Tensor, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        assert isinstance(node.func, cst.Attribute)
        if name == "numpy":
            return self.export(value, arguments, node, frame)
        self.emit(frame, events.MethodCall, node, name=name, receiver=node.func.value, value=value, arguments=arguments)
        if name == "to":
            return self._moved(value, arguments, node, frame)
        if name in {"cuda", "xpu", "npu", "hpu", "mps"}:
            device = Fact(Truth.YES, self.at(node), f"moved to the accelerator by `.{name}()` here")
            return replace(
                value,
                device=device,
                storages=self.storage(),
                alias=None,
                frozen=None,
                imported=False,
                oid=self.serial,
            )
        if name == "cpu":
            copied = value.device.truth is Truth.YES
            return replace(
                value,
                device=Fact(Truth.NO, self.at(node), "brought to the CPU here"),
                storages=self.storage() if copied else value.storages,
                alias=None if copied else value.alias,
                frozen=None if copied else value.frozen,
                oid=self.next_serial(),
            )
        if name == "detach":
            return replace(
                value, grad=NO_FACT, alias=self.at(node) if value.storages else value.alias, oid=self.next_serial()
            )
        if name in {"requires_grad_", "detach_"}:
            return self._set_grad(value, name, arguments, node, frame)
        if name == "backward":
            if self.learning and frame.env.grad_mode.site is not None:
                self.differentiated.add(frame.env.grad_mode.site)
            if value.grad.truth is Truth.UNKNOWN:
                self._differentiated(value, node, frame)
            self.update_parameters(
                frame, Mutation(self.at(node), How.BACKWARD, "the backward pass accumulates into the gradients here")
            )
            return NONE
        if name == "item":
            kind = (
                "int"
                if value.dtype.startswith(("int", "uint"))
                else "float"
                if value.dtype.startswith("float")
                else "number"
            )
            return Scalar(kind=kind)
        if name == "tolist":
            return Sequence(element=PLAIN)
        if name == "clone" or (name == "type" and not arguments):
            return replace(
                value,
                grad=self.result_grad(value.grad, frame),
                storages=self.storage(),
                alias=None,
                frozen=None,
                imported=False,
                oid=self.serial,
            )
        row = TENSOR_METHODS.get(name)
        if row is None:
            return self.unknown_result((*arguments, Argument(node.func.value, value)), node, frame)
        result = self.from_row(row, value, arguments, node, frame, words=f"`.{name}()`")
        if row.result is Result.SAME and isinstance(result, Tensor) and result.grad.truth is not value.grad.truth:
            oid, grad = value.oid, result.grad
            frame.env.replace(oid, lambda held: replace(held, grad=grad) if isinstance(held, Tensor) else held)
        return result

    def _differentiated(self, value: Tensor, node: cst.Call, frame: Frame) -> None:
        """``loss.backward()`` only works on what needs a gradient; so whatever computed the loss gave it one."""
        self.set_grad(
            value, Fact(Truth.YES, self.at(node), "`.backward()` is called on it, so it needs a gradient"), frame
        )
        if self.learning and value.origin is not None:
            self.differentiated.add(value.origin.site)

    def export(self, value: Value, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        """``x.numpy()``: the event, and the array that shares the tensor's storage."""
        assert isinstance(node.func, cst.Attribute)
        force = next(
            (argument.value for argument in arguments if argument.keyword == "force" or not argument.keyword), None
        )
        # With a flag that is chosen elsewhere, somebody thought of both cases.
        forced = force is not None and not (_is_false(force) and isinstance(force, Scalar) and force.known)
        consumer, around = self.consumers.get(id(node), ("", None))
        self.emit(
            frame,
            events.Export,
            node,
            receiver=node.func.value,
            value=value,
            forced=forced,
            consumer=consumer,
            consumer_node=around,
        )
        torchs = self.file.numpy_is_torchs and not frame.env.other_framework
        if not (isinstance(value, Tensor) and value.sure) and not torchs:
            return Array(storages=self.storage(node=node), oid=self.serial)  # of what copies, for all that is known
        storages = value.storages if isinstance(value, (Tensor, Unknown)) else NO_STORAGE
        if forced and isinstance(value, Tensor) and value.device.truth is Truth.YES:
            storages = self.storage()
        dtype = value.dtype if isinstance(value, Tensor) else ""
        zero_dim = isinstance(value, Tensor) and value.zero_dim
        return Array(
            dtype=dtype,
            storages=storages,
            alias=self.at(node),
            exported=True,
            of_unknown=isinstance(value, Unknown) and value.tensor is not Truth.YES,
            zero_dim=zero_dim,
            picked=isinstance(value, Tensor) and value.picked,
            oid=self.next_serial(),
        )

    def _moved(self, value: Tensor, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Tensor:
        """``x.to(...)``: a device, a dtype, both, or another tensor whose device and dtype are taken."""
        device, dtype = self._destination(arguments, node)
        if (wanted := {"int64": "int", "int32": "int", "float64": "float64"}.get(dtype)) is not None:
            self.widen(frame, node, value, wanted)
        copied = any(
            argument.keyword == "copy" and isinstance(argument.value, Scalar) and argument.value.literal is True
            for argument in arguments
        )
        moved = device is not None and (
            device.truth is Truth.YES or (value.device.truth is Truth.YES and device.truth is Truth.NO)
        )
        storages = value.storages
        if copied or moved or (dtype and value.dtype and dtype != value.dtype):
            storages = self.storage()
        elif dtype and dtype != value.dtype:
            storages = NO_STORAGE
        # On the machine where it stays on the CPU it is the same memory; no more than that is said of it.
        kept = storages is value.storages and not (device is not None and device.truth is Truth.MAYBE)
        grad = NO_FACT if is_integral(dtype) else self.result_grad(value.grad, frame)
        return replace(
            value,
            device=device if device is not None else value.device,
            dtype=dtype or value.dtype,
            grad=grad,
            storages=storages,
            alias=value.alias if kept else None,
            frozen=value.frozen if kept else None,
            imported=value.imported and kept,
            narrowed=None if is_integral(dtype) else value.narrowed,
            oid=self.next_serial(),
        )

    def _destination(self, arguments: tuple[Argument, ...], node: cst.Call) -> tuple[Fact | None, str]:
        device: Fact | None = None
        dtype = ""
        for position, argument in enumerate(arguments):
            value = argument.value
            if argument.keyword == "dtype" or dtype_name(value) or is_dtype(value):
                # A dtype that cannot be read is still another dtype, as far as memory goes.
                dtype = dtype_name(value) or "?"
            elif argument.keyword in {"device", "torch_device"} or (
                not argument.keyword and not argument.star and position == 0
            ):
                if is_none(value) or (isinstance(value, Unknown) and _names_dtype(argument.node)):
                    dtype = dtype or ("?" if not is_none(value) else "")
                elif isinstance(value, (Tensor, Module)):
                    device = Fact(value.device.truth, self.at(node), "moved to the device of another tensor here")
                    dtype = (value.dtype or "?") if isinstance(value, Tensor) else dtype
                elif isinstance(value, Unknown) and not argument.keyword and not names_device(argument.node):
                    # A dtype, a device or another tensor: whatever it is, it tells nothing.
                    device, dtype = Fact(Truth.UNKNOWN, self.at(node)), "?"
                elif not isinstance(value, Foreign):
                    device = self.moved_to(value, argument.node, node)
        return device, dtype

    def _set_grad(
        self, value: Tensor, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        flag = arguments[0].value if arguments else None
        grad = Fact(Truth.YES, self.at(node), "needs a gradient from here on")
        if name == "detach_" or (isinstance(flag, Scalar) and flag.literal is False):
            grad = NO_FACT
        elif flag is not None and not (isinstance(flag, Scalar) and flag.literal is True):
            grad = Fact(Truth.MAYBE, self.at(node), "may need a gradient from here on")
        self.set_grad(value, grad, frame)
        return replace(value, grad=grad)

    def set_grad(self, value: Value, grad: Fact, frame: Frame) -> None:
        """``requires_grad`` of an object changes under every name that holds it."""
        oid = getattr(value, "oid", 0)
        frame.env.replace(oid, lambda held: replace(held, grad=grad) if isinstance(held, (Tensor, Unknown)) else held)
        if not isinstance(value, Tensor) or value.source != PARAMETER_OF_MODULE:
            return
        # What ``.parameters()`` yields stands for all of them; ``model.weight`` leaves the others as they are.
        every = value.origin is not None
        asked = self.sites.node(value.origin.site) if value.origin is not None else None
        if grad.truth is not Truth.YES and asked is not None:
            self.frozen.add(_owner_name(asked))
        if every or grad.truth is Truth.NO:
            self.set_trainable(value.module, grad.truth if every else Truth.UNKNOWN, frame)
        if grad.truth is Truth.YES and isinstance(asked, cst.Call):
            self._thaw_owners(asked.func, frame)

    def _thaw_owners(self, node: cst.BaseExpression, frame: Frame) -> None:
        """``model.fc.parameters()`` are trained again, so some of a frozen ``model`` is."""
        path = dotted_name(node).rpartition(".")[0]
        while path := path.rpartition(".")[0]:
            held = self.lookup(path, frame)
            if isinstance(held, Module) and held.trainable is not Truth.YES:
                frame.env.replace(held.oid, lambda held: as_trainable(held, Truth.YES))

    # Arrays.

    def _array_method(
        self, value: Array, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        assert isinstance(node.func, cst.Attribute)
        self.emit(frame, events.MethodCall, node, name=name, receiver=node.func.value, value=value, arguments=arguments)
        row = ARRAY_METHODS.get(name)
        if row is None:
            return UNKNOWN
        if 0 in row.writes:
            self.write(frame, node, value, dotted_name(node.func.value), "method")
            return NONE
        if name == "astype":
            return self._cast(value, arguments)
        if name == "setflags" and any(
            argument.keyword == "write" and _is_false(argument.value) for argument in arguments
        ):
            locked = replace(value, read_only=Fact(Truth.YES, self.at(node), "made read-only here"))
            frame.env.replace(value.oid, lambda held: locked)
            return NONE
        match row.result:
            case Result.ARRAY if row.share in {Share.ALWAYS, Share.MAYBE}:
                frozen = (
                    Fact(Truth.YES, self.at(node), "read-only from here on")
                    if row.access is Access.NEVER
                    else value.read_only
                )
                negative = NO_FACT if name in {"ravel", "reshape"} else value.negative_stride
                return replace(value, read_only=frozen, negative_stride=negative, oid=self.next_serial())
            case Result.ARRAY:
                dtype = value.dtype if row.dtype == "keep" else row.dtype if row.dtype == "int64" else ""
                return Array(dtype=dtype, storages=self.storage(), oid=self.serial)
            case Result.NUMPY_SCALAR:
                return self.numpy_number(row, value, arguments, positional_axis=0)
            case Result.SCALAR:
                return Scalar(kind="number")
            case Result.ARRAY_TUPLE:
                return Sequence(kind="tuple", element=Array(dtype="int64"))
            case _:
                return Sequence(element=PLAIN) if name == "tolist" else PLAIN

    def _cast(self, value: Array, arguments: tuple[Argument, ...]) -> Value:
        dtype = next((dtype_name(argument.value) for argument in arguments if argument.keyword in {"", "dtype"}), "")
        if any(
            isinstance(argument.value, Symbol) and argument.value.path == "builtins.float" for argument in arguments
        ):
            dtype = "float64"
        lazy = any(
            argument.keyword == "copy" and isinstance(argument.value, Scalar) and argument.value.literal is False
            for argument in arguments
        )
        if lazy and (not dtype or dtype == value.dtype):
            return replace(value, dtype=dtype, oid=self.next_serial())
        return Array(dtype=dtype, storages=self.storage(), oid=self.serial)

    # Values of unknown kind.

    def _unknown_method(
        self, value: Unknown, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        assert isinstance(node.func, cst.Attribute)
        owner = node.func.value
        if name == "numpy":
            return self.export(value, arguments, node, frame)
        if value.tensor is not Truth.NO and name in TENSOR_ONLY_METHODS and not self.file.foreign:
            tensor = self._recognised(value, owner, frame)
            return self._tensor_method(tensor, name, arguments, node, frame)
        if name in ARRAY_ONLY_METHODS and "pandas" not in self.file.foreign and value.source != "attribute":
            array = Array(storages=value.storages, sure=False, oid=value.oid)
            path = dotted_name(owner)
            if path and path not in frame.env.stale:
                frame.env.bind(path, array)
            return self._array_method(array, name, arguments, node, frame)
        if name in _MOVES:
            return self._unknown_moved(value, name, arguments, node, frame)
        handled = self._unknown_object_method(value, name, arguments, node, frame)
        if handled is not None:
            return handled
        row = TENSOR_METHODS.get(name)
        if row is not None:
            return self._as_if_tensor(value, name, arguments, node, frame)
        result = self.unknown_result(arguments, node, frame, callee=replace(value, storages=NO_STORAGE))
        if isinstance(result, Unknown) and name in {"sample", "mode"} and result.grad.truth is Truth.UNKNOWN:
            result = replace(result, grad=NO_FACT)
        return result

    def _recognised(self, value: Unknown, owner: cst.BaseExpression, frame: Frame) -> Tensor:
        """A method only tensors have was called: from here on the name holds a tensor."""
        tensor = Tensor(
            device=value.device,
            grad=value.grad,
            dtype=value.dtype,
            storages=value.storages,
            source=value.source or "duck",
            origin=value.origin,
            oid=value.oid or self.next_serial(),
        )
        path = dotted_name(owner)
        if path and path not in frame.env.stale and frame.env.lookup(path) is not None:
            frame.env.bind(path, tensor)
        return tensor

    def _as_if_tensor(
        self, value: Unknown, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        """A method that tensors share with other things (``mean``, ``reshape``): what it would do to a tensor."""
        row = TENSOR_METHODS[name]
        if row.result in {Result.SCALAR, Result.SIZE, Result.NONE}:
            return Scalar(kind="number") if row.result is Result.SCALAR else PLAIN
        stand_in = Tensor(
            device=value.device,
            grad=value.grad,
            dtype=value.dtype,
            storages=value.storages,
            sure=False,
            source=value.source,
            origin=value.origin,
        )
        result = self.from_row(row, stand_in, arguments, node, frame, words=f"`.{name}()`")
        return self._unsure(result, value)

    def _unsure(self, result: Value, value: Unknown) -> Value:
        match result:
            case Tensor():
                return Unknown(
                    device=result.device,
                    grad=result.grad,
                    tensor=value.tensor,
                    dtype=result.dtype,
                    source=value.source or "call",
                    origin=result.origin,
                    storages=result.storages & value.storages,
                    oid=result.oid,
                )
            case Sequence(items=items) if items is not None:
                return replace(result, items=tuple(self._unsure(item, value) for item in items))
            case Sequence(element=element) if element is not None:
                return replace(result, element=self._unsure(element, value))
            case _:
                return result

    def _unknown_moved(
        self, value: Unknown, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        dtype = ""
        if name == "to":
            device, dtype = self._destination(arguments, node)
        elif name == "cpu":
            device = Fact(Truth.NO, self.at(node), "brought to the CPU here")
        else:
            device = Fact(Truth.YES, self.at(node), f"moved to the accelerator by `.{name}()` here")
        if device is None:
            if is_integral(dtype):
                value = replace(value, grad=NO_FACT)
            return self._retyped(value, dtype, node, frame)
        if dtype:
            grad = NO_FACT if is_integral(dtype) else value.grad
            value = replace(value, dtype="" if dtype == "?" else dtype, grad=grad)
        if self.bare_call is node:
            # ``model.to(device)`` as a statement moves a module in place (and does nothing to a tensor).
            assert isinstance(node.func, cst.Attribute)
            path = dotted_name(node.func.value)
            if path and _MODEL_NAME.search(path) and path not in frame.env.stale:
                frame.env.bind(path, replace(value, device=device))
        kept = value.storages if device.truth is Truth.NO and value.device.truth is not Truth.YES else NO_STORAGE
        return replace(value, device=device, storages=kept, oid=self.next_serial())

    def _retyped(self, value: Unknown, dtype: str, node: cst.Call, frame: Frame) -> Unknown:
        """A tensor gives a new one; a model called as a statement is cast in place."""
        changed = replace(value, dtype="" if dtype == "?" else dtype, storages=NO_STORAGE)
        assert isinstance(node.func, cst.Attribute)
        path = dotted_name(node.func.value)
        if self.bare_call is node and path and _MODEL_NAME.search(path) and path not in frame.env.stale:
            frame.env.bind(path, changed)
        return changed

    def _unknown_object_method(
        self, value: Unknown, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value | None:
        """Methods of models, optimizers, distributions and containers whose class was not seen."""
        assert isinstance(node.func, cst.Attribute)
        if value.source == "distribution" and name in _DISTRIBUTION_METHODS:
            grad = NO_FACT if name in {"sample", "sample_n"} else self.result_grad(value.grad, frame)
            return Tensor(
                device=value.device,
                grad=grad,
                storages=self.storage(),
                origin=Origin(self.at(node), "drawn here"),
                oid=self.serial,
            )
        owner = _owner_name(node)
        if self.learning and name in _OF_NETWORKS:
            self.networks.add(owner)
        self._note_training(owner, name, node)
        trained = Fact(Truth.MAYBE, self.at(node), "a parameter needs a gradient")
        match name:
            case "step" if _OPTIMIZER_NAME.search(owner) or owner == "scaler":
                self.update_parameters(
                    frame, Mutation(self.at(node), How.UPDATE, "the optimizer updates the parameters in place here")
                )
                return NONE
            case "state_dict" if _OPTIMIZER_NAME.search(owner) and frame.function and frame.function.name == "__init__":
                # Nobody stepped what an object is just made for.
                return Dictionary(element=UNKNOWN, oid=self.next_serial())
            case "state_dict" if _MODEL_NAME.search(owner) or _OPTIMIZER_NAME.search(owner):
                return self._state_dict(value.device, self.storage(Owner.PARAMETER), node)
            case "parameters" | "buffers":
                grad = trained if name == "parameters" else NO_FACT
                return Sequence(kind="generator", element=self._parameter(value, grad, node))
            case "named_parameters" | "named_buffers":
                grad = trained if name == "named_parameters" else NO_FACT
                pair = (Scalar(kind="str"), self._parameter(value, grad, node))
                return Sequence(kind="generator", element=Sequence(kind="tuple", items=pair))
            case "zero_grad":
                self.release_gradients(frame)
                return NONE
            case "append" | "appendleft" | "put" | "add" if arguments:
                last = arguments[-1]
                self.store(frame, node, last.value, "append", owner, value.oid, written=last.node)
                return None
            case "shuffle" if arguments and isinstance(arguments[0].value, Tensor):
                return self._told("random.shuffle", arguments, NONE, node, frame)
            case "item":
                return Scalar(kind="number")
            case "tolist":
                return Sequence(element=PLAIN)
            case "items":
                entry = (PLAIN, self.part_of(value))
                return Sequence(kind="view", element=Sequence(kind="tuple", items=entry))
            case "values":
                return Sequence(kind="view", element=self.part_of(value))
            case "keys":
                return Sequence(kind="view", element=PLAIN)
            case "get" | "pop":
                return self.part_of(value)
            case "requires_grad_" if arguments and _is_false(arguments[0].value):
                self.frozen.add(owner)
                self.set_grad(value, NO_FACT, frame)
                return replace(value, grad=NO_FACT)
            case "requires_grad_":
                self._thaw_owners(node.func, frame)
                return None
            case "eval" | "train":
                return replace(value, storages=NO_STORAGE)
            case "half" | "float" | "double" | "bfloat16":
                return self._retyped(value, {"half": "float16", "double": "float64"}.get(name, name), node, frame)
            case "copy":
                return replace(value, storages=self.storage(), oid=self.serial)
            case "fit" | "learn" | "train_on_batch" | "train_model" | "train_one_epoch" | "train_epoch":
                mutation = Mutation(self.at(node), How.UPDATE, f"`.{name}(...)` trains the model here")
                self.update_parameters(frame, mutation, named=names_in(node))
                return UNKNOWN
            case _:
                return None

    def _parameter(self, owner: Unknown, grad: Fact, node: cst.CSTNode) -> Tensor:
        return Tensor(
            device=owner.device,
            grad=grad,
            storages=self.storage(Owner.PARAMETER),
            source=PARAMETER_OF_MODULE,
            module=owner.oid,
            origin=Origin(self.at(node), "a parameter of the model"),
            oid=self.serial,
        )

    def _note_training(self, owner: str, method: str, node: cst.Call) -> None:
        """What is asked for its parameters has some; so has what goes by its name elsewhere.

        That it is told to ``.train()`` does not say so: what has no parameters is told, too.
        """
        if self.learning and owner and method in {"parameters", "named_parameters"}:
            self.trained.setdefault(owner, self.at(node))

    def _state_dict(self, device: Fact, storages: Storages, node: cst.Call) -> Dictionary:
        self.snapshots = True
        entry = Tensor(device=device, grad=NO_FACT, storages=storages, source="state_dict", alias=self.at(node))
        return self._state_of(entry, storages, node)

    def _state_of(self, entry: Value, storages: Storages, node: cst.Call) -> Dictionary:
        """What ``node`` returned, a ``state_dict()`` call."""
        owner = node.func.value if isinstance(node.func, cst.Attribute) else node.func
        return Dictionary(
            element=entry,
            storages=storages,
            state_dict=True,
            alias=self.at(node),
            asked_of=dotted_name(owner),
            names=names_in(node),
            oid=self.next_serial(),
        )

    # Modules.

    def _module_method(
        self, value: Module, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        if name in _MOVES:
            device: Fact | None = None
            dtype = ""
            if name == "to":
                device, dtype = self._destination(arguments, node)
            elif name == "cpu":
                device = Fact(Truth.NO, self.at(node), "brought to the CPU here")
            else:
                device = Fact(Truth.YES, self.at(node), f"the module is moved to the accelerator by `.{name}()` here")
            moved = replace(value, dtype="" if dtype == "?" else dtype) if dtype else value
            if device is not None:
                moved = replace(moved, device=device)
            frame.env.replace(value.oid, lambda held: moved)
            return moved
        if name in {"half", "float", "double", "bfloat16"}:
            cast = replace(value, dtype={"half": "float16", "double": "float64", "float": "float32"}.get(name, name))
            frame.env.replace(value.oid, lambda held: cast)
            return cast
        if name in _MODULE_CASTS:
            return value
        if name == "requires_grad_":
            flag = arguments[0].value if arguments else None
            frozen = isinstance(flag, Scalar) and flag.literal is False
            changed = replace(value, trainable=Truth.NO if frozen else Truth.YES)
            self.set_trainable(value.oid, changed.trainable, frame)
            return changed
        self._note_training(_owner_name(node), name, node)
        trained = Fact(value.trainable, self.at(node), "a parameter needs a gradient")
        parameter = Tensor(
            device=value.device,
            grad=trained,
            dtype=value.dtype,
            storages=value.storages,
            source=PARAMETER_OF_MODULE,
            of_module=value.oid > 0,
            module=value.oid,
            origin=Origin(self.at(node), "a parameter of the model"),
            oid=self.next_serial(),
        )
        if name in {"parameters", "named_parameters"}:
            element: Value = (
                parameter if name == "parameters" else Sequence(kind="tuple", items=(Scalar(kind="str"), parameter))
            )
            return Sequence(kind="generator", element=element)
        if name in {"buffers", "named_buffers"}:
            held = replace(parameter, grad=NO_FACT)
            return Sequence(
                kind="generator",
                element=held if name == "buffers" else Sequence(kind="tuple", items=(Scalar(kind="str"), held)),
            )
        if name == "state_dict":
            return self._state_dict(value.device, value.storages or self.storage(Owner.PARAMETER), node)
        if name in {"zero_grad", "load_state_dict", "register_buffer", "register_parameter", "add_module"}:
            return self._registered(value, name, arguments, frame)
        if name == "forward":
            return self.call_value(value, arguments, node, frame)
        cls = self.cls(value)
        if cls is not None:
            return self._own_method(cls, value, name, arguments, node, frame)
        return self.unknown_result(arguments, node, frame, callee=Unknown(device=value.device, dtype=value.dtype))

    def _registered(self, value: Module, name: str, arguments: tuple[Argument, ...], frame: Frame) -> Value:
        if (
            name in {"register_buffer", "register_parameter"}
            and len(arguments) >= 2
            and (cls := self.cls(value)) is not None
            and self.learning
        ):
            key = arguments[0].value
            if isinstance(key, Scalar) and isinstance(key.literal, str):
                held = arguments[1].value
                owner = Owner.BUFFER if name == "register_buffer" else Owner.PARAMETER
                if isinstance(held, Tensor):
                    held = replace(held, storages=self.storage(owner))
                self.record_attribute(cls, key.literal, held)
        return NONE

    def record_attribute(self, cls: ClassInfo, name: str, value: Value) -> None:
        raise NotImplementedError

    # Containers.

    def _sequence_method(
        self, value: Sequence, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        first = arguments[0].value if arguments else UNKNOWN
        if name in {"append", "appendleft", "add", "insert", "extend", "put"}:
            added = arguments[-1].value if arguments else UNKNOWN
            if name == "extend":
                added = self.element_of(added, node, frame)
            self.store(
                frame,
                node,
                added,
                "append",
                dotted_name(node.func.value) if isinstance(node.func, cst.Attribute) else "",
                value.born,
                written=arguments[-1].node if arguments and name != "extend" else None,
            )
            contents = any_element(value) if value.items != () else added
            grown = replace(value, items=None, element=join(contents, added))
            if value.items is not None and name == "append" and len(value.items) < 16 and not frame.loops:
                grown = replace(value, items=(*value.items, added))
            frame.env.replace(value.oid, lambda held: grown)
            self._kept_on_self(node, grown, frame)
            return NONE
        if name in {"pop", "popleft"}:
            return any_element(value)
        if name == "copy":
            return replace(value, oid=self.next_serial())
        if name in {"index", "count"}:
            return Scalar(kind="int")
        if name in {"numpy", "cpu", "to", "cuda", "detach"}:
            # Lists have no such methods, so this is something else: a named tuple or a packed sequence.
            return self._unknown_method(Unknown(source="element"), name, arguments, node, frame)
        return first if name == "setdefault" else UNKNOWN

    def _kept_on_self(self, node: cst.Call, grown: Value, frame: Frame) -> None:
        """``self.items.append(x)``: what the class knows of the attribute grows too."""
        assert isinstance(node.func, cst.Attribute)
        head, _, attribute = dotted_name(node.func.value).partition(".")
        if self.learning and frame.cls is not None and frame.self_name and head == frame.self_name and attribute:
            self.record_attribute(frame.cls, attribute, grown)

    def _dictionary_method(
        self, value: Dictionary, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        key = arguments[0].value if arguments else UNKNOWN
        entry = value.element if value.element is not None else UNKNOWN
        if isinstance(key, Scalar) and key.known and key.literal in value.entries:
            entry = value.entries[key.literal]
        match name:
            case "values":
                return Sequence(kind="view", element=any_element(value))
            case "items":
                return Sequence(
                    kind="view", element=Sequence(kind="tuple", items=(Scalar(kind="str"), any_element(value)))
                )
            case "keys":
                return Sequence(kind="view", element=Scalar(kind="str"))
            case "get" | "pop" | "setdefault":
                return entry
            case "copy":
                return replace(value, oid=self.next_serial())
            case "update":
                added = any_element(key) if isinstance(key, Dictionary) else UNKNOWN
                grown = replace(value, element=join(value.element, added) if value.element is not None else added)
                frame.env.replace(value.oid, lambda held: grown)
                return NONE
            case _:
                return UNKNOWN


def _is_false(value: Value) -> bool:
    return isinstance(value, Scalar) and value.literal is False


def _owner_name(node: cst.CSTNode) -> str:
    """``model`` of the call ``self.model.parameters()``."""
    owner = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None
    return dotted_name(owner).split(".")[-1] if owner is not None else ""


def _names_dtype(node: cst.BaseExpression) -> bool:
    last = dotted_name(node).split(".")[-1].lower()
    return "dtype" in last or last.endswith("type")

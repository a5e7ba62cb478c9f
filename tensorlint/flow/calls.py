"""Calls: who is called, with what, and what comes of it. Methods of values live in ``methods``."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.events import Argument
from tensorlint.flow.guards import Guards
from tensorlint.flow.index import ClassInfo, FunctionInfo, dotted_name
from tensorlint.flow.state import GRAD_OFF, Frame, Mutation
from tensorlint.flow.values import (
    NO_FACT,
    NO_STORAGE,
    NONE,
    PLAIN,
    UNKNOWN,
    UNKNOWN_FACT,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Fact,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Origin,
    Owner,
    Scalar,
    Sequence,
    Storages,
    Symbol,
    Tensor,
    Truth,
    Unknown,
    Value,
    device_fact,
    is_none,
    join_all,
    leaves,
    strongest,
)
from tensorlint.knowledge import (
    FOREIGN_FRAMEWORKS,
    IN_PLACE_METHODS,
    NUMPY_FUNCTIONS,
    TORCH_FUNCTIONS,
    Access,
    Device,
    Grad,
    Result,
    Row,
    Share,
)
from tensorlint.knowledge.numpy_functions import EXPORTS_TO_TENSOR
from tensorlint.knowledge.row import DTYPES

#: Callables named like this return what a network computes.
MODEL_NAME = re.compile(
    r"(^|_)(act|cri|dqn|q_?net)$|(model|net|network|encoder|decoder|actor|critic|policy|generator|discriminator|backbone|classifier|unet|vae|criterion"
    r"|loss_fn|loss_func|embedder|netG|netD|estimator)(_?\d*)$",
    re.IGNORECASE,
)
#: Methods of models that by custom work under ``no_grad``, or return no tensors.
WITHOUT_GRAPH = re.compile(
    r"generate|predict|action|encode|decode|sample|infer|transcribe|tokenize|load|save|to_|config", re.IGNORECASE
)
#: Functions named like this train the model they are given.
TRAINER_NAME = re.compile(r"(^|_)(train|fit|finetune|fine_tune|learn)($|_)|^optimi[sz]e$", re.IGNORECASE)
#: Modules of ``torch.nn`` without parameters; losses and activations are recognised by their names.
_STATELESS = re.compile(
    r"(Loss|ReLU\d?|Softmax\d?d?|Sigmoid|Tanh|GELU|SiLU|ELU|Dropout\w*|Pool\dd|Flatten|Identity|Upsample\w*|Pad\dd|Hard\w+)$"
)
_RETURNS_TUPLE = frozenset(
    {"torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN", "torch.nn.MultiheadAttention", "torch.nn.LSTMCell"}
)
_IDENTITY_CALLS = frozenset(
    {"torch.compile", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.jit.script"}
)
_CONTEXTS = frozenset({"no_grad", "inference_mode", "enable_grad", "set_grad_enabled"})
_LEGACY_DTYPE = re.compile(
    r"^(Tensor|FloatTensor|DoubleTensor|HalfTensor|LongTensor|IntTensor|ShortTensor|CharTensor|ByteTensor|BoolTensor)$"
)


class Calls(Guards):
    def _call(self, node: cst.Call, frame: Frame) -> Value:
        self._note_consumer(node)
        if isinstance(node.func, cst.Attribute):
            path = dotted_name(node.func)
            bound = self.lookup(path, frame) if path else None
            if bound is None:
                receiver = self._receiver(node.func, frame)
                arguments = self._arguments(node, frame)
                return self.method(receiver, node.func.attr.value, arguments, node, frame)
            return self.call_value(bound, self._arguments(node, frame), node, frame)
        callee = self.evaluate(node.func, frame)
        return self.call_value(callee, self._arguments(node, frame), node, frame)

    def _receiver(self, func: cst.Attribute, frame: Frame) -> Value:
        """The object a method is called on. ``d.keys()`` reads no tensor of ``d``."""
        if func.attr.value != "keys":
            return self.evaluate(func.value, frame)
        stale, frame.env.stale = frame.env.stale, {}
        receiver = self.evaluate(func.value, frame)
        frame.env.stale = stale
        return receiver

    def _arguments(self, node: cst.Call, frame: Frame) -> tuple[Argument, ...]:
        return tuple(
            Argument(
                argument.value,
                self.evaluate(argument.value, frame),
                argument.keyword.value if argument.keyword is not None else "",
                argument.star,
            )
            for argument in node.args
        )

    def _note_consumer(self, node: cst.Call) -> None:
        """Remember what stands around a call: ``float(t.numpy())``, ``t.numpy().item()``, ``from_numpy(a).clone()``."""
        func = node.func
        if type(func) is cst.Attribute:
            if type(func.value) is cst.Call:
                self.consumers[id(func.value)] = (func.attr.value, node)
        elif type(func) is cst.Name and func.value in {"float", "int", "bool"} and len(node.args) == 1:
            inner = node.args[0].value
            if type(inner) is cst.Call:
                self.consumers.setdefault(id(inner), (func.value, node))

    def call_value(self, callee: Value, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        match callee:
            case Symbol(path=path):
                return self.symbol_call(path, arguments, node, frame)
            case Function(info=info, receiver=receiver):
                return self.apply(info, receiver, arguments, frame, node)
            case ClassObject(info=info):
                return self._construct(info, arguments, node, frame)
            case Module():
                return self._module_call(callee, arguments, node, frame)
            case Instance(cls=cls):
                method = cls.method("__call__") or cls.method("forward")
                return (
                    self.apply(method, callee, arguments, frame, node)
                    if method is not None
                    else self.unknown_result(arguments, node, frame)
                )
            case Method(receiver=receiver, name=name):
                return self.method(receiver, name, arguments, node, frame)
            case Foreign():
                return callee
            case Unknown():
                return self.unknown_result(arguments, node, frame, callee=callee)
            case _:
                return self.unknown_result(arguments, node, frame)

    # Unseen code.

    def unknown_result(
        self, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame, *, callee: Unknown | None = None
    ) -> Value:
        """What a function that was not seen returns: its tensors stay where its arguments are."""
        name = dotted_name(node.func).split(".")[-1]
        if not name and isinstance(node.func, (cst.Attribute, cst.Subscript)):
            name = (
                node.func.attr.value
                if isinstance(node.func, cst.Attribute)
                else dotted_name(node.func.value).split(".")[-1]
            )
        inputs = [leaf for argument in arguments for leaf in leaves(argument.value)]
        for leaf in inputs:
            self.hand_on(frame, node, leaf)
        operands = [value for value in inputs if isinstance(value, (Tensor, Unknown))]
        if TRAINER_NAME.search(name) and any(self._is_model(argument, frame) for argument in arguments):
            self.update_parameters(frame, Mutation(node, "update", f"`{name}(...)` trains the model here"))
        devices = [
            value.device for value in operands if isinstance(value, Tensor) or value.device.truth > Truth.UNKNOWN
        ]
        if callee is not None and callee.device.truth is not Truth.UNKNOWN:
            devices.append(callee.device)
        told = self._requested_device(arguments, node)
        device = (told if told is not None else strongest(devices, UNKNOWN_FACT)).weakened()
        grad = UNKNOWN_FACT
        if arguments and (MODEL_NAME.search(name) or self._computes(name, node, operands)):
            inherited = strongest((value.grad for value in operands), UNKNOWN_FACT).weakened()
            by_name = Fact(Truth.MAYBE, node, "the output of a model needs a gradient")
            grad = inherited if inherited.truth > Truth.UNKNOWN else by_name
        return Unknown(
            device=device,
            grad=self.result_grad(grad, frame),
            source="call",
            origin=Origin(node, "computed here"),
            oid=self.next_serial(),
        )

    @staticmethod
    def _computes(name: str, node: cst.Call, operands: list[Tensor | Unknown]) -> bool:
        """Whether this is a method of a model, given a tensor, that is not known to work without a graph."""
        if not isinstance(node.func, cst.Attribute) or not any(isinstance(value, Tensor) for value in operands):
            return False
        owner = dotted_name(node.func.value).split(".")[-1]
        return bool(MODEL_NAME.search(owner)) and not WITHOUT_GRAPH.search(name)

    @staticmethod
    def _is_model(argument: Argument, frame: Frame) -> bool:
        if isinstance(argument.value, (Module, Optimizer)):
            return True
        name = dotted_name(argument.node).split(".")[-1]
        return isinstance(argument.value, Unknown) and bool(
            re.search(r"model|net|optim|agent|policy", name, re.IGNORECASE)
        )

    # Symbols.

    def symbol_call(self, path: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        top, _, rest = path.partition(".")
        if top == "torch":
            return self._torch_call(rest, arguments, node, frame)
        if top == "numpy":
            return self._numpy_call(rest, arguments, node, frame)
        if top == "builtins":
            return self._builtin_call(rest, arguments, node, frame)
        if top in FOREIGN_FRAMEWORKS:
            return Foreign(framework=top)
        if path == "random.shuffle":
            self.emit(frame, events.NumpyCall, node, name="stdlib:random.shuffle", arguments=arguments, result=NONE)
            return NONE
        if path in {"random.Random", "random.SystemRandom"}:
            return Symbol(path="random")
        if path == "copy.deepcopy":
            return self._owned(arguments[0].value) if arguments else UNKNOWN
        if path == "copy.copy" and arguments:
            return arguments[0].value
        if path in {"einops.rearrange", "einops.repeat", "einops.reduce", "einops.pack"} and arguments:
            value = arguments[0].value
            return replace(value, oid=self.next_serial()) if isinstance(value, (Tensor, Array, Unknown)) else UNKNOWN
        if path.startswith("torchvision.models.") or (path.endswith(".from_pretrained") and "okenizer" not in path):
            return Module(name=path, storages=self.storage(Owner.PARAMETER), oid=self.next_serial())
        if path.startswith(("torchvision.", "torchaudio.")) and path.split(".")[-1] in {
            "to_tensor",
            "pil_to_tensor",
            "read_image",
        }:
            return Tensor(device=NO_FACT, grad=NO_FACT, storages=self.storage(), source="decoded image")
        if path.endswith(".DataLoader") or path.split(".")[-1] == "DataLoader":
            return Sequence(kind="loader")
        if path.split(".")[-1] in {"tqdm", "trange", "track", "progress_bar"} and arguments:
            return arguments[0].value
        if top == "PIL":
            return Foreign(framework="PIL")
        if path == "collections.deque":
            return Sequence(kind="list", items=(), born=self.next_serial(), oid=self.serial)
        if top in {"os", "sys", "time", "math", "re", "logging", "pathlib", "random"}:
            return PLAIN
        if top == "cv2":
            return Unknown(tensor=Truth.NO, source="call")
        if top == "contextlib" and rest == "nullcontext":
            return Foreign()
        tensors_of = next((argument.value for argument in arguments if argument.keyword == "return_tensors"), None)
        if isinstance(tensors_of, Scalar) and tensors_of.literal in {"tf", "np", "jax"}:
            return Foreign(framework=str(tensors_of.literal))
        return self.unknown_result(arguments, node, frame)

    def _owned(self, value: Value) -> Value:
        """A deep copy: everything equal, nothing shared."""
        match value:
            case Tensor() | Array():
                return replace(value, storages=self.storage(), alias=None, oid=self.serial)
            case Unknown():
                return replace(value, storages=self.storage(), oid=self.serial)
            case Dictionary():
                owned = {key: self._owned(item) for key, item in value.entries.items()}
                element = self._owned(value.element) if value.element is not None else None
                return replace(
                    value,
                    entries=owned,
                    element=element,
                    storages=NO_STORAGE,
                    state_dict=False,
                    alias=None,
                    oid=self.next_serial(),
                )
            case Sequence():
                items = tuple(map(self._owned, value.items)) if value.items is not None else None
                element = self._owned(value.element) if value.element is not None else None
                return replace(value, items=items, element=element, oid=self.next_serial())
            case Module():
                return replace(value, storages=self.storage(Owner.PARAMETER), oid=self.serial)
            case _:
                return value

    # Classes of this file, modules.

    def _construct(self, info: ClassInfo, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        info.constructed = True
        initializer = info.method("__init__")
        made = self.self_value(info)
        if isinstance(made, Module):
            made = replace(made, device=NO_FACT, oid=self.next_serial())
        elif isinstance(made, Instance):
            made = replace(made, oid=self.next_serial())
        if initializer is not None and self.learning:
            self.record_call(initializer, arguments, frame, bound=True)
        if info.is_autograd_function or any(base.split(".")[0] in FOREIGN_FRAMEWORKS for base in info.all_bases()):
            return Foreign(framework="class")
        return made

    def _module_call(self, module: Module, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        trained = Fact(module.trainable, node, "the output of a model with parameters needs a gradient")
        if module.cls is not None:
            forward = module.cls.method("forward") or module.cls.method("__call__")
            if forward is not None:
                result = self.apply(forward, module, arguments, frame, node)
                return self._on_module_device(result, module)
        inputs = [
            leaf for argument in arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
        ]
        devices = [value.device for value in inputs]
        device = module.device if module.device.truth > Truth.UNKNOWN else strongest([module.device, *devices])
        if module.device.truth is Truth.NO:
            device = strongest(devices, NO_FACT)
            device = device if device.truth > Truth.UNKNOWN else NO_FACT
        grad = self.result_grad(strongest([trained, *(value.grad for value in inputs)]), frame)
        if not module.name.startswith("torch.nn."):
            return Unknown(
                device=device,
                grad=grad.weakened(),
                source="model",
                origin=Origin(node, "the output of a model"),
                oid=self.next_serial(),
            )
        output = Tensor(
            device=device,
            grad=grad,
            storages=self.storage(born_as="tensor"),
            source="model",
            origin=Origin(node, "the output of a model"),
            oid=self.serial,
        )
        if module.name in _RETURNS_TUPLE:
            return Sequence(kind="tuple", items=(output, Unknown(device=device, grad=grad)))
        return output

    @staticmethod
    def _on_module_device(result: Value, module: Module) -> Value:
        """What ``forward`` could not know: where the module itself was put."""
        if (
            isinstance(result, (Tensor, Unknown))
            and result.device.truth is Truth.UNKNOWN
            and module.device.truth is not Truth.UNKNOWN
        ):
            return replace(result, device=module.device)
        return result

    # torch.

    def _torch_call(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        result = self._torch_result(name, arguments, node, frame)
        consumer, _ = self.consumers.get(id(node), ("", None))
        self.emit(frame, events.TorchCall, node, name=name, arguments=arguments, result=result, consumer=consumer)
        return result

    def _torch_result(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        first = arguments[0].value if arguments and not arguments[0].keyword else None
        last = name.split(".")[-1]
        if last in _CONTEXTS:
            return self._grad_context(last, first, node, frame)
        if name == "device":
            chosen = first if first is not None else _keyword(arguments, "type") or UNKNOWN
            return chosen if isinstance(chosen, DeviceValue) else DeviceValue(fact=device_fact(chosen))
        if name in {"set_default_device", "set_default_tensor_type"}:
            self.default_device = UNKNOWN_FACT
            return NONE
        if f"torch.{name}" in _IDENTITY_CALLS and first is not None:
            return first
        if name.startswith("optim.") and "lr_scheduler" not in name:
            return Optimizer(storages=_parameters_known(first), oid=self.next_serial())
        if name.startswith(("optim.", "distributions.", "profiler.", "multiprocessing.", "distributed.")):
            sampler = name.startswith("distributions.")
            inputs = [
                leaf for argument in arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
            ]
            device = strongest((value.device for value in inputs), UNKNOWN_FACT)
            grad = strongest((value.grad for value in inputs), UNKNOWN_FACT)
            return Unknown(device=device, grad=grad, source="distribution") if sampler else Foreign(framework="torch")
        if name == "utils.data.DataLoader" or last == "DataLoader":
            return Sequence(kind="loader")
        if name.startswith("jit.load") or name == "hub.load":
            return Module(
                name=f"torch.{name}",
                device=self._map_location(arguments, node),
                storages=self.storage(Owner.PARAMETER),
                oid=self.next_serial(),
            )
        if name == "load":
            return Unknown(device=self._map_location(arguments, node), source="load", oid=self.next_serial())
        row = TORCH_FUNCTIONS.get(name) or TORCH_FUNCTIONS.get(name.removeprefix("functional."))
        if row is None and name.startswith("nn.") and last[:1].isupper():
            trainable = Truth.NO if _STATELESS.search(last) else Truth.YES
            if last == "Sequential" and arguments:
                trainable = max(
                    argument.value.trainable if isinstance(argument.value, Module) else Truth.UNKNOWN
                    for argument in arguments
                )
            return Module(
                name=f"torch.{name}",
                device=self._requested_device(arguments, node) or self.default_device,
                trainable=trainable,
                storages=self.storage(Owner.PARAMETER),
                oid=self.serial,
            )
        if row is None:
            return self.unknown_result(arguments, node, frame)
        if name in {
            "from_numpy",
            "as_tensor",
            "asarray",
            "tensor",
            "frombuffer",
            "autograd.Variable",
        } or _LEGACY_DTYPE.match(last):
            return self._import(name, row, arguments, node, frame)
        return self.from_row(row, None, arguments, node, frame, words=f"`torch.{name}`")

    def _grad_context(self, name: str, first: Value | None, node: cst.Call, frame: Frame) -> Value:
        if name == "set_grad_enabled" or (name == "inference_mode" and first is not None):
            flag = first.literal if isinstance(first, Scalar) else None
            switched = (
                {True: "enable_grad", False: "no_grad"}.get(flag, "maybe_grad")
                if isinstance(flag, bool)
                else "maybe_grad"
            )
            if name == "inference_mode":
                switched = {"enable_grad": "no_grad", "no_grad": "enable_grad"}.get(switched, switched)
            if self.bare_call is node:
                frame.env.grad_mode = {"no_grad": GRAD_OFF, "enable_grad": Fact(Truth.YES)}.get(
                    switched, Fact(Truth.UNKNOWN)
                )
            return Symbol(path=f"torch.{switched}()")
        # ``with torch.no_grad:`` and ``@torch.no_grad`` never call it; ``torch.no_grad()(f)`` returns f.
        return Symbol(path=f"torch.{'enable_grad' if name == 'enable_grad' else 'no_grad'}()")

    def _map_location(self, arguments: tuple[Argument, ...], node: cst.Call) -> Fact:
        location = _keyword(arguments, "map_location")
        if location is None and len(arguments) > 1 and not arguments[1].keyword:
            location = arguments[1].value
        if location is None or is_none(location):
            return UNKNOWN_FACT
        fact = device_fact(location)
        return fact if fact.truth is Truth.NO else Fact(Truth.MAYBE, node, "loaded onto that device here")

    def _requested_device(self, arguments: tuple[Argument, ...], node: cst.CSTNode) -> Fact | None:
        """What ``device=`` asks for; None when it is not given."""
        argument = next((argument for argument in arguments if argument.keyword == "device"), None)
        if argument is None or is_none(argument.value):
            return None
        return self.moved_to(argument.value, argument.node, node)

    def moved_to(self, value: Value, spelled: cst.BaseExpression, node: cst.CSTNode) -> Fact:
        """Off the CPU, after being put on the device ``value``. A device that is not known was meant to matter."""
        fact = device_fact(value)
        words = _spell(spelled)
        if fact.truth is Truth.UNKNOWN and "cpu" in words.lower():
            return Fact(Truth.NO, node, "on the CPU here")
        if fact.truth is Truth.UNKNOWN:
            return Fact(Truth.MAYBE, node, f"put on `{words}` here")
        if fact.truth is Truth.NO:
            return Fact(Truth.NO, node, "on the CPU here")
        return replace(fact, node=node, reason=f"put on `{words}` here")

    def _import(self, name: str, row: Row, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        """An array, list, number or tensor becomes a tensor."""
        data = next(
            (argument.value for argument in arguments if not argument.keyword or argument.keyword == "data"), UNKNOWN
        )
        requested = self._requested_device(arguments, node)
        fallback = NO_FACT if row.device is Device.CPU else self.default_device
        dtype = _dtype_argument(arguments) or ("" if row.dtype in {"keep", "argument"} else row.dtype)
        source_dtype = data.dtype if isinstance(data, (Array, Tensor)) else ""
        shares = row.share is Share.ALWAYS or (
            row.share is Share.MAYBE
            and isinstance(data, (Array, Tensor, Unknown))
            and (not dtype or dtype == source_dtype)
        )
        moved = requested is not None and requested.truth is not Truth.NO
        if moved and requested is not None and requested.truth is Truth.MAYBE and isinstance(data, Array):
            shares = False
        asked = _keyword(arguments, "requires_grad")
        grad = (
            Fact(Truth.YES, node, "created with `requires_grad=True` here")
            if isinstance(asked, Scalar) and asked.literal is True
            else NO_FACT
        )
        if name == "autograd.Variable" and isinstance(data, (Tensor, Unknown)):
            return replace(data, grad=grad if grad.truth is Truth.YES else data.grad, oid=self.next_serial())
        if isinstance(data, Tensor):
            fallback = data.device if row.device is not Device.CPU else NO_FACT
            if name not in {"tensor"} and grad.truth is Truth.NO:
                grad = data.grad
        elif isinstance(data, Unknown) and name in {"as_tensor", "asarray"}:
            # What is passed on may have been a tensor already.
            fallback = data.device if data.device.truth > Truth.UNKNOWN else NO_FACT
            grad = data.grad if data.grad.truth > Truth.UNKNOWN else NO_FACT
        if (copy := _keyword(arguments, "copy")) is not None and isinstance(copy, Scalar) and copy.literal is True:
            shares = False
        storages = (
            data.storages
            if shares and isinstance(data, (Array, Tensor, Unknown))
            else self.storage(born_as="tensor", node=node)
        )
        read_only = shares and isinstance(data, Array) and data.read_only.truth > Truth.UNKNOWN
        return Tensor(
            device=requested if requested is not None else fallback,
            grad=grad,
            dtype=dtype or source_dtype or _dtype_of_data(data),
            storages=storages,
            origin=Origin(node, "made here"),
            imported=shares and isinstance(data, (Array, Unknown)) and not read_only,
            alias=node if shares and isinstance(data, (Array, Unknown)) else None,
            frozen=node
            if read_only or (name == "frombuffer" and isinstance(data, Scalar) and data.kind == "bytes")
            else None,
            sliced=isinstance(data, Array) and data.sliced,
            picked=isinstance(data, Array) and data.picked,
            zero_dim=isinstance(data, Scalar),
            unset=node if _LEGACY_DTYPE.match(name) and _is_size(arguments) else None,
            oid=self.next_serial(),
        )

    def from_row(
        self,
        row: Row,
        receiver: Tensor | None,
        arguments: tuple[Argument, ...],
        node: cst.Call,
        frame: Frame,
        *,
        words: str,
    ) -> Value:
        """The result of a function or method as its row in ``knowledge`` describes it."""
        operands = [receiver] if receiver is not None else []
        unknown: list[Unknown] = []
        for argument in arguments:
            for leaf in leaves(argument.value) if argument.keyword != "out" else ():
                if isinstance(leaf, Tensor):
                    operands.append(leaf)
                elif isinstance(leaf, Unknown):
                    unknown.append(leaf)
        if row.result is not Result.SAME and "Parameter" not in words and "Buffer" not in words:
            for operand in operands:
                self.use(frame, node, operand)
        source = operands[row.source] if 0 <= row.source < len(operands) else None
        for position in row.writes:
            self._write_operand(position, receiver, arguments, node, frame)
        self._write_out(row, arguments, node, frame)
        inplace = _keyword(arguments, "inplace")
        if row.inplace and isinstance(inplace, Scalar) and inplace.literal is True and arguments:
            self._write_operand(0, receiver, arguments, node, frame)
        if row.result in {Result.SCALAR, Result.NUMPY_SCALAR}:
            return Scalar(kind="number")
        if row.result in {Result.SIZE, Result.DTYPE, Result.NONE, Result.OTHER}:
            return PLAIN
        result = Tensor(
            device=self._row_device(row, operands, unknown, arguments, node),
            grad=self._row_grad(row, operands, unknown, arguments, node, frame),
            dtype=self._row_dtype(row, source, arguments),
            storages=self._row_storages(row, source, arguments),
            sure=receiver.sure if receiver is not None else True,
            source=source.source if source is not None else (unknown[0].source if unknown else ""),
            origin=source.origin if source is not None else Origin(node, f"made by {words} here"),
            alias=source.alias if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else None,
            imported=source.imported if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else False,
            oid=self.next_serial(),
        )
        if source is not None and result.storages is source.storages:
            result = replace(result, frozen=source.frozen, sliced=source.sliced, picked=source.picked)
        if row.result is Result.SAME and source is not None:
            unset = None if row.writes else source.unset
            return replace(source, grad=strongest([source.grad, result.grad]), device=source.device, unset=unset)
        return self._shaped(row, result, arguments, receiver is not None)

    def _shaped(self, row: Row, result: Tensor, arguments: tuple[Argument, ...], is_method: bool) -> Value:
        dimension = arguments if is_method else arguments[1:]
        pair = row.result is Result.TENSOR_OR_TUPLE and any(
            argument.keyword in {"dim", "return_inverse", "return_counts", "return_indices"}
            or (not argument.keyword and isinstance(argument.value, Scalar))
            for argument in dimension
        )
        if row.result in {Result.TENSOR_TUPLE, Result.TENSOR_LIST} or pair:
            result = replace(result, picked=True)
            if row.indices:
                count = max(2, max(row.indices) + 1)
                items = tuple(
                    replace(result, grad=NO_FACT, dtype="int64") if index in row.indices else result
                    for index in range(count)
                )
                return Sequence(kind="tuple", items=items)
            return Sequence(kind="tuple", element=result)
        if row.result in {Result.ARRAY}:
            return Array(dtype=result.dtype, storages=result.storages)
        return result

    def _row_device(
        self, row: Row, operands: list[Tensor], unknown: list[Unknown], arguments: tuple[Argument, ...], node: cst.Call
    ) -> Fact:
        requested = self._requested_device(arguments, node)
        match row.device:
            case Device.CPU:
                return Fact(Truth.NO, node, "brought to the CPU here")
            case Device.ACCELERATOR:
                return Fact(Truth.YES, node, "moved to the accelerator here")
            case Device.DEFAULT:
                return requested or self.default_device
            case _ if requested is not None:
                return requested
        evidence = [value.device for value in unknown if value.device.truth > Truth.UNKNOWN or not operands]
        return strongest([*(value.device for value in operands), *evidence], UNKNOWN_FACT)

    def _row_grad(
        self,
        row: Row,
        operands: list[Tensor],
        unknown: list[Unknown],
        arguments: tuple[Argument, ...],
        node: cst.Call,
        frame: Frame,
    ) -> Fact:
        if row.grad is Grad.NO:
            return NO_FACT
        asked = _keyword(arguments, "requires_grad")
        if isinstance(asked, Scalar) and asked.known:
            if asked.literal is True:
                return Fact(Truth.YES, node, "created with `requires_grad=True` here")
            return NO_FACT
        if row.grad is Grad.YES:
            return Fact(Truth.YES, node, "a parameter needs a gradient")
        if row.grad is Grad.ARGUMENT:
            return UNKNOWN_FACT if asked is not None else NO_FACT
        evidence = [value.grad for value in unknown if value.grad.truth > Truth.UNKNOWN or not operands]
        default = UNKNOWN_FACT if not operands and not arguments else NO_FACT
        return self.result_grad(strongest([*(value.grad for value in operands), *evidence], default), frame)

    @staticmethod
    def _row_dtype(row: Row, source: Tensor | None, arguments: tuple[Argument, ...]) -> str:
        if row.dtype in DTYPES:
            return row.dtype
        explicit = _dtype_argument(arguments)
        if explicit:
            return explicit
        kept = source.dtype if source is not None else ""
        if row.dtype == "default-float":
            return "float32"
        if row.dtype in {"keep", "argument"}:
            return kept
        return kept if kept.startswith(("float", "bfloat")) else ""

    def _row_storages(self, row: Row, source: Tensor | None, arguments: tuple[Argument, ...]) -> Storages:
        if source is None or row.share not in {Share.ALWAYS, Share.MAYBE}:
            return self.storage(born_as="tensor")
        target = row.dtype if row.dtype in DTYPES else _dtype_argument(arguments)
        if row.share is Share.MAYBE and target and target != source.dtype:
            return self.storage(born_as="tensor") if source.dtype else NO_STORAGE
        return source.storages

    def _write_operand(
        self, position: int, receiver: Tensor | None, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> None:
        if receiver is not None and position == 0:
            assert isinstance(node.func, cst.Attribute)
            owner = node.func.value
            link = owner.func if isinstance(owner, cst.Call) else None
            if isinstance(link, cst.Attribute) and link.attr.value in IN_PLACE_METHODS:
                # ``t.sub_(m).div_(s)``: the first link of the chain was told already.
                return
            self.write(frame, node, receiver, dotted_name(owner), "method")
            return
        index = position - (receiver is not None)
        if index < len(arguments) and not arguments[index].keyword:
            self.write(frame, node, arguments[index].value, dotted_name(arguments[index].node), "method")

    def _write_out(self, row: Row, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> None:
        out = next((argument for argument in arguments if argument.keyword == "out"), None)
        if row.out and out is not None:
            for leaf in leaves(out.value):
                self.write(frame, node, leaf, dotted_name(out.node), "out")

    # NumPy.

    def _numpy_call(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        result = self._numpy_result(name, arguments, node, frame)
        self.emit(frame, events.NumpyCall, node, name=name, arguments=arguments, result=result)
        return result

    def _numpy_result(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        if name in {"random.default_rng", "random.RandomState", "random.Generator"}:
            return Symbol(path="numpy.random")
        row = NUMPY_FUNCTIONS.get(name)
        if row is None:
            return Unknown(tensor=Truth.NO, source="call")
        for position in row.writes:
            self._write_operand(position, None, arguments, node, frame)
        self._write_out(row, arguments, node, frame)
        first = next((argument.value for argument in arguments if not argument.keyword), UNKNOWN)
        if isinstance(first, Tensor) and name in EXPORTS_TO_TENSOR:
            return Tensor(device=NO_FACT, grad=NO_FACT, dtype="", storages=self.storage(), oid=self.serial)
        match row.result:
            case _ if row.access is Access.MODE:
                return self._opened(name, arguments, node)
            case Result.ARRAY:
                return self._array_from(name, row, first, arguments, node)
            case Result.ARRAY_TUPLE:
                source = first if isinstance(first, Array) else Array()
                kept = row.share is Share.ALWAYS
                return Sequence(
                    kind="tuple",
                    element=replace(
                        source, storages=source.storages if kept else self.storage(), negative_stride=NO_FACT
                    ),
                )
            case Result.NUMPY_SCALAR:
                return self.numpy_number(row, first, arguments, positional_axis=1)
            case Result.SAMPLE:
                sized = any(argument.keyword == "size" or (not argument.keyword) for argument in arguments)
                dtype = _dtype_argument(arguments) or row.dtype.replace("?", "")
                return (
                    Array(dtype=dtype, storages=self.storage(born_as="array")) if sized else Scalar(kind="np.float64")
                )
            case Result.SCALAR:
                return Scalar(kind="number")
            case _:
                return PLAIN

    def numpy_number(self, row: Row, source: Value, arguments: tuple[Argument, ...], positional_axis: int) -> Value:
        """A reduction: a NumPy scalar, or an array when an axis is given."""
        dtype = source.dtype if isinstance(source, Array) else ""
        if row.dtype == "int64" or (row.dtype in {"accumulate", "keep"} and dtype.startswith(("int", "uint", "bool"))):
            dtype = "int64"
        elif row.dtype == "float" and dtype.startswith(("int", "uint", "bool")):
            dtype = "float64"
        positional = [argument for argument in arguments if not argument.keyword]
        axis = (
            any(argument.keyword in {"axis", "keepdims"} for argument in arguments) or len(positional) > positional_axis
        )
        if axis:
            return Array(dtype=dtype, storages=self.storage(born_as="array"))
        return Scalar(kind=f"np.{dtype}" if dtype else "np.number")

    def _opened(self, name: str, arguments: tuple[Argument, ...], node: cst.Call) -> Value:
        mode = _keyword(arguments, "mode") if name != "load" else _keyword(arguments, "mmap_mode")
        literal = mode.literal if isinstance(mode, Scalar) else None
        frozen = Fact(Truth.YES, node, "mapped read-only here") if literal == "r" else NO_FACT
        return Array(read_only=frozen, storages=self.storage(born_as="array", node=node), oid=self.serial)

    def _array_from(self, name: str, row: Row, first: Value, arguments: tuple[Argument, ...], node: cst.Call) -> Value:
        dtype = _dtype_argument(arguments) or (row.dtype if row.dtype in DTYPES else "")
        kept = first.dtype if isinstance(first, (Array, Tensor)) else ""
        if not dtype and row.dtype == "default-float":
            dtype = "float64"
        if not dtype and row.dtype == "float":
            dtype = kept if kept.startswith("float") else "float64" if kept else ""
        if not dtype and row.dtype in {"keep", "argument", "promote"}:
            dtype = kept or _dtype_of_data(first, array=True)
        if name in {"full", "arange"} and not _dtype_argument(arguments):
            values = [argument.value for argument in arguments if not argument.keyword]
            dtype = _dtype_of_data(Sequence(items=tuple(values[-1:] if name == "full" else values)), array=True)
        if isinstance(first, Scalar) and name in {
            "float32",
            "float64",
            "int64",
            "int32",
            "float16",
            "int8",
            "uint8",
            "int16",
        }:
            return Scalar(kind=f"np.{name}")
        shares = row.share is Share.ALWAYS or (
            row.share is Share.MAYBE and isinstance(first, (Array, Tensor)) and (not dtype or dtype == kept)
        )
        if not shares or not isinstance(first, (Array, Tensor, Unknown)):
            frozen = self._frozen(row, first, node)
            return Array(
                dtype=dtype,
                storages=self.storage(born_as="array", node=node),
                read_only=frozen,
                zero_dim=isinstance(first, Scalar) and name in {"array", "asarray"},
                oid=self.serial,
                negative_stride=Fact(Truth.YES, node, "flipped here: a negative stride")
                if row.negative_strides
                else NO_FACT,
            )
        held = first.storages or self.storage(born_as="array", node=node)
        base = first if isinstance(first, Array) else Array(storages=held, exported=isinstance(first, Tensor))
        frozen = self._frozen(row, first, node)
        negative = base.negative_stride
        if row.negative_strides:
            negative = (
                Fact(Truth.YES, node, "flipped here: a negative stride") if negative.truth is Truth.NO else NO_FACT
            )
        elif name in {"ascontiguousarray", "require", "reshape", "ravel", "asfortranarray"}:
            negative = NO_FACT
        return replace(
            base,
            dtype=dtype or kept,
            read_only=frozen if frozen.truth is not Truth.NO else base.read_only,
            negative_stride=negative,
            alias=node if isinstance(first, Tensor) else base.alias,
            oid=self.next_serial(),
        )

    @staticmethod
    def _frozen(row: Row, first: Value, node: cst.Call) -> Fact:
        if row.access is Access.NEVER:
            return Fact(Truth.YES, node, "read-only from here on")
        if isinstance(first, Foreign) and first.framework == "PIL" and row.share is Share.MAYBE:
            return Fact(Truth.YES, node, "read-only: it looks into the image")
        if row.access is Access.BUFFER:
            if isinstance(first, Scalar) and first.kind == "bytes":
                return Fact(Truth.YES, node, "read-only: it looks into a bytes object")
            if isinstance(first, Unknown):
                return Fact(Truth.MAYBE, node, "read-only when the buffer is a bytes object")
        return NO_FACT

    # Builtins.

    def _builtin_call(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        first = arguments[0].value if arguments else None
        if name in {
            "float",
            "int",
            "len",
            "bool",
            "str",
            "hash",
            "id",
            "ord",
            "round",
            "isinstance",
            "hasattr",
            "issubclass",
            "callable",
            "repr",
            "any",
            "all",
        }:
            return Scalar(
                kind={"len": "int", "isinstance": "bool", "hasattr": "bool", "any": "bool", "all": "bool"}.get(
                    name, name
                )
            )
        if name in {"bytes", "bytearray", "memoryview"}:
            return Scalar(kind="bytes") if name == "bytes" else Foreign(framework="buffer")
        if name in {"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"}:
            kind = name if name in {"list", "tuple", "set"} else "list"
            if first is None:
                return Sequence(kind=kind, items=(), born=self.next_serial(), oid=self.serial)
            if isinstance(first, Sequence) and first.items is not None and name in {"list", "tuple"}:
                return replace(first, kind=kind, born=self.next_serial(), oid=self.serial)
            return Sequence(
                kind=kind,
                element=self.element_of(first, arguments[0].node, frame),
                born=self.next_serial(),
                oid=self.serial,
            )
        if name == "dict":
            if isinstance(first, Dictionary):
                return replace(first, oid=self.next_serial())
            entries: dict[object, Value] = {
                argument.keyword: argument.value for argument in arguments if argument.keyword
            }
            return Dictionary(
                entries=entries,
                element=UNKNOWN if first is not None else None,
                born=self.next_serial(),
                oid=self.serial,
            )
        if name == "zip":
            items = tuple(self.element_of(argument.value, argument.node, frame) for argument in arguments)
            return Sequence(kind="generator", element=Sequence(kind="tuple", items=items))
        if name == "enumerate" and first is not None:
            inner = self.element_of(first, arguments[0].node, frame)
            return Sequence(kind="generator", element=Sequence(kind="tuple", items=(Scalar(kind="int"), inner)))
        if name == "range":
            return Sequence(kind="list", element=Scalar(kind="int"))
        if name in {"map", "filter"} and len(arguments) >= 2:
            inner = self.element_of(arguments[1].value, arguments[1].node, frame)
            if name == "map" and first is not None:
                inner = self.call_value(first, (Argument(arguments[1].node, inner),), node, frame)
            return Sequence(kind="generator", element=inner)
        if name == "next" and first is not None:
            return self.element_of(first, arguments[0].node, frame)
        if name in {"sum", "abs", "min", "max", "pow", "divmod"} and first is not None:
            values = (
                [self.element_of(first, arguments[0].node, frame)]
                if len(arguments) == 1 and name != "abs"
                else [argument.value for argument in arguments]
            )
            made = join_all(values)
            return self.combine(made, made, node, frame) if name in {"sum", "abs"} else made
        if name == "getattr" and len(arguments) >= 2 and isinstance(arguments[1].value, Scalar):
            literal = arguments[1].value.literal
            if isinstance(literal, str) and literal.isidentifier() and first is not None:
                spelled = cst.Attribute(value=arguments[0].node, attr=cst.Name(literal))
                return self.attribute(first, literal, spelled, frame)
            return UNKNOWN
        if name == "super":
            return self._parent(frame)
        if name in {"print", "setattr", "delattr", "exec"}:
            return NONE
        return (
            PLAIN
            if name in {"open", "vars", "dir", "format", "slice", "chr", "input", "object", "Exception"}
            else UNKNOWN
        )

    def _parent(self, frame: Frame) -> Value:
        """``super()``: the parent in this file when there is one."""
        if frame.cls is not None and frame.cls.parents:
            return self.self_value(frame.cls.parents[0])
        return UNKNOWN

    # Provided by the other parts.

    def method(
        self, receiver: Value, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        raise NotImplementedError

    def record_call(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, *, bound: bool) -> None:
        raise NotImplementedError


def _parameters_known(value: Value | None) -> Storages:
    """The storages of a list of parameters, when all of them belong to modules that were seen being made."""
    if value is None:
        return NO_STORAGE
    held = list(leaves(value))
    if not held or not all(isinstance(leaf, Tensor) and leaf.of_module for leaf in held):
        return NO_STORAGE
    return NO_STORAGE.union(*(leaf.storages for leaf in held if isinstance(leaf, Tensor)))


def _is_size(arguments: tuple[Argument, ...]) -> bool:
    """Whether a legacy constructor is told how much to allocate, and not what to put there."""
    if any(isinstance(argument.value, Scalar) and argument.value.literal == 0 for argument in arguments):
        return False
    kinds = [
        argument.value.kind if isinstance(argument.value, Scalar) else ""
        for argument in arguments
        if not argument.keyword
    ]
    return bool(kinds) and all(kind in {"int", "np.int64"} for kind in kinds)


def _keyword(arguments: tuple[Argument, ...], name: str) -> Value | None:
    return next((argument.value for argument in arguments if argument.keyword == name), None)


def _dtype_argument(arguments: tuple[Argument, ...]) -> str:
    for argument in arguments:
        if argument.keyword == "dtype":
            # An unreadable dtype is still a dtype: nothing is kept.
            return dtype_name(argument.value) or "?"
    for argument in arguments:
        if not argument.keyword and isinstance(argument.value, Symbol) and dtype_name(argument.value):
            return dtype_name(argument.value)
    return ""


def _dtype_of_data(data: Value, *, array: bool = False) -> str:
    """The dtype a list or number gives: NumPy makes float64 of Python floats, torch its default float."""
    kinds = {leaf.kind if isinstance(leaf, Scalar) else "" for leaf in leaves(data)}
    if kinds and kinds <= {"int"}:
        return "int64"
    if kinds and kinds <= {"int", "float"}:
        return "float64" if array else "float32"
    if kinds == {"bool"}:
        return "bool"
    return ""


def _spell(node: cst.BaseExpression) -> str:
    """A short spelling of an expression for a message."""
    text = cst.Module(body=()).code_for_node(node)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."

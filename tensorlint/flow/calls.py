"""Calls: who is called, with what, and what comes of it. Methods of values live in ``methods``."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import libcst as cst

from tensorlint.flow.builtin_calls import BuiltinCalls
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import unsure_dtype, without_numpy
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Owner
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Given,
    Instance,
    Method,
    Module,
    Optimizer,
    Origin,
    Partial,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.events import Argument
from tensorlint.flow.index import ClassInfo, FunctionInfo, dotted_name
from tensorlint.flow.state import Frame
from tensorlint.knowledge import (
    FOREIGN_FRAMEWORKS,
)

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
#: Functions named like this read a file, most of them into host memory.
READER_NAME = re.compile(
    r"^_?(load|read|imread|decode)(_(?!.*(model|net|weight|state|check))|[A-Z]|$)|^(Load|Read)[A-Z]"
)
#: Functions named like this train the model they are given.
TRAINER_NAME = re.compile(r"(^|_)(train|fit|finetune|fine_tune|learn)($|_)|^optimi[sz]e$", re.IGNORECASE)
#: What else is loaded by ``from_pretrained``; pipelines are models that work under ``no_grad``.
_WITHOUT_PARAMETERS = re.compile(r"Tokenizer|tokenizer|Processor|Extractor|Config|Scheduler|Pipeline")
#: Libraries whose networks are known to compute with a graph.
_OF_NETWORKS = frozenset({"diffusers", "segmentation_models_pytorch", "timm", "torchvision", "transformers"})
_RETURNS_TUPLE = frozenset(
    {"torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN", "torch.nn.MultiheadAttention", "torch.nn.LSTMCell"}
)


@lru_cache(maxsize=4096)
def computes_with_parameters(name: str) -> bool:
    """Whether a callable of this name is taken for a model. Asked at every call of unseen code."""
    return MODEL_NAME.search(name) is not None


def _dtypes_given(arguments: tuple[Argument, ...]) -> list[Value]:
    return [argument.value for argument in arguments if argument.keyword in {"torch_dtype", "dtype"}]


def _spells(func: cst.BaseExpression, method: str) -> bool:
    """Whether a call names the method it calls: not where that was looked up before, or by ``getattr``."""
    return isinstance(func, cst.Attribute) and func.attr.value == method


def _may_be_partial(arguments: tuple[Argument, ...]) -> bool:
    """What a library is given by position would be missing where a repair writes the call anew."""
    function, *bound = arguments
    if isinstance(function.value, Symbol):
        return all(argument.keyword for argument in bound)
    return isinstance(function.value, (Function, ClassObject))


class Calls(BuiltinCalls):
    def _call(self, node: cst.Call, frame: Frame) -> Value:
        self._note_consumer(node)
        if isinstance(node.func, cst.Attribute):
            path = dotted_name(node.func)
            bound = self.lookup(path, frame) if path else None
            if bound is None:
                receiver = self.owner_of(node.func, frame)
                arguments = self._arguments(node, frame)
                return self.method(receiver, node.func.attr.value, arguments, node, frame)
            return self.call_value(bound, self._arguments(node, frame), node, frame)
        callee = self.evaluate(node.func, frame)
        return self.call_value(callee, self._arguments(node, frame), node, frame)

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
            case Function(definition=site, receiver=receiver) if site in self.functions:
                return self.apply(self.functions[site], receiver, arguments, frame, node)
            case ClassObject(definition=site) if site in self.classes:
                return self._construct(self.classes[site], arguments, node, frame)
            case Module():
                return self._module_call(callee, arguments, node, frame)
            case Instance():
                cls = self.cls(callee)
                method = None if cls is None else cls.method("__call__") or cls.method("forward")
                return (
                    self.apply(method, callee, arguments, frame, node)
                    if method is not None
                    else self.unknown_result(arguments, node, frame)
                )
            case Method(receiver=receiver, name=name) if _spells(node.func, name):
                return self.method(receiver, name, arguments, node, frame)
            case Partial():
                return self._partial_call(callee, arguments, node, frame)
            case Foreign():
                return callee
            case Unknown():
                return self.unknown_result(arguments, node, frame, callee=callee)
            case _:
                return self.unknown_result(arguments, node, frame)

    def _partial_call(self, made: Partial, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        given = {argument.keyword for argument in arguments if argument.keyword}
        kept = tuple(
            Argument(spelled, argument.value, argument.keyword, argument.star)
            for argument in made.arguments
            if argument.keyword not in given
            and isinstance(spelled := self.sites.node(argument.site), cst.BaseExpression)
        )
        result = self.call_value(made.function, (*kept, *arguments), node, frame)
        if isinstance(result, Tensor) and result.grad.site == self.at(node) and kept:
            # Show where it says so, which is where the function was made.
            return replace(result, grad=replace(result.grad, site=made.site))
        return result

    def _kept(self, arguments: tuple[Argument, ...]) -> tuple[Given, ...]:
        return tuple(
            Given(self.at(argument.node), argument.value, argument.keyword, argument.star) for argument in arguments
        )

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
        if not name and isinstance(node.func, cst.Call):
            # ``LoadImage(...)(path)``: the thing called goes by the name of its class.
            name = dotted_name(node.func.func).split(".")[-1]
        inputs = [leaf for argument in arguments for leaf in leaves(argument.value)]
        for leaf in inputs:
            self.hand_on(frame, node, leaf)
        operands = [value for value in inputs if isinstance(value, (Tensor, Unknown))]
        if "device" in name and any(isinstance(value, Tensor) for value in inputs[:1]):
            # ``get_device(wav)``: where that tensor is.
            return DeviceValue(fact=strongest((value.device for value in operands[:1]), UNKNOWN_FACT))
        if TRAINER_NAME.search(name) and any(self._is_model(argument, frame) for argument in arguments):
            self.update_parameters(frame, Mutation(self.at(node), How.UPDATE, f"`{name}(...)` trains the model here"))
        placed = [
            value
            for value in operands
            if isinstance(value, Tensor) or value.device.truth is not Truth.UNKNOWN or value.device.site is not None
        ]
        if callee is not None and callee.device.truth is not Truth.UNKNOWN:
            placed.append(callee)
        told = self._requested_device(arguments, node) or self._device_among(arguments, node)
        computed = callee is not None or computes_with_parameters(name) or name in self.trained
        device = (told if told is not None else together(placed, UNKNOWN_FACT)).weakened()
        if device.truth is Truth.MAYBE and (told is not None or not computed):
            # An imported helper may bring what it returns to the CPU, even if it is told a device, and an object that
            # is made for one need not keep there all that it holds and gives.
            device = replace(device, truth=Truth.UNKNOWN)
        grad = UNKNOWN_FACT
        if self.at(node) in self.differentiated:
            grad = Fact(Truth.MAYBE, self.at(node), "`.backward()` goes through the result of this call")
        elif arguments and (
            (computes_with_parameters(name) and (name in self.networks or self._is_fed_tensors(operands)))
            or name in self.trained
            or self._computes(name, node, operands)
        ):
            # A name only says that what goes in comes out again; that it is trained must have been seen.
            inherited = strongest((value.grad for value in operands), UNKNOWN_FACT).weakened()
            owner = dotted_name(node.func.value).split(".")[-1] if isinstance(node.func, cst.Attribute) else ""
            frozen = callee is not None and callee.grad.truth is Truth.NO
            trained = UNKNOWN_FACT if frozen else strongest(map(self.trained_as, (name, owner)))
            grad = inherited if inherited.truth > Truth.UNKNOWN else trained
        # Under autocast a network of unseen code may end in either precision.
        dtype = callee.dtype if callee is not None else ""
        return Unknown(
            device=device,
            grad=self.result_grad(grad, frame),
            dtype=unsure_dtype(dtype),
            source="file" if READER_NAME.search(name) and not operands else "call",
            origin=Origin(self.at(node), "computed here"),
            oid=self.next_serial(),
        )

    def trained_as(self, name: str) -> Fact:
        """What the file shows of a model by this name: that it has parameters, and that nobody freezes them."""
        seen = self.trained.get(name)
        if seen is None or name in self.frozen:
            return UNKNOWN_FACT
        return Fact(Truth.MAYBE, seen, f"`{name}` has parameters, so its output needs a gradient")

    def _device_among(self, arguments: tuple[Argument, ...], node: cst.Call) -> Fact | None:
        """``ReplayBuffer(size, "cpu")``: a device given by position is where what comes of the call lives."""
        for argument in arguments:
            value = argument.value
            if isinstance(value, DeviceValue) or (isinstance(value, Scalar) and value.literal == "cpu"):
                return self.moved_to(value, argument.node, node)
        return None

    @staticmethod
    def _is_fed_tensors(operands: list[Tensor | Unknown]) -> bool:
        """Whether there is a sign that a callable is given tensors, and so is the network its name says it is."""
        return any(
            isinstance(value, Tensor) or value.source == "loader" or value.device.truth is not Truth.UNKNOWN
            for value in operands
        )

    def _computes(self, name: str, node: cst.Call, operands: list[Tensor | Unknown]) -> bool:
        """Whether this is a method of a model, given a tensor, that is not known to work without a graph."""
        if not isinstance(node.func, cst.Attribute) or not any(isinstance(value, Tensor) for value in operands):
            return False
        owner = dotted_name(node.func.value).split(".")[-1]
        return (computes_with_parameters(owner) or owner in self.trained) and not WITHOUT_GRAPH.search(name)

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
            return self._told("stdlib:random.shuffle", arguments, NONE, node, frame)
        if path in {"random.Random", "random.SystemRandom"}:
            return Symbol(path="random")
        if path == "copy.deepcopy":
            return self._owned(arguments[0].value) if arguments else UNKNOWN
        if path == "functools.partial" and arguments and _may_be_partial(arguments):
            return Partial(function=arguments[0].value, arguments=self._kept(arguments[1:]), site=self.at(node))
        if path == "copy.copy" and arguments:
            return arguments[0].value
        if path in {"einops.rearrange", "einops.repeat", "einops.reduce", "einops.pack"} and arguments:
            value = arguments[0].value
            return replace(value, oid=self.next_serial()) if isinstance(value, (Tensor, Array, Unknown)) else UNKNOWN
        if path.startswith("torchvision.models.") or (
            path.endswith(".from_pretrained") and not _WITHOUT_PARAMETERS.search(path)
        ):
            cast = next((given for given in map(dtype_name, _dtypes_given(arguments)) if given), "")
            # What a class of unseen code computes with, and whether under ``no_grad``, is not known.
            trained = Truth.YES if top in _OF_NETWORKS else Truth.UNKNOWN
            return Module(
                name=path,
                dtype=cast,
                trainable=trained,
                storages=self.storage(Owner.PARAMETER),
                oid=self.next_serial(),
            )
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
            made = replace(made, device=self.default_device, oid=self.next_serial())
        elif isinstance(made, Instance):
            made = replace(made, oid=self.next_serial())
        if initializer is not None and self.learning:
            self.record_call(initializer, arguments, frame, bound=True)
        if info.is_autograd_function or any(base.split(".")[0] in FOREIGN_FRAMEWORKS for base in info.all_bases()):
            return Foreign(framework="class")
        return made

    def _module_call(self, module: Module, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        trained = Fact(self.trainable(module), self.at(node), "the output of a model with parameters needs a gradient")
        cls = self.cls(module)
        if cls is None and (not module.name or trained.truth is Truth.UNKNOWN) and trained.truth is not Truth.NO:
            # An annotation, or a class of unseen code, does not say whether it has parameters.
            trained = self.trained_as(dotted_name(node.func).split(".")[-1])
        if cls is not None:
            forward = cls.method("forward") or cls.method("__call__")
            if forward is not None:
                result = self.apply(forward, module, arguments, frame, node)
                if isinstance(result, (Tensor, Unknown)) and not result.dtype:
                    result = replace(result, dtype=unsure_dtype(module.dtype))
                return self._on_module_device(result, module)
        inputs = [
            leaf for argument in arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
        ]
        # What has no parameters lies nowhere.
        holds = [] if module.trainable is Truth.NO else [Unknown(device=module.device)]
        device = together([*holds, *inputs])
        grad = self.result_grad(strongest([trained, *(value.grad for value in inputs)]), frame)
        if not module.name.startswith("torch.nn."):
            return Unknown(
                device=device,
                grad=grad.weakened(),
                dtype=unsure_dtype(self.autocast or module.dtype),
                source="model",
                origin=Origin(self.at(node), "the output of a model"),
                oid=self.next_serial(),
            )
        given = next((value.dtype for value in inputs if without_numpy(value.dtype)), "")
        stateless = module.trainable is Truth.NO and not module.dtype
        output = Tensor(
            device=device,
            grad=grad,
            dtype=(self._autocast_to(module.name) or given) if stateless else self.autocast or module.dtype,
            storages=self.storage(),
            source="model",
            origin=Origin(self.at(node), "the output of a model"),
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

    # Provided by the other parts.

    def method(
        self, receiver: Value, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> Value:
        raise NotImplementedError

    def record_call(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, *, bound: bool) -> None:
        raise NotImplementedError

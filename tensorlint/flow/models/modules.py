"""``nn.Module`` and its instances: what they return, hold and register."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import dtype_argument, keyword
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth, needed, strongest
from tensorlint.flow.domain.inside import arrays_behind, as_trainable, leaves, tensor_dtype
from tensorlint.flow.domain.memory import NO_BACKING, Owner
from tensorlint.flow.domain.tensors import Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    PLAIN,
    UNKNOWN,
    DeviceValue,
    Function,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
    is_false,
    is_true,
)
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.keeping import set_back
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.autocast import autocast_to
from tensorlint.flow.models.cuts import carried
from tensorlint.flow.models.given_weights import note_given
from tensorlint.flow.models.holders import (
    HOLDERS,
    begins_in_float,
    classes_of,
    dtype_inside,
    held_further,
    is_holder,
    one_held,
)
from tensorlint.flow.models.objects import as_left, below, own_method
from tensorlint.flow.models.placement import destination, map_location, placed_by_type, requested_device
from tensorlint.flow.models.registry import function
from tensorlint.flow.models.same_dtype import WEIGHTED_MODULES, note_loss
from tensorlint.flow.models.states import registered, state_dict_of, tell_itself
from tensorlint.flow.models.unseen import trained_as, unknown_result
from tensorlint.flow.saved import note_layer
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, receiver_of
from tensorlint.knowledge import TORCH_FUNCTIONS
from tensorlint.knowledge.numbers import WILD_LAYERS

_MODULE_CASTS = frozenset({"half", "float", "double", "bfloat16", "eval", "train", "share_memory", "apply", "compile"})
#: What casts a whole module, and to what.
CASTS = {"half": FLOAT16, "float": FLOAT32, "double": FLOAT64, "bfloat16": BFLOAT16}
#: What gives rows of its weights, as they are.
_TABLES = frozenset({"torch.nn.Embedding", "torch.nn.EmbeddingBag"})
MOVES = frozenset({"to", "cuda", "cpu", "xpu", "mps", "npu", "hpu"})
_RETURNS_TUPLE = frozenset(
    {"torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN", "torch.nn.MultiheadAttention", "torch.nn.LSTMCell"}
)
#: The modules of ``torch.nn`` that have parameters. Activations, losses, pooling and all others have none.
_WITH_PARAMETERS = re.compile(
    r"^(Lazy)?(Bilinear|Linear|Conv|BatchNorm|SyncBatchNorm|GroupNorm|LayerNorm|RMSNorm|Embedding|GRU|LSTM|RNN"
    r"|MultiheadAttention|Transformer|PReLU$|AdaptiveLogSoftmax|Parameter)"
)
#: Those of them that raise when they are given float64 while their weights are float32 (measured on torch 2.13.0).
_REFUSES_DOUBLE = re.compile(
    r"(Bilinear|Linear|Conv|BatchNorm|SyncBatchNorm|GroupNorm|LayerNorm|GRU|LSTM|RNN|MultiheadAttention|Transformer|PReLU$)"
)
_RECURRENT = re.compile(r"\.(LSTM|GRU|RNN)(Cell)?$")
#: Libraries whose networks are known to compute with a graph.
_OF_NETWORKS = frozenset({"diffusers", "segmentation_models_pytorch", "timm", "torchvision", "transformers"})
#: What else is loaded by ``from_pretrained``; pipelines are models that work under ``no_grad``.
_WITHOUT_PARAMETERS = re.compile(r"Tokenizer|tokenizer|Processor|Extractor|Config|Scheduler|Pipeline")


def module_call(machine: Machine, module: Module, call: Call) -> Value:
    trained = needed(
        machine.trainable(module), machine.at(call.node), "the output of a model with parameters needs a gradient"
    )
    inputs = [
        leaf for argument in call.arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
    ]
    if module.refuses_double and module.dtype in {UNKNOWN_DTYPE, FLOAT32}:
        machine.meet_float(call.frame, call.node, inputs_of_weights(module, call.arguments))
    elif module.name.startswith("torch.nn.") and module.trainable is not Truth.NO:
        machine.lessons.fed_double |= any(leaf.dtype is FLOAT64 for leaf in inputs)
    if module.name.startswith("torch.nn."):
        note_loss(machine, module.name, module.dtype, call)
        note_layer(machine, module, trained.truth, call)
        machine.emit(
            call.frame,
            events.ModuleCall,
            call.node,
            name=module.name.removeprefix("torch."),
            arguments=call.arguments,
            result=UNKNOWN,
        )
    cls = machine.cls(module)
    if cls is None and (not module.name or trained.truth is Truth.UNKNOWN) and trained.truth is not Truth.NO:
        # An annotation, or a class of unseen code, does not say whether it has parameters.
        trained = trained_as(machine, dotted_name(call.node.func).split(".")[-1])
    if cls is not None:
        forward = cls.method("forward") or cls.method("__call__")
        owner: Value = module
        if forward is None or forward.is_left_open:
            forward, owner = below(machine, cls, module, "forward", call) or (None, module)
        if forward is not None:
            result = machine.apply(forward, owner, call.arguments, call.frame, call.node)
            if isinstance(result, (Tensor, Unknown)) and not result.dtype:
                result = replace(result, dtype=module.dtype.weakened())
            return on_module_device(result, module, trained, inputs, call)
    # What has no parameters lies nowhere.
    device = together(inputs) if module.trainable is Truth.NO else output_device(module, inputs, call)
    # Some that have no parameters return what they are given.
    computed = strongest([trained, *(value.grad for value in inputs)])
    grad = machine.result_grad(computed, call.frame, itself=trained.truth is Truth.NO)
    if not module.name.startswith("torch.nn."):
        return Unknown(
            device=device,
            grad=grad if _gives_a_graph(module.name) else grad.weakened(),
            dtype=(machine.autocast or module.dtype).weakened(),
            source=Provenance.MODEL,
            origin=Origin(machine.at(call.node), "the output of a model"),
            oid=machine.next_serial(),
        )
    output = Tensor(
        device=device,
        grad=grad,
        dtype=_dtype_of_layer(machine, module, [value.dtype for value in inputs]),
        storages=machine.storage(),
        source=Provenance.MODEL,
        origin=Origin(machine.at(call.node), "the output of a model"),
        # Averaged, as is the rule.
        zero_dim=module.name.endswith("Loss"),
        has_axes=module.trainable is Truth.YES,
        numbers=_numbers_of_layer(module.name.removeprefix("torch.nn.")),
        oid=machine.serial,
    )
    if module.trainable is Truth.NO and has_parameters(machine, module.name.rpartition(".")[2], ()) is Truth.NO:
        # Frozen parameters are trained again where somebody says so; a loss has none.
        return carried(machine, output, [argument.value for argument in call.arguments], call.node, call.frame)
    if module.name in _RETURNS_TUPLE:
        return Sequence(kind="tuple", items=(output, Unknown(device=device, grad=grad)))
    return output


def inputs_of_weights(module: Module, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """What a layer computes with its weights: what comes first, and the states that a recurrent layer begins with."""
    if not _RECURRENT.search(module.name) or len(arguments) < 2:
        return arguments[:1]
    return (arguments[0], *(Argument(arguments[1].node, state) for state in leaves(arguments[1].value)))


def _gives_a_graph(name: str) -> bool:
    """Whether all that a network of this library gives has one; a detector gives labels beside its boxes."""
    return name.partition(".")[0] in _OF_NETWORKS and ".detection." not in name


def _dtype_of_layer(machine: Machine, module: Module, inputs: list[Dtype]) -> Dtype:
    given = next((dtype for dtype in inputs if dtype.without_numpy), UNKNOWN_DTYPE)
    if module.trainable is Truth.NO and not module.dtype:
        return autocast_to(machine, module.name, inputs) or given
    lowered = autocast_to(machine, module.name, [*inputs, module.dtype or FLOAT32])
    if not lowered and machine.autocast and module.dtype is not FLOAT64 and module.name not in _TABLES:
        # Norms give back what they are given, containers what the last of them gives.
        lowered = machine.autocast.weakened()
    # Weights of another dtype than the input would raise.
    return lowered or module.dtype or given


def _numbers_of_layer(name: str) -> str:
    return "wild" if name in WILD_LAYERS else {"Sigmoid": "unit", "Softmax": "unit", "Tanh": "fraction"}.get(name, "")


def on_module_device(result: Value, module: Module, trained: Fact, inputs: list[Tensor | Unknown], call: Call) -> Value:
    """What ``forward`` could not know: where the module itself was put, and that its inputs have to be there, too."""
    if not isinstance(result, (Tensor, Unknown)) or module.device.truth is Truth.UNKNOWN:
        return result
    if result.device.truth is Truth.UNKNOWN:
        return replace(result, device=output_device(module, inputs, call))
    if module.device.truth is Truth.NO and trained.truth > Truth.UNKNOWN:
        # What its parameters met elsewhere would have raised.
        return replace(result, device=together([Unknown(device=module.device), result]))
    return result


def output_device(module: Module, inputs: list[Tensor | Unknown], call: Call) -> Fact:
    """Where what is computed with its parameters lies; if nothing of the inputs was put there, the call may raise."""
    device = together([Unknown(device=module.device), *inputs])
    shown = not call.arguments or any(value.device.truth is not Truth.UNKNOWN for value in inputs)
    return device if shown else device.weakened()


def module_method(machine: Machine, value: Module, name: str, call: Call) -> Value:
    if name in MOVES or name == "type":
        device: Fact | None = None
        dtype = UNKNOWN_DTYPE
        if name == "to":
            device, dtype = destination(machine, call)
        elif name == "type":
            device = placed_by_type(call.arguments, machine.at(call.node))
            dtype = dtype_of(call.first or UNKNOWN) or OTHER_DTYPE
        elif name == "cpu":
            device = Fact(Truth.NO, machine.at(call.node), "brought to the CPU here")
        else:
            device = Fact(
                Truth.YES, machine.at(call.node), f"the module is moved to the accelerator by `.{name}()` here"
            )
        moved = replace(value, dtype=dtype.named) if dtype else value
        if device is not None:
            moved = replace(moved, device=device)
            if (device.truth > Truth.UNKNOWN) is not (value.device.truth > Truth.UNKNOWN):
                machine.leave_behind(call.frame, value)
        if dtype or (device is not None and device.truth is not Truth.NO):
            moved = replace(moved, arrays=NO_BACKING)
        call.frame.env.change(value, lambda held: moved)
        return moved
    if name in CASTS:
        cast = replace(value, dtype=CASTS[name], arrays=NO_BACKING)
        call.frame.env.change(value, lambda held: cast)
        return cast
    if name == "share_memory":
        machine.share(call.frame, call.node, value, "the parameters go to shared memory here, the old one is freed")
    if name in _MODULE_CASTS:
        return value
    if name == "requires_grad_":
        flag = call.arguments[0].value if call.arguments else None
        frozen = isinstance(flag, Scalar) and flag.literal is False
        changed = replace(value, trainable=Truth.NO if frozen else Truth.YES)
        machine.set_trainable(value.oid, changed.trainable, call.frame)
        return changed
    note_training(machine, owner_name(call.node), name, call.node)
    trained = needed(value.trainable, machine.at(call.node), "a parameter needs a gradient")
    parameter = Tensor(
        device=value.device,
        grad=trained,
        dtype=value.dtype,
        storages=value.storages,
        source=Provenance.PARAMETER_OF_MODULE,
        of_module=value.oid > 0,
        module=value.oid,
        origin=Origin(machine.at(call.node), "a parameter of the model"),
        oid=machine.next_serial(),
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
        kept = value.storages or machine.storage(Owner.PARAMETER)
        return state_dict_of(machine, value.device, kept, call, value.oid)
    if name == "load_state_dict":
        tell_itself(machine, value, call)
    if name == "register_parameter" and len(call.arguments) >= 2:
        note_given(machine, receiver_of(call.node), call.arguments[1].value, call.frame)
    if name in {"zero_grad", "load_state_dict", "register_buffer", "register_parameter", "add_module"}:
        return registered(machine, value, name, call.arguments, call.frame)
    if name == "forward":
        return machine.call_value(value, call)
    if name in {"append", "extend"} and is_holder(value):
        return held_further(machine, value, call)
    cls = machine.cls(value)
    if cls is not None and cls.method(name) is None and cls.attribute(name) is not None:
        return machine.call_value(module_attribute(machine, value, name, call.node.func, call.frame), call)
    if cls is not None:
        return own_method(machine, cls, value, name, call)
    if name == "values" and is_holder(value):
        return Sequence(kind="view", element=one_held(machine, value))
    if name == "items" and is_holder(value):
        pair = (Scalar(kind="str"), one_held(machine, value))
        return Sequence(kind="view", element=Sequence(kind="tuple", items=pair))
    return unknown_result(machine, call, callee=Unknown(device=value.device, dtype=value.dtype))


def module_attribute(machine: Machine, value: Module, name: str, node: cst.CSTNode, frame: Frame) -> Value:
    cls = machine.cls(value)
    if cls is not None:
        found = machine.held_by(value, machine.class_attribute(cls, name))
        if found is not None:
            return _moved_with(machine, value, name, as_left(frame.env.latest(found)))
        method = cls.method(name)
        if method is not None and method.is_property:
            return _moved_with(machine, value, name, machine.apply(method, value, (), frame, node))
        if method is not None:
            return Function(definition=method.site, receiver=value)
    if name in {"weight", "bias"}:
        trained = needed(value.trainable, machine.at(node), "a parameter needs a gradient")
        return Tensor(
            device=value.device,
            grad=trained,
            dtype=value.dtype,
            storages=value.storages,
            source=Provenance.PARAMETER_OF_MODULE,
            module=value.oid,
        )
    if name in {"running_mean", "running_var", "num_batches_tracked"}:
        buffers = frozenset({replace(storage, owner=Owner.BUFFER) for storage in value.storages})
        return Tensor(device=value.device, grad=NO_FACT, storages=buffers, source=Provenance.BUFFER_OF_MODULE)
    if name == "device":
        return DeviceValue(fact=value.device)
    if name == "training":
        # A network is traced as it is to be used.
        return Scalar(kind="bool", literal=False, known=True) if machine.traces_run else PLAIN
    if name in {"module", "model"}:
        return value
    return Unknown(device=value.device.weakened(), dtype=value.dtype.weakened(), source=Provenance.ATTRIBUTE)


def _moved_with(machine: Machine, owner: Module, name: str, part: Value) -> Value:
    """A part of a module that is only known to move with it; not for sure where this file puts one in."""
    match part:
        case Tensor() if not any(storage.owner.is_trained for storage in part.storages):
            return part
        case Tensor() | Module():
            pass
        case _:
            return part
    if part.device.truth is not Truth.UNKNOWN or owner.device.truth <= Truth.UNKNOWN:
        return part
    return replace(part, device=owner.device.weakened() if machine.file.binds(name) else owner.device)


def has_parameters(machine: Machine, name: str, arguments: tuple[Argument, ...]) -> Truth:
    """Whether a module of ``torch.nn`` has parameters that are trained, as it is made."""
    if name in HOLDERS:
        inside = [machine.trainable(leaf) for argument in arguments for leaf in leaves(argument.value)]
        return max(inside, default=Truth.UNKNOWN)
    affine = keyword(arguments, "elementwise_affine") or keyword(arguments, "affine")
    if isinstance(affine, Scalar) and affine.literal is False:
        return Truth.NO
    scaled = affine is not None and "InstanceNorm" in name
    return Truth.YES if scaled or _WITH_PARAMETERS.search(name) else Truth.NO


def note_training(machine: Machine, owner: str, method: str, node: cst.Call) -> None:
    """What is asked for its parameters has some; so has what goes by its name elsewhere. And what it is set back to.

    That it is told to ``.train()`` does not say so: what has no parameters is told, too.
    """
    if not machine.learning:
        return
    if owner and method in {"parameters", "named_parameters"}:
        machine.lessons.trained.setdefault(owner, machine.at(node))
    if method == "load_state_dict" and node.args:
        kept = dotted_name(node.args[0].value)
        owner = dotted_name(node.func).rpartition(".")[0]
        machine.lessons.restored |= {kept, set_back(machine.at(node), owner, kept)}


def owner_name(node: cst.CSTNode) -> str:
    """``model`` of the call ``machine.model.parameters()``."""
    owner = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None
    return dotted_name(owner).split(".")[-1] if owner is not None else ""


def thaw_owners(machine: Machine, node: cst.BaseExpression, frame: Frame) -> None:
    """``model.fc.parameters()`` are trained again, so some of a frozen ``model`` is."""
    path = dotted_name(node).rpartition(".")[0]
    while path := path.rpartition(".")[0]:
        held = machine.lookup(path, frame)
        if isinstance(held, Module) and held.trainable is not Truth.YES:
            frame.env.change(held, lambda held: as_trainable(held, Truth.YES))


@function("torch.nn.*")
def make_module(machine: Machine, path: str, call: Call) -> Value | None:
    name = path.rpartition(".")[2]
    if not name[:1].isupper() or path.removeprefix("torch.") in TORCH_FUNCTIONS:
        return None
    weight = call.keyword("weight") if path in WEIGHTED_MODULES else None
    told = weight.dtype if isinstance(weight, Tensor) else dtype_argument(call.arguments)
    return Module(
        name=path,
        device=requested_device(machine, call) or machine.default_device,
        trainable=has_parameters(machine, name, call.arguments),
        refuses_double=bool(_REFUSES_DOUBLE.match(name)) or (name == "Sequential" and begins_in_float(call.arguments)),
        dtype=dtype_inside(call.arguments) if name in HOLDERS else Dtype(told.name),
        storages=machine.storage(Owner.PARAMETER),
        parts=classes_of(argument.value for argument in call.arguments) if name in HOLDERS else frozenset(),
        arrays=NO_BACKING.union(*(arrays_behind(argument.value) for argument in call.arguments)),
        oid=machine.serial,
    )


@function("torch.jit.load", "torch.hub.load")
def load_module(machine: Machine, path: str, call: Call) -> Value:
    return loaded_module(machine, Unknown(device=map_location(machine, call)), path)


def loaded_module(machine: Machine, loaded: Unknown, path: str = "torch.load") -> Module:
    """What was loaded, as a network. Its parameters need a gradient, as they did when it was saved."""
    return Module(
        name=path,
        device=loaded.device,
        dtype=loaded.dtype,
        storages=machine.storage(Owner.PARAMETER),
        oid=machine.next_serial(),
    )


@function("torch.nn.Embedding.from_pretrained", "torch.nn.EmbeddingBag.from_pretrained")
def embedding(machine: Machine, path: str, call: Call) -> Value:
    """Frozen unless it is told otherwise (measured on 2.13.0)."""
    freeze = call.keyword("freeze") or (call.arguments[1].value if len(call.arguments) > 1 else None)
    trainable = Truth.NO if freeze is None or is_true(freeze) else Truth.YES if is_false(freeze) else Truth.UNKNOWN
    trained, weights = Fact(trainable), call.first or call.keyword("embeddings")
    return Module(
        name=path.removesuffix(".from_pretrained"),
        device=requested_device(machine, call) or machine.default_device,
        trainable=trainable,
        dtype=tensor_dtype(weights),
        storages=machine.storage(Owner.PARAMETER),
        arrays=arrays_behind(replace(weights, grad=trained)) if isinstance(weights, Tensor) else NO_BACKING,
        oid=machine.serial,
    )


@function("torchvision.models.*", "timm.create_model", "segmentation_models_pytorch.*", "**.from_pretrained")
def pretrained(machine: Machine, path: str, call: Call) -> Value | None:
    if path.endswith(".from_pretrained") and _WITHOUT_PARAMETERS.search(path):
        return None
    cast = next((given for given in map(dtype_of, _dtypes_given(call)) if given), UNKNOWN_DTYPE)
    # What a class of unseen code computes with, and whether under ``no_grad``, is not known.
    trained = Truth.YES if path.partition(".")[0] in _OF_NETWORKS else Truth.UNKNOWN
    return Module(
        name=path,
        dtype=cast,
        trainable=trained,
        storages=machine.storage(Owner.PARAMETER),
        oid=machine.next_serial(),
    )


def _dtypes_given(call: Call) -> list[Value]:
    return [argument.value for argument in call.arguments if argument.keyword in {"torch_dtype", "dtype"}]

"""Calls of what was imported, by the library it comes from."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import NO_FACT, Truth
from tensorlint.flow.domain.memory import NO_STORAGE, Owner
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    Array,
    ClassObject,
    Dictionary,
    Foreign,
    Function,
    Given,
    Module,
    Partial,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.builtin_functions import builtin_call
from tensorlint.flow.models.numpy_functions import numpy_call, tell_numpy_call
from tensorlint.flow.models.torch_functions import torch_call
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.knowledge import FOREIGN_FRAMEWORKS

#: Libraries whose networks are known to compute with a graph.
_OF_NETWORKS = frozenset({"diffusers", "segmentation_models_pytorch", "timm", "torchvision", "transformers"})
#: What else is loaded by ``from_pretrained``; pipelines are models that work under ``no_grad``.
_WITHOUT_PARAMETERS = re.compile(r"Tokenizer|tokenizer|Processor|Extractor|Config|Scheduler|Pipeline")


def symbol_call(
    machine: Machine,
    path: str,
    call: Call,
) -> Value:
    top, _, rest = path.partition(".")
    if top == "torch":
        return torch_call(machine, rest, call)
    if top == "numpy":
        return numpy_call(machine, rest, call)
    if top == "builtins":
        return builtin_call(machine, rest, call)
    if top in FOREIGN_FRAMEWORKS:
        return Foreign(framework=top)
    if path == "random.shuffle":
        return tell_numpy_call(machine, "stdlib:random.shuffle", call, NONE)
    if path in {"random.Random", "random.SystemRandom"}:
        return Symbol(path="random")
    if path == "copy.deepcopy":
        return deep_copy(machine, call.arguments[0].value) if call.arguments else UNKNOWN
    if path == "functools.partial" and call.arguments and may_be_partial(call.arguments):
        return Partial(
            function=call.arguments[0].value,
            arguments=kept_arguments(machine, call.arguments[1:]),
            site=machine.at(call.node),
        )
    if path == "copy.copy" and call.arguments:
        return call.arguments[0].value
    if path in {"einops.rearrange", "einops.repeat", "einops.reduce", "einops.pack"} and call.arguments:
        value = call.arguments[0].value
        return replace(value, oid=machine.next_serial()) if isinstance(value, (Tensor, Array, Unknown)) else UNKNOWN
    if path.startswith("torchvision.models.") or (
        path.endswith(".from_pretrained") and not _WITHOUT_PARAMETERS.search(path)
    ):
        cast = next((given for given in map(dtype_name, dtypes_given(call.arguments)) if given), "")
        # What a class of unseen code computes with, and whether under ``no_grad``, is not known.
        trained = Truth.YES if top in _OF_NETWORKS else Truth.UNKNOWN
        return Module(
            name=path,
            dtype=cast,
            trainable=trained,
            storages=machine.storage(Owner.PARAMETER),
            oid=machine.next_serial(),
        )
    if path.startswith(("torchvision.", "torchaudio.")) and path.split(".")[-1] in {
        "to_tensor",
        "pil_to_tensor",
        "read_image",
    }:
        return Tensor(device=NO_FACT, grad=NO_FACT, storages=machine.storage(), source="decoded image")
    if path.endswith(".DataLoader") or path.split(".")[-1] == "DataLoader":
        return Sequence(kind="loader")
    if path.split(".")[-1] in {"tqdm", "trange", "track", "progress_bar"} and call.arguments:
        return call.arguments[0].value
    if top == "PIL":
        return Foreign(framework="PIL")
    if path == "collections.deque":
        return Sequence(kind="list", items=(), born=machine.next_serial(), oid=machine.serial)
    if top in {"os", "sys", "time", "math", "re", "logging", "pathlib", "random"}:
        return PLAIN
    if top == "cv2":
        return Unknown(tensor=Truth.NO, source="call")
    if top == "contextlib" and rest == "nullcontext":
        return Foreign()
    tensors_of = next((argument.value for argument in call.arguments if argument.keyword == "return_tensors"), None)
    if isinstance(tensors_of, Scalar) and tensors_of.literal in {"tf", "np", "jax"}:
        return Foreign(framework=str(tensors_of.literal))
    return unknown_result(machine, call)


def deep_copy(machine: Machine, value: Value) -> Value:
    """A deep copy: everything equal, nothing shared."""
    match value:
        case Tensor() | Array():
            return replace(value, storages=machine.storage(), alias=None, oid=machine.serial)
        case Unknown():
            return replace(value, storages=machine.storage(), oid=machine.serial)
        case Dictionary():
            owned = {key: deep_copy(machine, item) for key, item in value.entries.items()}
            element = deep_copy(machine, value.element) if value.element is not None else None
            return replace(
                value,
                entries=owned,
                element=element,
                storages=NO_STORAGE,
                state_dict=False,
                alias=None,
                oid=machine.next_serial(),
            )
        case Sequence():
            items = tuple(map(partial(deep_copy, machine), value.items)) if value.items is not None else None
            element = deep_copy(machine, value.element) if value.element is not None else None
            return replace(value, items=items, element=element, oid=machine.next_serial())
        case Module():
            return replace(value, storages=machine.storage(Owner.PARAMETER), oid=machine.serial)
        case _:
            return value


def dtypes_given(arguments: tuple[Argument, ...]) -> list[Value]:
    return [argument.value for argument in arguments if argument.keyword in {"torch_dtype", "dtype"}]


def may_be_partial(arguments: tuple[Argument, ...]) -> bool:
    """What a library is given by position would be missing where a repair writes the call anew."""
    function, *bound = arguments
    if isinstance(function.value, Symbol):
        return all(argument.keyword for argument in bound)
    return isinstance(function.value, (Function, ClassObject))


def partial_call(
    machine: Machine,
    made: Partial,
    call: Call,
) -> Value:
    given = {argument.keyword for argument in call.arguments if argument.keyword}
    kept = tuple(
        Argument(spelled, argument.value, argument.keyword, argument.star)
        for argument in made.arguments
        if argument.keyword not in given
        and isinstance(spelled := machine.sites.node(argument.site), cst.BaseExpression)
    )
    result = machine.call_value(made.function, replace(call, arguments=(*kept, *call.arguments)))
    if isinstance(result, Tensor) and result.grad.site == machine.at(call.node) and kept:
        # Show where it says so, which is where the function was made.
        return replace(result, grad=replace(result.grad, site=made.site))
    return result


def kept_arguments(machine: Machine, arguments: tuple[Argument, ...]) -> tuple[Given, ...]:
    return tuple(
        Given(machine.at(argument.node), argument.value, argument.keyword, argument.star) for argument in arguments
    )

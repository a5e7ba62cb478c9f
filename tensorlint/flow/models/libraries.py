"""Calls of what was imported, by the library it comes from."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import libcst as cst

from tensorlint.flow import events, object_events
from tensorlint.flow.arguments import bound
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import NO_FACT
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, Writing
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    ClassObject,
    Dictionary,
    Foreign,
    Function,
    Given,
    Instance,
    Module,
    Partial,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.cuts import carried
from tensorlint.flow.models.items import element_of
from tensorlint.flow.models.numpy_functions import tell_numpy_call
from tensorlint.flow.models.registry import function, models
from tensorlint.flow.models.torch_functions import torch_call
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import FOREIGN_FRAMEWORKS

#: Libraries that make arrays of what they are given.
_ARRAY_LIBRARIES = frozenset({"matplotlib", "sklearn", "scipy", "pandas", "PIL", "cv2"})
_WRITES_JSON = frozenset({"json.dump", "json.dumps"})
#: What returns what it computed of its arguments, or a part of them.
_COMPUTES = ("torch.", "numpy.", *(f"builtins.{name}" for name in ("float", "int", "min", "max", "pow", "round")))
#: By these a class says what a copy of its objects is.
_OF_COPIES = ("__deepcopy__", "__getstate__", "__reduce__", "__reduce_ex__")


def symbol_call(machine: Machine, path: str, call: Call) -> Value:
    """What a call of something imported returns, by its dotted path."""
    if (seen := machine.bound_around(path)) is not None:
        return machine.call_value(seen, call)
    if path.startswith(("torch.", "numpy.")):
        call = bound(call, path)
    result = next((result for model in models(path) if (result := model(machine, path, call)) is not None), None)
    if result is None:
        result = of_unseen_library(machine, path, call)
    if path.startswith(_COMPUTES):
        result = carried(machine, result, [each.value for each in call.arguments], call.node, call.frame, path)
    if path.startswith("torch."):
        return torch_call(machine, path, call, result)
    if path.partition(".")[0] in _ARRAY_LIBRARIES:
        for argument in call.arguments:
            machine.note_exported(argument)
    if path.partition(".")[0] in _ARRAY_LIBRARIES or path in _WRITES_JSON:
        machine.emit(
            call.frame, events.LibraryCall, call.node, name=path, arguments=call.arguments, result=result, consumer=""
        )
    return result


def of_unseen_library(machine: Machine, path: str, call: Call) -> Value:
    if path.partition(".")[0] in FOREIGN_FRAMEWORKS:
        return Foreign(framework=path.partition(".")[0])
    asked = call.keyword("return_tensors")
    if isinstance(asked, Scalar) and asked.literal in {"tf", "np", "jax"}:
        return Foreign(framework=str(asked.literal))
    return unknown_result(machine, call)


@function("random.shuffle")
def shuffle(machine: Machine, path: str, call: Call) -> Value:
    if call.arguments and isinstance(call.arguments[0].value, Array):
        shuffled = call.arguments[0]
        machine.write(call.frame, call.node, shuffled.value, dotted_name(shuffled.node), Writing.METHOD)
    return tell_numpy_call(machine, "stdlib:random.shuffle", call, NONE)


@function("random.Random", "random.SystemRandom")
def random_source(machine: Machine, path: str, call: Call) -> Value:
    return Symbol(path="random")


@function("copy.copy")
def shallow_copy(machine: Machine, path: str, call: Call) -> Value | None:
    if not call.arguments:
        return None
    value = call.arguments[0].value
    # An array copies its data even then, a tensor does not (measured on NumPy 2.4 and torch 2.13.0).
    return deep_copy(machine, value) if isinstance(value, Array) else value


@function("copy.deepcopy")
def deepcopy(machine: Machine, path: str, call: Call) -> Value:
    if not call.arguments:
        return UNKNOWN
    copied = call.arguments[0]
    machine.emit(
        call.frame,
        object_events.DeepCopy,
        call.node,
        value=copied,
        attributes=attributes_copied(machine, copied, call.frame),
    )
    return deep_copy(machine, copied.value)


def attributes_copied(machine: Machine, copied: Argument, frame: Frame) -> tuple[tuple[str, Value], ...]:
    """What is bound under names of an object that is copied attribute by attribute."""
    if not isinstance(copied.value, (Module, Instance)):
        return ()
    cls = machine.cls(copied.value)
    if cls is not None and any(cls.method(name) is not None for name in _OF_COPIES):
        return ()
    names = f"{dotted_name(copied.node)}."
    return tuple((name, value) for name, value in frame.env.items() if name.startswith(names))


def deep_copy(machine: Machine, value: Value) -> Value:
    """A deep copy: everything equal, nothing shared."""
    match value:
        case Tensor() if value.grad.passed_on:
            # Only leaves are copied.
            return replace(value, grad=NO_FACT, storages=machine.storage(), alias=None, oid=machine.serial)
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


@function("functools.partial")
def make_partial(machine: Machine, path: str, call: Call) -> Value | None:
    if not call.arguments or not may_be_partial(call.arguments):
        return None
    kept = tuple(
        Given(machine.at(argument.node), argument.value, argument.keyword, argument.star)
        for argument in call.arguments[1:]
    )
    return Partial(function=call.arguments[0].value, arguments=kept, site=machine.at(call.node))


def may_be_partial(arguments: tuple[Argument, ...]) -> bool:
    """What a library is given by position would be missing where a repair writes the call anew."""
    function, *bound = arguments
    if isinstance(function.value, Symbol):
        return all(argument.keyword for argument in bound)
    return isinstance(function.value, (Function, ClassObject))


def partial_call(machine: Machine, made: Partial, call: Call) -> Value:
    given = {argument.keyword for argument in call.arguments if argument.keyword}
    nodes = [machine.sites.node(argument.site) for argument in made.arguments]
    if not all(isinstance(node, cst.BaseExpression) for node in nodes):
        if not isinstance(made.function, (Function, ClassObject)):
            return unknown_result(machine, call)
        # It was made in another file. In what is said of a function that was seen, the call stands for it.
        nodes = [call.node for _ in nodes]
    kept = tuple(
        Argument(spelled, argument.value, argument.keyword, argument.star)
        for argument, spelled in zip(made.arguments, nodes, strict=True)
        if argument.keyword not in given and isinstance(spelled, cst.BaseExpression)
    )
    result = machine.call_value(made.function, replace(call, arguments=(*kept, *call.arguments)))
    if isinstance(result, Tensor) and result.grad.site == machine.at(call.node) and kept:
        # Show where it says so, which is where the function was made.
        return replace(result, grad=replace(result.grad, site=made.site))
    return result


@function("einops.rearrange", "einops.repeat", "einops.reduce", "einops.pack")
def einops(machine: Machine, path: str, call: Call) -> Value | None:
    if not call.arguments:
        return None
    value = call.arguments[0].value
    if not isinstance(value, (Tensor, Array, Unknown)):
        return UNKNOWN
    kept = NO_STORAGE if path.endswith(("reduce", "pack")) else value.storages
    return replace(value, storages=kept, oid=machine.next_serial())


@function("**.tqdm", "**.trange", "**.track", "**.progress_bar")
def progress(machine: Machine, path: str, call: Call) -> Value | None:
    return call.arguments[0].value if call.arguments else None


@function(
    *(
        f"{module}.{kind}"
        for module in ("multiprocessing", "torch.multiprocessing")
        for kind in ("Queue", "JoinableQueue")
    ),
    *(f"queue.{kind}" for kind in ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")),
)
def queue(machine: Machine, path: str, call: Call) -> Value:
    """One that a thread of its own serves."""
    return Unknown(
        source=Provenance.TORCH_QUEUE if path.startswith("torch.") else Provenance.QUEUE, oid=machine.next_serial()
    )


@function("torch.multiprocessing.SimpleQueue")
def simple_queue(machine: Machine, path: str, call: Call) -> Value:
    return Unknown(source=Provenance.TORCH_PIPE, oid=machine.next_serial())


@function("random.choice", "random.choices", "random.sample")
def drawn(machine: Machine, path: str, call: Call) -> Value:
    """One or some of what is given."""
    if call.first is None:
        return PLAIN
    one = element_of(machine, call.first, call.node, call.frame)
    return one if path.endswith(".choice") else Sequence(kind="list", element=one, oid=machine.next_serial())


@function("collections.deque")
def deque(machine: Machine, path: str, call: Call) -> Value:
    return Sequence(kind="list", items=(), born=machine.next_serial(), oid=machine.serial)


@function(*(f"{name}.*" for name in ("os", "sys", "time", "math", "re", "logging", "pathlib", "random")))
def plain(machine: Machine, path: str, call: Call) -> Value:
    return PLAIN


@function("sys.exit", "os._exit", "builtins.exit", "builtins.quit", "pytest.fail", "pytest.skip")
def leave(machine: Machine, path: str, call: Call) -> Value:
    """What comes behind is not reached."""
    call.frame.alive = False
    return NONE


@function("contextlib.nullcontext")
def nullcontext(machine: Machine, path: str, call: Call) -> Value:
    return Foreign()

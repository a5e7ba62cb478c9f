"""Containers of modules: what is known of those that they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import Module, Scalar, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.objects import kept_on
from tensorlint.flow.tree import dotted_name

#: What holds modules under numbers or names.
HOLDERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})

#: Those without parameters that keep the dtype of what they are given; or raise, as many do for integers (measured on
#: torch 2.13.0).
_PASSING = re.compile(
    r"torch\.nn\.((Unf|F)latten|Identity|((Adaptive)?(Max|Avg)Pool|Dropout|InstanceNorm|\w+Pad)[1-3]?d?|(Leaky)?ReLU6?|GELU|ELU|SiLU)"
)


def is_holder(value: Module) -> bool:
    """Whether a module is one of torch's containers of modules."""
    return value.cls is None and value.name.removeprefix("torch.nn.") in HOLDERS


def one_held(machine: Machine, value: Module) -> Module:
    """One of the modules that a container holds: of what is told of all of them."""
    (site, *others) = value.parts or (None,)
    cls = None if site is None or others else machine.class_at(site)
    return value if cls is None else replace(value, cls=site, name=cls.name, parts=frozenset())


def classes_of(values: Iterable[Value]) -> frozenset[Site | None]:
    """Where the classes are defined of the modules that are given to a container."""
    inside = (leaf for value in values for leaf in leaves(value) if not isinstance(leaf, Scalar))
    return frozenset(each.cls if isinstance(each, Module) else None for each in inside)


def held_further(machine: Machine, holder: Module, call: Call) -> Value:
    """``layers.append(Block())``: a container of modules holds one more, or several."""
    added = [argument.value for argument in call.arguments]
    more = [machine.trainable(leaf) for value in added for leaf in leaves(value)]
    # One that is empty as yet has no parameters for sure.
    known = [holder.trainable] if holder.parts else []
    grown = replace(
        holder,
        trainable=max([*known, *more], default=Truth.UNKNOWN),
        parts=holder.parts | classes_of(added),
        dtype=holder.dtype if dtype_inside(call.arguments) is holder.dtype else OTHER_DTYPE,
    )
    call.frame.env.change(holder, lambda held: grown)
    kept_on(machine, dotted_name(call.node.func).rpartition(".")[0], grown, call.frame)
    return grown


def begins_in_float(arguments: tuple[Argument, ...]) -> bool:
    """Whether the modules of a ``Sequential`` give what they are given to one that takes float32 only, as it is."""
    for argument in arguments:
        if not isinstance(argument.value, Module) or argument.star:
            return False
        if argument.value.refuses_double or not _PASSING.fullmatch(argument.value.name):
            return argument.value.refuses_double
    return False


def dtype_inside(arguments: tuple[Argument, ...]) -> Dtype:
    """What the modules were cast to that a container is made of; as they were made only where all of them are seen."""
    parts = [leaf for argument in arguments for leaf in leaves(argument.value) if not isinstance(leaf, Scalar)]
    if not all(isinstance(part, Module) for part in parts):
        return OTHER_DTYPE
    dtypes = {part.dtype for part in parts if isinstance(part, Module) and part.trainable is not Truth.NO}
    return next(iter(dtypes), UNKNOWN_DTYPE) if len(dtypes) < 2 else OTHER_DTYPE

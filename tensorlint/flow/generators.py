"""Generators of random numbers that an object keeps, and what draws from them: found in the text of its class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow.domain.values import Instance, Module, Symbol
from tensorlint.flow.tree import children, dotted_name, parameters_of, walk_scope

if TYPE_CHECKING:
    from tensorlint.flow.defined import ClassInfo, FunctionInfo
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.domain.values import Value
    from tensorlint.flow.machine import Machine

_MAKERS = frozenset({"numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.Generator"})
#: What is asked of a generator to have it, or another one, start elsewhere; who does so has thought of it.
_RESEEDS = frozenset({"seed", "set_state", "bit_generator", "spawn", "jumped"})
#: How many calls of methods are followed.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """What an item is drawn from: a generator that an object keeps as ``name``."""

    name: str
    made: Site
    draw: Site
    #: Whether every item is.
    always: bool


def drawn_for_items(machine: Machine, dataset: ClassInfo) -> Drawn | None:
    """What the items of a dataset are drawn from, if that is made once and for all by ``__init__``."""
    found = [
        drawn
        for name in ("__getitem__", "__getitems__")
        if (method := dataset.method(name)) is not None
        for drawn in _drawn_in(machine, dataset, method, _DEPTH)
    ]
    return max(found, key=lambda drawn: drawn.always, default=None)


def reseeds(function: cst.CSTNode, name: str) -> bool:
    """Whether a function that every worker calls first sees to the generator that is kept as ``name``."""
    return any(
        isinstance(node, cst.Name) and node.value in {name, "get_worker_info", "dataset"} for node in _all_in(function)
    )


def _drawn_in(machine: Machine, cls: ClassInfo, method: FunctionInfo, depth: int) -> Iterator[Drawn]:
    """What a method of ``cls`` draws from, or a method that it calls."""
    owner = _self_of(method)
    if not owner or not depth:
        return
    kept = _generators_of(machine, cls)
    sites = machine.sites if method.unit is None else method.unit.sites
    for node, always in _run_by(method.node):
        match node:
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=called))):
                # Number by number here; what is handed on, or gets another name, may be drawn from.
                attribute, asked = _attribute_of(inner, owner), True
            case cst.Arg(value=inner) | cst.Assign(value=inner):
                attribute, asked, called = _attribute_of(inner, owner), False, ""
            case _:
                continue
        if attribute in kept and not _sees_to(cls, attribute):
            yield Drawn(attribute, kept[attribute], sites.of(inner), always and asked)
        elif asked and isinstance(inner, cst.Name) and inner.value == owner:
            other, name = _called_on(machine, cls.attribute(called)), "__call__"
            other, name = (cls, called) if other is None else (other, name)
            yield from _those_of(machine, other, name, depth, always=always)
        elif asked and attribute and (other := _called_on(machine, cls.attribute(attribute))) is not None:
            yield from _those_of(machine, other, called, depth, always=always)


def _attribute_of(node: cst.CSTNode, owner: str) -> str:
    """``rng`` of ``self.rng``; empty for anything else."""
    match node:
        case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=attribute)) if name == owner:
            return attribute
        case _:
            return ""


def _called_on(machine: Machine, held: Value | None) -> ClassInfo | None:
    """The class of an object that is kept."""
    return machine.cls(held) if isinstance(held, (Instance, Module)) else None


def _those_of(machine: Machine, cls: ClassInfo, name: str, depth: int, *, always: bool) -> Iterator[Drawn]:
    method = cls.method(name)
    for drawn in _drawn_in(machine, cls, method, depth - 1) if method is not None else ():
        yield Drawn(drawn.name, drawn.made, drawn.draw, drawn.always and always)


def _generators_of(machine: Machine, cls: ClassInfo) -> dict[str, Site]:
    """The attributes that ``__init__`` makes a generator of, with the call that does."""
    initializer = cls.method("__init__")
    owner = _self_of(initializer) if initializer is not None else ""
    if initializer is None or not owner:
        return {}
    unit = initializer.unit
    sites, env = (machine.sites, machine.module_env) if unit is None else (unit.sites, unit.frame.env)
    kept: dict[str, Site] = {}
    for node in walk_scope(initializer.node):
        match node:
            case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value):
                pass
            case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                pass
            case _:
                continue
        match target:
            case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=attribute)) if name == owner:
                made = next((call for call in _chosen(value) if isinstance(call, cst.Call)), None)
                path = dotted_name(made.func) if made is not None else ""
                head, _, rest = path.partition(".")
                found = env.lookup(head) if head else None
                if (
                    made is not None
                    and isinstance(found, Symbol)
                    and ".".join(filter(None, (found.path, rest))) in _MAKERS
                ):
                    kept[attribute] = sites.of(made)
    return kept


def _chosen(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What an expression may be: ``a if b else c``, ``a or b``."""
    match value:
        case cst.IfExp(body=body, orelse=orelse):
            yield from _chosen(body)
            yield from _chosen(orelse)
        case cst.BooleanOperation(left=left, right=right):
            yield from _chosen(left)
            yield from _chosen(right)
        case _:
            yield value


def _sees_to(cls: ClassInfo, attribute: str) -> bool:
    """Whether a class gives its workers, or its items, generators of their own."""
    if any(_sees_to(parent, attribute) for parent in cls.parents):
        return True
    for method in cls.methods.values():
        owner = _self_of(method)
        for node in _all_in(method.node):
            match node:
                case cst.Name(value="get_worker_info" | "worker_info" | "worker_id"):
                    return True
                case cst.Attribute(
                    value=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=held)), attr=asked
                ):
                    if (name, held) == (owner, attribute) and asked.value in _RESEEDS:
                        return True
                case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) if method.name != "__init__":
                    if dotted_name(target) == f"{owner}.{attribute}":
                        return True
                case _:
                    pass
    return False


def _run_by(node: cst.CSTNode, *, always: bool = True) -> Iterator[tuple[cst.CSTNode, bool]]:
    """What a function may run, and whether it does so each time, as far as is seen."""
    yield node, always
    for child in children(node):
        yield from _run_by(child, always=always and _is_run(child, node))
        always = always and not (isinstance(child, cst.BaseCompoundStatement) and _may_leave(child))


def _is_run(child: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether ``child`` is run whenever ``node`` is, which it is a part of."""
    match node:
        case cst.If(test=first) | cst.IfExp(test=first) | cst.While(test=first) | cst.BooleanOperation(left=first):
            return child is first
        case cst.For(iter=first) | cst.CompFor(iter=first) | cst.Try(body=first):
            return child is first
        case cst.ListComp() | cst.SetComp() | cst.DictComp() | cst.GeneratorExp():
            return isinstance(child, cst.CompFor)
        case _:
            return not isinstance(child, (cst.FunctionDef, cst.Lambda))


def _may_leave(node: cst.CSTNode) -> bool:
    return any(isinstance(each, (cst.Return, cst.Break, cst.Continue)) for each in walk_scope(node))


def _self_of(method: FunctionInfo) -> str:
    """What a method calls its object; empty for one that has none."""
    parameters = parameters_of(method.node)
    static = any(dotted_name(decorator) in {"staticmethod", "classmethod"} for decorator in method.decorators)
    return parameters[0].name.value if parameters and not static else ""


def _all_in(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in children(node):
        yield from _all_in(child)

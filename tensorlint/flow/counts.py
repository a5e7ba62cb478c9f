"""How many elements a tensor or an array has, where the text of one function, or of the module, says it."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import libcst as cst

from tensorlint.flow.tree import bound_in, dotted_name, walk_scope

#: Functions that are given a shape, by one argument or, some of those of torch and ``np.random``, by several.
_OF_SHAPE = frozenset({"zeros", "ones", "empty", "full", "random", "random_sample", "standard_normal", "rand", "randn"})
#: What has as many elements as its argument, or as what it is a method of.
_AS_MANY = frozenset(
    {"zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "copy", "ascontiguousarray"}
    | {"from_numpy", "as_tensor", "asarray", "array", "tensor", "FloatTensor", "DoubleTensor", "LongTensor", "Tensor"}
    | {"astype", "float", "double", "clone", "detach", "cpu", "numpy", "reshape", "contiguous", "ravel", "flatten"}
)
_METHODS = frozenset({"astype", "float", "double", "clone", "detach", "cpu", "numpy", "contiguous", "flatten"})
_MAX_DEPTH = 8


def count_of(scope: cst.CSTNode, node: cst.CSTNode, depth: int = _MAX_DEPTH) -> int | None:
    """How many elements the tensor or the array has that ``node`` stands for."""
    match node:
        case _ if not depth:
            return None
        case cst.List() | cst.Tuple():
            return _all_in([each.value for each in node.elements])
        case cst.Name(value=name):
            made = _bound_to(scope, name)
            return None if made is None or isinstance(made, cst.List | cst.Tuple) else count_of(scope, made, depth - 1)
        case cst.Call(func=function, args=arguments):
            return _made_by(scope, function, arguments, depth)
        case _:
            return None


def shape_of(scope: cst.CSTNode, arguments: Iterable[cst.BaseExpression]) -> int | None:
    """How many elements there are in what is given this shape: one that is spelled, or that of something else."""
    given = [*arguments]
    match given:
        case [cst.List(elements=elements) | cst.Tuple(elements=elements)]:
            return shape_of(scope, [each.value for each in elements])
        case [cst.Call(func=cst.Attribute(attr=cst.Name(value="Size")), args=[cst.Arg(value=inside)])]:
            return shape_of(scope, [inside])
        case [cst.Attribute(value=owner, attr=cst.Name(value="shape"))]:
            return count_of(scope, owner)
        case [cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="size")), args=[])]:
            return count_of(scope, owner)
        case [cst.Name(value=name)] if isinstance(made := _bound_to(scope, name), cst.Tuple):
            return shape_of(scope, [made])
    sizes = [_integer(scope, each) for each in given]
    known = [each for each in sizes if each is not None and each >= 0]
    return prod(known) if known and len(known) == len(sizes) else None


def _made_by(scope: cst.CSTNode, function: cst.BaseExpression, arguments: Iterable[cst.Arg], depth: int) -> int | None:
    name = dotted_name(function).rpartition(".")[2] or getattr(getattr(function, "attr", None), "value", "")
    plain = [each.value for each in arguments if each.keyword is None and not each.star]
    named = {each.keyword.value: each.value for each in arguments if each.keyword is not None}
    if any(each.star for each in arguments):
        return None
    if isinstance(function, cst.Attribute) and name in _METHODS | {"reshape", "ravel", "copy"}:
        owned = count_of(scope, function.value, depth - 1)
        if owned is not None or name in _METHODS:
            return owned
    if "size" in named:
        return shape_of(scope, [named["size"]]) if name not in _AS_MANY else None
    if name in _OF_SHAPE:
        # Behind a shape of NumPy may be a number to fill it with, or a dtype.
        alone = name == "full" or (len(plain) == 2 and isinstance(plain[1], cst.Attribute))
        return shape_of(scope, plain[:1] if alone else plain)
    if name in _AS_MANY and plain:
        return count_of(scope, plain[0], depth - 1)
    numbers = [_integer(scope, each) for each in plain]
    match name, numbers:
        case "arange", [int(stop)]:
            return max(stop, 0)
        case "arange", [int(start), int(stop)]:
            return max(stop - start, 0)
        case "eye", [int(rows)]:
            return rows * rows
        case "linspace", [_, _, int(count)]:
            return count
        case _:
            return None


def _all_in(elements: list[cst.BaseExpression]) -> int | None:
    """How many numbers are spelled in a list, and in the lists in it."""
    total = 0
    for element in elements:
        match element:
            case cst.List() | cst.Tuple():
                inside = _all_in([each.value for each in element.elements])
                if inside is None:
                    return None
                total += inside
            case cst.Integer() | cst.Float() | cst.UnaryOperation(expression=cst.Integer() | cst.Float()):
                total += 1
            case _:
                return None
    return total


def _integer(scope: cst.CSTNode, node: cst.BaseExpression) -> int | None:
    match node:
        case cst.Integer():
            return int(node.evaluated_value)
        case cst.Name(value=name):
            made = _bound_to(scope, name)
            return int(made.evaluated_value) if isinstance(made, cst.Integer) else None
        case cst.BinaryOperation(operator=cst.Multiply(), left=left, right=right):
            factors = _integer(scope, left), _integer(scope, right)
            return None if None in factors else prod(each for each in factors if each is not None)
        case _:
            return None


def _bound_to(scope: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What a name of ``scope`` is bound to in its one place, if it is resized at most once."""
    if sum(each == name for each in bound_in(scope)) != 1:
        return None
    made: cst.BaseExpression | None = None
    resized = 0
    for node in walk_scope(scope):
        match node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=target))], value=value) if target == name:
                made = value
            case cst.AnnAssign(target=cst.Name(value=target), value=value) if target == name:
                made = value
            case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=method)) if owner == name:
                resized += method.startswith(("resize", "set_")) or method == "data"
    return made if resized <= 1 else None

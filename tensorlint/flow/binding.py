"""How the arguments of a call meet the parameters of what is called, and what its defaults say."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow.call import Argument
from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.domain.values import Scalar, Value
from tensorlint.flow.tree import dotted_name, parameters_of
from tensorlint.knowledge import names


def flags_of(info: FunctionInfo) -> dict[str, Value]:
    """Parameters that are on or off when nothing is passed."""
    return {
        parameter.name.value: Scalar(kind="bool", literal=parameter.default.value == "True", known=True)
        for parameter in parameters_of(info.node)
        if isinstance(parameter.default, cst.Name) and parameter.default.value in {"True", "False"}
    }


def numbers_of(info: FunctionInfo) -> dict[str, Value]:
    """Parameters that are a number when nothing is passed."""
    return {
        parameter.name.value: Scalar(kind="int" if isinstance(parameter.default, cst.Integer) else "float")
        for parameter in parameters_of(info.node)
        if isinstance(parameter.default, (cst.Integer, cst.Float))
    }


def words_of(info: FunctionInfo) -> list[str]:
    """Parameters that are a word when nothing is passed, or a device by their name."""
    return [
        parameter.name.value
        for parameter in parameters_of(info.node)
        if isinstance(parameter.default, cst.SimpleString)
        or (parameter.default is not None and names.DEVICE.search(parameter.name.value))
    ]


def bound_arguments(info: FunctionInfo, arguments: tuple[Argument, ...], *, bound: bool) -> dict[str, Value]:
    """Arguments by parameter name; what stands behind a star is not known."""
    return {name: argument.value for name, argument in _bound(info, arguments, bound=bound).items()}


def bound_nodes(info: FunctionInfo, arguments: tuple[Argument, ...], *, bound: bool) -> dict[str, cst.CSTNode]:
    """The expressions of arguments, likewise."""
    return {name: argument.node for name, argument in _bound(info, arguments, bound=bound).items()}


def _bound(info: FunctionInfo, arguments: tuple[Argument, ...], *, bound: bool) -> dict[str, Argument]:
    params = info.node.params
    positional = [parameter.name.value for parameter in (*params.posonly_params, *params.params)]
    is_static = any(dotted_name(decorator) == "staticmethod" for decorator in info.decorators)
    if bound and info.cls is not None and not is_static:
        positional = positional[1:]
    passed: dict[str, Argument] = {}
    for index, argument in enumerate(argument for argument in arguments if not argument.keyword):
        if argument.star:
            break
        if index < len(positional):
            passed[positional[index]] = argument
    known = {parameter.name.value for parameter in parameters_of(info.node)}
    passed.update({argument.keyword: argument for argument in arguments if argument.keyword in known})
    return passed

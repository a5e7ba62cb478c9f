"""What a decorator that was seen does to the functions that it is given."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tensorlint.flow.tree import children, dotted_name, parameters_of

#: What switches gradients off, as a decorator and in a ``with`` statement.
NO_GRAD = frozenset({"no_grad", "inference_mode"})


def runs_without_grad(decorator: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether each call of what it is given, in the wrapper that it returns, is made where gradients are off."""
    parameters = parameters_of(decorator)
    if not parameters:
        return False
    calls = list(_calls(decorator.body, parameters[0].name.value, off=False))
    return bool(calls) and all(calls)


def _calls(node: cst.CSTNode, name: str, *, off: bool) -> Iterator[bool]:
    """For each call of what ``name`` holds whether gradients are off there."""
    match node:
        case cst.FunctionDef(decorators=decorators):
            off = off or any(_switches_off(each.decorator) for each in decorators)
        case cst.With(items=items):
            off = off or any(_switches_off(each.item) for each in items)
        case cst.Call(func=cst.Name(value=called)) if called == name:
            yield off
        case cst.Call(func=cst.Call() as switch, args=[cst.Arg(value=cst.Name(value=given))]) if given == name:
            # ``torch.no_grad()(function)``
            yield off or _switches_off(switch)
    for child in children(node):
        yield from _calls(child, name, off=off)


def _switches_off(node: cst.BaseExpression) -> bool:
    """``torch.no_grad()``; not ``torch.inference_mode(False)`` or one that is told by a name."""
    called, arguments = (node.func, node.args) if isinstance(node, cst.Call) else (node, ())
    said = [argument.value for argument in arguments]
    sure = all(isinstance(value, cst.Name) and value.value == "True" for value in said)
    return sure and dotted_name(called).split(".")[-1] in NO_GRAD

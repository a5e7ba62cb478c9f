"""Loops that go through a tensor and ask each element for its number, found in their text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import libcst as cst

from tensorlint.flow.details import Asks
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.tree import bound_in, children, dotted_name, names_in, walk_scope

#: By the name of an element: the tensor that a loop goes through, and the expression for it.
Rows: TypeAlias = "dict[str, tuple[Tensor, cst.BaseExpression]]"

_NUMBERS = frozenset({"float", "int", "bool"})
_TRANSFERS = frozenset({"cpu", "detach"})
_TO_HOST = _TRANSFERS | {"numpy", "tolist"}
#: Functions that cost no more than to ask for a number.
_QUICK = _NUMBERS | {"str", "round", "abs", "min", "max"}
#: What may leave out a part of itself.
_CHOOSES = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


def asked(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What ``node`` asks for its number, as ``x.item()`` and ``float(x.cpu())`` do of ``x``."""
    match node:
        case cst.Call(func=cst.Attribute(value=tensor, attr=cst.Name(value="item")), args=[]):
            return unmoved(tensor)
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(value=tensor, keyword=None, star="")]) if (
            name in _NUMBERS
        ):
            return unmoved(tensor)
        case _:
            return None


def unmoved(node: cst.BaseExpression) -> cst.BaseExpression:
    """A tensor before it was brought to the CPU, or detached."""
    match node:
        case cst.Call(func=cst.Attribute(value=tensor, attr=cst.Name(value=name)), args=[]) if name in _TRANSFERS:
            return unmoved(tensor)
        case _:
            return node


def transferred(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The tensor all of which is brought to the CPU by a chain of methods, as in ``x.detach().cpu().numpy()``."""
    brought = False
    while True:
        match node:
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name)), args=[]) if name in _TO_HOST:
                node, brought = inner, brought or name in {"cpu", "tolist"}
            case _:
                return node if brought else None


def exported(node: cst.BaseExpression) -> tuple[cst.BaseExpression, str] | None:
    """What a list or an array is made of, and which it is.

    "list" for ``x.cpu().tolist()`` and ``np.array(x.tolist())``, "array" for ``x.detach().cpu().numpy()``.
    """
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="array" | "asarray")), args=[cst.Arg(value=inner)]):
            made = exported(inner)
            return made if made is not None and made[1] == "list" else None
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="tolist" | "numpy" as name)), args=[]):
            return unmoved(inner), "list" if name == "tolist" else "array"
        case _:
            return None


def varies(loop: cst.CSTNode, index: cst.CSTNode) -> bool:
    """Whether a loop binds something that ``index`` is made of."""
    return not names_in(index).isdisjoint(bound_in(loop))


def counted_by(loop: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What ``range`` is given in a loop that counts by this name."""
    for clause in _clauses(loop):
        match clause:
            case (
                cst.For(target=cst.Name(value=counter), iter=iterable)
                | cst.CompFor(target=cst.Name(value=counter), iter=iterable)
            ) if counter == name:
                match iterable:
                    case cst.Call(func=cst.Name(value="range"), args=[cst.Arg(value=end)]):
                        return end
    return None


def changes(loop: cst.CSTNode, whole: cst.BaseExpression) -> bool:
    """Whether a loop binds what ``whole`` is made of, or writes to it."""
    names, path = names_in(whole), dotted_name(whole)
    body = loop.body if isinstance(loop, cst.For) else loop
    for node in walk_scope(body):
        match node:
            case cst.AssignTarget(target=target) | cst.AugAssign(target=target) | cst.AnnAssign(target=target):
                if names & names_in(target) or not names.isdisjoint(bound_in(node)):
                    return True
            case cst.For() | cst.NamedExpr() | cst.AsName() if not names.isdisjoint(_bound(node)):
                return True
            case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method))):
                if method.endswith("_") and path and dotted_name(owner) == path:
                    return True
            case _:
                pass
    return False


def uses_of(loop: cst.CSTNode, name: str, whole: cst.BaseExpression, scope: cst.CSTNode | None) -> Asks:
    """How ``loop`` uses its elements of this name."""
    found = [use for part in _parts(loop) for use in _uses(part, name)]
    spelled = tuple(use for use in found if use is not None)
    outlives = isinstance(loop, cst.For) and scope is not None and _is_read(scope, name, loop)
    return Asks(
        name,
        spelled=spelled if len(spelled) == len(found) else None,
        always=_asks_always(loop, name),
        collects=_collects(loop),
        outlives=outlives,
        written=any(_may_write(each, names_in(whole)) for part in _parts(loop) for each in (part, *walk_scope(part))),
    )


def _may_write(node: cst.CSTNode, names: frozenset[str]) -> bool:
    """Whether a call is given one of these names, or is one that writes tensors."""
    if not isinstance(node, cst.Call):
        return False
    method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    return method == "step" or method.endswith("_") or not names.isdisjoint(names_in(node))


def _parts(loop: cst.CSTNode) -> list[cst.CSTNode]:
    """What a loop does with its elements."""
    match loop:
        case cst.For(body=body):
            return [body]
        case cst.DictComp(key=key, value=value):
            return [key, value, *_conditions(loop)]
        case cst.ListComp(elt=element) | cst.SetComp(elt=element) | cst.GeneratorExp(elt=element):
            return [element, *_conditions(loop)]
        case _:
            return []


def _conditions(loop: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for clause in _clauses(loop):
        if isinstance(clause, cst.CompFor):
            yield from clause.ifs
            if clause.inner_for_in is not None:
                yield clause.inner_for_in.iter


def _clauses(loop: cst.CSTNode) -> Iterator[cst.For | cst.CompFor]:
    if isinstance(loop, cst.For):
        yield loop
        return
    clause = getattr(loop, "for_in", None)
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def _uses(node: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression | None]:
    """The uses of a name that ask for its number, as they are spelled; None for another one."""
    match asked(node), node:
        case cst.Name(value=found), cst.Call(func=cst.Attribute()) if found == name:
            yield node
        case cst.Name(value=found), cst.Call(args=[cst.Arg(value=given)]) if found == name:
            yield given
        case _, cst.Name(value=found):
            if found == name:
                yield None
        case _, cst.Attribute(value=inner) | cst.Arg(value=inner):
            yield from _uses(inner, name)
        case _:
            for child in children(node):
                yield from _uses(child, name)


def _asks_always(loop: cst.CSTNode, name: str) -> bool:
    """Whether every iteration asks for the number."""
    if not isinstance(loop, cst.For):
        clauses = list(_clauses(loop))
        if len(clauses) > 1:
            return False
        ifs = clauses[0].ifs if clauses and isinstance(clauses[0], cst.CompFor) else ()
        return any(_asks(part.test if ifs else part, name) for part in (ifs[:1] or _parts(loop)))  # type: ignore[attr-defined]
    for statement in loop.body.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            return isinstance(statement, cst.If) and _asks(statement.test, name)
        if any(_asks(small, name) for small in statement.body):
            return True
    return False


def _asks(node: cst.CSTNode, name: str) -> bool:
    if isinstance(found := asked(node), cst.Name) and found.value == name:
        return True
    if isinstance(node, cst.BooleanOperation):
        return _asks(node.left, name)
    return not isinstance(node, _CHOOSES) and any(_asks(child, name) for child in children(node))


def _collects(loop: cst.CSTNode) -> bool:
    """Whether a loop only fills a list, a dictionary or an array, without other work."""
    match loop:
        case (
            cst.For(body=cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[statement])]))
            | cst.For(body=cst.SimpleStatementSuite(body=[statement]))
        ):
            pass
        case cst.For():
            return False
        case _:
            calls = [each for part in _parts(loop) for each in (part, *walk_scope(part)) if isinstance(each, cst.Call)]
            return all(asked(call) is not None or unmoved(call) is not call or _is_quick(call) for call in calls)
    match statement:
        case cst.Expr(value=cst.Call(func=cst.Attribute(attr=cst.Name(value="append" | "add")), args=[argument])):
            return asked(argument.value) is not None
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript())], value=value):
            return asked(value) is not None
        case _:
            return False


def _is_quick(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value in _QUICK


def _is_read(node: cst.CSTNode, name: str, loop: cst.For) -> bool:
    """Whether a name is read elsewhere than in ``loop`` and in what goes through something else by that name."""
    match node:
        case cst.Name(value=found):
            return found == name
        case cst.Attribute(value=inner) | cst.Arg(value=inner):
            return _is_read(inner, name, loop)
        case cst.For() | cst.ListComp() | cst.SetComp() | cst.DictComp() | cst.GeneratorExp():
            clauses = list(_clauses(node))
            if any(name in names_in(clause.target) for clause in clauses):
                parts = [clause.iter for clause in clauses]
                return node is not loop and any(_is_read(part, name, loop) for part in parts)
    return any(_is_read(child, name, loop) for child in children(node))


def _bound(node: cst.For | cst.NamedExpr | cst.AsName) -> frozenset[str]:
    return names_in(node.name if isinstance(node, cst.AsName) else node.target)

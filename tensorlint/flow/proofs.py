"""What the text of one function proves by itself: statements that all run, one after another, on names bound once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from tensorlint.flow.tree import bound_in, children, contains, dotted_name, names_in, walk_scope

#: What runs later, more often, or not at all.
_APART = (
    *(cst.If, cst.For, cst.While, cst.Try, cst.TryStar, cst.Match, cst.FunctionDef, cst.ClassDef, cst.Lambda),
    *(cst.IfExp, cst.BooleanOperation, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp),
)
_LEAVES = (cst.Return, cst.Break, cst.Continue)
#: Functions that give memory of its own, whatever they are given.
ALLOCATING = frozenset(
    f"{library}.{name}"
    for library in ("numpy", "torch")
    for name in ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
) | frozenset({"numpy.array", "torch.tensor", "torch.rand", "torch.randn", "torch.arange", "numpy.arange"})
#: What looks at memory, and takes none of its own.
_IMPORTS = frozenset({"from_numpy", "as_tensor", "asarray"})
_VIEWS = frozenset({"numpy", "detach"})


def in_order(scope: cst.CSTNode, nodes: Sequence[cst.CSTNode]) -> bool:
    """Whether these stand in one block of ``scope`` in this order, so that whatever runs the last ran the others.

    The body of a ``with`` belongs to the block around it.
    """
    for block in _blocks(scope):
        places = [_place(block, node) for node in nodes]
        if all(place is not None for place in places):
            known = [place for place in places if place is not None]
            between = block[known[0] : known[-1]]
            return known == sorted(known) and not any(map(_may_leave, between))
    return False


def is_shown_only(scope: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether ``node`` is read to be printed or checked, as in a demonstration."""
    for each in walk_scope(scope):
        if isinstance(each, cst.Assert) and contains(each, node):
            return True
        printed = each.args if isinstance(each, cst.Call) and dotted_name(each.func) == "print" else ()
        if any(argument.value is node for argument in printed):
            return True
        if isinstance(each, cst.FormattedStringExpression | cst.Expr) and _bare(each) is node:
            return True
    return False


def _bare(node: cst.FormattedStringExpression | cst.Expr) -> cst.BaseExpression:
    return node.expression if isinstance(node, cst.FormattedStringExpression) else node.value


def only_value(scope: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What a plain name stands for in all of ``scope``: bound in one place, and never written in place."""
    made = [line.value for line in _assignments(scope, name)]
    if len(made) != 1 or sum(each == name for each in bound_in(scope)) != 1 or "." in name:
        return None
    return None if any(_writes(each, name) for each in walk_scope(scope)) else made[0]


def is_only_written(scope: cst.CSTNode, name: str, write: cst.CSTNode) -> bool:
    """Whether ``write`` is all that is done with a tensor or an array: it has no name, or one that is only written."""
    mentions, written = 0, 0
    for each in walk_scope(scope):
        match each:
            case cst.Expr(value=cst.Call(func=cst.Attribute(value=receiver)) as call):
                if not name and call is write:
                    return True
                written += _writes(call, name) and dotted_name(receiver) == name
            case cst.AugAssign(target=target) | cst.AssignTarget(target=target):
                written += bool(name) and _owner(target) == name
            case cst.Name(value=used):
                mentions += used == name
    return bool(name) and "." not in name and mentions == written


def reads_elsewhere(scope: cst.CSTNode, read: cst.CSTNode, write: cst.CSTNode) -> bool:
    """Whether ``write`` sets one element by its number, and ``read`` looks at one of another number."""
    places = [_number(write), *(_number(each) for each in walk_scope(scope) if _is_item_of(each, read))]
    return len(places) == 2 and None not in places and places[0] != places[1]


def _is_item_of(node: cst.CSTNode, owner: cst.CSTNode) -> bool:
    return isinstance(node, cst.Subscript) and node.value is owner


def _number(node: cst.CSTNode) -> str | None:
    match node:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value=number)))]):
            return number
        case _:
            return None


def is_read_back(scope: cst.CSTNode, save: cst.Call) -> bool:
    """Whether ``torch.save(value, target)`` is followed by a plain ``torch.load(target)`` that always runs."""
    library, _, _ = dotted_name(save.func).rpartition(".")
    targets = [each.value for each in save.args if each.keyword is None or each.keyword.value == "f"][1:]
    if not library or len(targets) != 1:
        return False
    for each in walk_scope(scope):
        if not isinstance(each, cst.Call) or dotted_name(each.func) != f"{library}.load" or not each.args:
            continue
        named = {argument.keyword.value for argument in each.args if argument.keyword is not None}
        plain = each.args[0].keyword is None and not named & {"weights_only", "pickle_module"}
        if plain and each.args[0].value.deep_equals(targets[0]) and in_order(scope, [save, each]):
            return True
    return False


def is_kept_each_round(
    scope: cst.CSTNode,
    loop: cst.CSTNode,
    store: cst.CSTNode,
    expression: cst.CSTNode,
    write: cst.CSTNode,
    allocates: Callable[[cst.BaseExpression], bool],
) -> bool:
    """Whether each round of ``loop`` writes one buffer and keeps it, in a container that is looked at afterwards.

    ``store`` puts ``expression`` there, ``write`` is where the buffer is written.
    """
    name, kept = buffer_of(expression), _container(store)
    if (
        not isinstance(loop, cst.For | cst.While)
        or not isinstance(loop.body, cst.IndentedBlock)
        or not name
        or not kept
    ):
        return False
    if any(isinstance(each, _LEAVES) for each in walk_scope(loop)) or not _writes(write, name):
        return False
    block = _flat(loop.body.body)
    if _place(block, store) is None or _place(block, write) is None:
        return False
    return (
        bool(name and kept)
        and _is_bound_once(scope, loop, name, allocates)
        and _is_bound_once(scope, loop, kept, _is_empty)
        and _mentions(loop, kept) == 1
        and _is_looked_at(scope, loop, kept)
    )


def is_handed_out(
    constructor: cst.CSTNode,
    method: cst.CSTNode,
    expression: cst.CSTNode,
    write: cst.CSTNode,
    allocates: Callable[[cst.BaseExpression], bool],
) -> bool:
    """Whether ``method`` always writes a buffer that its object was given at first, and returns it."""
    name = buffer_of(expression)
    if "." not in name or not _writes(write, name):
        return False
    made = [line.value for line in _assignments(constructor, name)]
    return len(made) == 1 and made[0] is not None and allocates(made[0]) and in_order(method, [write, expression])


def _blocks(scope: cst.CSTNode) -> Iterator[list[cst.CSTNode]]:
    body = scope.body if isinstance(scope, cst.Module) else getattr(scope.body, "body", ())  # type: ignore[attr-defined]
    yield _flat(body)
    for node in walk_scope(scope):
        if isinstance(node, cst.IndentedBlock):
            yield _flat(node.body)


def _flat(body: Sequence[cst.CSTNode]) -> list[cst.CSTNode]:
    """The statements of a block, with those of each ``with`` in it."""
    found: list[cst.CSTNode] = []
    for line in body:
        if isinstance(line, cst.With) and isinstance(line.body, cst.IndentedBlock):
            found += [*line.items, *_flat(line.body.body)]
        else:
            found.append(line)
    return found


def _place(block: Sequence[cst.CSTNode], node: cst.CSTNode) -> int | None:
    """Which statement of the block always evaluates ``node``."""
    return next((place for place, line in enumerate(block) if _always(line, node)), None)


def _always(line: cst.CSTNode, node: cst.CSTNode) -> bool:
    if line is node:
        return True
    return not isinstance(line, _APART) and any(_always(child, node) for child in children(line))


def _may_leave(line: cst.CSTNode) -> bool:
    return isinstance(line, _LEAVES) or any(isinstance(each, _LEAVES) for each in walk_scope(line))


def buffer_of(expression: cst.CSTNode) -> str:
    """The name of what is handed over without a copy: ``a`` of ``torch.from_numpy(a)`` and of ``a.numpy()``."""
    match expression:
        case cst.Call(func=cst.Attribute(value=cst.Name(), attr=cst.Name(value=name)), args=[argument]) if (
            name in _IMPORTS
        ):
            return dotted_name(argument.value) if argument.keyword is None else ""
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name)), args=[]) if name in _VIEWS:
            return buffer_of(inner)
        case _:
            return dotted_name(expression)


def _container(store: cst.CSTNode) -> str:
    match store:
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="append"))):
            return name
        case cst.Subscript(value=cst.Name(value=name), slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
            return name if names_in(key) else ""
        case _:
            return ""


def _writes(write: cst.CSTNode, name: str) -> bool:
    """Whether ``write`` changes what ``name`` holds in place, by that name."""
    match write:
        case cst.AugAssign(target=target):
            return _owner(target) == name
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript() as target)]) | (cst.Subscript() as target):
            return _owner(target) == name
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=method))) if method.endswith("_"):
            return _owner(receiver) == name
        case cst.Call(args=arguments):
            return any(
                each.keyword is not None and each.keyword.value == "out" and dotted_name(each.value) == name
                for each in arguments
            )
        case _:
            return False


def _owner(target: cst.CSTNode) -> str:
    while isinstance(target, cst.Subscript):
        target = target.value
    return dotted_name(target)


def _assignments(scope: cst.CSTNode, name: str) -> Iterator[cst.Assign | cst.AnnAssign]:
    for node in walk_scope(scope):
        if isinstance(node, cst.Assign | cst.AnnAssign):
            targets = node.targets if isinstance(node, cst.Assign) else [node]
            if any(dotted_name(each.target) == name for each in targets):
                yield node


def _is_bound_once(
    scope: cst.CSTNode, loop: cst.CSTNode, name: str, fits: Callable[[cst.BaseExpression], bool]
) -> bool:
    """Whether ``scope`` binds the name in one place, outside of the loop, to what ``fits``."""
    made = [line.value for line in _assignments(scope, name)]
    augmented = sum(isinstance(each, cst.AugAssign) and dotted_name(each.target) == name for each in walk_scope(scope))
    bound = sum(each == name for each in bound_in(scope)) - augmented
    if len(made) != 1 or bound != 1 or made[0] is None or contains(loop, made[0]):
        return False
    shared = (each for each in walk_scope(scope) if isinstance(each, cst.Global | cst.Nonlocal))
    return fits(made[0]) and not any(item.name.value == name for each in shared for item in each.names)


def _is_empty(node: cst.BaseExpression) -> bool:
    match node:
        case cst.List(elements=[]) | cst.Dict(elements=[]):
            return True
        case cst.Call(func=cst.Name(value="list" | "dict"), args=[]):
            return True
        case _:
            return False


def _mentions(node: cst.CSTNode, name: str) -> int:
    return (isinstance(node, cst.Name) and node.value == name) + sum(_mentions(child, name) for child in children(node))


def _is_looked_at(scope: cst.CSTNode, loop: cst.CSTNode, name: str) -> bool:
    """Whether all that ``name`` holds is used after the loop, and not one element of it, or how many there are."""
    inside = {id(each) for each in walk_scope(loop)}
    nodes = walk_scope(scope)
    for each in nodes:
        if each is loop:
            break
    part = {id(loop)} | inside
    for each in nodes:
        if id(each) in part:
            continue
        match each:
            case cst.Attribute(value=inner, attr=cst.Name(value=asked)) if asked not in {"items", "values"}:
                part.add(id(inner))
            case cst.Subscript(value=inner):
                part.add(id(inner))
            case cst.Call(func=cst.Name(value="len"), args=[cst.Arg(value=inner)]):
                part.add(id(inner))
            case cst.Name(value=used) if used == name:
                return True
    return False

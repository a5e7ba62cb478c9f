"""What a program asks for that is there no more, and how much of the program that keeps from being reached.

A loss was a tensor of one element until torch 0.3. It has no dimension since 0.4, and ``loss.data[0]`` raises IndexError
since 0.5 (measured on torch 1.13.1 and 2.13.0).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tensorlint.knowledge.gone import (
    GONE,
    GONE_BUILTINS,
    GONE_FROM_DICTIONARIES,
    GONE_FROM_FRAMES,
    GONE_FROM_NUMPY,
    NO_APPEND_SINCE,
)
from tensorlint.source import NEWLINE
from tensorlint.versions import release

_LOSS = re.compile(r"(?i:loss|cost)|(?:^|_)err(?:or)?(?:s?$|[A-Z_])")
#: Who catches these is prepared for a name that is not there.
_CAUGHT = {"ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "Exception", "BaseException"}
#: Who asks such a question, too.
_PREPARED = re.compile(r"version|\bPY_?[23]\b|hasattr|TYPE_CHECKING", re.IGNORECASE)
#: What runs, if at all, when the file is imported or started as a script: not always.
_SOMETIMES = (ast.If, ast.For, ast.While, ast.Try, ast.Match)
#: A method without which there is no object, so that no other is reached.


@dataclass(frozen=True, slots=True)
class Outdated:
    """What a program asks for that is there no more: where, in how many characters, and what comes of it."""

    row: int
    column: int
    length: int
    message: str
    #: Whether it stands where the file is executed from its beginning to its end.
    sure: bool = False
    #: The module that it was looked for in, as far as another one may go by that name; empty where none can.
    module: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where it is in the tree, in bytes; how it is spelled, what comes of it, and the module it was looked for in."""

    row: int
    offset: int
    spelled: str
    message: str
    module: str = ""


def outdated(tree: ast.Module, program: str, numpy: str | None = None) -> list[Outdated]:
    """What a program asks for that its libraries have no more, in the order of the text.

    ``numpy`` is the release that it is for; None for the newest, which of the others all are. A program that asks
    whether something is there, or puts it there, is prepared.
    """
    nodes = list(_executed(tree))
    names = _Names(tree)
    prepared = set(_prepared(ast.walk(tree)))
    lines = NEWLINE.split(program)
    found: list[Outdated] = []
    for node, sure in nodes:
        for asked in (*_asked(node, numpy), *names.asked(node)):
            if asked.spelled not in prepared:
                # Python counts bytes of UTF-8.
                column = len(lines[asked.row - 1].encode()[: asked.offset].decode()) + 1
                found.append(Outdated(asked.row, column, len(asked.spelled), asked.message, sure, asked.module))
    return sorted(found, key=lambda each: (each.row, each.column))


def _executed(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """The nodes that nothing is prepared to see fail, and whether each is surely executed with the file."""
    lazy = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    pending: list[tuple[ast.AST, bool]] = [(node, not isinstance(node, _SOMETIMES)) for node in tree.body]
    while pending:
        node, sure = pending.pop()
        yield node, sure
        inside = sure
        now: Iterable[ast.AST] = ()
        later: Iterable[ast.AST] = ast.iter_child_nodes(node)
        match node:
            case ast.Try(handlers=[_, *_]) if any(map(_catches, node.handlers)):
                later = [*node.orelse, *node.finalbody]
            case ast.If(test=test) | ast.IfExp(test=test) if _PREPARED.search(ast.unparse(test)):
                later = [test]
            case ast.BoolOp(values=[first, *_]) if _PREPARED.search(ast.unparse(first)):
                later = [first]
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                inside = False
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                now, later, inside = _when_defined(node, lazy=lazy), node.body, False
            case ast.Lambda(args=arguments, body=body):
                now, later = [*arguments.defaults, *filter(None, arguments.kw_defaults)], [body]
                inside = False
            case ast.AnnAssign() if lazy:
                later = filter(None, [node.target, node.value])
            case _:
                pass
        pending += ((each, sure) for each in now)
        pending += ((each, inside) for each in later)


def _when_defined(node: ast.FunctionDef | ast.AsyncFunctionDef, *, lazy: bool) -> Iterator[ast.expr]:
    """What of a function is executed where it is defined."""
    given = node.args
    yield from node.decorator_list
    yield from given.defaults
    yield from filter(None, given.kw_defaults)
    if not lazy:
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        yield from filter(None, [*(each and each.annotation for each in arguments), node.returns])


def _catches(handler: ast.ExceptHandler) -> bool:
    match handler.type:
        case None:
            return True
        case ast.Tuple(elts=kinds):
            return any(_dotted(kind) in _CAUGHT for kind in kinds)
        case kind:
            return _dotted(kind) in _CAUGHT


def _prepared(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield _dotted(node)
            case ast.Call(
                func=ast.Name(id="hasattr" | "getattr" | "setattr"),
                args=[ast.Name(id=owner), ast.Constant(value=str(name)), *_],
            ):
                yield f"{owner}.{name}"
            case _:
                pass


def _asked(node: ast.AST, numpy: str | None) -> Iterator[_Asked]:
    """What NumPy or a loss has no more, by how it is usually written."""
    match node:
        case ast.Attribute(ctx=ast.Load()):
            dotted = _dotted(node)
            library, _, name = dotted.partition(".")
            since = GONE_FROM_NUMPY.get(name) if library in {"np", "numpy"} else None
            if since is not None and (numpy is None or release(numpy) >= release(since)):
                yield _at(node, dotted, f"NumPy {since} and later have no `{dotted}`, so this raises")
        case ast.Subscript(
            value=ast.Attribute(value=held, attr="data"), slice=ast.Constant(value=0), ctx=ast.Load()
        ) if _LOSS.search((dotted := _dotted(held)).rpartition(".")[2]):
            yield _at(node, f"{dotted}.data[0]", "a loss has no dimension since torch 0.4, so this raises")
        case _:
            pass


class _Names:
    """What the names of a program stand for, as far as its imports alone say so, and what is asked of these."""

    def __init__(self, tree: ast.Module) -> None:
        self._imported: dict[str, set[str]] = {}
        #: How often a name is bound by something else, and by a dictionary.
        self._bound: Counter[str] = Counter()
        self._dictionaries: Counter[str] = Counter()
        for node in ast.walk(tree):
            self._bind(node)
        libraries = {dotted.partition(".")[0] for each in self._imported.values() for dotted in each}
        self._pandas = "pandas" in libraries

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    name, _, _ = alias.name.partition(".")
                    self._imported.setdefault(alias.asname or name, set()).add(alias.name if alias.asname else name)
            case ast.ImportFrom(module=module, names=names, level=level):
                for alias in names:
                    dotted = "" if level else f"{module}.{alias.name}"
                    self._imported.setdefault(alias.asname or alias.name, set()).add(dotted)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._is_dictionary(value):
                self._dictionaries[name] += 1
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self._bound[name] += 1
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bound[name] += 1
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                self._bound[name] += 1
            case _:
                pass

    def asked(self, node: ast.AST) -> Iterator[_Asked]:
        """What a node asks for that is there no more."""
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _missing(alias, alias.name, alias.name, "")
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    yield from _missing(alias, alias.name, f"{module}.{alias.name}", "")
            case ast.Name(id=name, ctx=ast.Load()) if name in GONE_BUILTINS and not self._may_be_bound(name):
                yield _at(node, name, f"Python 3 has no `{name}`, so this raises")
            case ast.Attribute(value=held, attr=name, ctx=ast.Load()) if name in GONE_FROM_DICTIONARIES:
                if self._is_dictionary(held):
                    yield _end(node, name, f"dictionaries of Python 3 have no `{name}`, so this raises")
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in GONE_FROM_FRAMES and self._pandas:
                yield _end(node, name, f"pandas {GONE_FROM_FRAMES[name]} and later have no `{name}`, so this raises")
            case ast.Call(func=ast.Attribute(attr="append") as method, keywords=keywords) if self._pandas and any(
                keyword.arg == "ignore_index" for keyword in keywords
            ):
                message = f"data frames have no `append` since pandas {NO_APPEND_SINCE}, so this raises"
                yield _end(method, "append", message)
            case ast.Attribute(ctx=ast.Load()):
                dotted = _dotted(node)
                first, _, rest = dotted.partition(".")
                modules = self._imported.get(first, set())
                if len(modules) == 1 and not self._bound[first]:
                    (module,) = modules
                    yield from _missing(node, dotted, f"{module}.{rest}", module)
            case _:
                pass

    def _may_be_bound(self, name: str) -> bool:
        return name in self._imported or "*" in self._imported or bool(self._bound[name])

    def _is_dictionary(self, value: ast.expr) -> bool:
        match value:
            case ast.Dict() | ast.DictComp() | ast.Attribute(attr="__dict__"):
                return True
            case ast.Call(func=ast.Name(id="dict" | "vars" | "globals" | "locals" | "OrderedDict" | "defaultdict")):
                return True
            case ast.Call(func=ast.Attribute(attr="state_dict"), args=[]):
                return True
            case ast.Name(id=name, ctx=ast.Load()):
                return 0 < self._bound[name] == self._dictionaries[name] and name not in self._imported
            case _:
                return False


def _missing(node: ast.alias | ast.Attribute, spelled: str, dotted: str, there: str) -> Iterator[_Asked]:
    """What is gone of a dotted name of which as much is ``there``: the name itself, or a module that it is in."""
    parts = dotted.split(".")
    for count in range(len(there.split(".")) + 1 if there else 1, len(parts) + 1):
        name = ".".join(parts[:count])
        if (gone := GONE.get(name)) is not None:
            message = f"{gone.library} {gone.since} and later have no `{name}`, so this raises"
            # An attribute of what is gone is asked for, too: once is enough.
            if count == len(parts) or isinstance(node, ast.alias):
                yield _at(node, spelled, message, parts[0])
            return


def _at(node: ast.expr | ast.alias, spelled: str, message: str, module: str = "") -> _Asked:
    return _Asked(node.lineno, node.col_offset, spelled, message, module)


def _end(node: ast.Attribute, spelled: str, message: str) -> _Asked:
    """The name at the end of a chain, which may have several rows."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return _Asked(node.end_lineno, node.end_col_offset - len(spelled), spelled, message)


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=held, attr=name) if owner := _dotted(held):
            return f"{owner}.{name}"
    return ""

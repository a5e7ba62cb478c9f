"""What NumPy and torch had and have no more: a program that asks for it raises on newer releases.

The names of NumPy were measured by looking each public name of NumPy 1.23.5 up in 1.24.4, 1.25.2, 1.26.4, 2.0.2, 2.1.3, 2.2.6, 2.3.5 and 2.4.6.
Modules that NumPy imports for itself (``np.os``), and what no program asks for (constants of the C code), are left out;
``np.bool`` and ``np.long`` came back. ``asscalar`` is not in 1.23.5 either.

A loss was a tensor of one element until torch 0.3. It has no dimension since 0.4, and ``loss.data[0]`` raises IndexError
since 0.5 (measured on torch 1.13.1 and 2.13.0).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from tensorlint.source import NEWLINE
from tensorlint.versions import release

#: By the first release without them.
_GONE = {
    "1.23": "asscalar",
    "1.24": "complex float int object str unicode",
    "2.0": "AxisError ComplexWarning DataSource Inf Infinity NAN NINF NZERO NaN PINF PZERO RankWarning "
    "VisibleDeprecationWarning add_docstring add_newdoc alltrue asfarray bool8 byte_bounds bytes0 cast cfloat clongfloat "
    "compare_chararrays compat complex_ cumproduct deprecate deprecate_with_doc disp fastCopyAndTranspose "
    "find_common_type float_ format_parser geterrobj infty int0 issctype issubclass_ issubsctype lib.DataSource "
    "longcomplex longfloat lookfor mat math maximum_sctype msort nbytes obj2sctype object0 product recfromcsv "
    "recfromtxt round_ safe_eval sctype2char sctypes set_numeric_ops set_string_function seterrobj singlecomplex "
    "sometrue source str0 string_ tracemalloc_domain uint0 unicode_ void0 who",
    "2.4": "in1d trapz",
}
GONE_FROM_NUMPY = {name: since for since, names in _GONE.items() for name in names.split()}
_ASKED = re.compile(
    rf"\b(?:np|numpy)\.(?:{'|'.join(map(re.escape, GONE_FROM_NUMPY))})\b|\w*(?i:loss|cost|err)\w*\.data\[0\]"
)
_LOSS = re.compile(r"(?i:loss|cost)|(?:^|_)err(?:or)?(?:s?$|[A-Z_])")


@dataclass(frozen=True, slots=True)
class Outdated:
    """What a program asks for that is there no more: where, in how many characters, and what comes of it."""

    row: int
    column: int
    length: int
    message: str


def outdated(program: str, numpy: str | None = None) -> Outdated | None:
    """The first thing that the newest torch, or NumPy ``numpy`` (None for the newest), has no more.

    None where there is no such thing. A program that asks whether it is there, or puts it there, is prepared.
    """
    if not _ASKED.search(program):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    nodes = list(ast.walk(tree))
    prepared = set(_prepared(nodes))
    found = [each for each in _asked(nodes, numpy) if each[1] not in prepared]
    if not found:
        return None
    node, spelled, message = min(found, key=lambda each: (each[0].lineno, each[0].col_offset))
    # Python counts bytes of UTF-8.
    before = NEWLINE.split(program)[node.lineno - 1].encode()[: node.col_offset]
    return Outdated(node.lineno, len(before.decode()) + 1, len(spelled), message)


def _prepared(nodes: list[ast.AST]) -> Iterator[str]:
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


def _asked(nodes: list[ast.AST], numpy: str | None) -> Iterator[tuple[ast.expr, str, str]]:
    """What is gone among these nodes, how it is spelled, and what comes of it."""
    for node in nodes:
        match node:
            case ast.Attribute(ctx=ast.Load()):
                dotted = _dotted(node)
                library, _, name = dotted.partition(".")
                since = GONE_FROM_NUMPY.get(name) if library in {"np", "numpy"} else None
                if since is not None and (numpy is None or release(numpy) >= release(since)):
                    yield node, dotted, f"NumPy {since} and later have no `{dotted}`, so this raises"
            case ast.Subscript(
                value=ast.Attribute(value=held, attr="data"), slice=ast.Constant(value=0), ctx=ast.Load()
            ) if _LOSS.search((dotted := _dotted(held)).rpartition(".")[2]):
                yield node, f"{dotted}.data[0]", "a loss has no dimension since torch 0.4, so this raises"
            case _:
                pass


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=held, attr=name) if owner := _dotted(held):
            return f"{owner}.{name}"
    return ""

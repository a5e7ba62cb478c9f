"""Names that NumPy had and has no more: a program that asks for one raises AttributeError on newer releases.

Measured by looking each public name of NumPy 1.23.5 up in 1.24.4, 1.25.2, 1.26.4, 2.0.2, 2.1.3, 2.2.6, 2.3.5 and 2.4.6.
Modules that NumPy imports for itself (``np.os``), and what no program asks for (constants of the C code), are left out;
``np.bool`` and ``np.long`` came back. ``asscalar`` is not in 1.23.5 either.
"""

from __future__ import annotations

import ast
import re
import warnings

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
_ASKED = re.compile(rf"\b(?:np|numpy)\.(?:{'|'.join(map(re.escape, GONE_FROM_NUMPY))})\b")


def asks_for_what_is_gone(program: str, numpy: str | None = None) -> tuple[str, int, int] | None:
    """The first name that NumPy ``numpy`` (None for the newest) has no more, with row and column; None for none.

    A program that asks whether it is there, or puts it there, is prepared.
    """
    if not _ASKED.search(program):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    asked: list[tuple[int, int, str]] = []
    prepared: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ctx=ast.Load(), lineno=row, col_offset=before):
                asked.append((row, before, _dotted(node)))
            case ast.Attribute():
                prepared.add(_dotted(node))
            case ast.Call(
                func=ast.Name(id="hasattr" | "getattr" | "setattr"),
                args=[ast.Name(id=owner), ast.Constant(value=str(name)), *_],
            ):
                prepared.add(f"{owner}.{name}")
            case _:
                pass
    for row, before, dotted in sorted(asked):
        library, _, name = dotted.partition(".")
        since = GONE_FROM_NUMPY.get(name) if library in {"np", "numpy"} else None
        if since is not None and dotted not in prepared and (numpy is None or release(numpy) >= release(since)):
            # Python counts bytes of UTF-8.
            return dotted, row, len(NEWLINE.split(program)[row - 1].encode()[:before].decode()) + 1
    return None


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=held, attr=name) if owner := _dotted(held):
            return f"{owner}.{name}"
    return ""

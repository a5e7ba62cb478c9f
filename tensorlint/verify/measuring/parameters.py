"""Which parameters functions have, as torch and NumPy say it themselves, and whether they can be called by these names.

NumPy's functions and those of torch that are written in Python know their signatures. Those of the operators stand in
the stubs that torch is installed with, or in its operator schemas, where the receiver is called ``self``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tensorlint.knowledge.parameters import Signature, signatures
from tensorlint.knowledge.row import Row
from tensorlint.verify.knowledge import TABLES
from tensorlint.verify.measuring.arguments import DTYPES, Options, arrays, split, tensors
from tensorlint.verify.measuring.report import CONFIRMED, REFUTED, Checked
from tensorlint.verify.measuring.rows import attempt, resolve, tried, usable

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")

#: What a name of a table stands below.
ROOTS: Mapping[str, str] = {"torch": "torch", "numpy": "numpy", "tensor": "torch.Tensor", "array": "numpy.ndarray"}
_METHODS = {"tensor", "array"}


def lines(tables: Mapping[str, Mapping[str, Row]] = TABLES) -> Iterator[str]:
    """``parameters.txt``, anew."""
    for table in sorted(tables, key=ROOTS.__getitem__):
        for name in sorted(tables[table]):
            for said in merged(map(Signature.read, said_of(table, name))):
                yield f"{ROOTS[table]}.{name}({said})"


def merged(every: Iterable[Signature]) -> list[Signature]:
    """One signature for all that differ in what may be left out, so that they give a place the same name."""
    found: list[Signature] = []
    for new in sorted(every, key=lambda each: len(each.positional), reverse=True):
        place = next((i for i, old in enumerate(found) if begins(old, new)), None)
        if place is None:
            found.append(new)
        else:
            old = found[place]
            found[place] = replace(old, by_name=(old.by_name | new.by_name) - {*old.positional})
    return found


def begins(long: Signature, short: Signature) -> bool:
    """Whether ``short`` has the parameters that ``long`` begins with."""
    return long.positional[: len(short.positional)] == short.positional and long.rest == short.rest


def said_of(table: str, name: str) -> list[str]:
    """The parameters of a function, once for each of its signatures; empty where nobody says."""
    function, _ = tried(found, table, name)
    if not callable(function):
        return []
    signature, _ = tried(inspect.signature, function)
    every = [*signature.parameters.values()][table in _METHODS :] if signature is not None else []
    if [each.kind for each in every] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        # It takes anything, and hands it on.
        signature = None
    if signature is not None:
        return [_joined((each.name, each.kind) for each in every)]
    folder, last = Path(torch.__file__).parent, name.rpartition(".")[2]
    if table == "tensor":
        return _without_odd(_stubs(folder / "_C" / "__init__.pyi", "TensorBase")[name])
    if table == "torch" and function is getattr(torch, last, None):
        return _without_odd(_stubs(folder / "_C" / "_VariableFunctions.pyi")[last]) or _schemas()[last]
    if table == "torch" and name.startswith("nn.functional."):
        return _stubs(folder / "nn" / "functional.pyi")[last] or _schemas()[last]
    return _schemas()[name.replace(".", "_")] if table == "torch" else []


def _joined(parameters: Iterable[tuple[str, Any]]) -> str:
    kinds = inspect.Parameter
    words: list[str] = []
    for name, kind in parameters:
        if kind is kinds.VAR_KEYWORD:
            continue
        if kind is kinds.KEYWORD_ONLY and not any(word.startswith("*") for word in words):
            words.append("*")
        words.append(f"*{name}" if kind is kinds.VAR_POSITIONAL else name)
    return ", ".join(words)


@cache
def _stubs(path: Path, of_class: str = "") -> Mapping[str, list[str]]:
    """The signatures in a file of stubs, by the name of the function."""
    found: dict[str, list[str]] = defaultdict(list)
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else []
    if of_class:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == of_class)
    for node in body:
        if isinstance(node, ast.FunctionDef):
            places = [
                (each.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                for each in [*node.args.posonlyargs, *node.args.args]
            ]
            rest = [(node.args.vararg.arg, inspect.Parameter.VAR_POSITIONAL)] if node.args.vararg else []
            by_name = [(each.arg, inspect.Parameter.KEYWORD_ONLY) for each in node.args.kwonlyargs]
            found[node.name].append(_joined([*places[bool(of_class) :], *rest, *by_name]))
    return found


def _without_odd(found: list[str]) -> list[str]:
    """With the first as it is called in Python, without what is of old: ``addmm(beta, self, mat1, mat2)``."""
    return [text.replace("self", "input", 1) for text in found if "self" not in text.split(", ")[1:]]


@cache
def _schemas() -> Mapping[str, list[str]]:
    """The signatures of the operators, by the name of the operator."""
    found: dict[str, list[str]] = defaultdict(list)
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        if space == "aten":
            kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
            every = [
                ("input" if each.name == "self" else each.name, kinds[each.kwarg_only]) for each in schema.arguments
            ]
            found[name].append(_joined(every))
    return found


def check_parameters(tables: Mapping[str, Mapping[str, Row]] = TABLES) -> Iterator[Checked]:
    """What each function says of itself, where it still is that; and whether it can be called by one of the names."""
    for table, rows in tables.items():
        for name in rows:
            known, said = signatures(f"{ROOTS[table]}.{name}"), said_of(table, name)
            if not known or not said:
                continue
            if said_before(known, [Signature.read(text) for text in said]):
                given = given_by_name(table, name, known)
                observed = f"called with {given}=" if given else "says so itself"
                yield Checked("parameters", name, table, "; ".join(map(str, known)), observed, CONFIRMED)
            else:
                yield Checked("parameters", name, table, "; ".join(map(str, known)), f"({'), ('.join(said)})", REFUTED)


def said_before(known: tuple[Signature, ...], said: list[Signature]) -> bool:
    """Whether each signature still is one, if parameters have come behind what it had."""
    return all(any(begins(new, old) for new in said) for old in known)


def given_by_name(table: str, name: str, known: tuple[Signature, ...]) -> str:
    """The name of the last of the arguments a row is measured with, where it works by that name."""
    call, receiver = found(table, name), int(table in _METHODS)
    make_of = arrays if table in {"numpy", "array"} else tensors
    for recipe in usable(call, f"{table}:{name}"):
        for signature, dtype in itertools.product(known, DTYPES):
            arguments, error = tried(recipe, make_of(dtype))
            if error is not None:
                continue
            positional, options = split(arguments)
            place = len(positional) - 1 - receiver
            if 0 <= place < len(signature.positional):
                named = signature.positional[place]
                if tried(attempt, call, (*positional[:-1], Options({**options, named: positional[-1]})))[1] is None:
                    return named
    return ""


def found(table: str, name: str) -> Any:
    """What a row is about. ``AttributeError`` when these versions have no such name."""
    return resolve({"torch": torch, "numpy": np, "tensor": torch.Tensor, "array": np.ndarray}[table], name)

"""Fixtures of pytest: what a test is given by the names of its parameters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import libcst as cst

from tensorlint.flow.call import Argument
from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.domain.values import UNKNOWN, Function, Sequence, Symbol, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.tree import dotted_name, parameters_of
from tensorlint.program.layout import project

_FIXTURES = frozenset({"pytest.fixture", "pytest_asyncio.fixture", "fixture"})
#: Fixtures ask for fixtures this far.
_MAX_DEPTH = 3


def given_by_fixture(machine: Machine, info: FunctionInfo, parameter: cst.Param, frame: Frame) -> Value | None:
    """What a parameter of a test, or of a fixture, is by the fixture of its name; None where none is seen."""
    is_test = info.name.startswith("test") or _name_of(info)
    if not is_test or parameter.default is not None:
        return None
    name = parameter.name.value
    if any(_is_by_case(decorator, name) for decorator in _marks(info)):
        return None
    return _given(machine, name, info, parameter, frame, _MAX_DEPTH)


def _given(
    machine: Machine, name: str, asking: FunctionInfo, parameter: cst.Param, frame: Frame, depth: int
) -> Value | None:
    fixture = next((each for each in _of_name(machine, name, asking) if each is not asking), None)
    if fixture is None or not depth:
        return None
    arguments = [
        Argument(parameter.name, value, inner.name.value)
        for inner in parameters_of(fixture.node)
        if inner.name.value != name
        and (value := _given(machine, inner.name.value, fixture, parameter, frame, depth - 1)) is not None
    ]
    # What it does besides is done by the time the test begins.
    apart = Frame(Environment(frame.env.parent), function=frame.function, quiet=True)
    receiver = None if fixture.cls is None else machine.self_value(fixture.cls)
    made = machine.apply(fixture, receiver, tuple(arguments), apart, parameter)
    if isinstance(made, Sequence) and made.kind == "generator":
        return made.element or UNKNOWN
    return made


def _of_name(machine: Machine, name: str, asking: FunctionInfo) -> Iterator[FunctionInfo]:
    """The fixtures of a name, the nearest first: of the class, of the file, of ``conftest.py`` beside it and above."""
    if asking.cls is not None and (method := asking.cls.method(name)) is not None and _name_of(method) == name:
        yield method
    yield from _bound_to(machine, machine.module_env, [name, *_other_names(machine, name)], name)
    if machine.world is None:
        return
    path = machine.file_path if machine.unit is None else machine.unit.path
    top, directory = project(path), os.path.dirname(path)
    while True:
        unit = machine.world.unit(os.path.join(directory, "conftest.py"))
        if unit is not None and unit is not machine.unit and unit.path != path:
            renamed = re.search(rf"\bname\s*=\s*[\"']{name}[\"']", unit.source.program)
            others = [each for _, each in unit.index.statements if each] if renamed else []
            yield from _bound_to(machine, unit.frame.env, [name, *others], name)
        parent = os.path.dirname(directory)
        if directory == top or parent == directory:
            return
        directory = parent


def _other_names(machine: Machine, name: str) -> list[str]:
    """What functions of this file are called that are fixtures by another name."""
    functions = machine.functions.values() if machine.unit is None else ()
    return [each.name for each in functions if each.cls is None and each.name != name and _name_of(each) == name]


def _bound_to(machine: Machine, env: Environment, bound: list[str], name: str) -> Iterator[FunctionInfo]:
    for each in bound:
        value = env.lookup(each)
        held = machine.around(value) if isinstance(value, Symbol) else value
        info = machine.function_at(held.definition) if isinstance(held, Function) else None
        if info is not None and _name_of(info) == name:
            yield info


def _name_of(info: FunctionInfo) -> str:
    """The name of the fixture that a function is; empty if it is none."""
    for decorator in info.decorators:
        called = decorator.func if isinstance(decorator, cst.Call) else decorator
        if dotted_name(called) in _FIXTURES:
            arguments = decorator.args if isinstance(decorator, cst.Call) else ()
            said = [each.value for each in arguments if each.keyword is not None and each.keyword.value == "name"]
            return next((str(each.evaluated_value) for each in said if isinstance(each, cst.SimpleString)), info.name)
    return ""


def _marks(info: FunctionInfo) -> Iterator[cst.BaseExpression]:
    yield from info.decorators
    if info.cls is not None:
        yield from (each.decorator for each in info.cls.node.decorators)


def _is_by_case(decorator: cst.BaseExpression, name: str) -> bool:
    """Whether ``pytest.mark.parametrize`` may give a parameter of this name."""
    match decorator:
        case cst.Call(func=func, args=[cst.Arg(value=told), *_]) if dotted_name(func).endswith("parametrize"):
            match told:
                case cst.SimpleString():
                    return name in re.findall(r"\w+", str(told.evaluated_value))
                case cst.List(elements=elements) | cst.Tuple(elements=elements):
                    spelled = [each.value for each in elements if isinstance(each.value, cst.SimpleString)]
                    return len(spelled) < len(elements) or name in [each.evaluated_value for each in spelled]
                case _:
                    return True
        case _:
            return False

"""Options of a program: what ``args.device`` holds where nobody says otherwise.

Only what puts things on an accelerator by default is told: a flag that is off by default is there to be switched on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import libcst as cst

from tensorlint.flow.domain.devices import ACCELERATOR_NAMES
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.values import ACCELERATED, DeviceValue, Scalar, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.tree import children, dotted_name
from tensorlint.knowledge import names

_PARSERS = frozenset({"argparse", "ArgumentParser", "configargparse"})


def option(machine: Machine, node: cst.Attribute) -> Value | None:
    """What an option of the program is by default, where ``node`` reads one and the default is there to be used."""
    if machine.unit is not None or machine.module is None or _PARSERS.isdisjoint(machine.lessons.imported):
        return None
    added = _options_of(machine.module).get(node.attr.value) if names.SETTINGS.search(dotted_name(node.value)) else None
    if added is None:
        return None
    action, default = _argument(added, "action"), _argument(added, "default")
    match action, default:
        case cst.SimpleString(evaluated_value="store_false"), None:
            return Scalar(kind="bool", literal=True)
        case cst.SimpleString(evaluated_value="store_true"), None | cst.Name(value="False"):
            return Scalar(kind="bool", literal=False) if names.SWITCHES_OFF.search(node.attr.value) else None
        case _, cst.Name(value="True"):
            return Scalar(kind="bool", literal=True)
        case _, cst.Integer(value="1") if names.ACCELERATED.search(node.attr.value):
            return Scalar(kind="bool", literal=True)
        case _, cst.SimpleString(evaluated_value=str(text)) if text.partition(":")[0] in {*ACCELERATOR_NAMES, "gpu"}:
            return DeviceValue(
                fact=Fact(Truth.MAYBE, machine.at(added), "the default of this option", if_available=True)
            )
        case _, cst.IfExp() | cst.Call():
            chosen = machine.silently(default, machine.module_frame)
            return chosen if isinstance(chosen, DeviceValue) or chosen == ACCELERATED else None
    return None


def default_of_option(module: cst.Module, name: str) -> cst.BaseExpression | None:
    """The default of the option that ``args.<name>`` holds: ``add_argument("--name", default=...)``."""
    added = _options_of(module).get(name)
    return None if added is None else _argument(added, "default")


@lru_cache(maxsize=8)
def _options_of(module: cst.Module) -> Mapping[str, cst.Call]:
    """Each call of ``add_argument``, by the names that the option has; the first one of a name."""
    found: dict[str, cst.Call] = {}
    for call in _added(module):
        for each in call.args:
            if isinstance(each.value, cst.SimpleString) and each.keyword is None:
                spelled = str(each.value.evaluated_value)
                found.setdefault(spelled.strip("-").replace("-", "_"), call)
        destination = _argument(call, "dest")
        if isinstance(destination, cst.SimpleString):
            found.setdefault(str(destination.evaluated_value), call)
    return found


def _added(root: cst.CSTNode) -> Iterator[cst.Call]:
    for child in children(root):
        match child:
            case cst.Call(func=cst.Attribute(attr=cst.Name(value="add_argument"))):
                yield child
            case _:
                yield from _added(child)


def _argument(call: cst.Call, keyword: str) -> cst.BaseExpression | None:
    return next((each.value for each in call.args if each.keyword is not None and each.keyword.value == keyword), None)

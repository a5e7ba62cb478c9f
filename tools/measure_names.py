"""How often a name says the truth: bindings of known kind, by the names of ``tensorlint.knowledge.names``.

    python tools/measure_names.py FOLDER

Interprets every Python file under FOLDER that passes the byte screen, looks at each ``name = value`` whose value is
known by other means than its name, and counts for which of them the value is what the name says.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import libcst as cst

from tensorlint.deep import with_deep_stack
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import (
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Unknown,
    Value,
    is_none,
)
from tensorlint.flow.file_facts import file_facts
from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import names
from tensorlint.knowledge.names import Naming
from tensorlint.screen import may_matter
from tensorlint.source import Source


def _is_module(value: Value) -> bool:
    # A function may be a network as well: it computes with one.
    return isinstance(value, (Module, Function))


def _is_device(value: Value) -> bool:
    return isinstance(value, DeviceValue) or (isinstance(value, Scalar) and value.kind in {"str", "int"})


def _is_number(value: Value) -> bool:
    return isinstance(value, Scalar) and value.kind in {"int", "number"}


def _is_integral(value: Value) -> bool:
    numbers = isinstance(value, (Tensor, Array)) and value.dtype.is_integer
    return numbers or _is_number(value)


CLAIMS: Mapping[str, tuple[Naming, Callable[[Value], bool]]] = {
    "MODEL": (names.MODEL, _is_module),
    "MODULE": (names.MODULE, lambda value: isinstance(value, Module)),
    "OPTIMIZER": (names.OPTIMIZER, lambda value: isinstance(value, Optimizer)),
    "LOADER": (names.LOADER, lambda value: isinstance(value, Sequence) and value.kind == "loader"),
    "DEVICE": (names.DEVICE, _is_device),
    "SIZE": (names.SIZE, _is_number),
    "IDENTIFIER": (names.IDENTIFIER, _is_integral),
    "PLACE": (names.PLACE, _is_integral),
    "ACCELERATED": (names.ACCELERATED, lambda value: isinstance(value, Scalar) and value.kind == "bool"),
}


class _Watching(Interpreter):
    """The interpreter, and what it binds by which name."""

    bound: dict[tuple[str, int], Value]

    def assign(self, target: cst.CSTNode, value: Value, frame: Frame) -> None:
        if not self.learning and (name := dotted_name(target)):
            self.bound[name, self.at(target).number] = value
        super().assign(target, value, frame)


def _is_known(value: Value) -> bool:
    if isinstance(value, (Unknown, Dictionary)) or is_none(value) or (isinstance(value, Foreign) and value.framework):
        return False
    return not isinstance(value, Instance)


def main(folder: Path) -> int:
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    files = 0
    for path in sorted(folder.rglob("*.py")):
        data = path.read_bytes()
        if not may_matter(data):
            continue
        try:
            source = Source.from_bytes(str(path), data)
            module = cst.parse_module(source.text)
        except (cst.ParserSyntaxError, UnicodeDecodeError):
            continue
        files += 1
        machine = _Watching(file_facts(source), lambda event: None)
        machine.bound = {}
        machine.run(module)
        for (name, _), value in machine.bound.items():
            if not _is_known(value):
                continue
            for claim, (naming, holds) in CLAIMS.items():
                if naming.search(name):
                    seen[claim] += 1
                    right[claim] += holds(value)
    print(f"{files} files")
    for claim in CLAIMS:
        share = f"{right[claim] / seen[claim]:.0%}" if seen[claim] else "-"
        print(f"{claim:12} {right[claim]:5} of {seen[claim]:5}  {share}")
    return 0


if __name__ == "__main__":
    sys.exit(with_deep_stack(lambda: main(Path(sys.argv[1]))))

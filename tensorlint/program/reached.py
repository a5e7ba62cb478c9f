"""Which functions and methods of a file something of the program can reach, by the names that stand in its texts.

A name that stands somewhere may be used there, so that this errs on one side: what is not reached is named by nothing
but what is not reached itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tensorlint.program.layout import is_of_tests, is_packaged, project
from tensorlint.program.lookups import ATTRIBUTE, DEFINITION, looks_up_its_own
from tensorlint.program.mentions import mentions_in
from tensorlint.source import NEWLINE

_WORD = re.compile(r"[A-Za-z_]\w*")
#: What pytest and unittest find by its name, in files by such names or that name one of them.
_TEST = re.compile(r"test|Test|setUp|tearDown")
_RUNNERS = frozenset({"pytest", "unittest", "doctest", "nose", "absltest"})
_DUNDER = re.compile(r"__\w+__")
#: Decorators that change what a function does, but not who calls it.
_INERT = frozenset({"staticmethod", "classmethod", "no_grad", "inference_mode", "enable_grad"})
#: What torch calls of a module, as ``dir(nn.Module)`` has it (measured on torch 2.13.0), and what it asks for.
# fmt: off
_OF_MODULES = frozenset({
    "add_module", "apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "double", "eval", "extra_repr",
    "float", "forward", "get_buffer", "get_extra_state", "get_parameter", "get_submodule", "half", "load_state_dict",
    "modules", "named_buffers", "named_children", "named_modules", "named_parameters", "parameters", "register_buffer",
    "register_module", "register_parameter", "requires_grad_", "reset_parameters", "set_extra_state", "set_submodule",
    "share_memory", "state_dict", "to", "to_empty", "train", "type", "zero_grad",
})
# fmt: on
#: Who is named by more than that is taken to be reached.
_MAX_NAMES = 32
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Unreached:
    """A definition that nothing reaches: its row, and its name."""

    row: int
    name: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A statement of a file or of a class in it: its rows, its words, and what it defines, if anything."""

    statement: ast.stmt
    rows: range
    words: frozenset[str]

    @property
    def definition(self) -> _Definition | None:
        return self.statement if isinstance(self.statement, _Definition) else None

    @property
    def runs(self) -> bool:
        """Whether it does something for its own sake, when the file is started."""
        match self.statement:
            case ast.Expr(value=ast.Constant()):
                return False
            case ast.Expr() | ast.For() | ast.While() | ast.With():
                return True
            case ast.If():
                return "__main__" in self.words
        return False

    @property
    def name(self) -> str:
        return "" if self.definition is None else self.definition.name

    @property
    def is_found(self) -> bool:
        """Whether something looks for it that does not name it."""
        made = self.definition
        return made is not None and bool(_DUNDER.fullmatch(made.name) or any(map(_registers, made.decorator_list)))


@dataclass(frozen=True, slots=True)
class Reached:
    """The definitions of one file of a project."""

    path: str
    lines: Sequence[str]
    parts: Sequence[_Part]
    #: Whether what is public is for programs that are not seen.
    is_library: bool

    @property
    def has_tests(self) -> bool:
        """Whether a runner of tests collects what it finds in the file."""
        return is_of_tests(self.path) or any(part.words & _RUNNERS for part in self.parts)

    def unreached(self, row: int) -> Unreached | None:
        """The function, method or class around a row that nothing of the project reaches.

        None where something may, and where the file is not seen to be in use at all: somebody has just begun to
        write it.
        """
        part = _around(self.parts, row)
        if part is None or part.definition is None or not self._is_in_use():
            return None
        if not self._reaches(part):
            return Unreached(part.definition.lineno, part.name)
        called = _called_by_bases(part.definition)
        if called is None or mentions_in(project(self.path)).look_up(ATTRIBUTE):
            return None
        members = _parts(part.definition.body, self.lines)
        method = _around(members, row)
        if method is None or method.definition is None or method.name in called or self._reaches(method, part, members):
            return None
        return Unreached(method.definition.lineno, method.name)

    def _is_in_use(self) -> bool:
        """Whether something of the file is reached, or it does something when it is started."""
        return any(part.runs if part.definition is None else self._reaches(part) for part in self.parts)

    def _reaches(self, part: _Part, cls: _Part | None = None, members: Sequence[_Part] = ()) -> bool:
        """Whether something reaches a definition at the top of the file, or a method of the class ``cls`` there."""
        pending, seen = [part], {part.name}
        while pending:
            here = pending.pop()
            # For each of them all texts of the project may be searched.
            if len(seen) > _MAX_NAMES or self._is_reached_from_elsewhere(here):
                return True
            around = [other for other in self.parts if other is not cls]
            for other in [*members, *around] if here in members else around:
                if here.name in other.words and other.name not in seen:
                    if not other.name:
                        return True
                    seen.add(other.name)
                    pending.append(other)
        return False

    def _is_reached_from_elsewhere(self, part: _Part) -> bool:
        is_test = bool(_TEST.match(part.name))
        if part.is_found or (self.has_tests if is_test else self.is_library and not part.name.startswith("_")):
            return True
        return mentions_in(project(self.path)).naming(part.name) != (self.path,)


def reached(tree: ast.Module, program: str, path: str) -> Reached | None:
    """What of the program in a file (its absolute path) is reached; None where that cannot be seen."""
    mentions = mentions_in(project(path))
    if mentions.look_up(DEFINITION) or looks_up_its_own(program.encode()):
        return None
    lines = NEWLINE.split(program)
    return Reached(path, lines, _parts(tree.body, lines), is_packaged(path))


def _parts(statements: Sequence[ast.stmt], lines: Sequence[str]) -> list[_Part]:
    found = []
    for each in statements:
        decorators = each.decorator_list if isinstance(each, _Definition) else ()
        rows = range(min([each.lineno, *(one.lineno for one in decorators)]), (each.end_lineno or each.lineno) + 1)
        words = _WORD.findall("\n".join(lines[rows.start - 1 : rows.stop - 1]))
        found.append(_Part(each, rows, frozenset(words)))
    return found


def _around(parts: Sequence[_Part], row: int) -> _Part | None:
    return next((part for part in parts if row in part.rows), None)


def _registers(decorator: ast.expr) -> bool:
    """Whether a decorator may hand what it decorates to somebody."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name not in _INERT


def _called_by_bases(definition: _Definition) -> frozenset[str] | None:
    """The methods of a class that what it inherits from calls; None where that is not known, or it is no class."""
    if not isinstance(definition, ast.ClassDef) or definition.keywords:
        return None
    bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in definition.bases}
    return _OF_MODULES if bases <= {"object", "Module"} else None

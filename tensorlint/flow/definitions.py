"""Imports, functions and classes."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow.annotations import value_of
from tensorlint.flow.defined import ClassInfo, FunctionInfo
from tensorlint.flow.domain.values import ClassObject, Function, Scalar, Symbol, Unknown
from tensorlint.flow.expressions import FLOATS
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.program.layout import absolute


class Definitions(Machine):
    def _import_statement(self, node: cst.Import, frame: Frame) -> None:
        for alias in node.names:
            path = dotted_name(alias.name)
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                self._bind_import(alias.asname.name.value, path, frame)
            else:
                top = path.split(".")[0]
                self._bind_import(top, top, frame)

    def _import_from(self, node: cst.ImportFrom, frame: Frame) -> None:
        base = dotted_name(node.module) if node.module is not None else ""
        if node.relative:
            base = self._absolute(len(node.relative), base)
        if isinstance(node.names, cst.ImportStar):
            self.lessons.imported_star = True
            if self.unit is None:
                self._import_all(base, node, frame)
            return
        for alias in node.names:
            name = dotted_name(alias.name)
            bound = (
                alias.asname.name.value
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name)
                else name
            )
            self._bind_import(bound, f"{base}.{name}", frame)

    def _import_all(self, base: str, node: cst.ImportFrom, frame: Frame) -> None:
        """``from base import *``: binds anew what is bound; other names are looked for when somebody reads them."""
        lines = () if self.module is None else self.module.body
        always = any(node in line.body for line in lines if isinstance(line, cst.SimpleStatementLine))
        self.stars.append((base, always))
        for name, held in list(frame.env.items()):
            found = self.starred(name, [(base, True)], held)
            # What an import binds from outside of the program is, where nothing else is known, the same there.
            if found is not None and found != held and not (isinstance(held, Symbol) and isinstance(found, Unknown)):
                frame.env.bind(name, found)

    def _absolute(self, level: int, name: str) -> str:
        """What ``name`` behind so many dots is called elsewhere; with one dot where nothing is known around."""
        path = self.file_path if self.unit is None else self.unit.path
        found = absolute(path, level, name) if self.world is not None else ""
        return found or f".{name}"

    def _bind_import(self, name: str, path: str, frame: Frame) -> None:
        frame.env.bind(name, Scalar(kind="float", known=True) if path in FLOATS else Symbol(path=path))
        self.lessons.imported.add(name)
        if frame.function is None:
            self.lessons.typing_only.discard(name)
            self.lessons.imported_on_one_path.discard(name)

    def _function(self, node: cst.FunctionDef, frame: Frame) -> None:
        site = self.at(node)
        info = self.function_at(site)
        if info is None:
            info = self.seen(FunctionInfo(node, node.name.value, site, self.lessons))
        # What stands behind the ``def`` is visible in there, too, and branches replace the environment of a frame.
        info.nested = frame.function is not None
        info.enclosing = frame if info.nested else None
        if frame.depth == 0:
            self.queue(info)
        for decorator in node.decorators:
            self.evaluate(decorator.decorator, frame)
        frame.env.bind(node.name.value, Function(definition=site))

    def _class(self, node: cst.ClassDef, frame: Frame) -> None:
        site = self.at(node)
        info = self.class_at(site)
        if info is None:
            info = self.seen_class(ClassInfo(node, node.name.value, site, self.lessons))
            info.serial = self.lessons.class_serial(site, self.next_serial())
        bases = [self.evaluate(base.value, frame) for base in node.bases if base.star == ""]
        parents = [self.cls(base) for base in bases if isinstance(base, ClassObject) and base.definition != site]
        info.parents = tuple(parent for parent in parents if parent is not None)
        spelled = [dotted_name(base.value) for base in node.bases]
        info.bases = tuple(
            base.path if isinstance(base, Symbol) else name
            for base, name in zip(bases, spelled, strict=False)
            if not isinstance(base, ClassObject)
        )
        frame.env.bind(node.name.value, ClassObject(definition=site))
        self._class_body(info, frame)

    def _class_body(self, info: ClassInfo, frame: Frame) -> None:
        outer = frame.env
        frame.env = Environment(outer, outer.grad_mode)
        for statement in info.node.body.body:
            if isinstance(statement, cst.FunctionDef):
                site = self.at(statement)
                method = self.function_at(site)
                if method is None:
                    method = self.seen(FunctionInfo(statement, statement.name.value, site, self.lessons, info))
                method.nested = frame.function is not None
                method.enclosing = frame if method.nested else None
                info.methods.setdefault(method.name, method)
                if frame.depth == 0:
                    self.queue(method)
            else:
                self.execute([statement], frame)
                self._declare_fields(statement, info, frame)
        if self.learning:
            # What its methods keep is asked for by who needs it: to define a class calls none of them.
            known = self.lessons.attributes(info.site)
            for name, value in frame.env.bindings.items():
                told = not isinstance(value, Unknown) or value.source
                if told and name not in info.declared and name not in known:
                    self.lessons.keep_attribute(info.site, name, value)
        frame.env = outer

    def _declare_fields(self, statement: cst.CSTNode, info: ClassInfo, frame: Frame) -> None:
        """``image: np.ndarray`` in the body of a class, with or without a default: what its instances keep there."""
        for line in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(line, cst.AnnAssign) and isinstance(line.target, cst.Name):
                declared = value_of(line.annotation.annotation, lambda node: self.resolve(node, frame))
                if declared is not None:
                    info.declared[line.target.value] = declared

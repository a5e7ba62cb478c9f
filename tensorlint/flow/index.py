"""The functions and classes of one file, found without looking inside expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow.tree import children

if TYPE_CHECKING:
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.domain.values import Value
    from tensorlint.flow.learned import FunctionLesson, Lessons
    from tensorlint.flow.state import Environment, Frame


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """One ``def`` or lambda."""

    node: cst.FunctionDef | cst.Lambda
    name: str
    site: Site
    lessons: Lessons
    cls: ClassInfo | None = None
    #: The environment the function closes over.
    closure: Environment | None = None
    #: The call of the function that it is defined in.
    enclosing: Frame | None = None
    _local_names: frozenset[str] | None = None
    _imported_names: frozenset[str] | None = None

    @property
    def lesson(self) -> FunctionLesson:
        """How it was seen to be called."""
        return self.lessons.function(self.site)

    @property
    def local_names(self) -> frozenset[str]:
        """Names the function binds by other means than an import: its parameters and what is assigned in it."""
        if self._local_names is None:
            self._local_names = frozenset(bound_in(self.node))
        return self._local_names

    @property
    def imported_names(self) -> frozenset[str]:
        """Names that imports inside of the function bind."""
        if self._imported_names is None:
            self._imported_names = frozenset(
                name
                for node in walk_scope(self.node)
                if isinstance(node, cst.ImportAlias)
                for name in imported_by(node)
            )
        return self._imported_names

    @property
    def decorators(self) -> tuple[cst.BaseExpression, ...]:
        if isinstance(self.node, cst.Lambda):
            return ()
        return tuple(decorator.decorator for decorator in self.node.decorators)


@dataclass(slots=True, eq=False)
class ClassInfo:
    """One ``class`` with its methods."""

    node: cst.ClassDef
    name: str
    site: Site
    lessons: Lessons
    #: Stands for the parameters of its instances where a class is a module.
    serial: int = 0
    #: Dotted names of the bases as the import table resolves them.
    bases: tuple[str, ...] = ()
    parents: tuple[ClassInfo, ...] = ()
    methods: dict[str, FunctionInfo] = field(default_factory=dict)
    #: What annotations in the body of the class say of them.
    declared: dict[str, Value] = field(default_factory=dict)

    @property
    def attributes(self) -> Mapping[str, Value]:
        """``self.<attr>`` joined over every assignment that was seen in the class."""
        return self.lessons.attributes(self.site)

    @property
    def constructed(self) -> bool:
        """Whether this file makes instances of it."""
        return self.lessons.constructed(self.site)

    def method(self, name: str) -> FunctionInfo | None:
        """Look ``name`` up here and then in the parents of this file."""
        if name in self.methods:
            return self.methods[name]
        return next((found for parent in self.parents if (found := parent.method(name)) is not None), None)

    def attribute(self, name: str) -> Value | None:
        if name in self.attributes:
            return self.attributes[name]
        if name in self.declared:
            return self.declared[name]
        return next((found for parent in self.parents if (found := parent.attribute(name)) is not None), None)

    def members(self) -> dict[str, Value]:
        """``self.<attr>`` by name, those of the parents in this file included."""
        inherited = [parent.members() for parent in self.parents]
        return {name: value for known in (*reversed(inherited), self.attributes) for name, value in known.items()}

    def all_bases(self) -> tuple[str, ...]:
        inherited = [base for parent in self.parents for base in parent.all_bases()]
        return (*self.bases, *inherited)

    @property
    def is_module(self) -> bool:
        """Whether instances are ``nn.Module``: by a base that is one, or that is called one."""
        return any(base.split(".")[-1].endswith("Module") or base in _MODULE_BASES for base in self.all_bases())

    @property
    def is_lightning(self) -> bool:
        return any(base.split(".")[-1] == "LightningModule" for base in self.all_bases())

    @property
    def is_autograd_function(self) -> bool:
        return any(base in {"torch.autograd.Function", "torch.autograd.function.Function"} for base in self.all_bases())

    @property
    def is_dataset(self) -> bool:
        """Instances that work on host memory by construction: datasets, samplers, transforms."""
        return any(
            base.split(".")[-1].endswith(("Dataset", "Sampler", "DataPipe", "Transform")) for base in self.all_bases()
        )


def bound_in(node: cst.CSTNode) -> Iterator[str]:
    """Names bound anywhere below ``node``, nested functions included: rather one too many."""
    match node:
        case cst.Param(name=name) | cst.FunctionDef(name=name) | cst.ClassDef(name=name):
            yield name.value
        case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            yield from _plain_names(target)
        case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target):
            yield from _plain_names(target)
        case cst.AsName(name=target):
            yield from _plain_names(target)
        case cst.MatchAs(name=cst.Name(value=text)) | cst.MatchStar(name=cst.Name(value=text)):
            yield text
        case cst.ImportAlias():
            return
    for child in children(node):
        yield from bound_in(child)


def contains(node: cst.CSTNode, part: cst.CSTNode) -> bool:
    """Whether ``part``, and not one that looks like it, stands in ``node``."""
    return node is part or any(contains(child, part) for child in children(node))


def asked_of(name: str, scope: cst.CSTNode) -> frozenset[str]:
    """The attributes that ``scope`` asks of what a plain name holds, and "" where it is used as a whole."""
    match scope:
        case cst.AssignTarget(target=cst.Name()):
            return frozenset()
        case cst.Attribute(value=cst.Name(value=owner), attr=attribute) if owner == name:
            return frozenset({attribute.value})
        case cst.Name(value=used) if used == name:
            return frozenset({""})
    return frozenset().union(*(asked_of(name, child) for child in children(scope)))


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """The plain names that are read in ``node``: neither attributes nor keywords."""
    match node:
        case cst.Name(value=name):
            return frozenset({name})
        case cst.Attribute(value=inner) | cst.Arg(value=inner):
            return names_in(inner)
        case _:
            return frozenset().union(*map(names_in, children(node)))


def walk_scope(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What is below ``root`` in the order of the text, without what stands in functions below it."""
    for child in children(root):
        yield child
        if not isinstance(child, (cst.FunctionDef, cst.Lambda)):
            yield from walk_scope(child)


def imported_by(alias: cst.ImportAlias) -> Iterator[str]:
    """The name that ``import a.b``, ``import a as b`` or ``from a import b`` binds."""
    bound: cst.CSTNode = alias.name if alias.asname is None else alias.asname.name
    while isinstance(bound, cst.Attribute):
        bound = bound.value
    yield from _plain_names(bound)


def binds_after(root: cst.CSTNode, name: str, at: cst.CSTNode) -> bool:
    """Whether the first import of ``name`` in this scope comes after the node ``at``."""
    passed = False
    for node in walk_scope(root):
        passed = passed or node is at
        if isinstance(node, cst.ImportAlias) and name in imported_by(node):
            return passed
    return False


def _plain_names(target: cst.CSTNode) -> Iterator[str]:
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
            for child in children(target):
                yield from _plain_names(child)


_MODULE_BASES = frozenset({"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.Linear", "torch.nn.Conv2d"})


def dotted_name(node: cst.CSTNode) -> str:
    """``a.b.c`` of a name or attribute chain, or an empty string for anything else."""
    # LibCST nodes have an abstract metaclass, which makes ``isinstance`` ten times the price of ``type``.
    kind = type(node)
    if kind is cst.Name:
        return node.value  # type: ignore[attr-defined, no-any-return]
    parts: list[str] = []
    while kind is cst.Attribute:
        parts.append(node.attr.value)  # type: ignore[attr-defined]
        node = node.value  # type: ignore[attr-defined]
        kind = type(node)
    if kind is not cst.Name:
        return ""
    parts.append(node.value)  # type: ignore[attr-defined]
    return ".".join(reversed(parts))

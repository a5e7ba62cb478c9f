"""Functions and classes that were seen, and what is known of them by their definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow.domain.tensors import Provenance
from tensorlint.flow.domain.values import Unknown, Value
from tensorlint.flow.tree import (
    attributes_bound,
    bound_in,
    dotted_name,
    imported_by,
    names_in,
    parameters_of,
    walk_scope,
)

if TYPE_CHECKING:
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.learned import FunctionLesson, Lessons
    from tensorlint.flow.state import Environment, Frame
    from tensorlint.flow.unit import Unit


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """One ``def`` or lambda."""

    #: As it was found: a method of another file has no body before somebody asks for it.
    found: cst.FunctionDef | cst.Lambda
    name: str
    site: Site
    lessons: Lessons
    cls: ClassInfo | None = None
    #: The file around the judged one that it stands in; None for the judged one.
    unit: Unit | None = None
    #: The environment the function closes over.
    closure: Environment | None = None
    #: The call of the function that it is defined in, by which it reads other names each time.
    enclosing: Frame | None = None
    nested: bool = False
    _local_names: frozenset[str] | None = None
    _imported_names: frozenset[str] | None = None
    _outer_names: frozenset[str] | None = None
    _attributes: frozenset[str] | None = None
    _kept: Mapping[str, str] | None = None

    @property
    def node(self) -> cst.FunctionDef | cst.Lambda:
        return self.found if self.unit is None else self.unit.whole(self.found)

    @property
    def lesson(self) -> FunctionLesson:
        """How it was seen to be called."""
        return self.lessons.function(self.site)

    @property
    def overridden(self) -> Iterator[FunctionInfo]:
        """The methods that this one stands in for, where a class above calls its own method of that name."""
        if self.cls is not None and self.name != "__init__":
            for parent in self.cls.parents:
                found = parent.method(self.name)
                if found is not None:
                    yield found
                    yield from found.overridden

    @property
    def local_names(self) -> frozenset[str]:
        """Names the function binds by other means than an import: its parameters and what is assigned in it."""
        if self._local_names is None:
            self._local_names = frozenset(bound_in(self.node))
        return self._local_names

    @property
    def outer_names(self) -> frozenset[str]:
        """Names that are read in the body and bound around it."""
        if self._outer_names is None:
            self._outer_names = names_in(self.node.body) - self.local_names
        return self._outer_names

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
    def attributes(self) -> frozenset[str]:
        """Attributes of its first parameter that the function binds."""
        if self._attributes is None:
            parameters = parameters_of(self.node)
            own = parameters[0].name.value if parameters else ""
            self._attributes = frozenset(attributes_bound(walk_scope(self.node), own))
        return self._attributes

    @property
    def kept(self) -> Mapping[str, str]:
        """Parameters that a constructor keeps as they are, by the attribute of its object that it binds, once."""
        if self._kept is None:
            own, *others = [parameter.name.value for parameter in parameters_of(self.node)] or [""]
            bound = Counter(attributes_bound(walk_scope(self.node), own))
            again = frozenset(bound_in(self.node.body))
            pairs = (_kept_by(statement, own) for statement in self.node.body.body)  # type: ignore[union-attr]
            self._kept = {
                attribute: name
                for attribute, name in filter(None, pairs)
                if name in others and name not in again and bound[attribute] == 1
            }
        return self._kept

    @property
    def is_left_open(self) -> bool:
        """Whether the body does nothing but say so: classes below are to have a method of this name."""
        body = self.node.body
        return isinstance(body, cst.BaseSuite) and all(map(_does_nothing, body.body))

    @property
    def is_property(self) -> bool:
        """Whether its object is asked for what it returns as for an attribute."""
        return any(dotted_name(each).split(".")[-1] in {"property", "cached_property"} for each in self.decorators)

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
    #: The file around the judged one that it stands in; None for the judged one.
    unit: Unit | None = None
    #: Stands for the parameters of its instances where a class is a module.
    serial: int = 0
    #: Dotted names of the bases as the import table resolves them.
    bases: tuple[str, ...] = ()
    parents: tuple[ClassInfo, ...] = ()
    methods: dict[str, FunctionInfo] = field(default_factory=dict)
    #: What annotations in the body of the class say of them.
    declared: dict[str, Value] = field(default_factory=dict)
    _fields: tuple[str, ...] | None = None

    @property
    def attributes(self) -> Mapping[str, Value]:
        """``self.<attr>`` joined over every assignment that was seen in the class."""
        if self.unit is not None:
            self.unit.world.learn(self)
        return self.lessons.attributes(self.site)

    def take(self) -> Mapping[str, Value]:
        """Let go of what its instances were seen to keep."""
        known = self.lessons.attributes(self.site)
        self.lessons.put_attributes(self.site, {})
        return known

    def put(self, attributes: Mapping[str, Value]) -> None:
        """Have its instances keep just these."""
        self.lessons.put_attributes(self.site, attributes)

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
        if name in self.methods:
            # A property, in place of what the classes above keep there.
            return None
        return next((found for parent in self.parents if (found := parent.attribute(name)) is not None), None)

    @property
    def fields(self) -> tuple[str, ...]:
        """What a data class or a named tuple is made of, in the order of its arguments."""
        if self._fields is None:
            inherited = [name for parent in self.parents for name in parent.fields]
            own = _annotated(self.node) if _is_made_of_fields(self.node) else ()
            self._fields = tuple(dict.fromkeys([*inherited, *own]))
        return self._fields

    def binds_again(self, name: str) -> bool:
        """Whether anything but the constructor of its objects binds this attribute of them."""
        constructor = self.method("__init__")
        return any(
            name in method.attributes
            for cls in (self, *self.above())
            for method in cls.methods.values()
            if method is not constructor and (cls.unit is None or cls.unit.keeps(method.found))
        )

    def above(self) -> Iterator[ClassInfo]:
        """The classes that it inherits from, as far as they were seen."""
        for parent in self.parents:
            yield parent
            yield from parent.above()

    def before(self, method: FunctionInfo, name: str) -> Value | None:
        """What ``self.<name>`` is where ``method`` binds it, and reads it before: something else left it there.

        None where nothing says that it was not left by ``method`` itself.
        """
        if name not in method.attributes or name in self.declared:
            return None
        if method.name != "__init__" and any(
            name in other.attributes for other in self.methods.values() if other is not method
        ):
            return None
        inherited = [found for parent in self.parents if (found := parent.attribute(name)) is not None]
        if inherited:
            return inherited[0]
        seen = len(self.parents) == len([base for base in self.bases if not is_plain_base(base)])
        return None if seen else Unknown(source=Provenance.ATTRIBUTE)

    def members(self) -> dict[str, Value]:
        """``self.<attr>`` by name, those of the parents in this file included."""
        inherited = [parent.members() for parent in self.parents]
        return {name: value for known in (*reversed(inherited), self.attributes) for name, value in known.items()}

    def all_bases(self) -> tuple[str, ...]:
        inherited = [base for parent in self.parents for base in parent.all_bases()]
        return (*self.bases, *inherited)

    def is_below(self, cls: ClassInfo) -> bool:
        """Whether this class inherits from ``cls``."""
        return any(parent is cls or parent.is_below(cls) for parent in self.parents)

    @property
    def is_module(self) -> bool:
        """Whether instances are ``nn.Module``: by a base that is one, or that is called one where it was not seen."""
        seen = {parent.name for parent in self.parents}
        unseen = (base for base in self.bases if base.split(".")[-1] not in seen)
        return any(parent.is_module for parent in self.parents) or any(
            base.split(".")[-1].endswith("Module") or base in _MODULE_BASES for base in unseen
        )

    @property
    def is_tuple(self) -> bool:
        """Whether instances are named tuples, so that their fields are their elements."""
        return any(base.split(".")[-1] == "NamedTuple" for base in self.all_bases())

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


def _is_made_of_fields(node: cst.ClassDef) -> bool:
    decorators = (each.decorator for each in node.decorators)
    called = (each.func if isinstance(each, cst.Call) else each for each in decorators)
    bases = (base.value for base in node.bases)
    return any(dotted_name(each) in _DATA_CLASSES for each in called) or any(
        dotted_name(base).split(".")[-1] == "NamedTuple" for base in bases
    )


def _kept_by(statement: cst.CSTNode, own: str) -> tuple[str, str] | None:
    """``self.attribute = name``: both of them."""
    match statement:
        case cst.SimpleStatementLine(
            body=[
                cst.Assign(
                    targets=[cst.AssignTarget(target=cst.Attribute(value=cst.Name(value=owner), attr=attribute))],
                    value=cst.Name(value=name),
                )
                | cst.AnnAssign(
                    target=cst.Attribute(value=cst.Name(value=owner), attr=attribute), value=cst.Name(value=name)
                )
            ]
        ) if owner == own:
            return attribute.value, name
        case _:
            return None


def _annotated(node: cst.ClassDef) -> Iterator[str]:
    """The names with an annotation in the body of a class, but those of the class itself."""
    for statement in node.body.body:
        for line in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(line, cst.AnnAssign) and isinstance(line.target, cst.Name):
                kind = line.annotation.annotation
                kind = kind.value if isinstance(kind, cst.Subscript) else kind
                if dotted_name(kind).split(".")[-1] != "ClassVar" and not _is_no_argument(line.value):
                    yield line.target.value


def _is_no_argument(default: cst.BaseExpression | None) -> bool:
    """``field(init=False)``"""
    match default:
        case cst.Call(args=arguments):
            said = [each.value for each in arguments if each.keyword is not None and each.keyword.value == "init"]
            return any(isinstance(value, cst.Name) and value.value == "False" for value in said)
        case _:
            return False


def _does_nothing(statement: cst.CSTNode) -> bool:
    """A docstring, ``pass``, ``...`` or ``raise``."""
    match statement:
        case cst.SimpleStatementLine(body=parts):
            return all(map(_does_nothing, parts))
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString() | cst.Ellipsis()) | cst.Pass() | cst.Raise():
            return True
        case _:
            return False


def is_plain_base(base: str) -> bool:
    """Whether a base, by its dotted name, keeps nothing under a name of the class and calls only ``forward`` back."""
    return base.partition(".")[0] in _PLAIN_BASES


_DATA_CLASSES = frozenset(
    {"dataclass", "dataclasses.dataclass", "attr.s", "attr.dataclass", "attrs.define", "attrs.frozen", "define"}
)
#: By the first part of their names.
_PLAIN_BASES = frozenset({"torch", "builtins", "object", "abc", "ABC", "typing", "enum", "collections"})
_MODULE_BASES = frozenset({"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.Linear", "torch.nn.Conv2d"})

"""The machine that models of calls work on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence as Nodes
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.annotations import declared_value
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import FLOAT64, OTHER_DTYPE
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable, is_mask, leaves, tensor_dtype
from tensorlint.flow.domain.lattice import join, join_all
from tensorlint.flow.domain.memory import Owner, Storage, Storages
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import ClassObject, Instance, Module, Optimizer, Unknown, Value, is_none
from tensorlint.flow.elements import asked, changes, counted_by, transferred, uses_of, varies
from tensorlint.flow.keeping import Keeping
from tensorlint.flow.overlaps import overlap, sizes_of
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, names_in

if TYPE_CHECKING:
    from tensorlint.flow.defined import ClassInfo, FunctionInfo


class Machine(Keeping, ABC):
    """Memory, names, classes and modules of a file, and what the interpreter does for a model."""

    # What the models of calls may ask for, besides memory. The parts of the interpreter provide it.

    @abstractmethod
    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """What an expression is worth here."""

    def current(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """The same, for a look that reads no memory."""
        stale, frame.env.stale = frame.env.stale, {}
        value = self.evaluate(node, frame)
        frame.env.stale = stale
        return value

    def silently(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """The same of an expression that was evaluated, and spoken of, before."""
        quiet, env = frame.quiet, frame.env
        frame.quiet, frame.env = True, env.copy()
        value = self.current(node, frame)
        frame.quiet, frame.env = quiet, env
        return value

    @abstractmethod
    def execute(self, body: Nodes[cst.CSTNode], frame: Frame) -> None:
        """Run statements in order, for as long as control arrives."""

    @abstractmethod
    def assign(self, target: cst.CSTNode, value: Value, frame: Frame) -> None:
        """Bind a target, or unpack into it."""

    @abstractmethod
    def narrow(self, test: cst.BaseExpression, frame: Frame, *, holds: bool) -> None:
        """Let the environment know how a test came out."""

    @abstractmethod
    def narrow_class(
        self, subject: cst.BaseExpression, classes: cst.BaseExpression, frame: Frame, *, holds: bool
    ) -> None:
        """Let the environment know whether a subject is an instance of ``classes``."""

    @abstractmethod
    def note_test(self, test: cst.BaseExpression, around: cst.CSTNode) -> None:
        """Remember of the calls in the condition of ``around`` that only their truth is asked for."""

    @abstractmethod
    def attribute(self, value: Value, name: str, node: cst.Attribute, frame: Frame) -> Value:
        """``value.name``, read and not called."""

    @abstractmethod
    def call(self, node: cst.Call, frame: Frame) -> Value:
        """What a call is worth here."""

    @abstractmethod
    def owner_of(self, node: cst.Attribute, frame: Frame) -> Value:
        """The object that ``node`` looks something up on."""

    @abstractmethod
    def call_value(
        self,
        callee: Value,
        call: Call,
    ) -> Value:
        """What calling ``callee`` returns."""

    @abstractmethod
    def method(
        self,
        receiver: Value,
        name: str,
        call: Call,
    ) -> Value:
        """What ``receiver.name(...)`` returns."""

    @abstractmethod
    def apply(
        self,
        info: FunctionInfo,
        receiver: Value | None,
        arguments: tuple[Argument, ...],
        frame: Frame,
        node: cst.CSTNode,
    ) -> Value:
        """What calling a function that was seen returns."""

    @abstractmethod
    def enclosed(self, info: FunctionInfo, captured: tuple[tuple[str, Value], ...]) -> AbstractContextManager[None]:
        """Have a function read what it took along from the call that it was defined in, if it did."""

    @abstractmethod
    def note_call(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, *, bound: bool) -> None:
        """Remember what a function that was seen is called with, where somebody wants to know."""

    # Classes, and the modules among their instances.

    def lookup(self, path: str, frame: Frame) -> Value | None:
        found = frame.env.lookup(path)
        if found is not None:
            return found
        head, _, attribute = path.partition(".")
        if frame.self_name and head == frame.self_name and attribute and "." not in attribute and frame.cls is not None:
            own = frame.env.lookup(head)
            cls = self._class_of_self(own, frame.cls)
            before = None if frame.function is None else cls.before(frame.function, attribute)
            kept = self.held_by(own, self.class_attribute(cls, attribute) if before is None else before)
            return kept and frame.env.latest(kept)
        return None

    def _class_of_self(self, own: Value | None, cls: ClassInfo) -> ClassInfo:
        """The class of the object whose method of ``cls`` runs: one below it may keep something else there."""
        known = self.cls(own) if isinstance(own, (Instance, Module)) else None
        return known if known is not None and known.is_below(cls) else cls

    @staticmethod
    def held_by(owner: Value | None, found: Value | None) -> Value | None:
        """An attribute of an object of this file: what is frozen or cast with its module is so, too."""
        if found is None or not isinstance(owner, Module):
            return found
        if owner.dtype and isinstance(found, Module) and found.dtype is not owner.dtype:
            found = replace(found, dtype=OTHER_DTYPE if found.dtype else owner.dtype)
        if owner.trainable is Truth.YES:
            return found
        least = min(owner.trainable, found.trainable) if isinstance(found, Module) else owner.trainable
        return as_trainable(found, least)

    def class_attribute(self, cls: ClassInfo, name: str) -> Value | None:
        """``self.<name>`` as the whole class knows it. What a module registers moves with the module."""
        value = cls.attribute(name)
        if value is not None and is_none(value):
            value = self._set_below(cls, name)
        if isinstance(value, Optimizer) and value.fresh:
            # Any other method may have stepped it.
            return replace(value, fresh=False)
        if value is None or not cls.is_module or self._stays_on_cpu(cls):
            return value
        unknown = Fact(Truth.UNKNOWN, reason="moves with its module")
        if isinstance(value, Module) and value.device.truth is Truth.NO:
            return replace(value, device=unknown)
        if isinstance(value, Tensor) and any(storage.owner.is_trained for storage in value.storages):
            return replace(value, device=unknown)
        return value

    def _set_below(self, cls: ClassInfo, name: str) -> Value:
        """What an attribute is that a class itself only sets to None: what classes below it keep there, or anything."""
        kept = [
            below.attributes[name]
            for below in self.classes.values()
            if below is not cls and below.is_below(cls) and name in below.attributes
        ]
        return join_all(kept) if kept else Unknown(source=Provenance.ATTRIBUTE)

    def _stays_on_cpu(self, cls: ClassInfo) -> bool:
        """A program that makes its own modules and never speaks of a device leaves them where they are made."""
        return cls.constructed and not self.file.mentions_device

    def resolve(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """What a name in an annotation stands for."""
        named = self.evaluate(node, frame)
        cls = self.cls(named) if isinstance(named, ClassObject) else None
        if cls is None:
            return named
        tensor = any(base.startswith("torch.") and base.endswith("Tensor") for base in cls.all_bases())
        return Tensor(source=Provenance.PARAMETER) if tensor else self.self_value(cls)

    def self_value(self, cls: ClassInfo) -> Value:
        if cls.is_module:
            device = NO_FACT if self._stays_on_cpu(cls) else Fact()
            return Module(
                cls=cls.site, name=cls.name, device=device, storages=frozenset({Storage(cls.serial, Owner.PARAMETER)})
            )
        return Instance(cls=cls.site)

    def trainable(self, value: Value, depth: int = 4) -> Truth:
        """Whether ``value`` is a module with parameters that are trained; one of this file has what it holds."""
        if isinstance(value, Unknown):
            return Truth.UNKNOWN
        if not isinstance(value, Module):
            return Truth.NO
        cls = self.cls(value)
        if cls is None or value.trainable is Truth.NO:
            return value.trainable
        bases = set(cls.all_bases()) - {"torch.nn.Module", "torch.nn.modules.module.Module"}
        if not depth or any(base.startswith("torch.nn.") for base in bases):
            return value.trainable
        held = [leaf for inside in cls.members().values() for leaf in leaves(inside)]
        parts = [self.trainable(leaf, depth - 1) for leaf in held]
        parts += [leaf.grad.truth for leaf in held if isinstance(leaf, Tensor)]
        # What an unseen base holds is as little known as an attribute that is not known.
        return min(value.trainable, max(parts, default=Truth.UNKNOWN if bases else Truth.NO))

    def set_trainable(self, oid: int, trainable: Truth, frame: Frame) -> None:
        """All parameters of the object ``oid`` are frozen, or trained again, under every name that holds it."""
        if not oid:
            return
        own = frame.env.lookup(frame.self_name) if frame.self_name else None
        if frame.cls is not None and isinstance(own, Module):
            for name, known in frame.cls.members().items():
                path = f"{frame.self_name}.{name}"
                held = frame.env.bindings.get(path, known)
                if oid in {own.oid, getattr(held, "oid", 0)} and (changed := as_trainable(held, trainable)) != held:
                    frame.env.bind(path, changed)
        if (found := frame.env.holds(oid)) is not None:
            frame.env.change(found, lambda held: as_trainable(held, trainable))
        for cls in self.classes.values() if self.learning else ():
            for name, known in dict(cls.attributes).items():
                if cls is not frame.cls and getattr(known, "oid", 0) == oid:
                    self.lessons.keep_attribute(cls.site, name, join(known, as_trainable(known, trainable)))

    def result_grad(self, grad: Fact, frame: Frame, *, itself: bool = False) -> Fact:
        """Whether a result computed here needs grad, when an operand with this fact would make it.

        ``itself``: the result may be the very operand, which is as much of a leaf as before.
        """
        mode = frame.env.grad_mode
        if grad.truth > Truth.UNKNOWN and not itself and not grad.passed_on:
            grad = replace(grad, passed_on=True)
        if mode.truth is Truth.NO:
            return NO_FACT
        if mode.truth is Truth.UNKNOWN:
            return grad if grad.truth is Truth.NO else Fact()
        # A mode that is chosen when the program runs has a place; that nobody outside switches it off is presumed.
        return grad.weakened() if mode.truth is Truth.MAYBE and mode.site is not None else grad

    def meet_float(
        self,
        frame: Frame,
        node: cst.CSTNode,
        arguments: tuple[Argument, ...],
        *,
        weight: bool = False,
        presumed: bool = False,
        told: bool = False,
    ) -> None:
        """A call computes with float32, and raises for what it was given of float64 or without a fraction at all.

        ``weight``: so is the weight of a loss; ``presumed``, that nothing says of its scores that they are float64.
        ``told``: that is told elsewhere.
        """
        dtypes = ((each, tensor_dtype(each.value)) for each in arguments)
        given, dtype = next((pair for pair in dtypes if pair[1] is FLOAT64 or pair[1].is_integral), (None, FLOAT64))
        if (given is None and not weight) or self.scene(frame).caught:
            return
        if dtype is FLOAT64 and (self.autocast or self.may_compute_in_double):
            return
        if not presumed:
            frame.raises_for |= {dtype}
        cast = dtype is FLOAT64 and frame.cls is not None and not self.learning and self._may_be_cast(frame.cls)
        if not told and not cast:
            self.emit(frame, events.MeetsFloat, node, data=given, weight=weight, presumed=presumed)

    @property
    def may_compute_in_double(self) -> bool:
        """Whether networks of this file may have been cast to float64, or made so, in another file of the program."""
        return self.file.sets_defaults or (
            not self.learning and self.world is not None and self.world.callers.compute_in_double(self.file_path)
        )

    def _may_be_cast(self, cls: ClassInfo) -> bool:
        """Whether weights may be those of an object that somebody casts as a whole."""
        return self.world is not None and self.world.callers.make_and_call(cls.name, self.file_path, "double")

    def note_index(self, frame: Frame, node: cst.Subscript, owner: Tensor, indices: Nodes[Value]) -> None:
        """Tell of the tensors that ``owner`` is indexed by."""
        for element, index in zip(node.slice, indices, strict=True):
            if isinstance(index, Tensor) and index.sure and index.dtype and owner.sure:
                assert isinstance(element.slice, cst.Index)
                self.emit(frame, events.TensorIndex, node, index=Argument(element.slice.value, index))

    def note_operation(
        self, frame: Frame, node: cst.CSTNode, operator: cst.CSTNode, left: Argument, right: Argument
    ) -> None:
        """Tell of an operator between an array and a tensor, and of what no tensor of integers or bool can do."""
        in_place = isinstance(operator, cst.BaseAugOp)
        subtracted = isinstance(operator, (cst.Subtract, cst.SubtractAssign))
        if (in_place and tensor_dtype(left.value).is_integral) or (
            subtracted and (is_mask(left.value) or is_mask(right.value))
        ):
            words = cst.Module(body=()).code_for_node(operator).strip()
            self.emit(frame, events.IntegersOperated, node, operator=words, left=left, right=right)
        match left.value, right.value:
            case Array(sure=True, has_axes=True), Tensor(sure=True):
                array, tensor, first = left, right, True
            case Tensor(sure=True), Array(sure=True, has_axes=True):
                array, tensor, first = right, left, False
            case _:
                return
        words = cst.Module(body=()).code_for_node(operator).strip()
        self.emit(
            frame,
            events.ArrayMeetsTensor,
            node,
            operator=words.removesuffix("=") if in_place else words,
            array=array,
            tensor=tensor,
            array_first=first,
        )

    def write_part(
        self,
        frame: Frame,
        node: cst.CSTNode,
        target: tuple[cst.BaseExpression, Value],
        source: tuple[cst.BaseExpression, Value],
        *,
        copies: bool,
    ) -> None:
        """``target`` is written while ``source`` is read. Tell of two parts of one memory."""
        (written, value), (read, taken) = target, source
        if frame.quiet or self.learning or not isinstance(value, Tensor) or not isinstance(taken, Tensor):
            return
        if len(value.storages) != 1 or value.storages != taken.storages:
            return
        sizes = sizes_of(None if value.origin is None else self.sites.node(value.origin.site))
        written, spelled = (self._made_by(frame, each, of) for each, of in ((written, value), (read, taken)))
        found = overlap(self, frame, written, spelled, sizes, copies=copies)
        if found is not None:
            self.emit(
                frame,
                events.OverlappingWrite,
                node,
                value=value,
                source=read,
                refused=found.refused,
                ahead=found.ahead,
                known=found.known,
                copies=copies,
            )

    def _made_by(self, frame: Frame, node: cst.BaseExpression, value: Tensor) -> cst.BaseExpression:
        """The index that a name stands for, when that says the same by now: there is no name in it."""
        match self.views_of(frame, value) if isinstance(node, cst.Name) else ():
            case (cst.Subscript(slice=elements) as made, *_) if not any(map(names_in, elements)):
                return made
            case _:
                return node

    def ask(self, frame: Frame, node: cst.Call, value: Value) -> None:
        """A number is asked of ``value``, which may be one element of a tensor that a loop goes through."""
        if frame.quiet or self.learning or not frame.loops or not (isinstance(value, Tensor) and value.sure):
            return
        tensor, count = asked(node), None
        match tensor:
            case cst.Name(value=name):
                found = next(((loop, *loop.rows[name]) for loop in reversed(frame.loops) if name in loop.rows), None)
            case cst.Subscript(value=whole, slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Name(value=name)))]):
                held = self.silently(whole, frame)
                counting = (loop for loop in reversed(frame.loops) if (counted_by(loop.node, name)) is not None)
                found = next(((loop, held, whole) for loop in counting), None) if isinstance(held, Tensor) else None
                count = counted_by(found[0].node, name) if found is not None else None
            case _:
                return
        if found is None or changes(found[0].node, found[2]):
            return
        loop, held, whole = found
        scope = frame.function.node if frame.function is not None else self.module
        uses = uses_of(loop.node, name, whole, scope)
        self.emit(frame, events.ElementAsked, node, value=held, whole=whole, loop=loop.node, count=count, asks=uses)

    def index_transfer(self, frame: Frame, node: cst.Subscript, indices: Nodes[Value]) -> None:
        """Tell of a tensor that a loop brings to the CPU each time, for one part of it."""
        whole = None if frame.quiet or self.learning else transferred(node.value)
        if whole is None or not dotted_name(whole):
            return
        loop = next(
            (loop.node for loop in reversed(frame.loops) if any(varies(loop.node, i) for i in node.slice)), None
        )
        if loop is None or changes(loop, whole):
            return
        value = self.silently(whole, frame)
        if isinstance(value, (Tensor, Unknown)) and value.device.truth is not Truth.NO:
            self.emit(frame, events.TransferIndexed, node, value=value, whole=whole, indices=tuple(indices))

    def record_attribute(self, cls: ClassInfo, name: str, value: Value) -> None:
        """Remember what the class keeps under ``self.<name>``, in memory the object owns."""
        if self.teaching is not None and cls is not self.teaching:
            return
        if isinstance(value, (Tensor, Array, Unknown)) and not any(
            storage.owner.is_trained for storage in value.storages
        ):
            value = (
                replace(value, storages=self._attribute_storage(cls, name), alias=None)
                if not isinstance(value, Unknown)
                else replace(value, storages=self._attribute_storage(cls, name), source=Provenance.ATTRIBUTE)
            )
        if isinstance(value, Tensor):
            # Another method may have filled it by then, or waited for it.
            value = replace(value, imported=False, unset=None, in_flight=None, numbers="")
            if value.grad.truth is Truth.NO:
                # Or computed another with a graph.
                value = replace(value, grad=NO_FACT)
        declared = cls.declared.get(name)
        if declared is not None and isinstance(value, Unknown):
            value = declared_value(declared, value)
        known = cls.attributes.get(name)
        self.lessons.keep_attribute(cls.site, name, value if known is None else _either(known, value))

    def _attribute_storage(self, cls: ClassInfo, name: str) -> Storages:
        key = (cls.serial, name)
        if key not in self.attribute_storages:
            self.attribute_storages[key] = self.storage(Owner.ATTRIBUTE)
        return self.attribute_storages[key]


def _either(known: Value, value: Value) -> Value:
    """What an attribute is that one place binds to ``known``, and another to ``value``.

    Which of them came last is not known, and hangs on more than can be seen: that one of them put it on a device is no
    evidence.
    """
    joined = join(known, value)
    match known, value, joined:
        case (Tensor() | Unknown(), Tensor() | Unknown(), Tensor(device=device) | Unknown(device=device)):
            if Truth.NO in {known.device.truth, value.device.truth} and device.truth is Truth.MAYBE:
                return replace(joined, device=replace(device, truth=Truth.UNKNOWN))
    return joined

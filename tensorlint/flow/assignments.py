"""Assignment: what a target binds, writes, keeps or lets go of."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events, object_events
from tensorlint.flow.annotations import declared_value, value_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import FLOAT64, OBJECT, OTHER_DTYPE, UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import arrays_behind, as_trainable, of_no_model, storages_of, without_aliases
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.memory import NO_STORAGE, Adding, Container, Writing, gradients_of
from tensorlint.flow.domain.tensors import Array, Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    UNKNOWN,
    Dictionary,
    Instance,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.arithmetic import combine, multiplies_matrices, promotes
from tensorlint.flow.models.arrays import copies_by_index
from tensorlint.flow.models.containers import without_entry
from tensorlint.flow.models.cuts import cut_here, exported, has_no_graph
from tensorlint.flow.models.fields import as_tuple, without_held
from tensorlint.flow.models.given_weights import note_given
from tensorlint.flow.models.items import element_of, index_value, note_key
from tensorlint.flow.models.kept_models import note_kept
from tensorlint.flow.models.numpy_functions import OF_SHAPE
from tensorlint.flow.models.objects import kept_on
from tensorlint.flow.models.tensors import set_grad
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import contains, dotted_name, is_everything, names_in


class Assignments(Machine):
    def _assignment(self, node: cst.Assign, frame: Frame) -> None:
        match node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call()):
                frame.named_call = node.value, name
        frame.rebinds = frozenset().union(*(names_in(target.target) for target in node.targets))
        value = self.evaluate(node.value, frame)
        frame.rebinds = frozenset()
        note_kept(self, node, frame)
        match node:
            case cst.Assign(
                targets=[cst.AssignTarget(target=kept)],
                value=cst.BinaryOperation(left=left, operator=cst.Add(), right=right),
            ) if (path := dotted_name(kept)) and path in {dotted_name(left), dotted_name(right)}:
                added = right if dotted_name(left) == path else left
                self.accumulate(frame, node, added, value, path, Adding.SUM)
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Attribute(value=held, attr=cst.Name(value="data")))]
            ) if isinstance(value, Tensor) and value.dtype is FLOAT64:
                self._double_into(node, held, value, frame)
        for target in node.targets:
            frame.assigned = node.value if len(node.targets) == 1 else None
            self.assign(target.target, value, frame)
        frame.assigned = None

    def _annotated(self, node: cst.AnnAssign, frame: Frame) -> None:
        declared = value_of(node.annotation.annotation, lambda inner: self.resolve(inner, frame))
        value = self.evaluate(node.value, frame) if node.value is not None else UNKNOWN
        if declared is not None and isinstance(value, Unknown):
            value = declared_value(declared, value)
        if node.value is not None or (declared is not None and dotted_name(node.target) not in frame.env.bindings):
            self.assign(node.target, value, frame)

    def _augmented(self, node: cst.AugAssign, frame: Frame) -> None:
        current = self.evaluate(node.target, frame)
        operand = self.evaluate(node.value, frame)
        path = dotted_name(node.target)
        sides = Argument(node.target, current), Argument(node.value, operand)
        self.note_operation(frame, node, node.operator, *sides)
        self.write_part(frame, node, (node.target, current), (node.value, operand), copies=False)
        if isinstance(node.operator, cst.AddAssign):
            self.accumulate(frame, node, node.value, operand, path or dotted_name(_base(node.target)), Adding.SUM)
        if isinstance(current, Tensor) and (isinstance(operand, Array) or multiplies_matrices(node)):
            # ``t -= array`` and ``t @= other`` are answered by a new tensor: nothing is written in place.
            match node.target:
                case cst.Attribute(value=held, attr=cst.Name(value="data")) if isinstance(operand, Array) and promotes(
                    operand
                ):
                    self._double_into(node, held, operand, frame)
            self.assign(node.target, combine(self, current, operand, node, frame), frame)
            return
        if isinstance(current, Array) or (isinstance(current, (Tensor, Unknown)) and current.storages):
            self.write(frame, node, current, path or dotted_name(_base(node.target)), Writing.AUGMENTED)
        if isinstance(current, (Tensor, Array)):
            combined = combine(self, current, operand, node, frame)
            if isinstance(current, Tensor) and isinstance(combined, Tensor):
                # A leaf that is written where gradients are switched off needs its own as before.
                kept = frame.env.grad_mode.truth is Truth.NO
                changed = replace(
                    current,
                    grad=current.grad if kept else combined.grad,
                    device=combined.device,
                    rewrapped=combined.rewrapped,
                    lost=combined.lost,
                    numbers=combined.numbers,
                )
                if path:
                    self._keep_stale(path, changed, frame)
            elif isinstance(combined, Array) and combined.numbers:
                numbers = combined.numbers
                frame.env.change(
                    current, lambda held: replace(held, numbers=numbers) if isinstance(held, Array) else held
                )
            elif isinstance(combined, Tensor) and not (
                isinstance(current, Array) and current.has_axes and not isinstance(node.operator, cst.DivideAssign)
            ):
                # (An array that does more than to be divided by a tensor raises, and is one wherever it goes on.)
                self.assign(node.target, combined, frame)
            return
        combined = combine(self, current, operand, node, frame)
        if isinstance(current, Unknown) and isinstance(combined, Unknown):
            combined = replace(combined, storages=current.storages)
        if path and isinstance(current, Unknown) and current.source is Provenance.ATTRIBUTE:
            # What binds the attribute first was not seen yet, or never will be; this does not.
            frame.env.bind(path, combined)
            return
        self.assign(node.target, combined, frame)

    def _double_into(
        self, node: cst.Assign | cst.AugAssign, held: cst.BaseExpression, value: Value, frame: Frame
    ) -> None:
        """``held.data`` is given float64, which it becomes."""
        augmented = isinstance(node, cst.AugAssign)
        if self.may_compute_in_double or self.lessons.fed_double:
            return
        if _names_dtype(node.value) and isinstance(held, cst.Attribute):
            # Who writes the dtype down means it: the layer is one of float64 from then on.
            layer = self.current(held.value, frame)
            frame.env.change(layer, lambda of: replace(of, dtype=OTHER_DTYPE) if isinstance(of, Module) else of)
            return
        parameter, given = Argument(held, self.current(held, frame)), Argument(node.value, value)
        self.emit(frame, object_events.DoubleIntoParameter, node, parameter=parameter, value=given, augmented=augmented)

    @staticmethod
    def _bind(path: str, value: Value, frame: Frame) -> None:
        """Bind a name where the function says that it belongs."""
        if frame.function is not None and path in frame.globals | frame.nonlocals:
            frame.env.bind_around(path, value)
        else:
            frame.env.bind(path, value)

    def _keep_stale(self, path: str, value: Value, frame: Frame) -> None:
        stale = frame.env.stale.get(path)
        self._bind(path, value, frame)
        if stale is not None:
            frame.env.stale[path] = stale

    def _delete(self, node: cst.Del, frame: Frame) -> None:
        targets = (
            [element.value for element in node.target.elements] if isinstance(node.target, cst.Tuple) else [node.target]
        )
        for target in targets:
            frame.env.unbind(dotted_name(target))
            match target:
                case cst.Subscript(value=kept, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
                    held, entry = self.silently(kept, frame), self.silently(key, frame)
                    if isinstance(held, Dictionary) and isinstance(entry, Scalar) and entry.known:
                        frame.env.change(held, without_entry(entry.literal))

    def assign(self, target: cst.CSTNode, value: Value, frame: Frame) -> None:
        match target:
            case cst.Name(value=name):
                self._let_go(name, value, frame)
                self._bind(name, value, frame)
            case cst.Tuple() | cst.List():
                self._unpack(target, value, frame)
            case cst.StarredElement(value=inner):
                self.assign(inner, Sequence(element=value), frame)
            case cst.Attribute():
                self._assign_attribute(target, value, frame)
            case cst.Subscript():
                self._assign_item(target, value, frame)

    def _let_go(self, path: str, value: Value, frame: Frame) -> None:
        """Where ``path`` is another model or leaf from here on, nobody trains the one it was before."""
        held = frame.env.bindings.get(path) if self.lessons.snapshots else None
        if not isinstance(held, (Tensor, Module, Unknown)) or not isinstance(value, (Tensor, Module, Unknown)):
            return
        if frame.assigned is None or path.partition(".")[0] in names_in(frame.assigned):
            # ``model = DataParallel(model)``
            return
        gone = gradients_of(held.storages) if isinstance(held, Tensor) else NO_STORAGE
        if isinstance(held, Module) and not _is_elsewhere(held, path, frame):
            gone = held.storages
        for name, kept in list(frame.env.items()):
            if isinstance(kept, (Dictionary, Sequence, Tensor, Array)):
                if not isinstance(held, Tensor):
                    kept = of_no_model(kept, lambda state: state.asked_of == path)
                frame.env.bindings[name] = without_aliases(kept, gone) if gone else kept

    def _rebound(self, parameter: Tensor, frame: Frame) -> None:
        """Every parameter of a model got other memory: what was kept of it before stays as it is."""
        for name, kept in list(frame.env.items()):
            if isinstance(kept, (Dictionary, Sequence, Array)) and storages_of(kept) & parameter.storages:
                if isinstance(kept, Array) and kept.alias is not None:
                    self.lessons.exports_taken_back.add(kept.alias)
                frame.env.bindings[name] = without_aliases(of_no_model(kept), parameter.storages)

    def _unpack(self, target: cst.Tuple | cst.List, value: Value, frame: Frame) -> None:
        elements = target.elements
        frame.assigned = None
        starred = any(isinstance(element, cst.StarredElement) for element in elements)
        value = as_tuple(self, value, frame) or value
        if (
            isinstance(value, Sequence)
            and value.items is not None
            and not starred
            and len(value.items) == len(elements)
        ):
            for element, item in zip(elements, value.items, strict=True):
                self.assign(element.value, item, frame)
            return
        if isinstance(value, Sequence) and value.kind != "loader" and value.items is None and value.element is None:
            value = UNKNOWN
        each = element_of(self, value, target, frame)
        for element in elements:
            item = (
                Sequence(element=each)
                if isinstance(element, cst.StarredElement)
                else self._part_of(each, element.value)
            )
            self.assign(element.value, item, frame)

    def _part_of(self, value: Value, name: cst.BaseExpression) -> Value:
        """One of the values that a tuple is unpacked into: an object of its own, known by its name from here on."""
        if isinstance(value, Unknown):
            value = replace(value, origin=Origin(self.at(name), "unpacked here"))
            if self.at(name) in self.lessons.differentiated and value.grad.truth is Truth.UNKNOWN:
                value = replace(value, grad=Fact(Truth.MAYBE, self.at(name), "`.backward()` goes through it"))
            elif self.at(name) not in self.lessons.differentiated and value.grad.truth is Truth.MAYBE:
                # Of several outputs of a network, some are what it was given.
                value = replace(value, grad=replace(value.grad, truth=Truth.UNKNOWN))
        return replace(value, oid=self.next_serial()) if isinstance(value, (Tensor, Array, Unknown)) else value

    def _assign_attribute(self, target: cst.Attribute, value: Value, frame: Frame) -> None:
        name = target.attr.value
        owner = self.evaluate(target.value, frame)
        if isinstance(owner, Module) or name == "data":
            note_given(self, target.value, value, frame)
        if name == "requires_grad" and isinstance(owner, (Tensor, Unknown)):
            grad = Fact(Truth.MAYBE, self.at(target), "may need a gradient from here on")
            if isinstance(value, Scalar) and value.known:
                grad = (
                    Fact(Truth.YES, self.at(target), "needs a gradient from here on")
                    if value.literal is True
                    else NO_FACT
                )
            set_grad(self, owner, grad, frame, by_flag=True)
            return
        if name == "writeable" and isinstance(target.value, cst.Attribute):
            # ``array.flags.writeable = True``
            array = self.current(target.value.value, frame)
            if isinstance(array, Array):
                frame.env.change(array, lambda held: replace(array, read_only=NO_FACT))
            return
        if name in {"data", "grad"} and isinstance(owner, Tensor):
            if name == "data" and owner.source is Provenance.PARAMETER_OF_MODULE:
                self._rebound(owner, frame)
            if (
                name == "data"
                and (dtype := value.dtype if isinstance(value, Tensor) else UNKNOWN_DTYPE) is not owner.dtype
            ):
                # It takes over the dtype of what it is given, wherever it is asked for.
                retyped = replace(owner, dtype=dtype, numbers="")
                frame.env.change(owner, lambda held: retyped)
                head, _, attribute = dotted_name(target.value).partition(".")
                if self.learning and head and head == frame.self_name and frame.cls is not None:
                    self.record_attribute(frame.cls, attribute, retyped)
            if name == "grad":
                self.release_gradients(frame, gradients_of(owner.storages))
            return
        path = dotted_name(target)
        if not path:
            return
        if isinstance(owner, Module) and owner.trainable is not Truth.YES and self.trainable(value) is Truth.YES:
            # ``model.fc = nn.Linear(...)``: a new head on a frozen model. What it had before stays frozen.
            frame.env.change(owner, lambda held: as_trainable(held, Truth.YES))
        if isinstance(owner, Module) and (arrays := arrays_behind(value)):
            # ``layer.weight = nn.Parameter(torch.from_numpy(w))``
            frame.env.change(
                owner, lambda held: replace(held, arrays=held.arrays | arrays) if isinstance(held, Module) else held
            )
        if isinstance(owner, Instance) and name in owner.held and dotted_name(target.value) != frame.self_name:
            # (What methods of a class bind is known of the class.)
            frame.env.change(owner, without_held(name))
        frame.env.bind(path, value)
        kept_on(self, path, value, frame)
        if path.rpartition(".")[0] == frame.self_name and frame.self_name and frame.cls is not None:
            self.store(frame, target, value, Container.ATTRIBUTE, path)

    def _rank(self, array: Array) -> int:
        """How many dimensions an array was made with, where its shape is written out; 0 where it is not."""
        made = [self.sites.node(storage.site) for storage in array.storages]
        match made:
            case [cst.Call(func=func, args=[cst.Arg(value=shape), *_])] if (
                dotted_name(func).rpartition(".")[2] in OF_SHAPE
            ):
                counts = isinstance(shape, cst.Integer) or (
                    isinstance(shape, cst.Call) and dotted_name(shape.func) == "len"
                )
                return len(shape.elements) if isinstance(shape, (cst.Tuple, cst.List)) else int(counts)
            case _:
                return 0

    def _cut_by_item(self, owner: Array, value: Value, target: cst.Subscript, frame: Frame) -> Fact:
        """What cut the numbers in an array off their graph, now that it takes ``value``."""
        cut = exported(self, [owner, value], target, "[...] =")
        made = self.sites.node(cut.site)
        # ``losses[i] = loss.item()`` is as good as ``losses[i] = loss``.
        here = made is not None and frame.assigned is not None and contains(frame.assigned, made)
        return cut_here(self, target, "[...] =") if here else cut

    def _assign_item(self, target: cst.Subscript, value: Value, frame: Frame) -> None:
        owner = self.evaluate(target.value, frame)
        indices = [index_value(self, element.slice, frame) for element in target.slice]
        path = dotted_name(target.value)
        note_key(self, target, owner, indices, frame)
        if indices and isinstance(owner, (Dictionary, Unknown)):
            self.keep_under(indices[0], value)
        match owner:
            case Tensor() | Array() | Unknown():
                whole = all(is_everything(element.slice) for element in target.slice)
                if owner.storages or isinstance(owner, Array):
                    filled = whole and not getattr(owner, "sliced", False)
                    how = Writing.FILL if filled else Writing.ITEM
                    self.write(frame, target, owner, path or dotted_name(_base(target)), how)
                if isinstance(owner, Array) and not (owner.dtype is OBJECT and not _takes_part(target)):
                    # (An element of an object array holds the tensor itself.)
                    argument = Argument(frame.assigned or target, value)
                    rank = self._rank(owner)
                    one = not _takes_part(target) and rank <= len(indices)
                    self.emit(
                        frame,
                        events.ItemWrite,
                        target,
                        target=owner,
                        value=argument,
                        element=one,
                        surely=one and rank == len(indices) and all(_is_position(index) for index in indices),
                        objects=one and not owner.dtype,
                    )
                if frame.assigned is not None:
                    self.write_part(frame, target, (target, owner), (frame.assigned, value), copies=True)
                if isinstance(owner, Tensor):
                    self.note_index(frame, target, owner, indices)
                    self.note_operation(
                        frame,
                        target,
                        cst.AssignEqual(),
                        Argument(target.value, owner),
                        Argument(frame.assigned or target, value),
                    )
                if isinstance(owner, Array) and (cut := self._cut_by_item(owner, value, target, frame)).reason:
                    frame.env.change(owner, lambda held: replace(held, cut=cut) if isinstance(held, Array) else held)
                if isinstance(owner, Tensor) and owner.dtype.is_integral and not copies_by_index(indices):
                    if (isinstance(value, Tensor) and value.numbers) or (
                        isinstance(value, Scalar) and value.kind == "float"
                    ):
                        given = Argument(frame.assigned or target, value)
                        self.emit(
                            frame, events.FloatsIntoIntegers, target, target=Argument(target.value, owner), value=given
                        )
                elif isinstance(owner, Tensor) and isinstance(value, Tensor) and value.grad.truth > owner.grad.truth:
                    set_grad(self, owner, self.result_grad(value.grad, frame), frame)
                elif isinstance(owner, Tensor) and owner.grad.truth is Truth.NO and not has_no_graph(value):
                    # What is not known is most often a number; but that it is, is not known.
                    set_grad(self, owner, NO_FACT, frame)
                if isinstance(owner, Unknown) and not _takes_part(target):
                    self.store(frame, target, value, Container.SLOT, path, written=frame.assigned)
            case Dictionary():
                key = indices[0] if indices else UNKNOWN
                if isinstance(key, Scalar) and key.known:
                    grown = replace(owner, entries={**owner.entries, key.literal: value})
                elif isinstance(owner.element, Unknown):
                    # One more among entries that were not seen says nothing of the others.
                    grown = owner
                else:
                    # ``for k in d: d[k] = ...`` writes under any of the known keys, or under another.
                    entries = {key: join(held, value) for key, held in owner.entries.items()}
                    element = join(owner.element, value) if owner.element is not None else value
                    grown = replace(owner, entries=entries, element=element)
                frame.env.change(owner, lambda held: grown)
                self.store(frame, target, value, Container.ITEM, path, owner.born, frame.assigned)
            case Sequence():
                contents = join(any_element(owner), value) if owner.items != () else value
                written = replace(owner, items=None, element=contents)
                frame.env.change(owner, lambda held: written)
                kept_on(self, dotted_name(target.value), written, frame)
                self.store(frame, target, value, Container.ITEM, path, owner.born, frame.assigned)


def _names_dtype(value: cst.BaseExpression) -> bool:
    """Whether an expression says what dtype comes of it: ``torch.tensor(rows, dtype=...)``, ``x.double()``."""
    match value:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="double" | "to" | "type"))):
            return True
        case cst.Call(args=arguments):
            return any(argument.keyword is not None and argument.keyword.value == "dtype" for argument in arguments)
        case _:
            return False


def _is_elsewhere(model: Module, path: str, frame: Frame) -> bool:
    """Whether another name than ``path`` is of a model with parameters of this one."""
    return any(
        isinstance(held, Module) and name != path and held.storages & model.storages for name, held in frame.env.items()
    )


def _base(node: cst.CSTNode) -> cst.CSTNode:
    while isinstance(node, (cst.Subscript, cst.Call)):
        node = node.value if isinstance(node, cst.Subscript) else node.func
    return node


def _takes_part(target: cst.Subscript) -> bool:
    """Whether an index holds a slice, so that several elements are meant."""
    return any(isinstance(element.slice, cst.Slice) for element in target.slice)


def _is_position(index: Value) -> bool:
    """Whether an index is one number, and takes no part or several elements."""
    return isinstance(index, Scalar) and index.kind == "int"

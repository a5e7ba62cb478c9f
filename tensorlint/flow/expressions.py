"""Expressions: what each evaluates to, and the reads and attribute look-ups on the way."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import is_integral, unsure_dtype, without_numpy
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import is_usual, storages_of
from tensorlint.flow.domain.lattice import any_element, join, join_all
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, gradients_of
from tensorlint.flow.domain.values import (
    NONE,
    PARAMETER_OF_MODULE,
    PLAIN,
    SOME_DTYPE,
    UNKNOWN,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Origin,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.index import ClassInfo, FunctionInfo, dotted_name
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame, Loop
from tensorlint.knowledge import ARRAY_ATTRIBUTES, TENSOR_ATTRIBUTES, Grad, Result, Share

#: What holds the device that a program was told to use.
_CHOSEN = re.compile(
    r"(^|[._])(args?|opts?|options?|cfg|conf|config|hps?|hparams?|params|settings|flags?|namespace|self|cls|trainer"
    r"|accelerator|runner|agent|context|ctx|state)$",
    re.IGNORECASE,
)
#: Names that data loaders go by; what they yield was collated in host memory.
LOADER = re.compile(
    r"(^|_)(data_?)?(loader|dataloader)s?$|loader$|_dl$|(train|val|valid|test)_(iter|gen)$", re.IGNORECASE
)
_CONSTANTS: Mapping[str, Value] = MappingProxyType(
    {
        "None": NONE,
        "True": Scalar(kind="bool", literal=True, known=True),
        "False": Scalar(kind="bool", literal=False, known=True),
    }
)
FLOATS = frozenset(
    f"{module}.{name}"
    for module in ("numpy", "math", "torch")
    for name in ("nan", "inf", "pi", "e", "NaN", "Inf", "tau")
)
#: What tells of an object without reading its data.
_WITHOUT_READING = frozenset({"keys", "shape", "ndim", "dtype", "device", "size", "dim", "numel", "requires_grad"})
_BUILTINS = frozenset(dir(builtins))


class Expressions(Machine):
    """``evaluate`` dispatches on the type of the node; a node no method is written for is unknown."""

    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Value:
        handler = _HANDLERS.get(type(node))
        return handler(self, node, frame) if handler is not None else UNKNOWN

    # Atoms.

    def _name(self, node: cst.Name, frame: Frame) -> Value:
        name = node.value
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        value = self.lookup(name, frame)
        if value is None:
            return Symbol(path=f"builtins.{name}") if name in _BUILTINS else Unknown(source="global")
        self._read(name, value, node, frame)
        return value

    def _read(self, path: str, value: Value, node: cst.CSTNode, frame: Frame) -> None:
        mutation = frame.env.stale.get(path)
        if mutation is not None:
            self.emit(frame, events.StaleRead, node, name=path, value=value, mutation=mutation)

    def _integer(self, node: cst.Integer, frame: Frame) -> Value:
        return Scalar(
            kind="int", literal=int(node.value) if node.value.isdecimal() else node.evaluated_value, known=True
        )

    def _float(self, node: cst.Float, frame: Frame) -> Value:
        return Scalar(kind="float", known=True)

    def _imaginary(self, node: cst.Imaginary, frame: Frame) -> Value:
        return Scalar(kind="complex", known=True)

    def _string(self, node: cst.SimpleString, frame: Frame) -> Value:
        text: str | bytes
        if "\\" not in node.value and node.value[:1] in "'\"":
            # Most strings: nothing to evaluate, which is what costs.
            quote = 3 if node.value[:3] in {'"""', "'''"} else 1
            text = node.value[quote:-quote]
        else:
            text = node.evaluated_value
        return Scalar(kind="str" if isinstance(text, str) else "bytes", literal=text, known=True)

    def _formatted(self, node: cst.FormattedString, frame: Frame) -> Value:
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                self.evaluate(part.expression, frame)
        first = node.parts[0] if node.parts else None
        literal = first.value if isinstance(first, cst.FormattedStringText) else None
        return Scalar(kind="str", literal=literal)

    def _concatenated(self, node: cst.ConcatenatedString, frame: Frame) -> Value:
        self.evaluate(node.left, frame)
        self.evaluate(node.right, frame)
        return Scalar(kind="str")

    # Containers.

    def _elements(self, node: cst.List | cst.Tuple | cst.Set, frame: Frame) -> Value:
        kind = type(node).__name__.lower()
        items: list[Value] = []
        fixed = True
        for element in node.elements:
            value = self.evaluate(element.value, frame)
            if isinstance(element, cst.StarredElement):
                fixed = False
                value = self.element_of(value, element.value, frame)
            items.append(value)
        if fixed and len(items) <= 64:
            return Sequence(kind=kind, items=tuple(items), born=self.next_serial(), oid=self.serial)
        return Sequence(kind=kind, element=join_all(items), born=self.next_serial(), oid=self.serial)

    def _dict(self, node: cst.Dict, frame: Frame) -> Value:
        entries: dict[object, Value] = {}
        others: list[Value] = []
        for element in node.elements:
            value = self.evaluate(element.value, frame)
            if not isinstance(element, cst.DictElement):
                if isinstance(value, Dictionary):
                    entries.update(value.entries)
                    others.extend([value.element] if value.element is not None else [])
                else:
                    others.append(UNKNOWN)
                continue
            key = self.evaluate(element.key, frame)
            self.keep_under(key, value)
            if isinstance(key, Scalar) and key.known:
                entries[key.literal] = value
            else:
                others.append(value)
        return Dictionary(
            entries=entries, element=join_all(others) if others else None, born=self.next_serial(), oid=self.serial
        )

    def _comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, frame: Frame) -> Value:
        outer = frame.env
        frame.env = outer.copy()
        loop = Loop(self.serial, node)
        frame.loops.append(loop)
        self._clauses(node.for_in, frame)
        if isinstance(node, cst.DictComp):
            self.evaluate(node.key, frame)
            element = self.evaluate(node.value, frame)
            made: Value = Dictionary(
                element=element, storages=storages_of(element), born=self.next_serial(), oid=self.serial
            )
        else:
            kind = {cst.ListComp: "list", cst.SetComp: "set"}.get(type(node), "generator")
            element = self.evaluate(node.elt, frame)
            self.store(frame, node.elt, element, "comprehension", "", written=node.elt)
            made = Sequence(kind=kind, element=element, born=self.next_serial(), oid=self.serial)
        frame.loops.pop()
        self.stored_buffers(loop, frame)
        frame.env = outer
        return made

    def _clauses(self, clause: cst.CompFor, frame: Frame) -> None:
        iterable = self.evaluate(clause.iter, frame)
        self.assign(clause.target, self.element_of(iterable, clause.iter, frame), frame)
        for condition in clause.ifs:
            self.note_test(condition.test, condition)
            self.evaluate(condition.test, frame)
            self.narrow(condition.test, frame, holds=True)
        if clause.inner_for_in is not None:
            self._clauses(clause.inner_for_in, frame)

    def element_of(self, value: Value, node: cst.CSTNode, frame: Frame) -> Value:
        """What iterating over ``value`` yields."""
        match value:
            case Tensor():
                return replace(value, zero_dim=False, picked=True, oid=self.next_serial())
            case Array():
                # A row, or a number when the array has one dimension: then a write does not reach the array.
                return replace(value, storages=NO_STORAGE, picked=True, oid=self.next_serial())
            case Sequence(kind="loader"):
                return self._loaded()
            case Sequence():
                return self.picked(any_element(value))
            case Dictionary():
                return PLAIN if value.entries or value.element is not None else UNKNOWN
            case Foreign():
                return value
            case Scalar(kind="str"):
                return Scalar(kind="str")
            case Unknown():
                name = dotted_name(node) if isinstance(node, (cst.Name, cst.Attribute)) else ""
                if LOADER.search(name):
                    return self._loaded()
                # Another object, or another row, each time.
                part = replace(self.part_of(value), storages=NO_STORAGE)
                return replace(part, source="element") if part.source == "parameter" else part
            case _:
                return Unknown(source="element")

    @staticmethod
    def picked(value: Value) -> Value:
        """One of several elements that are known as one: it may be another object each time."""
        match value:
            case Tensor() | Array():
                return replace(value, picked=True)
            case Unknown():
                return replace(value, storages=NO_STORAGE)
            case _:
                return value

    @staticmethod
    def part_of(value: Unknown) -> Unknown:
        """Something in ``value``. That this is no tensor does not keep what it holds from being one."""
        tensor = value.tensor if value.source == "call" else Truth.UNKNOWN
        return replace(value, tensor=tensor, source=value.source or "element", oid=0)

    @staticmethod
    def _loaded() -> Value:
        return Unknown(
            device=Fact(Truth.NO, reason="a batch from a loader is in host memory"), grad=NO_FACT, source="loader"
        )

    # Names with dots.

    def _attribute(self, node: cst.Attribute, frame: Frame) -> Value:
        path = dotted_name(node)
        if path:
            bound = self.lookup(path, frame)
            if bound is not None:
                self._read(path, bound, node, frame)
                return bound
        return self.attribute(self.owner_of(node, frame), node.attr.value, node, frame)

    def owner_of(self, node: cst.Attribute, frame: Frame) -> Value:
        """The object that ``node`` looks something up on. ``d.keys()`` and ``x.shape`` read no data of it."""
        if node.attr.value not in _WITHOUT_READING:
            return self.evaluate(node.value, frame)
        stale, frame.env.stale = frame.env.stale, {}
        owner = self.evaluate(node.value, frame)
        frame.env.stale = stale
        return owner

    def attribute(self, value: Value, name: str, node: cst.Attribute, frame: Frame) -> Value:
        """``value.name``, read and not called."""
        match value:
            case Symbol():
                path = f"{value.path}.{name}"
                return Scalar(kind="float", known=True) if path in FLOATS else Symbol(path=path)
            case Tensor():
                return self._tensor_attribute(value, name, node, frame)
            case Array():
                row = ARRAY_ATTRIBUTES.get(name)
                if row is None:
                    return Method(receiver=value, name=name)
                if row.result is Result.DTYPE:
                    return Scalar(kind="numpy.dtype", literal=value.dtype)
                if row.result is Result.ARRAY:
                    return value if row.share is Share.ALWAYS else Array(dtype=value.dtype)
                return PLAIN
            case Module():
                return self._module_attribute(value, name, node)
            case Instance() | ClassObject():
                cls = self.cls(value)
                return self._member(cls, value, name, node, frame) if cls is not None else Unknown(source="attribute")
            case Unknown():
                return self._unknown_attribute(value, name, node)
            case Sequence() | Dictionary() | Optimizer():
                return Method(receiver=value, name=name)
            case Foreign():
                return value if value.framework else Unknown(source="attribute")
            case _:
                return Unknown(source="attribute")

    def _tensor_attribute(self, value: Tensor, name: str, node: cst.Attribute, frame: Frame) -> Value:
        if name == "grad":
            self.snapshots = True
            return Tensor(
                device=value.device,
                grad=NO_FACT,
                dtype=value.dtype,
                storages=gradients_of(value.storages),
                origin=Origin(self.at(node), "the gradient"),
                sure=value.sure,
            )
        if name == "device":
            return DeviceValue(fact=value.device)
        row = TENSOR_ATTRIBUTES.get(name)
        if row is None:
            return Method(receiver=value, name=name)
        if row.result is Result.DTYPE:
            return Scalar(kind="torch.dtype", literal=value.dtype)
        if row.result is not Result.TENSOR:
            return PLAIN
        grad = NO_FACT if row.grad is Grad.NO else self.result_grad(value.grad, frame)
        alias = self.at(node) if name == "data" and value.storages else value.alias
        return replace(value, grad=grad, alias=alias, oid=self.next_serial())

    def _module_attribute(self, value: Module, name: str, node: cst.CSTNode) -> Value:
        cls = self.cls(value)
        if cls is not None:
            found = self.held_by(value, self.class_attribute(cls, name))
            if found is not None:
                return found
            method = cls.method(name)
            if method is not None:
                return Function(definition=method.site, receiver=value)
        if name in {"weight", "bias"}:
            trained = Fact(value.trainable, self.at(node), "a parameter needs a gradient")
            return Tensor(
                device=value.device,
                grad=trained,
                dtype=value.dtype,
                storages=value.storages,
                source=PARAMETER_OF_MODULE,
                module=value.oid,
            )
        if name in {"running_mean", "running_var", "num_batches_tracked"}:
            buffers = frozenset({replace(storage, owner=Owner.BUFFER) for storage in value.storages})
            return Tensor(device=value.device, grad=NO_FACT, storages=buffers, source="buffer of a module")
        if name == "device":
            return DeviceValue(fact=value.device)
        if name == "training":
            return PLAIN
        if name in {"module", "model"}:
            return value
        return Unknown(device=value.device.weakened(), dtype=unsure_dtype(value.dtype), source="attribute")

    def _member(self, cls: ClassInfo, receiver: Value, name: str, node: cst.Attribute, frame: Frame) -> Value:
        found = cls.attribute(name)
        if found is not None:
            return found
        method = cls.method(name)
        if method is None:
            return Unknown(source="attribute")
        if any(
            dotted_name(decorator).split(".")[-1] in {"property", "cached_property"} for decorator in method.decorators
        ):
            return self.apply(method, receiver, (), frame, node)
        return Function(definition=method.site, receiver=receiver)

    def _unknown_attribute(self, value: Unknown, name: str, node: cst.Attribute) -> Value:
        if name == "dtype":
            return SOME_DTYPE
        if name in {"shape", "ndim", "is_cuda", "requires_grad", "name", "__class__", "size"}:
            return PLAIN
        if name == "device":
            truth = value.device.truth
            if truth is Truth.UNKNOWN and _CHOSEN.search(dotted_name(node.value)):
                # An option is there to be chosen; where another tensor is, nobody chose here.
                truth = Truth.MAYBE
            return DeviceValue(fact=Fact(truth, self.at(node), "created on the device of another tensor"))
        if name in {"data", "grad"}:
            part = replace(self.part_of(value), grad=NO_FACT)
            return replace(part, storages=NO_STORAGE) if name == "grad" else part
        if name in {"T", "mT", "real"}:
            return replace(value, oid=0)
        source = value.source if value.source in {"call", "model"} else "attribute"
        return Unknown(device=value.device, grad=value.grad, dtype=value.dtype, source=source)

    def _subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        path = dotted_name(node.value)
        value = self.evaluate(node.value, frame)
        indices = [self._index(element.slice, frame) for element in node.slice]
        match value:
            case Tensor():
                for index in indices:
                    self.widen(frame, node, index, "index")
                if self.copies_by_index(indices):
                    return replace(
                        value,
                        storages=self.storage(),
                        grad=self.result_grad(value.grad, frame),
                        imported=False,
                        alias=None,
                        oid=self.next_serial(),
                    )
                sliced, picked = self._part(indices)
                return replace(
                    value,
                    grad=self.result_grad(value.grad, frame),
                    sliced=sliced or value.sliced,
                    picked=picked or value.picked,
                    oid=self.next_serial(),
                )
            case Array():
                return self._array_item(value, node, indices)
            case Sequence(kind="loader"):
                return self._loaded()
            case Sequence():
                return self._sequence_item(value, node, indices)
            case Dictionary():
                key = indices[0] if indices else UNKNOWN
                if isinstance(key, Scalar) and key.known and key.literal in value.entries:
                    return value.entries[key.literal]
                return self.picked(value.element) if value.element is not None else UNKNOWN
            case Symbol():
                return value
            case Foreign():
                return value
            case Unknown():
                if path and LOADER.search(path):
                    return self._loaded()
                # Under a name that varies there is another object, or another row, each time.
                same = all(isinstance(index, Scalar) and (index.known or index.kind == "slice") for index in indices)
                view = value.storages if same else NO_STORAGE
                item = replace(self.part_of(value), storages=view)
                return self.found_under(indices[0], self._entry(item, indices[0])) if indices else item
            case Module() | Function():
                return value
            case _:
                return Unknown(source="element")

    @staticmethod
    def _entry(item: Unknown, key: Value) -> Unknown:
        """What stands under a name in the output of a network may be data it passes on, ids or labels."""
        named = isinstance(key, Scalar) and key.kind == "str" and item.grad.truth is Truth.MAYBE
        return replace(item, grad=UNKNOWN_FACT) if named else item

    def _index(self, node: cst.BaseSlice, frame: Frame) -> Value:
        if isinstance(node, cst.Index):
            return self.evaluate(node.value, frame)
        assert isinstance(node, cst.Slice)
        bounds = [self.evaluate(bound, frame) for bound in (node.lower, node.upper) if bound is not None]
        step = self.evaluate(node.step, frame) if node.step is not None else NONE
        if isinstance(step, Scalar) and isinstance(step.literal, int) and step.literal < 0:
            return Scalar(kind="slice", literal="negative")
        moves = len(bounds) == 2 and not any(isinstance(bound, Scalar) and bound.known for bound in bounds)
        return Scalar(kind="slice", literal="moving" if moves else None)

    @staticmethod
    def copies_by_index(indices: list[Value]) -> bool:
        """Whether an index with arrays, tensors, lists or masks in it gathers into new memory."""
        return any(
            isinstance(index, (Tensor, Array)) or (isinstance(index, Sequence) and index.kind == "list")
            for index in indices
        )

    def _array_item(self, value: Array, node: cst.Subscript, indices: list[Value]) -> Value:
        if self.copies_by_index(indices):
            return Array(dtype=value.dtype, storages=self.storage())
        if any(
            isinstance(index, Scalar) and index.literal == "negative" and index.kind == "slice" for index in indices
        ):
            flipped = value.negative_stride.truth is Truth.NO
            fact = Fact(Truth.YES, self.at(node), "a negative step gives a negative stride") if flipped else NO_FACT
            return replace(value, negative_stride=fact, oid=self.next_serial())
        sliced, picked = self._part(indices)
        return replace(value, sliced=sliced or value.sliced, picked=picked or value.picked, oid=self.next_serial())

    @staticmethod
    def _part(indices: list[Value]) -> tuple[bool, bool]:
        """Whether an index takes a part, and whether it may take another part the next time."""
        picked = any(
            not isinstance(index, Scalar)
            or (index.kind == "int" and index.literal is None)
            or (index.kind == "slice" and index.literal == "moving")
            for index in indices
        )
        return True, picked

    @staticmethod
    def _sequence_item(value: Sequence, node: cst.Subscript, indices: list[Value]) -> Value:
        index = indices[0] if indices else UNKNOWN
        if isinstance(index, Scalar) and index.kind == "slice":
            return replace(value, items=None, element=any_element(value), oid=0)
        if isinstance(index, Scalar) and isinstance(index.literal, int) and value.items is not None:
            position = index.literal
            return value.items[position] if -len(value.items) <= position < len(value.items) else UNKNOWN
        return Expressions.picked(any_element(value))

    # Operators.

    def _binary(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        right = self.evaluate(node.right, frame)
        return self.combine(left, right, node, frame)

    def combine(self, left: Value, right: Value, node: cst.CSTNode, frame: Frame) -> Value:
        """The result of arithmetic between two operands: always in new memory."""
        match left, right:
            case (Tensor(), _) | (_, Tensor()):
                self.use(frame, node, left)
                self.use(frame, node, right)
                for side, other in ((left, right), (right, left)):
                    if isinstance(other, (Tensor, Array)) and other.dtype == "float64":
                        self.widen(frame, node, side, "float64")
                return self._tensor_arithmetic(left, right, frame)
            case (Foreign(framework=str(name)), _) | (_, Foreign(framework=str(name))) if name:
                return Foreign(framework=name)
            case (Sequence(), Sequence()) if left.kind == right.kind:
                if left.items is not None and right.items is not None:
                    return replace(left, items=left.items + right.items, oid=self.next_serial())
                return replace(
                    left, items=None, element=join(any_element(left), any_element(right)), oid=self.next_serial()
                )
            case (Sequence(), Scalar() | Unknown()) if isinstance(right, Scalar) or _multiplies(node):
                return replace(left, items=None, element=any_element(left), oid=self.next_serial())
            case (Scalar() | Unknown(), Sequence()) if _multiplies(node):
                return replace(right, items=None, element=any_element(right), oid=self.next_serial())
            case (Array(), Array() | Scalar() | Foreign() | Unknown()) | (Scalar() | Foreign() | Unknown(), Array()):
                dtype = self._promoted(left, right)
                divided = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide)
                if divided and not dtype.startswith(("float", "complex")):
                    dtype = "float64" if is_integral(dtype) else "float64?"
                return Array(dtype=dtype, storages=self.storage())
            case (Unknown(), _) | (_, Unknown()):
                known = [side for side in (left, right) if isinstance(side, Unknown)]
                return Unknown(
                    device=together(known),
                    grad=self.result_grad(strongest(side.grad for side in known), frame),
                    tensor=Truth.NO if all(side.tensor is Truth.NO for side in known) else Truth.UNKNOWN,
                    dtype=known[0].dtype if len({side.dtype for side in known}) == 1 else "",
                    source=known[0].source,
                    origin=known[0].origin,
                )
            case (Scalar(), Scalar()):
                kind = "str" if "str" in (left.kind, right.kind) else _number_kind(left.kind, right.kind, node)
                return Scalar(kind=kind)
            case (Scalar(), _) | (_, Scalar()):
                return UNKNOWN
            case (Foreign(), Foreign()):
                return PLAIN
            case _:
                return UNKNOWN

    def _tensor_arithmetic(self, left: Value, right: Value, frame: Frame) -> Value:
        sides = [side for side in (left, right) if isinstance(side, (Tensor, Unknown))]
        tensors = [side for side in sides if isinstance(side, Tensor)]
        # An operand of unknown kind is most often a number; its device only counts when it is evidence.
        placed = [side for side in sides if isinstance(side, Tensor) or side.device.truth is not Truth.UNKNOWN]
        grads = [side.grad for side in sides if isinstance(side, Tensor) or side.grad.truth > Truth.UNKNOWN]
        return Tensor(
            device=together(placed),
            grad=self.result_grad(strongest(grads), frame),
            dtype=self._dtype_of_both(left, right),
            storages=self.storage(),
            sure=any(side.sure for side in tensors),
            source=tensors[0].source,
            origin=tensors[0].origin,
            oid=self.serial,
        )

    @staticmethod
    def _dtype_of_both(left: Value, right: Value) -> str:
        if isinstance(left, Array) or isinstance(right, Array):
            return ""
        dtypes = {side.dtype for side in (left, right) if isinstance(side, Tensor)}
        dtype = dtypes.pop() if len(dtypes) == 1 else ""
        # What is not known is most often a number; a float32 tensor would make the result float32, too.
        return unsure_dtype(dtype) if without_numpy(dtype) and Unknown in (type(left), type(right)) else dtype

    @staticmethod
    def _promoted(left: Value, right: Value) -> str:
        dtypes = {side.dtype for side in (left, right) if isinstance(side, Array)}
        if len(dtypes) != 1:
            return ""
        dtype = dtypes.pop()
        others = [side for side in (left, right) if not isinstance(side, Array)]
        if all(isinstance(side, Scalar) and side.kind == "int" for side in others):
            return dtype
        floats = all(isinstance(side, Scalar) and side.kind in {"int", "float"} for side in others)
        return dtype if floats and dtype.startswith("float") else ""

    def note_test(self, test: cst.BaseExpression, around: cst.CSTNode) -> None:
        """Remember of the calls in the condition of ``around`` that only their truth is asked for."""
        if type(test) is cst.BooleanOperation:
            self.note_test(test.left, around)
            self.note_test(test.right, around)
        elif type(test) is cst.Comparison and len(test.comparisons) == 1:
            # ``assert np.isnan(x) == 0``
            if type(test.comparisons[0].comparator) is cst.Integer:
                self.note_test(test.left, around)
        elif type(test) is cst.Call:
            self.consumers[id(test)] = ("test", around)

    def _unary(self, node: cst.UnaryOperation, frame: Frame) -> Value:
        if isinstance(node.operator, cst.Not):
            self.note_test(node.expression, node)
        elif isinstance(node.operator, cst.BitInvert):
            self.consumers[id(node.expression)] = ("~", node)
        value = self.evaluate(node.expression, frame)
        if isinstance(node.operator, cst.Not):
            if isinstance(value, Scalar) and value.kind == "bool" and (value.known or isinstance(value.literal, bool)):
                return replace(value, literal=not value.literal)
            return Scalar(kind="bool")
        if isinstance(value, Scalar) and isinstance(value.literal, int) and isinstance(node.operator, cst.Minus):
            return replace(value, literal=-value.literal)
        if isinstance(value, Scalar):
            return value
        return self.combine(value, value, node, frame)

    def _comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        # ``x is None`` looks at the object and ``key in x`` at its keys, neither at its memory.
        identity = all(
            isinstance(target.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn)) for target in node.comparisons
        )
        stale, frame.env.stale = frame.env.stale, {} if identity else frame.env.stale
        values = [
            self.evaluate(node.left, frame),
            *(self.evaluate(target.comparator, frame) for target in node.comparisons),
        ]
        frame.env.stale = stale
        if identity or any(isinstance(target.operator, (cst.In, cst.NotIn)) for target in node.comparisons):
            return Scalar(kind="bool")
        match node.comparisons, values:
            case [cst.ComparisonTarget(operator=cst.Equal() | cst.NotEqual() as operator)], [
                Scalar(kind="str", literal=str(left), known=True),
                Scalar(kind="str", literal=str(right), known=True),
            ]:
                return Scalar(kind="bool", literal=(left == right) is isinstance(operator, cst.Equal), known=True)
        tensors = [value for value in values if isinstance(value, Tensor)]
        if tensors:
            return replace(
                tensors[0],
                device=together(tensors),
                grad=NO_FACT,
                dtype="bool",
                storages=self.storage(),
                alias=None,
                imported=False,
                narrowed=None,
                oid=self.serial,
            )
        if any(isinstance(value, Array) for value in values):
            return Array(dtype="bool", storages=self.storage())
        unknown = [value for value in values if isinstance(value, Unknown)]
        if unknown:
            return Unknown(device=together(unknown), grad=NO_FACT, source=unknown[0].source)
        return Scalar(kind="bool")

    def _boolean(self, node: cst.BooleanOperation, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        before = frame.env.copy()
        self.narrow(node.left, frame, holds=isinstance(node.operator, cst.And))
        right = self.evaluate(node.right, frame)
        frame.env = before
        return join(left, right)

    def _conditional(self, node: cst.IfExp, frame: Frame) -> Value:
        self.note_test(node.test, node)
        test = self.evaluate(node.test, frame)
        if isinstance(test, Scalar) and test.kind == "bool" and test.known and type(node.test) is not cst.Attribute:
            return self.evaluate(node.body if test.literal else node.orelse, frame)
        before = frame.env.copy()
        self.narrow(node.test, frame, holds=True)
        yes = self.evaluate(node.body, frame)
        frame.env = before.copy()
        self.narrow(node.test, frame, holds=False)
        no = self.evaluate(node.orelse, frame)
        frame.env = before
        chosen = yes if is_usual(test) else self.hung(join(yes, no), node.test, None, yes, no)
        if isinstance(chosen, DeviceValue) and chosen.fact.truth is Truth.MAYBE:
            return DeviceValue(fact=Fact(Truth.MAYBE, self.at(node), "the device depends on the machine"))
        return chosen

    def _named(self, node: cst.NamedExpr, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _lambda(self, node: cst.Lambda, frame: Frame) -> Value:
        site = self.at(node)
        info = self.functions.get(site)
        if info is None:
            info = self.functions[site] = FunctionInfo(node, "<lambda>", site, frame.cls)
        info.closure = frame.env
        return Function(definition=site)

    def _await(self, node: cst.Await, frame: Frame) -> Value:
        return self.evaluate(node.expression, frame)

    def _yield(self, node: cst.Yield, frame: Frame) -> Value:
        match node.value:
            case cst.From(item=item):
                source = self.evaluate(item, frame)
                frame.yielded.append(self.element_of(source, item, frame))
            case None:
                pass
            case expression:
                value = self.evaluate(expression, frame)
                frame.yielded.append(value)
                self.store(frame, node, value, "yield", "", written=expression)
        return UNKNOWN

    # Provided by the other parts.

    def assign(self, target: cst.CSTNode, value: Value, frame: Frame) -> None:
        raise NotImplementedError

    def narrow(self, test: cst.BaseExpression, frame: Frame, *, holds: bool) -> None:
        raise NotImplementedError

    def hung(self, joined: Value, test: cst.BaseExpression, before: Value | None, yes: Value, no: Value) -> Value:
        raise NotImplementedError

    def store(
        self,
        frame: Frame,
        node: cst.CSTNode,
        value: Value,
        container: str,
        target: str,
        born: int = 0,
        written: cst.BaseExpression | None = None,
    ) -> None:
        raise NotImplementedError

    def stored_buffers(self, loop: Loop, frame: Frame) -> None:
        raise NotImplementedError

    def _call(self, node: cst.Call, frame: Frame) -> Value:
        raise NotImplementedError


def _multiplies(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply)


def _number_kind(left: str, right: str, node: cst.CSTNode) -> str:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
        return "float"
    return "int" if left == right == "int" else "float" if "float" in (left, right) else "number"


Handler = Callable[[Any, Any, Frame], Value]
_HANDLERS: Mapping[type[cst.CSTNode], Handler] = MappingProxyType(
    {
        cst.Name: Expressions._name,
        cst.Integer: Expressions._integer,
        cst.Float: Expressions._float,
        cst.Imaginary: Expressions._imaginary,
        cst.SimpleString: Expressions._string,
        cst.FormattedString: Expressions._formatted,
        cst.ConcatenatedString: Expressions._concatenated,
        cst.List: Expressions._elements,
        cst.Tuple: Expressions._elements,
        cst.Set: Expressions._elements,
        cst.Dict: Expressions._dict,
        cst.ListComp: Expressions._comprehension,
        cst.SetComp: Expressions._comprehension,
        cst.GeneratorExp: Expressions._comprehension,
        cst.DictComp: Expressions._comprehension,
        cst.Attribute: Expressions._attribute,
        cst.Subscript: Expressions._subscript,
        cst.BinaryOperation: Expressions._binary,
        cst.UnaryOperation: Expressions._unary,
        cst.Comparison: Expressions._comparison,
        cst.BooleanOperation: Expressions._boolean,
        cst.IfExp: Expressions._conditional,
        cst.NamedExpr: Expressions._named,
        cst.Lambda: Expressions._lambda,
        cst.Await: Expressions._await,
        cst.Yield: Expressions._yield,
        cst.Call: lambda self, node, frame: self._call(node, frame),
    }
)

"""Expressions: what each evaluates to, and the reads and attribute look-ups on the way."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument
from tensorlint.flow.comprehensions import Comprehensions
from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import BOOL
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import is_made_float32, is_unusual, is_usual, surely_array
from tensorlint.flow.domain.lattice import join, join_all
from tensorlint.flow.domain.memory import Container, Owner
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    ACCELERATED,
    NONE,
    NOT_ACCELERATED,
    PLAIN,
    SOME_DTYPE,
    UNKNOWN,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tensorlint.flow.hanging import hung, where_available
from tensorlint.flow.kinds import answer, answer_of_comparison, is_for_good
from tensorlint.flow.models.arithmetic import changed_sign, combine
from tensorlint.flow.models.containers import sequence_attribute
from tensorlint.flow.models.cuts import carried
from tensorlint.flow.models.frames import frame_attribute
from tensorlint.flow.models.hashing import hash_key
from tensorlint.flow.models.items import element_of, item_of
from tensorlint.flow.models.kept_parameters import note_comparison
from tensorlint.flow.models.modules import module_attribute
from tensorlint.flow.models.objects import member
from tensorlint.flow.models.tensors import tensor_attribute
from tensorlint.flow.models.unknowns import unknown_attribute
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import bound_in, dotted_name
from tensorlint.knowledge import ARRAY_ATTRIBUTES, Result, Share

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
_MEMBERSHIP = frozenset({cst.In, cst.NotIn})
_BY_IDENTITY = _MEMBERSHIP | {cst.Is, cst.IsNot}


class Expressions(Comprehensions):
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
            if (found := self.starred(name, self.stars)) is not None:
                return found
            return Symbol(path=f"builtins.{name}") if name in _BUILTINS else Unknown(source=Provenance.GLOBAL)
        if type(value) is Symbol:
            return self.around(value)
        self._read(name, value, node, frame)
        return value

    def _read(self, path: str, value: Value, node: cst.CSTNode, frame: Frame) -> None:
        mutation = frame.env.stale.get(path)
        if mutation is not None:
            if isinstance(value, Dictionary) and frame.entry is not None and frame.entry[0] is node:
                # ``best["model"]`` reads no other entry.
                value = value.entries.get(frame.entry[1], value)
            call = frame.bare_call
            handed_on = isinstance(call, cst.Call) and any(argument.value is node for argument in call.args)
            self.emit(frame, events.StaleRead, node, name=path, value=value, mutation=mutation, handed_on=handed_on)

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
                value = element_of(self, value, element.value, frame)
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
                return Scalar(kind="float", known=True) if path in FLOATS else self.around(Symbol(path=path))
            case Tensor():
                return tensor_attribute(self, value, name, node, frame)
            case Array():
                row = ARRAY_ATTRIBUTES.get(name)
                if row is None:
                    return Method(receiver=value, name=name)
                if row.result is Result.DTYPE:
                    handed_in = any(storage.owner is Owner.ARGUMENT for storage in value.storages)
                    # Callers may pass something else than what an annotation, or one of them, says.
                    return (
                        SOME_DTYPE if handed_in and not value.dtype else Scalar(kind="numpy.dtype", literal=value.dtype)
                    )
                if name == "base":
                    # What was looked into, with strides and flags of its own.
                    return Array(storages=value.storages, dtype=value.dtype, sure=False, oid=self.next_serial())
                if row.result is Result.ARRAY:
                    return value if row.share is Share.ALWAYS else Array(dtype=value.dtype)
                return PLAIN
            case Module():
                return module_attribute(self, value, name, node, frame)
            case Instance() | ClassObject():
                cls = self.cls(value)
                if cls is not None:
                    return member(self, cls, value, name, node, frame)
            case Unknown():
                return unknown_attribute(self, value, name, node)
            case Sequence():
                return sequence_attribute(value, name)
            case Dictionary(entries=entries) if name in entries and not hasattr(dict, name):
                return entries[name]  # which are attributes, too
            case Dictionary() | Optimizer():
                return Method(receiver=value, name=name)
            case Foreign(framework="pandas"):
                return frame_attribute(self, value, name)
            case Foreign() if value.framework:
                return value
        return Unknown(source=Provenance.ATTRIBUTE)

    # Operators.

    def _binary(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        sides = Argument(node.left, left), Argument(node.right, right)
        self.note_operation(frame, node, node.operator, *sides)
        if isinstance(node.operator, cst.Subtract):
            note_comparison(self, node, *sides, frame)
        if isinstance(node.operator, cst.MatrixMultiply) and (is_made_float32(left) or is_made_float32(right)):
            self.meet_float(frame, node, sides)
        return combine(self, left, right, node, frame)

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
            return NOT_ACCELERATED if value == ACCELERATED else Scalar(kind="bool")
        return changed_sign(self, value, node, frame)

    def _comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        # ``x is None`` looks at the object and ``key in x`` at its keys, neither at its memory.
        operators = {type(target.operator) for target in node.comparisons}
        identity = operators <= _BY_IDENTITY
        stale, frame.env.stale = frame.env.stale, {} if identity else frame.env.stale
        values = [
            self.evaluate(node.left, frame),
            *(self.evaluate(target.comparator, frame) for target in node.comparisons),
        ]
        frame.env.stale = stale
        target = node.comparisons[0]
        sides = Argument(node.left, values[0]), Argument(target.comparator, values[1])
        if len(values) == 2 and not identity:
            self.note_operation(frame, node, target.operator, *sides)
        if len(values) == 2 and operators & _MEMBERSHIP:
            hash_key(self, node, sides[1], sides[0], "in", frame)
        if identity or operators & _MEMBERSHIP:
            return Scalar(kind="bool")
        if (known := answer_of_comparison(self, node, values, frame)) is not None:
            return known
        tensors = [value for value in values if isinstance(value, Tensor)]
        if tensors:
            compared = replace(
                tensors[0],
                device=together(tensors),
                grad=NO_FACT,
                dtype=BOOL,
                storages=self.storage(),
                alias=None,
                imported=False,
                narrowed=None,
                rewrapped=None,
                layout="",
                numbers="",
                oid=self.serial,
            )
            return carried(self, compared, values, node, frame, "comparison")
        if any(isinstance(value, Array) for value in values):
            return Array(dtype=BOOL, sure=surely_array(values), storages=self.storage())
        unknown = [value for value in values if isinstance(value, Unknown)]
        if unknown:
            return Unknown(device=together(unknown), grad=NO_FACT, source=unknown[0].source)
        of_numpy = any(isinstance(value, Scalar) and value.kind.startswith("np.") for value in values)
        return Scalar(kind="np.bool" if of_numpy else "bool")

    def _boolean(self, node: cst.BooleanOperation, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        before = frame.env.copy()
        self.narrow(node.left, frame, holds=isinstance(node.operator, cst.And))
        right = self.evaluate(node.right, frame)
        after, frame.env = frame.env, before
        for name in bound_in(node.right):
            # ``if x is not None and (y := f(x)) > 0``
            if (bound := after.bindings.get(name)) is not None:
                held = before.lookup(name)
                before.bind(name, bound if held is None else join(held, bound))
        settles_nothing = is_usual if isinstance(node.operator, cst.And) else is_unusual
        if settles_nothing(left) or settles_nothing(right):
            return right if settles_nothing(left) else left
        return join(left, right)

    def _conditional(self, node: cst.IfExp, frame: Frame) -> Value:
        self.note_test(node.test, node)
        test = answer(self, node.test, frame)
        if isinstance(test, Scalar) and test.kind == "bool" and test.known and is_for_good(node.test, frame):
            return self.evaluate(node.body if test.literal else node.orelse, frame)
        before = frame.env.copy()
        self.narrow(node.test, frame, holds=True)
        yes = self.evaluate(node.body, frame)
        frame.env = before.copy()
        self.narrow(node.test, frame, holds=False)
        no = self.evaluate(node.orelse, frame)
        frame.env = before
        chosen = no if is_unusual(test) else hung(self, join(yes, no), node.test, test, frame, None, yes, no)
        chosen = yes if is_usual(test) else chosen
        chosen = where_available(chosen, test, yes, no)
        if isinstance(chosen, DeviceValue) and chosen.fact.truth is Truth.MAYBE:
            here = self.at(node), "the device depends on the machine"
            return replace(chosen, fact=Fact(Truth.MAYBE, *here, if_available=chosen.fact.if_available))
        return chosen

    def _named(self, node: cst.NamedExpr, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _lambda(self, node: cst.Lambda, frame: Frame) -> Value:
        site = self.at(node)
        info = self.function_at(site)
        if info is None:
            info = self.seen(FunctionInfo(node, "<lambda>", site, self.lessons, frame.cls))
        # What is bound later is visible in there, too.
        info.nested = frame.function is not None
        info.enclosing, info.closure = frame if info.nested else None, frame.env
        if node.params.params and frame.depth == 0 and not frame.quiet:
            # One without parameters is often there to be tried: ``raises(TypeError, lambda: x.numpy())``.
            self.queue(info)
        return Function(definition=site)

    def _await(self, node: cst.Await, frame: Frame) -> Value:
        return self.evaluate(node.expression, frame)

    def _yield(self, node: cst.Yield, frame: Frame) -> Value:
        match node.value:
            case cst.From(item=item):
                source = self.evaluate(item, frame)
                frame.yielded.append(element_of(self, source, item, frame))
            case None:
                pass
            case expression:
                value = self.evaluate(expression, frame)
                frame.yielded.append(value)
                self.store(frame, node, value, Container.YIELD, "", written=expression)
        return UNKNOWN


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
        cst.ListComp: Comprehensions.comprehension,
        cst.SetComp: Comprehensions.comprehension,
        cst.GeneratorExp: Comprehensions.comprehension,
        cst.DictComp: Comprehensions.comprehension,
        cst.Attribute: Expressions._attribute,
        cst.Subscript: lambda self, node, frame: item_of(self, node, frame),
        cst.BinaryOperation: Expressions._binary,
        cst.UnaryOperation: Expressions._unary,
        cst.Comparison: Expressions._comparison,
        cst.BooleanOperation: Expressions._boolean,
        cst.IfExp: Expressions._conditional,
        cst.NamedExpr: Expressions._named,
        cst.Lambda: Expressions._lambda,
        cst.Await: Expressions._await,
        cst.Yield: Expressions._yield,
        cst.Call: lambda self, node, frame: self.call(node, frame),
    }
)

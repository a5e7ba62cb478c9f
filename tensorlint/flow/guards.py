"""Guards: what a condition says about the names in it, on the path where it holds and where it does not."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.asking import (
    ACCELERATORS,
    alternatives,
    asked_of_few,
    asks_for_device,
    device_asked,
    named_device,
    number_spelled,
)
from tensorlint.flow.domain.devices import device_fact
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth, off_cpu
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    ACCELERATED,
    ClassObject,
    DeviceValue,
    Foreign,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
    is_none,
)
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.hanging import asked
from tensorlint.flow.kinds import TENSOR_TESTS, TENSOR_TYPES, told
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import NOT_ON_ARRAYS, names

#: Modules whose classes say nothing of what an object is made of: tensors are iterable, too.
_OF_ANY_KIND = ("typing.", "collections.abc.", "numbers.", "builtins.object", "torch.")
#: Attributes that only tensors have, among what is usually told apart with ``hasattr``.
_TENSOR_WITNESSES = frozenset({"detach", "requires_grad", "grad_fn", "is_cuda"})


#: What programs that serve several frameworks call the others, and torch.
_OTHER_FRAMEWORKS = frozenset({"tf", "tensorflow", "keras", "jax", "flax", "paddle", "mlx", "mxnet", "mindspore"})
_TORCH_NAMES = frozenset({"pt", "torch", "pytorch"})

_OFF = "off the CPU on this path"
#: Whether what is compared by them is the same.
_SAME_OR_NOT: dict[type[cst.CSTNode], bool] = {cst.Equal: True, cst.Is: True, cst.NotEqual: False, cst.IsNot: False}


class Guards(Machine):
    def narrow(self, test: cst.BaseExpression, frame: Frame, *, holds: bool) -> None:
        """Refine the bindings of ``frame`` by ``test`` being true (``holds``) or false."""
        if self._asks_for_other_framework(test, frame, holds=holds):
            frame.env.other_framework = True
        if self.lessons.hanging:
            name, answer = asked(test, frame)
            self._decide(name, frame, holds=holds is answer)
        if (few := asked_of_few(test)) is not None and holds is few.answer:
            self._of_others(few.subject, test, frame)
        match test:
            case cst.Name() | cst.Attribute() | cst.Call() if not holds and self.current(test, frame) == ACCELERATED:
                self._without_accelerator(test, frame)
            case cst.Name() | cst.Attribute(value=cst.Name()) if (
                not holds
                and names.ACCELERATED.search(dotted_name(test))
                and not isinstance(self.current(test.value, frame) if isinstance(test, cst.Attribute) else None, Tensor)
            ):
                # ``if self.gpu_mode: ... else: ...``
                self._without_accelerator(test, frame)
            case cst.UnaryOperation(operator=cst.Not(), expression=inner):
                self.narrow(inner, frame, holds=not holds)
            case cst.BooleanOperation(operator=cst.Or()) if holds:
                sides = alternatives(test)
                if all((few := asked_of_few(side)) is not None and few.answer for side in sides):
                    for side in sides:
                        self.narrow(side, frame, holds=True)
            case cst.BooleanOperation(left=left, operator=operator, right=right):
                if isinstance(operator, cst.And) is holds:
                    self.narrow(left, frame, holds=holds)
                    self.narrow(right, frame, holds=holds)
                elif isinstance(operator, cst.And):
                    # ``if torch.is_tensor(x) and x.is_cuda: x = x.cpu()``: it was asked where it is.
                    for asked_of in (left, right):
                        if asks_for_device(asked_of):
                            self.narrow(asked_of, frame, holds=False)
            case cst.Call():
                self._call_guard(test, frame, holds=holds)
            case cst.Comparison(
                comparisons=[
                    cst.ComparisonTarget(operator=operator, comparator=cst.Name(value="True" | "False" as told))
                ]
            ) if type(operator) in _SAME_OR_NOT:
                # ``if torch.is_tensor(x) != True:``
                self.narrow(test.left, frame, holds=holds is (_SAME_OR_NOT[type(operator)] is (told == "True")))
            case cst.Comparison(comparisons=[target]):
                self._comparison_guard(test.left, target, frame, holds=holds)
            case cst.Attribute(value=owner, attr=cst.Name(value=name)):
                self._attribute_guard(owner, name, test, frame, holds=holds)
            case cst.NamedExpr(target=target):
                self.narrow(target, frame, holds=holds)

    def _of_others(self, subject: cst.BaseExpression, test: cst.BaseExpression, frame: Frame) -> None:
        """Few tensors take this path, and what is known of ``subject`` was learned of those that come here as well."""
        value = self.current(subject, frame)
        if frame.quiet or not isinstance(value, (Tensor, Unknown)) or told(self, test, frame) is not None:
            return
        aside = replace(value, device=value.device.set_aside(), grad=value.grad.set_aside())
        self._rebind(subject, frame, aside)

    @staticmethod
    def _decide(name: str, frame: Frame, *, holds: bool) -> None:
        """What hangs on a flag, or on a device being another than the CPU, is known on either path of a test of it."""
        for path, value in list(frame.env.items()) if name else ():
            if isinstance(value, (Tensor, Unknown)) and (value.device.hangs_on or value.grad.hangs_on):
                device, grad = value.device.decided(name, holds=holds), value.grad.decided(name, holds=holds)
                if device is not value.device or grad is not value.grad:
                    frame.env.bindings[path] = replace(value, device=device, grad=grad)

    def _without_accelerator(self, test: cst.BaseExpression, frame: Frame) -> None:
        """What depends on the machine is on the CPU where there is nothing else."""
        for path, value in list(frame.env.items()):
            if isinstance(value, (Tensor, Unknown)) and value.device.truth > Truth.UNKNOWN:
                here = Fact(Truth.NO, self.at(test), "no accelerator on this path")
                frame.env.bindings[path] = replace(value, device=here)

    def _asks_for_other_framework(self, test: cst.BaseExpression, frame: Frame, *, holds: bool) -> bool:
        """``framework == "tf"``, ``is_tf_tensor(x)``: on that path ``.numpy()`` is not torch's."""
        if type(test) is not cst.Comparison:
            asked = dotted_name(test.func if type(test) is cst.Call else test).rpartition(".")[2] if holds else ""
            return bool(asked) and names.OTHER_FRAMEWORK.search(asked)
        target = test.comparisons[0]
        kind = type(target.operator)
        if len(test.comparisons) > 1 or kind not in (cst.Equal, cst.NotEqual, cst.In, cst.NotIn):
            return False
        named = {leaf.literal for leaf in leaves(self.current(target.comparator, frame)) if isinstance(leaf, Scalar)}
        if (kind is cst.Equal or kind is cst.In) is holds:
            return bool(named) and named <= _OTHER_FRAMEWORKS
        # Not torch's is another one's where frameworks are told apart, and not kinds of output.
        asked = dotted_name(test.left).rpartition(".")[2]
        return bool(named) and named <= _TORCH_NAMES and names.FRAMEWORK.search(asked)

    def _rebind(self, node: cst.BaseExpression, frame: Frame, value: Value) -> None:
        path = dotted_name(node)
        if not path:
            return
        stale = frame.env.stale.get(path)
        frame.env.bind(path, value)
        if stale is not None:
            frame.env.stale[path] = stale

    # Kinds.

    def _call_guard(self, test: cst.Call, frame: Frame, *, holds: bool) -> None:
        if isinstance(test.func, cst.Attribute) and test.func.attr.value == "startswith" and len(test.args) == 1:
            self._device_guard(test.func.value, test.args[0].value, frame, holds=holds)
            return
        if not test.args:
            if isinstance(test.func, cst.Attribute):
                self._attribute_guard(test.func.value, test.func.attr.value, test, frame, holds=holds)
            return
        subject = test.args[0].value
        callee = self.symbol(self.evaluate(test.func, frame))
        if callee in TENSOR_TESTS:
            self._is_kind(subject, frame, tensor=True, holds=holds)
        elif callee == "builtins.isinstance" and len(test.args) == 2:
            self.narrow_class(subject, test.args[1].value, frame, holds=holds)
        elif callee == "builtins.hasattr" and len(test.args) == 2:
            name = self.evaluate(test.args[1].value, frame)
            if isinstance(name, Scalar) and name.literal in _TENSOR_WITNESSES:
                self._is_kind(subject, frame, tensor=True, holds=holds)
            elif isinstance(name, Scalar) and name.literal in NOT_ON_ARRAYS and holds:
                self._is_no_array(subject, frame)

    def narrow_class(
        self, subject: cst.BaseExpression, classes: cst.BaseExpression, frame: Frame, *, holds: bool
    ) -> None:
        tested = self.evaluate(classes, frame)
        options = tested.items if isinstance(tested, Sequence) and tested.items is not None else (tested,)
        if isinstance(classes, cst.BinaryOperation) and isinstance(classes.operator, cst.BitOr):
            options = tuple(self.evaluate(each, frame) for each in _alternatives(classes))
        names = [option.path if isinstance(option, Symbol) else "" for option in options]
        if all(name in TENSOR_TYPES or (name.startswith("torch.") and name.endswith("Tensor")) for name in names):
            # Not being a sparse or a long tensor leaves every other kind of tensor.
            if holds or any(name in {"torch.Tensor", "torch.autograd.Variable"} for name in names):
                self._is_kind(subject, frame, tensor=True, holds=holds)
        elif not holds and "numpy.ndarray" in names:
            self._is_no_array(subject, frame)
        elif all(name == "numpy.ndarray" for name in names):
            self._is_kind(subject, frame, tensor=False, holds=holds)
        elif holds and not any(name in TENSOR_TYPES for name in names):
            self._is_other(subject, options, frame)

    def _is_kind(self, subject: cst.BaseExpression, frame: Frame, *, tensor: bool, holds: bool) -> None:
        value = self.current(subject, frame)
        if not holds:
            if isinstance(value, Unknown):
                excluded = Truth.NO if tensor else value.tensor
                self._rebind(subject, frame, replace(value, tensor=excluded))
            elif isinstance(value, Tensor) and tensor:
                self._rebind(subject, frame, Unknown(tensor=Truth.NO))
            return
        if tensor and not isinstance(value, Tensor):
            known = value if isinstance(value, Unknown) else Unknown()
            self._rebind(
                subject,
                frame,
                Tensor(
                    device=known.device,
                    grad=known.grad,
                    dtype=known.dtype,
                    storages=known.storages,
                    source=known.source or Provenance.PARAMETER,
                    origin=known.origin,
                    oid=self.next_serial(),
                ),
            )
        elif not tensor and not isinstance(value, Array):
            storages = value.storages if isinstance(value, Unknown) else frozenset()
            self._rebind(subject, frame, Array(storages=storages, oid=self.next_serial()))

    def _is_no_array(self, subject: cst.BaseExpression, frame: Frame) -> None:
        """What was taken for an array is something else on this path, which may be one that is never taken."""
        if isinstance(self.current(subject, frame), Array):
            self._rebind(subject, frame, Unknown())

    def _is_other(self, subject: cst.BaseExpression, options: tuple[Value, ...], frame: Frame) -> None:
        value = self.current(subject, frame)
        if not isinstance(value, (Unknown, Tensor)):
            return
        cls = self.cls(options[0]) if len(options) == 1 and isinstance(options[0], ClassObject) else None
        if cls is not None:
            tensor = any(base.startswith("torch.") and base.endswith("Tensor") for base in cls.all_bases())
            if tensor:
                self._is_kind(subject, frame, tensor=True, holds=True)
            else:
                self._rebind(subject, frame, self.self_value(cls))
            return
        if not all(isinstance(option, (Symbol, ClassObject)) for option in options):
            # A class that was not seen may be one of tensors.
            return
        names = {option.path for option in options if isinstance(option, Symbol)}
        if names <= {"builtins.list", "builtins.tuple", "builtins.set"} and names:
            inner = value if isinstance(value, Unknown) else Unknown()
            kind = "list" if len(names) > 1 else next(iter(names)).removeprefix("builtins.")
            element = replace(inner, source=inner.source or Provenance.ELEMENT, oid=0)
            self._rebind(subject, frame, Sequence(kind=kind, element=element))
        elif names in ({"builtins.float"}, {"builtins.int"}, {"builtins.str"}):
            self._rebind(subject, frame, Scalar(kind=names.pop().removeprefix("builtins.")))
        elif names and all(name.startswith("builtins.") and name != "builtins.object" for name in names):
            self._rebind(
                subject, frame, Foreign() if "builtins.dict" not in names else Unknown(source=Provenance.ELEMENT)
            )
        elif names and all(name == "torch.nn.Module" for name in names):
            self._rebind(subject, frame, Module(device=Fact()))
        elif not any(name.startswith(_OF_ANY_KIND) for name in names):
            self._rebind(subject, frame, Unknown(tensor=Truth.NO))

    # Properties.

    def _attribute_guard(
        self, owner: cst.BaseExpression, name: str, test: cst.CSTNode, frame: Frame, *, holds: bool
    ) -> None:
        if name not in {"is_cuda", "is_cpu", "requires_grad", "is_mps"}:
            return
        value = self.current(owner, frame)
        if not isinstance(value, (Tensor, Unknown)):
            return
        if name == "requires_grad":
            grad = self._found("needs a gradient on this path", value.grad, test, frame) if holds else NO_FACT
            self._rebind(owner, frame, replace(value, grad=grad))
            return
        off = holds is (name != "is_cpu")
        device = self._found(_OFF, value.device, test, frame) if off else NO_FACT
        if not off:
            self._also_home(value, frame)
        self._rebind(owner, frame, replace(value, device=device))

    def _found(self, words: str, before: Fact, test: cst.CSTNode, frame: Frame) -> Fact:
        """What a test found to hold. That a helper asks says nothing of what this caller passes to it."""
        return before if frame.quiet and before.truth is Truth.UNKNOWN else Fact(Truth.YES, self.at(test), words)

    @staticmethod
    def _also_home(found: Tensor | Unknown, frame: Frame) -> None:
        """What ``found`` to be on the CPU was computed with, or from the same, is there as well."""
        evidence = found.device.site
        for path, value in list(frame.env.items()) if evidence is not None else ():
            # The same object, not an equal one: a helper that is called twice moves two values at one place.
            if isinstance(value, (Tensor, Unknown)) and value.device.site is evidence:
                frame.env.bindings[path] = replace(value, device=NO_FACT)

    def _comparison_guard(
        self, left: cst.BaseExpression, target: cst.ComparisonTarget, frame: Frame, *, holds: bool
    ) -> None:
        if isinstance(target.operator, (cst.In, cst.NotIn)):
            found = holds is isinstance(target.operator, cst.In)
            # x.device.type in ("cuda", "mps"), "cuda" in str(x.device)
            self._device_guard(left, target.comparator, frame, holds=found)
            self._device_guard(target.comparator, left, frame, holds=found)
            if holds is isinstance(target.operator, cst.NotIn):
                self._not_of_dtype(left, self.current(target.comparator, frame), frame)
            return
        if (number := ACCELERATORS.get((type(target.operator), number_spelled(target.comparator)))) is not None:
            # ``x.get_device() != -1``, ``x.get_device() >= 0``
            match left:
                case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="get_device")), args=[]):
                    self._attribute_guard(owner, "is_cuda", left, frame, holds=holds is number)
                    return
        equal = isinstance(target.operator, (cst.Equal, cst.Is))
        if not equal and not isinstance(target.operator, (cst.NotEqual, cst.IsNot)):
            return
        other = self.current(target.comparator, frame)
        holds = holds is equal
        self._device_guard(left, target.comparator, frame, holds=holds)
        match left:
            case cst.Attribute(value=owner, attr=cst.Name(value="dtype")) if holds:
                value = self.current(owner, frame)
                if isinstance(value, (Array, Tensor)) and (dtype := dtype_of(other)):
                    self._rebind(owner, frame, replace(value, dtype=dtype))
                elif (
                    isinstance(value, Unknown)
                    and isinstance(other, Symbol)
                    and other.path.startswith("numpy.")
                    and dtype_of(other)
                ):
                    self._rebind(owner, frame, Array(dtype=dtype_of(other), storages=value.storages))
            case cst.Attribute(attr=cst.Name(value="dtype")):
                self._not_of_dtype(left, other, frame)
            case cst.Call(func=cst.Name(value="type"), args=[argument]):
                # A type that is another one may still be a kind of tensor.
                if isinstance(other, Symbol) and other.path in TENSOR_TYPES and holds:
                    self._is_kind(argument.value, frame, tensor=True, holds=holds)
                elif isinstance(other, Symbol) and other.path == "numpy.ndarray" and not holds:
                    self._is_no_array(argument.value, frame)
            case cst.Name() | cst.Attribute():
                if is_none(other) and holds:
                    # There is no such object on this path, under any name.
                    frame.env.change(self.current(left, frame), lambda _: other)
                    self._rebind(left, frame, other)

    def _not_of_dtype(self, left: cst.BaseExpression, other: Value, frame: Frame) -> None:
        """``x.dtype`` is none of these."""
        if not isinstance(left, cst.Attribute) or left.attr.value != "dtype":
            return
        value = self.current(left.value, frame)
        if isinstance(value, (Tensor, Unknown)) and value.dtype:
            excluded = map(dtype_of, leaves(other))
            if any(each.name == value.dtype.name and not each.unsure for each in excluded):
                self._rebind(left.value, frame, replace(value, dtype=UNKNOWN_DTYPE))

    def _device_guard(
        self, node: cst.BaseExpression, compared: cst.BaseExpression, frame: Frame, *, holds: bool
    ) -> None:
        """Whether the device of a tensor, or one that has a name, is (one of) those it is compared with."""
        owner, device = device_asked(node), named_device(node)
        if owner is None and not device:
            return
        known = {device_fact(leaf).truth for leaf in leaves(self.current(compared, frame)) if _is_device(leaf)}
        if len(known) != 1 or not known <= {Truth.YES, Truth.NO}:
            return
        other = DeviceValue(fact=Fact(known.pop()))
        off = holds is (other.fact.truth is Truth.YES)
        self._decide(off_cpu(device), frame, holds=off)
        if owner is not None and isinstance(self.current(owner, frame), (Tensor, Unknown)):
            self._on_device(owner, other, compared, frame, holds=holds)
        elif not off:
            # The device that the program goes by, ``device`` or ``self.device``, is the CPU here.
            self._without_accelerator(node, frame)

    def _on_device(
        self, owner: cst.BaseExpression, other: Value, test: cst.CSTNode, frame: Frame, *, holds: bool
    ) -> None:
        value = self.current(owner, frame)
        asked = device_fact(other).truth
        if not isinstance(value, (Tensor, Unknown)) or asked not in {Truth.YES, Truth.NO}:
            return
        if asked is Truth.NO:
            device = NO_FACT if holds else self._found(_OFF, value.device, test, frame)
        else:
            device = self._found(_OFF, value.device, test, frame) if holds else value.device
            # With one accelerator in play, "not on it" means the CPU.
            device = device if holds else NO_FACT
        if device is NO_FACT:
            self._also_home(value, frame)
        self._rebind(owner, frame, replace(value, device=device))


def _alternatives(classes: cst.BaseExpression) -> list[cst.BaseExpression]:
    """``torch.Tensor`` and ``np.ndarray`` of ``torch.Tensor | np.ndarray``."""
    if isinstance(classes, cst.BinaryOperation) and isinstance(classes.operator, cst.BitOr):
        return [*_alternatives(classes.left), *_alternatives(classes.right)]
    return [classes]


def _is_device(value: Value) -> bool:
    return isinstance(value, DeviceValue) or (isinstance(value, Scalar) and value.kind == "str")

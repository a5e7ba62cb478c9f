"""Tests of what kind of object something is, where that is known."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow.asking import OTHER, SAME, asked_of_few
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Module, Scalar, Sequence, Symbol, Unknown, Value
from tensorlint.flow.dtypes import dtypes_compared
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, parameters_of

TENSOR_TYPES = (
    "torch.Tensor",
    "torch.nn.Parameter",
    "torch.nn.parameter.Parameter",
    "torch.nn.Buffer",
    "torch.nn.parameter.Buffer",
    "torch.FloatTensor",
    "torch.LongTensor",
    "torch.autograd.Variable",
)
#: Classes of Python that no tensor is of, no array and no module; a scalar of NumPy may be one of them.
_BUILTIN = frozenset(
    {
        f"builtins.{name}"
        for name in ("list", "tuple", "dict", "set", "frozenset", "str", "bytes", "int", "float", "bool")
    }
)
TENSOR_TESTS = frozenset({"torch.is_tensor", "torch.overrides.is_tensor_like"})


def _is_one_of_few(value: Value | None, asked: str) -> bool | None:
    if not isinstance(value, Tensor) or not value.sure:
        return None
    if asked == "ndim":
        return True if value.zero_dim else False if value.has_axes else None
    if asked in {"is_quantized", "is_complex"} and value.dtype.sure:
        return value.dtype.is_quantized if asked == "is_quantized" else value.dtype.is_complex
    return None


def answer(machine: Machine, test: cst.BaseExpression, frame: Frame) -> Value:
    """What a test evaluates to; a known bool where it asks for a kind that its subject surely is, or is not."""
    # ``if best:`` asks whether there is one, not what is in it.
    value = machine.current(test, frame) if type(test) is cst.Name else machine.evaluate(test, frame)
    if isinstance(value, Scalar) and value.known:
        return value
    known = told(machine, test, frame)
    return value if known is None else Scalar(kind="bool", literal=known, known=True)


def is_for_good(test: cst.BaseExpression, frame: Frame) -> bool:
    """Whether a known answer holds for all that run this: any method may bind an attribute, unless this one has."""
    return type(test) is not cst.Attribute or dotted_name(test) in frame.env.bindings


def told(machine: Machine, test: cst.BaseExpression, frame: Frame) -> bool | None:
    """The answer to a test, where what is known of its subject decides it."""
    if (few := asked_of_few(test)) is not None:
        holds = _is_one_of_few(_held(machine, few.subject, frame), few.asked)
        return None if holds is None else holds is few.answer
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            inside = told(machine, inner, frame)
            return None if inside is None else not inside
        case cst.BooleanOperation(left=left, operator=operator, right=right):
            # One False decides an `and`, one True an `or`.
            deciding = not isinstance(operator, cst.And)
            sides = {told(machine, left, frame), told(machine, right, frame)}
            return deciding if deciding in sides else None if None in sides else not deciding
        case cst.Call(func=cst.Name(value="isinstance"), args=[subject, classes]):
            return is_among(_held(machine, subject.value, frame), paths_of(machine.evaluate(classes.value, frame)))
        case cst.Call(func=function, args=[subject]) if dotted_name(function).endswith("is_tensor"):
            asked = machine.symbol(machine.evaluate(function, frame)) in TENSOR_TESTS
            return is_among(_held(machine, subject.value, frame), ("torch.Tensor",)) if asked else None
        case cst.Comparison(
            left=cst.Call(func=cst.Name(value="type"), args=[subject]),
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=kind)],
        ) if isinstance(operator, (*SAME, *OTHER)):
            among = is_among(_held(machine, subject.value, frame), paths_of(machine.evaluate(kind, frame)))
            # What is among them may be so by a class of its own.
            return isinstance(operator, OTHER) if among is False else None
        case _:
            return None


def answer_of_comparison(machine: Machine, node: cst.Comparison, values: list[Value], frame: Frame) -> Value | None:
    """What comparing these values answers, where they tell it."""
    match node.comparisons, values:
        case [
            [cst.ComparisonTarget(operator=cst.Equal() | cst.NotEqual() as operator)],
            [
                Scalar(kind="str", literal=str(left), known=True),
                Scalar(kind="str", literal=str(right), known=True),
            ],
        ]:
            return Scalar(kind="bool", literal=(left == right) is isinstance(operator, cst.Equal), known=True)
        case [[cst.ComparisonTarget(operator=cst.Equal() | cst.NotEqual() as operator)], [left, right]] if (
            asked := dtypes_compared(left, right)
        ):
            return Scalar(kind="bool", literal=(len(asked) == 1) is isinstance(operator, cst.Equal), known=True)
        case [
            [cst.ComparisonTarget(operator=cst.GreaterThan())],
            [Scalar(kind="int", literal=int(left)), Scalar(kind="int", literal=int(right))],
        ] if left > right:
            # ``ngpu > 0``: a number that is written down as this is there to be changed.
            return Scalar(kind="bool", literal=True)
        case (
            [cst.ComparisonTarget(operator=cst.Equal() | cst.NotEqual() as operator)],
            [Unknown() | Scalar(), Scalar(kind="str", literal=str(right), known=True)],
        ) if isinstance(node.left, cst.Name):
            # ``device_type == "cpu"``: what the default of the parameter answers.
            default = _default_text(machine, node.left.value, frame)
            if default is not None:
                return Scalar(kind="bool", literal=(default == right) is isinstance(operator, cst.Equal))
    return None


def _default_text(machine: Machine, name: str, frame: Frame) -> str | None:
    """The string that a parameter is, where nobody is seen to give it any; None for all other names."""
    info = frame.function
    if info is None or frame.env.version(name):
        return None
    lesson = machine.lesson_of(info)
    # Who makes an object of a class of another file is not asked.
    unasked = machine.unit is not None and info.name == "__init__"
    if unasked or lesson.handed_on or lesson.others or name in lesson.arguments:
        return None
    default = next((each.default for each in parameters_of(info.node) if each.name.value == name), None)
    text = default.evaluated_value if isinstance(default, cst.SimpleString) else None
    return text if isinstance(text, str) else None


def _held(machine: Machine, subject: cst.BaseExpression, frame: Frame) -> Value | None:
    path = dotted_name(subject)
    return machine.lookup(path, frame) if path else None


def paths_of(classes: Value) -> tuple[str, ...]:
    """The classes that are asked for by name; empty for each that was not imported."""
    options = classes.items if isinstance(classes, Sequence) and classes.items is not None else (classes,)
    return tuple(option.path if isinstance(option, Symbol) else "" for option in options)


def is_among(subject: Value | None, classes: tuple[str, ...]) -> bool | None:
    """Whether an object is of one of these classes."""
    own: str | None
    match subject:
        case Tensor(sure=True):
            own, other = "torch.Tensor", "numpy.ndarray"
        case Array(sure=True, has_axes=True):
            own, other = "numpy.ndarray", "torch.Tensor"
        case Module():
            # Of which class of modules is not asked here.
            own, other = None, "torch.Tensor"
        case _:
            return None
    if own in classes:
        return True
    return False if all(name == other or name in _BUILTIN for name in classes) else None

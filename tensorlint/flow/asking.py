"""What a test asks, by how it is spelled."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from tensorlint.flow.tree import dotted_name

SAME = (cst.Equal, cst.Is)
OTHER = (cst.NotEqual, cst.IsNot)
#: Whether a number of a device that is compared so is one of an accelerator: the CPU has -1.
ACCELERATORS: dict[tuple[type[cst.CSTNode], str], bool] = {
    (cst.NotEqual, "-1"): True,
    (cst.Equal, "-1"): False,
    (cst.GreaterThan, "-1"): True,
    (cst.GreaterThanEqual, "0"): True,
    (cst.LessThan, "0"): False,
}
#: What few tensors are, by the attribute or method that says it.
_FEW_ARE = frozenset({"is_sparse", "is_sparse_csr", "is_mkldnn", "is_nested", "is_quantized", "is_complex"})
#: Whether a number of dimensions that is compared so is none.
_NO_DIMENSIONS: dict[tuple[type[cst.CSTNode], str], bool] = {
    (cst.Equal, "0"): True,
    (cst.LessThan, "1"): True,
    (cst.NotEqual, "0"): False,
    (cst.GreaterThan, "0"): False,
    (cst.GreaterThanEqual, "1"): False,
}


@dataclass(frozen=True, slots=True)
class Few:
    """A test of ``subject`` being what few tensors are, which it is where the test has this ``answer``."""

    subject: cst.BaseExpression
    asked: str
    answer: bool


def asked_of_few(test: cst.BaseExpression) -> Few | None:
    """``x.is_sparse``, ``x.layout != torch.strided``, ``x.ndim == 0``."""
    match test:
        case cst.Attribute(value=subject, attr=cst.Name(value=name)) if name in _FEW_ARE:
            return Few(subject, name, answer=True)
        case cst.Call(func=cst.Attribute(value=subject, attr=cst.Name(value=name)), args=[]) if name in _FEW_ARE:
            return Few(subject, name, answer=True)
        case cst.Comparison(
            left=cst.Attribute(value=subject, attr=cst.Name(value="layout")),
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=layout)],
        ) if isinstance(operator, (*SAME, *OTHER)):
            usual = dotted_name(layout).rpartition(".")[2] == "strided"
            return Few(subject, "layout", answer=usual is isinstance(operator, OTHER))
        case cst.Comparison(
            left=cst.Attribute(value=subject, attr=cst.Name(value="ndim"))
            | cst.Call(func=cst.Attribute(value=subject, attr=cst.Name(value="dim" | "ndimension")), args=[]),
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Integer(value=number))],
        ) if (none := _NO_DIMENSIONS.get((type(operator), number))) is not None:
            return Few(subject, "ndim", answer=none)
        case _:
            return None


def alternatives(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The tests one of which has to hold."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        return [*alternatives(test.left), *alternatives(test.right)]
    return [test]


def number_spelled(node: cst.BaseExpression) -> str:
    """``-1`` or ``0``, as it is spelled; empty for what is no number."""
    match node:
        case cst.Integer(value=digits):
            return digits
        case cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer(value=digits)):
            return f"-{digits}"
        case _:
            return ""


def asks_for_device(test: cst.BaseExpression) -> bool:
    match test:
        case cst.Attribute(attr=cst.Name(value="is_cuda" | "is_mps")):
            return True
        case cst.Comparison(left=left):
            return device_asked(left) is not None or "device" in named_device(left).split(".")[-1]
        case cst.BooleanOperation(left=left, operator=cst.And(), right=right):
            return asks_for_device(left) or asks_for_device(right)
        case _:
            return False


def device_asked(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """``x`` of ``x.device``, ``x.device.type`` and ``str(x.device)``."""
    match node:
        case cst.Call(func=cst.Name(value="str"), args=[argument]):
            return device_asked(argument.value)
        case cst.Attribute(value=cst.Attribute() as inner, attr=cst.Name(value="type")):
            return device_asked(inner)
        case cst.Attribute(value=owner, attr=cst.Name(value="device")):
            return owner
        case _:
            return None


def named_device(node: cst.BaseExpression) -> str:
    """``device`` of ``device``, ``device.type`` and ``str(device)``."""
    match node:
        case cst.Call(func=cst.Name(value="str"), args=[argument]):
            return named_device(argument.value)
        case cst.Attribute(value=inner, attr=cst.Name(value="type")):
            return dotted_name(inner)
        case _:
            return dotted_name(node)

"""Arithmetic between two operands: always in new memory."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import BOOL, COMPLEX128, FLOAT32, FLOAT64, UINT8, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import Truth, strongest
from tensorlint.flow.domain.inside import surely_array, tensor_dtype
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import PLAIN, UNKNOWN, Foreign, Scalar, Sequence, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.autocast import autocast_to
from tensorlint.flow.models.axes import promoted as promoted_tensors
from tensorlint.flow.models.cuts import carried
from tensorlint.flow.models.numpy_functions import promoted
from tensorlint.flow.saved import note_operator
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import spelled_number

#: Fractions on both sides of 0 that are known to have no bound, or had none.
_UNBOUND = frozenset({"wild", "loose"})
_LINEAR = (
    *(cst.Add, cst.AddAssign, cst.Subtract, cst.SubtractAssign),
    *(cst.Multiply, cst.MultiplyAssign),
)


def combine(machine: Machine, left: Value, right: Value, node: cst.CSTNode, frame: Frame) -> Value:
    """The result of arithmetic between two operands: always in new memory."""
    result = _combined(machine, left, right, node, frame)
    note_operator(machine, node, left, right, result, frame)
    return carried(machine, result, (left, right), node, frame)


def changed_sign(machine: Machine, value: Value, node: cst.UnaryOperation, frame: Frame) -> Value:
    """``-value``, ``+value`` or ``~value``."""
    if isinstance(value, Scalar):
        negative = isinstance(value.literal, int) and isinstance(node.operator, cst.Minus)
        return replace(value, literal=-value.literal) if negative else value  # type: ignore[operator]
    if isinstance(node.operator, cst.BitInvert) and tensor_dtype(value) is UINT8:
        operand = Argument(node.expression, value)
        machine.emit(frame, events.IntegersOperated, node, operator="~", left=operand, right=operand)
    return combine(machine, value, value, node, frame)


def _combined(machine: Machine, left: Value, right: Value, node: cst.CSTNode, frame: Frame) -> Value:
    match left, right:
        case (Scalar(kind="str"), _) if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
            # ``"%.3f" % loss``
            return beginning(left, "%")
        case (Tensor(), _) | (_, Tensor()):
            machine.use(frame, node, left)
            machine.use(frame, node, right)
            for side, other in ((left, right), (right, left)):
                if isinstance(other, (Tensor, Array)) and other.dtype is FLOAT64:
                    machine.widen(frame, node, side, "float64")
            return tensor_arithmetic(machine, left, right, node, frame)
        case (Foreign(framework=str(name)), _) | (_, Foreign(framework=str(name))) if name:
            return Foreign(framework=name)
        case (Sequence(), Sequence()) if left.kind == right.kind:
            if left.items is not None and right.items is not None:
                return replace(left, items=left.items + right.items, oid=machine.next_serial())
            return replace(
                left, items=None, element=join(any_element(left), any_element(right)), oid=machine.next_serial()
            )
        case (Sequence(), Scalar() | Unknown()) if multiplies(node):
            return replace(left, items=None, element=any_element(left), oid=machine.next_serial())
        case (Scalar() | Unknown(), Sequence()) if multiplies(node):
            return replace(right, items=None, element=any_element(right), oid=machine.next_serial())
        case (Sequence(kind="list" | "tuple"), Scalar()) | (Scalar(), Sequence(kind="list" | "tuple")):
            # Of Python's numbers none goes with a list; one of NumPy's makes an array of it.
            return Array(sure=False, storages=machine.storage())
        case (Array(), Array() | Scalar() | Foreign() | Unknown()) | (Scalar() | Foreign() | Unknown(), Array()):
            dtype = promoted(left, right)
            if divides(node) and not (dtype.is_float or dtype.is_complex):
                # Integers give float64, of whatever size they are (measured on NumPy 2.4.6).
                held = [side.dtype for side in (left, right) if isinstance(side, Array)]
                whole = all(isinstance(side, (Array, Scalar)) for side in (left, right))
                dtype = Dtype("float64", unsure=not (whole and all(each.is_integral for each in held)))
            axes = any(isinstance(side, Array) and side.has_axes for side in (left, right))
            return Array(
                dtype=dtype,
                has_axes=axes,
                sure=surely_array((left, right)),
                storages=machine.storage(),
                numbers=numbers_of_both(left, right, node),
                oid=machine.serial,
            )
        case (Unknown(), _) | (_, Unknown()):
            known = [side for side in (left, right) if isinstance(side, Unknown)]
            return Unknown(
                device=together(known),
                grad=machine.result_grad(strongest(side.grad for side in known), frame),
                tensor=Truth.NO if all(side.tensor is Truth.NO for side in known) else Truth.UNKNOWN,
                dtype=known[0].dtype if len({side.dtype for side in known}) == 1 else UNKNOWN_DTYPE,
                source=known[0].source,
                origin=known[0].origin,
            )
        case (Scalar(kind="str"), _) if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            # ``"cuda:" + str(rank)``
            return beginning(left)
        case (Scalar(), Scalar()):
            kind = "str" if "str" in (left.kind, right.kind) else number_kind(left.kind, right.kind, node)
            return Scalar(kind=kind)
        case (Scalar(), _) | (_, Scalar()):
            return UNKNOWN
        case (Foreign(), Foreign()):
            return PLAIN
        case _:
            return UNKNOWN


def tensor_arithmetic(machine: Machine, left: Value, right: Value, node: cst.CSTNode, frame: Frame) -> Value:
    sides = [side for side in (left, right) if isinstance(side, (Tensor, Unknown))]
    tensors = [side for side in sides if isinstance(side, Tensor)]
    # An operand of unknown kind is most often a number; its device only counts when it is evidence.
    placed = [side for side in sides if isinstance(side, Tensor) or side.device.truth is not Truth.UNKNOWN]
    grads = [side.grad for side in sides if isinstance(side, Tensor) or side.grad.truth > Truth.UNKNOWN]
    return Tensor(
        device=together(placed),
        grad=machine.result_grad(strongest(grads), frame),
        dtype=(_lowered(machine, left, right) if multiplies_matrices(node) else UNKNOWN_DTYPE)
        or dtype_of_both(left, right, node),
        storages=machine.storage(),
        sure=any(side.sure for side in tensors),
        source=tensors[0].source,
        origin=tensors[0].origin,
        zero_dim=all(side.zero_dim if isinstance(side, Tensor) else _is_one(side) for side in (left, right)),
        has_axes=any(isinstance(side, (Tensor, Array)) and side.has_axes for side in (left, right)),
        layout=layout_of_both(left, right, node),
        numbers=numbers_of_both(left, right, node),
        oid=machine.serial,
    )


def layout_of_both(left: Value, right: Value, node: cst.CSTNode) -> str:
    """Sparse and nested tensors stay so among themselves, and where a number multiplies them (torch 2.13.0)."""
    layouts = {side.layout if isinstance(side, Tensor) else "number" for side in (left, right)}
    if not isinstance(node, cst.BinaryOperation) or not layouts & {"sparse", "nested"}:
        return ""
    of = layouts - {"number"}
    by = (cst.Multiply, cst.Divide) if "number" in layouts else (cst.Add, cst.Subtract)
    numbers = all(isinstance(side, (Tensor, Scalar)) for side in (left, right))
    return of.pop() if len(of) == 1 and numbers and isinstance(node.operator, by) else ""


def beginning(text: Scalar, until: str = "") -> Scalar:
    """A string that begins as ``text`` does up to a sign, and whose end is not known."""
    known = text.literal if isinstance(text.literal, str) else ""
    return Scalar(kind="str", literal=(known.partition(until)[0] if until else known) or None)


def numbers_of_both(left: Value, right: Value, node: cst.CSTNode) -> str:
    """What is known of the numbers that an operator makes: most make fractions of fractions."""
    if not isinstance(node, (cst.BinaryOperation, cst.AugAssign)):
        return ""
    divides = isinstance(node.operator, (cst.Divide, cst.DivideAssign))
    if not divides and not isinstance(node.operator, _LINEAR):
        return ""
    kinds = {side.numbers for side in (left, right) if isinstance(side, (Tensor, Array))}
    if kinds & _UNBOUND and (kinds <= _UNBOUND or "" not in kinds) and all(map(_is_number, (left, right))):
        return "loose" if "loose" in kinds or not _only_scales(left, right, node) else "wild"
    return "fraction" if divides or kinds - {""} else ""


def _is_number(value: Value) -> bool:
    return isinstance(value, (Tensor, Array, Scalar))


def _only_scales(left: Value, right: Value, node: cst.BinaryOperation | cst.AugAssign) -> bool:
    """Whether what is no tensor or array of fractions is a number that the program spells.

    ``x - low`` may be about to give ``x`` a bound; so may a number that is added and is none of the usual 0.5 or 1.
    """
    nodes = (node.left, node.right) if isinstance(node, cst.BinaryOperation) else (node.target, node.value)
    numbers = [each for each, side in zip(nodes, (left, right), strict=True) if isinstance(side, Scalar)]
    spelled = [spelled_number(each) for each in numbers]
    scales = isinstance(node.operator, (cst.Multiply, cst.MultiplyAssign, cst.Divide, cst.DivideAssign))
    return all(each is not None and (scales or abs(each) <= 1) for each in spelled)


def _is_one(value: Value) -> bool:
    """Whether a value that is no tensor is one number; nothing else that is plain can be computed with."""
    return isinstance(value, Scalar) or value == PLAIN


def dtype_of_both(left: Value, right: Value, node: cst.CSTNode) -> Dtype:
    if isinstance(left, Array) or isinstance(right, Array):
        match left, right:
            case Tensor(dtype=dtype), Array() if promotes(right) and not dtype.is_complex:
                return FLOAT64
        return UNKNOWN_DTYPE
    dtypes = [side.dtype for side in (left, right) if isinstance(side, Tensor)]
    numbers = {side.kind for side in (left, right) if isinstance(side, Scalar)}
    if "complex" in numbers:
        return COMPLEX128 if FLOAT64 in dtypes else Dtype("complex64", unsure=True)
    match left, right:
        case Tensor(), Tensor():
            dtype = promoted_tensors(left, right)
        case _:
            dtype = dtypes[0]
    if dtype.of_numpy:
        # Divided, or with a float, it becomes one; little else works.
        return UNKNOWN_DTYPE
    if dtype.is_integral:
        if len(numbers) + len(dtypes) < 2:
            # The other side is not known.
            return UNKNOWN_DTYPE
        if divides(node) or numbers == {"float"}:
            return FLOAT32
        return dtype if numbers <= ({"bool"} if dtype is BOOL else {"bool", "int"}) else UNKNOWN_DTYPE
    # What is not known is most often a number; a float32 tensor would make the result float32, too.
    return dtype.weakened() if dtype.without_numpy and Unknown in (type(left), type(right)) else dtype


def promotes(array: Array) -> bool:
    """Whether a tensor of float32 becomes float64 where it meets this array (measured on torch 2.13.0)."""
    return array.dtype is FLOAT64 and array.sure and (array.has_axes or array.zero_dim)


def _lowered(machine: Machine, left: Value, right: Value) -> Dtype:
    return autocast_to(machine, "matmul", [side.dtype for side in (left, right) if isinstance(side, Tensor)])


def multiplies_matrices(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.BinaryOperation, cst.AugAssign)) and isinstance(
        node.operator, (cst.MatrixMultiply, cst.MatrixMultiplyAssign)
    )


def divides(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide)


def multiplies(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply)


def number_kind(left: str, right: str, node: cst.CSTNode) -> str:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
        return "float"
    if "complex" in (left, right):
        return "complex"
    return "int" if left == right == "int" else "float" if "float" in (left, right) else "number"

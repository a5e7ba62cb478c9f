"""Tensors that are made of arrays, lists, numbers and other tensors."""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.arguments import dtype_argument, dtype_of_data
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import FLOAT16, FLOAT32, UNKNOWN_DTYPE, Dtype, printed_as
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import cut_of, holds_exactly, leaves
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Frozen, Narrowed, Origin, Rewrapped, Tensor
from tensorlint.flow.domain.values import UNKNOWN, Scalar, Sequence, Unknown, Value, is_false
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.axes import are_axes
from tensorlint.flow.models.buffers import frozen_by
from tensorlint.flow.models.placement import requested_device
from tensorlint.flow.models.registry import function
from tensorlint.flow.models.tensors import tensor_of_unknown
from tensorlint.knowledge import TORCH_FUNCTIONS, Device, Share
from tensorlint.knowledge.layouts import layout_of

#: The constructors that have a dtype in their name, the plain one included.
_LEGACY = frozenset(
    f"{kind}Tensor" for kind in ("", "Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool")
)


@function(
    "torch.from_numpy",
    "torch.as_tensor",
    "torch.asarray",
    "torch.tensor",
    "torch.frombuffer",
    "torch.autograd.Variable",
    *(f"torch.**.{name}" for name in sorted(_LEGACY)),
)
def tensor_of(machine: Machine, path: str, call: Call) -> Value | None:
    """An array, list, number or tensor becomes a tensor."""
    name = path.removeprefix("torch.")
    row = TORCH_FUNCTIONS.get(name)
    if row is None:
        return None
    legacy = name in _LEGACY
    data = next(
        (each.value for each in call.arguments if not each.keyword or each.place == 0 or each.name == "data"), UNKNOWN
    )
    if any(isinstance(leaf, Scalar) and leaf.kind == "str" for leaf in leaves(data)):
        # ValueError: there is no tensor of words (torch 2.13.0), and nothing of what would come after.
        call.frame.alive = False
        return UNKNOWN
    requested = requested_device(machine, call)
    fallback = NO_FACT if row.device is Device.CPU else machine.default_device
    dtype = dtype_argument(call.arguments) or printed_as(row.dtype)
    source_dtype = data.dtype if isinstance(data, (Array, Tensor)) else UNKNOWN_DTYPE
    # What ``as_tensor`` is given may be a list, too, which is copied.
    shares = row.share is Share.ALWAYS or (
        row.share is Share.MAYBE and isinstance(data, (Array, Tensor)) and (not dtype or dtype is source_dtype)
    )
    moved = requested is not None and requested.truth is not Truth.NO
    if moved and requested is not None and requested.truth is Truth.MAYBE and isinstance(data, Array):
        shares = False
    asked = call.keyword("requires_grad")
    grad = (
        Fact(Truth.YES, machine.at(call.node), "created with `requires_grad=True` here")
        if isinstance(asked, Scalar) and asked.literal is True
        else NO_FACT
    )
    if asked is not None and grad.truth is Truth.NO and not is_false(asked):
        grad = Fact()
    if name == "autograd.Variable" and isinstance(data, (Tensor, Unknown)):
        # It detaches what it is given (measured on torch 2.13.0).
        made = replace(data, grad=grad, oid=machine.next_serial())
        leaf = rewrapped(name, data, machine.at(call.node))
        if isinstance(made, Tensor):
            return replace(made, rewrapped=leaf)
        return tensor_of_unknown(made, grad, leaf) if grad.truth is Truth.YES else made
    if name == "from_numpy":
        fallback = Fact(Truth.NO, machine.at(call.node), "made of an array here")
    if isinstance(data, Tensor):
        fallback = data.device if row.device is not Device.CPU else NO_FACT
        if name not in {"tensor"} and grad.truth is Truth.NO:
            grad = data.grad
    elif isinstance(data, Unknown) and name in {"as_tensor", "asarray"}:
        # What is passed on may have been a tensor already.
        fallback = data.device if data.device.truth > Truth.UNKNOWN else NO_FACT
        grad = data.grad if data.grad.truth > Truth.UNKNOWN else NO_FACT
    if row.device is Device.ACCELERATOR:
        fallback, shares = Fact(Truth.YES, machine.at(call.node), f"made by `{path}` here"), False
    if (copy := call.keyword("copy")) is not None and isinstance(copy, Scalar) and copy.literal is True:
        shares = False
    storages = (
        data.storages if shares and isinstance(data, (Array, Tensor, Unknown)) else machine.storage(node=call.node)
    )
    read_only = data.read_only if shares and isinstance(data, Array) else NO_FACT
    if name == "frombuffer":
        read_only = frozen_by(machine, row, data, call.node)
    if shares and isinstance(data, Array) and data.exported and data.alias is not None:
        machine.lessons.exports_taken_back.add(data.alias)
    return Tensor(
        device=requested if requested is not None else fallback,
        grad=grad,
        dtype=dtype or source_dtype or dtype_of_data(data),
        storages=storages,
        origin=Origin(machine.at(call.node), "made here"),
        imported=shares and isinstance(data, (Array, Unknown)) and read_only.truth is Truth.NO,
        alias=machine.at(call.node) if shares and isinstance(data, (Array, Unknown)) else None,
        frozen=None if read_only.truth is Truth.NO else Frozen(machine.at(call.node), read_only),
        sliced=isinstance(data, Array) and data.sliced,
        picked=isinstance(data, Array) and data.picked,
        zero_dim=isinstance(data, Scalar),
        has_axes=are_axes(data),
        unset=machine.at(call.node) if legacy and is_size(call.arguments) else None,
        narrowed=narrowed(name, data, dtype, machine.at(call.node)) if legacy else None,
        rewrapped=rewrapped(name, data, machine.at(call.node)),
        oid=machine.next_serial(),
    )


@function(
    *(f"torch.sparse_{kind}_tensor" for kind in ("bsr", "bsc", "compressed")),
    *(f"torch.sparse.{name}" for name in ("FloatTensor", "DoubleTensor", "LongTensor", "spdiags")),
    *(f"torch.nested.{name}" for name in ("nested_tensor", "as_nested_tensor")),
)
def of_another_layout(machine: Machine, path: str, call: Call) -> Value:
    """Sparse and nested tensors, of the numbers in other tensors."""
    held = [leaf for argument in call.arguments for leaf in leaves(argument.value) if isinstance(leaf, Tensor)]
    grad = NO_FACT if path == "torch.nested.nested_tensor" else strongest(each.grad for each in held)
    return Tensor(
        device=requested_device(machine, call) or together(held, machine.default_device),
        grad=machine.result_grad(grad, call.frame),
        dtype=dtype_argument(call.arguments),
        storages=machine.storage(),
        origin=Origin(machine.at(call.node), "made here"),
        layout=layout_of(path.removeprefix("torch."), "", is_complex=False, is_view=False),
        oid=machine.serial,
    )


def narrowed(name: str, data: Value, dtype: Dtype, site: Site) -> Narrowed | None:
    """What a legacy constructor of floats loses of ``data``, as far as that is known."""
    if dtype not in {FLOAT32, FLOAT16} or isinstance(data, Tensor):
        return None
    match data:
        case Array(dtype=Dtype(name="float64" | "") as held):
            return Narrowed(site, "float64" if held.sure else "")
        case Array(dtype=held):
            whole = "numbers" if data.counted else "integers"
            return Narrowed(site, "" if held.is_float or data.small else whole)
        case Sequence():
            inside = list(leaves(data))
            integers = bool(inside) and all(isinstance(leaf, Scalar) and leaf.kind == "int" for leaf in inside)
            small = all(isinstance(leaf, Scalar) and holds_exactly(leaf, dtype) for leaf in inside)
            return Narrowed(site, "numbers" if integers and not small else "")
        case Unknown():
            return Narrowed(site)
        case _:
            return None


def rewrapped(name: str, data: Value, site: Site) -> Rewrapped | None:
    """What started a graph of its own; numbers that the program spells were computed by nobody."""
    inside = list(leaves(data))
    passed_on = isinstance(data, (Tensor, Unknown)) and name in {"as_tensor", "asarray"}
    if passed_on or all(isinstance(leaf, Scalar) and leaf.known for leaf in inside):
        return None
    cut = cut_of(data)
    of_graph = any(isinstance(leaf, (Tensor, Unknown)) and leaf.grad.truth > Truth.UNKNOWN for leaf in inside)
    given = "tensor" if isinstance(data, Tensor) else ""
    if isinstance(data, Sequence) and inside and all(isinstance(leaf, Tensor) for leaf in inside):
        given = "tensors"
    return Rewrapped(site, of_graph or bool(cut.reason), cut, given)


def is_size(arguments: tuple[Argument, ...]) -> bool:
    """Whether a legacy constructor is told how much to allocate, and not what to put there."""
    numbers = [argument.value.literal for argument in arguments if isinstance(argument.value, Scalar)]
    if any(isinstance(number, int) and number <= 0 for number in numbers):
        return False
    kinds = [
        argument.value.kind if isinstance(argument.value, Scalar) else ""
        for argument in arguments
        if not argument.keyword
    ]
    return bool(kinds) and all(kind in {"int", "np.int64"} for kind in kinds)

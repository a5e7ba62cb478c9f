from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, replace
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.devices import device_fact
from tensorlint.flow.domain.dtypes import FLOAT16, FLOAT32, Dtype
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import is_changed_by
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import Scalar, Sequence, Unknown, Value, is_false, is_none
from tensorlint.flow.events import NarrowedUse, TorchCall
from tensorlint.flow.scene import Spelling
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.constructors import (
    DTYPES,
    kept_as_given,
    kept_values,
    numbers_spelled,
    same_for,
    spelled_out,
)
from tensorlint.rules.wording import bound_at, spell, where_from

if TYPE_CHECKING:
    import libcst as cst

#: Casts that make the way through float32 a detour.
_CASTS = frozenset({"long", "int", "short", "char", "byte", "bool", "double"})
_FLOATS = frozenset({"Tensor", "FloatTensor", "HalfTensor"})


class LegacyConstructorCast(Rule):
    """`torch.Tensor(data)` makes float32 of data that is not float, or that needs more digits.

    ## What it does
    Reports the legacy constructors `torch.Tensor`, `torch.FloatTensor` and `torch.HalfTensor` where that does harm: on
    integers that do not fit, that are ids, tokens or indices by their name, or that are made integers again; on arrays
    of complex numbers or objects; on float64 that is used with float64 afterwards; where the result serves as an
    index. Of these and of the constructors of other dtypes, `torch.LongTensor` and its relatives, it reports keywords
    that they do not know, and a device other than the CPU.

    ## Why is this bad
    Integers above 2**24 and float64 values silently lose digits: an id becomes its neighbour. Booleans and indices
    become floats, which masks and `gather` refuse. With `device=` of a GPU the constructor raises, with
    `dtype=` or `requires_grad=` always.

    ## Example
    ```python
    import numpy as np
    import torch

    ids = np.array([16777217])
    print(torch.Tensor(ids))  # 16777216.
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    ids = np.array([16777217])
    print(torch.as_tensor(ids))
    ```
    `torch.as_tensor(x, dtype=torch.float32)` says the same as `torch.Tensor(x)` for an array, in values and in
    aliasing.

    ## Limits
    Of data that is not known, and of integers that may be counts, features or pixels, nothing is said at the default
    certainty: they are turned into floats on purpose, and are small. Where nothing is lost (floats, small numbers) the
    constructor is a matter of style: TBX216, off by default.

    ## Fix safety
    `torch.as_tensor(x, dtype=torch.float32)` is safe for arrays and for lists of numbers: same values, same dtype, same
    aliasing (measured). It is unsafe where `x` may be something else, as an integer would be a size, and in a file that
    sets the default dtype or device. Where integers are known to change, that would keep the change: the fix is
    `torch.tensor(x)` then, which is unsafe, as it has another dtype and the right numbers. Where a cast follows at
    once, as in `torch.Tensor(ids).long()`, the fix is `torch.tensor(ids).long()`, which is unsafe, as large integers
    keep their value then. Where a keyword raises, the fix is `torch.tensor` with the same keyword.

    ## References
    - pytorch/pytorch#34758, #64138; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX201"
    name = "legacy-constructor-cast"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        if event.name in DTYPES:
            yield from _refused(event)
        if event.name not in _FLOATS:
            return
        data = event.positional()
        if data is None or sum(not argument.keyword for argument in event.arguments) != 1:
            return
        harm = harm_of(event, data)
        if harm is None:
            return
        certainty, what = harm
        if certainty < Certainty.CERTAIN and _is_spelled_too_large(event, data):
            certainty = Certainty.CERTAIN
        # Where it is known that numbers change, a fix that keeps the change would only hide it.
        loses = certainty is Certainty.CERTAIN and _has_integers(data.value)
        if event.scene.is_test and isinstance(data.value, Array) and data.value.dtype.is_integral:
            # The small numbers of a test lose nothing; whoever wants another dtype there sees the test fail.
            certainty = min(certainty, Certainty.POSSIBLE)
        target = DTYPES[event.name]
        yield Draft(
            event.node,
            f"`torch.{event.name}` makes {target} of `{spell(data.node)}`, {what}",
            certainty,
            f"keep the values with `torch.{'tensor' if loses else 'as_tensor'}(...)`, or say that {target} is meant: "
            f"`torch.as_tensor(..., dtype=torch.{target})`",
            where_from(data.value) or bound_at(data.node, event.scene),
            mend=event.node,
            repair=kept_as_given(event) if loses else _repair(event, data),
        )

    def on_narrowed_use(self, event: NarrowedUse) -> Iterator[Draft]:
        match event.wanted, event.given:
            case "index", _:
                harm, use = "which no index can be", "used as an index here: raises"
            case "int", "integers" | "numbers":
                harm, use = "through which integers above 2**24 do not come unchanged", "made an integer again here"
            case "float64", "float64":
                harm, use = "and what is left of its float64 meets float64 again", "used as float64 here"
            case _:
                return
        # Most lists of whole numbers count something, and stay small; so do places.
        given = _given(event.node)
        small = not _identifies(given) if event.given == "numbers" else names.PLACE.search(given)
        counts = event.wanted == "int" and bool(small)
        certainty = Certainty.POSSIBLE if counts else Certainty.LIKELY
        yield Draft(
            event.node,
            f"`{spell(event.node)}` makes a smaller float, {harm}",
            Certainty.CERTAIN if certainty is Certainty.LIKELY and _is_proven(event, given) else certainty,
            "keep the values with `torch.as_tensor(...)`",
            (Note(event.scene.at(event.use), use),),
            mend=event.node,
            repair=kept_as_given(event),
        )


def _is_proven(event: NarrowedUse, given: str) -> bool:
    """Whether what happens to it leaves nothing open: no float is an index, and what is made of ids is none of them."""
    import libcst

    if not event.sure or event.scene.is_test:
        return False
    if event.wanted == "index":
        return isinstance(event.use, libcst.Subscript) and not event.scene.handles("IndexError")
    if event.wanted != "int" or event.given != "integers":
        return False
    made = event.scene.only_value(given)
    named = _identifies(given) or (made is not None and any(map(_identifies, _parts(made))))
    return named and event.scene.in_order(event.node, event.use)


def _parts(made: cst.CSTNode) -> Iterator[str]:
    """What an array is put together of, as the program spells it."""
    import libcst

    match made:
        case libcst.Call(args=arguments):
            for argument in arguments:
                if argument.keyword is None:
                    yield from _parts(argument.value)
        case libcst.List(elements=elements) | libcst.Tuple(elements=elements):
            for element in elements:
                yield from _parts(element.value)
        case libcst.Name() | libcst.Attribute() | libcst.Subscript():
            yield spell(made)


def _has_integers(value: Value) -> bool:
    return isinstance(value, Sequence) or (isinstance(value, Array) and value.dtype.is_integer)


def _is_spelled_too_large(event: TorchCall, data: Argument) -> bool:
    """Whether the program spells a number of a known array that the float has not."""
    import libcst

    value = data.value
    if not isinstance(value, Array) or not value.sure or not value.dtype.is_integer or event.scene.is_test:
        return False
    made = event.scene.only_value(spell(data.node)) if isinstance(data.node, libcst.Name) else data.node
    if not isinstance(made, libcst.Call) or not made.args or not isinstance(made.args[0].value, libcst.List):
        return False
    return any(
        is_changed_by(number, DTYPES[event.name])
        for number in numbers_spelled(made.args[0].value)
        if isinstance(number, int)
    )


def _identifies(name: str) -> bool:
    """Whether whole numbers go by the name of something that is numbered without end."""
    return names.IDENTIFIER.search(name) and not names.PLACE.search(name)


def _given(call: cst.CSTNode) -> str:
    """What a constructor is given, as the program spells it."""
    import libcst

    return spell(call.args[0].value) if isinstance(call, libcst.Call) and call.args else ""


def harm_of(event: TorchCall, data: Argument) -> tuple[Certainty, str] | None:
    """How sure it is that the cast does harm to ``data``, and which; None when it does none."""
    target = DTYPES[event.name]
    match data.value:
        case Tensor(dtype=dtype) if event.name != "Tensor" and dtype.is_integral:
            return Certainty.CERTAIN, f"which is a tensor of {dtype}: TypeError"
        case Array(zero_dim=True) | Sequence(kind="loader" | "generator" | "view"):
            return None
        case Array(small=True) if target is FLOAT32:
            return None
        case Array(dtype=dtype) if dtype.is_float:
            # Digits that matter show in what the tensor is used with: ``NarrowedUse``.
            return None
        case Array(dtype=dtype) if not dtype.sure:
            return Certainty.POSSIBLE, "whatever dtype the array has"
        case Array(dtype=Dtype(name="bool" | "uint8" | "int8")) if event.consumer in _CASTS:
            # There and back again: a float holds each of these.
            return None
        case Array(dtype=dtype) if dtype.is_complex:
            return Certainty.CERTAIN, "which holds complex numbers: the imaginary part is lost"
        case Array(dtype=Dtype(name="object")):
            return Certainty.CERTAIN, "which holds objects: TypeError"
        case Array(dtype=Dtype(name="int64" | "int32" | "uint64" | "uint32") as dtype):
            bound = "2**24" if target is FLOAT32 else "2**11"
            meant = target is FLOAT16 or _identifies(spell(data.node))
            cast_back = event.consumer in _CASTS and not data.value.counted and not names.PLACE.search(spell(data.node))
            # Counts, features and pixels are turned into floats on purpose; even labels and indices are small.
            certainty = Certainty.CERTAIN if meant else Certainty.LIKELY if cast_back else Certainty.POSSIBLE
            return certainty, f"which holds {dtype}: above {bound} values change"
        case Array(dtype=dtype):
            return Certainty.POSSIBLE, f"which holds {dtype}"
        case Sequence() as numbers:
            return _harm_of_list(numbers, data, target)
        case Unknown(tensor=tensor, source=source) if tensor is not Truth.NO or source is Provenance.MIXED:
            sized = names.SIZE.search(spell(data.node)) or event.consumer.endswith("_")
            return None if sized else (Certainty.POSSIBLE, "whatever it holds")
        case _:
            return None


def _harm_of_list(numbers: Sequence, data: Argument, target: Dtype) -> tuple[Certainty, str] | None:
    inside = list(_numbers(numbers))
    if any(isinstance(number, Scalar) and number.kind in _FLOAT_KINDS for number in inside):
        # One float among the numbers says that floats are meant.
        return None
    spelled = [number for number in inside if isinstance(number, Scalar) and isinstance(number.literal, int)]
    if any(is_changed_by(int(str(number.literal)), target) for number in spelled if type(number.literal) is int):
        return Certainty.CERTAIN, f"which cannot hold these integers of a {numbers.kind}"
    if len(spelled) == len(inside):
        return None
    integers = all(isinstance(number, Scalar) and number.kind in {"int", "np.int64"} for number in inside)
    if integers and _identifies(spell(data.node)):
        return Certainty.LIKELY, f"a {numbers.kind} of integers: above 2**24 one becomes another"
    return (Certainty.POSSIBLE, f"a {numbers.kind} of integers") if integers else None


_FLOAT_KINDS = frozenset({"float", "np.float32", "np.float64"})


def _numbers(value: Sequence) -> Iterator[Value]:
    for item in value.items if value.items is not None else (any_element(value),):
        if isinstance(item, Sequence):
            yield from _numbers(item)
        else:
            yield item


def _refused(event: TorchCall) -> Iterator[Draft]:
    """Keywords that the constructors of today have and the legacy ones have not."""
    advice = "use `torch.tensor(...)`, which takes it, or `torch.empty(...)` for a size"
    for name in ("dtype", "requires_grad"):
        if (given := event.keyword(name)) is not None:
            message = f"`torch.{event.name}` knows no `{name}`: TypeError for `{name}={spell(given.node)}`"
            if name == "requires_grad" and DTYPES[event.name].is_integral and not is_false(given.value):
                yield Draft(event.node, message, Certainty.CERTAIN, "leave it out: whole numbers have no gradient")
            else:
                yield Draft(event.node, message, Certainty.CERTAIN, advice, repair=_modern(event, surely=True))
    device = event.keyword("device")
    if device is None or is_none(device.value):
        return
    fact = device_fact(device.value)
    truth = fact.truth
    spelled = spell(device.node)
    where = " where there is an accelerator" if fact.if_available else ""
    # A device that was left open was meant to matter; that of another tensor may be the CPU.
    name = spell(device.node).lower()
    meant = (isinstance(device.value, Unknown) or name == "self.device") and "cpu" not in name
    if truth > Truth.UNKNOWN or (truth is Truth.UNKNOWN and meant):
        yield Draft(
            event.node,
            f"`torch.{event.name}` makes tensors on the CPU only: RuntimeError for `device={spelled}`{where}",
            Certainty.CERTAIN if fact.holds_there else Certainty.LIKELY,
            advice,
            (Note(event.scene.at(device.node), "a device that may be another one than the CPU"),),
            repair=_modern(event, surely=truth is Truth.YES),
        )


def _modern(event: TorchCall, *, surely: bool) -> Builder | None:
    """``torch.tensor`` with the same keywords, for data. None where it may be a size."""
    import libcst

    data, call = event.positional(), event.node
    assert isinstance(call, libcst.Call)
    plain = [argument for argument in event.arguments if not argument.keyword]
    if data is None or len(plain) != 1 or not same_for(data.value):
        return None
    function, dtype = (
        mending.beside(call.func, event.scene, f"torch.{name}") for name in ("tensor", DTYPES[event.name])
    )
    if function is None or dtype is None:
        return None
    named = "" if event.keyword("dtype") is not None else f"dtype={dtype.text}"
    shared = not surely and isinstance(data.value, Array)
    return partial(_with_keywords, call, function, named, "on the CPU it may share the array" if shared else "")


def _with_keywords(call: cst.Call, function: Spelling, dtype: str, reason: str, style: ExportStyle) -> Repair:
    changes = (replace(call.func, function.text), *([add_argument(call, dtype)] if dtype else []))
    applicability = Applicability.UNSAFE if reason else Applicability.SAFE
    return Repair(f"use `{function.text}(...)`", changes, applicability, reason, function.imports)


def _repair(event: TorchCall, data: Argument) -> Builder | None:
    import libcst

    call = event.node
    assert isinstance(call, libcst.Call)
    if event.consumer not in _CASTS or not same_for(data.value) or len(event.arguments) != 1 or data.star:
        return spelled_out(event, data)
    # What comes out of the detour was a copy, too.
    function = mending.beside(call.func, event.scene, "torch.tensor")
    return None if function is None else partial(kept_values, call, function, f".{event.consumer}()")

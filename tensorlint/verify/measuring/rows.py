"""One row of a table: the function is called in every way there is, and what comes back is compared with the row."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share
from tensorlint.verify.measuring.arguments import (
    DTYPES,
    GENERIC,
    Arguments,
    Make,
    Options,
    Recipe,
    arrays,
    split,
    tensors,
)
from tensorlint.verify.measuring.observing import (
    contents,
    dtype_name,
    is_array,
    is_tensor,
    kind,
    leaves,
    overlapping,
    shares,
)
from tensorlint.verify.measuring.recipes import RECIPES
from tensorlint.verify.measuring.report import NOT_RUN, Checked

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


@dataclass
class Measured:
    """What came out for one row: ``calls`` counts the calls that returned, ``why`` says why there were none."""

    name: str
    row: Row
    calls: int = 0
    why: str = ""
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def expect(self, what: str, truth: bool, problem: str) -> None:
        """``what`` is a field of the row."""
        found = self.wrong.setdefault(what, [])
        if not truth and problem not in found:
            found.append(problem)

    @property
    def problems(self) -> list[str]:
        return [problem for found in self.wrong.values() for problem in found]

    def facts(self) -> Iterator[Checked]:
        table, _, name = self.name.partition(":")
        if not self.calls:
            yield Checked(table, name, "call", "", self.why, NOT_RUN)
            return
        for what, found in self.wrong.items():
            says = getattr(self.row, what)
            expected = str(says.value if isinstance(says, Enum) else says)
            yield Checked.judged(table, name, what, expected, "; ".join(found) or expected, not found)


#: Rows that say "maybe" and yet alias whatever the arguments are, as long as these are on the CPU.
ALWAYS_ALIASES_HERE = {"tensor:cpu"}
#: On ``meta`` these leave their own path: the gradients of the parameters stay behind.
NOT_ON_META = {"torch:nn.utils.clip_grad_norm_"}


def resolve(root: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        root = getattr(root, part)
    return root


def function(name: str) -> Callable[..., Any]:
    """What to call for a key such as ``tensor:abs`` or ``numpy:linalg.norm``; ``AttributeError`` when there is none."""
    space, _, dotted = name.partition(":")
    root = {"torch": torch, "numpy": np, "tensor": torch.Tensor, "array": np.ndarray}[space]
    found: Callable[..., Any] = resolve(root, dotted)
    return found if callable(found) else lambda receiver: getattr(receiver, dotted)


def recipes(name: str) -> tuple[Recipe, ...]:
    space, _, dotted = name.partition(":")
    last = dotted.rpartition(".")[2]
    if name in RECIPES:
        return RECIPES[name]
    if space in {"tensor", "torch"} and last in RECIPES:
        return RECIPES[last]
    return GENERIC


def attempt(call: Callable[..., Any], arguments: Arguments, **more: Any) -> Any:
    positional, options = split(arguments)
    result = call(*positional, **{**options, **more})
    if result is NotImplemented:
        raise TypeError("NotImplemented")
    return result


def on_meta(value: Any) -> Any:
    if is_tensor(value):
        return value.to("meta")
    if isinstance(value, Options):
        return value
    if isinstance(value, (tuple, list)):
        return type(value)(on_meta(item) for item in value)
    return value


def tried(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, Exception | None]:
    """What a call gives, or what it raises: rows are called with arguments many of them refuse."""
    try:
        return call(*arguments, **options), None
    except Exception as error:  # noqa: BLE001  # to learn what functions raise is what this is for
        return None, error


def perform(call: Callable[..., Any], recipe: Recipe, make: Make, **more: Any) -> Any:
    return attempt(call, recipe(make), **more)


def usable(call: Callable[..., Any], name: str) -> list[Recipe]:
    """The recipes to measure with: all of the name's own, or the first generic one that works for some dtype."""
    own = recipes(name)
    if own is not GENERIC:
        return list(own)
    make_of = arrays if name.startswith(("array", "numpy")) else tensors
    for recipe in own:
        for dtype in DTYPES:
            if tried(perform, call, recipe, make_of(dtype))[1] is None:
                return [recipe]
    return []


def measure(name: str, row: Row) -> Measured:
    """Call one row in every way there is and collect what the table says wrongly."""
    measured = Measured(name, row)
    try:
        call = function(name)
    except AttributeError:
        measured.why = "these versions have no such name"
        return measured
    numpy_side = name.startswith(("array", "numpy"))
    refused = tried(perform, call, GENERIC[0], (arrays if numpy_side else tensors)("float32"))[1]
    measured.why = f"none of the generic arguments fit: {refused}".partition("\n")[0]
    shared: set[bool] = set()
    written: set[int] = set()
    overlaps: set[bool] = set()
    outs: set[bool | None] = set()
    torch.manual_seed(0)
    np.random.seed(0)
    for recipe in usable(call, name):
        for dtype in DTYPES:
            for sign in (1, -1):
                make = arrays(dtype, sign) if numpy_side else tensors(dtype, sign)
                arguments, error = tried(recipe, make)
                if error is not None:
                    measured.why = f"its arguments cannot be made: {error}"
                    continue
                positional, _ = split(arguments)
                before = [contents(value) for value in positional]
                result, error = tried(attempt, call, arguments)
                if error is not None:
                    measured.why = f"{type(error).__name__}: {error}".partition("\n")[0]
                    continue
                measured.calls += 1
                for position, (value, old) in enumerate(zip(positional, before, strict=True)):
                    if old is not None and contents(value) != old:
                        written.add(position)
                if sign == -1:
                    continue
                check_kind(measured, row, result, positional)
                check_share(measured, row, result, positional, shared)
                check_dtype(measured, row, result, positional, dtype, numpy_side)
                overlaps.update(overlapping(item) for item in leaves(result) if row.share is Share.ALWAYS)
                if numpy_side:
                    check_array(measured, row, result, positional)
        if not numpy_side:
            check_grad(measured, row, call, recipe)
            check_device(measured, row, call, recipe)
        check_promotion(measured, row, call, recipe, numpy_side)
        if row.inplace:
            check_inplace(measured, call, recipe)
        if name.startswith(("torch", "numpy")):
            outs.add(accepts_out(call, recipe, arrays if numpy_side else tensors))
    if not measured.calls:
        return measured
    if outs & {True, False}:
        measured.expect("out", (True in outs) == row.out, f"out=: {True in outs}, the row says {row.out}")
    measured.expect(
        "writes",
        written == set(row.writes),
        f"overwrites {sorted(written)}, the row says {sorted(row.writes)}",
    )
    if shared:
        expected = {Share.ALWAYS: {True}, Share.NEVER: {False}, Share.MAYBE: {True, False}, Share.NONE: set()}[
            row.share
        ]
        if name not in ALWAYS_ALIASES_HERE or row.share is not Share.MAYBE:
            measured.expect(
                "share",
                shared == expected,
                f"shares memory: {sorted(shared)}, the row says {row.share.value}",
            )
    if row.share is Share.ALWAYS and overlaps and not name.endswith(("as_strided", "as_strided_")):
        measured.expect("overlaps", (True in overlaps) == row.overlaps, f"overlapping elements: {True in overlaps}")
    return measured


def check_kind(measured: Measured, row: Row, result: Any, positional: Arguments) -> None:
    other = row.result is Result.OTHER and not list(leaves(result))
    measured.expect(
        "result",
        other or row.result in kind(result),
        f"gives {type(result).__name__}, the row says {row.result.value}",
    )
    if row.result is Result.SAME:
        measured.expect("result", result is positional[row.source], f"does not return argument {row.source}")


def check_share(measured: Measured, row: Row, result: Any, positional: Arguments, shared: set[bool]) -> None:
    if row.share is Share.NONE:
        measured.expect(
            "share",
            not list(leaves(result)) or row.result is not Result.TENSOR,
            "gives tensors or arrays",
        )
        return
    for i, item in enumerate(leaves(result)):
        source = i if row.source < 0 else row.source
        if source < len(positional):
            sources = list(leaves(positional[source])) or [positional[source]]
            found = {shares(item, one) for one in sources}
            if found != {None}:
                shared.add(True in found)


def check_dtype(measured: Measured, row: Row, result: Any, positional: Arguments, dtype: str, numpy_side: bool) -> None:
    found = [dtype_name(item) for i, item in enumerate(leaves(result)) if i not in row.indices or row.dtype == "?"]
    if isinstance(result, np.generic) and row.result is Result.NUMPY_SCALAR:
        found = [dtype_name(result)]
    inputs = {dtype_name(item) for value in positional for item in leaves(value)}
    base = next((dtype_name(item) for value in positional[max(row.source, 0) :] for item in leaves(value)), dtype)
    dtype = base if row.dtype in {"real", "complex", "float-real"} else dtype
    expected = expected_dtype(row.dtype, dtype, inputs, numpy_side)
    for name in found:
        if expected:
            measured.expect("dtype", name in expected, f"{dtype} gives {name}, the row says {row.dtype}")
    for i, item in enumerate(leaves(result)):
        if i in row.indices and is_tensor(item):
            integer = not item.is_floating_point() and not item.is_complex()
            measured.expect(
                "indices",
                integer or row.dtype == "?",
                f"element {i} is {dtype_name(item)}, not an index",
            )


def check_promotion(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe, numpy_side: bool) -> None:
    """Of a float32 and a float64 argument "promote" and "float" make float64, unless the function refuses the pair."""
    if row.dtype not in {"promote", "float", "float-real"}:
        return
    make_of = arrays if numpy_side else tensors
    (narrow, refused), (wide, _) = tried(recipe, make_of("float32")), tried(recipe, make_of("float64"))
    if refused is not None:
        return
    values = [
        i for i, value in enumerate(narrow) if (is_tensor(value) or is_array(value)) and dtype_name(value) == "float32"
    ]
    if len(values) < 2 or wide is None:
        return
    mixed = tuple(wide[i] if i == values[1] else value for i, value in enumerate(narrow))
    result, _ = tried(attempt, call, mixed)
    found = {dtype_name(item) for item in leaves(result)}
    measured.expect("dtype", found <= {"float64", "bool", "int64"}, f"float32 and float64 give {sorted(found)}")


def expected_dtype(rule: str, dtype: str, inputs: set[str], numpy_side: bool) -> set[str]:
    default = "float64" if numpy_side else "float32"
    floating = dtype if dtype.startswith(("float", "complex")) else default
    if rule == "?":
        return set()
    if rule in {"keep", "argument"}:
        return (inputs or {dtype}) | {dtype, "float16", default if not inputs else dtype}
    if rule == "promote":
        # Some operators of booleans answer in a small integer or int64.
        return {dtype} | ({"int64", "int8"} if dtype == "bool" else set())
    if rule == "float":
        return {floating, *({"float16", "complex64"} if dtype == "bool" else ())}
    if rule == "float-real":
        return {"float64" if floating == "complex128" else "float32" if floating == "complex64" else floating}
    if rule == "double":
        return {"complex128" if dtype.startswith("complex") else "float64"}
    if rule == "accumulate":
        return {dtype if dtype.startswith(("float", "complex")) else "int64"}
    if rule == "real":
        return {"float64" if dtype == "complex128" else "float32" if dtype == "complex64" else dtype}
    if rule == "complex":
        return {"complex128" if floating in {"float64", "complex128"} else "complex64"}
    if rule == "default-float":
        return {default}
    return {rule}


def check_array(measured: Measured, row: Row, result: Any, positional: Arguments) -> None:
    if not is_array(result) or result.size == 0:
        return
    negative = any(step < 0 for step in result.strides)
    measured.expect("negative_strides", negative == row.negative_strides, f"negative strides: {negative}")
    shared = any(shares(result, source) for value in positional for source in leaves(value))
    if row.access is Access.NEVER and (shared or row.share is Share.ALWAYS):
        measured.expect("access", not result.flags.writeable, "is writable")
    if row.access is Access.KEEP and row.share is not Share.NONE:
        zeros_of_real = measured.name.endswith("imag")
        measured.expect("access", result.flags.writeable or zeros_of_real, "is read-only")


def requires(result: Any, skip: tuple[int, ...]) -> set[bool]:
    """Whether the floating elements of a result require grad, indices aside."""
    return {
        bool(item.requires_grad)
        for i, item in enumerate(leaves(result))
        if is_tensor(item) and i not in skip and (item.is_floating_point() or item.is_complex())
    }


def check_grad(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe) -> None:
    for dtype in ("float32", "complex64"):
        arguments, error = tried(recipe, tensors(dtype, grad=True))
        if error is not None:
            continue
        positional, _ = split(arguments)
        fed = any(item.requires_grad for value in positional for item in leaves(value) if is_tensor(item))
        result, error = tried(attempt, call, arguments)
        if error is not None:
            continue
        every = list(leaves(result))
        for i in row.indices:
            if i < len(every) and is_tensor(every[i]):
                measured.expect("indices", not every[i].requires_grad, f"element {i} requires grad")
        found = requires(result, row.indices)
        if row.grad is Grad.KEEP and fed:
            measured.expect("grad", False not in found, "drops the gradient")
        if row.grad in {Grad.NO, Grad.ARGUMENT}:
            measured.expect("grad", True not in found, "keeps the gradient")
        if row.grad is Grad.YES:
            measured.expect("grad", False not in found, "does not require grad")
        if row.grad is Grad.ARGUMENT and found:
            asked, error = tried(perform, call, recipe, tensors(dtype), requires_grad=True)
            measured.expect("grad", error is None, f"requires_grad=True: {error}")
            measured.expect("grad", False not in requires(asked, ()), "requires_grad=True has no effect")
        return


def check_device(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe) -> None:
    if row.result not in {Result.TENSOR, Result.TENSOR_TUPLE, Result.SAME, Result.TENSOR_OR_TUPLE}:
        return
    if measured.name in NOT_ON_META:
        return
    for dtype in ("float32", "int64"):
        arguments, error = tried(lambda make: on_meta(recipe(make)), tensors(dtype))
        if error is not None:
            continue
        fed = any(item.is_meta for value in arguments for item in leaves(value) if is_tensor(item))
        result, error = tried(attempt, call, arguments)
        if error is not None:
            continue
        found = {item.device.type for item in leaves(result) if is_tensor(item)}
        if fed and row.device in {Device.KEEP, Device.LIKE} and found:
            measured.expect(
                "device",
                found == {"meta"},
                f"meta gives {sorted(found)}, the row says {row.device.value}",
            )
        if row.device is Device.CPU:
            measured.expect("device", found <= {"cpu"}, f"meta gives {sorted(found)}, the row says cpu")
        break
    if row.device in {Device.LIKE, Device.DEFAULT, Device.ARGUMENT}:
        for dtype in ("float32", "int64"):
            result, error = tried(perform, call, recipe, tensors(dtype))
            if error is not None:
                continue
            found = {item.device.type for item in leaves(result)}
            measured.expect("device", found <= {"cpu"}, f"gives {sorted(found)} by itself")
            if row.device is Device.ARGUMENT:
                return
            moved, error = tried(perform, call, recipe, tensors(dtype), device="meta")
            measured.expect("device", error is None, f"device=: {error}")
            measured.expect(
                "device",
                {item.device.type for item in leaves(moved)} <= {"meta"},
                "device= has no effect",
            )
            return


def accepts_out(call: Callable[..., Any], recipe: Recipe, make_of: Callable[[str], Make]) -> bool | None:
    """Whether the call takes ``out=`` and returns it; None when there is nothing to try it on."""
    for dtype in ("float32", "int64", "bool"):
        arguments, _ = tried(recipe, make_of(dtype))
        if arguments is None or "out" in split(arguments)[1]:
            continue
        result, _ = tried(attempt, call, arguments)
        copies = tuple(item.copy() if is_array(item) else item.clone() for item in leaves(result))
        if isinstance(result, np.generic):
            copies = (np.asarray(result).copy(),)
        if not copies or any(is_tensor(item) and item.layout is not torch.strided for item in copies):
            continue
        out = copies if len(copies) > 1 else copies[0]
        again, error = tried(perform, call, recipe, make_of(dtype), out=out)
        return error is None and all(
            shares(left, right) is not False for left, right in zip(leaves(again), copies, strict=False)
        )
    return None


def check_inplace(measured: Measured, call: Callable[..., Any], recipe: Recipe) -> None:
    """``inplace=`` is accepted, and obeyed: the first argument is returned, or left alone."""
    for option in (True, False):
        arguments = recipe(tensors("float32"))
        if len(arguments) > 2 and arguments[2] is False:
            continue
        result, error = tried(attempt, call, arguments, inplace=option)
        measured.expect("inplace", error is None, f"inplace=: {error}")
        if error is None:
            measured.expect("inplace", shares(result, arguments[0]) is option, f"inplace={option} is not obeyed")

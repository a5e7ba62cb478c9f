"""NumPy functions that are handed a tensor: what they export, refuse and get wrong."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tensorlint.knowledge import numpy_functions as on_tensor
from tensorlint.knowledge.row import names
from tensorlint.verify.measuring.observing import is_tensor, leaves
from tensorlint.verify.measuring.report import NOT_RUN, Checked
from tensorlint.verify.measuring.rows import resolve, tried

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


MISSING = "these versions have no such name"

#: Calls whose tensor is not the only argument, or where a function needs integers; by NumPy name.
TENSOR_CALLS: Mapping[str, Callable[[Any, Callable[..., Any]], Any]] = {
    "append": lambda t, f: f(t, t),
    "apply_along_axis": lambda t, f: f(lambda row: row, 0, t),
    "argpartition": lambda t, f: f(t, 0),
    "array_split": lambda t, f: f(t, 2),
    "bincount": lambda t, f: f(t[0]),
    "broadcast_to": lambda t, f: f(t, (3, 2, 2)),
    "can_cast": lambda t, f: f(t, np.float64),
    "choose": lambda t, f: f(t, [1, 2, 3, 4, 5, 6]),
    "ldexp": lambda t, f: f(t, 2),
    "testing.assert_almost_equal": lambda t, f: f(t[0, 0], t[0, 0]),
    "full": lambda t, f: f((2, 2), t[0]),
    "polyint": lambda t, f: f(t[0]),
    "polyder": lambda t, f: f(t[0]),
    "roots": lambda t, f: f(t[0]),
    "vander": lambda t, f: f(t[0]),
    "polymul": lambda t, f: f(t[0], t[0]),
    "add.reduceat": lambda t, f: f(t, [0, 1]),
    "piecewise": lambda t, f: f(t, [np.ones((2, 2), bool)], [1.0]),
    "random.dirichlet": lambda t, f: f(t[0]),
    "random.randint": lambda t, f: f(t, 9),
    "linalg.outer": lambda t, f: f(t[0], t[0]),
    "clip": lambda t, f: f(t, 0, 1),
    "compress": lambda t, f: f([True, False], t),
    "concatenate": lambda t, f: f(t),
    "copyto": lambda t, f: f(t, 0.0),
    "correlate": lambda t, f: f(t[0], t[1]),
    "convolve": lambda t, f: f(t[0], t[1]),
    "cross": lambda t, f: f([1.0, 2.0, 3.0], t.reshape(-1)[:3]),
    "cumulative_sum": lambda t, f: f(t, axis=0),
    "cumulative_prod": lambda t, f: f(t, axis=0),
    "delete": lambda t, f: f(t, 0, 0),
    "digitize": lambda t, f: f(t, [0.0, 1.0]),
    "dsplit": lambda t, f: f(t[None], 2),
    "einsum": lambda t, f: f("ij->ji", t),
    "expand_dims": lambda t, f: f(t, 0),
    "extract": lambda t, f: f([True, False], t[0]),
    "fill_diagonal": lambda t, f: f(t, 0.0),
    "full_like": lambda t, f: f(t, 1),
    "hsplit": lambda t, f: f(t, 2),
    "histogram2d": lambda t, f: f(t[0], t[1]),
    "insert": lambda t, f: f(t, 0, 1),
    "interp": lambda t, f: f(t, [0.0, 1.0], [0.0, 1.0]),
    "ix_": lambda t, f: f(t[0], t[1]),
    "linspace": lambda t, f: f(t[0], t[1]),
    "logspace": lambda t, f: f(t[0], t[1]),
    "geomspace": lambda t, f: f(t[0], t[1]),
    "lib.stride_tricks.sliding_window_view": lambda t, f: f(t, (1, 1)),
    "linalg.multi_dot": lambda t, f: f([t, t]),
    "linalg.matrix_power": lambda t, f: f(t, 2),
    "linalg.tensorinv": lambda t, f: f(t, 1),
    "linalg.tensorsolve": lambda t, f: f(t, t[0]),
    "linalg.cross": lambda t, f: f([1.0, 2.0, 3.0], t.reshape(-1)[:3]),
    "meshgrid": lambda t, f: f(t[0], t[1]),
    "moveaxis": lambda t, f: f(t, 0, 1),
    "pad": lambda t, f: f(t, 1),
    "partition": lambda t, f: f(t, 0),
    "percentile": lambda t, f: f(t, 50),
    "nanpercentile": lambda t, f: f(t, 50),
    "place": lambda t, f: f(t, [True], [1.0]),
    "polyfit": lambda t, f: f(t[0], t[1], 1),
    "polyval": lambda t, f: f([1.0, 2.0], t),
    "put": lambda t, f: f(t, [0], 5.0),
    "put_along_axis": lambda t, f: f(t, np.zeros((1, 2), int), 5.0, 0),
    "putmask": lambda t, f: f(t, [True], [1.0]),
    "quantile": lambda t, f: f(t, 0.5),
    "nanquantile": lambda t, f: f(t, 0.5),
    "random.choice": lambda t, f: f(t[0]),
    "random.multinomial": lambda t, f: f(3, t[0] / t[0].sum()),
    "random.normal": lambda t, f: f(t, 1.0),
    "random.uniform": lambda t, f: f(t, 1.0),
    "repeat": lambda t, f: f(t, 2),
    "reshape": lambda t, f: f(t, (4,)),
    "resize": lambda t, f: f(t, (3,)),
    "roll": lambda t, f: f(t, 1),
    "rollaxis": lambda t, f: f(t, 1),
    "save": lambda t, f: f(io.BytesIO(), t),
    "savez": lambda t, f: f(io.BytesIO(), t),
    "savez_compressed": lambda t, f: f(io.BytesIO(), t),
    "savetxt": lambda t, f: f(io.BytesIO(), t),
    "searchsorted": lambda t, f: f([0.0, 1.0], t),
    "select": lambda t, f: f([np.ones((2, 2), bool)], [t]),
    "split": lambda t, f: f(t, 2),
    "swapaxes": lambda t, f: f(t, 0, 1),
    "take": lambda t, f: f(t, [0]),
    "take_along_axis": lambda t, f: f(t, np.zeros((1, 2), int), 0),
    "tile": lambda t, f: f(t, 2),
    "trim_zeros": lambda t, f: f(t[0]),
    "vsplit": lambda t, f: f(t, 2),
    "where": lambda t, f: f(np.ones((2, 2), bool), t, 0),
    "astype": lambda t, f: f(t, np.float32),
    "add.at": lambda t, f: f(t, [0], 1.0),
    "testing.assert_array_less": lambda t, f: f(t, t + 1),
    "block": lambda t, f: f([t, t]),
    "unstack": lambda t, f: f(t),
    "unravel_index": lambda t, f: f(t, (9, 9)),
}
#: Integer-only functions are given an integer tensor.
_INTEGERS = names(
    f"{on_tensor._UFUNCS_INTEGER_2} invert bitwise_not bitwise_invert bitwise_count packbits unpackbits bincount "
    "choose unravel_index"
)


def outcome(name: str, variant: str) -> Any:
    """What a NumPy function does with a plain, a ``meta``, a grad tensor or an array: its result or its exception."""
    values = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=torch.float64)
    if name.rpartition(".")[2] in {"cholesky"}:
        values = values @ values.T
    if name in _INTEGERS:
        values = values.to(torch.uint8)
    given = {
        "plain": values,
        "meta": values.to("meta"),
        "grad": values.clone().requires_grad_() if values.is_floating_point() else values.to("meta"),
        "array": values.numpy().copy(),
    }[variant]
    call = resolve(np, name)
    try:
        if name in TENSOR_CALLS:
            return TENSOR_CALLS[name](given, call)
        for arguments in ((given,), (given, given)):
            try:
                return call(*arguments)
            except TypeError as error:
                missing = "argument" in str(error) and ("required" in str(error) or "missing" in str(error))
                if not missing and "takes from" not in str(error) and "takes exactly" not in str(error):
                    raise
        return call(given, given, given)
    except Exception as error:  # noqa: BLE001  # the exception is the outcome
        return error


def behaviour(name: str) -> str:
    """The class of a NumPy function by what it does with tensors."""
    plain, meta, grad = (outcome(name, variant) for variant in ("plain", "meta", "grad"))
    refused = isinstance(meta, TypeError) and "can't convert meta" in str(meta)
    refused_grad = isinstance(grad, Exception) and ("Can't call numpy()" in str(grad) or "meta" in str(grad))
    if isinstance(plain, Exception):
        return "exports, then raises" if refused and name not in on_tensor.RAISES else "raises"
    if refused and refused_grad:
        tensor = any(is_tensor(item) for item in leaves(plain))
        return "exports to tensor" if tensor else "exports to array"
    if isinstance(meta, Exception) or isinstance(grad, Exception):
        return f"mixed: {type(meta).__name__}, {type(grad).__name__}"
    return "never exports"


def check_behaviours() -> Iterator[Checked]:
    """The sets of ``numpy_functions``, each name by what NumPy does with a tensor, or with a list of tensors."""
    sets = {
        "exports to tensor": on_tensor.EXPORTS_TO_TENSOR,
        "exports to array": on_tensor.EXPORTS_TO_ARRAY,
        "raises": on_tensor.RAISES | on_tensor.REDUCTIONS_RAISE,
        "never exports": on_tensor.HARMLESS,
    }
    for expected, group in sets.items():
        for name in sorted(group):
            if not exists(name):
                yield Checked("handed", name, "a tensor", expected, MISSING, NOT_RUN)
                continue
            found = behaviour(name)
            shown = found if found == expected else f"{found}: {outcome(name, 'plain')!r:.80}"
            yield Checked.judged("handed", name, "a tensor", expected, shown, found == expected)
    for name in sorted(on_tensor.SILENTLY_WRONG):
        plain, array = outcome(name, "plain"), outcome(name, "array")
        right = isinstance(plain, Exception) or (type(plain) is type(array) and plain.dtype == array.dtype)
        yield Checked.judged("handed", name, "a tensor", "silently wrong", f"{plain!r:.80}", not right)
    for name, parts in sorted(on_tensor.PARTS_OF_TENSOR.items()):
        expected = ", ".join("tensor" if part else "array" for part in parts)
        made = outcome(name, "plain")
        shown = ", ".join("tensor" if is_tensor(part) else "array" for part in made)
        yield Checked.judged("handed", name, "the parts of what comes out", expected, shown, shown == expected)
    for name in sorted(on_tensor.EXPORTS_OF_LIST):
        if not exists(name):
            yield Checked("handed", name, "a list of tensors", "exports", MISSING, NOT_RUN)
            continue
        exported = exports_list(name)
        if isinstance(exported, str):
            yield Checked("handed", name, "a list of tensors", "exports", exported, NOT_RUN)
        else:
            shown = "exports" if exported else "does not export"
            yield Checked.judged("handed", name, "a list of tensors", "exports", shown, exported)
    for name in sorted(on_tensor.FALSE_OFF_CPU):
        answers = [outcome(name, variant) for variant in ("plain", "meta", "grad")]
        yield Checked.judged(
            "handed", name, "a tensor", "False off the CPU", f"{answers}", answers == [True, False, False]
        )


def exports_list(name: str) -> bool | str:
    """Whether lists of tensors are exported, with as many of them as the function takes; or why nobody knows."""
    function = resolve(np, name)
    error: Exception | None = None
    for shape in ((2, 2), (3,), ()):
        given = [torch.ones(shape, device="meta")] * 2
        attempts = [partial(function, *[given] * count) for count in (1, 2, 3)]
        if name in TENSOR_CALLS:
            attempts.insert(0, partial(TENSOR_CALLS[name], given, function))
        for attempt in attempts:
            _, error = tried(attempt)
            if error is None:
                return False
            if "can't convert meta" in str(error):
                return True
    return f"{type(error).__name__}: {error}"


def exists(name: str) -> bool:
    return tried(resolve, np, name)[1] is None

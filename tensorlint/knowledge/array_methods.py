"""What the methods and attributes of ``numpy.ndarray`` do. Measured on NumPy 2.4.6.

``ptp``, ``itemset``, ``newbyteorder`` and ``tostring`` are gone from NumPy 2 and stand here for older code.
"""

from __future__ import annotations

from collections.abc import Mapping

from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share, names, rows, table
from tensorlint.knowledge.tensor_methods import TENSOR_METHODS

_FRESH = Row(Result.ARRAY, grad=Grad.NO, device=Device.CPU)
_VIEW = Row(Result.ARRAY, Share.ALWAYS, grad=Grad.NO, device=Device.CPU)
_MAYBE = Row(Result.ARRAY, Share.MAYBE, grad=Grad.NO, device=Device.CPU)
_OTHER = Row(Result.OTHER, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?")
_SCALAR = Row(Result.SCALAR, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?")


def _array(dtype: str, share: Share = Share.NEVER, access: Access = Access.KEEP) -> Row:
    return Row(Result.ARRAY, share, grad=Grad.NO, device=Device.CPU, dtype=dtype, access=access)


def _number(dtype: str) -> Row:
    return Row(Result.NUMPY_SCALAR, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype=dtype)


def _writes(position: int = 0) -> Row:
    return Row(Result.NONE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?", writes=(position,))


ARRAY_METHODS: Mapping[str, Row] = table(
    rows(_VIEW, "squeeze swapaxes transpose"),
    rows(_array("argument", Share.ALWAYS), "view getfield"),
    rows(_array("keep", Share.ALWAYS, Access.NEVER), "diagonal"),
    # A view when the layout allows it; flatten() is always a copy, unlike Tensor.flatten().
    rows(_MAYBE, "reshape ravel"),
    # Real arrays only: conj() and conjugate() of an array of numbers give a fresh array in ufuncs, the array itself here.
    rows(_MAYBE, "conj conjugate"),
    rows(_FRESH, "copy __copy__ __deepcopy__ flatten repeat take compress choose clip round byteswap newbyteorder"),
    # A copy unless copy=False is given and the dtype is the same already.
    rows(_array("argument"), "astype"),
    rows(_array("argument", Share.MAYBE), "__array__"),
    rows(_array("int64"), "argsort argpartition searchsorted"),
    rows(_array("accumulate"), "cumsum cumprod"),
    rows(_number("int64"), "argmax argmin"),
    rows(_number("bool"), "all any"),
    rows(_number("keep"), "max min ptp"),
    rows(_number("accumulate"), "sum prod trace"),
    rows(_number("float"), "mean"),
    rows(_number("float-real"), "std var"),
    rows(_number("promote"), "dot"),
    rows(Row(Result.ARRAY_TUPLE, grad=Grad.NO, device=Device.CPU, dtype="int64"), "nonzero"),
    rows(_SCALAR, "item __len__"),
    rows(_OTHER, "tolist tobytes tostring dumps __dlpack__ __dlpack_device__"),
    rows(Row(Result.SAME, Share.ALWAYS, grad=Grad.NO, device=Device.CPU), "to_device"),
    rows(_writes(), "sort partition fill put setfield itemset"),
    # resize() reallocates: new elements are zero, and other names of the memory forbid it.
    rows(_writes(), "resize"),
    rows(Row(Result.NONE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?"), "setflags dump tofile"),
)

ARRAY_ATTRIBUTES: Mapping[str, Row] = table(
    rows(_VIEW, "T mT base"),
    rows(_array("real", Share.ALWAYS), "real"),
    # Of a complex array a view, of a real one a fresh read-only array of zeros.
    rows(_array("real", Share.MAYBE), "imag"),
    rows(Row(Result.SIZE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?"), "shape strides"),
    rows(Row(Result.DTYPE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?"), "dtype"),
    rows(_SCALAR, "ndim size itemsize nbytes device"),
    rows(_OTHER, "flags flat ctypes data __array_interface__"),
)

#: What tensors can be asked for and arrays cannot: AttributeError.
NOT_ON_ARRAYS: frozenset[str] = frozenset(TENSOR_METHODS) - ARRAY_METHODS.keys() - ARRAY_ATTRIBUTES.keys()
#: Those of them that bring a tensor to NumPy: of an array nothing is left to be done.
BROUGHT_ALREADY: frozenset[str] = names("numpy cpu detach")

#: Names whose use shows a NumPy array: on ``ndarray`` and not on ``torch.Tensor`` nor on the classes of the standard
#: library. Data frames and foreign tensors share ``astype``, there the imports of the file speak. ``copy``, ``fill``,
#: ``base``, ``flags``, ``flat``, ``choose``, ``partition``, ``strides``, ``dump`` and ``compress`` are too general.
ARRAY_ONLY_METHODS: frozenset[str] = names(
    "argpartition astype byteswap ctypes getfield itemset newbyteorder searchsorted setfield setflags tobytes tofile "
    "tostring __array_interface__"
)

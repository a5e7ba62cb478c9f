"""What to call functions of NumPy with, where the generic arguments do not fit them."""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorlint.knowledge import numpy_functions as on_tensor
from tensorlint.verify.measuring.arguments import Make, Options, Recipe, index, m, m_and

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


def _same_and_cast(dtype: str) -> tuple[Recipe, Recipe]:
    """An argument of any dtype, and one of exactly this dtype."""
    return lambda make: (m(make),), lambda make: (m(make).astype(getattr(np, dtype)),)


def _drawing(*arguments: Any) -> tuple[Recipe, Recipe]:
    """One number, and three of them."""
    return lambda make: arguments, lambda make: (*arguments, Options(size=3))


def _scratch(suffix: str) -> str:
    return str(Path(tempfile.mkdtemp(dir=_SCRATCH.name)) / f"values{suffix}")


def _raw_file(make: Make) -> str:
    path = _scratch(".bin")
    make(3).tofile(path)
    return path


def _saved_array(make: Make) -> str:
    path = _scratch(".npy")
    np.save(path, make(3))
    return path


_SCRATCH = tempfile.TemporaryDirectory()


#: Recipes by name, as in ``recipes``.
NUMPY_RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "array:reshape": (lambda make: m_and(make, 9), lambda make: (make(2, 3).T, 6)),
    "array:ravel": (lambda make: m_and(make), lambda make: (make(2, 3).T,)),
    "numpy:reshape": (lambda make: m_and(make, (9,)), lambda make: (make(2, 3).T, (6,))),
    "numpy:ravel": (lambda make: m_and(make), lambda make: (make(2, 3).T,)),
    "array:view": (lambda make: m_and(make),),
    "array:getfield": (lambda make: m_and(make, m(make).dtype),),
    "array:setfield": (lambda make: m_and(make, 0, m(make).dtype),),
    "array:astype": (lambda make: m_and(make, "float16"), lambda make: m_and(make, m(make).dtype)),
    "array:__array__": (lambda make: m_and(make), lambda make: m_and(make, np.dtype("float16"))),
    "array:base": (lambda make: (m(make)[1:],),),
    "array:__deepcopy__": (lambda make: m_and(make, {}),),
    "array:item": (lambda make: m_and(make, 0),),
    "array:dump": (lambda make: m_and(make, _scratch(".bin")),),
    "array:tofile": (lambda make: m_and(make, _scratch(".bin")),),
    "array:setflags": (lambda make: m_and(make, True),),
    "array:fill": (lambda make: m_and(make, 0),),
    "array:put": (lambda make: m_and(make, [0, 1], make(3)[1:]),),
    "array:partition": (lambda make: (make(9)[::-1].copy(), 4),),
    "array:sort": (lambda make: (make(9),),),
    "array:resize": (lambda make: m_and(make, (2, 2), Options(refcheck=False)),),
    "array:to_device": (lambda make: m_and(make, "cpu"),),
    "array:choose": (lambda make: (np.array([0, 1]), [make(2), make(2)]),),
    "array:compress": (lambda make: m_and(make, [True, False, True], 0),),
    "array:searchsorted": (lambda make: (np.sort(make(3)), make(3)),),
    "array:take": (lambda make: m_and(make, [0, 1]),),
    "array:nonzero": (lambda make: m_and(make),),
    "array:argpartition": (lambda make: m_and(make, 1),),
    "numpy:squeeze": (lambda make: (make(1, 3),),),
    "numpy:moveaxis": (lambda make: m_and(make, 0, 1),),
    "numpy:rollaxis": (lambda make: m_and(make, 1),),
    "numpy:expand_dims": (lambda make: m_and(make, 0),),
    "numpy:trim_zeros": (lambda make: (make(3),),),
    "numpy:broadcast_to": (lambda make: m_and(make, (2, 3, 3)),),
    "numpy:broadcast_arrays": (lambda make: (make(3, 1), make(3, 3)),),
    "numpy:lib.stride_tricks.sliding_window_view": (lambda make: (make(5), 2),),
    "numpy:lib.stride_tricks.as_strided": (lambda make: (make(3), (2, 3), (0, make(3).itemsize)),),
    "numpy:diag": (lambda make: m_and(make), lambda make: (make(3),)),
    "numpy:dsplit": (lambda make: (make(1, 2, 4), 2),),
    "numpy:split": (lambda make: (make(4, 4), 2),),
    "numpy:array_split": (lambda make: (make(4, 4), 2),),
    "numpy:hsplit": (lambda make: (make(4, 4), 2),),
    "numpy:vsplit": (lambda make: (make(4, 4), 2),),
    "numpy:asarray": (lambda make: m_and(make), lambda make: m_and(make, "float16")),
    "numpy:asanyarray": (lambda make: m_and(make), lambda make: m_and(make, "float16")),
    "numpy:asarray_chkfinite": (lambda make: m_and(make), lambda make: m_and(make, "float16")),
    "numpy:asmatrix": (lambda make: m_and(make), lambda make: m_and(make, "float16")),
    "numpy:require": (lambda make: m_and(make), lambda make: m_and(make, "float16")),
    "numpy:ascontiguousarray": (lambda make: m_and(make), lambda make: (make(2, 3).T,)),
    "numpy:asfortranarray": (lambda make: (make(3),), lambda make: (make(2, 3),)),
    "numpy:real_if_close": (lambda make: m_and(make), lambda make: (make(3, of="float64") + 0j,)),
    "numpy:frombuffer": (lambda make: (bytearray(m(make).tobytes()), m(make).dtype),),
    "numpy:imag": (lambda make: m_and(make),),
    **{f"numpy:{name}": _same_and_cast(name) for name in on_tensor._CASTS if hasattr(np, name)},
    "numpy:linspace": (lambda make: (0, 1, 3),),
    "numpy:logspace": (lambda make: (0, 1, 3),),
    "numpy:polyint": (lambda make: (make(3),),),
    "numpy:linalg.slogdet": (lambda make: (make(2, 3, 3),),),
    "numpy:kaiser": (lambda make: (3, 1.0),),
    "numpy:unpackbits": (lambda make: (make(3, of="int32").astype("uint8"),),),
    "array:imag": (lambda make: m_and(make),),
    "numpy:full": (lambda make: ((3, 3), make(3)),),
    "numpy:full_like": (lambda make: m_and(make, 0),),
    "numpy:astype": (lambda make: m_and(make, m(make).dtype),),
    "numpy:fromiter": (lambda make: (list(make(3)), make(3).dtype),),
    "numpy:fromfunction": (lambda make: (lambda i: i * 1.0, (3,)),),
    "numpy:fromfile": (lambda make: (_raw_file(make), make(3).dtype),),
    "numpy:fromstring": (lambda make: ("1 2", Options(sep=" ")),),
    "numpy:arange": (lambda make: (3,),),
    "numpy:indices": (lambda make: ((2, 2),),),
    "numpy:tri": (lambda make: (3,),),
    "numpy:eye": (lambda make: (3,),),
    "numpy:geomspace": (lambda make: (1, 2, 3),),
    "numpy:loadtxt": (lambda make: (io.StringIO("1 2"),),),
    "numpy:genfromtxt": (lambda make: (io.StringIO("1 2"),),),
    "numpy:where": (lambda make: (m(make) != 0, m(make), m(make)),),
    "numpy:choose": (lambda make: (np.array([0, 1]), [make(2), make(2)]),),
    "numpy:select": (lambda make: ([m(make) != 0], [m(make)]),),
    "numpy:piecewise": (lambda make: m_and(make, [m(make) != 0], [1]),),
    "numpy:apply_along_axis": (lambda make: (lambda row: row * 2, 0, m(make)),),
    "numpy:insert": (lambda make: m_and(make, 0, 1),),
    "numpy:pad": (lambda make: m_and(make, 1),),
    "numpy:delete": (lambda make: m_and(make, 0, 0),),
    "numpy:resize": (lambda make: m_and(make, (2, 2)),),
    "numpy:take_along_axis": (lambda make: m_and(make, index(make), 0),),
    "numpy:extract": (lambda make: (m(make) != 0, m(make)),),
    "numpy:compress": (lambda make: ([True, False, True], m(make), 0),),
    "numpy:clip": (lambda make: m_and(make, 0, 1),),
    "numpy:roots": (lambda make: (make(3),),),
    "numpy:interp": (lambda make: (make(3), [0.0, 1.0], [0.0, 1.0]),),
    "numpy:take": (lambda make: m_and(make, [0, 1]),),
    "numpy:einsum": (lambda make: ("ij,jk->ik", m(make), m(make)),),
    "numpy:linalg.multi_dot": (lambda make: ([m(make), m(make), m(make)],),),
    "numpy:linalg.matrix_power": (lambda make: m_and(make, 2),),
    "numpy:linalg.tensorinv": (lambda make: m_and(make, 1),),
    "numpy:linalg.tensorsolve": (lambda make: m_and(make, make(3)),),
    "numpy:linalg.lstsq": (lambda make: m_and(make, m(make)),),
    "numpy:polyfit": (lambda make: (make(5), make(5), 1),),
    "numpy:poly": (lambda make: (make(3),),),
    "numpy:fft.fftfreq": (lambda make: (4,),),
    "numpy:fft.rfftfreq": (lambda make: (4,),),
    "numpy:cross": (lambda make: (make(3), make(3)),),
    "numpy:linalg.cross": (lambda make: (make(3), make(3)),),
    "numpy:convolve": (lambda make: (make(3), make(3)),),
    "numpy:correlate": (lambda make: (make(3), make(3)),),
    "numpy:digitize": (lambda make: m_and(make, [0.0, 0.5]),),
    "numpy:bincount": (lambda make: (np.array([1, 2]),),),
    "numpy:lexsort": (lambda make: ((make(3), make(3)),),),
    "numpy:ravel_multi_index": (lambda make: (([1], [1]), (2, 2)),),
    "numpy:searchsorted": (lambda make: (np.sort(make(3)), make(3)),),
    "numpy:argpartition": (lambda make: m_and(make, 1),),
    "numpy:partition": (lambda make: m_and(make, 1),),
    "numpy:cumulative_sum": (lambda make: (make(3),),),
    "numpy:cumulative_prod": (lambda make: (make(3),),),
    "numpy:histogram2d": (lambda make: (make(5), make(5)),),
    "numpy:unravel_index": (lambda make: ([1, 2], (3, 3)),),
    "numpy:diag_indices": (lambda make: (3,),),
    "numpy:tril_indices": (lambda make: (3,),),
    "numpy:triu_indices": (lambda make: (3,),),
    "numpy:mask_indices": (lambda make: (3, np.triu),),
    "numpy:meshgrid": (lambda make: (make(3), make(2)),),
    "numpy:ix_": (lambda make: (make(3), make(2)),),
    "numpy:percentile": (lambda make: m_and(make, 50),),
    "numpy:nanpercentile": (lambda make: m_and(make, 50),),
    "numpy:quantile": (lambda make: m_and(make, 0.5),),
    "numpy:nanquantile": (lambda make: m_and(make, 0.5),),
    "numpy:vdot": (lambda make: (make(3), make(3)),),
    "numpy:matmul": (lambda make: m_and(make, m(make)),),
    "numpy:can_cast": (lambda make: ("float32", "float64"),),
    "numpy:issubdtype": (lambda make: ("float32", np.floating),),
    "numpy:promote_types": (lambda make: ("float32", "float64"),),
    "numpy:dtype": (lambda make: ("float32",),),
    "numpy:broadcast_shapes": (lambda make: ((1, 2), (3, 1)),),
    "numpy:save": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savez": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savez_compressed": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savetxt": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:testing.assert_array_less": (lambda make: (make(3), make(3) + 1),),
    "numpy:random.seed": (lambda make: (0,),),
    "numpy:vectorize": (lambda make: (abs,),),
    "numpy:copyto": (lambda make: m_and(make, 0),),
    "numpy:put": (lambda make: m_and(make, [0, 4], 0),),
    "numpy:putmask": (lambda make: m_and(make, m(make) != 0, 0),),
    "numpy:place": (lambda make: m_and(make, m(make) != 0, [0]),),
    "numpy:fill_diagonal": (lambda make: m_and(make, 0),),
    "numpy:put_along_axis": (lambda make: m_and(make, index(make), 0, 0),),
    "numpy:random.shuffle": (lambda make: (make(9),),),
    "numpy:load": (lambda make: (_saved_array(make),),),
    "numpy:memmap": (lambda make: (_raw_file(make), Options(dtype="uint8", mode="r+")),),
    "numpy:lib.format.open_memmap": (lambda make: (_saved_array(make),),),
    **{
        f"numpy:{name}.{method}": ((lambda make: m_and(make, [0, 1], 5)),)
        for name in ("add", "subtract", "multiply", "divide", "maximum", "logical_or", "logical_and")
        for method in ("at",)
    },
    "numpy:minimum.at": (lambda make: m_and(make, [0, 1], -50),),
    "numpy:add.reduceat": (lambda make: m_and(make, [0, 1]),),
    "numpy:random.rand": (lambda make: (3,), lambda make: ()),
    "numpy:random.randn": (lambda make: (3,), lambda make: ()),
    **{
        f"numpy:random.{name}": _drawing(*a)
        for name, a in {
            "random": (),
            "random_sample": (),
            "ranf": (),
            "sample": (),
            "normal": (),
            "uniform": (),
            "standard_normal": (),
            "exponential": (),
            "standard_exponential": (),
            "gamma": (1.0,),
            "standard_gamma": (1.0,),
            "beta": (1.0, 1.0),
            "laplace": (),
            "logistic": (),
            "lognormal": (),
            "gumbel": (),
            "chisquare": (1.0,),
            "rayleigh": (),
            "pareto": (1.0,),
            "power": (1.0,),
            "weibull": (1.0,),
            "triangular": (0.0, 1.0, 2.0),
            "vonmises": (0.0, 1.0),
            "standard_t": (1.0,),
            "standard_cauchy": (),
            "wald": (1.0, 1.0),
            "f": (1.0, 1.0),
            "noncentral_chisquare": (1.0, 1.0),
            "noncentral_f": (1.0, 1.0, 1.0),
            "randint": (5,),
            "random_integers": (5,),
            "binomial": (5, 0.5),
            "poisson": (),
            "geometric": (0.5,),
            "hypergeometric": (5, 5, 5),
            "negative_binomial": (5, 0.5),
            "logseries": (0.5,),
            "zipf": (2.0,),
            "choice": (5,),
        }.items()
    },
    "numpy:random.dirichlet": (lambda make: ([1.0, 2.0],),),
    "numpy:random.multivariate_normal": (lambda make: ([0.0, 0.0], np.eye(2)),),
    "numpy:random.multinomial": (lambda make: (5, [0.5, 0.5]),),
}

"""What a program asks for that NumPy or torch have no more."""

from __future__ import annotations

import pytest

from tensorlint.knowledge.gone import outdated


@pytest.mark.parametrize(
    ("program", "numpy", "row", "column", "length"),
    [
        ("x.astype(np.int)\n", None, 1, 10, 6),
        ("import numpy\nx = numpy.lib.DataSource()\n", "2.1", 2, 5, 20),
        ("x = np.Inf\ny = np.float\n", "1.26", 2, 5, 8),
        ("def f(x: np.float) -> None: ...\n", None, 1, 10, 8),
        ("self.float = 1\nother.float = 2\nhasattr(x, 'float')\ny = np.float\n", None, 4, 5, 8),
        ("name, x = 'größe', np.int\n", None, 1, 20, 6),
        ("é = 'é', numpy.float\n", None, 1, 10, 11),
        ("a = 1\nb = np.Inf\nc = np.int\n", None, 2, 5, 6),
        ("np.trapz(y)\n", "2.4", 1, 1, 8),
        ("total += loss.data[0]\n", None, 1, 10, 12),
        ("def f():\n    return self.g_loss.data[0] * 2\n", "1.20", 2, 12, 19),
        ("print(errD_x1.data[0], D_Loss.data[0])\n", None, 1, 7, 15),
        ("print(err.data[0])\n", None, 1, 7, 11),
    ],
)
def test_what_is_gone_is_found_where_it_stands(
    program: str, numpy: str | None, row: int, column: int, length: int
) -> None:
    found = outdated(program, numpy)
    assert found is not None
    assert (found.row, found.column, found.length) == (row, column, length)


@pytest.mark.parametrize(
    ("program", "numpy"),
    [
        ("np.trapz(y)\n", "2.3"),
        ("x.astype(np.int)\n", "1.23"),
        ("np.int = int\nx.astype(np.int)\n", None),
        ("if not hasattr(np, 'int'):\n    setattr(np, 'int', int)\nx.astype(np.int)\n", None),
        ("x.np.int\n", None),
        ("x = np.Inf\n", "1.26.4"),
        ("x = np.int64(1) + np.integer + other.np.int\n", None),
        ('"""Takes an ``np.int``."""\nx = 1  # np.float\n', None),
        ("x = np.bool\n", None),
        ("'np.int'  # np.int\n", None),
        ("terrain.data[0], errand.data[0]\n", None),
        ("batch.data[0], loss.data[1], loss[0], loss.data\n", None),
        ("loss.data[0] = 1\n", None),
        ("# loss.data[0]\n", None),
        ("np.int(\n", None),
    ],
)
def test_what_is_there_or_prepared_for_is_none(program: str, numpy: str | None) -> None:
    assert outdated(program, numpy) is None


def test_it_says_what_comes_of_it() -> None:
    name, loss = outdated("np.float_\n"), outdated("loss.data[0]\n")
    assert name is not None
    assert loss is not None
    assert name.message == "NumPy 2.0 and later have no `np.float_`, so this raises"
    assert loss.message == "a loss has no dimension since torch 0.4, so this raises"

"""What a program asks for that Python or its libraries have no more."""

from __future__ import annotations

import ast
import importlib
import sys

import pytest

from tensorlint.knowledge.gone import GONE, GONE_BUILTINS, GONE_FROM_DICTIONARIES
from tensorlint.knowledge.outdated import Outdated, outdated


def first(program: str, numpy: str | None = None) -> Outdated | None:
    return next(iter(outdated(ast.parse(program), program, numpy)), None)


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
        ("from scipy.misc import face, imread\n", None, 1, 24, 4),
        ("import scipy.misc as m\nm.imresize(x)\n", None, 2, 1, 10),
        ("import scipy.misc\nimport scipy.io\nx = scipy.misc.imread(p)\n", None, 3, 5, 17),
        ("from scipy import misc\nmisc.imsave(p, x)\n", None, 2, 1, 11),
        ("import sklearn.cross_validation as cv\n", None, 1, 8, 24),
        ("from sklearn.externals import joblib\n", None, 1, 31, 6),
        ("from sklearn.utils.linear_assignment_ import linear_assignment\n", None, 1, 46, 17),
        ("import tensorflow as tf\nwith tf.Session() as s: ...\n", None, 2, 6, 10),
        ("from tensorflow.contrib.layers import flatten\n", None, 1, 39, 7),
        ("from torchvision.models.utils import load_state_dict_from_url\n", None, 1, 38, 24),
        ("import collections\nisinstance(x, collections.Iterable)\n", None, 2, 15, 20),
        ("from collections import OrderedDict, Mapping\n", None, 1, 38, 7),
        ("import cPickle as pickle\n", None, 1, 8, 7),
        ("from itertools import chain, izip\n", None, 1, 30, 4),
        ("def f(n):\n    for i in xrange(n): ...\n", None, 2, 14, 6),
        ("import pandas as pd\nx = pd.read_csv(p).as_matrix()\n", None, 2, 20, 9),
        ("from pandas import read_csv\nx = (read_csv(p)\n     .ix[0])\n", None, 3, 7, 2),
        ("import pandas as pd\ndf = df.append(row, ignore_index=True)\n", None, 2, 9, 6),
        ("for k, v in model.state_dict().iteritems(): ...\n", None, 1, 32, 9),
        ("d = {}\nd.has_key(1)\n", None, 2, 3, 7),
        ("try:\n    main()\nexcept KeyboardInterrupt:\n    pass\nfinally:\n    raw_input()\n", None, 6, 5, 9),
        ("try:\n    raw_input()\nexcept (KeyboardInterrupt, OSError):\n    pass\n", None, 2, 5, 9),
    ],
)
def test_what_is_gone_is_found_where_it_stands(
    program: str, numpy: str | None, row: int, column: int, length: int
) -> None:
    found = first(program, numpy)
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
        ("from __future__ import annotations\ndef f(x: np.float) -> np.int: ...\ny: np.int = 1\n", None),
        ("try:\n    from scipy.misc import imread\nexcept ImportError:\n    from imageio import imread\n", None),
        ("try:\n    import cPickle as pickle\nexcept:\n    import pickle\npickle.dumps(1)\n", None),
        ("try:\n    xrange\nexcept NameError:\n    xrange = range\nxrange(2)\n", None),
        ("try:\n    x = np.int\nexcept (KeyError, AttributeError):\n    x = int\n", None),
        ("import sys\nif sys.version_info[0] < 3:\n    import cPickle\nelse:\n    import pickle\n", None),
        ("import six\nimport itertools\nif six.PY2:\n    zip = itertools.izip\n", None),
        ("import sys\nx = sys.version_info[0] == 2 and unicode(y)\n", None),
        ("from six.moves import xrange, cPickle\nxrange(2)\n", None),
        ("from six.moves import *\nxrange(2)\n", None),
        ("from utils import *\nunicode(2)\n", None),
        ("from functools import reduce\nreduce(f, x)\n", None),
        ("def f(long, unicode): return long + unicode\n", None),
        ("from collections.abc import Iterable\nimport collections\ncollections.OrderedDict()\n", None),
        ("import tensorflow.compat.v1 as tf\ntf.Session()\n", None),
        ("import tensorflow as tf\ntf.compat.v1.Session()\n", None),
        ("from . import cPickle\nfrom .Queue import Queue\n", None),
        ("import scipy\nscipy = other()\nscipy.misc.imread(p)\n", None),
        ("def f(tf): tf.Session()\n", None),
        ("x.as_matrix()\nx.ix[0]\nx.append(1, ignore_index=True)\n", None),
        ("import pandas as pd\nrows.append(1)\nx.iloc[0].to_numpy()\n", None),
        ("def f(config): config.iteritems()\n", None),
        ("d = {}\nd = Config()\nd.iteritems()\n", None),
        ("import six\nsix.iteritems({})\n", None),
        ("for k, v in {}.items(): ...\n", None),
    ],
)
def test_what_is_there_or_prepared_for_is_none(program: str, numpy: str | None) -> None:
    assert first(program, numpy) is None


def test_it_says_what_comes_of_it() -> None:
    told = [
        ("np.float_\n", "NumPy 2.0 and later have no `np.float_`, so this raises"),
        ("loss.data[0]\n", "a loss has no dimension since torch 0.4, so this raises"),
        ("from scipy.misc import imread\n", "SciPy 1.3 and later have no `scipy.misc.imread`, so this raises"),
        ("from sklearn.lda import LDA\n", "scikit-learn 0.20 and later have no `sklearn.lda`, so this raises"),
        ("unicode(x)\n", "Python 3 has no `unicode`, so this raises"),
        ("{}.has_key(x)\n", "dictionaries of Python 3 have no `has_key`, so this raises"),
    ]
    for program, message in told:
        found = first(program)
        assert found is not None
        assert found.message == message


@pytest.mark.parametrize(
    ("program", "sure"),
    [
        ("x = np.int\n", True),
        ("import cPickle\n", True),
        ("if x:\n    import cPickle\n", False),
        ("class A:\n    x = np.int\n", True),
        ("\n\ndef f():\n    def g():\n        return np.int\n", False),
        ("class A:\n    def f(self):\n        return np.int\n", False),
        ("class A:\n    def __init__(self):\n        self.x = np.int\n    def f(self): ...\n", False),
        ("def f(x=np.int): ...\n", True),
        ("f = lambda: np.int\n", False),
        ("if __name__ == '__main__':\n    print(np.int)\n", False),
    ],
)
def test_whether_it_is_executed_with_the_file(program: str, sure: bool) -> None:
    found = first(program)
    assert found is not None
    assert found.sure is sure


def test_what_python_is_said_to_lack_it_lacks() -> None:
    for dotted, gone in GONE.items():
        since = tuple(map(int, gone.since.split(".")))
        if gone.library == "Python" and since <= sys.version_info[:2]:
            module, _, name = dotted.rpartition(".")
            with pytest.raises(ImportError):
                importlib.import_module(dotted)
            assert not (module and hasattr(importlib.import_module(module), name)), dotted
    assert not any(
        hasattr(__builtins__, name) or name in dir(importlib.import_module("builtins")) for name in GONE_BUILTINS
    )
    assert not any(hasattr({}, name) for name in GONE_FROM_DICTIONARIES)


def test_what_torch_is_said_to_lack_it_lacks() -> None:
    pytest.importorskip("torch")
    for dotted, gone in GONE.items():
        if gone.library == "torch":
            module, _, name = dotted.rpartition(".")
            try:
                held = importlib.import_module(module)
            except ImportError:
                continue
            assert not hasattr(held, name), dotted

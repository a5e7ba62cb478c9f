"""What NumPy, Python and other libraries had and have no more: a program that asks for it raises on newer releases.

The names of NumPy were measured by looking each public name of NumPy 1.23.5 up in 1.24.4, 1.25.2, 1.26.4, 2.0.2, 2.1.3, 2.2.6, 2.3.5 and 2.4.6.
Modules that NumPy imports for itself (``np.os``), and what no program asks for (constants of the C code), are left out;
``np.bool`` and ``np.long`` came back. ``asscalar`` is not in 1.23.5 either.

Those of Python were measured on 2.7, 3.6 and all later releases up to 3.13; what 3.11 still has, the oldest that is
maintained, is left out (``imp``, ``distutils``). Those of the others were looked for in pandas 3.1.1, SciPy 1.17.1 and
scikit-learn 1.9.1, which have none of them, and in the packages of pandas 0.25.3, 1.0.5, 1.5.3 and 2.0.3, SciPy 1.1.0, 1.2.3,
1.3.3, 1.14.1 and 1.15.3, scikit-learn 0.19.2, 0.20.4, 0.22.2, 0.24.2, 1.1.3 and 1.2.2, torchvision 0.11.3 and 0.12.0,
and torch 1.0.0. Where a release between two of these is named, its notes say so: scikit-learn 0.23, torch 1.8 (``rfft``,
``irfft``) and 2.0 (``torch._six``), TensorFlow 2.0 (whose public names are listed with its sources).
"""

from __future__ import annotations

from dataclasses import dataclass

#: Of NumPy, by the first release without them.
_NUMPY = {
    "1.23": "asscalar",
    "1.24": "complex float int object str unicode",
    "2.0": "AxisError ComplexWarning DataSource Inf Infinity NAN NINF NZERO NaN PINF PZERO RankWarning "
    "VisibleDeprecationWarning add_docstring add_newdoc alltrue asfarray bool8 byte_bounds bytes0 cast cfloat clongfloat "
    "compare_chararrays compat complex_ cumproduct deprecate deprecate_with_doc disp fastCopyAndTranspose "
    "find_common_type float_ format_parser geterrobj infty int0 issctype issubclass_ issubsctype lib.DataSource "
    "longcomplex longfloat lookfor mat math maximum_sctype msort nbytes obj2sctype object0 product recfromcsv "
    "recfromtxt round_ safe_eval sctype2char sctypes set_numeric_ops set_string_function seterrobj singlecomplex "
    "sometrue source str0 string_ tracemalloc_domain uint0 unicode_ void0 who",
    "2.4": "in1d trapz",
}
GONE_FROM_NUMPY = {name: since for since, names in _NUMPY.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class Gone:
    """Which library has something no more, and since which release."""

    library: str
    since: str


#: By library and the first release without them: names, after that of their module.
_OTHERS = (
    (
        "Python",
        "3",
        ": ConfigParser HTMLParser Queue StringIO Tkinter __builtin__ cPickle cStringIO cookielib httplib urllib2 urlparse",
    ),
    ("Python", "3", "itertools: ifilter ifilterfalse imap izip izip_longest"),
    ("Python", "3", "os: getcwdu"),
    ("Python", "3", "string: atof atoi join letters lowercase maketrans uppercase"),
    ("Python", "3", "sys: maxint setdefaultencoding"),
    ("Python", "3", "types: DictType FloatType IntType ListType StringType StringTypes TupleType UnicodeType"),
    ("Python", "3", "urllib: quote quote_plus unquote urlencode urlopen urlretrieve"),
    ("Python", "3.8", "time: clock"),
    ("Python", "3.9", "base64: decodestring encodestring"),
    ("Python", "3.9", "fractions: gcd"),
    ("Python", "3.10", "collections: Callable Container Hashable ItemsView Iterable Iterator KeysView Mapping"),
    (
        "Python",
        "3.10",
        "collections: MappingView MutableMapping MutableSequence MutableSet Sequence Set Sized ValuesView",
    ),
    ("Python", "3.11", "inspect: formatargspec getargspec"),
    ("pandas", "1.0", "pandas: read_msgpack"),
    ("pandas", "2.0", "pandas: Float64Index Int64Index Panel SparseDataFrame SparseSeries UInt64Index datetime np"),
    (
        "SciPy",
        "1.3",
        "scipy.misc: bytescale comb factorial fromimage imfilter imread imresize imrotate imsave imshow logsumexp toimage",
    ),
    ("SciPy", "1.15", "scipy.misc: ascent derivative face"),
    ("scikit-learn", "0.20", "sklearn: cross_validation grid_search lda learning_curve qda"),
    ("scikit-learn", "0.20", "sklearn.mixture: GMM"),
    ("scikit-learn", "0.22", "sklearn.preprocessing: Imputer"),
    ("scikit-learn", "0.23", "sklearn.externals: joblib six"),
    ("scikit-learn", "0.23", "sklearn.metrics: jaccard_similarity_score"),
    ("scikit-learn", "0.23", "sklearn.utils: linear_assignment_"),
    ("scikit-learn", "0.24", "sklearn.datasets: samples_generator"),
    ("scikit-learn", "1.2", "sklearn.datasets: load_boston"),
    ("scikit-learn", "1.2", "sklearn.metrics: plot_confusion_matrix plot_roc_curve"),
    ("TensorFlow", "2.0", "tensorflow: ConfigProto GPUOptions InteractiveSession Session Summary contrib"),
    ("torch", "1.0", "torch: legacy"),
    ("torch", "1.0", "torch.utils: ffi"),
    ("torch", "1.0", "torch.utils.serialization: load_lua"),
    ("torch", "1.8", "torch: irfft rfft"),
    ("torch", "2.0", "torch: _six"),
    ("torchvision", "0.11", "torchvision.models: utils"),
    ("torchvision", "0.12", "torchvision.transforms: RandomSizedCrop Scale"),
)
#: By their dotted names.
GONE = {
    f"{module}.{name}".lstrip("."): Gone(library, since)
    for library, since, text in _OTHERS
    for module, _, names in [text.partition(":")]
    for name in names.split()
}
#: What Python 2 alone knows without an import.
GONE_BUILTINS = frozenset(
    {"basestring", "execfile", "long", "raw_input", "reduce", "reload", "unichr", "unicode", "xrange"}
)
#: What dictionaries have been able to do until Python 3.
GONE_FROM_DICTIONARIES = frozenset({"has_key", "iteritems", "iterkeys", "itervalues"})
#: What data frames and series of pandas had that nothing else has, by the first release without it.
GONE_FROM_FRAMES = {"as_matrix": "1.0", "ix": "1.0"}
#: Since when they have no ``append``, which alone takes ``ignore_index``.
NO_APPEND_SINCE = "2.0"

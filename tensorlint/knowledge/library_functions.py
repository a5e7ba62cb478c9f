"""What other libraries do with a tensor: they make an array of it by ``Tensor.__array__``, as NumPy does.

So a plain tensor on the CPU works, one off the CPU raises TypeError and one that requires grad RuntimeError. Measured on
torch 2.13.0 with matplotlib 3.11.2, scikit-learn 1.9.1, SciPy 1.17.1 and pandas 3.1.1, for a tensor and for a list of tensors.
OpenCV and ``PIL.Image.fromarray`` take arrays alone.
"""

from __future__ import annotations

from tensorlint.knowledge.row import names

#: Functions of ``matplotlib.pyplot``, and methods of the same name of ``Axes``.
PLOTS: frozenset[str] = names(
    "plot hist boxplot violinplot pie stem ecdf eventplot psd csd specgram magnitude_spectrum scatter bar barh step "
    "fill_between errorbar loglog semilogx semilogy fill hist2d hexbin quiver imshow matshow contour contourf pcolormesh "
    "pcolor spy imsave arrow axvline axhline axvspan axhspan vlines hlines text annotate stackplot tricontour "
    "tricontourf plot_surface plot_wireframe streamplot xlim ylim set_xlim set_ylim fill_betweenx Rectangle Circle "
    "Polygon Arrow"
)

#: Classes of ``matplotlib.patches``: what they are drawn at is asked for an array.
PATCHES: frozenset[str] = names("Rectangle Circle Ellipse Polygon Arrow FancyArrow FancyBboxPatch Arc Wedge")

#: Functions of ``matplotlib.pyplot`` that return axes, or something that has them.
MAKE_AXES: frozenset[str] = names("figure gcf gca subplot axes add_subplot add_axes twinx twiny")

#: Methods of estimators of scikit-learn.
ESTIMATORS: frozenset[str] = names(
    "fit partial_fit fit_transform fit_predict transform inverse_transform predict predict_proba predict_log_proba "
    "decision_function score score_samples kneighbors"
)
#: Those that return the estimator.
FIT: frozenset[str] = names("fit partial_fit set_params")

#: Data sets of scikit-learn whose features are float64: those with classes, which are int64, and with other targets,
#: which are float64.
CLASSIFIED: frozenset[str] = names(
    "load_breast_cancer load_digits load_iris load_wine make_blobs make_circles make_classification "
    "make_gaussian_quantiles make_moons make_multilabel_classification"
)
REGRESSED: frozenset[str] = names(
    "load_diabetes load_linnerud make_friedman1 make_friedman2 make_friedman3 make_hastie_10_2 make_regression "
    "make_s_curve make_sparse_uncorrelated make_swiss_roll"
)
#: Transformers whose output is float32 of float32, and else float64; those that number labels, in int64, or in float64.
FLOAT_TRANSFORMERS: frozenset[str] = names(
    "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer QuantileTransformer PowerTransformer PCA"
)
LABELLERS: frozenset[str] = names("LabelEncoder LabelBinarizer MultiLabelBinarizer")
NUMBERING_IN_DOUBLE: frozenset[str] = names("OrdinalEncoder")

#: Modules of SciPy, and functions.
SCIPY: tuple[str, ...] = (
    "stats.",
    "spatial.distance.",
    "ndimage.",
    "signal.",
    "linalg.",
    "optimize.linear_sum_assignment",
)

#: Functions of OpenCV that take an image, or points, first and nothing but an array for it: any tensor raises, of
#: whatever device or dtype (measured for each on OpenCV 4.14.0 and 5.0.0).
OPENCV: frozenset[str] = names(
    "imwrite imencode imshow resize cvtColor flip rotate transpose blur GaussianBlur medianBlur bilateralFilter filter2D "
    "Sobel Laplacian Canny threshold inRange warpAffine warpPerspective remap dilate erode morphologyEx normalize "
    "applyColorMap addWeighted add subtract multiply absdiff bitwise_not bitwise_and copyMakeBorder split "
    "findContours drawContours connectedComponents distanceTransform equalizeHist convertScaleAbs rectangle circle "
    "ellipse line arrowedLine polylines fillPoly fillConvexPoly putText mean minMaxLoc norm pyrDown undistort "
    "matchTemplate calcOpticalFlowFarneback cornerHarris inpaint seamlessClone Rodrigues solvePnP projectPoints "
    "perspectiveTransform findHomography getPerspectiveTransform getAffineTransform boundingRect contourArea "
    "minAreaRect fitEllipse convexHull cartToPolar"
)
#: Where it is given elsewhere than first: ``cv2.imwrite(path, image)``.
_SECOND: frozenset[str] = names("imwrite imencode imshow")

#: Classes of pandas. A list of tensors is kept as it is.
FRAMES: frozenset[str] = names("DataFrame Series")


def exports(path: str) -> bool:
    """Whether the function with this dotted name makes arrays of the tensors it is given."""
    library, _, rest = path.partition(".")
    name = path.rpartition(".")[2]
    match library:
        case "matplotlib":
            return (rest.startswith("pyplot.") and name in PLOTS) or (rest == f"patches.{name}" and name in PATCHES)
        case "sklearn":
            return rest.startswith("metrics.") or (name in ESTIMATORS and path.split(".")[-2][:1].isupper())
        case "scipy":
            return rest.startswith(SCIPY)
        case "pandas":
            return name in FRAMES and rest.count(".") == 0
        case _:
            return False


def image_place(path: str) -> int | None:
    """Which argument of a function with this dotted name takes an array and refuses tensors, if one does."""
    library, _, name = path.partition(".")
    if path == "PIL.Image.fromarray":
        return 0
    return int(name in _SECOND) if library == "cv2" and name in OPENCV else None


def keeps_lists(path: str) -> bool:
    """Whether the tensors in a list are left as they are."""
    return path.startswith("pandas.")

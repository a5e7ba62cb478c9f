from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Sequence
from tensorlint.flow.events import LibraryCall
from tensorlint.knowledge.library_functions import exports, image_place, keeps_lists
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import Risk, export_risk
from tensorlint.rules.implicit_export import export_draft, exported
from tensorlint.rules.wording import spell, where_from

if TYPE_CHECKING:
    import libcst as cst

#: Of what matplotlib is given by these it takes the ``.item()``, which every tensor of one element has (3.11.2).
_LIMITS = frozenset({"vmin", "vmax"})


class ForeignLibraryExport(Rule):
    """A plot, a metric or an estimator makes an array of a tensor, which fails on a GPU or with a gradient.

    ## What it does
    Reports tensors, and lists of them, that are handed to functions of matplotlib, scikit-learn, SciPy or pandas and
    may need a gradient or live off the CPU; and tensors given to `PIL.Image.fromarray` or to functions of OpenCV, which
    take none.

    ## Why is this bad
    These libraries convert their arguments with `np.asarray`. It works for a plain tensor on the CPU, so the program
    runs until the losses come from a network, or from a GPU: `RuntimeError: Can't call numpy() on Tensor that requires
    grad`, or `TypeError: can't convert cuda:0 device type tensor to numpy`. OpenCV converts nothing, and raises
    `cv2.error: ... src is not a numpy array` for any tensor. It wants channels last, too: `.permute(1, 2, 0)` of an
    image of torch.

    ## Example
    ```python
    import matplotlib.pyplot as plt
    import torch

    model = torch.nn.Linear(3, 1)
    losses = [model(torch.rand(4, 3)).mean() for _ in range(5)]
    plt.plot(losses)
    ```

    ## Use instead
    ```python
    import matplotlib.pyplot as plt
    import torch

    model = torch.nn.Linear(3, 1)
    losses = [model(torch.rand(4, 3)).mean().item() for _ in range(5)]
    plt.plot(losses)
    ```

    ## Fix safety
    Safe: what worked before gives the same array. OpenCV took none before.

    ## References
    - desy-ml/cheetah#287; measured on torch 2.13.0 with matplotlib 3.11.2, scikit-learn 1.9.1, pandas 3.1.1,
      OpenCV 4.14.0 and 5.0.0
    """

    code = "TBX111"
    name = "foreign-library-export"
    clues = (screen.ARRAY_LIBRARY,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_library_call(self, event: LibraryCall) -> Iterator[Draft]:
        place = image_place(event.name)
        image = None if place is None else event.positional(place)
        if image is not None and isinstance(image.value, Tensor):
            yield _refused(event, image, image.value)
            return
        if not exports(event.name):
            return
        library, _, name = event.name.rpartition(".")
        for argument in event.arguments:
            if isinstance(argument.value, Sequence) and keeps_lists(event.name):
                continue
            if argument.keyword in _LIMITS and library.startswith("matplotlib"):
                continue
            words = f"`{library.split('.')[-1]}.{name}`"
            draft = export_draft(argument, event.node, event.scene, words, exported(argument, event))
            if draft is not None:
                yield draft
                return


def _refused(event: LibraryCall, image: Argument, tensor: Tensor) -> Draft:
    """What takes arrays alone raises for a tensor wherever it lies."""
    library, _, name = event.name.rpartition(".")
    raised = "`Image.fromarray` raises AttributeError" if library == "PIL.Image" else f"`cv2.{name}` raises cv2.error"
    risk = export_risk(tensor, event.scene, presume=False) if library == "cv2" else None
    expected = event.scene.other_framework or event.scene.handles("error" if library == "cv2" else "AttributeError")
    return Draft(
        event.node,
        f"{raised}: `{spell(image.node)}` is a tensor, no array",
        Certainty.CERTAIN if tensor.sure and not expected else Certainty.POSSIBLE,
        "pass an array, `tensor.numpy()` of one on the CPU without a gradient"
        if risk is None
        else f"pass `{mending.spelled(risk, 'chain')}` of it",
        where_from(tensor),
        repair=None if risk is None else partial(_brought_home, image.node, risk),
    )


def _brought_home(image: cst.BaseExpression, risk: Risk, style: ExportStyle) -> Repair:
    changes = mending.bring_home(image, risk, ".numpy()", style)
    doubt = mending.doubt(risk)
    applicability = Applicability.UNSAFE if doubt else Applicability.SAFE
    return Repair(f"append `{mending.spelled(risk, style)}`", changes, applicability, doubt)

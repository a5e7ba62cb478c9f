from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Sequence
from tensorlint.flow.events import LibraryCall
from tensorlint.knowledge.library_functions import exports, keeps_lists
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.implicit_export import export_draft, exported
from tensorlint.rules.wording import spell

#: Of what matplotlib is given by these it takes the ``.item()``, which every tensor of one element has (3.11.2).
_LIMITS = frozenset({"vmin", "vmax"})


class ForeignLibraryExport(Rule):
    """A plot, a metric or an estimator makes an array of a tensor, which fails on a GPU or with a gradient.

    ## What it does
    Reports tensors, and lists of them, that are handed to functions of matplotlib, scikit-learn, SciPy or pandas and
    may need a gradient or live off the CPU; and tensors given to `PIL.Image.fromarray`, which takes none.

    ## Why is this bad
    These libraries convert their arguments with `np.asarray`. It works for a plain tensor on the CPU, so the program
    runs until the losses come from a network, or from a GPU: `RuntimeError: Can't call numpy() on Tensor that requires
    grad`, or `TypeError: can't convert cuda:0 device type tensor to numpy`.

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
    Safe: what worked before gives the same array.

    ## References
    - desy-ml/cheetah#287; measured on torch 2.13.0 with matplotlib 3.11.2, scikit-learn 1.9.1 and pandas 3.1.1
    """

    code = "TBX111"
    name = "foreign-library-export"
    clues = (screen.ARRAY_LIBRARY,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_library_call(self, event: LibraryCall) -> Iterator[Draft]:
        image = event.positional()
        if event.name == "PIL.Image.fromarray" and image is not None and isinstance(image.value, Tensor):
            yield Draft(
                event.node,
                f"`Image.fromarray` raises AttributeError: `{spell(image.node)}` is a tensor, no array",
                Certainty.CERTAIN if image.value.sure else Certainty.POSSIBLE,
                "pass an array, `tensor.numpy()` of one on the CPU without a gradient",
            )
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

from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.details import Leaving, Tracer
from tensorlint.flow.events import LeavesTrace
from tensorlint.rules.base import Draft, Note, Rule

_RECORDED = {Tracer.TRACE: "traced", Tracer.ONNX: "exported", Tracer.SCRIPT: "scripted"}


class PythonInTrace(Rule):
    """`.item()` or NumPy in a network that is traced: its value for the example is kept for every input.

    ## What it does
    Reports `.item()`, `.tolist()`, `float(x)`, `int(x)`, `.numpy()` and functions of NumPy in the `forward` of a
    network, or in what it calls, where the program gives this network to `torch.jit.trace` or `torch.onnx.export`, and
    NumPy where it gives it to `torch.jit.script`. To a tracer only that matters which is computed of the inputs and has
    a part in the output. Where `forward` stands in another file, the call that exports is reported.

    ## Why is this bad
    A tracer records what torch computes. What Python or NumPy computes in between it does not see: the number that came
    out for the example is written into the traced network as a constant. It runs, and is wrong for any other input; all
    that is said is a `TracerWarning`. `torch.jit.script` knows no `.numpy()` and raises.

    ## Example
    ```python
    import torch
    from torch import nn


    class Scale(nn.Module):
        def forward(self, x):
            return x / x.abs().max().item()


    traced = torch.jit.trace(Scale(), torch.ones(3))
    print(traced(torch.full((3,), 8.0)))  # tensor([8., 8., 8.])
    ```

    ## Use instead
    ```python
    import torch
    from torch import nn


    class Scale(nn.Module):
        def forward(self, x):
            return x / x.abs().max()


    traced = torch.jit.trace(Scale(), torch.ones(3))
    print(traced(torch.full((3,), 8.0)))  # tensor([1., 1., 1.])
    ```

    ## References
    - torch documentation, `torch.jit.trace`, and "Avoiding NumPy and built-in Python types" in that of `torch.onnx`
    - openpifpaf/openpifpaf#279, open-mmlab/mmdeploy#996; measured on torch 2.13.0
    """

    code = "TBX403"
    name = "python-in-trace"
    clues = (screen.RECORDED,)
    shown = Certainty.CERTAIN

    def on_leaves_trace(self, event: LeavesTrace) -> Iterator[Draft]:
        escape, scripted = event.escape, event.tracer is Tracer.SCRIPT
        of_numpy = escape.how in {Leaving.NUMPY, Leaving.FUNCTION}
        if scripted and (not of_numpy or event.scene.caught):
            return
        if scripted:
            happens = "`torch.jit.script` raises, as it does not know NumPy"
        else:
            happens = "the traced network keeps what comes out for the example, whatever it is given"
        if event.tracer is Tracer.ONNX:
            happens += ", where torch is older than 2.9"
        certainty = Certainty.LIKELY if event.tracer is Tracer.ONNX else Certainty.CERTAIN
        here = event.scene.node(escape.site)
        recorded = Note(event.scene.at(event.node), f"{_RECORDED[event.tracer]} here")
        yield Draft(
            event.node if here is None else here,
            f"`{escape.spelling}`: {happens}",
            certainty if escape.sure else Certainty.POSSIBLE,
            "compute it with torch alone",
            (recorded if here is not None else Note(escape.site, "no tensor any more"),),
        )

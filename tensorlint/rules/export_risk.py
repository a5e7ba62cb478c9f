"""How sure it is that bringing a value to NumPy fails: the judgement that the rules of exports share."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlint.findings import Certainty
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown, Value
from tensorlint.flow.scene import Scene
from tensorlint.knowledge.layouts import RESOLVED


@dataclass(frozen=True, slots=True)
class Risk:
    """How sure it is that bringing a value to NumPy fails: for its device, and for its gradient."""

    device: Certainty | None
    grad: Certainty | None
    #: Whether the value is known to be a torch tensor.
    sure: bool = True
    #: What gives a layout and a dtype that NumPy has, where the tensor's are others, and whether that is certain.
    cast: str = ""
    surely_cast: bool = True
    #: Whether the export has to copy, on every machine: then nothing that is written to the array reaches the tensor.
    copies: bool = False

    @property
    def surest(self) -> Certainty | None:
        return max((risk for risk in (self.device, self.grad) if risk is not None), default=None)

    def calls(self) -> str:
        """The methods that mend it: all but those known not to be needed."""
        home = (".detach()" if self.grad is not None else "") + (".cpu()" if self.device is not None else "")
        return home + self.cast


def export_risk(value: Value, scene: Scene, *, presume: bool) -> Risk | None:
    """Judge ``value`` being turned into an array; None when it is not taken for a torch tensor.

    ``presume``: the method called says that it is a tensor (``.numpy()``), unless other frameworks of the
    file have that method too.
    """
    if scene.caught or scene.other_framework:
        return None
    match value:
        case Tensor(sure=True):
            sure = True
        case Tensor() | Unknown() if scene.file.imports_torch and presume and _presumed_tensor(value, scene):
            sure = False
        case _:
            return None
    # What is put on a device, or is computed with parameters, and has a method ``numpy`` is as good as known to be one.
    shown = sure or isinstance(value, Unknown)
    device = _device_risk(value, scene, sure=shown)
    cast, surely = cast_of(value.dtype)
    dense = RESOLVED.get(value.layout, "") if isinstance(value, Tensor) else ""
    copies = value.device.truth is Truth.YES or bool(cast and surely)
    return Risk(device, _grad_risk(value, scene, sure=shown), sure, dense + cast, surely, copies)


def off_the_cpu(device: Fact) -> str:
    """What a message says of a tensor that is, or may be, off the CPU."""
    if device.truth is Truth.YES:
        return "is off the CPU"
    return "is off the CPU where there is an accelerator" if device.if_available else "may be off the CPU"


def cast_of(dtype: Dtype) -> tuple[str, bool]:
    """The method that gives a dtype NumPy has, empty where it has this one, and whether it is certain to be needed."""
    if not dtype.without_numpy:
        return "", True
    return ".dequantize()" if dtype.is_quantized else ".float()", dtype.sure


def _presumed_tensor(value: Tensor | Unknown, scene: Scene) -> bool:
    excluded = isinstance(value, Unknown) and value.tensor is Truth.NO
    return not excluded and scene.file.numpy_is_torchs


def _device_risk(value: Tensor | Unknown, scene: Scene, *, sure: bool) -> Certainty | None:
    match value.device.truth:
        case Truth.YES:
            # What has run is no proof that it runs with the torch of today, and no evidence that it does not.
            return Certainty.CERTAIN if sure and not scene.ran else Certainty.LIKELY
        case Truth.MAYBE:
            return Certainty.CERTAIN if sure and value.device.if_available else Certainty.LIKELY
        case Truth.NO:
            return None
    # Not knowing is no evidence: what is unseen may have been brought to the CPU in another file.
    return None if scene.host_only else Certainty.POSSIBLE


def _grad_risk(value: Tensor | Unknown, scene: Scene, *, sure: bool) -> Certainty | None:
    if scene.grad_mode.truth is Truth.NO:
        return None
    if value.dtype.is_integral:
        return None
    match value.grad.truth:
        case Truth.YES:
            nobody_outside = scene.grad_mode.truth is Truth.YES
            return Certainty.CERTAIN if sure and nobody_outside and not scene.ran else Certainty.LIKELY
        case Truth.MAYBE:
            # That a test raises is seen the first time it runs, on any machine.
            return Certainty.POSSIBLE if scene.is_test else Certainty.LIKELY
        case Truth.NO:
            return None
    return Certainty.POSSIBLE

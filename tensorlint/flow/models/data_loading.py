"""Loaders and readers: what comes from files and batches lies in host memory."""

from __future__ import annotations

from tensorlint.flow.call import Call
from tensorlint.flow.domain.facts import NO_FACT, Truth
from tensorlint.flow.domain.values import Foreign, Sequence, Tensor, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function


@function("**.DataLoader")
def data_loader(machine: Machine, path: str, call: Call) -> Value:
    return Sequence(kind="loader")


@function(
    *(
        f"{library}.**.{name}"
        for library in ("torchvision", "torchaudio")
        for name in ("to_tensor", "pil_to_tensor", "read_image")
    )
)
def decoded_image(machine: Machine, path: str, call: Call) -> Value:
    return Tensor(device=NO_FACT, grad=NO_FACT, storages=machine.storage(), source="decoded image")


@function("PIL.*")
def image(machine: Machine, path: str, call: Call) -> Value:
    return Foreign(framework="PIL")


@function("cv2.*")
def opencv(machine: Machine, path: str, call: Call) -> Value:
    """Arrays, numbers and windows: never a tensor."""
    return Unknown(tensor=Truth.NO, source="call")

"""A call may give less than a function needs, or more: then it raises when it runs, and is nothing to stumble over."""

from __future__ import annotations

import libcst as cst
import pytest

from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.models import registry
from tensorlint.flow.scene import FileFacts
from tensorlint.knowledge import ARRAY_METHODS, NUMPY_FUNCTIONS, TENSOR_METHODS, TORCH_FUNCTIONS
from tests.flow.programs import HEADER

ARGUMENTS = ["", "*given", "**given", "x", "x, y, z", "key=x", "'name', 1"]
OBJECTS = {
    "a tensor": "torch.zeros(2, 2)",
    "an array": "np.zeros((2, 2))",
    "a module": "nn.Linear(2, 2)",
    "an optimizer": "torch.optim.SGD(nn.Linear(2, 2).parameters())",
    "a list": "[torch.zeros(2)]",
    "a dictionary": "{'a': torch.zeros(2)}",
    "an unseen object": "given",
}
FUNCTIONS = [
    *registry._EXACT,
    *(f"{library or 'library'}.{name}" for library, name in registry._ANYWHERE),
    *(f"{path}.Thing" for path in registry._BELOW),
    *(f"torch.{name}" for name in TORCH_FUNCTIONS),
    *(f"numpy.{name}" for name in NUMPY_FUNCTIONS),
]
METHODS = sorted(
    {
        *TENSOR_METHODS,
        *ARRAY_METHODS,
        "append",
        "extend",
        "get",
        "pop",
        "update",
        "items",
        "step",
        "state_dict",
        "apply",
    }
    | {"parameters", "load_state_dict", "register_buffer", "backward", "fit", "put", "prepare", "zero_grad", "eval"}
)


def interpreted(lines: list[str]) -> None:
    imports = [f"import {name.partition('.')[0]}" for name in FUNCTIONS if not name.startswith("builtins.")]
    text = "\n".join([HEADER, *dict.fromkeys(imports), "x = y = z = torch.zeros(2)", *lines, ""])
    Interpreter(FileFacts(imports_torch=True, mentions_device=True), lambda event: None).run(cst.parse_module(text))


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_a_function_may_be_given_anything(arguments: str) -> None:
    interpreted([f"{name.removeprefix('builtins.')}({arguments})" for name in FUNCTIONS])


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("made", OBJECTS)
def test_a_method_may_be_given_anything(made: str, arguments: str) -> None:
    interpreted([f"it = {OBJECTS[made]}", *(f"it.{name}({arguments})" for name in METHODS)])

"""What findings advise: that it can be done, says what is known, and says so once."""

from __future__ import annotations

import pytest

from tensorlint.findings import Certainty, Finding
from tests.fixing import after, fixed

HEAD = """\
import numpy as np
import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""
LIST = "xs = []\nfor _ in range(2):\n    xs.append(torch.rand(2, 3).cuda())\n"


def findings(body: str, certainty: Certainty = Certainty.LIKELY) -> list[Finding]:
    return list(fixed(HEAD + body, certainty=certainty).before)


def only(body: str) -> Finding:
    (finding,) = findings(body)
    return finding


def is_safe(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.is_safe


@pytest.mark.parametrize(
    ("tensor", "call", "method"),
    [
        ("torch.rand(3) > 0.5", "np.mean(t)", "t.float().mean()"),
        ("torch.tensor([1, 2])", "np.std(t)", "t.float().std(correction=0)"),
        ("torch.rand(3)", "np.var(t)", "t.var(correction=0)"),
        ("torch.rand(3) > 0.5", "np.sum(t)", "t.sum()"),
        ("torch.rand(3) > 0.5", "np.amax(t)", "t.max()"),
        ("torch.rand(2, 3)", "np.max(t, axis=0)", "t.amax(dim=0)"),
        ("torch.tensor([[1, 2]])", "np.mean(t, 1)", "t.float().mean(dim=1)"),
        ("torch.rand(2, 3)", "np.mean(t, keepdims=True)", "np.mean(t, keepdims=True)"),
    ],
)
def test_a_reduction_that_torch_has(tensor: str, call: str, method: str) -> None:
    assert after(f"{HEAD}t = {tensor}\nprint({call})\n").endswith(f"print({method})\n")


def test_an_unknown_dtype_becomes_float32_and_the_fix_says_so() -> None:
    finding = only("t = torch.as_tensor(open('rows').read())\nnp.mean(t)\n")
    assert finding.fix is not None
    assert finding.fix.reason == "the result is a tensor, of float32 as the dtype is not known"


@pytest.mark.parametrize(
    ("call", "fixed_call"),
    [
        ("np.array(xs)", "np.array([x.cpu().numpy() for x in xs])"),
        ("np.mean(xs)", "np.mean([x.cpu().numpy() for x in xs])"),
        ("np.stack(xs)", "torch.stack(xs).cpu().numpy()"),
        ("np.concatenate(xs, axis=1)", "torch.cat(xs, dim=1).cpu().numpy()"),
        ("np.concatenate(xs, axis=None)", "np.concatenate([x.cpu().numpy() for x in xs], axis=None)"),
        ("np.mean([x.mean() for x in xs])", "np.mean([x.mean().cpu().numpy() for x in xs])"),
        ("np.mean(means)", "np.mean(torch.stack(means).cpu().numpy())"),
        ("np.stack([xs[0], xs[1]])", "np.stack([xs[0].cpu().numpy(), xs[1].cpu().numpy()])"),
    ],
)
def test_a_list_has_no_detach(call: str, fixed_call: str) -> None:
    body = f"{LIST}means = [x.mean() for x in xs]\ny = {call}\n"
    finding = only(body)
    assert after(HEAD + body).endswith(f"\ny = {fixed_call}\n")
    assert finding.help.startswith(("pass `[", "pass `torch.", "write `torch.")) or "of each" in finding.help


def test_only_the_safe_way_without_torch_joining() -> None:
    assert is_safe(only(f"{LIST}y = np.vstack(xs)\n"))
    assert not is_safe(only(f"{LIST}y = np.concatenate(xs)\n"))


def test_a_state_dict_is_copied_as_the_program_spells_it() -> None:
    training = "net = torch.nn.Linear(2, 1)\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
    body = f"from copy import deepcopy\n{training}best = net.state_dict()\noptimizer.step()\nprint(best)\n"
    assert only(body).help == "copy it: `deepcopy(net.state_dict())`"


def test_what_is_not_known_to_be_a_tensor_is_not_said_to_raise() -> None:
    finding = only("def f(x):\n    return x.to(device).numpy()\n")
    assert "`.numpy()` of a tensor raises TypeError" in finding.message
    assert finding.fix is not None
    assert finding.fix.reason == "nothing shows that this is a torch tensor"


@pytest.mark.parametrize(
    "write", ["a += 1", "a[0] = 1", "row = a[1:]\nrow *= 2", "np.clip(a, 0, 1, out=a)", "a.sort()", "scale(a)"]
)
@pytest.mark.parametrize("export", ["t.numpy()", "np.asarray(t)"])
def test_where_the_array_is_written_the_machine_decides(export: str, write: str) -> None:
    body = f"def scale(a):\n    a /= 2\nt = torch.rand(3, device=device)\na = {export}\n{write}\n"
    fix = findings(body)[0].fix
    assert fix is not None
    assert not fix.is_safe
    assert "written later" in fix.reason


@pytest.mark.parametrize("use", ["b = a + 1", "print(a)", "b = a.copy()\nb += 1", "a = a * 2\na += 1"])
def test_an_array_that_is_only_read_is_the_same_everywhere(use: str) -> None:
    assert is_safe(only(f"t = torch.rand(3, device=device)\na = t.numpy()\n{use}\n"))


@pytest.mark.parametrize(
    ("added", "advised"),
    [("cost", "cost.detach()"), ("cost / 600", "(cost / 600).detach()"), ("-cost", "(-cost).detach()")],
)
def test_a_method_goes_behind_the_whole_expression(added: str, advised: str) -> None:
    body = (
        "model = torch.nn.Linear(2, 2)\ntotal = 0.0\nfor batch in train_loader:\n"
        f"    cost = model(torch.ones(3, 2)).mean()\n    cost.backward()\n    total += {added}\n"
    )
    assert only(body).help.startswith(f"use `{advised}`")

"""Programs that are hard on a linter, in any size: each grows in one way alone."""

from __future__ import annotations

from collections.abc import Callable

_IMPORTS = "import numpy as np\nimport torch\nfrom torch import nn\n\n\n"


def lines(count: int) -> str:
    """A long file of short functions."""
    each = "def f{0}(x, y):\n    z = x.cuda() + y\n    w = z.detach().cpu().numpy()\n    w[0] = {0}\n    return w\n"
    return _IMPORTS + "".join(each.format(number) for number in range(count // 5))


def nesting(count: int) -> str:
    """Blocks and calls in each other, as deep as Python takes them, again and again; ``count`` lines in all."""
    depth = 18
    body = []
    for number in range(max(count // (depth + 4), 1)):
        body.append(f"def f{number}(x, n):")
        for level in range(depth):
            head = f"for i{level} in range(n):" if level % 2 else f"if x.sum() > {level}:"
            body.append("    " * (level + 1) + head)
        inside = "    " * (depth + 1)
        body += [f"{inside}x = {'torch.relu(' * 20}x{')' * 20}", f"{inside}x += {number}", "    return x.numpy()"]
    return _IMPORTS + "\n".join(body) + "\n"


def statements(count: int) -> str:
    """One function of ``count`` statements."""
    each = (
        "    x{0} = x{1} + y\n    a{0} = x{0}.numpy()\n    a{0}[0] = 1\n    if x{0}.is_cuda:\n        y = x{0}.cpu()\n"
    )
    body = "".join(each.format(number + 1, number) for number in range(count // 5))
    return f"{_IMPORTS}def f(x0, y):\n{body}    return y\n"


def aliases(count: int) -> str:
    """``count`` names for one storage, some of them written to."""
    body = ["def f():", "    x = torch.zeros(8)"]
    for number in range(count):
        body.append(f"    a{number} = x.numpy()")
        if number % 100 == 0:
            body.append("    x.add_(1)")
    body.append(f"    return a{count - 1}.sum()")
    return _IMPORTS + "\n".join(body) + "\n"


def classes(count: int) -> str:
    """``count`` modules, each of which holds the one before."""
    each = (
        "class M{0}(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.part = {1}\n"
        "        self.scale = torch.ones(3)\n\n    def forward(self, x):\n"
        "        return self.part(x).detach().numpy() * self.scale\n\n\n"
    )
    parts = ("nn.Linear(3, 3)" if not number else f"M{number - 1}()" for number in range(count))
    return _IMPORTS + "".join(each.format(number, part) for number, part in enumerate(parts))


#: By its name how to make it, and the largest of the sizes that it is measured at.
HARD: dict[str, tuple[Callable[[int], str], int]] = {
    "lines": (lines, 50_000),
    "nesting": (nesting, 10_000),
    "statements in one function": (statements, 10_000),
    "aliases of one storage": (aliases, 5_000),
    "classes": (classes, 2_000),
}

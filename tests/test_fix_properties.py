"""What must hold of every fix, over generated programs and over fixtures that were changed."""

from __future__ import annotations

import io
import keyword
import re
import textwrap
import tokenize
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.comments import with_comments
from tensorlint.fixtures_path import fixtures_root
from tensorlint.source import Source
from tests.fixing import assert_sound, errors, fixed, parses

ROOT = fixtures_root()
assert ROOT is not None
FIXTURES = sorted(ROOT.glob("TBX*/*.py"))

quick = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))

# Programs from parts. In a part, T is torch and N is NumPy, as the program spells them; X is a tensor, A an array.

HEADERS = (
    "",
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n",
    '"""A program."""\n',
    "'''A program\n\nof two lines.\n'''\nfrom __future__ import annotations\n\n",
    "from __future__ import annotations; import os\n",
    "# a comment\n\n\n",
    "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import copy\n    import torch\n\n",
)
TORCH = (
    ("import torch\n", "torch"),
    ("import torch as th\n", "th"),
    ("import torch.nn as nn\nimport torch\n", "torch"),
    ("try:\n    import torch\nexcept ImportError:\n    torch = None\n", "torch"),
    ("from torch import Tensor, from_numpy\nimport torch as th  # the one\n", "th"),
    ("from torch import (\n    Tensor,\n    ones,\n)\nimport os, torch\n", "torch"),
)
NUMPY = (
    ("import numpy as np\n", "np"),
    ("import numpy\n", "numpy"),
    ("from os import path; import numpy as np\n", "np"),
)
VALUES = "X = T.ones(3, requires_grad=True).cuda()\nG = T.ones(3, requires_grad=True)\nA = N.zeros((4, 3))\n"
EXPRESSIONS = (
    "X.numpy()",
    "(X + G).numpy()",
    "((X)).numpy()",
    "(w := X).numpy()",
    "X.float().cpu().numpy()",
    "G.numpy()[0]",
    "G.cpu().numpy().mean()",
    "X.numpy().item()",
    "float(X.numpy())",
    "N.stack([X, G * 2])",
    "N.linalg.norm(G)",
    "N.exp(X if G is X else G)",
    "N.isnan(X)",
    "N.size(G)",
    "T.Tensor([1, 20000001])",
    "T.Tensor(A.astype('int64'),)",
    "T.FloatTensor(T.Tensor([3, 4]).numpy())",
    "T.zeros(2, dtype=N.float32)",
    "N.zeros(2, dtype=T.float32)",
    "T.from_numpy(A[::-1])",
    "T.from_numpy(A[::-1] + 0 if A is None else A[::-1])",
    "N.array({'a': 1}.values())",
    "N.asarray(n for n in range(3))",
    "(lambda t: t.cuda().numpy())(X)",
    "[t.cuda().numpy() for t in [X, G]]",
    "{X.numpy().sum(): G.numpy()}",
    "f'{X.numpy()} {G.numpy()!r:>3}'",
    "print(*X.numpy(), sep=str(G.numpy()))",
    "(X\n    .float()  # one\n    .numpy())",
    "(\n    # before\n    X  # after\n).numpy(\n)",
    "T.Tensor(\n    [1, 2],  # two\n)",
    "X.float() \\\n    .numpy()",
    "not -X.numpy() if X.numpy().any() else (yield_ or X).numpy()",
    "X.numpy() @ X.numpy().T ** G.numpy()",
)
STATEMENTS = (
    "v = E",
    "v = E; u = E",
    "v = E  # type: ignore",
    "v: object = E",
    "A[0] = G",
    "A[0] = last = G",
    "assert E is not None, E",
    "print(E)",
    "N.random.shuffle(G)",
    "if E is None: v = E",
    "for v in [E]: u = E",
    "with T.no_grad() as v: u = E",
    "match E:\n    case [v, *_] if E is v: u = E\n    case _: pass",
    "try:\n    v = E\nexcept ValueError: u = E\nelse:\n    u = 1\nfinally: pass",
    "def f(d=E):\n    'A docstring.'\n    return E",
    "class C(object):\n    k = E\n    def m(self):\n        self.best = E\n        return self.best",
    "@(lambda f: f)\nasync def g(x: 'T.Tensor', torch_=3):\n    async for y in x:\n        yield E\n    await x",
    "def h(list, copy):\n    return E",
    "def train(model, opt):\n    best = model.state_dict()\n    opt.step()\n    model.load_state_dict(best)",
    "kept = []\nbuf = N.zeros(3)\nfor i in range(3):\n    buf[:] = i\n    kept.append(buf)",
    "s = '''\nX.numpy()\n  # noqa: TBX101\n''' + str(E)",
    "u = 3  # noqa: TBX101",
    "v = E  # noqa: TBX101, E501",
    "while (\n    E is None\n): break",
    "global_ = [\n    E,\n    E  # last\n    ,\n]",
    "\x0c",
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    (torch_import, torch), (numpy_import, numpy) = draw(st.sampled_from(TORCH)), draw(st.sampled_from(NUMPY))
    imports = draw(st.permutations([torch_import, numpy_import]))
    body = [VALUES, *draw(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=5))]
    text = "\n".join(body)
    while "E" in (found := re.findall(r"\bE\b", text)):
        text = re.sub(r"\bE\b", lambda _: draw(st.sampled_from(EXPRESSIONS)), text, count=len(found))
    text = re.sub(r"\b[TN]\.", lambda match: (torch if match[0] == "T." else numpy) + ".", text)
    if draw(st.booleans()):
        text = f"def main():\n{textwrap.indent(text, '    ')}\n    return X"
    text = draw(st.sampled_from(HEADERS)) + "".join(imports) + text + "\n"
    return dress(draw, text)


def dress(draw: st.DrawFn, text: str) -> str:
    """The same program with other indentation, form feeds, and other newlines."""
    unit = draw(st.sampled_from(["    ", "  ", "\t", "       "]))
    text = re.sub(r"^(?:    )+", lambda match: unit * (len(match[0]) // 4), text, flags=re.MULTILINE)
    if draw(st.booleans()):
        text = re.sub(r"^(?=\w+ = )", "\x0c", text, count=4, flags=re.MULTILINE)
    text = text if draw(st.booleans()) else text.removesuffix("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))


@settings(quick, max_examples=300)
@given(programs(), st.sampled_from([Certainty.LIKELY, Certainty.POSSIBLE]), st.sampled_from(["chain", "force"]))
def test_generated_programs(text: str, certainty: Certainty, style: str) -> None:
    note(text)
    assert parses(text.replace("\r\n", "\n").replace("\r", "\n")), "a generated program is one"
    assert_sound(text, certainty, style=style)


def test_the_parts_are_worth_it() -> None:
    """Nearly every expression above has something to fix."""
    spelled = [re.sub(r"\bN\.", "numpy.", re.sub(r"\bT\.", "torch.", each)) for each in (VALUES, *EXPRESSIONS)]
    found = {each: fixed(f"import torch\nimport numpy\n{spelled[0]}v = {each}\n") for each in spelled[1:]}
    idle = [each for each, result in found.items() if not result.applied]
    assert len(idle) <= 4, idle
    codes = {finding.code for result in found.values() for finding in result.applied}
    assert codes >= {"TBX101", "TBX102", "TBX103", "TBX105", "TBX113", "TBX201", "TBX204", "TBX208", "TBX210"}


# Fixtures that were changed


def renamed(draw: st.DrawFn, text: str) -> str:
    """One name that the program binds, called otherwise everywhere; by a name that may mean something to a fix."""
    names = sorted(
        set(re.findall(r"^\s*(?:def )?([a-z_]\w*)(?: = |\()", text, re.MULTILINE)) - {"self", "print", "super"}
    )
    names = [name for name in names if not keyword.iskeyword(name) and not re.search(rf"import .*\b{name}\b", text)]
    assume(names)
    old, new = (
        draw(st.sampled_from(names)),
        draw(st.sampled_from(["list", "copy", "x_", "len", "naïve", "numpy_", "th"])),
    )
    return re.sub(rf"(?<![\w.]){old}\b", new, text)


def indented(draw: st.DrawFn, text: str) -> str:
    return dress(draw, text)


def wrapped(draw: st.DrawFn, text: str) -> str:
    assume("from __future__" not in text and "import *" not in text)
    opening = draw(
        st.sampled_from(
            [
                "def main(flag=None):\n",
                "class Main(object):\n",
                "if True:\n",
                "try:\n",
                "async def main():\n",
                "for copy in range(1):\n",
                "@staticmethod\ndef main():\n",
                "with open('x') as torch_:\n",
            ]
        )
    )
    closing = "\nfinally:\n    pass\n" if opening.startswith("try") else "\n"
    return opening + textwrap.indent(text, "    ", lambda line: True) + closing


def joined(draw: st.DrawFn, text: str) -> str:
    """Two simple statements of one block on one line."""
    lines = text.split("\n")
    simple = [
        index
        for index, (one, other) in enumerate(pairwise(lines))
        if re.fullmatch(r"( *)\w[^#:\"'\\]*", one) and re.fullmatch(r"( *)\w[^#:\"'\\]*", other)
        if len(one) - len(one.lstrip()) == len(other) - len(other.lstrip())
    ]
    assume(simple)
    index = draw(st.sampled_from(simple))
    return "\n".join([*lines[:index], f"{lines[index]}; {lines[index + 1].lstrip()}", *lines[index + 2 :]])


def commented(draw: st.DrawFn, text: str) -> str:
    """A comment of some kind behind some lines."""
    comment = draw(
        st.sampled_from(
            ["  # type: ignore", "  # noqa", "  # noqa: TBX1,E5 - why", "#x", "  # tensorlint: ignore[TBX3]"]
        )
    )
    assume("\r" not in text)
    ends = [
        token.end[0] for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.NEWLINE
    ]
    rows = set(draw(st.lists(st.sampled_from(ends), min_size=1, max_size=3)))
    return "\n".join(
        line + comment if row in rows and "#" not in line else line
        for row, line in enumerate(text.split("\n"), start=1)
    )


CHANGES = (renamed, indented, wrapped, joined, commented)


@settings(quick, max_examples=300)
@given(st.data(), st.sampled_from(FIXTURES), st.sampled_from([Certainty.LIKELY, Certainty.POSSIBLE]))
def test_changed_fixtures(data: st.DataObject, path: Path, certainty: Certainty) -> None:
    text = path.read_text(encoding="utf-8")
    for change in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3, unique=True)):
        text = st_apply(data, change, text)
    note(text)
    assert_sound(text, certainty, path=f"{path.parent.name}/{path.name}")


def st_apply(data: st.DataObject, change: object, text: str) -> str:
    """One change; a text that it does not leave a program is not worth looking at."""
    new: str = data.draw(st.composite(lambda draw: change(draw, text))())  # type: ignore[operator]
    assume(parses(new.replace("\r\n", "\n").replace("\r", "\n")))
    return new


# Comments that are added


@settings(quick, max_examples=120)
@given(programs())
def test_added_comments_suppress_everything(text: str) -> None:
    note(text)
    before = fixed(text, Applicability.DISPLAY).findings
    rows: dict[int, set[str]] = {}
    for finding in before:
        if finding.code != "TBX903":
            rows.setdefault(finding.noqa_row, set()).update((finding.code, *finding.also))
    new = with_comments(Source("program.py", text), rows).decode()
    left = fixed(new, Applicability.DISPLAY).findings
    assert errors(left) == []
    assert [finding.code for finding in left if finding.code != "TBX903"] == []
    assert with_comments(Source("program.py", new), rows).decode() == new

"""What stands behind something that fails is not shown by default, and its trace says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tests.projects import findings, forget, write

RAISES = "import torch\n\nx = torch.zeros(2).cuda().numpy()\n"
PYTHON_2 = "import os\nprint 'a'\n"


def steps(root: Path, name: str = "main.py") -> list[tuple[str, int, str]] | None:
    """Why the finding of a file may not be reached, where that is so: by file, row and words."""
    forget()
    if findings(root, name):
        return None
    (finding,) = findings(root, name, certainty=Certainty.LIKELY)
    assert finding.certainty is Certainty.LIKELY
    words = ("fails", "raises", "parse", "have no")
    return [
        (Path(step.path).name, step.span.row, step.message)
        for step in finding.trace
        if any(word in step.message for word in words)
    ]


@pytest.mark.parametrize(
    ("imports", "others", "where"),
    [
        ("import old", {"old.py": PYTHON_2}, ("old.py", 2)),
        ("from old import f", {"old.py": PYTHON_2}, ("old.py", 2)),
        ("from pkg import old", {"pkg/__init__.py": "", "pkg/old.py": PYTHON_2}, ("old.py", 2)),
        ("import pkg.new", {"pkg/__init__.py": PYTHON_2, "pkg/new.py": ""}, ("__init__.py", 2)),
        (
            "import pkg.new",
            {"pkg/__init__.py": "from .old import f", "pkg/old.py": PYTHON_2, "pkg/new.py": ""},
            ("old.py", 2),
        ),
        ("import a", {"a.py": "import b", "b.py": "import a\nimport c", "c.py": PYTHON_2}, ("c.py", 2)),
        ("import a", {"a.py": "import scipy\nfrom scipy.misc import imread"}, ("a.py", 2)),
        ("import a", {"a.py": "import cPickle"}, ("a.py", 1)),
        ("import a", {"a.py": "import numpy as np\n\ndef f(x=np.int): ...\n"}, ("a.py", 3)),
    ],
)
def test_an_import_that_fails(tmp_path: Path, imports: str, others: dict[str, str], where: tuple[str, int]) -> None:
    write(tmp_path, {"main.py": f"{imports}\n{RAISES}", **others})
    found = steps(tmp_path)
    assert found is not None
    assert found[0] == ("", 1, "this import fails")
    assert [step[:2] for step in found[1:]] == [where]


@pytest.mark.parametrize(
    ("imports", "others"),
    [
        ("try:\n    import old\nexcept Exception:\n    old = None", {"old.py": PYTHON_2}),
        ("if 0:\n    import old", {"old.py": PYTHON_2}),
        ("def f():\n    import old", {"old.py": PYTHON_2}),
        ("import new", {"new.py": "import os\n", "old.py": PYTHON_2}),
        ("import a", {"a.py": "import b", "b.py": "import a"}),
        ("import a", {"a.py": "try:\n    import cPickle\nexcept ImportError:\n    import pickle as cPickle"}),
        ("import a", {"a.py": "def f():\n    from scipy.misc import imread"}),
        ("import a", {"a.py": "import numpy as np\nif __name__ == '__main__':\n    np.int"}),
        ("import a", {"a.py": "from Queue import Queue", "Queue.py": "class Queue: ..."}),
        ("from Queue import Queue", {"Queue.py": "class Queue: ..."}),
        # Python 3.12 takes this.
        ("import a", {"a.py": "type A = int\n"}),
        ("import torch.old", {"torch.py": PYTHON_2}),
    ],
)
def test_one_that_does_not_or_is_prepared(tmp_path: Path, imports: str, others: dict[str, str]) -> None:
    write(tmp_path, {"main.py": f"{imports}\n{RAISES}", **others})
    assert steps(tmp_path) is None


def test_the_package_that_a_file_is_in(tmp_path: Path) -> None:
    write(tmp_path, {"pkg/__init__.py": "from .old import f\n", "pkg/old.py": PYTHON_2, "pkg/main.py": RAISES})
    found = steps(tmp_path, "pkg/main.py")
    assert found == [
        ("old.py", 2, "Python does not parse this: Missing parentheses in call to 'print'. Did you mean print(...)?")
    ]


def test_a_file_that_fails_in_one_place_is_of_then(tmp_path: Path) -> None:
    fails = "import numpy as np\nimport torch\n\n\ndef f(n):\n    return np.int(n)\n\n\n"
    write(tmp_path, {"main.py": f"{fails}x = torch.zeros(2).cuda().numpy()\n"})
    found = steps(tmp_path)
    assert found is not None
    assert [row for _, row, _ in found] == [6]


def test_a_program_that_others_depend_on_is_asked_as_a_whole(tmp_path: Path) -> None:
    """Each of a circle is told the same, whoever is asked first."""
    files = {"a.py": f"import b\n{RAISES}", "b.py": f"import a\nimport c\n{RAISES}", "c.py": PYTHON_2}
    write(tmp_path, files)
    assert not {finding.code for finding in findings(tmp_path)} - {"TBX901"}
    for name in ("a.py", "b.py"):
        assert steps(tmp_path, name)

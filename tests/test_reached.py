"""What nothing of a project reaches is true, but nothing that anybody waits for: it is no more than likely."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tests.projects import findings, forget, write

TOP = "import torch\n\n\n"
DEAD = "def export():\n    return torch.zeros(3).numpy().numpy()\n\n\n"
USED = "def used():\n    return 1\n\n\n"
MAIN = 'if __name__ == "__main__":\n    print(used())\n'
SCRIPT = TOP + DEAD + USED + MAIN
METHOD = "class Logger:\n    def export(self):\n        return torch.zeros(3).numpy().numpy()\n\n\n"
MAKES = MAIN.replace("used()", "Logger()")
CELL = {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["a.export()"]}
NOTEBOOK = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
LIBRARY = {"setup.py": "", "pkg/__init__.py": "", "pkg/b.py": "from pkg.a import used\n"}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"a.py": SCRIPT}, id="a script"),
        pytest.param({"a.py": TOP + USED + DEAD, "b.py": "from a import used\nprint(used())\n"}, id="a module"),
        pytest.param(
            {"a.py": SCRIPT.replace("def used", "def also():\n    export()\n\n\ndef used")}, id="by what is not"
        ),
        pytest.param({"a.py": SCRIPT.replace("return torch", "export()\n    return torch")}, id="by itself alone"),
        pytest.param({"a.py": TOP + "@torch.no_grad()\n" + DEAD + USED + MAIN}, id="under a decorator of torch"),
        pytest.param({"a.py": TOP + METHOD + USED + MAIN}, id="a class"),
        pytest.param({"a.py": TOP + METHOD + MAKES}, id="a method"),
        pytest.param({"a.py": TOP + METHOD.replace("Logger", "Logger(nn.Module)") + MAKES}, id="a method of a network"),
        pytest.param({"a.py": SCRIPT, "b.py": "from a import used\nglobals()[name]()\n"}, id="not by a star"),
        pytest.param({"a.py": SCRIPT, "b.py": "import torch.optim as o\ngetattr(o, name)()\n"}, id="of torch"),
        pytest.param({"a.py": SCRIPT, "data.json": '{"name": "export"}'}, id="a word in data"),
        pytest.param({**LIBRARY, "pkg/a.py": SCRIPT.replace("export", "_export")}, id="what is private in a library"),
        pytest.param({"a.py": SCRIPT.replace("export", "test_export")}, id="a test that no runner collects"),
        pytest.param({**LIBRARY, "pkg/a.py": SCRIPT.replace("export", "test_export")}, id="one in a library"),
    ],
)
def test_what_nothing_reaches_is_likely(tmp_path: Path, files: Mapping[str, str]) -> None:
    write(tmp_path, files)
    forget()
    assert not findings(tmp_path)
    (found,) = findings(tmp_path, certainty=Certainty.LIKELY)
    assert found.certainty is Certainty.LIKELY
    assert any("nothing else in this project reaches" in step.message for step in found.trace)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"a.py": TOP + DEAD}, id="a file that was just begun"),
        pytest.param({"a.py": SCRIPT.replace("print(used", "print(export")}, id="called"),
        pytest.param({"a.py": TOP + DEAD + 'TABLE = {"export": export}\n' + USED + MAIN}, id="in a table"),
        pytest.param({"a.py": TOP + DEAD + "def also():\n    export()\n\n\nalso()\n"}, id="by what is called"),
        pytest.param(
            {"a.py": TOP + DEAD.replace("return", "also()\n    return") + "def also():\n    export()\n\n\nalso()\n"},
            id="by each other",
        ),
        pytest.param({"a.py": SCRIPT, "b.py": "import a\na.export()\n"}, id="elsewhere"),
        pytest.param({"a.py": SCRIPT, "conf/net.yaml": "_target_: a.export\n"}, id="in a configuration"),
        pytest.param({"a.py": SCRIPT, "README.md": "Call `a.export()`.\n"}, id="in a description"),
        pytest.param({"a.py": SCRIPT, "n.ipynb": NOTEBOOK}, id="in a notebook"),
        pytest.param({"a.py": SCRIPT, "b.py": "import a\ngetattr(a, name)()\n"}, id="by any name"),
        pytest.param({"a.py": SCRIPT, "b.py": "import_module(name).run()\n"}, id="in any module"),
        pytest.param({"a.py": SCRIPT, "b.py": "from a import *\nglobals()[name]()\n"}, id="by a star"),
        pytest.param({"a.py": SCRIPT + "    eval(name)()\n"}, id="evaluated"),
        pytest.param({"a.py": TOP + METHOD + MAKES + "    getattr(logger, name)()\n"}, id="a method by any name"),
        pytest.param({"a.py": TOP + "@app.command\n" + DEAD + USED + MAIN}, id="registered"),
        pytest.param({"test_a.py": SCRIPT.replace("export", "test_export")}, id="a test"),
        pytest.param({"tests/a.py": SCRIPT.replace("export", "test_export")}, id="a test among others"),
        pytest.param(
            {"a.py": SCRIPT.replace("export", "test_export") + "    unittest.main()\n"}, id="a test in a module"
        ),
        pytest.param({"a.py": TOP + METHOD.replace("export", "__len__") + MAKES}, id="what Python calls"),
        pytest.param(
            {"a.py": TOP + METHOD.replace("Logger", "Logger(nn.Module)").replace("export", "extra_repr") + MAKES},
            id="what a network calls",
        ),
        pytest.param({"a.py": TOP + METHOD.replace("Logger", "Logger(Base)") + MAKES}, id="what a base may call"),
        pytest.param({**LIBRARY, "pkg/a.py": SCRIPT}, id="what is public in a library"),
    ],
)
def test_what_something_may_reach_is_shown(tmp_path: Path, files: Mapping[str, str]) -> None:
    write(tmp_path, files)
    forget()
    (found,) = findings(tmp_path)
    assert found.certainty is Certainty.CERTAIN

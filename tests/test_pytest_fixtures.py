"""What a test is given by the names of its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import forget, likely, write

AWAY = 'torch.rand(3, device="cuda")'
START = "import pytest\nimport torch\n\n\n"
TEST = "def test_it(t):\n    t.numpy()\n"


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


def given(decorator: str, how: str = "return", name: str = "t", parameters: str = "") -> str:
    return f"{decorator}\ndef {name}({parameters}):\n    {how} {AWAY}\n\n\n"


@pytest.mark.parametrize(
    "fixture",
    [
        given("@pytest.fixture"),
        given('@pytest.fixture(scope="module")'),
        given("@pytest.fixture", "yield"),
        given('@pytest.fixture(name="t")', name="_t"),
        (
            "@pytest.fixture\ndef device():\n    return 'cuda'\n\n\n"
            "@pytest.fixture\ndef t(device):\n    return torch.rand(3, device=device)\n\n\n"
        ),
    ],
)
@pytest.mark.parametrize("place", ["test_it.py", "tests/conftest.py", "conftest.py", "shared.py"])
def test_a_test_is_given_what_the_fixture_of_the_name_of_a_parameter_returns(
    tmp_path: Path, fixture: str, place: str
) -> None:
    if place == "test_it.py":
        files = {"tests/test_it.py": START + fixture + TEST}
    else:
        files = {place: START + fixture, "tests/test_it.py": START + TEST}
    if place == "shared.py":
        names = "t as t, device" if "device()" in fixture else "_t" if "_t(" in fixture else "t"
        files["tests/conftest.py"] = f"from shared import {names}\n"
    write(tmp_path, files)
    expected = [] if place == "shared.py" and "_t(" in fixture else [("TBX101", "test_it.py")]
    assert [(code, name) for code, name, _ in likely(tmp_path, "tests/test_it.py")] == expected


@pytest.mark.parametrize(
    "test",
    [
        # The nearest one counts, what a case gives counts before any, and only tests are given any.
        "@pytest.fixture\ndef t():\n    return torch.rand(3)\n\n\n" + TEST,
        (
            "class TestIt:\n    @pytest.fixture\n    def t(self):\n        return torch.rand(3)\n\n"
            "    def test_it(self, t):\n        t.numpy()\n"
        ),
        '@pytest.mark.parametrize("s, t", [(1, torch.rand(3))])\ndef test_it(s, t):\n    t.numpy()\n',
        '@pytest.mark.parametrize(["t"], [(torch.rand(3),)])\n' + TEST,
        '@pytest.mark.parametrize("t", [torch.rand(3)])\nclass TestIt:\n    def test_it(self, t):\n        t.numpy()\n',
        "def helper(t):\n    t.numpy()\n",
        "def test_it(t=None):\n    t.numpy()\n",
    ],
)
def test_what_else_a_parameter_may_be(tmp_path: Path, test: str) -> None:
    write(tmp_path, {"conftest.py": START + given("@pytest.fixture"), "test_it.py": START + test})
    assert likely(tmp_path, "test_it.py") == []


def test_a_function_that_is_no_fixture_gives_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": START + given("@staticmethod") + TEST})
    assert likely(tmp_path, "test_it.py") == []


def test_a_fixture_may_ask_for_the_one_that_it_stands_in_for(tmp_path: Path) -> None:
    own = "@pytest.fixture\ndef t(t):\n    return t\n\n\n"
    write(tmp_path, {"conftest.py": START + given("@pytest.fixture"), "test_it.py": START + own + TEST})
    assert likely(tmp_path, "test_it.py") == []

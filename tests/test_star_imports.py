"""``from module import *``: which names it binds, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.program.index import Lines, Star, index_of
from tests.projects import forget, likely, write

AWAY = 'import torch\n\n\ndef make():\n    return torch.rand(3, device="cuda")\n'
HOME = "import torch\n\n\ndef make():\n    return torch.rand(3)\n"
OWN = HOME.removeprefix("import torch\n\n\n")
READ = "\n\ndef f():\n    return make().numpy()\n"
FOUND = "TBX101"


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


@pytest.mark.parametrize(
    ("files", "main", "found"),
    [
        ({"a": AWAY, "b": HOME}, "from a import *\nfrom b import *", False),
        ({"a": HOME, "b": AWAY}, "from a import *\nfrom b import *", True),
        ({"a": AWAY, "b": "__all__ = []\n" + HOME}, "from a import *\nfrom b import *", True),
        ({"b": AWAY}, f"import torch\n\n\n{OWN}\n\nfrom b import *", True),
        ({"b": "__all__ = []\n" + AWAY}, f"import torch\n\n\n{OWN}\n\nfrom b import *", False),
        ({"b": AWAY}, f"import torch\nfrom b import *\n\n\n{OWN}", False),
        ({"a": HOME, "b": AWAY}, "from a import make\nfrom b import *", True),
        # What one of two paths binds is not known.
        ({"a": HOME, "b": AWAY}, "from a import *\ntry:\n    from b import *\nexcept ImportError:\n    pass", False),
        # A file that imports the one that imports it binds nothing anew.
        (
            {"b": "from main import make\n"},
            f"import torch\n\n\n{AWAY.removeprefix('import torch')}\nfrom b import *",
            True,
        ),
    ],
)
def test_the_last_to_bind_a_name_counts(tmp_path: Path, files: dict[str, str], main: str, found: bool) -> None:
    programs = {f"{name}.py": text for name, text in files.items()}
    write(tmp_path, {**programs, "main.py": main + READ, "user.py": "from main import make\n" + READ})
    assert [code for code, _, _ in likely(tmp_path, "main.py")] == [FOUND] * found
    # And so it does for who imports this file in turn.
    assert [code for code, _, _ in likely(tmp_path, "user.py")] == [FOUND] * found


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        ("", True),
        ('__all__ = ["make"]\n', True),
        ('__all__ = ["other"]\n', False),
        ('__all__ = ("other",) + ("more",)\n', False),
        ('__all__: list[str] = ["other"]\n__all__ += ["make"]\n', True),
        ('__all__ = []\n__all__.extend(("make",))\n', True),
        ('__all__ = []\n__all__.append("make")\n', True),
        ('__all__ = ["other"]\n__all__ += other.__all__\n', True),
        ('__all__ = ["other"]\nif other:\n    __all__ += ["make"]\n', True),
        ("from other import __all__\n", True),
    ],
)
def test_a_list_of_names_says_which_are_given(tmp_path: Path, listing: str, found: bool) -> None:
    write(tmp_path, {"a.py": AWAY + listing, "main.py": "from a import *\n" + READ})
    assert [code for code, _, _ in likely(tmp_path, "main.py")] == [FOUND] * found


def test_names_with_an_underscore_are_given_where_they_are_listed(tmp_path: Path) -> None:
    away, read = AWAY.replace("make", "_make"), "from a import *\n" + READ.replace("make", "_make")
    write(tmp_path, {"a.py": away, "main.py": read})
    assert likely(tmp_path, "main.py") == []
    forget()
    write(tmp_path, {"a.py": away + '__all__ = ["_make"]\n', "main.py": read})
    assert likely(tmp_path, "main.py") == [(FOUND, "main.py", 5)]


def test_the_index_knows_whether_a_star_is_always_executed() -> None:
    index = index_of("from .a import *\ntry:\n    from b import *\nexcept ImportError:\n    pass\n")
    assert index.stars == (Star(Lines(1, 1), 1, "a"), Star(Lines(2, 5), 0, "b", sure=False))

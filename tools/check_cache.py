"""Edit a copy of a project at random, and compare what is found with a cache to what is found without one.

python tools/check_cache.py PROJECT [--edits N] [--seed N] [--jobs N]

Exits 1 at the first edit after which the two differ.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tensorlint.config import Layer, Resolver
from tensorlint.discovery import discover
from tensorlint.report import Report
from tensorlint.runner import Stopwatch, run
from tensorlint.runner.cache import Cache

#: What is written in place of what, where it occurs: it changes what other files know.
_WORDS = (
    (".cpu()", ""),
    (".cpu()", ".cuda()"),
    (".cuda()", ""),
    (".detach()", ""),
    (".numpy()", ".detach().numpy()"),
    (".numpy()", ".cpu().numpy()"),
    ("no_grad()", "enable_grad()"),
    ("return ", "return None or "),
    ("torch.float32", "torch.float64"),
    ("import torch", "import torch  # noqa"),
    ("np.array(", "np.asarray("),
    (".to(device)", ""),
    ("weights_only=False", "weights_only=True"),
    ("torch.load(", "torch.load(weights_only=False, f="),
)
#: What most is found by.
_ALL = Layer.of_options(extend_select=["ALL"], certainty="possible")
#: Lines of a configuration.
_SETTINGS = (
    "",
    'ignore = ["TBX1"]',
    'extend-select = ["ALL"]',
    'certainty = "likely"',
    'target-numpy = "1.23"',
    'target-torch = "1.8"',
)
_SUFFIXES = frozenset({".py", ".ipynb"})
_DEFINED = re.compile(r"^[ ]*(?:def|class) (\w+)", re.MULTILINE)


class Editor:
    """Makes one change after another to the programs below a directory."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root, self.chance = root, chance
        self.kinds: list[Callable[[Path], str]] = [
            *[self.replace_word] * 8,
            *[self.rename] * 3,
            *[self.change_line] * 4,
            self.shift,
            self.remove,
            self.move,
            self.shadow,
            self.package,
            self.copy_over,
            self.configure,
        ]

    def edit(self) -> str:
        """Change something, and say what."""
        kind, path = self.chance.choice(self.kinds), self.chance.choice(self.programs())
        return f"{kind(path)}: {path.relative_to(self.root)}"

    def programs(self) -> list[Path]:
        """All of them, notebooks among them."""
        return sorted(path for path in self.root.rglob("*") if path.suffix in _SUFFIXES)

    def replace_word(self, path: Path) -> str:
        text = path.read_text(errors="surrogateescape")
        words = [pair for pair in _WORDS if pair[0] in text] or [(text[:1], "\n" + text[:1])]
        old, new = self.chance.choice(words)
        if not text:
            return "nothing to replace"
        places = [match.start() for match in re.finditer(re.escape(old), text)]
        at = self.chance.choice(places)
        path.write_text(text[:at] + new + text[at + len(old) :], errors="surrogateescape")
        return f"{old!r} becomes {new!r}"

    def rename(self, path: Path) -> str:
        text = path.read_text(errors="surrogateescape")
        names = _DEFINED.findall(text)
        if not names:
            return "nothing to rename"
        name = self.chance.choice(names)
        new = self.chance.choice([f"{name}_x", *names])
        path.write_text(re.sub(rf"\b{name}\b", new, text), errors="surrogateescape")
        return f"{name} becomes {new}"

    def change_line(self, path: Path) -> str:
        lines = path.read_text(errors="surrogateescape").split("\n")
        at = self.chance.randrange(len(lines))
        how = self.chance.choice(("removed", "doubled", "suppressed"))
        lines[at : at + 1] = {"removed": [], "doubled": lines[at : at + 1] * 2, "suppressed": [lines[at] + "  # noqa"]}[
            how
        ]
        path.write_text("\n".join(lines), errors="surrogateescape")
        return f"line {at + 1} {how}"

    def shift(self, path: Path) -> str:
        path.write_text("# moved\n" + path.read_text(errors="surrogateescape"), errors="surrogateescape")
        return "shifted"

    def remove(self, path: Path) -> str:
        path.unlink()
        return "removed"

    def move(self, path: Path) -> str:
        to = path.with_name(self.chance.choice(("moved.py", "utils.py", "common.py", path.stem + "_old.py")))
        path.replace(to)
        return f"moved to {to.name}"

    def shadow(self, path: Path) -> str:
        other = self.chance.choice(self.programs())
        to = other.with_name(path.name)
        to.write_bytes(path.read_bytes())
        return f"shadowed by {to.relative_to(self.root)}"

    def package(self, path: Path) -> str:
        init = path.with_name("__init__.py")
        if init.exists():
            init.unlink()
            return "no package any more"
        init.touch()
        return "a package now"

    def copy_over(self, path: Path) -> str:
        other = self.chance.choice(self.programs())
        path.write_bytes(other.read_bytes())
        return f"a copy of {other.relative_to(self.root)}"

    def configure(self, path: Path) -> str:
        line = self.chance.choice(_SETTINGS)
        (self.root / "pyproject.toml").write_text(f"[tool.tensorlint]\n{line}\n")
        return f"configured {line}"


def lint(root: Path, jobs: int, folder: Path | None) -> tuple[Report, Stopwatch]:
    """What is found, and how much of it a cache knew."""
    resolver, stopwatch = Resolver(_ALL), Stopwatch()
    files = discover([str(root)], resolver.for_directory)
    return run(files, resolver, jobs, None, folder and Cache(str(folder)), stopwatch), stopwatch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        root, folder = Path(directory) / "project", Path(directory) / "cache"
        shutil.copytree(arguments.project, root, ignore=shutil.ignore_patterns(".git", ".tensorlint_cache"))
        (root / "pyproject.toml").touch()
        editor = Editor(root, random.Random(arguments.seed))
        judged = 0
        for step in range(arguments.edits + 1):
            what = [editor.edit() for _ in range(editor.chance.choice((1, 1, 1, 3)))] if step else ["as it is"]
            cached, stopwatch = lint(root, arguments.jobs, folder)
            plain, _ = lint(root, arguments.jobs, None)
            judged += (stopwatch.asked - stopwatch.known) if step else 0
            print(
                f"{step:3}: {stopwatch.asked - stopwatch.known:4} of {stopwatch.asked} judged, "
                f"{len(plain.findings)} findings: {'; '.join(what)}",
                flush=True,
            )
            if cached != plain:
                for finding in sorted({*cached.findings} ^ {*plain.findings}, key=lambda finding: finding.sort_key):
                    where = "cached" if finding in cached.findings else "plain"
                    print(f"     {where}: {finding}", file=sys.stderr)
                return 1
    print(f"{arguments.edits} edits, {judged / max(arguments.edits, 1):.1f} files judged again after each")
    return 0


if __name__ == "__main__":
    sys.exit(main())

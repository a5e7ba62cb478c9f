"""Move the lines of a real tree about, rename its files, and see that its baseline knows every finding still.

python tools/move_lines.py TREE [--moves 1000] [--batch 50] [--seed 0]

Works on a copy of the Python files. After every batch of moves the copy is checked against the baseline that was
written at the start; a finding that is new is shown, and ends with exit code 1. A move is one of: a comment, a blank
line, a string or a block that does nothing before a statement at the top of a file; a statement at the top put into `if
True:`; a file or a folder renamed that no other file speaks of.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_NOTHING = (["# moved"], [""], ['"""moved"""'], ["if True:", "    pass"], ["", "# moved", "", ""])


def starts(text: str) -> list[tuple[int, int]]:
    """First and last row of each statement at the top of a program; none when it is none, or leads on from rows."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    rows = []
    for statement in body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(each.lineno for each in decorators)])
        rows.append((first, statement.end_lineno or first))
    # `from __future__` has to stand first, and so does the docstring.
    held = [at for at, each in enumerate(body) if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    return rows[max(held, default=0) + 1 :]


def moved(text: str, draw: random.Random) -> str:
    """The program with one of its statements elsewhere in the file, and nothing else changed."""
    places = starts(text)
    if not places:
        return text
    lines = text.splitlines(keepends=True)
    first, last = draw.choice(places)
    block = lines[first - 1 : last]
    text_above = "".join(lines[: first - 1])
    if draw.random() < 0.25 and '"""' not in "".join(block) and "'''" not in "".join(block) and "\\\n" not in block:
        indented = "".join(f"    {line}" if line.strip() else line for line in block)
        result = f"{text_above}if True:\n{indented}{''.join(lines[last:])}"
    else:
        put = [f"{line}\n" for line in draw.choice(_NOTHING)]
        result = "".join((text_above, *put, *lines[first - 1 :]))
    try:
        ast.parse(result)
    except SyntaxError:  # two statements in one line, and the like
        return text
    return result


def renamed(root: Path, path: Path, draw: random.Random) -> bool:
    """Give a file, or its folder, another name, unless other files speak of it: they would be another program then."""
    one = path.parent if draw.random() < 0.2 and path.parent != root else path
    other = one.with_name(f"{one.stem}_{draw.randrange(10_000)}{one.suffix}")
    word = re.compile(rf"\b{re.escape(one.stem)}\b".encode())
    others = (each for each in root.rglob("*.py") if each != one and one not in each.parents)
    if other.exists() or any(word.search(each.read_bytes()) for each in others):
        return False
    one.rename(other)
    return True


def copied(tree: Path, root: Path) -> None:
    """The Python files of a tree that can be read as UTF-8, without empty ones."""
    for path in sorted(tree.rglob("*.py")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            target = root / path.relative_to(tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--moves", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=50, help="moves between two checks")
    parser.add_argument("--select", default="ALL")
    parser.add_argument("--certainty", default="likely")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        copied(options.tree.resolve(), root)
        baseline = Path(folder) / "baseline.json"
        linter = [sys.executable, "-m", "tensorlint"]
        common = ["--isolated", "-q", "--select", options.select, "--certainty", options.certainty, str(root)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each or os.getcwd() for each in sys.path)}
        subprocess.run([*linter, *common, "--write-baseline", str(baseline)], env=environment, check=False)
        known = baseline.read_text(encoding="utf-8").count('"code"')
        done = {"lines": 0, "renames": 0}
        new = ""
        while sum(done.values()) < options.moves and not new:
            for _ in range(min(options.batch, options.moves - sum(done.values()))):
                path = draw.choice(sorted(root.rglob("*.py")))
                if draw.random() < 0.2:
                    done["renames"] += renamed(root, path, draw)
                    continue
                text = path.read_bytes().decode("utf-8", "surrogateescape")
                result = moved(text, draw)
                if result != text:
                    path.write_bytes(result.encode("utf-8", "surrogateescape"))
                    done["lines"] += 1
            command = [*linter, *common, "--baseline", str(baseline), "--output-format", "concise"]
            told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
            new = "".join(line for line in told.splitlines(keepends=True) if " TBX90" not in line)
            print(
                f"{done['lines']} line moves, {done['renames']} renames: {new.count(chr(10))} new of {known} known",
                flush=True,
            )
        print(new, end="")
        return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())

"""How long an editor waits for the findings after a keystroke: ``python benchmarks/server_latency.py [FILE...]``.

Each file is opened, one character after the other is typed in its middle, and the time is taken from the change to the
diagnostics of that very version. The debounce is set to 0, as it is waiting by choice. Without a file, one of 1,000
lines is made of the fixtures' programs. Beside the time that passes stands what the server takes of a processor (on
Linux), which is the same on a busy machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.editor import Editor  # noqa: E402

LINES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="programs to type in (default: one made of fixtures)")
    parser.add_argument("--keystrokes", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for file in arguments.files or [_made_of_fixtures(Path(directory))]:
            _report(file.resolve(), arguments.keystrokes)


def _made_of_fixtures(directory: Path) -> Path:
    """A program of that many lines: fixtures of many rules, one below the other, each in a function of its own."""
    lines: list[str] = []
    for folder in sorted((ROOT / "fixtures").glob("TBX*")):
        program = sorted(folder.glob("bad_*.py"))[0].read_text(encoding="utf-8")
        if '"""' in program.partition('"""')[2].partition('"""')[2] or "from __future__" in program:
            continue  # strings of many lines would be indented
        lines += [f"def {folder.name}():", *(f"    {line}" if line else "" for line in program.splitlines()), "", ""]
        if len(lines) > LINES:
            break
    path = directory / "program.py"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _report(file: Path, keystrokes: int) -> None:
    with Editor(file.parent, options={"debounce": 0}) as editor:
        begun = time.perf_counter()
        uri = editor.open(file)
        found = len(editor.diagnostics(uri))
        opened = time.perf_counter() - begun
        used = editor.processor_seconds()
        times = [_typed(editor, uri, index) for index in range(keystrokes)]
        used = (editor.processor_seconds() - used) / keystrokes
    median, slowest = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
    lines = editor.texts[uri].count("\n") + 1
    print(
        f"{file.name}: {lines} lines, {found} findings; opened in {opened * 1000:.0f} ms; "
        f"after a keystroke: median {median * 1000:.0f} ms, 95 % within {slowest * 1000:.0f} ms; "
        f"of a processor {used * 1000:.0f} ms"
    )


def _typed(editor: Editor, uri: str, index: int) -> float:
    """Seconds from one keystroke in a growing comment to what is found afterwards."""
    text = editor.texts[uri]
    middle = text.index("\n", len(text) // 2)
    key = "#" if index == 0 else "x"
    begun = time.perf_counter()
    editor.replace(uri, middle, middle, key)
    editor.diagnostics(uri)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()

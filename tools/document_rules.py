"""Write docs/rules/: one page for each code, from the docstring of its rule and its fixture programs.

python tools/document_rules.py            write the pages
python tools/document_rules.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tensorlint.catalogue import Entry, catalogue
from tensorlint.evidence import Seen, seen

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "rules"
BLOCKS = {
    "1": "Export: tensor to array",
    "2": "Import: array to tensor, and dtype",
    "3": "Aliasing: two names, one memory",
    "4": "Asynchrony and performance",
    "5": "Autograd",
    "9": "The tool itself",
}
MARK = "<!-- Written by tools/document_rules.py; change the docstring of the rule or its fixtures instead. -->"


def pages() -> dict[str, str]:
    """File name to text of every page."""
    entries = list(catalogue().values())
    written = {f"{entry.code}.md": "\n".join(_page(entry)) + "\n" for entry in entries}
    written["index.md"] = "\n".join(_index(entries)) + "\n"
    return written


def _page(entry: Entry) -> Iterator[str]:
    yield MARK
    yield ""
    yield f"# {entry.code}: {entry.name}"
    yield ""
    visibility = f" {entry.visibility[0].upper()}{entry.visibility[1:]}." if entry.visibility else ""
    yield f"Since {entry.since}. {_fix(entry)}{visibility}"
    yield ""
    yield entry.documentation
    for title, programs in (("Flagged", entry.bad), ("Not flagged", entry.good)):
        if programs:
            yield ""
            yield f"## {title}"
            yield ""
            yield f"`{programs[0].relative_to(ROOT).as_posix()}`, one of {len(programs)}:"
            yield ""
            yield "```python"
            yield programs[0].read_text(encoding="utf-8").rstrip("\n")
            yield "```"
    yield from _evidence(seen(entry.code))


def _evidence(lines: tuple[Seen, ...]) -> Iterator[str]:
    """Where the programs were run, as the ledgers in evidence/ have it."""
    if not lines:
        return
    yield ""
    yield "## Evidence"
    yield ""
    yield "Programs that `tensorlint verify` confirmed, with their fixes, and those that it did not."
    yield "Flagged ones were seen to do what they claim, the others to run without it."
    yield ""
    yield "| torch | NumPy | Python | platform | device | flagged | not flagged | refuted | not run |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for each in lines:
        refuted = ", ".join(f"`{name}`" for name in each.refuted) or "0"
        counts = (str(each.bad), str(each.good), refuted, str(each.not_run))
        yield f"| {' | '.join((each.torch, each.numpy, each.python, each.platform, each.device, *counts))} |"


def _index(entries: list[Entry]) -> Iterator[str]:
    yield MARK
    yield ""
    yield "# Rules"
    for digit, title in BLOCKS.items():
        block = [entry for entry in entries if entry.code[3] == digit]
        if block:
            yield ""
            yield f"## TBX{digit}: {title}"
            yield ""
            yield "| code | name | fix |"
            yield "|---|---|---|"
            for entry in block:
                yield f"| [{entry.code}]({entry.code}.md) | {entry.name} | {entry.fix or ''} |"


def _fix(entry: Entry) -> str:
    return f"Fix: {entry.fix}." if entry.fix else "No automatic fix."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args().check
    wanted = pages()
    present = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    stale = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
    if check:
        for name in stale:
            print(f"docs/rules/{name} is stale: run `make docs`")
        return 1 if stale else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (PAGES / name).write_text(wanted[name], encoding="utf-8")
        else:
            (PAGES / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Write docs/rules/: one page for each code, from the docstring of its rule, its fixture programs, what tensorlint
prints of one, the ledgers in evidence/ and the tables in benchmarks/.

python tools/document_rules.py            write the pages
python tools/document_rules.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from document_gallery import anchor_of
from pages import DOCS, ROOT, Reading, bugs, first_printed, readings, table, write_or_check

from tensorlint.catalogue import Entry, catalogue
from tensorlint.evidence import Seen, seen
from tensorlint.rules import all_rules

PAGES = DOCS / "rules"
BLOCKS = {
    "1": "Export: tensor to array",
    "2": "Import: array to tensor, and dtype",
    "3": "Aliasing: two names, one memory",
    "4": "Asynchrony and performance",
    "5": "Autograd",
    "9": "The tool itself",
}
MARK = "<!-- Written by tools/document_rules.py; change the docstring of the rule or its fixtures instead. -->"
#: No selection and no comment hides them.
ALWAYS_SHOWN = {"TBX900", "TBX901", "TBX902"}
QUALITY = "[Quality](../quality.md#findings-read-by-hand)"


def pages() -> dict[Path, str]:
    """The text of every page."""
    entries = list(catalogue().values())
    written = {PAGES / f"{entry.code}.md": "\n".join(_page(entry)) + "\n" for entry in entries}
    written[PAGES / "index.md"] = "\n".join(_index(entries)) + "\n"
    return written


def _page(entry: Entry) -> Iterator[str]:
    yield MARK
    yield ""
    yield f"# {entry.code}: {entry.name}"
    yield ""
    visibility = f" {entry.visibility[0].upper()}{entry.visibility[1:]}." if entry.visibility else ""
    yield f"Since {entry.since}. {_fix(entry)}{visibility}{_releases(entry.code)}"
    yield ""
    yield entry.documentation
    if entry.bad:
        program, shown = first_printed(entry.bad, entry.code, *(() if entry.default else ("--select", entry.code)))
        yield from _program("Flagged", program, len(entry.bad))
        yield ""
        yield "What tensorlint prints of it:"
        yield ""
        yield from shown.block()
    if entry.good:
        yield from _program("Not flagged", entry.good[0], len(entry.good))
    yield from _measured(entry)
    if entry.bad:
        yield from _evidence(seen(entry.code))


def _releases(code: str) -> str:
    """On which releases its claim holds, where it does not on all."""
    if code not in all_rules():
        return ""
    holds = all_rules()[code].versions
    bounds = {
        f"torch {holds.torch_from} and later": holds.torch_from,
        f"torch before {holds.torch_below}": holds.torch_below,
        f"NumPy {holds.numpy_from} and later": holds.numpy_from,
        f"NumPy before {holds.numpy_below}": holds.numpy_below,
    }
    words = [text for text, bound in bounds.items() if bound]
    return f" Holds on {', '.join(words)}." if words else ""


def _program(title: str, program: Path, count: int) -> Iterator[str]:
    name = program.relative_to(ROOT).as_posix()
    yield ""
    yield f"## {title}"
    yield ""
    yield f"[`{name}`](../../{name}), one of {count}:"
    yield ""
    yield "```python"
    yield program.read_text(encoding="utf-8").rstrip("\n")
    yield "```"


def _measured(entry: Entry) -> Iterator[str]:
    """What came of reading its findings by hand, and the bugs among them."""
    if entry.code[3] == "9":
        return
    yield ""
    yield "## Measured"
    yield ""
    rows = [row for reading in readings() if reading.is_of(entry.code) for row in _rows(reading, entry.code)]
    if rows:
        yield "Findings that were read by hand, with callers and producers, in repositories that the rule was not"
        yield f"written on; right are those worth acting on. {QUALITY} says how, and what followed."
        yield ""
        yield from table(("round", "findings", "read", "right", "what the others were"), *rows)
    else:
        yield "None of its findings is among those that were read by hand in repositories that it was not written on,"
        yield f"so what it is worth there is not known ({QUALITY})."
    found = [bug for bug in bugs() if bug.code == entry.code]
    if found:
        yield ""
        yield "Bugs it found:"
        yield ""
        for bug in found:
            yield f"- {bug.repository}, {bug.lines}: [{bug.what}](../gallery.md#{anchor_of(bug.program)})"


def _rows(reading: Reading, code: str) -> Iterator[tuple[str, ...]]:
    """One for what was shown, and one for what was not, as far as some were read."""
    together = "" if reading.rules == code else f" ({reading.rules} together)"
    shown, hidden = ("`--certainty likely`", "") if reading.rounds != "10" else ("shown by default", "not shown")
    if reading.read:
        yield reading.rounds, f"{shown}{together}", reading.read, reading.right, reading.others
    if reading.hidden_read:
        yield reading.rounds, f"{hidden}{together}", reading.hidden_read, reading.hidden_right, ""


def _evidence(lines: tuple[Seen, ...]) -> Iterator[str]:
    """Where the programs were run, as the ledgers in evidence/ have it."""
    yield ""
    yield "## Evidence"
    yield ""
    if not lines:
        yield "The ledgers in evidence/ do not have its programs yet; `make verify` runs them."
        return
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
    yield ""
    count = sum(entry.code[3] != "9" for entry in entries)
    yield f"{count} rules in five blocks, and five codes about the tool and the files themselves. *Shown* says which"
    yield "findings are shown by default: all that are at least `likely`, those that are `certain`, or none (`off`)."
    for digit, title in BLOCKS.items():
        block = [entry for entry in entries if entry.code[3] == digit]
        if block:
            yield ""
            yield f"## TBX{digit}: {title}"
            yield ""
            yield from table(("code", "name", "what is reported", "shown", "fix"), *map(_row, block))


def _row(entry: Entry) -> tuple[str, ...]:
    shown = "always" if entry.code in ALWAYS_SHOWN else entry.shown if entry.default else "off"
    return f"[{entry.code}]({entry.code}.md)", entry.name, _summary(entry), shown, entry.fix or ""


def _summary(entry: Entry) -> str:
    """The first paragraph of its documentation; of a code about the tool, the first sentence."""
    first = " ".join(entry.documentation.partition("\n\n")[0].split())
    return f"{first.partition('. ')[0].rstrip('.')}." if entry.code[3] == "9" else first


def _fix(entry: Entry) -> str:
    return f"Fix: {entry.fix}." if entry.fix else "No automatic fix."


if __name__ == "__main__":
    sys.exit(write_or_check(pages(), PAGES.glob("*.md"), __doc__))

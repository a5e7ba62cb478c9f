"""Write the figures of docs/quality.md that can be counted, and its tables that other pages take from as well.

python tools/document_quality.py            write them
python tools/document_quality.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from document_gallery import anchor_of
from document_limits import misses
from pages import DOCS, ROOT, Reading, bugs, readings, table, with_part, write_or_check

from tensorlint.catalogue import Entry, catalogue
from tensorlint.findings import Certainty

PAGE = DOCS / "quality.md"
#: The aims, in percent: over all findings that were read, and of a rule of which as many as this were read.
_WANTED_OF_ALL, _WANTED_OF_A_RULE, _ENOUGH = 85, 80, 8


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    rounds = (
        (f"read-{number}", _round(number))
        for number in ("10", "11", "12", "13", "14", "15", "16", "17", "18", "20", "21", "22", "23", "24")
    )
    counted = (
        ("read", _read_in_all()),
        ("rules", _by_rule()),
        ("fixtures", _fixtures()),
        ("programs", _programs()),
    )
    for name, lines in (*counted, ("read-1-8", _first_rounds()), *rounds, ("bugs", _bugs())):
        text = with_part(text, name, lines)
    return text


@dataclass(frozen=True, slots=True)
class Total:
    """Findings of one rule, or of all, over the rounds that read what is shown by default."""

    read: int
    #: To the stricter reader, and to the more lenient one.
    right: tuple[int, int]
    hidden_read: int
    hidden_right: tuple[int, int]

    @property
    def shares(self) -> tuple[float, float]:
        return self.right[0] / self.read, self.right[1] / self.read


def total(rows: Iterable[Reading]) -> Total:
    """What these say of the defaults, added up."""
    kept = [each for each in rows if each.is_of_defaults]
    return Total(
        sum(int(each.read or 0) for each in kept),
        _summed(each.right_between for each in kept),
        sum(int(each.hidden_read or 0) for each in kept),
        _summed(each.hidden_right_between for each in kept),
    )


def _summed(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    strict, lenient = zip((0, 0), *pairs, strict=True)
    return sum(strict), sum(lenient)


def _read_in_all() -> Iterator[str]:
    """The sum over all rules, and how many rules are right often enough."""
    single = [each for each in readings() if each.is_of_defaults and each.read]
    largest = sorted(single, key=lambda each: int(each.read), reverse=True)[:2]
    everything, rest = total(single), total(each for each in single if each not in largest)
    yield from _prose(
        f"Of {everything.read} findings that are shown by default and were read since round 10,",
        f"{_span(everything.right)} ({_percent(everything)}) are right; {_WANTED_OF_ALL} % are wanted.",
        "Each was read before its lesson was learned, and what was wrong is mended: without the",
        " and ".join(f"{each.read} of {each.rules} in round {each.rounds}" for each in largest) + ", it is",
        f"{_span(rest.right)} of {rest.read} ({_percent(rest)}).",
    )
    enough = {code: _of(code) for code in _rules() if _of(code).read >= _ENOUGH}
    strictly, leniently = (
        [code for code, each in enough.items() if each.shares[reader] * 100 >= _WANTED_OF_A_RULE] for reader in (0, 1)
    )
    yield ""
    yield from _prose(
        f"Rules of which {_ENOUGH} findings or more were read are to be right in {_WANTED_OF_A_RULE} %.",
        f"Of {len(enough)} such rules {_counted(strictly)} reached that for the stricter reader,",
        f"{_counted(leniently)} for the more lenient one.",
    )


def _counted(codes: list[str]) -> str:
    return f"{len(codes)} ({', '.join(codes)})" if codes else "none"


def _prose(*parts: str) -> list[str]:
    return textwrap.wrap(" ".join(parts), 120, break_long_words=False, break_on_hyphens=False)


def _by_rule() -> Iterator[str]:
    rows = []
    for code, entry in _rules().items():
        all_of = _of(code)
        if all_of.read or all_of.hidden_read:
            shown = (str(all_of.read), _span(all_of.right), _percent(all_of)) if all_of.read else ("", "", "")
            hidden = (str(all_of.hidden_read), _span(all_of.hidden_right)) if all_of.hidden_read else ("", "")
            rows.append((f"[{code}](rules/{code}.md)", _default(entry), *shown, *hidden))
    yield from table(("rule", "by default", "read", "right", "share", "not shown: read", "right"), *rows)
    never = [code for code in _rules() if not (_of(code).read or _of(code).hidden_read)]
    yield ""
    yield from _prose(f"None of the findings of {len(never)} rules was among them: {', '.join(never)}.")


def _default(entry: Entry) -> str:
    if not entry.default:
        return "off"
    return "`certain`" if entry.shown == Certainty.CERTAIN.label else "`likely`"


@cache
def _rules() -> dict[str, Entry]:
    return {code: entry for code, entry in catalogue().items() if code[3] != "9"}


@cache
def _of(code: str) -> Total:
    return total(each for each in readings() if each.is_of(code))


def _span(numbers: tuple[int, int]) -> str:
    return " to ".join(map(str, dict.fromkeys(numbers)))


def _percent(summed: Total) -> str:
    return f"{' to '.join(dict.fromkeys(f'{share:.0%}'[:-1] for share in summed.shares))} %"


def _fixtures() -> Iterator[str]:
    files = list((ROOT / "fixtures").glob("*/*.py"))
    claims = sum(path.parent.name == "claims" for path in files)
    marked = misses()
    programs = {miss.program for miss in marked}
    yield from _prose(
        f"`make test` runs every program under `fixtures/`: {len(files):,} of them ({len(files) - claims:,} for the",
        f"{len(_rules())} rules, {claims} for the claims of the source articles). All behave as their comments say:",
        f"each marked line is flagged with its code, nothing else is. {len(marked)} lines in {len(programs)} programs",
        "are wrong and not seen; [limits](limits.md#every-miss) has each.",
    )


def _programs() -> Iterator[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "flow" / "programs").glob("*.md")]
    titles = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    limits = sum(title.endswith("(not yet)") for title in titles)
    yield from _prose(
        f"`tests/flow/programs/` says of {len(titles)} programs what is known at each point (device, gradient, dtype,",
        "storage, what a line writes and which name it leaves stale), by topic.",
        f"{len(titles) - limits} are known as they should be. {limits} are limits, with what would be true beside",
        "what is said, and the test fails when one is known after all.",
    )


def _first_rounds() -> Iterator[str]:
    rows = [(each.rules, each.read, each.right, each.others) for each in readings() if each.rounds == "1 to 8"]
    return table(("rule", "read", "right", "what the others were, in rounds 5 to 8"), *rows)


def _round(number: str) -> Iterator[str]:
    rows = [
        (each.rules, each.read, each.right, each.others, each.hidden_read, each.hidden_right)
        for each in readings()
        if each.rounds == number
    ]
    return table(("rule", "shown: read", "right", "what the others were", "not shown: read", "right"), *rows)


def _bugs() -> Iterator[str]:
    rows = [
        (each.repository, f"{each.lines} ([{each.code}](gallery.md#{anchor_of(each.program)}))", each.what)
        for each in bugs()
    ]
    return table(("repository, commit", "line", "what happens"), *rows)


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, iter(()), __doc__))

"""The documentation of a rule, where a finding or a code in a comment is pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from lsprotocol import types

from tensorlint.catalogue import Entry, catalogue
from tensorlint.codes import canonical
from tensorlint.findings import Finding, Span
from tensorlint.server.workspace import Page, Program
from tensorlint.source import Source
from tensorlint.suppression import Suppressions

_WORD = re.compile(r"[\w-]+")


def hover_in(
    program: Program, page: Page, at: types.Position, findings: Iterable[Finding], *, markdown: bool
) -> types.Hover | None:
    """What there is to read at a position: of a code in a suppression comment, else of what is found there."""
    place = page.span(types.Range(at, at))
    documented = _entries()
    named = _code_at(Source(program.path, page.text), page.inside(place))
    if named is not None and named[0] in documented:
        span, entries = named[1], [documented[named[0]]]
    else:
        here = [finding for finding in findings if _covers(finding.span, place)]
        if not here:
            return None
        span = page.inside(min((finding.span for finding in here), key=_size))
        codes = dict.fromkeys(code for finding in here for code in (finding.code, *finding.also))
        entries = [documented[code] for code in codes if code in documented]
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    text = "\n\n---\n\n".join("\n".join(_page(entry, markdown=markdown)) for entry in entries)
    return types.Hover(types.MarkupContent(kind, text), page.places.range(span))


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, Entry]:
    return catalogue()


def _page(entry: Entry, *, markdown: bool) -> Iterator[str]:
    fix = f"fix: {entry.fix}" if entry.fix else "no automatic fix"
    yield f"**[{entry.code}]({entry.url}): {entry.name}**" if markdown else f"{entry.code}: {entry.name}"
    yield ""
    yield ", ".join(each for each in (fix, entry.visibility) if each)
    yield ""
    yield entry.documentation
    if not markdown:
        yield ""
        yield entry.url


def _code_at(source: Source, place: Span) -> tuple[str, Span] | None:
    """The code that a suppression comment names at this place, and where it stands."""
    for comment in Suppressions.parse(source).comments:
        if comment.row != place.row or not comment.start <= place.column <= comment.end:
            continue
        line = source.lines[comment.row - 1]
        for word in _WORD.finditer(line, comment.start - 1, comment.end - 1):
            if word.start() < place.column <= word.end() + 1:
                return canonical(word.group()), Span(comment.row, word.start() + 1, comment.row, word.end() + 1)
    return None


def _covers(span: Span, place: Span) -> bool:
    return (span.row, span.column) <= (place.row, place.column) <= (span.end_row, span.end_column)


def _size(span: Span) -> tuple[int, int]:
    return span.end_row - span.row, span.end_column - span.column

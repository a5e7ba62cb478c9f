"""Look for dead links.

python tools/check_links.py            in the Markdown files of the repository, as GitHub shows them
python tools/check_links.py FOLDER     in a site that was built there, which may load nothing from elsewhere
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pages import DOCS, ROOT

_FENCED = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?:(?!\1).)+?\1", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def markdown_files() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), ROOT / "fixtures" / "README.md", *sorted(DOCS.rglob("*.md"))]


def dead_in_markdown(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        text = _FENCED.sub("", file.read_text(encoding="utf-8"))
        for match in _LINK.finditer(_CODE.sub("", text)):
            parts = urlsplit(match[1])
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.exists():
                yield f"{os.path.relpath(file, ROOT)}: no file {match[1]}"
            elif parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
                yield f"{os.path.relpath(file, ROOT)}: no heading {match[1]}"


@cache
def anchors(file: Path) -> frozenset[str]:
    """What GitHub calls the headings of a page."""
    found: dict[str, int] = {}
    for match in _HEADING.finditer(_FENCED.sub("", file.read_text(encoding="utf-8"))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return frozenset(found)


@dataclass
class _Html(HTMLParser):
    """What a page of the site links to, loads, and can be linked to."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    headings: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        self.headings += tag == "h1"
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload", "preconnect"}:
            self.loads.append(values["href"])
        elif "src" in values:
            self.loads.append(values["src"])


def dead_in_site(folder: Path) -> Iterator[str]:
    pages = {path: _read(path) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        if page.headings != 1:
            yield f"{name}: {page.headings} titles"
        for url in page.loads:
            if urlsplit(url).netloc:
                yield f"{name}: loads {url} from elsewhere"
        for url in [*page.links, *page.loads]:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            start = folder / parts.path.lstrip("/") if parts.path.startswith("/") else path.parent / unquote(parts.path)
            target = (start / "index.html" if start.is_dir() else start).resolve() if parts.path else path
            if not target.exists():
                yield f"{name}: no page {url}"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{name}: no place {url}"


def _read(path: Path) -> _Html:
    page = _Html()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def main() -> int:
    folders = [Path(name).resolve() for name in sys.argv[1:]]
    dead = [line for folder in folders for line in dead_in_site(folder)] if folders else []
    dead = dead if folders else list(dead_in_markdown(markdown_files()))
    for line in dead:
        print(line)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the documentation site needs beyond mkdocs.yml: the same links as on GitHub, and a place in the menu for the
pages that are written by tools/."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from tensorlint.links import HOME

ROOT = Path(__file__).resolve().parent.parent
#: A relative link that leads out of docs/, not in a block of code.
_OUTWARDS = re.compile(r"\]\(((?:\.\./)+[^)#\s]*)")
_BLOCK = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the menu that follow from the files: a page for each rule, and for each claim."""
    docs = Path(config.docs_dir)
    rules = _numbered(docs / "rules", r"(TBX)(\d{3})")
    blocks: dict[str, list[dict[str, str]]] = {}
    for path in rules:
        blocks.setdefault(path.stem[:4], []).append(_titled(path))
    titles = dict(re.findall(r"^## (TBX\d): (.*)$", (docs / "rules" / "index.md").read_text("utf-8"), re.MULTILINE))
    _fill(config.nav, "Rules", ["rules/index.md", *({f"{code}: {titles[code]}": blocks[code]} for code in blocks)])
    claims = _numbered(docs / "claims", r"([A-Z])(\d+)")
    _fill(config.nav, "Claims, executed", ["claims.md", *map(_titled, claims)])
    return config


def _numbered(folder: Path, pattern: str) -> list[Path]:
    found = [(match, path) for path in folder.glob("*.md") if (match := re.fullmatch(pattern, path.stem))]
    return [path for match, path in sorted(found, key=lambda each: (each[0][1], int(each[0][2])))]


def _titled(path: Path) -> dict[str, str]:
    """An entry of the menu with the title of a page, which mkdocs does not see below a comment."""
    title = re.search(r"^# (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {title[1].replace("`", "") if title else path.stem: f"{path.parent.name}/{path.name}"}


def _fill(entries: Any, title: str, pages: list[Any]) -> None:
    for entry in entries:
        for name, below in entry.items() if isinstance(entry, dict) else ():
            if name == title:
                entry[name] = pages
            elif isinstance(below, list):
                _fill(below, title, pages)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files of the repository that are no pages lead to GitHub."""
    start, parts = 0, []
    for block in _BLOCK.finditer(markdown):
        parts += [_outwards(markdown[start : block.start()], page), block[0]]
        start = block.end()
    return "".join([*parts, _outwards(markdown[start:], page)])


def _outwards(text: str, page: Page) -> str:
    def there(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), match[1]))
        if path == "docs" or path.startswith("docs/"):
            return match[0] if not path.endswith(".py") else f"]({HOME}/blob/main/{path}"
        if not (ROOT / path).exists():
            raise PluginError(f"{page.file.src_uri}: no file {path} in the repository")
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"]({HOME}/{kind}/main/{path}"

    return _OUTWARDS.sub(there, text)

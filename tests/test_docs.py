"""The tools that check the documentation see what is wrong with it; what costs little is checked here, too."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tensorlint.catalogue import catalogue

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BAD_PAGE = """\
# A page

<!-- check
finds: TBX101
claim: raises TypeError "can't convert"
-->
```python title="host.py"
import torch

print(torch.ones(2).numpy())
```

```console
$ tensorlint host.py
host.py:3:7: TBX101
$ tensorlint --no-such-option
$ pip install tensorlint
```

```toml
[tool.tensorlint]
selct = ["TBX1"]
```
"""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")


@pytest.fixture
def check_docs(tools: None) -> ModuleType:
    import check_docs

    return check_docs


@pytest.fixture
def check_links(tools: None) -> ModuleType:
    import check_links

    return check_links


def test_no_link_is_dead(check_links: ModuleType) -> None:
    files = check_links.markdown_files()
    assert {ROOT / "README.md", ROOT / "docs" / "rules" / "TBX101.md"} <= set(files)
    assert list(check_links.dead_in_markdown(files)) == []


def test_dead_links_are_seen(check_links: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "# One `two`, three\n## One\n## One\n[a](page.md#one-two-three) [b](#one-1) [c](https://example.org/x)\n"
    page.write_text(f"{text}```text\n[d](gone.md)\n```\n`[e](gone.md)`\n", encoding="utf-8")
    assert list(check_links.dead_in_markdown([page])) == []
    page.write_text(f"{text}[f](gone.md) [g](#two)", encoding="utf-8")
    check_links.anchors.cache_clear()
    assert [line.partition(": ")[2] for line in check_links.dead_in_markdown([page])] == [
        "no file gone.md",
        "no heading #two",
    ]


def test_dead_links_of_a_site_are_seen(check_links: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "index.html").write_text('<h1 id="a">A</h1><a href="rules/#b">b</a><a href="/rules/">c</a>')
    (tmp_path / "rules" / "index.html").write_text('<h1>B</h1><p id="b"></p><a href="..#a">d</a><a href="#b">e</a>')
    assert list(check_links.dead_in_site(tmp_path)) == []
    (tmp_path / "index.html").write_text(
        '<a href="rules/#c">b</a><a href="gone/">c</a><script src="https://example.org/x.js"></script>'
    )
    assert list(check_links.dead_in_site(tmp_path)) == [
        "index.html: 0 titles",
        "index.html: loads https://example.org/x.js from elsewhere",
        "index.html: no place rules/#c",
        "index.html: no page gone/",
        "rules/index.html: no place ..#a",
    ]


def test_what_a_page_says_and_is_not_so_is_seen(check_docs: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(BAD_PAGE, encoding="utf-8")
    checked = check_docs.check([page])
    seen = [(problem.row, problem.text.partition("\n")[0]) for problem in checked.wrong]
    assert seen == [
        (14, "`tensorlint host.py` prints"),
        (16, "`tensorlint --no-such-option` has exit code 2:"),
        (21, "`tensorlint --config checked.toml --show-files src` has exit code 2:"),
        (8, "tensorlint finds nothing in this program, where its comment says TBX101"),
        (8, seen[-1][1]),
    ]
    assert seen[-1][1].startswith("refuted on cpu: raises TypeError")
    assert checked.left == {"an installation": ["page.md:17: pip install tensorlint"]}
    check_docs.rewrite(page, checked.wrong)
    assert "$ tensorlint host.py\nAll clear: 1 file checked.\n$ tensorlint --no-such-option\n" in page.read_text(
        "utf-8"
    )


def test_lines_that_a_page_leaves_out(check_docs: ModuleType) -> None:
    assert check_docs.is_shown(["a", "b", "c"], ["a", "[...]", "c"])
    assert check_docs.is_shown(["a", "c"], ["a", "[...]", "c"])
    assert not check_docs.is_shown(["a", "b"], ["a", "[...]", "c"])
    assert not check_docs.is_shown(["a.c"], ["abc"])


def test_a_comment_that_says_nothing_is_an_error(tools: None, tmp_path: Path) -> None:
    import blocks

    page = tmp_path / "page.md"
    page.write_text("<!-- check\nfind: TBX101\n-->\n```python\n```\n", encoding="utf-8")
    with pytest.raises(ValueError, match="find: TBX101"):
        blocks.blocks(page)


def test_part_of_a_page(tools: None) -> None:
    import pages

    text = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
    assert pages.with_part(text, "x", iter(["new", "lines"])) == text.replace("old", "new\nlines")
    with pytest.raises(ValueError, match="no place"):
        pages.with_part(text, "y", iter([]))


def test_bugs_and_readings_name_rules_and_programs(tools: None) -> None:
    import pages

    programs = {path.stem for path in (ROOT / "docs" / "gallery").glob("*.py")}
    assert {bug.program for bug in pages.bugs()} == programs
    codes = {code for reading in pages.readings() for code in reading.rules.split(", ")}
    assert codes | {bug.code for bug in pages.bugs()} <= catalogue().keys()


def test_every_miss_is_listed(tools: None) -> None:
    import document_limits

    found = document_limits.misses()
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    marked = [row for path in (ROOT / "fixtures").rglob("*.py") for row in path.read_text("utf-8").splitlines()]
    assert len(found) == sum("# miss: TBX" in row for row in marked)
    assert [miss.program.stem for miss in found if not miss.story] == []
    assert [miss.program.stem for miss in found if f"/{miss.program.stem}.py) | `" not in text] == []


def test_what_readers_said_is_added_up(tools: None) -> None:
    import document_quality
    import pages

    assert [pages.between(each) for each in ("3 to 15", "4", "")] == [(3, 15), (4, 4), (0, 0)]
    rows = [
        pages.Reading("1 to 8", "TBX101", "50", "7", "", "", ""),
        pages.Reading("10", "TBX101", "5", "1 to 2", "", "", ""),
        pages.Reading("11", "TBX101", "3", "1", "8", "0 to 1", ""),
    ]
    assert document_quality.total(rows) == document_quality.Total(8, (2, 3), 8, (0, 1))


def test_the_readme_counts_the_rules() -> None:
    count = sum(code[3] != "9" for code in catalogue())
    assert f"{count} rules in five blocks" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_that_is_shown_can_be_read(page: Path) -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for match in re.finditer(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for mapping in _mappings(yaml.safe_load(match[1])):
            if str(mapping.get("uses", "")).startswith("tensorlint/"):
                assert mapping.get("with", {}).keys() <= inputs.keys()
            if "rev" in mapping:
                assert {hook["id"] for hook in mapping["hooks"]} <= {hook["id"] for hook in hooks}


def _mappings(value: object) -> list[dict[str, object]]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [found for each in below for found in _mappings(each)]

"""The file of a Jupyter notebook: where in its JSON the code cells stand, and how one of them is written anew.

Python's own decoder reads the JSON, and is asked for the end of each value on the way to the cells. So a cell that
changes is cut out of the text of the file, and all else in it stays as it is: layout, order of keys, escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tensorlint.source import NEWLINE, UNREADABLE, SourceError

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SPACE = re.compile(r"[ \t\r\n]*")
#: One character of a string as JSON writes it. Two escapes that are a pair of surrogates are one character.
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)
_UNFIT = {re.compile("[\ud800-\udfff]"): "half of a surrogate pair", re.compile("\0"): "a NUL character"}
_DECODER = json.JSONDecoder()
#: Outputs of what ran.
_SHOWN = frozenset({"display_data", "execute_result", "pyout", "stream"})
#: Among the names of exceptions: whichever it may be.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell. ``number`` counts all cells from 1; ``start`` and ``end`` are those of its source in the file.

    ``strings`` are the places of the strings that make up the source: one, or the elements of a list. ``raises`` are
    the exceptions that the cell is known to raise: by name where its output recorded one, ``ANY`` where it has the tag
    ``raises-exception``, by which Jupyter goes on after it. None are known, and not even that there are none, where it
    was not run.
    """

    number: int
    text: str
    start: int
    end: int
    strings: tuple[tuple[int, int], ...]
    raises: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The text of the file, and the code cells in it; none where they are in another language than Python."""

    text: str = ""
    cells: tuple[Cell, ...] = ()
    language: str = "python"

    @classmethod
    def read(cls, text: str) -> Document:
        """The notebook in the text of a file. Raises ``SourceError`` where there is none."""
        if not text.strip():
            raise SourceError(UNREADABLE, "the file is no notebook: it is empty")
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            message = f"the file is no notebook: not valid JSON: {error.msg}"
            raise SourceError(UNREADABLE, message, error.lineno, error.colno) from None
        except RecursionError:
            raise SourceError(UNREADABLE, "the file is no notebook: its JSON is nested too deeply") from None
        if not isinstance(content, dict) or not any(isinstance(content.get(key), list) for key in _LISTS):
            raise SourceError(UNREADABLE, "the file is no notebook: there is no list of cells in it")
        if (language := _language(content.get("metadata"))) != "python":
            return cls(text, language=language)
        return cls(text, tuple(_code_cells(text)))

    def with_cells(self, texts: Mapping[int, str]) -> str:
        """The file with these texts in the cells of these numbers."""
        parts: list[str] = []
        done = 0
        for cell in self.cells:
            if texts.get(cell.number, cell.text) != cell.text:
                parts += (self.text[done : cell.start], self._source(cell, texts[cell.number]))
                done = cell.end
        return "".join((*parts, self.text[done:]))

    def position(self, cell: Cell, row: int, column: int) -> tuple[int, int]:
        """Row and column in the file of what stands on this row and column of a cell."""
        starts = [0, *(match.end() for match in NEWLINE.finditer(cell.text))]
        left = min(starts[min(row, len(starts)) - 1] + column - 1, len(cell.text))
        at = cell.start
        for start, end in cell.strings:
            size = len(json.loads(self.text[start:end]))
            at = start + 1 + sum(len(each) for each in islice(_CHARACTER.findall(self.text[start + 1 : end - 1]), left))
            if left < size:
                break
            left -= size
        return _position(self.text, at)

    def _source(self, cell: Cell, new: str) -> str:
        """The source of a cell with a new text, written as the old one is: in one string, or line by line in a list."""
        # Only what is not ASCII can be seen to be escaped; nbformat itself does not escape it.
        escapes = self.text[cell.start : cell.end].isascii() and not cell.text.isascii()
        if self.text[cell.start] == '"':
            return json.dumps(new, ensure_ascii=escapes)
        written = [self.text[start:end] for start, end in cell.strings]
        lines = _rewritten(written, new, lambda text: json.dumps(text, ensure_ascii=escapes))
        if not cell.strings:
            return f"[{', '.join(lines)}]"
        (start, end), *others = cell.strings
        opening, closing = self.text[cell.start : start], self.text[cell.strings[-1][1] : cell.end]
        between = self.text[end : others[0][0]] if others else f",{opening[1:] or ' '}"
        return opening + between.join(lines) + closing


def _rewritten(written: list[str], new: str, write: Callable[[str], str]) -> list[str]:
    """The strings of a list, as they are written, where they are to make up another text.

    Most hold one line each. Where some that changes holds several, the new text of all that change is one string.
    """
    old = [json.loads(each) for each in written]
    before = after = 0
    left = new
    while before < len(old) and left.startswith(old[before]) and (old[before].endswith("\n") or left == old[before]):
        left = left[len(old[before]) :]
        before += 1
    while after < len(old) - before and left.endswith(last := old[-1 - after]):
        rest = left[: len(left) - len(last)]
        if rest and not rest.endswith("\n"):
            break
        left = rest
        after += 1
    kept = len(old) - after
    known = dict(zip(old, written, strict=True))
    parts = _LINE.findall(left) if all(_LINE.fullmatch(each) for each in old[before:kept]) else [left]
    return [*written[:before], *(known.get(part) or write(part) for part in parts), *written[kept:]]


#: Where the cells are: from nbformat 4 on, and before.
_LISTS = ("cells", "worksheets")


def _language(metadata: object) -> str:
    """What the metadata says about the language of the cells; Python where it says nothing."""
    info, kernel = _part(metadata, "language_info"), _part(metadata, "kernelspec")
    told = info.get("name") or kernel.get("language") or _of_kernel(str(kernel.get("name")))
    if "python" not in str(told).lower():
        return str(told)
    # Another language to whoever reads Python 3. What ran the notebook last says so, else what it asks for.
    is_old = str(info["version"]).startswith("2.") if "version" in info else kernel.get("name") == "python2"
    return "python 2" if is_old else "python"


def _of_kernel(name: str) -> str:
    """The language of kernels that go by their language; others say nothing by their name."""
    return "R" if name == "ir" else "Julia" if name.startswith("julia") else "python"


def _part(content: object, key: str) -> Mapping[str, Any]:
    part = content.get(key) if isinstance(content, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _code_cells(text: str) -> Iterator[Cell]:
    for number, at in enumerate(_cells(text), start=1):
        if text[at] != "{":
            raise _unfit(text, at, f"cell {number} is no object")
        members = {key: (start, end) for key, start, end in _members(text, at)}
        if not _is_python_code(_values(text, members, ("cell_type", "language", "metadata"))):
            continue
        place = members.get("source") or members.get("input")
        if place is None:
            raise _unfit(text, at, f"cell {number} has no source")
        start, end = place
        strings = tuple(_items(text, start)) if text[start] == "[" else (place,)
        if any(text[each] != '"' for each, _ in strings):
            raise _unfit(text, start, f"the source of cell {number} is no text")
        source = "".join(json.loads(text[slice(*each)]) for each in strings)
        for sign, what in _UNFIT.items():
            if sign.search(source):
                raise _unfit(text, start, f"cell {number} contains {what}")
        known = _values(text, members, ("metadata", "outputs", "execution_count", "prompt_number"))
        raised = frozenset(_raised(known))
        yield Cell(number, source, start, end, strings, raised if raised or _was_run(known) else None)


def _values(text: str, members: Mapping[str, tuple[int, int]], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: json.loads(text[slice(*members[key])]) for key in keys if key in members}


def _is_python_code(cell: Mapping[str, Any]) -> bool:
    """By what nbformat 3, and editors that mix languages, say of single cells."""
    languages = (cell.get("language"), _part(cell.get("metadata"), "vscode").get("languageId"))
    return cell.get("cell_type") == "code" and all(each is None or each == "python" for each in languages)


def _raised(cell: Mapping[str, Any]) -> Iterator[str]:
    """The exceptions that the cell is known to raise, as ``Cell.raises`` has them."""
    tags = _part(cell, "metadata").get("tags")
    if isinstance(tags, list) and "raises-exception" in tags:
        yield ANY
    for output in _outputs(cell):
        # Before nbformat 4 it was called "pyerr".
        if isinstance(name := output.get("ename"), str):
            yield name


def _was_run(cell: Mapping[str, Any]) -> bool:
    """Whether it has a number, or an output: some take the numbers out before they commit."""
    # Before nbformat 4 it was called "prompt_number".
    numbered = any(isinstance(cell.get(key), int) for key in ("execution_count", "prompt_number"))
    return numbered or any(output.get("output_type") in _SHOWN for output in _outputs(cell))


def _outputs(cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, Mapping):
            yield output


def _unfit(text: str, at: int, message: str) -> SourceError:
    return SourceError(UNREADABLE, message, *_position(text, at))


def _position(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _cells(text: str) -> Iterator[int]:
    """Where each cell begins: in nbformat 4 they are in one list, before in those of the worksheets."""
    root = {key: start for key, start, _ in _members(text, _skip(text, 0))}
    if text[root.get("cells", 0)] == "[":
        yield from (start for start, _ in _items(text, root["cells"]))
        return
    for sheet, _ in _items(text, root["worksheets"]):
        if text[sheet] == "{":
            cells = {key: start for key, start, _ in _members(text, sheet)}.get("cells", sheet)
            yield from (start for start, _ in (_items(text, cells) if text[cells] == "[" else ()))


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The members of the object that begins here: the key, and where the value begins and ends."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        end = _DECODER.raw_decode(text, at)[1]
        yield key, at, end
        at = _next(text, end)


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Where the elements of the list that begins here begin and end."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        yield at, end
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()

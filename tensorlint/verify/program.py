"""A fixture program: its header, read and checked, and what it needs to run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tensorlint.source import Source, SourceError
from tensorlint.verify.claims import Claim, ClaimError, parse_claim

_HEADER = re.compile(r"# (\w+): (.*?)\s*")
_CODE = re.compile(r"TBX\d{3}")
_REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:(>=|<)\s*(\d+(?:\.\d+)*))?")
_KEYS = {"claim", "device", "requires", "verdict"}
_DEVICES = {"cpu", "accelerator"}
_VERDICTS = {"", "confirmed", "refuted"}


class ProgramError(Exception):
    """A fixture that cannot be meant: its header does not parse, or the file cannot be read."""


@dataclass(frozen=True, slots=True)
class Requirement:
    package: str
    operator: str = ""
    version: str = ""

    @property
    def is_device(self) -> bool:
        return self.package in {"cuda", "mps"}

    def __str__(self) -> str:
        return f"{self.package}{self.operator}{self.version}"

    def missing_from(self, packages: dict[str, str]) -> str:
        """Why the installed packages do not satisfy it; empty when they do."""
        version = packages.get(self.package.lower())
        if version is None:
            return f"needs {self}, which is not installed"
        if not self.operator:
            return ""
        newer = release(version) >= release(self.version)
        return "" if newer == (self.operator == ">=") else f"needs {self}, this is {version}"


@dataclass(frozen=True, slots=True)
class Program:
    path: Path
    text: str
    claims: tuple[Claim, ...]
    accelerator: bool = False
    requires: tuple[Requirement, ...] = ()
    verdict: str = ""

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def group(self) -> str:
        """The code of the rule it belongs to, or the name of its folder."""
        found = _CODE.match(self.path.parent.name)
        return found[0] if found else self.path.parent.name

    @property
    def good(self) -> bool:
        return not self.claims

    @property
    def of_rule(self) -> bool:
        return _CODE.match(self.path.parent.name) is not None


def read_program(path: Path) -> Program:
    """Raises ``ProgramError`` with the file and the line that is wrong."""
    try:
        text = Source.read(str(path)).text
    except SourceError as error:
        raise ProgramError(f"{path}: {error}") from None
    header = _header(text)
    claims = [value for key, value in header if key == "claim"]
    if not claims:
        raise ProgramError(f"{path}: no `# claim:` line; a good program says `# claim: none`")
    single = {key: value for key, value in header if key != "claim"}
    try:
        parsed = () if claims == ["none"] else tuple(parse_claim(claim) for claim in claims)
    except ClaimError as error:
        raise ProgramError(f"{path}: {error}") from None
    device, verdict = single.get("device", "cpu"), single.get("verdict", "")
    for word, key, known in (
        *((key, "header", _KEYS) for key, _ in header),
        (device, "device", _DEVICES),
        (verdict, "verdict", _VERDICTS),
    ):
        if word not in known:
            raise ProgramError(f"{path}: not a {key}: `{word}`")
    requires = tuple(_requirement(part.strip(), path) for part in single.get("requires", "").split(",") if part.strip())
    return Program(path, text, parsed, device == "accelerator", requires, verdict)


def is_program(path: Path) -> bool:
    """Whether a file has a claim in its header; other Python files may lie beside programs."""
    try:
        return any(key == "claim" for key, _ in _header(Source.read(str(path)).text))
    except SourceError:
        return False


def find_programs(paths: Iterable[Path]) -> list[Program]:
    """The programs in files and folders. A file that is named must be one, a folder may hold others as well."""
    found: dict[Path, Program] = {}
    for path in paths:
        if path.is_dir():
            files = [
                file
                for file in sorted(path.rglob("*.py"))
                if file.name.startswith(("bad_", "good_")) or is_program(file)
            ]
        else:
            files = [path]
        found.update((file, read_program(file)) for file in files)
    return list(found.values())


def release(version: str) -> tuple[int, ...]:
    """The numbers a version begins with: ``(2, 13)`` of ``2.13.0+cpu``, without zeros at the end."""
    numbers = [int(part) for part in re.match(r"\d*(?:\.\d+)*", version)[0].split(".") if part]  # type: ignore[index]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _header(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if match := _HEADER.fullmatch(line):
            pairs.append((match[1], match[2]))
    return pairs


def _requirement(text: str, path: Path) -> Requirement:
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        raise ProgramError(f"{path}: not a requirement: `{text}`")
    return Requirement(match[1], match[2] or "", match[3] or "")

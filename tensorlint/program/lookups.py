"""Whether a program looks up by a name that only a run knows what is defined somewhere, found in its text."""

from __future__ import annotations

import re

#: What is looked up: an attribute of anything, and what stands at the top of a file that nothing says the name of.
ATTRIBUTE, DEFINITION = "attribute", "definition"

_ATTRIBUTE = re.compile(rb"\b(?:getattr|attrgetter|methodcaller)\(\s*([A-Za-z_]\w*)[\w.]*\s*,\s*[A-Za-z_(]")
#: Any module, by its name.
_MODULE = re.compile(rb"\b(?:import_module|__import__)\(\s*[A-Za-z_(f]|\bsys\.modules\[")
#: What the file itself defines or imports, which is named in it unless it comes by a star.
_OWN = re.compile(rb"(?<![\w.])(?:eval|exec|globals|locals|vars)\(|\bFire\(\s*\)|\bsys\.modules\[")
_STAR = re.compile(rb"^\s*from\s+(\S+)\s+import\s+\*", re.MULTILINE)
_IMPORTED = re.compile(rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(\([^)]*\)|[^#\n]*)", re.MULTILINE)
#: Whose modules hold nothing of the program.
_FOREIGN = re.compile(rb"(?:torch|torchvision|numpy|tensorflow|keras|jax|sklearn|scipy|matplotlib|os|math|random)\b")


def lookups_in(data: bytes) -> frozenset[str]:
    """What is looked up by a name in the text of a file, in such a way that it may be defined in another one."""
    found = set()
    asked = {match.group(1) for match in _ATTRIBUTE.finditer(data)}
    if asked:
        found.add(ATTRIBUTE)
    if _MODULE.search(data) or (looks_up_its_own(data) and not all(map(_FOREIGN.match, _STAR.findall(data)))):
        found.add(DEFINITION)
    for origin, names in _IMPORTED.findall(data) if asked else ():
        for name in names.strip(b"()").split(b","):
            *path, bound = name.replace(b" as ", b" ").split() or [b""]
            if bound.partition(b".")[0] in asked and not _FOREIGN.match(origin or (path or [bound])[0]):
                found.add(DEFINITION)
    return frozenset(found)


def looks_up_its_own(data: bytes) -> bool:
    """Whether something in the file itself is looked up, as by ``globals()``."""
    return _OWN.search(data) is not None

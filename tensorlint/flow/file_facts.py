"""What the text of a whole file says about itself, for weighing what one line leaves open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorlint.knowledge import names
from tensorlint.program.layout import is_of_tests

if TYPE_CHECKING:
    from tensorlint.flow.scene import FileFacts
    from tensorlint.source import Source

#: A device that is not spelled "cpu": only then can something of this file be anywhere else.
_DEVICE_WORDS = re.compile(
    r"""\.cuda\b|\.cpu\((?!\)\s*\.numpy\()|["']cuda|\bgpu\b|is_available\(|\.to\([^)]*device|\bdevice\s*=(?!\s*(?:torch\.device\()?["']cpu)"""
)
#: What ``import a, b as c`` and ``from a import b`` name, at the beginning of a statement.
_MODULE = r"[\w.]+(?:[ \t]+as[ \t]+\w+)?"
_IMPORT = re.compile(rf"(?:^|[;:])[ \t]*(?:import|from)[ \t]+({_MODULE}(?:[ \t]*,[ \t]*{_MODULE})*)", re.MULTILINE)
_NUMPY_METHOD = re.compile(r"^[ \t]+(?:async[ \t]+)?def numpy[ \t]*\(", re.MULTILINE)
_DEFAULTS = ("set_default_dtype", "set_default_device", "set_default_tensor_type", "with torch.device(")
#: A cast: dots are found at once, words without regard to case are not.
_CAST = re.compile(r"\.(?=double\(|float\(|half\(|to\([^)\n]*float)", re.IGNORECASE)
#: ``torch.float64``, other than in a comment.
_DOUBLE = re.compile(r"^[^#\n]*\b(?:torch|th)\.(?:float64|double)\b", re.MULTILINE)
#: An attribute that an assignment binds, alone or before others. What begins with a dot is found at once.
_BOUND = re.compile(r"\.(\w+)[ \t]*(,[ \t]*[\w.\[\], \t]+)?(?::[^=\n]*)?[-+*/%@&|^<>]*=(?!=)")
#: What binds attributes without spelling them.
_BY_NAME = ("setattr(", "vars(", "__dict__", "__setattr__(")


def file_facts(source: Source) -> FileFacts:
    """What the text of the whole file says about itself."""
    from tensorlint.flow.cells import may_raise
    from tensorlint.flow.scene import FileFacts
    from tensorlint.knowledge.frameworks import FOREIGN_NUMPY_METHOD, TORCH_ECOSYSTEM

    text = source.program
    modules = {name.split()[0].split(".")[0] for match in _IMPORT.finditer(text) for name in match.group(1).split(",")}
    return FileFacts(
        path=source.path,
        imports_torch=bool(modules & TORCH_ECOSYSTEM),
        mentions_device=bool(_DEVICE_WORDS.search(text)),
        foreign=frozenset(modules & FOREIGN_NUMPY_METHOD),
        defines_numpy="def numpy" in text and bool(_NUMPY_METHOD.search(text)),
        is_test=is_of_tests(source.path),
        sets_defaults=any(words in text for words in _DEFAULTS),
        casts_modules=_casts_modules(text),
        names_double=bool(_DOUBLE.search(text)),
        attributes_bound=_attributes_bound(text),
        raises=may_raise(text),
    )


def _attributes_bound(text: str) -> frozenset[str] | None:
    if any(words in text for words in _BY_NAME):
        return None
    found: set[str] = set()
    for match in _BOUND.finditer(text):
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        own = before.endswith("self") and not before.endswith(".self")
        # In a call, what stands before a keyword is bound by nobody.
        if match[2] and before.count("(") > before.count(")"):
            continue
        found.update([] if own else [match[1]], re.findall(r"(?<!\bself)\.(\w+)", match[2] or ""))
    return frozenset(found)


def _casts_modules(text: str) -> bool:
    casts = (match.start() for match in _CAST.finditer(text))
    return any(names.CAST.search(text[max(at - names.LONGEST_CAST, 0) : at]) for at in casts)

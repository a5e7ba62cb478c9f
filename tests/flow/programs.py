"""Programs that say what the interpreter has to know of them, and what it knows.

A Markdown file of ``programs/`` is a topic, a heading of the second level in it a program, which stands in the one
fenced block below. A program starts with ``np``, ``torch`` and ``nn`` imported. It is asked in two ways:

``reveal(x)  # tensor, device: no, dtype: float32, storage: a``
    what ``x`` is known to be there, key by key; a word without a colon is the kind of value. What is not mentioned is
    not asked. A storage is a letter: equal letters in one program are the same memory, other letters are other memory;
    ``a|b`` is either, ``none`` is memory nothing is known of.

``x[0] = 1  #! write``
    the events about memory and the like that this line causes, in any order (``#! nothing``: none).

Every ``reveal`` has to be reached, and to say the same each time it is. A program whose heading ends in ``(not yet)``
shows a limit: what it says is true of torch and NumPy, and the interpreter does not know it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.memory import Storages
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    DeviceValue,
    Dictionary,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Unknown,
    Value,
    dtype_in,
)
from tensorlint.flow.file_facts import file_facts
from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.positions import locate
from tensorlint.flow.state import Frame
from tensorlint.source import Source

FOLDER = Path(__file__).parent / "programs"
HEADER = "import numpy as np\nimport torch\nfrom torch import nn\n"
#: The events that ``#!`` asks for: those about memory over time, and those that only a use of several things causes.
ASKED = frozenset(
    {"write", "stale_read", "unset_read", "frozen_use", "narrowed_use", "buffer_stored"}
    | {"overlapping_write", "early_read", "hashed", "leaves_trace", "generator_forked"}
)

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_REVEAL = re.compile(r"\breveal\(.*\)\s*# (?P<wanted>[^!].*)$")
_EVENTS = re.compile(r"#! (?P<wanted>.+)$")


@dataclass(frozen=True)
class Program:
    topic: str
    title: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.topic}: {self.title}"

    @property
    def is_limit(self) -> bool:
        return self.title.endswith("(not yet)")


def programs() -> Iterator[Program]:
    for path in sorted(FOLDER.glob("*.md")):
        _, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
        for title, body in zip(parts[::2], parts[1::2], strict=True):
            blocks = _BLOCK.findall(body)
            assert len(blocks) == 1, f"{path.name}: `{title}` has {len(blocks)} blocks of Python"
            yield Program(path.stem, title, blocks[0])


class _Asked(Interpreter):
    """The interpreter, and what it knows at each ``reveal``."""

    revealed: list[tuple[cst.Call, Value, bool]]

    def call(self, node: cst.Call, frame: Frame) -> Value:
        if not (isinstance(node.func, cst.Name) and node.func.value == "reveal"):
            return super().call(node, frame)
        (argument,) = node.args
        value = self.evaluate(argument.value, frame)
        if not self.learning and not frame.quiet:
            self.revealed.append((node, value, frame.env.grad_mode.truth is not Truth.NO))
        return NONE


@dataclass
class _Letters:
    """Names of storages, given in the order in which a program speaks of them."""

    of: dict[str, Storages] = field(default_factory=dict)

    def fits(self, wanted: str, found: Storages) -> bool:
        if wanted == "none":
            return not found
        letters = wanted.split("|")
        fresh = [letter for letter in letters if letter not in self.of]
        known = frozenset[object]().union(*(self.of[letter] for letter in letters if letter in self.of))
        if not known <= found:
            return False
        rest = found - known
        if not fresh:
            return not rest
        others = frozenset[object]().union(*self.of.values())
        if len(fresh) > 1 or not rest or rest & others:
            return False
        self.of[fresh[0]] = frozenset(rest)
        return True


def failures(program: Program) -> list[str]:
    """What the interpreter says of a program against what the program says."""
    text = HEADER + program.text
    module = cst.parse_module(text)
    told: list[events.Event] = []
    facts = replace(file_facts(Source("program.py", text)), mentions_device=True)
    machine = _Asked(facts, told.append)
    machine.revealed = []
    machine.run(module)
    nodes = [node for node, _, _ in machine.revealed] + [_where(event) for event in told]
    places = locate(module, nodes, text)
    lines = text.splitlines()
    revealed: dict[int, list[tuple[Value, bool]]] = {}
    for node, value, switched_on in machine.revealed:
        revealed.setdefault(places.spans[id(node)].row, []).append((value, switched_on))
    caused: dict[int, list[str]] = {}
    for event in told:
        where = places.spans.get(id(_where(event)))
        if event.kind in ASKED and where is not None:
            caused.setdefault(where.row, []).append(event.kind)
    letters = _Letters()
    return [
        f"line {row - HEADER.count(chr(10))}: {line.strip()}\n    {complaint}"
        for row, line in enumerate(lines, 1)
        for complaint in _complaints(line, revealed.get(row, []), caused.get(row, []), letters)
    ]


def _where(event: events.Event) -> cst.CSTNode:
    """Where the program does it; some events point at what it was done to."""
    use = getattr(event, "use", None)
    return use if use is not None else event.node


def _complaints(line: str, known: list[tuple[Value, bool]], caused: list[str], letters: _Letters) -> Iterator[str]:
    asked = _REVEAL.search(line)
    if asked is None and "reveal(" in line:
        yield "says nothing of what it expects"
    if asked is not None:
        if not known:
            yield "is never reached"
        for value, switched_on in known:
            said = describe(value, switched_on)
            for item in asked["wanted"].split("#!")[0].split(","):
                key, _, wanted = (part.strip() for part in item.partition(":"))
                if key == "storage":
                    found: Storages = getattr(value, "storages", frozenset())
                    if not letters.fits(wanted, found):
                        yield f"storage: {wanted} is not {_letters_of(found, letters)}"
                elif not wanted:
                    if said["kind"] != key:
                        yield f"is {said['kind']}, not {key}"
                elif said.get(key) != wanted:
                    yield f"{key}: {said.get(key)}, not {wanted}"
    expected = _EVENTS.search(line)
    if expected is not None:
        wanted_events = sorted(word.strip() for word in expected["wanted"].split(",") if word.strip() != "nothing")
        if sorted(set(caused)) != wanted_events:
            yield f"causes {', '.join(sorted(set(caused))) or 'nothing'}"


def _letters_of(found: Storages, letters: _Letters) -> str:
    names = [letter for letter, storages in letters.of.items() if storages & found]
    rest = found - frozenset[object]().union(*letters.of.values())
    return "|".join([*names, *(["other memory"] if rest else [])]) or "none"


def describe(value: Value, switched_on: bool = True) -> Mapping[str, str]:
    """The properties of a value in the words of the programs."""
    said = {"kind": type(value).__name__.lower(), "gradients": "on" if switched_on else "off"}
    match value:
        case Tensor():
            said |= _facts(device=value.device, grad=value.grad)
            said |= {"dtype": str(value.dtype), "sure": _yes(value.sure), "zero-dim": _yes(value.zero_dim)}
            said |= {"unset": _yes(value.unset is not None), "read-only": _yes(value.frozen is not None)}
            said |= {"narrowed": _yes(value.narrowed is not None), "alias": _yes(value.alias is not None)}
            said |= {"in-flight": _yes(value.in_flight is not None), "layout": value.layout or "strided"}
            said |= {"numbers": value.numbers or "any"}
        case Array():
            said |= _facts(**{"read-only": value.read_only, "negative-stride": value.negative_stride})
            said |= {"dtype": str(value.dtype), "exported": _yes(value.exported)}
            said |= {"alias": _yes(value.alias is not None), "sure": _yes(value.sure), "zero-dim": _yes(value.zero_dim)}
            said |= {"axes": _yes(value.has_axes), "small": _yes(value.small), "counted": _yes(value.counted)}
        case Unknown():
            said |= _facts(device=value.device, grad=value.grad)
            said |= {"dtype": str(value.dtype), "source": value.source.value if value.source else "none"}
            said |= {"kind": "nontensor" if value.tensor is Truth.NO else "unknown"}
        case Module():
            said |= _facts(device=value.device)
            said |= {"dtype": str(value.dtype), "trained": value.trainable.name.lower()}
            said |= {"class": value.name.rpartition(".")[2] or "unknown"}
        case DeviceValue():
            said |= {"kind": "device"} | _facts(device=value.fact)
        case Optimizer():
            said |= {"fresh": _yes(value.fresh)}
        case Scalar():
            said |= {"kind": value.kind, "is": repr(value.literal), "known": _yes(value.known)}
            said |= {"counts": _yes(value.counts)}
            if value.kind.endswith(".dtype"):
                said |= {"kind": "dtype", "dtype": str(dtype_in(value))}
        case Sequence():
            said |= {"kind": value.kind, "length": "unknown" if value.items is None else str(len(value.items))}
        case Dictionary():
            said |= {"kind": "dict", "keys": " ".join(map(str, value.entries)) or "none"}
            said |= {"state_dict": _yes(value.state_dict)}
        case _:
            pass
    return said


def _facts(**facts: Fact) -> dict[str, str]:
    """Each by its name, and whether an accelerator alone decides of it."""
    said = {name: fact.truth.name.lower() for name, fact in facts.items()}
    return said | {f"{name} if available": _yes(fact.holds_there) for name, fact in facts.items()}


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"

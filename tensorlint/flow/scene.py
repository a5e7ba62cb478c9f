"""Where in a program something happens, and what the whole file says about itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field
from typing import TYPE_CHECKING

from tensorlint.flow.domain.facts import Fact
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.site import Site

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.tree import Sites

#: Any exception, among the names of those that are handled.
EVERY = "*"
#: Nothing: what stands there is known to have raised nothing when it ran last.
NOTHING = ""
#: What exports and refused dtypes raise.
RAISED_BY_EXPORTS = frozenset({"TypeError", "RuntimeError"})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the whole file says about itself, for weighing what one line leaves open."""

    path: str = ""
    imports_torch: bool = False
    #: Anything in the file is moved to a device, brought back from one, or names one.
    mentions_device: bool = False
    #: Other frameworks whose values have a ``.numpy()`` of their own.
    foreign: frozenset[str] = frozenset()
    #: A class of this file defines ``numpy`` itself.
    defines_numpy: bool = False
    is_test: bool = False
    #: It changes the dtype or the device tensors get when nothing is said.
    sets_defaults: bool = False
    #: It casts whole modules: ``model.double()``.
    casts_modules: bool = False
    #: It speaks of float64 by torch's own name for it, so that what has this dtype was meant to.
    names_double: bool = False
    #: The attributes it binds of other objects than ``self``; None where it binds some that it does not spell.
    attributes_bound: frozenset[str] | None = frozenset()
    #: It has cells that are known to raise, or to have raised nothing (``cells``).
    raises: bool = False

    def binds(self, attribute: str) -> bool:
        """Whether it may bind an attribute of this name, of an object that it has from elsewhere."""
        return self.attributes_bound is None or attribute in self.attributes_bound

    @property
    def numpy_is_torchs(self) -> bool:
        """Whether ``.numpy()`` of a value of unknown kind is torch's: nothing else here has a method of that name."""
        return self.imports_torch and not self.foreign and not self.defines_numpy


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a program writes a name of a library; ``needs`` is the module it has to import first, if any."""

    text: str
    needs: str = ""

    @property
    def imports(self) -> tuple[str, ...]:
        return (self.needs,) if self.needs else ()


def _no_sites() -> Sites:
    from tensorlint.flow.tree import Sites  # the events are read by the rules, which must not need LibCST

    return Sites(None)


def _no_spelling(path: str, at: cst.CSTNode | None = None) -> Spelling | None:
    return None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where in the program an event happens."""

    file: FileFacts
    function: str = ""
    class_name: str = ""
    grad_mode: Fact = field(default_factory=Fact)
    host_only: bool = False
    #: In the ``__getitem__`` of a dataset.
    item_of_dataset: bool = False
    in_loop: bool = False
    is_test: bool = False
    #: The names of the exceptions that are handled around here; ``EVERY`` stands for all.
    handlers: frozenset[str] = frozenset()
    #: This path is only taken with values of another framework: ``if framework == "tf"``.
    other_framework: bool = False
    #: How ``torch.isnan`` or ``copy.deepcopy`` is written here. None where its module cannot be reached, as another
    #: thing has its name. To be asked while the event is judged, as names change.
    #: A second argument is a node that was passed before, where it is to be written.
    spelling: Callable[..., Spelling | None] = field(default=_no_spelling, compare=False, repr=False)
    #: The exports whose arrays are written. Complete when the file has been read to its
    #: end, so to be asked while a repair is built.
    written_exports: Collection[Site] = field(default=frozenset(), compare=False, repr=False)
    exports_taken_back: Collection[Site] = field(default=frozenset(), compare=False, repr=False)
    sites: Sites = field(default_factory=_no_sites, compare=False, repr=False)
    #: The function, or the module.
    around: cst.CSTNode | None = field(default=None, compare=False, repr=False)

    @property
    def caught(self) -> bool:
        """Whether the program is prepared here for what a failing export raises."""
        return bool(self.handlers & RAISED_BY_EXPORTS) or EVERY in self.handlers

    @property
    def ran(self) -> bool:
        """Whether what stands here is known to have run to its end, on some machine and some release of torch."""
        return NOTHING in self.handlers

    def handles(self, exception: str) -> bool:
        """Whether the program is prepared for this exception here."""
        return bool(self.handlers & {exception, EVERY})

    def at(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands, for a note."""
        return self.sites.of(node)

    def in_order(self, *places: cst.CSTNode | Site | None) -> bool:
        """Whether one block here has these one after another, so that whatever runs the last ran the others."""
        from tensorlint.flow.proofs import in_order  # the events are read by the rules, which must not need LibCST

        nodes = [self.node(each) if each is None or isinstance(each, Site) else each for each in places]
        known = [each for each in nodes if each is not None]
        return self.around is not None and len(known) == len(nodes) and in_order(self.around, known)

    def is_read_back(self, save: cst.CSTNode) -> bool:
        """Whether what ``torch.save`` writes there is read by a plain ``torch.load`` in the same block."""
        import libcst

        from tensorlint.flow.proofs import is_read_back

        return self.around is not None and isinstance(save, libcst.Call) and is_read_back(self.around, save)

    def only_value(self, name: str) -> cst.BaseExpression | None:
        """What a name of the function, or of the module, always stands for; None where it may be something else."""
        from tensorlint.flow.proofs import only_value

        return None if self.around is None else only_value(self.around, name)

    def count_of(self, node: cst.CSTNode) -> int | None:
        """How many elements a tensor or an array has, where the program spells it here."""
        from tensorlint.flow.counts import count_of

        return None if self.around is None else count_of(self.around, node)

    def shape_of(self, *given: cst.BaseExpression) -> int | None:
        """How many elements there are in a shape, where the program spells it here."""
        from tensorlint.flow.counts import shape_of

        return None if self.around is None else shape_of(self.around, given)

    def is_only_written(self, name: str, write: cst.CSTNode) -> bool:
        """Whether what goes by ``name`` is there to be written to, and for nothing else."""
        from tensorlint.flow.proofs import is_only_written

        return self.around is not None and is_only_written(self.around, name, write)

    def reads_elsewhere(self, read: cst.CSTNode, write: cst.CSTNode) -> bool:
        """Whether one element is written, and another one read."""
        from tensorlint.flow.proofs import reads_elsewhere

        return self.around is not None and reads_elsewhere(self.around, read, write)

    def is_demonstration(self, read: cst.CSTNode) -> bool:
        """Whether what is read there is printed or checked as it is."""
        from tensorlint.flow.proofs import is_shown_only

        return self.around is not None and is_shown_only(self.around, read)

    def is_named_behind(self, name: str, node: cst.CSTNode) -> bool:
        """Whether the function goes on to use the name behind a node of it."""
        from tensorlint.flow.tree import names_behind

        return self.around is not None and name in names_behind(node, self.around)

    def node(self, site: Site | None) -> cst.CSTNode | None:
        """What stands there, for a draft or a repair; None where that is in another file."""
        return self.sites.node(site)

"""What the parts of the interpreter share: counters, the way to the rules, memory that is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tensorlint.flow import events
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable, leaves, storages_of
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Owner, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import (
    Array,
    ClassObject,
    Dictionary,
    Instance,
    Module,
    Optimizer,
    Scalar,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.index import binds_after, contains
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.tree import Sites

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.index import ClassInfo, FunctionInfo

#: Calls of functions of the file are followed this deep, and this often in one file.
MAX_DEPTH = 3
MAX_APPLICATIONS = 4_000


class Machine:
    """State of one run over one file. The subclasses add expressions, calls, guards and statements."""

    def __init__(self, file: events.FileFacts, emit: Callable[[events.Event], None]) -> None:
        self.file = file
        self._emit = emit
        self.serial = 0
        #: The first pass learns (attributes, call sites); only the second one speaks.
        self.learning = True
        self.applications = 0
        self.module: cst.Module | None = None
        self.sites = Sites(None)
        self.module_env = Environment(grad_mode=Fact(Truth.YES))
        self.functions: dict[Site, FunctionInfo] = {}
        self.classes: dict[Site, ClassInfo] = {}
        self.pending: list[FunctionInfo] = []
        self.queued: set[int] = set()
        self.memo: dict[object, Value] = {}
        self.active: list[FunctionInfo] = []
        #: What stands around an export, by the identity of the call node.
        self.consumers: dict[int, tuple[str, cst.CSTNode]] = {}
        #: The expression of the statement being executed, when its value is thrown away.
        self.bare_call: cst.BaseExpression | None = None
        #: The call that is given a plain name by the assignment being executed, and that name.
        self.named_call: tuple[cst.BaseExpression, str] | None = None
        #: The right side of the assignment being executed, where its one target takes all of it.
        self.assigned: cst.BaseExpression | None = None
        #: Whether any fact hangs on the answer to a test, so that it matters where the same is asked again.
        self.hanging = False
        #: Where tensors are created when nothing is said.
        self.default_device: Fact = NO_FACT
        #: The dtype that networks compute in around here; empty outside ``torch.autocast``.
        self.autocast = ""
        #: What was allocated up to here was allocated by the module itself.
        self.module_serial = 0
        #: Names that only ``if TYPE_CHECKING`` imports: nothing binds them at run time.
        self.typing_only: set[str] = set()
        #: Names that an ``if`` imports on one of its paths only.
        self.imported_on_one_path: set[str] = set()
        #: Names that an ``import`` which was executed bound, and whether one of them was ``import *``.
        self.imported: set[str] = set()
        self.imported_star = False
        self.attribute_storages: dict[tuple[int, str], Storages] = {}
        #: Learned for the second pass: the calls and unpacked names whose value ``.backward()`` goes through, and the
        #: names of what was asked for its ``.parameters()``, with the place.
        self.differentiated: set[Site] = set()
        self.trained: dict[str, Site] = {}
        #: Whether the file looks at any state or gradient that somebody could keep.
        self.snapshots = False
        #: The first place in the file where parameters are updated in place.
        self.training: Mutation | None = None
        #: Likewise the names of what was treated as only networks are: ``.eval()``, ``.load_state_dict(...)``.
        self.networks: set[str] = set()
        #: The exports whose arrays are written somewhere.
        self.written_exports: set[Site] = set()
        #: Likewise those whose arrays are made tensors again without a copy, or whose parameter gets other memory: what
        #: is written there was meant to arrive.
        self.exports_taken_back: set[Site] = set()
        #: The names of what had parameters of its own frozen somewhere.
        self.frozen: set[str] = set()
        #: The allocations of what is put into a container somewhere.
        self.kept_allocations: set[Site] = set()
        #: What the file was seen to keep under each literal key, in any dictionary.
        self.kept_under: dict[str, Value] = {}

    # What the parts ask of each other.

    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Value:
        raise NotImplementedError

    def apply(
        self,
        info: FunctionInfo,
        receiver: Value | None,
        arguments: tuple[events.Argument, ...],
        frame: Frame,
        node: cst.CSTNode,
    ) -> Value:
        raise NotImplementedError

    def call_value(self, callee: Value, arguments: tuple[events.Argument, ...], node: cst.Call, frame: Frame) -> Value:
        raise NotImplementedError

    def queue(self, info: FunctionInfo) -> None:
        """Have a function interpreted on its own, once in each pass."""
        if id(info) not in self.queued:
            self.queued.add(id(info))
            self.pending.append(info)

    def unknown_result(
        self, arguments: tuple[events.Argument, ...], node: cst.Call, frame: Frame, *, callee: Unknown | None = None
    ) -> Value:
        raise NotImplementedError

    # Places and definitions.

    def at(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands, for what outlives the syntax tree."""
        return self.sites.of(node)

    def cls(self, value: Module | Instance | ClassObject) -> ClassInfo | None:
        """The class of an object, or the class itself; None where it was not seen."""
        site = value.definition if isinstance(value, ClassObject) else value.cls
        return None if site is None else self.classes.get(site)

    # Counters and storages.

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def storage(self, owner: Owner = Owner.FRESH, node: cst.CSTNode | None = None) -> Storages:
        return frozenset({Storage(self.next_serial(), owner, None if node is None else self.at(node))})

    # Events.

    def emit(self, frame: Frame, make: type[events.Event], node: cst.CSTNode, **details: Any) -> None:
        if self.learning or frame.quiet:
            return
        self._emit(make(node, self.scene(frame), **details))

    def emit_at(self, frame: Frame, make: type[events.Event], site: Site, **details: Any) -> None:
        """The same of a place that was passed before; what is in another file is spoken of there."""
        node = self.sites.node(site)
        if node is not None:
            self.emit(frame, make, node, **details)

    def scene(self, frame: Frame) -> events.Scene:
        name = frame.function.name if frame.function is not None else ""
        return events.Scene(
            file=self.file,
            function=name,
            class_name=frame.cls.name if frame.cls is not None else "",
            grad_mode=frame.env.grad_mode,
            host_only=frame.host_only,
            in_loop=bool(frame.loops),
            is_test=self.file.is_test or name.startswith("test_"),
            caught=frame.catching > 0,
            other_framework=frame.env.other_framework,
            spelling=partial(self.spelling, frame),
            sites=self.sites,
            written_exports=self.written_exports,
            exports_taken_back=self.exports_taken_back,
        )

    def spelling(self, frame: Frame, path: str, at: cst.CSTNode | None = None) -> events.Spelling | None:
        """How the program writes ``path`` here, or ``at`` an earlier place, e.g. ``th.isnan`` for ``torch.isnan``.

        Only names that an import binds: they mean the same wherever the import came first.
        """
        module, _, rest = path.partition(".")
        if module == "builtins":
            taken = frame.env.lookup(rest) is not None or self._is_local(rest, frame)
            return None if taken else events.Spelling(rest)
        for name, value in frame.env.visible():
            if not isinstance(value, Symbol) or name not in self.imported:
                continue
            if name in self.typing_only or name in self.imported_on_one_path:
                continue
            if value.path in {path, module} and not self._is_local(name, frame) and self._came_by(name, frame, at):
                return events.Spelling(name if value.path == path or not rest else f"{name}.{rest}")
        if self.imported_star or (frame.env.lookup(module) is not None and module not in self.typing_only):
            return None
        usable = not self._is_local(module, frame) and self._came_by(module, frame, at)
        return events.Spelling(path, needs=module) if usable else None

    def _came_by(self, name: str, frame: Frame, at: cst.CSTNode | None) -> bool:
        """Whether no import that makes ``name`` local to the function, or binds it in the module, is still to come."""
        if at is not None:
            body = self.module if frame.function is None else frame.function.node
            return body is None or not binds_after(body, name, at)
        return frame.function is None or name in frame.env.bindings or name not in frame.function.imported_names

    @staticmethod
    def _is_local(name: str, frame: Frame) -> bool:
        """Whether the function makes ``name`` one of its own somewhere, by other means than an import."""
        return frame.function is not None and name in frame.function.local_names

    # Memory.

    def write(self, frame: Frame, node: cst.CSTNode, value: Value, name: str, how: str) -> None:
        """Memory of ``value`` is overwritten in place; tell the rules and mark the names that see it."""
        if not isinstance(value, (Tensor, Array, Unknown)):
            return
        self._settle(frame, value)
        exported = isinstance(value, Array) and value.exported
        imported = isinstance(value, Tensor) and value.imported
        if isinstance(value, Array) and value.alias is not None:
            self.written_exports.add(value.alias)
            made = self.sites.node(value.alias)
            if exported and made is not None and contains(node, made):
                # ``np.random.shuffle(t.numpy())``: an array without a name is only written for the tensor's sake.
                how = "through"
        for storage in sorted(value.storages, key=lambda item: item.serial):
            for loop in frame.loops:
                loop.written.setdefault(storage.serial, self.at(node))
            if storage.serial <= frame.start:
                frame.outer_writes.setdefault(storage.serial, self.at(node))
            if storage.owner is Owner.FRESH and frame.function is not None and storage.serial <= self.module_serial:
                storage = replace(storage, owner=Owner.GLOBAL)
            self.emit(frame, events.Write, node, value=value, storage=storage, name=name, how=how)
        self.hand_on(frame, node, value, written=True)
        if how in {"fill", "through"} and isinstance(value, Array) and value.exported:
            # Filling the whole of a view is how memory is shared on purpose.
            return
        if value.storages:
            side = {Tensor: How.TENSOR, Array: How.ARRAY}.get(type(value), How.EITHER)
            words = f"`{name}` is written in place here" if name else "written in place here"
            if not (isinstance(value, (Tensor, Array)) and value.picked):
                alias = value.alias if isinstance(value, (Tensor, Array)) and (exported or imported) else None
                mutation = Mutation(self.at(node), side, words, name, alias)
                self.mark_stale(frame, value.storages, mutation, name)
                for storage in value.storages:
                    if storage.serial <= frame.start and alias is not None:
                        frame.outer_mutations.setdefault(storage, mutation)
        if (
            isinstance(value, Tensor)
            and value.alias is None
            and any(storage.owner is Owner.PARAMETER for storage in value.storages)
        ):
            self.update_parameters(frame, Mutation(self.at(node), How.UPDATE, "the parameter is changed in place here"))

    def hand_on(self, frame: Frame, node: cst.CSTNode, value: Value, *, written: bool = False) -> None:
        """``value`` is ``written``, or leaves for code that may write it."""
        for leaf in leaves(value):
            if isinstance(leaf, Tensor) and leaf.frozen is not None:
                self.emit_at(frame, events.FrozenUse, leaf.frozen, use=node, value=leaf, written=written)

    @staticmethod
    def _settle(frame: Frame, value: Value) -> None:
        """Memory that was allocated and left as found now holds data."""
        if isinstance(value, Tensor) and value.unset is None:
            return
        for path, held in list(frame.env.items()):
            if isinstance(held, Tensor) and held.unset is not None and held.storages & value.storages:  # type: ignore[union-attr]
                frame.env.bindings[path] = replace(held, unset=None)

    def use(self, frame: Frame, node: cst.CSTNode, value: Value) -> None:
        """``value`` is read as data."""
        if isinstance(value, Tensor) and value.unset is not None:
            self.emit_at(frame, events.UnsetRead, value.unset, use=node)

    def widen(self, frame: Frame, node: cst.CSTNode, value: Value, wanted: str) -> None:
        """``value`` is used as what it was, perhaps, before a legacy constructor made a smaller float of it."""
        if isinstance(value, Tensor) and value.narrowed is not None:
            made = value.narrowed
            self.emit_at(frame, events.NarrowedUse, made.site, use=node, given=made.given, wanted=wanted)

    def mark_stale(self, frame: Frame, storages: Storages, mutation: Mutation, writer: str) -> None:
        """Every other name that holds this memory as the other kind of object now shows something else."""
        for path, value in frame.env.items():
            if path == writer:
                continue
            for leaf in leaves(value):
                if self._sees(leaf, storages, mutation.how):
                    frame.env.stale.setdefault(path, mutation)

    @staticmethod
    def _sees(leaf: Value, storages: Storages, how: How) -> bool:
        if not isinstance(leaf, (Tensor, Array, Unknown)) or not leaf.storages & storages:
            return False
        match leaf:
            case Tensor(picked=False, imported=imported):
                return how is How.ARRAY or (how is How.EITHER and imported)
            case Array(picked=False):
                return how is How.TENSOR
            case Unknown(source="parameter"):
                # The array a tensor was made of, when nothing says more than that.
                return how is How.TENSOR
            case _:
                return False

    def update_parameters(
        self,
        frame: Frame,
        mutation: Mutation,
        updated: Storages = NO_STORAGE,
        named: frozenset[str] | None = None,
    ) -> None:
        """Training steps in place: every alias of a parameter that was taken as a snapshot follows it.

        ``updated``: the parameters that are stepped, when they are known; otherwise it may be any, or any of an object
        that is ``named`` where it is trained.
        """
        frame.updated = frame.updated | updated if updated and (frame.updates is None or frame.updated) else NO_STORAGE
        frame.updates = mutation
        if self.training is None and mutation.how is How.UPDATE:
            self.training = mutation
        owners = {Owner.GRADIENT} if mutation.how is How.BACKWARD else {Owner.PARAMETER, Owner.BUFFER}
        for path, value in list(frame.env.items()):
            if isinstance(value, Optimizer) and mutation.how is How.UPDATE:
                frame.env.bindings[path] = replace(value, fresh=False)
            for leaf in leaves(value):
                if not isinstance(leaf, (Tensor, Array, Dictionary)) or leaf.alias is None:
                    continue
                if updated and not leaf.storages & updated:
                    continue
                if named is not None and isinstance(leaf, Dictionary) and not leaf.names & named:
                    continue
                if any(storage.owner in owners for storage in leaf.storages):
                    frame.env.stale.setdefault(path, mutation)

    def release_gradients(self, frame: Frame, dropped: Storages | None = None) -> None:
        """``zero_grad()`` drops the gradient tensors (torch 2.0 and later): who holds one now holds it alone.

        So does ``x.grad = None`` with those that are ``dropped`` there.
        """
        for path, value in list(frame.env.items()):
            if isinstance(value, (Tensor, Array)) and any(
                storage.owner is Owner.GRADIENT if dropped is None else storage in dropped for storage in value.storages
            ):
                frame.env.bindings[path] = replace(value, storages=self.storage())

    # Names.

    def lookup(self, path: str, frame: Frame) -> Value | None:
        found = frame.env.lookup(path)
        if found is not None:
            return found
        head, _, attribute = path.partition(".")
        if frame.self_name and head == frame.self_name and attribute and "." not in attribute and frame.cls is not None:
            return self.held_by(frame.env.lookup(head), self.class_attribute(frame.cls, attribute))
        return None

    @staticmethod
    def held_by(owner: Value | None, found: Value | None) -> Value | None:
        """An attribute of an object of this file: what is frozen with its module is frozen."""
        if found is None or not isinstance(owner, Module) or owner.trainable is Truth.YES:
            return found
        least = min(owner.trainable, found.trainable) if isinstance(found, Module) else owner.trainable
        return as_trainable(found, least)

    def class_attribute(self, cls: ClassInfo, name: str) -> Value | None:
        """``self.<name>`` as the whole class knows it. What a module registers moves with the module."""
        value = cls.attribute(name)
        if isinstance(value, Optimizer) and value.fresh:
            # Any other method may have stepped it.
            return replace(value, fresh=False)
        if value is None or not cls.is_module or self._stays_on_cpu(cls):
            return value
        unknown = Fact(Truth.UNKNOWN, reason="moves with its module")
        if isinstance(value, Module) and value.device.truth is Truth.NO:
            return replace(value, device=unknown)
        if isinstance(value, Tensor) and any(storage.owner.is_trained for storage in value.storages):
            return replace(value, device=unknown)
        return value

    def _stays_on_cpu(self, cls: ClassInfo) -> bool:
        """A program that makes its own modules and never speaks of a device leaves them where they are made."""
        return cls.constructed and not self.file.mentions_device

    def keep(self, value: Value) -> None:
        """Remember, in the first pass, that something holds on to ``value``."""
        if self.learning:
            self.kept_allocations |= {
                storage.site for leaf in leaves(value) for storage in storages_of(leaf) if storage.site is not None
            }

    def keep_under(self, key: Value, value: Value) -> None:
        """Remember, in the first pass, what is stored under a literal key."""
        if self.learning and isinstance(key, Scalar) and isinstance(key.literal, str):
            known = self.kept_under.get(key.literal)
            self.kept_under[key.literal] = value if known is None else join(known, value)

    def found_under(self, key: Value, value: Unknown) -> Unknown:
        """``value`` was read from under a key: what this file always brings to the CPU, or detaches, before keeping
        it there, it finds so in the dictionaries that are handed to it, too."""
        kept = self.kept_under.get(key.literal) if isinstance(key, Scalar) and isinstance(key.literal, str) else None
        if not isinstance(kept, (Tensor, Unknown)):
            return value
        if value.device.truth is Truth.UNKNOWN and kept.device.truth is Truth.NO and kept.device.site is not None:
            value = replace(value, device=kept.device)
        if value.grad.truth is Truth.UNKNOWN and kept.grad.truth is Truth.NO and isinstance(kept, Tensor):
            value = replace(value, grad=kept.grad)
        return value

    def symbol(self, value: Value | None) -> str:
        """The dotted path of an imported thing, ``Class`` for one of this file, or an empty string."""
        match value:
            case Symbol():
                return value.path
            case ClassObject():
                cls = self.cls(value)
                return cls.name if cls is not None else ""
            case _:
                return ""

    def resolve(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """What a name in an annotation stands for."""
        named = self.evaluate(node, frame)
        cls = self.cls(named) if isinstance(named, ClassObject) else None
        if cls is None:
            return named
        tensor = any(base.startswith("torch.") and base.endswith("Tensor") for base in cls.all_bases())
        return Tensor(source="parameter") if tensor else self.self_value(cls)

    def self_value(self, cls: ClassInfo) -> Value:
        if cls.is_module:
            device = NO_FACT if self._stays_on_cpu(cls) else Fact()
            return Module(
                cls=cls.site, name=cls.name, device=device, storages=frozenset({Storage(cls.serial, Owner.PARAMETER)})
            )
        return Instance(cls=cls.site)

    def trainable(self, value: Value, depth: int = 4) -> Truth:
        """Whether ``value`` is a module with parameters that are trained; one of this file has what it holds."""
        if isinstance(value, Unknown):
            return Truth.UNKNOWN
        if not isinstance(value, Module):
            return Truth.NO
        cls = self.cls(value)
        if cls is None or value.trainable is Truth.NO:
            return value.trainable
        bases = set(cls.all_bases()) - {"torch.nn.Module", "torch.nn.modules.module.Module"}
        if not depth or any(base.startswith("torch.nn.") for base in bases):
            return value.trainable
        held = [leaf for inside in cls.members().values() for leaf in leaves(inside)]
        parts = [self.trainable(leaf, depth - 1) for leaf in held]
        parts += [leaf.grad.truth for leaf in held if isinstance(leaf, Tensor)]
        # What an unseen base holds is as little known as an attribute that is not known.
        return min(value.trainable, max(parts, default=Truth.UNKNOWN if bases else Truth.NO))

    def set_trainable(self, oid: int, trainable: Truth, frame: Frame) -> None:
        """All parameters of the object ``oid`` are frozen, or trained again, under every name that holds it."""
        if not oid:
            return
        own = frame.env.lookup(frame.self_name) if frame.self_name else None
        if frame.cls is not None and isinstance(own, Module):
            for name, known in frame.cls.members().items():
                path = f"{frame.self_name}.{name}"
                held = frame.env.bindings.get(path, known)
                if oid in {own.oid, getattr(held, "oid", 0)} and (changed := as_trainable(held, trainable)) != held:
                    frame.env.bind(path, changed)
        frame.env.replace(oid, lambda held: as_trainable(held, trainable))
        for cls in self.classes.values() if self.learning else ():
            for name, known in cls.attributes.items():
                if cls is not frame.cls and getattr(known, "oid", 0) == oid:
                    cls.attributes[name] = join(known, as_trainable(known, trainable))

    def result_grad(self, grad: Fact, frame: Frame) -> Fact:
        """Whether a result computed here needs grad, when an operand with this fact would make it."""
        mode = frame.env.grad_mode
        if mode.truth is Truth.NO:
            return NO_FACT
        if mode.truth is Truth.UNKNOWN:
            return grad if grad.truth is Truth.NO else Fact()
        # A mode that is chosen when the program runs has a place; that nobody outside switches it off is presumed.
        return grad.weakened() if mode.truth is Truth.MAYBE and mode.site is not None else grad

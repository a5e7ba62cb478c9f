"""Memory that is written and read over time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import libcst as cst

from tensorlint.flow import events, object_events
from tensorlint.flow.core import Core
from tensorlint.flow.details import Escape, Leaving
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import arrived, leaves, of_no_model, parameters_of_own, without_aliases
from tensorlint.flow.domain.memory import NO_STORAGE, Adding, Backing, How, Mutation, Owner, Storages, Writing
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import Dictionary, Instance, Module, Optimizer, Sequence, Unknown, Value
from tensorlint.flow.graphs import Differentiated, accumulates_long, root_name
from tensorlint.flow.saved import tell_unseen_write
from tensorlint.flow.state import Frame, View
from tensorlint.flow.tree import bound_in, contains, names_in, parameters_of

if TYPE_CHECKING:
    from tensorlint.flow.call import Argument, Call


Viewed = TypeVar("Viewed", Tensor, Array)


class Memory(Core):
    """Who holds which storage, and who notices when it changes."""

    def write(self, frame: Frame, node: cst.CSTNode, value: Value, name: str, how: Writing) -> None:
        """Memory of ``value`` is overwritten in place; tell the rules and mark the names that see it."""
        if not isinstance(value, (Tensor, Array, Unknown)):
            return
        self._settle(frame, value)
        exported = isinstance(value, Array) and value.exported
        imported = isinstance(value, Tensor) and value.imported
        if isinstance(value, Array) and value.alias is not None:
            self.lessons.written_exports.add(value.alias)
            made = self.sites.node(value.alias)
            if exported and made is not None and contains(node, made):
                # ``np.random.shuffle(t.numpy())``: an array without a name is only written for the tensor's sake.
                how = Writing.THROUGH
        views = self.views_of(frame, value)
        older = all(storage.serial <= frame.start for storage in value.storages)
        for storage in sorted(value.storages, key=lambda item: item.serial):
            for loop in frame.loops:
                loop.written.setdefault(storage.serial, self.at(node))
            if storage.serial <= frame.start:
                frame.outer_writes.setdefault(storage.serial, self.at(node))
            if storage.owner is Owner.FRESH and frame.function is not None and storage.serial <= self.module_serial:
                storage = replace(storage, owner=Owner.GLOBAL)
            self.emit(
                frame, events.Write, node, value=value, storage=storage, name=name, how=how, views=views, older=older
            )
        self.hand_on(frame, node, value, written=True)
        tell_unseen_write(self, frame, node, value)
        self._tell_early_write(frame, node, value, name)
        if frame.env.queued and isinstance(value, (Tensor, Array)) and not value.picked:
            for site, (queued, expression) in frame.env.queued.items():
                if len(value.storages) == 1 and queued.storages == value.storages:
                    written = self.at(node)
                    self.emit_at(
                        frame, object_events.QueuedWrite, site, value=queued, expression=expression, write=written
                    )
        if how in {Writing.FILL, Writing.THROUGH} and isinstance(value, Array) and value.exported:
            # Filling the whole of a view is how memory is shared on purpose.
            return
        if value.storages:
            side = {Tensor: How.TENSOR, Array: How.ARRAY}.get(type(value), How.EITHER)
            words = f"`{name}` is written in place here" if name else "written in place here"
            if not (isinstance(value, (Tensor, Array)) and value.picked):
                alias = value.alias if isinstance(value, (Tensor, Array)) and (exported or imported) else None
                mutation = Mutation(self.at(node), side, words, name, alias)
                self.mark_stale(frame, value.storages, mutation, name)
                if isinstance(value, Tensor):
                    self._mark_somewhere(frame, value, mutation)
                for storage in value.storages:
                    if storage.serial <= frame.start and alias is not None:
                        frame.outer_mutations.setdefault(storage, mutation)
        held = frozenset(storage for storage in value.storages if storage.owner is Owner.PARAMETER)
        if isinstance(value, Tensor) and value.alias is None and held:
            changed = Mutation(self.at(node), How.UPDATE, "the parameter is changed in place here")
            self.update_parameters(frame, changed, held if value.of_module else NO_STORAGE)

    def resize(self, call: Call, name: str, receiver: cst.BaseExpression, value: Tensor | Array) -> None:
        """Tell of a tensor or an array whose memory may be given another size, and who of the other kind sees it."""
        other = Array if isinstance(value, Tensor) else Tensor
        others = tuple(
            (path, held)
            for path, held in call.frame.env.items()
            if isinstance(held, other) and held.storages & value.storages
        )
        self.emit(
            call.frame,
            object_events.Resized,
            call.node,
            name=name,
            receiver=receiver,
            value=value,
            arguments=call.arguments,
            others=others,
        )

    def look_into(self, node: cst.BaseExpression, value: Tensor | Array, view: Viewed) -> Viewed:
        """Remember that ``node`` made ``view``, which looks into ``value``."""
        if not self.learning and self.unit is None:
            self.views[view.oid] = View(node, value.oid)
        return view

    def views_of(self, frame: Frame, value: Value) -> tuple[cst.BaseExpression, ...]:
        """The expressions that made ``value`` look into something, the last one first."""
        found: list[cst.BaseExpression] = []
        oid = getattr(value, "oid", 0)
        while (view := self.views.get(oid)) is not None and oid not in frame.env.either:
            found.append(view.node)
            oid = view.of
        return tuple(found)

    def hand_on(self, frame: Frame, node: cst.CSTNode, value: Value, *, written: bool = False) -> None:
        """``value`` is ``written``, or leaves for code that may write it."""
        self.note_leaves(value)
        for leaf in leaves(value):
            if isinstance(leaf, Tensor) and leaf.frozen is not None:
                made, memory = leaf.frozen.site, leaf.frozen.memory
                self.emit_at(frame, events.FrozenUse, made, use=node, value=leaf, memory=memory, written=written)

    @staticmethod
    def _settle(frame: Frame, value: Value) -> None:
        """Memory that was allocated and left as found now holds data, and what was known of its numbers is past."""
        if isinstance(value, Tensor) and value.unset is None and not value.numbers:
            return
        for path, held in list(frame.env.items()):
            if isinstance(held, Tensor) and (held.unset or held.numbers) and held.storages & value.storages:  # type: ignore[union-attr]
                frame.env.bindings[path] = replace(held, unset=None, numbers="")
            elif isinstance(held, Array) and held.numbers and held.storages & value.storages:  # type: ignore[union-attr]
                frame.env.bindings[path] = replace(held, numbers="")

    def use(self, frame: Frame, node: cst.CSTNode, value: Value) -> None:
        """``value`` is read as data."""
        if isinstance(value, Tensor) and value.unset is not None:
            self.emit_at(frame, events.UnsetRead, value.unset, use=node)
        if isinstance(value, Tensor) and value.in_flight is not None:
            self.read_early(frame, node, value)

    def widen(self, frame: Frame, node: cst.CSTNode, value: Value, wanted: str) -> None:
        """``value`` is used as what it was, perhaps, before a legacy constructor made a smaller float of it."""
        if isinstance(value, Tensor) and value.narrowed is not None:
            made = value.narrowed
            sure = value.sure and value.dtype.sure and value.dtype.is_float
            self.emit_at(frame, events.NarrowedUse, made.site, use=node, given=made.given, wanted=wanted, sure=sure)

    def mark_stale(self, frame: Frame, storages: Storages, mutation: Mutation, writer: str) -> None:
        """Every other name that holds this memory as the other kind of object now shows something else."""
        for path, value in frame.env.items():
            if path == writer:
                continue
            for leaf in leaves(value):
                if self._sees(leaf, storages, mutation.how):
                    known = frame.env.stale.get(path)
                    if known is None or known.how is How.SOMEWHERE:
                        frame.env.stale[path] = mutation

    @staticmethod
    def _mark_somewhere(frame: Frame, written: Tensor, mutation: Mutation) -> None:
        """Every other name of a tensor that is ``written``, or a copy of it, by what decides a conversion between."""
        for path, held in frame.env.items():
            if path == mutation.name:
                continue
            for leaf in leaves(held):
                if not isinstance(leaf, Tensor) or leaf.picked or not leaf.storages & written.storages:
                    continue
                if leaf.transfer != written.transfer:
                    last = max((leaf, written), key=lambda each: (each.transfer is not None, each.oid))
                    seen = replace(mutation, how=How.SOMEWHERE, transfer=last.transfer)
                    frame.env.stale.setdefault(path, seen)

    @staticmethod
    def _sees(leaf: Value, storages: Storages, how: How) -> bool:
        if not isinstance(leaf, (Tensor, Array, Unknown)) or not leaf.storages & storages:
            return False
        match leaf:
            case Tensor(picked=False, imported=imported):
                return how is How.ARRAY or (how is How.EITHER and imported)
            case Array(picked=False, exported=exported):
                return how is How.TENSOR or (how is How.UPDATE and not exported)
            case Unknown(source=Provenance.PARAMETER):
                # The array a tensor was made of, when nothing says more than that.
                return how in {How.TENSOR, How.UPDATE}
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
        if named is None or _is_handed_in(named, frame):
            known = frame.updates.get(mutation.how, updated)
            frame.updates[mutation.how] = known | updated if known and updated else NO_STORAGE
            frame.trained |= mutation.modules
        mutation = replace(mutation, known=bool(updated))
        if self.lessons.training is None and mutation.how is How.UPDATE:
            self.lessons.training = mutation
        if mutation.how is How.UPDATE:
            for loop in frame.loops:
                loop.updates.append((mutation, updated))
        owners = {Owner.GRADIENT} if mutation.how is How.BACKWARD else {Owner.PARAMETER, Owner.BUFFER}
        for path, value in list(frame.env.items()):
            if isinstance(value, Optimizer) and mutation.how is How.UPDATE:
                frame.env.bindings[path] = replace(value, fresh=False)
            for leaf in leaves(value):
                if not isinstance(leaf, (Tensor, Array, Dictionary)) or leaf.alias is None:
                    continue
                if updated and not leaf.storages & updated:
                    continue
                if named is not None and not (isinstance(leaf, Dictionary) and leaf.names & named):
                    continue
                if isinstance(leaf, Dictionary) and leaf.asked_of.partition(".")[0] in frame.rebinds:
                    # ``model = train(...)``: the state is that of the model before.
                    continue
                if any(storage.owner in owners for storage in leaf.storages):
                    frame.env.stale.setdefault(path, mutation)

    def move(self, frame: Frame, storages: Storages, mutation: Mutation, *, shared: Storages = NO_STORAGE) -> None:
        """The data of these storages goes to other memory, with every tensor that sees it. An array stays behind."""
        for path, value in list(frame.env.items()):
            if isinstance(value, Tensor) and value.storages & storages and shared:
                frame.env.bindings[path] = replace(value, storages=shared)
            if any(isinstance(leaf, Array) and leaf.exported and leaf.storages & storages for leaf in leaves(value)):
                frame.env.stale[path] = mutation
        for storage in storages:
            if storage.serial <= frame.start:
                frame.outer_mutations.setdefault(storage, mutation)

    def share(self, frame: Frame, node: cst.CSTNode, value: Value, words: str) -> Storages:
        """``value`` is put into memory that processes share, if it is not there yet; where it is from now on."""
        match value:
            case Tensor(imported=False, storages=held, device=device):
                # What came from elsewhere may be there already.
                moved = all(storage.owner is Owner.FRESH or storage.owner.is_trained for storage in held)
            case Module(storages=held, device=device):
                moved = True
            case _:
                return NO_STORAGE
        if not (held and moved and device.truth is Truth.NO):
            return held
        shared = self.storage(Owner.SHARED) if isinstance(value, Tensor) else NO_STORAGE
        self.move(frame, held, Mutation(self.at(node), How.MOVED, words), shared=shared)
        return shared or held

    def update_arrays(self, frame: Frame, mutation: Mutation, arrays: Backing) -> None:
        """Training steps in place: the arrays that leaves were made of without a copy change with them."""
        for storage, made in sorted(arrays, key=lambda pair: (pair[0].serial, pair[1])):
            changed = replace(mutation, alias=made)
            for loop in frame.loops:
                loop.written.setdefault(storage.serial, mutation.site)
            self.mark_stale(frame, frozenset({storage}), changed, "")
            if storage.serial <= frame.start:
                frame.outer_writes.setdefault(storage.serial, mutation.site)
                frame.outer_mutations.setdefault(storage, changed)

    def release_gradients(self, frame: Frame, dropped: Storages | None = None) -> None:
        """``zero_grad()`` drops the gradient tensors (torch 2.0 and later): who holds one now holds it alone.

        So does ``x.grad = None`` with those that are ``dropped`` there.
        """
        for path, value in list(frame.env.items()):
            if isinstance(value, (Tensor, Array)) and any(
                storage.owner is Owner.GRADIENT if dropped is None else storage in dropped for storage in value.storages
            ):
                frame.env.bindings[path] = replace(value, storages=self.storage())

    def leave_behind(self, frame: Frame, model: Module) -> None:
        """The parameters of ``model`` go to another device: what was kept of them stays where it is, a copy by now."""

        def is_of_it(state: Dictionary) -> bool:
            return bool(state.storages & model.storages) or (model.oid != 0 and state.of == model.oid)

        for path, kept in list(frame.env.items()) if self.lessons.snapshots else ():
            if isinstance(kept, (Dictionary, Sequence)):
                frame.env.bindings[path] = without_aliases(of_no_model(kept, is_of_it), model.storages)

    def let_go_each(self, target: cst.BaseAssignTargetExpression, frame: Frame) -> None:
        """A loop goes on to the next object: nobody trains the models of the one before."""
        if not self.lessons.snapshots:
            return
        for name in names_in(target):
            held = frame.env.bindings.get(name)
            cls = self.cls(held) if isinstance(held, (Module, Instance)) else None
            models = () if cls is None else (each for each in cls.members().values() if isinstance(each, Module))
            parameters = NO_STORAGE.union(*(model.storages for model in models))

            def gone(state: Dictionary, name: str = name, parameters: Storages = parameters) -> bool:
                return state.asked_of.partition(".")[0] == name or bool(state.storages & parameters)

            for path, kept in list(frame.env.items()):
                if isinstance(kept, (Dictionary, Sequence)):
                    frame.env.bindings[path] = of_no_model(kept, gone)

    def accumulate(
        self, frame: Frame, node: cst.CSTNode, expression: cst.BaseExpression, value: Value, target: str, how: Adding
    ) -> None:
        """``value`` is added to what is kept of each iteration of the loop at hand, or of each call of a method."""
        if frame.quiet or self.learning or not isinstance(value, (Tensor, Unknown)):
            return
        if value.grad.truth <= Truth.UNKNOWN or frame.env.grad_mode.truth is Truth.NO:
            return
        target = target or root_name(node)
        if self.lessons.is_exported(target):
            return
        if frame.loops:
            kept = frame.loops[-1].differentiated.keeps(target, expression)
        else:
            on_self = bool(frame.self_name) and target.startswith(f"{frame.self_name}.")
            kept = (
                on_self and frame.function is not None and Differentiated(frame.function.node).keeps(target, expression)
            )
        if kept:
            long = not frame.loops or accumulates_long([(loop.node, loop.rounds) for loop in frame.loops], target)
            self.emit(
                frame, events.GraphKept, node, value=value, expression=expression, target=target, how=how, long=long
            )

    def note_exported(self, argument: Argument) -> None:
        """Remember, in the first pass, a list that is handed to what computes with it: that is told of there."""
        if self.learning and isinstance(argument.value, Sequence):
            self.lessons.handed_lists.add((root_name(argument.node), ""))

    def read_early(self, frame: Frame, node: cst.CSTNode, value: Value) -> None:
        """``value`` is read by the CPU: what is on its way there need not have arrived."""
        for leaf in leaves(value):
            if isinstance(leaf, Tensor) and leaf.in_flight is not None:
                self.emit(frame, events.EarlyRead, node, value=leaf, made=leaf.in_flight)
                return

    def _tell_early_write(self, frame: Frame, node: cst.CSTNode, value: Value, name: str) -> None:
        """``value`` is written by the CPU: an accelerator need not have copied what was there."""
        if not (frame.uploads and name and isinstance(value, (Tensor, Array)) and len(value.storages) == 1):
            return
        copied = frame.uploads.get(next(iter(value.storages)))
        # What a loop binds anew may be another buffer.
        root = name.partition(".")[0]
        if copied is not None and not any(root in bound_in(loop.node) for loop in frame.loops):
            self.emit(frame, events.UploadOverwritten, node, value=value, name=name, copied=copied)

    def arrive(self, frame: Frame) -> None:
        """The program waits until an accelerator is done: what was on its way is there."""
        if not self.lessons.transfers:
            return
        frame.uploads.clear()
        for path, value in list(frame.env.items()):
            now = arrived(value)
            if now is not value:
                frame.env.bindings[path] = now

    def wait(self, frame: Frame, node: cst.CSTNode, value: Value) -> None:
        """A number is asked of ``value``, for which an accelerator has to be done with it."""
        self.read_early(frame, node, value)
        if isinstance(value, Tensor) and value.device.truth is not Truth.NO:
            self.arrive(frame)
        if frame.quiet or self.learning or not isinstance(value, Tensor) or value.device.truth <= Truth.UNKNOWN:
            return
        if frame.loops and frame.loops[-1].differentiated.each_time(node):
            self.emit(frame, events.StepWaits, node, value=value)

    def note_leaves(self, value: Value) -> None:
        """Remember, in the first pass, the leaves of data in ``value``: there is a use for their gradients."""
        for leaf in leaves(value) if self.learning else ():
            if isinstance(leaf, Tensor) and leaf.rewrapped is not None and not leaf.rewrapped.steps:
                self.lessons.leaves_used.add(leaf.rewrapped.site)

    def escape(self, frame: Frame, node: cst.CSTNode, value: Value, how: Leaving, *sources: cst.CSTNode) -> None:
        """While a network is traced, ``node`` makes of ``value`` what is no tensor; it is made of ``sources``."""
        if (
            self.tracing is not None
            and isinstance(value, Tensor)
            and value.source not in {Provenance.PARAMETER_OF_MODULE, Provenance.BUFFER_OF_MODULE}
        ):
            spelling = cst.Module(body=()).code_for_node(node).strip()
            frame.escapes.append(Escape(self.at(node), how, spelling, value.sure, node, sources))


def _is_handed_in(named: frozenset[str], frame: Frame) -> bool:
    """Whether one of these names is of something that the caller of a function has, too."""
    if frame.function is None:
        return True
    made = {path for path, value in frame.env.items() if parameters_of_own(value)}
    handed = {*(parameter.name.value for parameter in parameters_of(frame.function.node)), frame.self_name}
    return bool(named & handed - made) or not named & frame.function.local_names

"""Functions that were seen: the frames they run in, and what calling one means here."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.annotations import declared_value, value_of
from tensorlint.flow.binding import bound_arguments, bound_nodes, flags_of, numbers_of, words_of
from tensorlint.flow.call import Argument
from tensorlint.flow.closures import Closures
from tensorlint.flow.core import HOST_METHODS, MAX_APPLICATIONS, MAX_DEPTH
from tensorlint.flow.decorators import NO_GRAD, runs_without_grad
from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.details import Escape, Tracing
from tensorlint.flow.domain.dtypes import FLOAT32, FLOAT64, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import of_no_model, storages_of, tensor_dtype, without_aliases
from tensorlint.flow.domain.lattice import fingerprint, join, join_all
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Owner, Storages
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    SOME_DTYPE,
    UNKNOWN,
    ClassObject,
    Dictionary,
    Function,
    Instance,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
    dtype_in,
    is_dtype,
)
from tensorlint.flow.graphs import added_up
from tensorlint.flow.hanging import returned_together
from tensorlint.flow.models.autocast import set_by
from tensorlint.flow.state import GRAD_OFF, Environment, Frame
from tensorlint.flow.summary import Remembered, Summary, summary_of
from tensorlint.flow.traces import escaped, handed_on
from tensorlint.flow.tree import dotted_name, parameters_of
from tensorlint.knowledge import names

#: Decorators of functions that a tracer does not look into, or that ``torch.jit.script`` does not.
_KEPT_WHOLE = frozenset({"script", "script_method", "script_if_tracing", "unused", "ignore"})


class Functions(Closures):
    def frame_of(self, info: FunctionInfo, depth: int) -> Frame:
        frame = Frame(Environment(self.scope_of(info)), function=info, cls=info.cls, depth=depth)
        if info.cls is not None and isinstance(info.node, cst.FunctionDef):
            decorators = {dotted_name(decorator) for decorator in info.decorators}
            positional = [*info.node.params.posonly_params, *info.node.params.params]
            if positional and not decorators & {"staticmethod", "classmethod"}:
                frame.self_name = positional[0].name.value
        frame.host_only = (
            names.COLLATE.search(info.name)
            or (
                info.cls is not None
                and info.cls.is_dataset
                and (info.name in HOST_METHODS or info.name.startswith(("load", "_load", "read", "get_")))
            )
            or info.name in HOST_METHODS
        )
        return frame

    def decorated_mode(self, info: FunctionInfo, frame: Frame) -> Fact | None:
        for decorator in info.decorators:
            called = decorator.func if isinstance(decorator, cst.Call) else decorator
            held = self.lookup(dotted_name(called), frame)
            # ``no = torch.no_grad()`` is a decorator as well, under any name.
            named = held.path.removesuffix("()") if isinstance(held, Symbol) else dotted_name(called)
            name = named.split(".")[-1]
            if name in NO_GRAD:
                arguments = decorator.args if isinstance(decorator, cst.Call) else ()
                off = arguments and isinstance(arguments[0].value, cst.Name) and arguments[0].value.value == "False"
                return None if off else GRAD_OFF
            if name == "enable_grad":
                return Fact(Truth.YES)
            if name == "set_grad_enabled":
                return GRAD_OFF
            seen = self.silently(called, frame)
            wrapping = self.function_at(seen.definition) if isinstance(seen, Function) else None
            if wrapping is not None and runs_without_grad(wrapping.node):
                return GRAD_OFF
        return None

    def decorated_autocast(self, info: FunctionInfo, frame: Frame) -> Dtype:
        """The dtype that networks compute in inside of ``info``."""
        for decorator in info.decorators:
            if isinstance(decorator, cst.Call) and dotted_name(decorator.func).endswith("autocast"):
                dtype = set_by(self.evaluate(decorator, frame))
                if dtype is not None:
                    return dtype
        return self.autocast

    def run_body(self, info: FunctionInfo, frame: Frame) -> Value:
        node = info.node
        if isinstance(node, cst.Lambda):
            return self.evaluate(node.body, frame)
        self.execute(node.body.body if isinstance(node.body, cst.BaseSuite) else [node.body], frame)
        if self.learning and frame.alive and not frame.returned:
            self.settle_devices(info, frame)
        if frame.yielded:
            return Sequence(kind="generator", element=join_all(frame.yielded))
        if not frame.returned:
            # What always raises returns nothing: who goes on after it calls another method of that name.
            return NONE if frame.alive else UNKNOWN
        if frame.alive:
            frame.returned.append(NONE)
        return returned_together(frame)

    # Calls of functions of this file.

    def note_call(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, *, bound: bool) -> None:
        # What is not known for the depth of a call is known where its caller is interpreted on its own.
        teaches = self.learning and info.unit is self.unit and not (frame.cut and frame.depth)
        heard = None if frame.quiet or info.unit is None else self.hearing
        if not teaches and heard is None:
            return
        passed = bound_arguments(info, arguments, bound=bound)
        if any(argument.star for argument in arguments):
            # It may be given any of them.
            passed = {**dict.fromkeys(words_of(info), UNKNOWN), **passed}
        else:
            passed = {**numbers_of(info), **flags_of(info), **passed}
        if teaches:
            self.lessons.functions[info.site] = info.lesson.called(passed, frame.env.grad_mode)
            if frame.function is not None:
                self.called_by.setdefault(info.site.definition, set()).add(frame.function.site.definition)
        if heard is not None:
            heard.called(info.site, passed, frame.env.grad_mode)

    def _note_names(self, info: FunctionInfo) -> None:
        """Keep what the names of the module hold that a function reads which it calls: they may be bound again."""
        met = self.met.setdefault(info.site, {})
        for name in info.outer_names:
            value = self.module_env.bindings.get(name)
            if value is not None:
                met[name] = join(met[name], value) if name in met else value

    def apply(
        self,
        info: FunctionInfo,
        receiver: Value | None,
        arguments: tuple[Argument, ...],
        frame: Frame,
        node: cst.CSTNode,
    ) -> Value:
        """What calling ``info`` returns here; its body is followed in silence."""
        bound = receiver is not None
        self.note_call(info, arguments, frame, bound=bound)
        if isinstance(receiver, Instance) and not (self.learning or frame.quiet):
            self._note_meter(info, arguments, frame, node)
        if frame is self.module_frame and info.unit is None:
            self._note_names(info)
        deep = self.followed + len(self.active) >= MAX_DEPTH
        if deep or self._goes_round(info, arguments) or self.applications >= MAX_APPLICATIONS:
            frame.cut = frame.cut or deep
            with self.visiting(info.unit):
                return self._declared_return(info, frame if info.unit is None else self.module_frame, UNKNOWN)
        tells = self.tracing is not None or self.world is None or info.unit is None or self.world.tells(info)
        if self.world is not None and info.unit is not None and not (self.asks_around and tells):
            with self.visiting(info.unit):
                return self._declared_return(info, self.module_frame, UNKNOWN)
        passed = bound_arguments(info, arguments, bound=bound)
        if self.tracing is not None:
            return self._traced(self.tracing, info, receiver, arguments, frame, node)
        if self.world is not None and info.unit is not None and not (self.learning and info.unit is self.unit):
            shared = self.world.call(info, receiver, passed, frame.env.grad_mode)
            if shared is not None:
                self._met_float(info, shared, receiver, arguments, frame, node)
                return self._in_new_memory(shared.result)
        key = (
            info.site,
            frame.env.grad_mode.truth,
            self.autocast,
            self.default_device.truth,
            tuple((name, fingerprint(value)) for name, value in sorted(passed.items())),
            fingerprint(receiver) if receiver else None,
        )
        remembered = self.memo.get(key)
        if remembered is not None and self.reads_the_same(remembered.reads, frame):
            known = remembered.summary
            for outer in self.reading[-1:]:
                outer.update(remembered.reads)
            frame.cut = frame.cut or known.cut
            self._met_float(info, known, receiver, arguments, frame, node)
            return self._in_new_memory(known.result)
        given = [*passed.values(), *([receiver] if receiver is not None else [])]
        self.reading.append(self.read_around(info, frame))
        with self.visiting(info.unit):
            summary = self.followed_into(info, receiver, passed, frame)
        reads = self.reading.pop()
        for outer in self.reading[-1:]:
            outer.update({read: found for read, found in reads.items() if read not in outer})
        if summary.changes_nothing and not storages_of(summary.result) & NO_STORAGE.union(*map(storages_of, given)):
            self.memo[key] = Remembered(summary, reads)
        frame.cut = frame.cut or summary.cut
        self._take_effect(summary, info, given, frame, node)
        self._met_float(info, summary, receiver, arguments, frame, node)
        return summary.result

    def _goes_round(self, info: FunctionInfo, arguments: tuple[Argument, ...]) -> bool:
        """Whether a function that is being followed calls itself; into a list it may, once, for what is in there."""
        again = self.active.count(info)
        return again > 1 or (again == 1 and not any(isinstance(each.value, (Tensor, Module)) for each in arguments))

    def _note_meter(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, node: cst.CSTNode) -> None:
        """``meter.update(loss)``: what a method adds to what its object keeps is added in each round of a loop."""
        given = bound_nodes(info, arguments, bound=True)
        for name, how in added_up(info.node).items():
            passed = next((each for each in arguments if each.node is given.get(name)), None)
            if passed is not None and isinstance(node, cst.Call):
                owner = dotted_name(node.func).rpartition(".")[0]
                self.accumulate(frame, node, passed.node, passed.value, owner, how)

    def _traced(
        self,
        tracing: Tracing,
        info: FunctionInfo,
        receiver: Value | None,
        arguments: tuple[Argument, ...],
        frame: Frame,
        node: cst.CSTNode,
    ) -> Value:
        """The same while a network is traced: what leaves torch in there has left it here, too."""
        bound = receiver is not None
        if self.active and info.cls is not None and info.cls.site in tracing.scripted and not tracing.reads_code:
            return Unknown(source=Provenance.MODEL)
        with self.visiting(info.unit):
            summary = self.followed_into(info, receiver, bound_arguments(info, arguments, bound=bound), frame)
        given = bound_nodes(info, arguments, bound=bound)
        frame.escapes += handed_on(summary.escapes, node, given, every=tracing.reads_code)
        return summary.result

    def _met_float(
        self,
        info: FunctionInfo,
        summary: Summary,
        receiver: Value | None,
        arguments: tuple[Argument, ...],
        frame: Frame,
        node: cst.CSTNode,
    ) -> None:
        """What met float32 in the body does so in the call, unless the module was cast, and its parts with it."""
        cast = isinstance(receiver, Module) and receiver.dtype not in {UNKNOWN_DTYPE, FLOAT32}
        raises_for = summary.raises_for - ({FLOAT64} if cast else set())
        given = tuple(each for each in arguments if tensor_dtype(each.value) in raises_for)
        if given:
            # Where all calls that are seen pass such, that is told inside.
            passed = info.lesson.arguments.values() if info.unit is None and not self.learning else ()
            inside = any(tensor_dtype(value) in raises_for for value in passed)
            # Of several arguments of integers it is not known which of them it is.
            several = len(given) > 1 and all(tensor_dtype(each.value).is_integral for each in given)
            self.meet_float(frame, node, given, told=inside or several)

    def followed_into(
        self, info: FunctionInfo, receiver: Value | None, passed: dict[str, Value], frame: Frame
    ) -> Summary:
        """What the body of ``info`` does when it is called like this."""
        self.applications += 1
        inner = self.frame_of(info, frame.depth + 1)
        inner.quiet = True
        inner.start = self.serial
        decorated = self.decorated_mode(info, inner)
        inner.env.grad_mode = decorated if decorated is not None else frame.env.grad_mode
        autocast, self.autocast = self.autocast, self.decorated_autocast(info, inner)
        known = frame.env.rebound if self.unit is None else {}
        inner.env.rebound = dict(known)
        self._bind_parameters_of_call(info, passed, receiver, inner)
        self.active.append(info)
        result = self.taken_along(self.run_body(info, inner), inner)
        self.active.pop()
        self.autocast = autocast
        escapes: tuple[Escape, ...] = ()
        if inner.escapes and self.tracing is not None and not self._is_compiled(info):
            escapes = escaped(info.node, inner.escapes, every=self.tracing.reads_code)
        result = self._declared_return(info, frame, result)
        if isinstance(result, Scalar) and is_dtype(result) and dtype_in(result).unsure:
            # A table from one library's dtypes to another's: that it knows a dtype says nothing of this call.
            result = SOME_DTYPE
        handed_in = NO_STORAGE.union(*map(storages_of, passed.values()), storages_of(receiver) if receiver else ())
        if not storages_of(result) & handed_in:
            # Where the model, or the leaf, was made in there, nobody out here can train it.
            gradients = frozenset(each for each in storages_of(result) if -each.serial - 1 > inner.start)
            if receiver is None or not storages_of(result) & self._kept_by(info):
                result = of_no_model(result)
            result = without_aliases(result, gradients | inner.made)
        summary = summary_of(inner, result, known)
        return replace(summary, escapes=escapes) if escapes else summary

    @staticmethod
    def _is_compiled(info: FunctionInfo) -> bool:
        """Whether a tracer takes the function as a whole: it was scripted, or is left to Python."""
        if info.cls is not None and info.cls.is_autograd_function:
            return True
        named = (decorator.func if isinstance(decorator, cst.Call) else decorator for decorator in info.decorators)
        return any(dotted_name(name).split(".")[-1] in _KEPT_WHOLE for name in named)

    @staticmethod
    def _kept_by(info: FunctionInfo) -> Storages:
        """The parameters of the models that objects keep which have this method."""
        members = {} if info.cls is None else info.cls.members()
        return NO_STORAGE.union(*(kept.storages for kept in members.values() if isinstance(kept, Module)))

    def _take_effect(
        self, summary: Summary, info: FunctionInfo, given: list[Value], frame: Frame, node: cst.CSTNode
    ) -> None:
        """What a call at ``node`` leaves behind here."""
        for before, now in summary.changes:
            frame.env.change(before, lambda _, now=now: now)  # type: ignore[misc]
        for name, value in summary.rebound if info.unit is self.unit else ():
            self.bound_by_call(name, value, info, frame)
        called = dotted_name(node.func) if isinstance(node, cst.Call) else ""
        if summary.updates is not None:
            words = f"`{called or info.name}(...)` updates the parameters in place here"
            mutation = Mutation(self.at(node), summary.updates, words, called=True, modules=summary.trained)
            self.update_parameters(frame, mutation, summary.updated)
        for serial in summary.writes:
            if serial <= frame.start:
                frame.outer_writes.setdefault(serial, self.at(node))
            for loop in frame.loops:
                loop.written.setdefault(serial, self.at(node))
        handed_in = NO_STORAGE.union(*map(storages_of, given))
        for value in given:
            if isinstance(value, Module):
                handed_in |= value.storages.union(array for array, _ in value.arrays)
        for storage, mutation in summary.mutations:
            if storage in handed_in and mutation.how is How.MOVED:
                self.move(frame, frozenset({storage}), mutation)
            elif storage in handed_in:
                self.mark_stale(frame, frozenset({storage}), mutation, "")
            if storage.serial <= frame.start:
                frame.outer_mutations.setdefault(storage, mutation)
        owner, _, method = called.rpartition(".")
        if method and owner == frame.self_name:
            # ``self.prepare()`` binds attributes of the object that the caller goes on with.
            for attribute, value in summary.bound:
                frame.env.bind(f"{owner}.{attribute}", value)

    def _in_new_memory(self, value: Value) -> Value:
        """The result of the same call once more: equal in all that was asked, in memory of its own."""
        match value:
            case Tensor() | Array() | Unknown() if value.storages:
                shared = any(storage.owner is Owner.SHARED for storage in value.storages)
                return replace(value, storages=self.storage(Owner.SHARED if shared else Owner.FRESH), oid=self.serial)
            case Sequence():
                items = None if value.items is None else tuple(map(self._in_new_memory, value.items))
                element = None if value.element is None else self._in_new_memory(value.element)
                return replace(value, items=items, element=element, born=self.next_serial(), oid=self.serial)
            case Dictionary(state_dict=False):
                entries = {name: self._in_new_memory(item) for name, item in value.entries.items()}
                element = None if value.element is None else self._in_new_memory(value.element)
                return replace(value, entries=entries, element=element, born=self.next_serial(), oid=self.serial)
            case Module() if value.oid:
                return replace(value, oid=self.next_serial())
        return value

    def _bind_parameters_of_call(
        self, info: FunctionInfo, passed: dict[str, Value], receiver: Value | None, frame: Frame
    ) -> None:
        for parameter in parameters_of(info.node):
            name = parameter.name.value
            if name in passed:
                value = passed[name]
            elif receiver is not None and (name == frame.self_name or isinstance(receiver, ClassObject)):
                value = receiver
                receiver = None
            elif parameter.default is not None:
                value = self.evaluate(parameter.default, frame)
            else:
                value = Unknown(source=Provenance.PARAMETER)
            frame.env.bind(name, value)
        params = info.node.params
        if isinstance(params.star_arg, cst.Param):
            frame.env.bind(
                params.star_arg.name.value, Sequence(kind="tuple", element=Unknown(source=Provenance.PARAMETER))
            )
        if params.star_kwarg is not None:
            frame.env.bind(params.star_kwarg.name.value, Dictionary(element=Unknown(source=Provenance.PARAMETER)))

    def _declared_return(self, info: FunctionInfo, frame: Frame, result: Value) -> Value:
        if not isinstance(result, Unknown) or isinstance(info.node, cst.Lambda) or info.node.returns is None:
            return (
                result if not isinstance(result, Unknown) or result.source else replace(result, source=Provenance.CALL)
            )
        declared = value_of(info.node.returns.annotation, lambda node: self.resolve(node, frame))
        if declared is None:
            return result
        if isinstance(declared, Sequence):
            # That there are several is what callers unpack; what one `return` gives may be something else.
            declared = replace(declared, kind="declared")
        return declared_value(declared, replace(result, source=Provenance.CALL))

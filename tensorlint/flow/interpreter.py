"""The interpreter over one file: a pass that learns what classes hold and callers pass, and a pass that speaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.annotations import value_of
from tensorlint.flow.call import Argument
from tensorlint.flow.calls import Calls
from tensorlint.flow.core import MAX_APPLICATIONS, MAX_DEPTH
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable, storages_of
from tensorlint.flow.domain.lattice import any_element, fingerprint, join, join_all
from tensorlint.flow.domain.memory import NO_STORAGE, Mutation, Owner
from tensorlint.flow.domain.values import (
    NONE,
    UNKNOWN,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Instance,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.expressions import Expressions
from tensorlint.flow.guards import Guards
from tensorlint.flow.index import ClassInfo, FunctionInfo, dotted_name
from tensorlint.flow.learned import Learned, Lessons
from tensorlint.flow.machine import declared_value
from tensorlint.flow.memory import of_no_model, without_aliases
from tensorlint.flow.state import GRAD_ASSUMED_ON, GRAD_NOT_KNOWN, GRAD_OFF, Environment, Frame, joined_changes
from tensorlint.flow.statements import Statements
from tensorlint.flow.tree import Sites

_NO_GRAD_DECORATORS = frozenset({"no_grad", "inference_mode"})
#: Lightning calls these under ``no_grad``.
_LIGHTNING_EVAL = re.compile(
    r"(validation|test|predict)_(step|step_end|epoch_end)|on_(validation|test|predict)_((epoch|batch)_)?(start|end)"
)
_COLLATE = re.compile(r"collate|(^|_)transform$")
#: Bases that call nothing back but ``forward``, by the first part of their names.
_PLAIN_BASES = frozenset({"torch", "builtins", "object", "abc", "ABC", "typing", "enum", "collections"})
_TRAINS = re.compile(r"train|fit|learn|update|optimi[sz]e|backward|loss|^forward$")
_EVALUATES = re.compile(r"predict|infer|test|eval|valid|post_?process", re.IGNORECASE)
_HOST_METHODS = frozenset({"__getitem__", "__getitems__"})


class Interpreter(Expressions, Guards, Calls, Statements):
    """Run with ``run``; events go to the callable given to the constructor."""

    def run(self, module: cst.Module) -> None:
        """Learn, then speak."""
        self.speak(module, self.learn(module))

    def learn(self, module: cst.Module) -> Learned:
        """What the file teaches: what its classes hold, what its functions are called with. Nothing is emitted."""
        self.learning, self.lessons = True, Lessons()
        self._whole_file(module)
        return self.lessons.learned(self.serial)

    def speak(self, module: cst.Module, learned: Learned) -> None:
        """Emit every event, in a fixed order."""
        self.learning, self.lessons = False, Lessons(learned)
        self.serial = max(self.serial, learned.serial)
        self._whole_file(module)

    def _whole_file(self, module: cst.Module) -> None:
        if self.module is not module:
            self.module, self.sites = module, Sites(module)
        self.applications = 0
        self.memo.clear()
        self.functions.clear()
        self.classes.clear()
        self.pending = []
        self.queued.clear()
        self.default_device = NO_FACT
        self.autocast = ""
        self.module_frame = Frame(Environment(grad_mode=Fact(Truth.YES)))
        self.execute(module.body, self.module_frame)
        self.module_serial = self.serial
        while self.pending:
            # Initialisers first: the other methods read what they leave on ``self``. Functions found inside come next.
            wave, self.pending = sorted(self.pending, key=lambda info: info.name != "__init__"), []
            for info in wave:
                self._root(info)

    # A function nobody is followed into: what its parameters hold is up to annotations and callers seen.

    def _root(self, info: FunctionInfo) -> None:
        frame = self._frame(info, depth=0)
        frame.env.grad_mode = self._grad_mode(info, frame)
        default_device = self.default_device
        frame.start = self.serial
        self._bind_parameters(info, frame)
        self._run_body(info, frame)
        if info.name in _HOST_METHODS and info.cls is not None and info.cls.is_dataset:
            # A batch is made of what several calls return, so a buffer of the dataset is stored by handing it out.
            self.reused_buffers(frame.handed_out, frame.start, frame.outer_writes, frame)
        # Which function runs after which is not known: what one of them sets holds for what it calls.
        self.default_device = default_device
        if self.learning and info.cls is not None:
            self._keep_frozen(info, info.cls, frame)

    def _keep_frozen(self, info: FunctionInfo, cls: ClassInfo, frame: Frame) -> None:
        """What a method froze of its object stays so: surely after ``__init__``, perhaps after any other."""
        for name, known in cls.members().items():
            held = frame.env.bindings.get(f"{frame.self_name}.{name}")
            if isinstance(held, Module) and isinstance(known, Module) and held.trainable is not known.trainable:
                left: Value = replace(known, trainable=held.trainable)
            elif isinstance(held, (Tensor, Unknown)) and held.grad.truth is Truth.NO:
                left = as_trainable(known, Truth.NO)
            else:
                continue
            self.lessons.keep_attribute(cls.site, name, left if info.name == "__init__" else join(known, left))

    def _frame(self, info: FunctionInfo, depth: int) -> Frame:
        around = info.enclosing.env if info.enclosing is not None else info.closure
        closure = around if around is not None else self.module_env
        frame = Frame(Environment(closure), function=info, cls=info.cls, depth=depth)
        if info.cls is not None and isinstance(info.node, cst.FunctionDef):
            decorators = {dotted_name(decorator) for decorator in info.decorators}
            positional = [*info.node.params.posonly_params, *info.node.params.params]
            if positional and not decorators & {"staticmethod", "classmethod"}:
                frame.self_name = positional[0].name.value
        frame.host_only = (
            bool(_COLLATE.search(info.name))
            or (
                info.cls is not None
                and info.cls.is_dataset
                and (info.name in _HOST_METHODS or info.name.startswith(("load", "_load", "read", "get_")))
            )
            or info.name in _HOST_METHODS
        )
        return frame

    def _grad_mode(self, info: FunctionInfo, frame: Frame) -> Fact:
        decorated = self._decorated_mode(info, frame)
        if decorated is not None:
            return decorated
        if (
            info.cls is not None
            and info.cls.is_autograd_function
            and info.name in {"forward", "backward", "setup_context", "vjp", "jvp"}
        ):
            return GRAD_OFF
        if _LIGHTNING_EVAL.fullmatch(info.name) and info.cls is not None:
            return GRAD_OFF
        if info.lesson.grad_mode is not None and info.lesson.grad_mode.truth is Truth.NO:
            return GRAD_OFF
        called_by_hook = info.lesson.grad_mode is not None and info.lesson.grad_mode.truth is Truth.UNKNOWN
        return GRAD_NOT_KNOWN if called_by_hook or _is_hook(info) else GRAD_ASSUMED_ON

    def _decorated_mode(self, info: FunctionInfo, frame: Frame) -> Fact | None:
        for decorator in info.decorators:
            called = decorator.func if isinstance(decorator, cst.Call) else decorator
            held = self.lookup(dotted_name(called), frame)
            # ``no = torch.no_grad()`` is a decorator as well, under any name.
            named = held.path.removesuffix("()") if isinstance(held, Symbol) else dotted_name(called)
            name = named.split(".")[-1]
            if name in _NO_GRAD_DECORATORS:
                arguments = decorator.args if isinstance(decorator, cst.Call) else ()
                off = arguments and isinstance(arguments[0].value, cst.Name) and arguments[0].value.value == "False"
                return None if off else GRAD_OFF
            if name == "enable_grad":
                return Fact(Truth.YES)
            if name == "set_grad_enabled":
                return GRAD_OFF
        return None

    def _bind_parameters(self, info: FunctionInfo, frame: Frame) -> None:
        for parameter in _parameters(info.node):
            name = parameter.name.value
            if name == frame.self_name and info.cls is not None:
                # Made elsewhere, but one object in here: hence an identity, and none that a constructor gives.
                frame.env.bind(name, _identified(self.self_value(info.cls), -self.next_serial()))
                continue
            frame.env.bind(name, self._parameter_value(info, parameter, frame))
        params = info.node.params
        if isinstance(params.star_arg, cst.Param):
            frame.env.bind(params.star_arg.name.value, Sequence(kind="tuple", element=Unknown(source="parameter")))
        if params.star_kwarg is not None:
            frame.env.bind(params.star_kwarg.name.value, Dictionary(element=Unknown(source="parameter")))

    def _parameter_value(self, info: FunctionInfo, parameter: cst.Param, frame: Frame) -> Value:
        name = parameter.name.value
        device = NO_FACT if frame.host_only else Fact()
        grad = NO_FACT if frame.host_only else Fact()
        if info.cls is not None and info.cls.is_lightning and name == "batch":
            device = Fact(Truth.MAYBE, self.at(parameter), "Lightning moves the batch to the device of the trainer")
        value: Value = Unknown(device=device, grad=grad, source="parameter", oid=self.next_serial())
        declared = None
        if parameter.annotation is not None:
            declared = value_of(parameter.annotation.annotation, lambda node: self.resolve(node, frame))
        seen = info.lesson.arguments.get(name) if info.lesson.calls else _flags(info).get(name)
        if isinstance(seen, Scalar) and isinstance(seen.literal, bool):
            return replace(seen, known=False)
        if seen is not None:
            value = self._seen_parameter(seen, value, parameter)
        elif _is_cpu(parameter.default):
            return DeviceValue(fact=Fact(reason="put on a device that is the CPU unless a caller chose another"))
        if declared is not None and isinstance(value, Unknown):
            value = declared_value(declared, value)
        storages = self.storage(Owner.ARGUMENT, node=parameter)
        if isinstance(value, (Tensor, Array, Unknown)):
            return replace(value, storages=storages, oid=self.serial)
        return _identified(value, -self.serial) if isinstance(value, Module) and not value.oid else value

    def _seen_parameter(self, seen: Value, unseen: Value, parameter: cst.Param) -> Value:
        """What the calls in this file pass. Numbers and strings vary from caller to caller; tensors tell more."""
        match seen:
            case Tensor():
                return replace(seen, alias=None, imported=False, source=seen.source or "argument")
            case Array():
                return replace(seen, alias=None, exported=False)
            case Unknown(device=device, grad=grad):
                return (
                    replace(unseen, device=device, grad=grad)
                    if isinstance(unseen, Unknown) and seen.source != "mixed"
                    else unseen
                )
            case Module() | Instance() | DeviceValue():
                return seen
            case Foreign(framework="PIL"):
                return seen
            case Sequence() if any_element(seen) != UNKNOWN:
                return seen
            case Scalar(kind="str", known=True, literal="cpu") if parameter.default is None:
                return seen
            case Scalar(kind=kind) if parameter.default is None and kind not in {"str", "None", "number"}:
                return Scalar(kind=kind)
            case _:
                return unseen

    def _run_body(self, info: FunctionInfo, frame: Frame) -> Value:
        node = info.node
        if isinstance(node, cst.Lambda):
            return self.evaluate(node.body, frame)
        self.execute(node.body.body if isinstance(node.body, cst.BaseSuite) else [node.body], frame)
        if frame.yielded:
            return Sequence(kind="generator", element=join_all(frame.yielded))
        if not frame.returned:
            return NONE
        if frame.alive:
            frame.returned.append(NONE)
        return join_all(frame.returned)

    # Calls of functions of this file.

    def record_call(self, info: FunctionInfo, arguments: tuple[Argument, ...], frame: Frame, *, bound: bool) -> None:
        passed = _bound_arguments(info, arguments, bound=bound)
        if not any(argument.star for argument in arguments):
            passed = {**_flags(info), **passed}
        self.lessons.functions[info.site] = info.lesson.called(passed, frame.env.grad_mode)

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
        if self.learning:
            self.record_call(info, arguments, frame, bound=bound)
        depth = MAX_DEPTH - 1 if self.learning else MAX_DEPTH
        if info in self.active or len(self.active) >= depth or self.applications >= MAX_APPLICATIONS:
            return self._declared_return(info, frame, UNKNOWN)
        passed = _bound_arguments(info, arguments, bound=bound)
        key = (
            id(info),
            frame.env.grad_mode.truth,
            self.autocast,
            self.default_device.truth,
            tuple((name, fingerprint(value)) for name, value in sorted(passed.items())),
            fingerprint(receiver) if receiver else None,
        )
        known = self.memo.get(key)
        if known is not None:
            return self._in_new_memory(known)
        self.applications += 1
        inner = self._frame(info, frame.depth + 1)
        inner.quiet = True
        inner.start = self.serial
        decorated = self._decorated_mode(info, inner)
        inner.env.grad_mode = decorated if decorated is not None else frame.env.grad_mode
        self._bind_parameters_of_call(info, passed, receiver, inner)
        self.active.append(info)
        result = self._run_body(info, inner)
        self.active.pop()
        changed = self._changed(inner, frame)
        if inner.updates is not None:
            called = dotted_name(node.func) if isinstance(node, cst.Call) else info.name
            self.update_parameters(
                frame,
                Mutation(
                    self.at(node),
                    inner.updates.how,
                    f"`{called}(...)` updates the parameters in place here",
                    called=True,
                ),
                inner.updated,
            )
        result = self._declared_return(info, frame, result)
        for serial in inner.outer_writes:
            if serial <= frame.start:
                frame.outer_writes.setdefault(serial, self.at(node))
            for loop in frame.loops:
                loop.written.setdefault(serial, self.at(node))
        given = NO_STORAGE.union(*map(storages_of, passed.values()), storages_of(receiver) if receiver else NO_STORAGE)
        for storage, mutation in inner.outer_mutations.items():
            if storage in given:
                self.mark_stale(frame, frozenset({storage}), mutation, "")
            if storage.serial <= frame.start:
                frame.outer_mutations.setdefault(storage, mutation)
        kept = bool(storages_of(result) & given)
        left = self._left_on_self(inner, frame, node)
        if not kept and not left and not changed and not inner.outer_writes and inner.updates is None:
            self.memo[key] = result
        if kept:
            return result
        # Where the model, or the leaf, was made in there, nobody out here can train it.
        gradients = frozenset(each for each in storages_of(result) if -each.serial - 1 > inner.start)
        return without_aliases(of_no_model(result), gradients)

    @staticmethod
    def _changed(inner: Frame, frame: Frame) -> bool:
        """Whether the body changed objects from before, which the caller goes on with as they are now."""
        exits = [*inner.exits, *([inner.env.changed] if inner.alive else [])]
        if not any(exits):
            return False
        after = [
            (before, now)
            for oid, (before, now) in reduce(joined_changes, exits).items()
            if oid <= inner.start and now is not before
        ]
        for before, now in after:
            frame.env.change(before, lambda _, now=now: now)  # type: ignore[misc]
        return bool(after)

    @staticmethod
    def _left_on_self(inner: Frame, frame: Frame, node: cst.CSTNode) -> bool:
        """``self.prepare()`` binds attributes of the object that the caller goes on with."""
        called = dotted_name(node.func) if isinstance(node, cst.Call) else ""
        if not inner.alive or inner.returned or not frame.self_name or not inner.self_name or called.count(".") != 1:
            return False
        if called.partition(".")[0] != frame.self_name:
            return False
        prefix = inner.self_name + "."
        bound = [(path, value) for path, value in inner.env.items() if path.startswith(prefix)]
        for path, value in bound:
            frame.env.bind(f"{frame.self_name}.{path.removeprefix(prefix)}", value)
        return bool(bound)

    def _in_new_memory(self, value: Value) -> Value:
        """The result of the same call once more: equal in all that was asked, in memory of its own."""
        if isinstance(value, (Tensor, Array, Unknown)) and value.storages:
            return replace(value, storages=self.storage(), oid=self.serial)
        return value

    def _bind_parameters_of_call(
        self, info: FunctionInfo, passed: dict[str, Value], receiver: Value | None, frame: Frame
    ) -> None:
        for parameter in _parameters(info.node):
            name = parameter.name.value
            if name in passed:
                value = passed[name]
            elif receiver is not None and (name == frame.self_name or isinstance(receiver, ClassObject)):
                value = receiver
                receiver = None
            elif parameter.default is not None:
                value = self.evaluate(parameter.default, frame)
            else:
                value = Unknown(source="parameter")
            frame.env.bind(name, value)
        params = info.node.params
        if isinstance(params.star_arg, cst.Param):
            frame.env.bind(params.star_arg.name.value, Sequence(kind="tuple", element=Unknown(source="parameter")))
        if params.star_kwarg is not None:
            frame.env.bind(params.star_kwarg.name.value, Dictionary(element=Unknown(source="parameter")))

    def _declared_return(self, info: FunctionInfo, frame: Frame, result: Value) -> Value:
        if not isinstance(result, Unknown) or isinstance(info.node, cst.Lambda) or info.node.returns is None:
            return result if not isinstance(result, Unknown) or result.source else replace(result, source="call")
        declared = value_of(info.node.returns.annotation, lambda node: self.resolve(node, frame))
        if declared is None:
            return result
        return declared_value(declared, replace(result, source="call"))


def _is_cpu(default: cst.BaseExpression | None) -> bool:
    """``device="cpu"`` or ``device=torch.device("cpu")``."""
    match default:
        case cst.SimpleString():
            return default.evaluated_value == "cpu"
        case cst.Call(args=[argument]):
            return dotted_name(default.func).split(".")[-1] == "device" and _is_cpu(argument.value)
        case _:
            return False


def _identified(value: Value, oid: int) -> Value:
    return replace(value, oid=oid) if isinstance(value, Module) else value


def _trainable(value: Value) -> Truth:
    """Whether a model is trained, as far as this was told of the object itself."""
    if isinstance(value, Module):
        return value.trainable
    return Truth.NO if isinstance(value, Unknown) and value.grad.truth is Truth.NO else Truth.UNKNOWN


def _parameters(node: cst.FunctionDef | cst.Lambda) -> list[cst.Param]:
    params = node.params
    return [*params.posonly_params, *params.params, *params.kwonly_params]


def _flags(info: FunctionInfo) -> dict[str, Value]:
    """Parameters that are on or off when nothing is passed."""
    return {
        parameter.name.value: Scalar(kind="bool", literal=parameter.default.value == "True", known=True)
        for parameter in _parameters(info.node)
        if isinstance(parameter.default, cst.Name) and parameter.default.value in {"True", "False"}
    }


def _bound_arguments(info: FunctionInfo, arguments: tuple[Argument, ...], *, bound: bool) -> dict[str, Value]:
    """Arguments by parameter name; what stands behind a star is not known."""
    params = info.node.params
    positional = [parameter.name.value for parameter in (*params.posonly_params, *params.params)]
    is_static = any(dotted_name(decorator) == "staticmethod" for decorator in info.decorators)
    if bound and info.cls is not None and not is_static:
        positional = positional[1:]
    passed: dict[str, Value] = {}
    for index, argument in enumerate(argument for argument in arguments if not argument.keyword):
        if argument.star:
            break
        if index < len(positional):
            passed[positional[index]] = argument.value
    names = {parameter.name.value for parameter in _parameters(info.node)}
    passed.update({argument.keyword: argument.value for argument in arguments if argument.keyword in names})
    return passed


def _is_hook(info: FunctionInfo) -> bool:
    """Whether a method is there for a base class of another file to call, perhaps under ``no_grad``.

    What evaluates is so even where ``forward`` is seen to call it: that is what the base class calls.
    """
    if info.cls is None or _TRAINS.search(info.name) or info.name.startswith("__"):
        return False
    if info.lesson.calls and not _EVALUATES.search(info.name):
        return False
    return any(base.partition(".")[0] not in _PLAIN_BASES for base in info.cls.all_bases())


def interpret(module: cst.Module, file: events.FileFacts, emit: Callable[[events.Event], None]) -> None:
    """Interpret a parsed file and hand every event to ``emit``, in a fixed order."""
    Interpreter(file, emit).run(module)

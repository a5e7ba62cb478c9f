"""The interpreter over one file: a pass that learns what classes hold and callers pass, and a pass that speaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.annotations import declared_value, value_of
from tensorlint.flow.binding import flags_of
from tensorlint.flow.calls import Calls
from tensorlint.flow.cells import cells
from tensorlint.flow.core import HOST_METHODS
from tensorlint.flow.defined import ClassInfo, FunctionInfo, is_plain_base
from tensorlint.flow.domain.devices import ACCELERATOR_NAMES
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable, unsure
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.memory import Owner
from tensorlint.flow.domain.tensors import Array, Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    UNKNOWN,
    DeviceValue,
    Dictionary,
    Foreign,
    Instance,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
)
from tensorlint.flow.expressions import Expressions
from tensorlint.flow.functions import Functions
from tensorlint.flow.graphs import always_differentiates
from tensorlint.flow.guards import Guards
from tensorlint.flow.learned import FunctionLesson, Learned, Lessons
from tensorlint.flow.models.fixtures import given_by_fixture
from tensorlint.flow.order import callers_first
from tensorlint.flow.scene import FileFacts
from tensorlint.flow.state import GRAD_ASSUMED_ON, GRAD_NOT_KNOWN, GRAD_OFF, Environment, Frame
from tensorlint.flow.statements import Statements
from tensorlint.flow.summary import rebound_in
from tensorlint.flow.tree import Sites, attributes_bound, dotted_name, parameters_of
from tensorlint.flow.world import World
from tensorlint.knowledge import names
from tensorlint.parsing import nodes_taken_as_read

#: Names without one of which nothing is converted, kept or written.
_BOUNDARY = re.compile(
    r"np|numpy|from_numpy|from_dlpack|to_dlpack|as_tensor|tensor|\w*Tensor|array|asarray|frombuffer|shuffle|state_dict"
    r"|requires_grad_?|backward|append|jit|onnx|\w*[a-z]_"
)


class Interpreter(Expressions, Guards, Calls, Statements, Functions):
    """Run with ``run``; events go to the callable given to the constructor."""

    def run(self, module: cst.Module) -> None:
        """Learn, twice where other files call functions of this one, then speak."""
        learned = self.learn(module)
        told = {} if self.world is None else self.world.callers.of_file(self)
        self.speak(module, self.learn(module, Learned(functions=told)) if told else learned)

    def learn(self, module: cst.Module, told: Learned | None = None) -> Learned:
        """What the file teaches: what its classes hold, what its functions are called with. Nothing is emitted.

        ``told`` is what is known before.
        """
        self.learning, self.lessons = True, Lessons(told)
        self._whole_file(module)
        return self.lessons.learned(self.serial)

    def speak(self, module: cst.Module, learned: Learned) -> None:
        """Emit every event, in a fixed order."""
        self.learning, self.lessons = False, Lessons(learned)
        self.serial = max(self.serial, learned.serial)
        self._whole_file(module)

    def _whole_file(self, module: cst.Module) -> None:
        if self.module is not module:
            self.module, self.sites = module, Sites(module, self.file.path)
        self.applications = 0
        self.memo.clear()
        self.functions.clear()
        self.classes.clear()
        self.pending = []
        self.stars = []
        self.queued.clear()
        self.met.clear()
        self.kept_before.clear()
        self.default_device = NO_FACT
        self.autocast = UNKNOWN_DTYPE
        self.module_frame = Frame(Environment(grad_mode=Fact(Truth.YES)))
        self.asks_around = True
        whole = [(module.body, frozenset[str]())]
        for statements, raised in cells(module) if self.file.raises else whole:
            self.module_frame.handlers.append(raised)
            self.execute(statements, self.module_frame)
            self.module_frame.handlers.pop()
        self.module_serial = self.serial
        self.roots(self.pending)

    def roots(self, functions: list[FunctionInfo]) -> None:
        """Interpret functions on their own, and then those that are found inside."""
        self.pending = functions
        while self.pending:
            # Initialisers first: the other methods read what they leave on ``self``. Functions found inside come next.
            teaches = self.learning and self.unit is None
            wave = (
                callers_first(self.pending, self.sites)
                if teaches
                else sorted(self.pending, key=lambda info: info.name != "__init__")
            )
            self.pending = []
            for info in wave:
                self._root(info)

    # A function nobody is followed into: what its parameters hold is up to annotations and callers seen.

    def _root(self, info: FunctionInfo) -> None:
        if self.learning and info.cls is not None and self.unit is None:
            self.keeps_by_itself(info.cls)
        frame = self.frame_of(info, depth=0)
        if info.site in self.met and frame.env.parent is self.module_env:
            frame.env.parent = self._as_met(info)
        frame.env.grad_mode = self._grad_mode(info, frame)
        default_device, autocast = self.default_device, self.autocast
        self.autocast = self.decorated_autocast(info, frame)
        frame.start = self.serial
        self.asks_around = self.unit is not None or self._may_ask_around(info, frame)
        self._bind_parameters(info, frame)
        self.run_body(info, frame)
        for name, value in rebound_in(frame).items():
            if name in frame.globals:
                # Whether it was called before what runs next is not known.
                known = self.module_env.lookup(name)
                self.module_env.bind(name, value if known is None else join(known, value))
        if info.name in HOST_METHODS and info.cls is not None and info.cls.is_dataset:
            # A batch is made of what several calls return, so a buffer of the dataset is stored by handing it out.
            self.reused_buffers(frame.handed_out, frame.start, frame.outer_writes, frame)
        # Which function runs after which is not known: what one of them sets holds for what it calls.
        self.default_device, self.autocast = default_device, autocast
        if self.learning and info.cls is not None:
            self._keep_frozen(info, info.cls, frame)

    def _as_met(self, info: FunctionInfo) -> Environment:
        """What is around a function that the module calls, and binds names of again that it reads."""
        around = Environment(self.module_env)
        lesson = self.lesson_of(info)
        later = lesson.handed_on or lesson.others or info.site.definition in self.called_by
        for name, value in self.met[info.site].items():
            last = self.module_env.lookup(name)
            if last is not None and last != value:
                around.bind(name, join(value, last) if later else value)
        return around

    def _may_ask_around(self, info: FunctionInfo, frame: Frame) -> bool:
        """Whether what functions of other files return can matter here.

        It does where something crosses the boundary, and where an object is given its attributes.
        """
        if self.world is None:
            return False
        inside = self.sites.inside(info.node)
        if self.learning:
            return bool(frame.self_name) and any(attributes_bound(inside, frame.self_name))
        return any(type(node) is cst.Name and _BOUNDARY.fullmatch(node.value) for node in inside)

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

    def _grad_mode(self, info: FunctionInfo, frame: Frame) -> Fact:
        decorated = self.decorated_mode(info, frame)
        if decorated is not None:
            return decorated
        if (
            info.cls is not None
            and info.cls.is_autograd_function
            and info.name in {"forward", "backward", "setup_context", "vjp", "jvp"}
        ):
            return GRAD_OFF
        if names.LIGHTNING_EVALUATES.fullmatch(info.name) and info.cls is not None:
            return GRAD_OFF
        lesson = self.lesson_of(info)
        if lesson.grad_mode is not None and lesson.grad_mode.truth is Truth.NO:
            return GRAD_OFF
        if self.unit is None and lesson.grad_mode is None and self.module_frame.env.grad_mode.truth is Truth.NO:
            # The module runs first, and switched them off for good.
            return GRAD_OFF
        if isinstance(info.node, cst.FunctionDef) and always_differentiates(info.node.body.body):
            # Nobody calls it where they are switched off: it would raise.
            return Fact(Truth.YES)
        if (
            lesson.grad_mode is not None
            and lesson.grad_mode.truth is Truth.YES
            and not (lesson.others or lesson.handed_on)
        ):
            return lesson.grad_mode
        called_by_hook = lesson.grad_mode is not None and lesson.grad_mode.truth is Truth.UNKNOWN
        return GRAD_NOT_KNOWN if called_by_hook or _is_hook(info, lesson) else GRAD_ASSUMED_ON

    def _bind_parameters(self, info: FunctionInfo, frame: Frame) -> None:
        for parameter in parameters_of(info.node):
            name = parameter.name.value
            if name == frame.self_name and info.cls is not None:
                # Made elsewhere, but one object in here: hence an identity, and none that a constructor gives.
                frame.env.bind(name, _identified(self.self_value(info.cls), -self.next_serial()))
                continue
            frame.env.bind(name, self._parameter_value(info, parameter, frame))
        params = info.node.params
        if isinstance(params.star_arg, cst.Param):
            frame.env.bind(
                params.star_arg.name.value, Sequence(kind="tuple", element=Unknown(source=Provenance.PARAMETER))
            )
        if params.star_kwarg is not None:
            frame.env.bind(params.star_kwarg.name.value, Dictionary(element=Unknown(source=Provenance.PARAMETER)))

    def _device_by_default(self, info: FunctionInfo, parameter: cst.Param) -> Value | None:
        """The device that a parameter is where nobody is seen to give it one; None where it is not known."""
        lesson, name = self.lesson_of(info), parameter.name.value
        if lesson.handed_on or lesson.others or name in lesson.arguments or not names.DEVICE.search(name):
            return None
        if self.unit is not None and info.name == "__init__":
            # Who makes an object of a class of another file is not asked.
            return None
        match parameter.default:
            case cst.SimpleString(evaluated_value=str(text)) if text.split(":")[0] in ACCELERATOR_NAMES:
                return Scalar(kind="str", literal=text)
            case cst.Name(value="None") if "device" in name:
                return NONE
            case _:
                return None

    def _parameter_value(self, info: FunctionInfo, parameter: cst.Param, frame: Frame) -> Value:
        name = parameter.name.value
        device = NO_FACT if frame.host_only else Fact()
        grad = NO_FACT if frame.host_only else Fact()
        if info.cls is not None and info.cls.is_lightning and name == "batch":
            device = Fact(Truth.MAYBE, self.at(parameter), "Lightning moves the batch to the device of the trainer")
        value: Value = Unknown(device=device, grad=grad, source=Provenance.PARAMETER, oid=self.next_serial())
        declared = None
        if parameter.annotation is not None:
            declared = value_of(parameter.annotation.annotation, lambda node: self.resolve(node, frame))
        if isinstance(declared, Scalar) and isinstance(parameter.default, cst.Float):
            # ``rate: int = 0.5``
            declared = Scalar(kind="float")
        lesson = self.lesson_of(info)
        # Who makes an object of a class of another file is not asked, and what a constructor keeps holds for all.
        flags = flags_of(info) if self.unit is None or info.name != "__init__" else {}
        seen = lesson.arguments.get(name) if lesson.calls else flags.get(name)
        if seen is None and not lesson.calls:
            seen = given_by_fixture(self, info, parameter, frame)
        if isinstance(seen, Scalar) and isinstance(seen.literal, bool):
            return replace(seen, known=False)
        by_default = None if seen is not None else self._device_by_default(info, parameter)
        if by_default is not None:
            return by_default
        if seen is not None:
            value = self._seen_parameter(unsure(seen) if lesson.others else seen, value, parameter)
        elif lesson.handed_on and not lesson.calls and names.DEVICE.search(name):
            return DeviceValue(fact=Fact(reason="put where somebody chooses who is not seen"))
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
                # Who else calls it may pass another, with a graph.
                grad = NO_FACT if seen.grad.truth is Truth.NO else seen.grad
                return replace(seen, alias=None, imported=False, grad=grad, source=seen.source or Provenance.ARGUMENT)
            case Array(alias=made, origin=origin):
                known = origin or (None if made is None else Origin(made, "it became an array here"))
                return replace(seen, alias=None, exported=False, origin=known)
            case Unknown(device=device, grad=grad):
                return (
                    replace(unseen, device=device, grad=grad)
                    if isinstance(unseen, Unknown) and seen.source is not Provenance.MIXED
                    else unseen
                )
            case Module() | Instance() | DeviceValue():
                return seen
            case Foreign(framework="PIL" | "buffer" | "binary stream"):
                return seen
            case Sequence() if any_element(seen) != UNKNOWN:
                return seen
            case Dictionary(state_dict=False) if seen.contents:
                return seen
            case Scalar(kind=kind) if kind.startswith("np."):
                # Where it is left out, there is nothing to tell of.
                return Scalar(kind=kind)
            case Scalar(kind="str", known=True, literal="cpu") if parameter.default is None:
                return seen
            case Scalar(kind="int" | "float" as kind):
                return Scalar(kind=kind)
            case Scalar(kind=kind) if parameter.default is None and kind not in {"str", "None", "number"}:
                return Scalar(kind=kind)
            case _:
                return unseen


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


def _is_hook(info: FunctionInfo, lesson: FunctionLesson) -> bool:
    """Whether a method is there for a base class of another file to call, perhaps under ``no_grad``.

    What evaluates is so even where ``forward`` is seen to call it: that is what the base class calls.
    """
    if info.cls is None or names.TRAINS.search(info.name) or info.name.startswith("__"):
        return False
    if lesson.calls and not names.EVALUATES.search(info.name):
        return False
    return not all(map(is_plain_base, info.cls.all_bases()))


def interpret(
    module: cst.Module, file: FileFacts, emit: Callable[[events.Event], None], world: World | None = None
) -> None:
    """Interpret a parsed file, in ``world`` if there is one, and hand every event to ``emit``, in a fixed order."""
    machine = Interpreter(file, emit, world)
    if world is None:
        machine.run(module)
        return
    world.machine = machine
    try:
        # Definitions of other files are parsed on the way.
        with nodes_taken_as_read():
            machine.run(module)
    finally:
        # It holds the whole tree, which would otherwise outlive two rounds of the collector.
        del world.machine

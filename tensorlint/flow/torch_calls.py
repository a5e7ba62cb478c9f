"""Calls of ``torch``: creation, import, grad mode, and everything that a row of ``knowledge`` describes."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import dtype_argument, dtype_of_data, keyword
from tensorlint.flow.domain.devices import NO_DATA, device_fact, together
from tensorlint.flow.domain.dtypes import is_integral, unsure_dtype, without_numpy
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, off_cpu, strongest
from tensorlint.flow.domain.inside import holds_exactly, leaves
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import (
    ACCELERATED,
    NONE,
    PLAIN,
    UNKNOWN,
    Array,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Module,
    Narrowed,
    Optimizer,
    Origin,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    is_none,
)
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.events import Argument
from tensorlint.flow.guards import Guards
from tensorlint.flow.index import dotted_name
from tensorlint.flow.state import GRAD_OFF, Frame
from tensorlint.knowledge import (
    IN_PLACE_METHODS,
    TORCH_FUNCTIONS,
    Device,
    Grad,
    Result,
    Row,
    Share,
)
from tensorlint.knowledge.row import DTYPES

#: What makes a number of a whole tensor, unless told otherwise.
_TO_NUMBER = frozenset({"sum", "mean", "prod", "std", "var", "max", "min", "amax", "amin", "median", "norm", "nanmean"})
_LOSS = re.compile(r"nn\.functional\.(\w+_loss|(binary_)?cross_entropy(_with_logits)?)$")
#: The modules of ``torch.nn`` that have parameters. Activations, losses, pooling and all others have none.
_WITH_PARAMETERS = re.compile(
    r"^(Lazy)?(Bilinear|Linear|Conv|BatchNorm|SyncBatchNorm|GroupNorm|LayerNorm|RMSNorm|Embedding|GRU|LSTM|RNN"
    r"|MultiheadAttention|Transformer|PReLU$|AdaptiveLogSoftmax|Parameter)"
)
_CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
_IDENTITY_CALLS = frozenset(
    {"torch.compile", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.jit.script"}
)
#: Stands for the context manager, with the dtype behind it.
AUTOCAST = "torch.autocast():"
#: Functions that ``autocast`` runs in the lower precision, whatever they are given.
_AUTOCAST = re.compile(r"(^|\.)(matmul|mm|bmm|addmm|baddbmm|einsum|linear|conv\dd|scaled_dot_product_attention)$")
_IN_FLOAT32 = ("_loss", "cross_entropy", "Loss")
_DEVICE_NAME = re.compile(r"dev|gpu|cuda|cpu|rank|accelerator|(^|[._])place", re.IGNORECASE)
_CONTEXTS = frozenset({"no_grad", "inference_mode", "enable_grad", "set_grad_enabled"})
_LEGACY_DTYPE = re.compile(
    r"^(Tensor|FloatTensor|DoubleTensor|HalfTensor|LongTensor|IntTensor|ShortTensor|CharTensor|ByteTensor|BoolTensor)$"
)


#: Casts to what a float32 may have been made of.
WIDENING = {"long": "int", "int": "int", "double": "float64"}
_TAKES_INDEX = frozenset(
    {"gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "index_select", "index_add", "index_add_"}
)


#: What asks a tensor for its dtype, device, layout or shape, and not for its data (``new_zeros``, ``empty_like``), and
#: what only changes these before the memory is filled.
_LIKE = re.compile(
    r"new|new_(?!tensor).*|.+_like|size|dim|ndimension|numel|nelement|type|stride|is_\w+|type_as|long|float|double|half"
)


def _operands_read(name: str) -> int | None:
    """How many of the operands of a function hold data that it reads; None for all of them."""
    if _LIKE.fullmatch(name):
        return 0
    # ``x.view_as(other)``, ``x.type_as(other)``
    return 1 if name.endswith("_as") else None


class TorchCalls(Guards):
    def _torch_call(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        result = self._torch_result(name, arguments, node, frame)
        consumer, _ = self.consumers.get(id(node), ("", None))
        self.emit(
            frame,
            events.TorchCall,
            node,
            name=name,
            arguments=arguments,
            result=result,
            consumer=consumer,
            discarded=self.bare_call is node,
        )
        return result

    def _torch_result(self, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        first = arguments[0].value if arguments and not arguments[0].keyword else None
        last = name.split(".")[-1]
        if last in _CONTEXTS:
            return self._grad_context(last, first, node, frame)
        if last == "autocast":
            return Symbol(path=AUTOCAST + self._autocast_dtype(name, first, arguments))
        if name == "device":
            chosen = first if first is not None else keyword(arguments, "type") or UNKNOWN
            return chosen if isinstance(chosen, DeviceValue) else DeviceValue(fact=self._chosen(chosen, node))
        if name == "cuda.is_available":
            return ACCELERATED
        if name in {"set_default_device", "set_default_tensor_type"}:
            self.default_device = self._default_device(first, arguments, node)
            return NONE
        if f"torch.{name}" in _IDENTITY_CALLS and first is not None:
            return first
        if name.startswith("optim.") and "lr_scheduler" not in name:
            # Adagrad alone has state before its first step (measured on 2.13.0).
            fresh = not name.endswith("Adagrad")
            return Optimizer(storages=_parameters_known(first), fresh=fresh, oid=self.next_serial())
        if name.startswith(("optim.", "distributions.", "profiler.", "multiprocessing.", "distributed.")):
            sampler = name.startswith("distributions.")
            inputs = [
                leaf for argument in arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
            ]
            device = strongest((value.device for value in inputs), UNKNOWN_FACT)
            grad = strongest((value.grad for value in inputs), UNKNOWN_FACT)
            return Unknown(device=device, grad=grad, source="distribution") if sampler else Foreign(framework="torch")
        if name == "utils.data.DataLoader" or last == "DataLoader":
            return Sequence(kind="loader")
        if name.startswith("jit.load") or name == "hub.load":
            return Module(
                name=f"torch.{name}",
                device=self._map_location(arguments, node, frame),
                storages=self.storage(Owner.PARAMETER),
                oid=self.next_serial(),
            )
        if name == "load":
            return Unknown(device=self._map_location(arguments, node, frame), source="load", oid=self.next_serial())
        row = TORCH_FUNCTIONS.get(name) or TORCH_FUNCTIONS.get(name.removeprefix("functional."))
        if row is None and name.startswith("nn.") and last[:1].isupper():
            return Module(
                name=f"torch.{name}",
                device=self._requested_device(arguments, node) or self.default_device,
                trainable=self._has_parameters(last, arguments),
                dtype=dtype_argument(arguments).replace("?", ""),
                storages=self.storage(Owner.PARAMETER),
                oid=self.serial,
            )
        if row is None:
            result = self.unknown_result(arguments, node, frame)
            asked = dtype_argument(arguments)
            return replace(result, dtype=asked) if isinstance(result, Unknown) and without_numpy(asked) else result
        if name in {
            "from_numpy",
            "as_tensor",
            "asarray",
            "tensor",
            "frombuffer",
            "autograd.Variable",
        } or _LEGACY_DTYPE.match(last):
            return self._import(name, row, arguments, node, frame)
        return self.from_row(row, None, arguments, node, frame, words=f"`torch.{name}`")

    def _chosen(self, device: Value, node: cst.Call) -> Fact:
        """Whether a device is off the CPU; one that is chosen when the program runs was meant to matter."""
        fact = device_fact(device)
        return Fact(Truth.MAYBE, self.at(node), "chosen when the program runs") if fact.truth is Truth.UNKNOWN else fact

    def _default_device(self, first: Value | None, arguments: tuple[Argument, ...], node: cst.Call) -> Fact:
        """Where tensors are made from here on. A type of tensors says it too: ``torch.cuda.FloatTensor``.

        A type that another file chose does not.
        """
        match first if first is not None or not arguments else arguments[0].value:
            case None:
                return NO_FACT
            case Symbol(path=kind) | Scalar(literal=str(kind)) if kind.endswith("Tensor"):
                truth = Truth.YES if ".cuda." in kind else Truth.NO
            case Symbol():
                return NO_FACT
            case chosen:
                fact = self.moved_to(chosen, arguments[0].node, node)
                if fact.reason == NO_DATA:
                    return fact
                truth = fact.truth
        return Fact(truth, self.at(node), "made on the default device, which is set here")

    def _has_parameters(self, name: str, arguments: tuple[Argument, ...]) -> Truth:
        """Whether a module of ``torch.nn`` has parameters that are trained, as it is made."""
        if name in _CONTAINERS:
            inside = [self.trainable(leaf) for argument in arguments for leaf in leaves(argument.value)]
            return max(inside, default=Truth.UNKNOWN)
        affine = keyword(arguments, "elementwise_affine") or keyword(arguments, "affine")
        if isinstance(affine, Scalar) and affine.literal is False:
            return Truth.NO
        scaled = affine is not None and "InstanceNorm" in name
        return Truth.YES if scaled or _WITH_PARAMETERS.search(name) else Truth.NO

    def _grad_context(self, name: str, first: Value | None, node: cst.Call, frame: Frame) -> Value:
        if name == "set_grad_enabled" or (name == "inference_mode" and first is not None):
            flag = first.literal if isinstance(first, Scalar) else None
            switched = (
                {True: "enable_grad", False: "no_grad"}.get(flag, "maybe_grad")
                if isinstance(flag, bool)
                else "maybe_grad"
            )
            if name == "inference_mode":
                switched = {"enable_grad": "no_grad", "no_grad": "enable_grad"}.get(switched, switched)
            if self.bare_call is node:
                frame.env.grad_mode = {"no_grad": GRAD_OFF, "enable_grad": Fact(Truth.YES)}.get(
                    switched, Fact(Truth.UNKNOWN)
                )
            return Symbol(path=f"torch.{switched}()")
        # ``with torch.no_grad:`` and ``@torch.no_grad`` never call it; ``torch.no_grad()(f)`` returns f.
        return Symbol(path=f"torch.{'enable_grad' if name == 'enable_grad' else 'no_grad'}()")

    @staticmethod
    def _autocast_dtype(name: str, first: Value | None, arguments: tuple[Argument, ...]) -> str:
        """bfloat16 is the default on the CPU and nowhere else."""
        enabled = keyword(arguments, "enabled")
        if isinstance(enabled, Scalar) and enabled.literal is False:
            return ""
        told = next((argument.value for argument in arguments if dtype_name(argument.value)), None)
        if told is not None and not (isinstance(told, Scalar) and told.kind == "str"):
            certain = enabled is None or (isinstance(enabled, Scalar) and enabled.literal is True)
            return dtype_name(told) if certain else unsure_dtype(dtype_name(told))
        if keyword(arguments, "dtype") is not None:
            return ""
        device = keyword(arguments, "device_type") or first
        on_cpu = name == "cpu.amp.autocast" or (isinstance(device, Scalar) and device.literal == "cpu")
        return "bfloat16" if on_cpu else ""

    def _map_location(self, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Fact:
        """Where a file is loaded to. Without a word on it, its tensors go where they were saved."""
        positional = arguments[1:2] if not any(argument.keyword for argument in arguments[:2]) else ()
        given = next((argument for argument in arguments if argument.keyword == "map_location"), None)
        argument = given or next(iter(positional), None)
        if argument is None or is_none(argument.value):
            return UNKNOWN_FACT
        match argument.value:
            case Dictionary() as table:
                truth = device_fact(any_element(table)).truth
            case Function() as function:
                # It is handed the storage as it was read, in host memory, and where it was when it was saved.
                read = Argument(node, Unknown(device=NO_FACT)), Argument(node, Scalar(kind="str"))
                placed = self.call_value(function, read, node, frame)
                truth = placed.device.truth if isinstance(placed, Unknown) else device_fact(placed).truth
            case Unknown() if not names_device(argument.node):
                truth = Truth.UNKNOWN
            case place:
                truth = self.moved_to(place, argument.node, node).truth
        return Fact(truth, self.at(node), "loaded onto that device here")

    def _requested_device(self, arguments: tuple[Argument, ...], node: cst.CSTNode) -> Fact | None:
        """What ``device=`` asks for; None when it is not given."""
        argument = next((argument for argument in arguments if argument.keyword == "device"), None)
        if argument is None or is_none(argument.value):
            return None
        return self.moved_to(argument.value, argument.node, node)

    def moved_to(self, value: Value, spelled: cst.BaseExpression, node: cst.CSTNode) -> Fact:
        """Off the CPU, after being put on the device ``value``. A device that is not known was meant to matter."""
        fact = device_fact(value)
        words = _spell(spelled)
        if isinstance(value, DeviceValue) and fact.truth is Truth.UNKNOWN:
            # Where another tensor is, wherever that may be; or where a caller may have chosen.
            return Fact(Truth.UNKNOWN, self.at(node), fact.reason or "put where another tensor is")
        if fact.truth is Truth.UNKNOWN and "cpu" in words.lower():
            return Fact(Truth.NO, self.at(node), "on the CPU here")
        if fact.truth is Truth.UNKNOWN:
            return Fact(Truth.MAYBE, self.at(node), f"put on `{words}` here", self._hangs_on(spelled))
        if fact.truth is Truth.NO:
            return Fact(Truth.NO, self.at(node), "on the CPU here")
        reason = NO_DATA if fact.reason == NO_DATA else f"put on `{words}` here"
        return replace(fact, site=self.at(node), reason=reason, hangs_on=self._hangs_on(spelled))

    def _hangs_on(self, device: cst.BaseExpression) -> tuple[str, bool, Truth] | None:
        name = dotted_name(device)
        self.hanging |= bool(name)
        return (off_cpu(name), True, Truth.NO) if name else None

    def _import(self, name: str, row: Row, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> Value:
        """An array, list, number or tensor becomes a tensor."""
        data = next(
            (argument.value for argument in arguments if not argument.keyword or argument.keyword == "data"), UNKNOWN
        )
        requested = self._requested_device(arguments, node)
        fallback = NO_FACT if row.device is Device.CPU else self.default_device
        dtype = dtype_argument(arguments) or ("" if row.dtype in {"keep", "argument"} else row.dtype)
        source_dtype = data.dtype if isinstance(data, (Array, Tensor)) else ""
        # What ``as_tensor`` is given may be a list, too, which is copied.
        shares = row.share is Share.ALWAYS or (
            row.share is Share.MAYBE and isinstance(data, (Array, Tensor)) and (not dtype or dtype == source_dtype)
        )
        moved = requested is not None and requested.truth is not Truth.NO
        if moved and requested is not None and requested.truth is Truth.MAYBE and isinstance(data, Array):
            shares = False
        asked = keyword(arguments, "requires_grad")
        grad = (
            Fact(Truth.YES, self.at(node), "created with `requires_grad=True` here")
            if isinstance(asked, Scalar) and asked.literal is True
            else NO_FACT
        )
        if name == "autograd.Variable" and isinstance(data, (Tensor, Unknown)):
            return replace(data, grad=grad if grad.truth is Truth.YES else data.grad, oid=self.next_serial())
        if name == "from_numpy":
            fallback = Fact(Truth.NO, self.at(node), "made of an array here")
        if isinstance(data, Tensor):
            fallback = data.device if row.device is not Device.CPU else NO_FACT
            if name not in {"tensor"} and grad.truth is Truth.NO:
                grad = data.grad
        elif isinstance(data, Unknown) and name in {"as_tensor", "asarray"}:
            # What is passed on may have been a tensor already.
            fallback = data.device if data.device.truth > Truth.UNKNOWN else NO_FACT
            grad = data.grad if data.grad.truth > Truth.UNKNOWN else NO_FACT
        if (copy := keyword(arguments, "copy")) is not None and isinstance(copy, Scalar) and copy.literal is True:
            shares = False
        storages = data.storages if shares and isinstance(data, (Array, Tensor, Unknown)) else self.storage(node=node)
        read_only = shares and isinstance(data, Array) and data.read_only.truth > Truth.UNKNOWN
        if shares and isinstance(data, Array) and data.exported and data.alias is not None:
            self.exports_taken_back.add(data.alias)
        return Tensor(
            device=requested if requested is not None else fallback,
            grad=grad,
            dtype=dtype or source_dtype or dtype_of_data(data),
            storages=storages,
            origin=Origin(self.at(node), "made here"),
            imported=shares and isinstance(data, (Array, Unknown)) and not read_only,
            alias=self.at(node) if shares and isinstance(data, (Array, Unknown)) else None,
            frozen=self.at(node)
            if read_only or (name == "frombuffer" and isinstance(data, Scalar) and data.kind == "bytes")
            else None,
            sliced=isinstance(data, Array) and data.sliced,
            picked=isinstance(data, Array) and data.picked,
            zero_dim=isinstance(data, Scalar),
            unset=self.at(node) if _LEGACY_DTYPE.match(name) and _is_size(arguments) else None,
            narrowed=_narrowed(name, data, dtype, self.at(node)) if _LEGACY_DTYPE.match(name) else None,
            oid=self.next_serial(),
        )

    def from_row(
        self,
        row: Row,
        receiver: Tensor | None,
        arguments: tuple[Argument, ...],
        node: cst.Call,
        frame: Frame,
        *,
        words: str,
    ) -> Value:
        """The result of a function or method as its row in ``knowledge`` describes it."""
        operands = [receiver] if receiver is not None else []
        unknown: list[Unknown] = []
        for argument in arguments:
            for leaf in leaves(argument.value) if argument.keyword != "out" else ():
                if isinstance(leaf, Tensor):
                    operands.append(leaf)
                elif isinstance(leaf, Unknown):
                    unknown.append(leaf)
        name = words.strip("`().").split(".")[-1]
        if row.result is not Result.SAME and name not in {"Parameter", "Buffer"}:
            for operand in operands[: _operands_read(name)]:
                self.use(frame, node, operand)
        source = _source(row, receiver, operands, arguments)
        for position in row.writes:
            self._write_operand(position, receiver, arguments, node, frame)
        self._write_out(row, arguments, node, frame)
        inplace = keyword(arguments, "inplace")
        if row.inplace and isinstance(inplace, Scalar) and inplace.literal is True and arguments:
            self._write_operand(0, receiver, arguments, node, frame)
        self._widen_operands(name, receiver, arguments, node, frame)
        if row.result in {Result.SCALAR, Result.NUMPY_SCALAR}:
            return Scalar(kind="number")
        if row.result in {Result.SIZE, Result.DTYPE, Result.NONE, Result.OTHER}:
            return PLAIN
        dtype = self._autocast_to(words.strip("`().")) or self._row_dtype(row, source, arguments)
        placed = _placed_by_type(arguments, self.at(node)) if name == "type" else None
        result = Tensor(
            device=placed or self._row_device(row, operands, unknown, arguments, node),
            grad=NO_FACT if is_integral(dtype) else self._row_grad(row, operands, unknown, arguments, node, frame),
            dtype=dtype,
            storages=self._row_storages(row, source, arguments),
            sure=receiver.sure if receiver is not None else True,
            source=source.source if source is not None else (unknown[0].source if unknown else ""),
            origin=next(
                (value.origin for value in (source, *unknown[:1]) if value is not None and value.origin is not None),
                Origin(self.at(node), f"made by {words} here"),
            ),
            alias=source.alias if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else None,
            imported=source.imported if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else False,
            zero_dim=_is_number(words.strip("`()."), arguments, receiver),
            oid=self.next_serial(),
        )
        if source is not None and result.storages is source.storages:
            result = replace(
                result,
                frozen=source.frozen,
                sliced=source.sliced,
                picked=source.picked,
                narrowed=source.narrowed if result.dtype == source.dtype else None,
            )
        if row.result is Result.SAME and source is not None:
            unset = None if row.writes else source.unset
            return replace(source, grad=strongest([source.grad, result.grad]), device=source.device, unset=unset)
        return self._shaped(row, result, arguments, receiver is not None)

    def _widen_operands(
        self, name: str, receiver: Tensor | None, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> None:
        if receiver is not None and name in WIDENING:
            self.widen(frame, node, receiver, WIDENING[name])
        if name in _TAKES_INDEX:
            # The tensor itself comes first, and what is put into it after the index.
            first = 1 if receiver is not None else 2
            for argument in (*arguments[first : first + 1], *(one for one in arguments if one.keyword == "index")):
                self.widen(frame, node, argument.value, "index")

    def _shaped(self, row: Row, result: Tensor, arguments: tuple[Argument, ...], is_method: bool) -> Value:
        dimension = arguments if is_method else arguments[1:]
        pair = row.result is Result.TENSOR_OR_TUPLE and any(
            argument.keyword in {"dim", "return_inverse", "return_counts", "return_indices"}
            or (not argument.keyword and isinstance(argument.value, Scalar))
            for argument in dimension
        )
        if row.result in {Result.TENSOR_TUPLE, Result.TENSOR_LIST} or pair:
            result = replace(result, picked=True)
            if row.indices:
                count = max(2, max(row.indices) + 1)
                items = tuple(
                    replace(result, grad=NO_FACT, dtype="int64") if index in row.indices else result
                    for index in range(count)
                )
                return Sequence(kind="tuple", items=items)
            return Sequence(kind="tuple", element=result)
        if row.result in {Result.ARRAY}:
            return Array(dtype=result.dtype, storages=result.storages)
        return result

    def _row_device(
        self, row: Row, operands: list[Tensor], unknown: list[Unknown], arguments: tuple[Argument, ...], node: cst.Call
    ) -> Fact:
        requested = self._requested_device(arguments, node)
        match row.device:
            case Device.CPU:
                return Fact(Truth.NO, self.at(node), "brought to the CPU here")
            case Device.ACCELERATOR:
                return Fact(Truth.YES, self.at(node), "moved to the accelerator here")
            case Device.DEFAULT:
                return requested or self.default_device
            case _ if requested is not None:
                return requested
        evidence = [value for value in unknown if value.device.truth is not Truth.UNKNOWN or not operands]
        return together([*operands, *evidence], UNKNOWN_FACT)

    def _row_grad(
        self,
        row: Row,
        operands: list[Tensor],
        unknown: list[Unknown],
        arguments: tuple[Argument, ...],
        node: cst.Call,
        frame: Frame,
    ) -> Fact:
        if row.grad is Grad.NO:
            return NO_FACT
        asked = keyword(arguments, "requires_grad")
        if isinstance(asked, Scalar) and asked.known:
            if asked.literal is True:
                return Fact(Truth.YES, self.at(node), "created with `requires_grad=True` here")
            return NO_FACT
        if row.grad is Grad.YES:
            return Fact(Truth.YES, self.at(node), "a parameter needs a gradient")
        if row.grad is Grad.ARGUMENT:
            return UNKNOWN_FACT if asked is not None else NO_FACT
        evidence = [value.grad for value in unknown if value.grad.truth > Truth.UNKNOWN or not operands]
        default = UNKNOWN_FACT if not operands and not arguments else NO_FACT
        return self.result_grad(strongest([*(value.grad for value in operands), *evidence], default), frame)

    def _autocast_to(self, name: str) -> str:
        """What ``autocast`` makes of a function, whatever it is given; empty for most."""
        if not self.autocast:
            return ""
        return self.autocast if _AUTOCAST.search(name) else "float32" if name.endswith(_IN_FLOAT32) else ""

    @staticmethod
    def _row_dtype(row: Row, source: Tensor | None, arguments: tuple[Argument, ...]) -> str:
        if row.dtype in DTYPES:
            return row.dtype
        explicit = dtype_argument(arguments)
        if explicit:
            return explicit
        if row.device is Device.OTHER:
            # ``x.type_as(y)``
            other = arguments[0].value if arguments else UNKNOWN
            return other.dtype if isinstance(other, Tensor) else ""
        kept = source.dtype if source is not None else ""
        if row.dtype == "default-float":
            return "float32"
        if row.dtype in {"keep", "argument"}:
            return kept
        return kept if kept.startswith(("float", "bfloat")) else ""

    def _row_storages(self, row: Row, source: Tensor | None, arguments: tuple[Argument, ...]) -> Storages:
        if source is None or row.share not in {Share.ALWAYS, Share.MAYBE}:
            return self.storage()
        target = row.dtype if row.dtype in DTYPES else dtype_argument(arguments)
        if row.share is Share.MAYBE and target and target != source.dtype:
            return self.storage() if source.dtype else NO_STORAGE
        return source.storages

    def _write_operand(
        self, position: int, receiver: Tensor | None, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
    ) -> None:
        if receiver is not None and position == 0:
            assert isinstance(node.func, cst.Attribute)
            owner = node.func.value
            link = owner.func if isinstance(owner, cst.Call) else None
            if isinstance(link, cst.Attribute) and link.attr.value in IN_PLACE_METHODS:
                # ``t.sub_(m).div_(s)``: the first link of the chain was told already.
                return
            self.write(frame, node, receiver, dotted_name(owner), "method")
            return
        index = position - (receiver is not None)
        if index < len(arguments) and not arguments[index].keyword:
            self.write(frame, node, arguments[index].value, dotted_name(arguments[index].node), "method")

    def _write_out(self, row: Row, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame) -> None:
        out = next((argument for argument in arguments if argument.keyword == "out"), None)
        if row.out and out is not None:
            for leaf in leaves(out.value):
                self.write(frame, node, leaf, dotted_name(out.node), "out")


def names_device(node: cst.BaseExpression) -> bool:
    """Whether an expression is called what devices are called where they are handed around."""
    return _DEVICE_NAME.search(cst.Module(body=()).code_for_node(node)) is not None


def _parameters_known(value: Value | None) -> Storages:
    """The storages of a list of parameters, when all of them belong to modules that were seen being made."""
    if value is None:
        return NO_STORAGE
    held = list(leaves(value))
    if not held or not all(isinstance(leaf, Tensor) and leaf.of_module for leaf in held):
        return NO_STORAGE
    return NO_STORAGE.union(*(leaf.storages for leaf in held if isinstance(leaf, Tensor)))


def _narrowed(name: str, data: Value, dtype: str, site: Site) -> Narrowed | None:
    """What a legacy constructor of floats loses of ``data``, as far as that is known."""
    if dtype not in {"float32", "float16"} or isinstance(data, Tensor):
        return None
    match data:
        case Array(dtype="float64" | "float64?" | "" | "?" as held):
            return Narrowed(site, "" if held.endswith("?") else held)
        case Array(dtype=held):
            whole = "numbers" if data.counted else "integers"
            return Narrowed(site, "" if held.startswith("float") or data.small else whole)
        case Sequence():
            inside = list(leaves(data))
            integers = bool(inside) and all(isinstance(leaf, Scalar) and leaf.kind == "int" for leaf in inside)
            small = all(isinstance(leaf, Scalar) and holds_exactly(leaf, dtype) for leaf in inside)
            return Narrowed(site, "numbers" if integers and not small else "")
        case Unknown():
            return Narrowed(site)
        case _:
            return None


def _is_size(arguments: tuple[Argument, ...]) -> bool:
    """Whether a legacy constructor is told how much to allocate, and not what to put there."""
    numbers = [argument.value.literal for argument in arguments if isinstance(argument.value, Scalar)]
    if any(isinstance(number, int) and number <= 0 for number in numbers):
        return False
    kinds = [
        argument.value.kind if isinstance(argument.value, Scalar) else ""
        for argument in arguments
        if not argument.keyword
    ]
    return bool(kinds) and all(kind in {"int", "np.int64"} for kind in kinds)


def _spell(node: cst.BaseExpression) -> str:
    """A short spelling of an expression for a message."""
    text = cst.Module(body=()).code_for_node(node)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def _placed_by_type(arguments: tuple[Argument, ...], site: Site) -> Fact | None:
    """``x.type(torch.FloatTensor)``: types of tensors say where they live, too."""
    kind = arguments[0].value if arguments else None
    path = kind.path if isinstance(kind, Symbol) else kind.literal if isinstance(kind, Scalar) else ""
    if not isinstance(path, str) or not path.startswith("torch.") or not path.endswith("Tensor"):
        return None
    if ".cuda." in path:
        return Fact(Truth.YES, site, f"made a `{path}` here")
    return Fact(Truth.NO, site, "brought to the CPU here")


def _source(
    row: Row, receiver: Tensor | None, operands: list[Tensor], arguments: tuple[Argument, ...]
) -> Tensor | None:
    """The tensor whose memory the result of ``row`` may share: the argument there, or the first tensor in it."""
    given = [argument.value for argument in arguments if not argument.keyword]
    if receiver is not None:
        given.insert(0, receiver)
    if row.source >= len(given) or any(argument.star for argument in arguments):
        return operands[row.source] if 0 <= row.source < len(operands) else None
    if row.source < 0:
        return None
    return next((leaf for leaf in leaves(given[row.source]) if isinstance(leaf, Tensor)), None)


def _is_number(name: str, arguments: tuple[Argument, ...], receiver: Tensor | None) -> bool:
    """Whether the result has no dimension: a reduction of everything, or a loss that is averaged as is the rule."""
    if _LOSS.search(name):
        return not any(argument.keyword in {"reduction", "reduce", "size_average", ""} for argument in arguments[2:])
    return name.removeprefix("torch.") in _TO_NUMBER and len(arguments) == (0 if receiver is not None else 1)

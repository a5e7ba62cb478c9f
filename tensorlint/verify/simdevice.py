"""A simulated accelerator, ``sim``: what crashes or copies off the CPU does so here, on a machine without a GPU.

torch lets a program fill in one backend of its own ("PrivateUse1"), in recent versions from Python
(``torch.utils.backend_registration._setup_privateuseone_for_python_backend``: private, tried on 2.13). A tensor on
``sim`` is a genuine tensor of that backend whose storage lies in host memory that only this module looks at:

* It is made from a CPU tensor by DLPack. The capsule names the device of the memory (``kDLCPU`` = 1); with the number
  of an extension device (``kDLExtDev`` = 12) written in its place, torch imports it as PrivateUse1. The same way back
  gives the CPU tensor that an operator needs. Both lie in the same memory, and DLPack keeps it alive.
* Operators that return a view (``Tensor(a)`` in their schema) only compute sizes, strides and an offset: the kernel of
  the CPU is run on the ``sim`` tensor itself, so that the view lies in the same storage.
* All others run on CPU tensors over the same memory, and what they return is handed out as ``sim``. Device checks,
  autograd, promotion and broadcasting are torch's own, above the backend.

Everything else follows: ``.numpy()`` refuses with the words it has for cuda, ``.cpu()`` and ``.to("sim")`` copy.

What it cannot show: asynchrony (every operator has finished when it returns), timing, and what a kernel of a real
device computes for values out of range. There is no pinned memory (``pin_memory`` copies), and there are no sparse
tensors. The file is also run by itself, in interpreters without tensorlint (see ``devices``).
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

NAME = "sim"

_CPU, _EXTENSION = 1, 12  # DLDeviceType in dlpack.h

#: Operators of cuda that accept operands of other devices and move them ("device_check: NoCheck" in
#: native_functions.yaml; TensorIterator does its own checks before a backend is asked).
_MIXED = {"aten::copy_", "aten::_copy_from", "aten::_to_copy", "aten::index", "aten::index_put_"}
_MIXED |= {"aten::_index_put_impl_", "aten::_unsafe_index", "aten::set_"}


class SimUnavailable(RuntimeError):  # noqa: N818  # it says that something is not there, not that anyone erred
    """This torch cannot host the simulated accelerator; the message says why."""


class _Capsule(ctypes.Structure):
    """The head of ``DLTensor``, with which ``DLManagedTensor`` begins."""

    _fields_ = (("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32))


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def install() -> None:
    """Register the device in this process; a second call does nothing. Raises ``SimUnavailable``."""
    torch: Any = importlib.import_module("torch")
    if hasattr(torch, NAME):
        return
    if not hasattr(getattr(torch._C, "_acc", None), "register_python_privateuseone_device_guard"):
        raise SimUnavailable(f"torch {torch.__version__} cannot host a backend written in Python")
    taken = torch._C._get_privateuse1_backend_name()
    if taken != "privateuseone":
        raise SimUnavailable(f"another extension has taken the PrivateUse1 backend: {taken}")
    try:
        registration = importlib.import_module("torch.utils.backend_registration")
        registration._setup_privateuseone_for_python_backend(NAME, backend_module=_device_module(torch))
        _Backend(torch).register()
    except (AttributeError, ImportError, TypeError, RuntimeError) as error:
        raise SimUnavailable(f"torch {torch.__version__} refused the simulated accelerator: {error}") from error


class _Backend:
    """The operators of the device."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.aten = torch.ops.aten
        self.on_cpu = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)

    def register(self) -> None:
        library = self.torch.library.Library
        self.anything, self.some = library("_", "IMPL"), library("aten", "IMPL")  # they unregister when they are freed
        self.anything.fallback(self.run, "PrivateUse1")
        for name, operator in {
            "_copy_from": self.copy_from,
            "_copy_from_and_resize": self.copy_from,
            "resize_": self.resize_,
            "set_.source_Storage_storage_offset": self.set_storage_,
            "set_.source_Storage": self.set_whole_storage_,
            "set_": self.set_empty_,
            "convolution_overrideable": self.convolution,
            "convolution_backward_overrideable": self.convolution_backward,
            "is_pinned": lambda tensor, device=None: False,
        }.items():
            self.some.impl(name, operator, "PrivateUse1")
        for key in ("PrivateUse1", "AutogradPrivateUse1"):
            self.some.impl("_thnn_fused_gru_cell", self.gru_cell, key)
            self.some.impl("_thnn_fused_lstm_cell", self.lstm_cell, key)
            self.some.impl("scaled_dot_product_attention", self.attention, key)
        for key in ("Conjugate", "Negative"):  # else the copy is resolved by a copy, which is resolved by a copy
            self.some.impl("_copy_from", self.torch.library.fallthrough_kernel, key)
        self.register_autocast()
        self.register_modules()
        self.register_pinned()
        self.register_generator()
        self.torch.serialization.register_package(0, lambda storage: None, self.restore)
        self.torch.accelerator.synchronize = lambda device=None: None
        self.torch._tensorlint_sim = self  # lives as long as torch does

    def register_autocast(self) -> None:
        """Autocast to float16, the default of cuda, for the operators that make up nearly all of a network."""
        key = self.torch._C.DispatchKey.AutocastPrivateUse1
        self.anything.fallback(self.torch.library.fallthrough_kernel, "AutocastPrivateUse1")
        self.torch.set_autocast_dtype(NAME, self.torch.float16)

        def cast(value: Any) -> Any:
            if self.is_sim(value) and value.dtype is self.torch.float32:
                return value.to(self.torch.get_autocast_dtype(NAME))
            return value

        def lowered(operator: Any) -> Any:
            def run(*arguments: Any, **options: Any) -> Any:
                with self.torch._C._ExcludeDispatchKeyGuard(self.torch._C.DispatchKeySet(key)):
                    return operator(*map(cast, arguments), **{name: cast(value) for name, value in options.items()})

            return run

        for name in ("linear", "matmul", "mm", "bmm", "addmm", "baddbmm", "conv1d", "conv2d", "conv3d"):
            packet = getattr(self.aten, name)
            self.some.impl(name, lowered(packet.default), "AutocastPrivateUse1")

    def register_modules(self) -> None:
        """``Module.to`` and ``t.data = other`` keep the identity of a tensor that changes its device, as on cuda.

        torch only lets the backends it knows exchange the insides of a tensor (``has_compatible_shallow_copy_type``).
        For others it puts new parameters in the module, which an optimizer made before the move does not know.
        """
        torch, data = self.torch, self.torch._C.TensorBase.data
        if not hasattr(torch.utils, "swap_tensors"):
            return
        torch.__future__.set_swap_module_params_on_conversion(True)

        def assign(tensor: Any, value: Any) -> None:
            if torch._has_compatible_shallow_copy_type(tensor, value):
                data.__set__(tensor, value)
                return
            fresh = value.detach().requires_grad_(tensor.requires_grad)
            fresh = torch.nn.Parameter(fresh, tensor.requires_grad) if type(tensor) is torch.nn.Parameter else fresh
            torch.utils.swap_tensors(tensor, fresh)

        torch.Tensor.data = property(data.__get__, assign)

    def register_pinned(self) -> None:
        """Pinned memory is new memory of the host; to pin it takes a driver, which there is none of."""

        def unpinned(function: Any) -> Any:
            def make(*arguments: Any, **options: Any) -> Any:
                options.pop("pin_memory", None)
                return function(*arguments, **options)

            return functools.wraps(function)(make)

        def pin_memory(tensor: Any, device: object = None) -> Any:
            return tensor.detach().clone()

        # ``set_default_device`` finds factories by identity, in a set that is filled once: before they are wrapped.
        importlib.import_module("torch.utils._device")._device_constructors()
        self.torch.Tensor.pin_memory = pin_memory
        for name in ("empty", "empty_like", "zeros", "zeros_like", "ones", "full", "rand", "randn", "arange", "tensor"):
            setattr(self.torch, name, unpinned(getattr(self.torch, name)))

    def register_generator(self) -> None:
        """``torch.Generator(device="sim")`` is one of the host, where the numbers are drawn."""
        original = self.torch.Generator

        class Generator(original):  # type: ignore[misc, valid-type]
            def __new__(cls, device: object = "cpu") -> Any:
                return super().__new__(cls, "cpu" if str(device).startswith(NAME) else device)

        self.torch.Generator = Generator

    # -- from host to device and back, over the same memory ---------------------------------------------------------

    def relabel(self, tensor: Any, device: int) -> Any:
        capsule = self.torch._C._to_dlpack(tensor.detach())  # the capsule keeps this tensor, storage and all
        head = _Capsule.from_address(_pointer(capsule, b"dltensor"))
        head.device_type, head.device_id = device, 0
        return self.torch._C._from_dlpack(capsule)

    def board(self, tensor: Any) -> Any:
        """The ``sim`` tensor in the memory of a CPU tensor."""
        if tensor.layout is not self.torch.strided:
            raise NotImplementedError(f"the simulated accelerator has no {tensor.layout} tensors")
        return self.relabel(tensor.resolve_conj().resolve_neg(), _EXTENSION)

    def land(self, tensor: Any) -> Any:
        """The CPU tensor in the memory of a ``sim`` tensor."""
        if tensor.is_conj():
            return self.land(tensor.conj()).conj()
        if tensor.is_neg():
            return self.land(self.torch._neg_view(tensor)).neg()
        return self.relabel(tensor, _CPU)

    def is_sim(self, value: Any) -> bool:
        return isinstance(value, self.torch.Tensor) and value.device.type == NAME

    # -- every operator without a special case ----------------------------------------------------------------------

    def run(self, operator: Any, *arguments: Any, **options: Any) -> Any:
        schema = operator._schema
        if any(made.alias_info is not None and not made.alias_info.is_write for made in schema.returns):
            return operator.redispatch(self.on_cpu, *arguments, **options)
        written = {item.name for item in schema.arguments if item.alias_info is not None and item.alias_info.is_write}
        named = dict(zip((item.name for item in schema.arguments), arguments, strict=False)) | options
        self.check_devices(schema.name, named)
        landed: list[tuple[Any, Any]] = []  # what was given, what the operator of the CPU gets
        host = {name: self.host(value, landed, name in written) for name, value in named.items()}
        positional = [host[item.name] for item in schema.arguments[: len(arguments)]]
        made = operator(*positional, **{name: host[name] for name in options})
        for given, lent in landed:
            if given.numel() != lent.numel() or given.shape != lent.shape:
                self.adopt(given, self.board(lent))
        return self.device(made, {id(lent): given for given, lent in landed})

    def host(self, value: Any, landed: list[tuple[Any, Any]], written: bool) -> Any:
        if self.is_sim(value):
            # An empty output is resized by the operator, which memory that came through DLPack cannot be.
            lent = self.torch.empty(0, dtype=value.dtype) if written and not value.numel() else self.land(value)
            if lent.shape != value.shape and value.dim() > 1:
                lent = lent.reshape(value.shape)
            landed.append((value, lent))
            return lent
        if isinstance(value, (list, tuple)):
            return [self.host(item, landed, written) for item in value]
        if isinstance(value, self.torch.device) and value.type == NAME:
            return self.torch.device("cpu")
        return value

    def device(self, value: Any, given: dict[int, Any]) -> Any:
        if isinstance(value, self.torch.Tensor):
            return given[id(value)] if id(value) in given else self.board(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self.device(item, given) for item in value)
        return value

    def check_devices(self, name: str, named: dict[str, Any]) -> None:
        """What the generated wrappers of cuda check before a kernel runs. Numbers (0-d tensors) may stay on the CPU."""
        if name in _MIXED:
            return
        flat = [(key, item) for key, value in named.items() for item in (value if isinstance(value, list) else [value])]
        ours = [item for _, item in flat if self.is_sim(item)]
        for key, item in flat:
            if ours and isinstance(item, self.torch.Tensor) and item.device.type == "cpu" and item.dim():
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but got {key} is on cpu, different from other "
                    f"tensors on {ours[0].device} (when checking argument in method wrapper_{NAME}_"
                    f"{name.partition('::')[2]})"
                )

    # -- storage ----------------------------------------------------------------------------------------------------

    def adopt(self, tensor: Any, other: Any) -> Any:
        """``tensor`` becomes a name of the memory of ``other``."""
        storage = other.untyped_storage()
        return self.set_storage_(tensor, storage, other.storage_offset(), other.shape, other.stride())

    def set_storage_(self, tensor: Any, storage: Any, offset: int, size: Any, stride: Any = ()) -> Any:
        operator = self.aten.set_.source_Storage_storage_offset
        return operator.redispatch(self.on_cpu, tensor, storage, offset, size, stride)

    def set_whole_storage_(self, tensor: Any, storage: Any) -> Any:
        return self.set_storage_(tensor, storage, 0, [storage.nbytes() // tensor.element_size()], [1])

    def set_empty_(self, tensor: Any) -> Any:
        return self.adopt(tensor, self.board(self.torch.empty(0, dtype=tensor.dtype)))

    def restore(self, storage: Any, location: str) -> Any:
        """The storage of a tensor that ``torch.load`` puts on the device (there is no allocator for bare storages)."""
        if not location.startswith(NAME):
            return None
        return self.board(self.torch.empty(0, dtype=self.torch.uint8).set_(storage)).untyped_storage()

    def copy_from(self, source: Any, target: Any, non_blocking: bool = False) -> Any:
        if source.numel() and source.dim() > target.dim():
            self.resize_(target, source.shape)
        self.there(target).copy_(self.there(source))
        return target

    def there(self, tensor: Any) -> Any:
        return self.land(tensor) if self.is_sim(tensor) else tensor

    def resize_(self, tensor: Any, size: Any, *, memory_format: Any = None) -> Any:
        needed = tensor.element_size()
        for length in size:
            needed *= length
        if needed + tensor.storage_offset() * tensor.element_size() > tensor.untyped_storage().nbytes():
            larger = self.torch.empty(size, dtype=tensor.dtype)
            old = self.land(tensor).reshape(-1)
            larger.reshape(-1)[: old.numel()] = old
            return self.adopt(tensor, self.board(larger))
        return self.aten.resize_.default.redispatch(self.on_cpu, tensor, size, memory_format=memory_format)

    # -- operators that torch hands to a backend of its own under another name -----------------------------------------

    def convolution(self, *arguments: Any) -> Any:
        return self.run(self.aten.convolution.default, *arguments)

    def convolution_backward(self, gradient: Any, data: Any, weight: Any, *geometry: Any) -> Any:
        *geometry_only, mask = geometry
        bias = [weight.shape[1] * geometry[-2] if geometry[-4] else weight.shape[0]]
        operator = self.aten.convolution_backward.default
        return self.run(operator, gradient, data, weight, bias, *geometry_only, mask)

    def gru_cell(self, inputs: Any, hidden: Any, state: Any, bias: Any = None, hidden_bias: Any = None) -> Any:
        """GRUCell of the documentation of ``torch.nn``; no kernel of this name exists on the CPU."""
        inputs = inputs if bias is None else inputs + bias
        hidden = hidden if hidden_bias is None else hidden + hidden_bias
        (reset, update, new), (old_reset, old_update, old_new) = inputs.chunk(3, 1), hidden.chunk(3, 1)
        reset, update = (reset + old_reset).sigmoid(), (update + old_update).sigmoid()
        new = (new + reset * old_new).tanh()
        return new + update * (state - new), inputs.new_empty(0)

    def lstm_cell(self, inputs: Any, hidden: Any, cell: Any, bias: Any = None, hidden_bias: Any = None) -> Any:
        """LSTMCell of the documentation of ``torch.nn``."""
        gates = inputs + hidden
        gates = gates if bias is None else gates + bias + hidden_bias
        enter, forget, candidate, leave = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        return leave.sigmoid() * cell.tanh(), cell, inputs.new_empty(0)

    def attention(self, *arguments: Any, **options: Any) -> Any:
        options.pop("enable_gqa", None)
        return self.aten._scaled_dot_product_attention_math.default(*arguments, **options)[0]


def _device_module(torch: Any) -> Any:
    """What stands at ``torch.sim``, after ``torch.cuda``: all that a program asks of the device itself."""

    class Event:
        def __init__(self, *arguments: object, **options: object) -> None:
            self.recorded = False

        def record(self, stream: object = None) -> None:
            self.recorded = True

        def wait(self, stream: object = None) -> None: ...

        def synchronize(self) -> None: ...

        def query(self) -> bool:
            return True

        def elapsed_time(self, other: object) -> float:
            return 0.0

    class Stream:
        def __init__(self, *arguments: object, **options: object) -> None: ...

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None: ...

        def synchronize(self) -> None: ...

        def wait_stream(self, stream: object) -> None: ...

        def wait_event(self, event: object) -> None: ...

        def record_event(self, event: Any = None) -> Any:
            return event or Event()

        def query(self) -> bool:
            return True

    class Device:
        """``with torch.cuda.device(0):``: there is only one."""

        def __init__(self, device: object = None) -> None: ...

        def __enter__(self) -> None: ...

        def __exit__(self, *exception: object) -> None: ...

    class Simulated(type(torch)):  # type: ignore[misc]
        """A module, so that ``import torch.sim`` would find one."""

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"the simulated accelerator has no torch.{NAME}.{name}")

    module = Simulated(f"torch.{NAME}")

    def nothing(*arguments: object, **options: object) -> None: ...

    def zero(*arguments: object) -> int:
        return 0

    for name in ("init", "_lazy_init", "synchronize", "empty_cache", "set_device", "manual_seed", "manual_seed_all"):
        setattr(module, name, nothing)
    for name in ("current_device", "memory_allocated", "max_memory_allocated", "memory_reserved"):
        setattr(module, name, zero)

    def legacy(kind: str) -> Any:
        """``torch.cuda.FloatTensor(...)``: what the type of the CPU makes, made there."""
        return lambda *arguments: getattr(torch, kind)(*arguments).to(NAME)

    for kind in ("Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"):
        setattr(module, f"{kind}Tensor", legacy(f"{kind}Tensor"))
    module.Event, module.Stream, module.device = Event, Stream, Device
    module.stream = lambda stream: stream
    module.current_stream = module.default_stream = lambda device=None: Stream()
    module.device_count = lambda: 1
    module.is_available = module.is_initialized = lambda: True
    module._is_in_bad_fork = lambda: False
    module.get_device_name = lambda device=None: "simulated accelerator"
    module.get_amp_supported_dtype = lambda: [torch.bfloat16, torch.float16]
    module.is_bf16_supported = lambda *arguments, **options: True
    return module

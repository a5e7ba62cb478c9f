"""Runs programs and reports what was seen. Executed by path, under the interpreter that has torch; imports nothing
of tensorlint.

``child.py serve`` imports torch once and then forks for each request (a line of JSON on standard input), which makes
a fresh process cost some milliseconds instead of seconds. ``child.py once`` is the fallback where there is no fork: it
serves one request in its own process. The parent makes the files that a run writes to.

What the process that runs a program may do is bounded: a session and a folder of its own, limits on memory, file size
and time, an audit hook that refuses network connections. That is a guard against accidents, not a sandbox.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import ctypes
import functools
import gc
import hashlib
import importlib
import io
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
import tokenize
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Request = dict[str, Any]
_CORE_NAMES = frozenset(
    {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__builtins__", "__warningregistry__"}
)
_PREVIEW = 8
_DEPTH = 6
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
#: What programs are likely to import; imported before forking it costs nothing afterwards.
_WARM = ("torch.nn", "torch.optim", "torch.utils.data", "torch.distributions", "torch._dynamo", "numpy.linalg")


# ---------------------------------------------------------------------------------------------------- a value in words


def describer(torch: Any, numpy: Any) -> Callable[[Any, int], Any]:
    """A function that turns a value into something JSON can hold and ``==`` can compare."""

    @functools.singledispatch
    def describe(value: Any, depth: int = 0) -> Any:
        attributes = getattr(value, "__dict__", None)
        name = type(value).__name__
        if not isinstance(attributes, dict) or depth > _DEPTH or type(value).__module__ != "__main__":
            return {"type": name}
        return {"type": name, "attributes": {str(key): describe(item, depth + 1) for key, item in attributes.items()}}

    @describe.register(type(None))
    @describe.register(bool)
    @describe.register(int)
    @describe.register(str)
    @describe.register(float)
    @describe.register(complex)
    @describe.register(bytes)
    def _plain(value: Any, depth: int = 0) -> Any:
        return repr(value)

    @describe.register(type)
    @describe.register(types.FunctionType)
    @describe.register(types.BuiltinFunctionType)
    @describe.register(types.ModuleType)
    def _named(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "name": value.__name__}

    @describe.register(list)
    @describe.register(tuple)
    def _sequence(value: Any, depth: int = 0) -> Any:
        if depth > _DEPTH:
            return {"type": type(value).__name__}
        return {"type": type(value).__name__, "items": [describe(item, depth + 1) for item in value]}

    @describe.register(set)
    @describe.register(frozenset)
    def _set(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "items": sorted(json.dumps(describe(item, depth + 1)) for item in value)}

    @describe.register(dict)
    def _mapping(value: Any, depth: int = 0) -> Any:
        if depth > _DEPTH:
            return {"type": type(value).__name__}
        return {
            "type": type(value).__name__,
            "items": {repr(key): describe(item, depth + 1) for key, item in value.items()},
        }

    @describe.register(numpy.generic)
    def _scalar(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "value": repr(value.item())}

    @describe.register(numpy.dtype)
    @describe.register(torch.dtype)
    @describe.register(torch.device)
    def _spelled(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "value": str(value)}

    @describe.register(numpy.ndarray)
    def _array(value: Any, depth: int = 0) -> Any:
        about = {"type": type(value).__name__, "dtype": str(value.dtype), "shape": list(value.shape)}
        if value.dtype.hasobject:
            return {**about, "items": [describe(item, depth + 1) for item in value.reshape(-1)[:64].tolist()]}
        return {**about, "shown": _some(value), "digest": _digest(value.tobytes())}

    @describe.register(torch.Tensor)
    def _tensor(value: Any, depth: int = 0) -> Any:
        about = {
            "type": type(value).__name__,
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "device": value.device.type,
            "requires_grad": value.requires_grad,
        }
        if value.device.type == "meta":
            return about
        dense = value.detach().cpu()
        dense = dense.to_dense() if dense.layout != torch.strided else dense
        dense = dense.dequantize() if dense.is_quantized else dense
        dense = dense.resolve_conj().resolve_neg().contiguous()
        data = dense.reshape(-1).view(torch.uint8).numpy().tobytes() if dense.numel() else b""
        return {**about, "shown": _some(dense), "digest": _digest(data)}

    @describe.register(torch.nn.Module)
    def _module(value: Any, depth: int = 0) -> Any:
        held = {**dict(value.named_parameters()), **dict(value.named_buffers())}
        return {"type": type(value).__name__, "held": {name: describe(item, depth + 1) for name, item in held.items()}}

    @describe.register(torch.optim.Optimizer)
    def _optimizer(value: Any, depth: int = 0) -> Any:
        return {"type": type(value).__name__, "state": describe(value.state_dict(), depth + 1)}

    def safely(value: Any, depth: int = 0) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return describe(value, depth)
        except Exception as error:  # noqa: BLE001  # whatever a program's value does when it is looked at
            return {"type": type(value).__name__, "unreadable": type(error).__name__}

    return safely


def _some(value: Any) -> str:
    flat = value.reshape(-1)
    shown = ", ".join(_short(item) for item in flat[:_PREVIEW].tolist())
    return f"[{shown}, ...]" if flat.shape[0] > _PREVIEW else f"[{shown}]" if value.ndim else shown


def _short(item: Any) -> str:
    return f"{item:.6g}" if type(item) is float else repr(item)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def preview(description: Any) -> str:
    """A description in a few words."""
    if not isinstance(description, dict):
        return str(description)
    if "unreadable" in description:
        return f"a {description['type']} that cannot be read ({description['unreadable']})"
    if "shown" in description or "value" in description:
        return str(description.get("shown", description.get("value")))
    items = description.get("items", description.get("attributes", description.get("held")))
    if items is None:
        return str(description.get("name", f"a {description['type']}"))
    each = items.values() if isinstance(items, dict) else items
    return f"{description['type']}({', '.join(preview(item) for item in list(each)[:_PREVIEW])})"[:200]


# ------------------------------------------------------------------------------------------------------------- memory


class Memory:
    """Which bytes a value lies in, so that two values can be asked whether they share them."""

    def __init__(self, torch: Any, numpy: Any) -> None:
        self._torch = torch
        self._numpy = numpy
        self._bounds = getattr(getattr(numpy.lib, "array_utils", numpy), "byte_bounds", None) or numpy.byte_bounds

    def extent(self, value: Any) -> tuple[int, int] | None:
        """First byte and the one after the last of the storage; None for what has none on this machine's CPU."""
        if isinstance(value, self._torch.Tensor):
            return self._of_tensor(value)
        return self._of_array(value) if isinstance(value, self._numpy.ndarray) else None

    def _of_tensor(self, tensor: Any) -> tuple[int, int] | None:
        if tensor.layout != self._torch.strided:
            return None
        storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()
        start = storage.data_ptr()
        return (start, start + storage.nbytes()) if start and storage.nbytes() else None

    def _of_array(self, array: Any) -> tuple[int, int] | None:
        while isinstance(array.base, self._numpy.ndarray):
            array = array.base
        if isinstance(array.base, self._torch.Tensor):
            return self._of_tensor(array.base)
        start, end = self._bounds(array)
        return (start, end) if end > start else None

    def shared(self, left: Any, right: Any) -> bool:
        one, other = self.extent(left), self.extent(right)
        if one is None or other is None or self._places(left) != self._places(right):
            return False
        return one[0] < other[1] and other[0] < one[1]

    def _places(self, value: Any) -> str:
        return str(value.device) if isinstance(value, self._torch.Tensor) else "cpu"

    def groups(self, leaves: Mapping[str, Any]) -> list[list[str]]:
        """The names that lie in one storage, for each storage with several names."""
        found: list[list[str]] = []
        for name, value in leaves.items():
            for group in found:
                if self.shared(leaves[group[0]], value):
                    group.append(name)
                    break
            else:
                found.append([name])
        return [group for group in found if len(group) > 1]

    def leaves(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """Tensors and arrays that can be reached from module-level names, by path."""
        found: dict[str, Any] = {}

        def visit(path: str, value: Any, depth: int) -> None:
            if len(found) >= 200 or depth > 3:
                return
            if isinstance(value, (self._torch.Tensor, self._numpy.ndarray)):
                found[path] = value
            for part, item in self._parts(value):
                visit(f"{path}{part}", item, depth + 1)

        for name, value in names.items():
            visit(name, value, 0)
        return found

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, (list, tuple)):
            yield from ((f"[{index}]", item) for index, item in enumerate(value[:32]))
        elif isinstance(value, dict):
            yield from ((f"[{key!r}]", item) for key, item in list(value.items())[:32])
        elif isinstance(value, self._torch.nn.Module):
            yield from ((f".{name}", item) for name, item in value.named_parameters())
        elif type(value).__module__ == "__main__":
            yield from ((f".{name}", item) for name, item in list(getattr(value, "__dict__", {}).items())[:32])


# ---------------------------------------------------------------------------------------------------------- observing


class Observer:
    """Follows one program from statement to statement and writes down what the request asks for."""

    def __init__(self, request: Request, torch: Any, numpy: Any) -> None:
        self.request = request
        self.torch = torch
        self.memory = Memory(torch, numpy)
        self.describe = describer(torch, numpy)
        self.namespace: dict[str, Any] = {}
        self.seen: dict[str, Any] = {"statement": 0, "row": 0, "marks": {}, "complete": False}
        self.caught: list[warnings.WarningMessage] = []

    def at(self, statement: int, row: int) -> None:
        """Called before each statement of the module. The report is on disk before anything can end the process."""
        self.seen["statement"], self.seen["row"] = statement, row
        wanted = self.request["snapshot"]
        if wanted == "each" or wanted == statement:
            self.seen["before"] = self.state()
        self.save()

    def mark(self, name: str) -> None:
        expressions = self.request["marks"].get(name, [])
        self.seen["marks"][name] = {expression: self.described(expression) for expression in expressions}

    def state(self) -> dict[str, Any]:
        names = {
            name: value
            for name, value in self.namespace.items()
            if name not in _CORE_NAMES and not isinstance(value, types.ModuleType)
        }
        values = {name: self.describe(value, 0) for name, value in names.items()}
        with contextlib.suppress(Exception):
            return {"values": values, "sharing": self.memory.groups(self.memory.leaves(names))}
        return {"values": values, "sharing": []}

    def described(self, expression: str) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            description = self.describe(self.evaluate(expression), 0)
            return {"value": json.dumps(description, sort_keys=True), "shown": preview(description)}

        return self.answered(answer)

    def evaluate(self, expression: str) -> Any:
        return eval(expression, self.namespace)  # noqa: S307  # the program beside it is executed as well

    def answered(self, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return {"known": True, **answer()}
        except Exception as error:  # noqa: BLE001  # an expression of a header may do anything
            return {"known": False, "value": f"{type(error).__name__}: {error}", "shown": str(error)}

    def probe(self, kind: str, left: str, right: str) -> dict[str, Any]:
        answers: Mapping[str, Callable[[], dict[str, Any]]] = {
            "repr": lambda: {"value": repr(self.evaluate(left))},
            "dtype": lambda: {"value": str(self.evaluate(left).dtype)},
            "sharing": lambda: {"value": str(self.memory.shared(self.evaluate(left), self.evaluate(right)))},
            "gradients": lambda: {"value": "", "numbers": self.gradients()},
        }
        return self.answered(answers[kind])

    def gradients(self) -> dict[str, list[float]]:
        leaves = self.memory.leaves(self.namespace)
        with_grad = {
            name: leaf.grad
            for name, leaf in leaves.items()
            if isinstance(leaf, self.torch.Tensor) and leaf.is_leaf and leaf.grad is not None
        }
        return {name: grad.detach().cpu().double().reshape(-1)[:1000].tolist() for name, grad in with_grad.items()}

    def finish(self) -> None:
        self.seen["answers"] = {
            "|".join(probe): self.probe(*probe) for probe in (tuple(each) for each in self.request["probes"])
        }
        if self.request["snapshot"] is not None:
            self.seen["state"] = self.state()

    def save(self) -> None:
        self.seen["warnings"] = [[caught.category.__name__, str(caught.message)] for caught in self.caught]
        text = json.dumps(self.seen)
        with open(self.request["report"], "w", encoding="utf-8") as file:
            file.write(text)


def instrumented(text: str) -> ast.Module:
    """The program, telling ``builtins`` before each statement of the module where it is. Rows stay as they are."""
    tree = ast.parse(text)
    marks = sorted(_marks(text))
    body: list[ast.stmt] = []
    statement = 0
    for node in tree.body:
        if _must_come_first(node):
            body.append(node)
            continue
        row = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        while marks and marks[0][0] < row:
            body.append(_call("__tensorlint_mark__", row, marks.pop(0)[1]))
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            statement += 1
        body += [_call("__tensorlint_at__", row, statement, row), node]
    last = tree.body[-1].end_lineno or 1 if tree.body else 1
    body += [_call("__tensorlint_mark__", last, name) for _, name in marks]
    return ast.Module(body, [])


def _marks(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("# mark: "):
            yield token.start[0], token.string[len("# mark: ") :].strip()


def _must_come_first(node: ast.stmt) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _call(name: str, row: int, *arguments: object) -> ast.stmt:
    constants: list[ast.expr] = [ast.Constant(argument) for argument in arguments]  # type: ignore[arg-type]
    node = ast.Expr(ast.Call(ast.Name(name, ast.Load()), constants, []))
    for each in ast.walk(node):
        each.lineno = each.end_lineno = row  # type: ignore[attr-defined]
        each.col_offset = each.end_col_offset = 0  # type: ignore[attr-defined]
    return node


# -------------------------------------------------------------------------------------------------- one run, to its end


def perform(request: Request) -> None:
    """Execute the program of a request in this process and report. The caller ends the process afterwards."""
    _redirect(request)
    _bound(request)
    torch, numpy = importlib.import_module("torch"), importlib.import_module("numpy")
    folder = request["folder"]
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    path = os.path.join(folder, request["name"])
    Path(path).write_text(request["text"], encoding="utf-8")
    sys.argv[:] = [path]
    sys.path.insert(0, folder)
    if request["prelude"]:
        exec(compile(request["prelude"], "<prelude>", "exec"), {"__name__": "tensorlint_prelude"})  # noqa: S102
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    observer = Observer(request, torch, numpy)
    observer.namespace = module.__dict__
    builtins.__tensorlint_at__ = observer.at  # type: ignore[attr-defined]
    builtins.__tensorlint_mark__ = observer.mark  # type: ignore[attr-defined]
    with warnings.catch_warnings(record=True) as observer.caught:
        warnings.simplefilter("always")
        _execute(request["text"], path, observer)
    observer.finish()
    observer.seen["complete"] = True
    observer.save()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _execute(text: str, path: str, observer: Observer) -> None:
    started = time.perf_counter()
    try:
        exec(compile(instrumented(text), path, "exec"), observer.namespace)  # noqa: S102  # what this file is for
    except BaseException as error:  # noqa: BLE001  # SystemExit and KeyboardInterrupt end programs as well
        if not (isinstance(error, SystemExit) and error.code in {None, 0}):
            observer.seen["raised"] = {
                "kinds": [kind.__name__ for kind in type(error).__mro__],
                "message": str(error),
                "row": _row(error, path),
            }
    observer.seen["seconds"] = time.perf_counter() - started


def _row(error: BaseException, path: str) -> int:
    """The row of the program that was being executed, not one of a library below it."""
    row = getattr(error, "lineno", 0) if isinstance(error, SyntaxError) else 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            row = trace.tb_lineno
        trace = trace.tb_next
    return row or 0


def _redirect(request: Request) -> None:
    """Standard streams to files; whatever else is open here, a program must not be able to write to."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, descriptor in (
        (0, os.open(os.devnull, os.O_RDONLY)),
        (1, os.open(request["stdout"], flags, 0o600)),
        (2, os.open(request["stderr"], flags, 0o600)),
    ):
        os.dup2(descriptor, number)
    os.closerange(3, 64)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def _bound(request: Request) -> None:
    sys.addaudithook(_refuse_network)
    with contextlib.suppress(ImportError):
        resource = importlib.import_module("resource")
        seconds = int(request["timeout"]) + 1
        limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 64 << 20, resource.RLIMIT_CPU: seconds}
        if request["memory"]:
            limits[resource.RLIMIT_AS] = _address_space() + int(request["memory"])
        for limit, value in limits.items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    """Bytes of address space in use, which torch alone takes gigabytes of."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 8 << 30


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.bind", "socket.sendto"}:
        if getattr(arguments[0], "family", None) != getattr(socket, "AF_UNIX", None):
            raise PermissionError("programs that are verified have no network")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        raise PermissionError("programs that are verified have no network")


# ------------------------------------------------------------------------------------------------------------- serving


def serve() -> None:
    """One request a line; the answer says how the process that ran it ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for name in _WARM:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    requests, answers = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    answers.write("{}\n")  # ready
    answers.flush()
    for line in requests:
        answers.write(json.dumps(_in_fork(json.loads(line))) + "\n")
        answers.flush()


def _in_fork(request: Request) -> dict[str, Any]:
    pid = os.fork()
    if not pid:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        code = 70
        try:
            perform(request)
            code = 0
        except BaseException as error:  # noqa: BLE001  # goes to the file the parent reads
            with contextlib.suppress(Exception):
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(code)
    deadline = time.monotonic() + request["timeout"]
    status, pause = 0, 0.001
    timed_out = False
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline and not timed_out:
            timed_out = True
            _kill(pid)
        time.sleep(pause)
        pause = min(pause * 1.3, 0.02)
    _kill(pid)
    _end_strays()
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return {"timed_out": timed_out, "signal": signalled, "exit": os.WEXITSTATUS(status) if not signalled else 0}


def _kill(pid: int) -> None:
    for send in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            send(pid, signal.SIGKILL)


def _end_strays() -> None:
    """Processes that a program left behind, in sessions of their own; they were handed to this one (Linux only)."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):
        for _ in range(10):
            strays = [int(pid) for pid in children.read_text().split()]
            if not strays:
                return
            for pid in strays:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)


def about() -> dict[str, Any]:
    """The versions of this interpreter."""
    metadata = importlib.import_module("importlib.metadata")
    platform = importlib.import_module("platform")
    try:
        torch, numpy = importlib.import_module("torch"), importlib.import_module("numpy")
    except ImportError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    packages = {str(each.metadata["Name"]).lower(): each.version for each in metadata.distributions()}
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": str(numpy.__version__),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": packages,
    }


def main() -> None:
    sys.path.pop(0)  # the folder of this file
    mode = sys.argv[1]
    if mode == "about":
        print(json.dumps(about()))  # noqa: T201
    elif mode == "serve":
        serve()
    else:
        perform(json.loads(sys.stdin.readline()))
        os._exit(0)


if __name__ == "__main__":
    main()

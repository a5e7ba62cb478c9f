"""One run of one program, to its end, within bounds."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import random
import socket
import sys
import tempfile
import time
import types
import warnings
from pathlib import Path
from typing import Any

from .observing import Observer, Request, instrumented


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
    # Not by the clock: what else runs on the machine would count as well.
    started = time.process_time()
    try:
        exec(compile(instrumented(text), path, "exec"), observer.namespace)  # noqa: S102  # what this file is for
    except BaseException as error:  # noqa: BLE001  # SystemExit and KeyboardInterrupt end programs as well
        if not (isinstance(error, SystemExit) and error.code in {None, 0}):
            observer.seen["raised"] = {
                "kinds": [kind.__name__ for kind in type(error).__mro__],
                "message": str(error),
                "row": _row(error, path),
            }
    observer.seen["seconds"] = time.process_time() - started


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

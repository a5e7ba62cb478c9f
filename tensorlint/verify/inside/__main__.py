"""Runs programs and reports what was seen. Executed by path, under the interpreter that has torch; imports nothing
of tensorlint but what lies beside it.

``serve`` imports torch once and then forks for each request (a line of JSON on standard input), which makes a fresh
process cost some milliseconds instead of seconds. ``once`` is the fallback where there is no fork: it serves one
request in its own process. The parent makes the files that a run writes to.

What the process that runs a program may do is bounded: a session and a folder of its own, limits on memory, file size
and time, an audit hook that refuses network connections. That is a guard against accidents, not a sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

if not __package__:
    # By a name that no program has for a module of its own; and what lies beside this file is none for a program.
    __package__ = "_tensorlint_inside"
    beside = types.ModuleType(__package__)
    beside.__path__ = [sys.path.pop(0)]
    sys.modules[__package__] = beside

from .observing import Request
from .running import perform

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
#: What programs are likely to import; imported before forking it costs nothing afterwards.
_WARM = ("torch.nn", "torch.optim", "torch.utils.data", "torch.distributions", "torch._dynamo", "numpy.linalg")


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

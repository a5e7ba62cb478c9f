"""Processes that run programs: one fork server for each run that may be under way, fresh interpreters without fork."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorlint.verify.observed import Answer, Probe, Raised, Run, State

_INSIDE = str(Path(__file__).with_name("inside"))
_PASSED_ON = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "VIRTUAL_ENV",
)
_PINNED = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "LC_ALL": "C",
    "TERM": "dumb",
}
_OUTPUT = 1 << 20
#: What the folder of a run is called in what was seen, so that two runs of one program read the same.
_FOLDER = "/folder"
#: Seconds a server may take beyond the limit of a program, and to start.
_GRACE = 30.0
_START = 300.0


class MissingTorchError(Exception):
    """The interpreter that is to run the programs has no torch or no NumPy."""


class PoolError(Exception):
    """The interpreter cannot be started at all."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the interpreter that runs the programs has."""

    python: str
    torch: str
    numpy: str
    platform: str
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float = 20.0
    megabytes: int = 2048


@dataclass(frozen=True, slots=True)
class Order:
    """One program to be run, and what is asked about it."""

    text: str
    name: str
    prelude: str = ""
    probes: tuple[Probe, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    #: ``each`` keeps the state before the statement that ends the program, a number that before this statement.
    snapshot: str | int | None = None
    #: CUDA and Metal reserve address space without end, so that a limit on it says nothing there.
    bounded: bool = True


class Pool:
    """Runs orders, at most ``jobs`` at a time; safe to use from as many threads. A context manager."""

    def __init__(
        self, python: str, jobs: int = 1, limits: Limits | None = None, fork: bool = hasattr(os, "fork")
    ) -> None:
        self._python = python
        self._limits = limits or Limits()
        self._fork = fork
        self._idle: queue.SimpleQueue[_Server | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="tensorlint-verify-", ignore_cleanup_errors=True)
        self._jobs = jobs
        for _ in range(jobs):
            self._idle.put(None)

    def __enter__(self) -> Pool:  # noqa: PYI034  # `Self` is of Python 3.11
        return self

    def __exit__(self, *exception: object) -> None:
        for _ in range(self._jobs):
            with suppress(queue.Empty):
                if server := self._idle.get(timeout=0.1):
                    server.close()
        self._folder.cleanup()

    def environment(self) -> Environment:
        """Ask the interpreter. Raises ``MissingTorchError`` or ``PoolError``."""
        try:
            done = subprocess.run(
                [self._python, _INSIDE, "about"], capture_output=True, env=_environment(), timeout=300, check=False
            )
            answer: dict[str, Any] = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PoolError(f"{self._python} cannot be run: {error}") from None
        except ValueError:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise PoolError(f"{self._python} cannot be asked: {words[-1] if words else 'no answer'}") from None
        if "error" in answer:
            raise MissingTorchError(answer["error"])
        return Environment(**answer)

    def run(self, order: Order) -> Run:
        with tempfile.TemporaryDirectory(dir=self._folder.name, ignore_cleanup_errors=True) as control:
            work = Path(control, "work")
            work.mkdir()
            request = self._request(order, control)
            ended = self._in_server(request) if self._fork else self._alone(request)
            return _read(request, ended, self._limits)

    def _request(self, order: Order, control: str) -> dict[str, Any]:
        marks: dict[str, list[str]] = {}
        for mark, expression in order.marks:
            marks.setdefault(mark, []).append(expression)
        return {
            "text": order.text,
            "name": order.name,
            "prelude": order.prelude,
            "probes": [[probe.kind, probe.left, probe.right] for probe in order.probes],
            "marks": marks,
            "snapshot": order.snapshot,
            "timeout": self._limits.seconds,
            "memory": self._limits.megabytes << 20 if order.bounded else 0,
            "folder": os.path.join(control, "work"),
            **{name: os.path.join(control, name) for name in ("report", "stdout", "stderr")},
        }

    def _in_server(self, request: dict[str, Any]) -> dict[str, Any]:
        server = self._idle.get()
        if server is None:
            try:
                server = _Server(self._python)
            except PoolError:
                self._idle.put(None)
                raise
        answer = server.ask(request)
        if answer is None:
            server.close()
            self._idle.put(None)
            return {"lost": "ended the process that had started it"}
        self._idle.put(server)
        return answer

    def _alone(self, request: dict[str, Any]) -> dict[str, Any]:
        with _process([self._python, _INSIDE, "once"], stdout=subprocess.DEVNULL) as process:
            try:
                process.communicate(json.dumps(request).encode() + b"\n", timeout=self._limits.seconds + _GRACE / 3)
            except subprocess.TimeoutExpired:
                return {"timed_out": True}
            code = process.returncode
            return {"signal": -code if code < 0 else 0, "exit": max(code, 0)}


class _Server:
    """A process that has imported torch and forks for each request."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, _INSIDE, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )

        if self._listen(_START) is None:
            self.close()
            raise PoolError(f"{python} ended before it could run a program")

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """How the program's process ended; None when the server did not survive it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        return self._listen(request["timeout"] + _GRACE)

    def _listen(self, seconds: float) -> dict[str, Any] | None:
        """The next line. A server ends what runs too long; the limit here is for a program that stopped the server."""
        assert self._process.stdout is not None
        watch = threading.Timer(seconds, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            return None
        finally:
            watch.cancel()
        return answer

    def close(self) -> None:
        _end(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@contextmanager
def _process(command: list[str], stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and its session, for good."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _environment() -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "HOME": tempfile.gettempdir(),
        **_PINNED,
    }


def _read(request: dict[str, Any], ended: dict[str, Any], limits: Limits) -> Run:
    if "lost" in ended:
        return Run(complete=False, lost=ended["lost"])
    try:
        report = Path(request["report"]).read_text(encoding="utf-8")
        seen = json.loads(report.replace(json.dumps(request["folder"])[1:-1], _FOLDER))
    except (OSError, ValueError):
        seen = {}
    raised = seen.get("raised")
    number = ended.get("signal", 0)
    whole = bool(seen.get("complete")) and not number
    answers: dict[str, Any] = seen.get("answers", {})
    return Run(
        complete=whole,
        signal=_signal_name(number),
        exit_code=ended.get("exit", 0),
        timed_out=limits.seconds if ended.get("timed_out") else 0.0,
        raised=Raised(tuple(raised["kinds"]), raised["message"], raised["row"]) if raised else None,
        statement=seen.get("statement", 0),
        row=raised["row"] if raised else seen.get("row", 0),
        before=_state(seen.get("before")),
        state=_state(seen.get("state")),
        warnings=tuple((category, message) for category, message in seen.get("warnings", ())),
        answers={key: _answer(answer) for key, answer in answers.items()},
        marks={mark: {key: _answer(each) for key, each in at.items()} for mark, at in seen.get("marks", {}).items()},
        numbers={
            key: {name: tuple(values) for name, values in answer["numbers"].items()}
            for key, answer in answers.items()
            if "numbers" in answer
        },
        stdout=_text(request["stdout"]).replace(request["folder"], _FOLDER),
        stderr=_text(request["stderr"]).replace(request["folder"], _FOLDER),
        seconds=seen.get("seconds", 0.0),
    )


def _answer(answer: dict[str, Any]) -> Answer:
    return Answer(answer["known"], answer["value"], answer.get("shown", ""))


def _state(state: dict[str, Any] | None) -> State | None:
    if state is None:
        return None
    return State(state["values"], frozenset(tuple(group) for group in state["sharing"]))


def _signal_name(number: int) -> str | None:
    try:
        return signal.Signals(number).name if number else None
    except ValueError:
        return f"signal {number}"


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_OUTPUT).decode("utf-8", "replace")
    except OSError:
        return ""

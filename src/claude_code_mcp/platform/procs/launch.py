"""The first moments of a run's main process: forked, held back until it is recorded, then turned into its program.

Standard library only: this runs inside the shim. What goes wrong before the program runs comes back as a failure:
`stage` (session, stdio, cwd, confine, exec), `errno`, `message`.
"""

import contextlib
import ctypes
import json
import os
import signal
import time

from claude_code_mcp.platform.procs import table, terminal
from claude_code_mcp.platform.procs.confine import confine
from claude_code_mcp.platform.procs.records import Json, number

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
_RESET = ("HUP", "INT", "QUIT", "PIPE", "TERM", "CHLD", "USR1", "USR2", "ALRM", "XFSZ", "TSTP", "TTIN", "TTOU")

_PRCTL = ctypes.CDLL(None).prctl if table.LINUX else None
"""Looked up here once, not by each shim and each child anew."""


def prctl(option: int, value: int | bytes) -> bool:
    """Call prctl(2); False where the system has none or refuses."""
    argument = ctypes.c_ulong(value) if isinstance(value, int) else ctypes.c_char_p(value)
    return _PRCTL is not None and _PRCTL(option, argument, 0, 0, 0) == 0


def start_of(pid: int) -> int:
    """Return when a live process started: clock ticks since boot on Linux, else nearly the epoch's microseconds."""
    row = table.row_of(pid) if table.LINUX else None
    return row.start if row is not None else int(time.time() * 1_000_000)  # asked right after its fork


class Child:
    """The main process, forked and waiting in front of its program."""

    def __init__(self, pid: int, go: int, failure: int) -> None:
        self.pid = pid
        self.start = start_of(pid)
        self._go = go
        self._failure = failure

    def release(self) -> Json | None:
        """Let it run; return None once its program runs, else why it could not."""
        with contextlib.suppress(BrokenPipeError):  # it failed earlier, and says why
            os.write(self._go, b"g")
        os.close(self._go)
        said = b""
        while part := os.read(self._failure, 65536):  # ends when exec closes the other end
            said += part
        os.close(self._failure)
        found: Json | None = json.loads(said) if said else None
        return found

    def drop(self) -> None:
        """End it before it ran."""
        os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so the pid is still its own


def fork_child(spec: Json, env: dict[str, str], run_dir: str, slave: int | None) -> Child:
    """Fork the main process; it waits until it is released. `slave` is its terminal, where it has one.

    Raises:
        OSError: no process or descriptor is left (EAGAIN, ENOMEM, EMFILE).
    """
    go_read, go_write = os.pipe()
    failure_read, failure_write = os.pipe()
    shim = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(go_write)  # or the end of the shim would never reach us
        _become(spec, env, run_dir, Gate(shim, go_read, failure_write, slave))
    os.close(go_read)
    os.close(failure_write)
    return Child(pid, go_write, failure_read)


class Gate:
    """What the child of a shim knows: who the shim is, where it is let go, where it complains, its terminal."""

    def __init__(self, shim: int, go: int, failure: int, slave: int | None) -> None:
        self.shim = shim
        self.go = go
        self.failure = failure
        self.slave = slave


def _become(spec: Json, env: dict[str, str], run_dir: str, gate: Gate) -> None:
    stage = "session"
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != gate.shim:
            os._exit(127)  # it died before we could tie ourselves to it
        stage = "stdio"
        if gate.slave is None:
            _redirect(spec, run_dir)
        else:
            terminal.adopt(gate.slave)
        stage = "cwd"
        os.chdir(str(spec["cwd"]))
        os.umask(int(number(spec, "umask", 0o022)))
        stage = "confine"
        before = confine(spec, run_dir)
        stage = "exec"
        _reset_signals()
        argv = [*before, *_words(spec)]
        if os.read(gate.go, 1) != b"g":
            os._exit(127)
        if argv:
            os.execvpe(argv[0], argv, env)  # noqa: S606 -- the purpose of a run; there is no shell in it
    except BaseException as exc:  # noqa: BLE001 -- whatever it is, the shim hears of it and this process ends
        code = getattr(exc, "errno", None) or 0
        os.write(gate.failure, json.dumps({"stage": stage, "errno": code, "message": str(exc)[:500]}).encode())
    os._exit(127)


def _words(spec: Json) -> list[str]:
    argv = spec["argv"]
    return [str(word) for word in argv] if isinstance(argv, list) else []


def _reset_signals() -> None:
    for name in _RESET:
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _redirect(spec: Json, run_dir: str) -> None:
    kind = spec.get("stdin")
    if kind == "null":
        stdin = os.open(os.devnull, os.O_RDONLY)
    else:  # a FIFO that its own reader holds open for writing has no end of file when its writers go
        stdin = os.open(f"{run_dir}/stdin", os.O_RDWR if kind == "fifo" else os.O_RDONLY)
    stdout = os.open(f"{run_dir}/stdout", os.O_WRONLY | os.O_APPEND)
    stderr = stdout if spec.get("stderr") == "stdout" else os.open(f"{run_dir}/stderr", os.O_WRONLY | os.O_APPEND)
    for source, target in ((stdin, 0), (stdout, 1), (stderr, 2)):
        os.dup2(source, target)

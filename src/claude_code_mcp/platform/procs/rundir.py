"""The directory of one run: its files, their format, and what they say about its state.

`spec.json` what to start, locked (flock) while its shim lives; `env.json` the environment, until it is used;
`stdin` FIFO, or what is to be read from it; `stdout` `stderr`; `procs.json` {shim, child: {pid, start, boot}, at};
`exit.json` {code, signal, at, …} or {failure: {stage, errno, message}, at}; `stop.json` {grace_s}; `terminal.json`
{rows, cols} as last wished; `confined.json` what was put in force; `exit.tmp` reserved space. All mode 0600.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from claude_code_mcp.kernel.ids import is_uuid
from claude_code_mcp.platform.procs.errors import BadRunSpec
from claude_code_mcp.platform.procs.identity import Identity, boot_id
from claude_code_mcp.platform.procs.models import (
    Exit,
    Limits,
    Members,
    OnExit,
    RunSpec,
    Sandbox,
    StartFailure,
    Stderr,
    Stdin,
    TerminalSize,
)
from claude_code_mcp.platform.procs.records import Json, load, number, publish
from claude_code_mcp.platform.procs.table import RUN_TAG, SERVICE_TAG

T = TypeVar("T")
_RESERVED_BYTES = 1024
_NAMES = (
    *("env.json", "spec.json", "stdin", "stdout", "stderr", "procs.json", "exit.tmp", "exit.json", "stop.json"),
    *("terminal.json", "confined.json"),
)
NEW_PREFIX = ".new-"
GONE_PREFIX = ".gone-"


def check(spec: RunSpec) -> None:
    """Return when the system could start this.

    Raises:
        BadRunSpec: it could not, whatever the machine.
    """
    problem = _problem(spec)
    if problem:
        raise BadRunSpec(f"A run cannot be started like this: {problem}.", run_id=spec.run_id[:60])


def _problem(spec: RunSpec) -> str:
    if not is_uuid(spec.run_id):
        return "its id is not a UUID"
    if not spec.argv or not spec.argv[0]:
        return "no program is named"
    if any("\0" in word for word in (*spec.argv, spec.cwd)):
        return "an argument holds a NUL character"
    if not spec.cwd.startswith("/"):
        return "its working directory is not an absolute path"
    bad = [name for name, value in spec.env.items() if not name or "=" in name or "\0" in name + value]
    return f"{bad[0][:60]!r} cannot be a variable" if bad else _confinement_problem(spec)


def _confinement_problem(spec: RunSpec) -> str:
    if any("\0" in path or not path.startswith("/") for path in (*spec.writable, *spec.hidden)):
        return "a path of its sandbox is not absolute"
    if spec.pty is not None and not (0 < spec.pty.rows < 1000 and 0 < spec.pty.cols < 1000):
        return "a terminal has 1 to 999 rows and columns"
    return ""


class RunDir:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name

    def create(self, spec: RunSpec) -> None:
        """Make the directory with everything that a start needs; whole or not at all.

        Raises:
            OSError: no room, no descriptor, or the id is taken (ENOTEMPTY).
        """
        new = self.path.with_name(NEW_PREFIX + self.run_id)
        new.mkdir(mode=0o700)
        try:
            _write(new / "spec.json", json.dumps(_to_json(spec)).encode())
            env = {name: value for name, value in spec.env.items() if name != SERVICE_TAG}
            _write(new / "env.json", json.dumps({**env, RUN_TAG: spec.run_id}).encode())
            _write(new / "exit.tmp", b" " * _RESERVED_BYTES)
            _write(new / "stdout", b"")
            _write(new / "stderr", b"")
            if spec.stdin is Stdin.FILE:
                _write(new / "stdin", spec.input)
            elif spec.stdin is not Stdin.NULL:
                os.mkfifo(new / "stdin", 0o600)
            new.rename(self.path)  # refuses a directory that holds anything: an id is used once
        except BaseException:
            erase(new)
            raise

    def spec(self) -> RunSpec | None:
        """Return what was to be started, without its environment; None when that is unreadable."""
        record = load(str(self.path / "spec.json"))
        try:
            return _from_json(record)
        except (KeyError, TypeError, ValueError):
            return None

    def env(self) -> dict[str, str] | None:
        """Return the environment of a run that keeps it, else None; it may hold secrets."""
        record = load(str(self.path / "env.json"))
        return {name: str(value) for name, value in record.items() if name != RUN_TAG} or None

    def forget_env(self) -> None:
        """Delete the kept environment."""
        (self.path / "env.json").unlink(missing_ok=True)

    def members(self) -> Members | None:
        """Return who runs, as recorded, or None when that is not (or not readably) recorded."""
        record = load(str(self.path / "procs.json"))
        shim, child = _identity(record.get("shim")), _identity(record.get("child"))
        return Members(shim, child) if shim and child else None

    def ending(self) -> Exit | StartFailure | None:
        """Return how it ended, or None when that is not recorded."""
        record = load(str(self.path / "exit.json"))
        failed = record.get("failure")
        if isinstance(failed, dict):
            code = int(number(failed, "errno", 0))
            name = errno.errorcode.get(code, "")
            return StartFailure(stage=str(failed.get("stage")), error=name, message=str(failed.get("message")))
        return _exit(record) if "at" in record else None

    def why_lost(self) -> str:
        """Say in a few words why a run is lost: a reboot, a bug of ours with its last line, or a killed shim."""
        members = self.members()
        if members is not None and members.shim.boot != boot_id():
            return "the machine was restarted"
        try:
            trace = (self.path / "shim.log").read_text(errors="replace").strip()
        except OSError:
            return "its supervisor was killed"
        return f"its supervisor failed: {trace.rpartition(chr(10))[2][:200]}"

    def has_shim(self) -> bool:
        """Tell whether a shim holds the lock of this run; never ask while one is being started by us."""
        try:
            lock = os.open(self.path / "spec.json", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def abandon(self) -> bool:
        """Give up a run that was asked for and never started: no shim may start it any more. False when one has."""
        try:
            lock = os.open(self.path / "spec.json", os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (self.path / "procs.json").exists() or (self.path / "exit.json").exists():
                return False
            failed: Json = {"stage": "abandoned", "errno": 0, "message": "who started it was killed meanwhile"}
            reserved = self.path / "exit.tmp"
            publish(
                str(self.path / "exit.json"),
                {"failure": failed, "at": time.time()},
                reserved=str(reserved) if reserved.exists() else None,
            )
            self.forget_env()
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    def ask_to_stop(self, grace_s: float) -> None:
        """Write down the grace of a stop, which the shim reads on TERM; on a full disk that of the spec holds."""
        with contextlib.suppress(OSError):
            publish(str(self.path / "stop.json"), {"grace_s": grace_s})

    def ask_for_size(self, size: TerminalSize) -> None:
        """Write down the size that the terminal should have, which the shim reads on USR2."""
        publish(str(self.path / "terminal.json"), {"rows": size.rows, "cols": size.cols})

    def confined(self) -> Json:
        """Return what was put in force by name; empty when nothing was asked for."""
        return load(str(self.path / "confined.json"))

    def size_of(self, name: str) -> int:
        """Return the bytes in an output file, 0 when it is gone."""
        try:
            return (self.path / name).stat().st_size
        except OSError:
            return 0


def erase(path: Path) -> None:
    """Delete a run directory; what is gone already does not matter."""
    for name in _NAMES:  # by name, which needs no descriptor: there may be none left
        with contextlib.suppress(OSError):
            (path / name).unlink()
    try:
        path.rmdir()
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)


def _to_json(spec: RunSpec) -> Mapping[str, object]:
    record = {name: value for name, value in asdict(spec).items() if name not in {"env", "input"}}
    return {**record, "boot": boot_id()}


def _from_json(record: Json) -> RunSpec:
    argv = record["argv"]
    if not isinstance(argv, list):
        raise TypeError("argv")
    return RunSpec(
        run_id=str(record["run_id"]),
        argv=tuple(str(word) for word in argv),
        cwd=str(record["cwd"]),
        env={},
        stdin=Stdin(str(record["stdin"])),
        stderr=Stderr(str(record["stderr"])),
        on_exit=OnExit(str(record["on_exit"])),
        grace_s=number(record, "grace_s", 5.0),
        rest_grace_s=number(record, "rest_grace_s", 2.0),
        umask=int(number(record, "umask", 0o022)),
        keep_env=bool(record.get("keep_env")),
        adopt=bool(record.get("adopt", True)),
        pty=_part(TerminalSize, record.get("pty")),
        limits=_part(Limits, record.get("limits")),
        cgroups=_words(record.get("cgroups")),
        sandbox=Sandbox(str(record.get("sandbox", "none"))),
        writable=_paths(record.get("writable")),
        hidden=_paths(record.get("hidden")),
    )


def _part(kind: type[T], record: object) -> T | None:
    return kind(**record) if isinstance(record, dict) else None


def _words(record: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in record.items()} if isinstance(record, dict) else {}


def _paths(record: object) -> tuple[str, ...]:
    return tuple(str(path) for path in record) if isinstance(record, list) else ()


def _identity(found: object) -> Identity | None:
    if not isinstance(found, dict):
        return None
    pid, start, boot = found.get("pid"), found.get("start"), found.get("boot")
    if isinstance(pid, int) and isinstance(start, int) and isinstance(boot, str):
        return Identity(pid, start, boot)
    return None


def _exit(record: Json) -> Exit:
    code, signal_, left = record.get("code"), record.get("signal"), record.get("left")
    return Exit(
        code=code if isinstance(code, int) else None,
        signal=signal_ if isinstance(signal_, int) else None,
        at=number(record, "at", 0.0),
        cpu_s=number(record, "cpu_s", 0.0),
        max_rss_bytes=int(number(record, "max_rss_bytes", 0)),
        tree_cpu_s=number(record, "tree_cpu_s", 0.0),
        stopped=bool(record.get("stopped")),
        killed=int(number(record, "killed", 0)),
        left=tuple(left) if isinstance(left, list) else (),
    )

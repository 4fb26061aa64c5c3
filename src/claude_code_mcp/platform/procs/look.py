"""One look at all processes of this user: who they are, what they run, what they use, which ports they hold."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import psutil

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.identity import Identity, boot_id

_NAMES = (
    table.RUN_TAG,
    table.SERVICE_TAG,
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_PID",
    "CLAUDE_CODE_MESSAGING_SOCKET",
)
"""The only variables of others that are looked at, and kept."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One process. `start`: as in `Identity`; `started_s`: seconds since 1970. `cpu_percent`: of one core, between two
    looks, 0 where there was only one. `marks`: those variables that tie it to a run or to a Claude Code. `tty`: it has
    a terminal."""

    pid: int
    parent: int
    state: str
    start: int
    started_s: float
    name: str
    command: str
    cwd: str
    rss_bytes: int
    cpu_s: float
    cpu_percent: float
    tty: bool
    ports: tuple[int, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """Who it is, for ever."""
        return Identity(self.pid, self.start, boot_id())


def look(before: Mapping[int, tuple[float, float]] | None = None) -> dict[int, Seen]:
    """Return the processes of this user by pid (of all users for root). `before`: what `cpu_of` gave earlier."""
    ports = _listening()
    now = time.time()
    found: dict[int, Seen] = {}
    for process in psutil.process_iter():
        try:
            seen = _seen(process, ports, before or {}, now)
        except (psutil.Error, OSError):
            continue
        if seen is not None:
            found[seen.pid] = seen
    return found


def cpu_of() -> dict[int, tuple[float, float]]:
    """Return the processor time of each process until now, and when that was, for a later `look`."""
    now = time.time()
    return {row.pid: (row.cpu_s, now) for row in table.snapshot().values()}


def _seen(
    process: psutil.Process, ports: Mapping[int, tuple[int, ...]], before: Mapping[int, tuple[float, float]], now: float
) -> Seen | None:
    with process.oneshot():
        if os.getuid() not in {0, process.uids().real}:
            return None
        times, row = process.cpu_times(), table.row_of(process.pid) if table.LINUX else None
        cpu_s = times.user + times.system
        earlier = before.get(process.pid)
        passed = now - earlier[1] if earlier else 0.0
        used = max(0.0, cpu_s - earlier[0]) if earlier else 0.0
        return Seen(
            pid=process.pid,
            parent=process.ppid() or 0,
            state=process.status(),
            start=row.start if row is not None else int(process.create_time() * 1_000_000),
            started_s=process.create_time(),
            name=process.name(),
            command=" ".join(process.cmdline()) or f"[{process.name()}]",
            cwd=_or_empty(process.cwd),
            rss_bytes=process.memory_info().rss,
            cpu_s=cpu_s,
            cpu_percent=round(100 * used / passed, 1) if passed > 0 else 0.0,
            tty=process.terminal() is not None,
            ports=ports.get(process.pid, ()),
            marks=_marks(process),
        )


def _or_empty(ask: Callable[[], str]) -> str:
    try:
        return str(ask() or "")
    except (psutil.Error, OSError):
        return ""


def _marks(process: psutil.Process) -> dict[str, str]:
    try:
        env = process.environ()
    except (psutil.Error, OSError, ValueError):
        return {}
    return {name: env[name] for name in _NAMES if name in env}


def _listening() -> dict[int, tuple[int, ...]]:
    """Return the ports on which each process listens, as far as we may see them."""
    try:
        connections: Iterable[object] = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return {}
    found: dict[int, set[int]] = {}
    for one in connections:
        pid, status, address = (getattr(one, name, None) for name in ("pid", "status", "laddr"))
        if pid and address and status in {psutil.CONN_LISTEN, psutil.CONN_NONE}:
            found.setdefault(int(pid), set()).add(int(address.port))
    return {pid: tuple(sorted(ports)) for pid, ports in found.items()}

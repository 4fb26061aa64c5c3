"""The process table of the machine, and signals that cannot hit a stranger. Standard library only, for the shim.

Linux is read through /proc (proc(5)); other systems through ps(1), whose table has no start times: there a start of
0 means "not known".
"""

import errno
import os
import signal
import sys
from collections.abc import Iterable

from claude_code_mcp.platform.procs.records import read_all

LINUX = sys.platform == "linux"
RUN_TAG = "CLAUDE_CODE_MCP_RUN"
"""The variable that every process of a run inherits; its value is the run id."""
SERVICE_TAG = "CLAUDE_CODE_MCP_SERVICE"
"""The variable of a process that is a service of its own (a daemon, a shim), even where a run started it."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PS_COLUMNS = 6


class Row:
    """One process: `start` in clock ticks since boot (0: not known), `cpu_s` and `rss_bytes` of itself alone,
    `reaped_cpu_s` of the descendants that ended below it (0 where only ps(1) tells)."""

    __slots__ = ("cpu_s", "group", "parent", "pid", "reaped_cpu_s", "rss_bytes", "start", "state")

    def __init__(self, pid: int, parent: int, group: int, state: str) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.state = state
        self.start = 0
        self.cpu_s = 0.0
        self.reaped_cpu_s = 0.0
        self.rss_bytes = 0


def _read(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        return read_all(fd)
    except (ProcessLookupError, PermissionError):
        return None
    finally:
        os.close(fd)


def row_of(pid: int) -> Row | None:
    """Return the row of `pid` from /proc, or None when there is no such process."""
    data = _read(f"/proc/{pid}/stat")
    if not data:
        return None
    fields = data.rpartition(b")")[2].split()  # the name before may hold spaces and brackets
    row = Row(pid, int(fields[1]), int(fields[2]), fields[0].decode())
    row.start = int(fields[19])
    row.cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    row.reaped_cpu_s = (int(fields[13]) + int(fields[14])) / _TICKS
    row.rss_bytes = int(fields[21]) * _PAGE
    return row


def snapshot() -> dict[int, Row]:
    """Return all processes that this user may see, by pid."""
    if not LINUX:
        return ps_snapshot()
    rows = (row_of(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 -- names, quickly
    return {row.pid: row for row in rows if row is not None}


def ps_snapshot() -> dict[int, Row]:
    """Return the same from ps(1), for systems without /proc; start times are not known there."""
    table: dict[int, Row] = {}
    for line in _ps("pid=,ppid=,pgid=,stat=,rss=,time=").splitlines():
        words = line.split()
        if len(words) >= _PS_COLUMNS and words[0].isdigit():
            row = Row(int(words[0]), int(words[1]), int(words[2]), words[3][:1])
            row.rss_bytes = int(words[4]) * 1024
            row.cpu_s = _seconds(words[5])
            table[row.pid] = row
    return table


def _seconds(text: str) -> float:
    """Return the seconds in a TIME of ps(1): `[[dd-]hh:]mm:ss[.cc]`."""
    days, _, rest = text.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part)
    return total + int(days or 0) * 86400


def _ps(columns: str, *flags: str) -> str:
    import subprocess  # noqa: PLC0415 -- costs the shim memory, and Linux never comes here

    found = subprocess.run(["ps", "-A", *flags, "-o", columns], capture_output=True, check=False, timeout=10)
    return found.stdout.decode(errors="replace")


def below(table: dict[int, Row], roots: set[int], stop_at: set[int]) -> set[int]:
    """Return the pids of all descendants of `roots`, without `stop_at` and what hangs below those."""
    found: set[int] = set()
    edge = roots
    while edge:
        edge = {row.pid for row in table.values() if row.parent in edge} - found - stop_at - roots
        found |= edge
    return found


def children_of(pid: int) -> set[int]:
    """Return the children of a process with one thread; empty where the system has no such list."""
    listed = _read(f"/proc/{pid}/task/{pid}/children") if LINUX else None
    return {int(word) for word in (listed or b"").split()}


def carrying(pids: Iterable[int], entry: str) -> set[int]:
    """Return those of the given pids that were started with the variable `entry` (`NAME=value`)."""
    if LINUX:
        needle = b"\0" + entry.encode() + b"\0"
        return {pid for pid in pids if needle in b"\0" + (_read(f"/proc/{pid}/environ") or b"") + b"\0"}
    found: set[int] = set()
    for line in _ps("pid=,command=", "-E", "-ww").splitlines():  # macOS: -E shows the environment
        pid, _, words = line.strip().partition(" ")
        if f" {entry} " in f" {words} " and pid.isdigit():
            found.add(int(pid))
    return found & set(pids)


def send(pid: int, start: int, number: int) -> bool:
    """Send a signal to the process that has this pid and start; False when that one is gone or refuses.

    Where the system has pidfds the process cannot be confused with a later one of the same pid.
    """
    if pid <= 1:  # a group, everybody, or the first process: never ours
        return False
    try:
        handle = _handle(pid)
    except ProcessLookupError:
        return False
    try:
        row = row_of(pid) if LINUX else None
        if LINUX and (row is None or row.start != start or row.state == "Z"):
            return False
        if handle is None:
            os.kill(pid, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return False
    else:
        return True
    finally:
        if handle is not None:
            os.close(handle)


def _handle(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as exc:
        if exc.errno == errno.ENOSYS:  # Linux before 5.3
            return None
        raise

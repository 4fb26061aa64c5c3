"""Who a process is: not its pid, but pid + start time + boot. Signals go only to proven processes."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from claude_code_mcp.platform.procs import table

_TOLERANCE_US = 1_000_000  # without /proc the shim writes down the time of the fork, not what the system recorded


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of one boot. `start`: clock ticks since boot on Linux, else microseconds of the epoch."""

    pid: int
    start: int
    boot: str


@cache  # it cannot change while we live
def boot_id() -> str:
    """Return what names this boot of the machine; it is another one after every reboot."""
    if table.LINUX:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    found = subprocess.run(
        ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False, timeout=10
    )  # macOS; elsewhere the second of the boot must do
    return found.stdout.strip() or str(int(psutil.boot_time()))


def identity_of(pid: int) -> Identity | None:
    """Return who has this pid now, or None when nobody that lives has."""
    start = _start_of(pid)
    return None if start is None else Identity(pid, start, boot_id())


def is_alive(identity: Identity) -> bool:
    """Tell whether that very process lives; one that ended and only waits to be reaped does not."""
    if identity.boot != boot_id():
        return False
    start = _start_of(identity.pid)
    return start is not None and _same(start, identity.start)


def send_signal(identity: Identity, number: int) -> bool:
    """Send a signal to that very process and tell whether it went out.

    A process that is not proven to be the one meant never gets it: with pidfds not even one that took the pid
    between our look and the signal.
    """
    if identity.boot != boot_id():
        return False
    if table.LINUX:
        return table.send(identity.pid, identity.start, number)
    if not is_alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _same(start: int, recorded: int) -> bool:
    return start == recorded if table.LINUX else abs(start - recorded) <= _TOLERANCE_US


def _start_of(pid: int) -> int | None:
    if pid <= 0:
        return None
    if table.LINUX:
        row = table.row_of(pid)
        return None if row is None or row.state == "Z" else row.start
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return int(process.create_time() * 1_000_000)
    except psutil.Error:
        return None

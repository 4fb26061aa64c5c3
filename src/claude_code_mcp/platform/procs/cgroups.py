"""Control groups for runs: memory and the number of processes of a whole tree, where this user may make groups.

Both versions of the interface are known (Linux cgroup-v1/memory.rst and pids.rst, cgroup-v2.rst). A group is named
after its run, so a later daemon finds and removes what an earlier one made.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from claude_code_mcp.platform.procs.models import Limits
from claude_code_mcp.platform.procs.table import LINUX

ROOT = Path("/sys/fs/cgroup")
PREFIX = "claude-code-mcp-"
_FILES = {
    1: {"memory": "memory.limit_in_bytes", "pids": "pids.max"},
    2: {"memory": "memory.max", "pids": "pids.max"},
}
_KILLS = {1: "memory.oom_control", 2: "memory.events"}


class Cgroups:
    """The control groups that this process may make; `root` is where the system mounts them. `owner` tells those of
    several daemons on one machine apart: only its own are ever seen."""

    def __init__(
        self, owner: Path = Path("/"), *, root: Path = ROOT, membership: Path = Path("/proc/self/cgroup")
    ) -> None:
        self._prefix = f"{PREFIX}{sha256(os.fsencode(owner)).hexdigest()[:12]}-"
        self._parents = dict(_parents(root, membership)) if LINUX else {}
        self._version = 2 if (root / "cgroup.controllers").exists() else 1

    @property
    def controllers(self) -> frozenset[str]:
        """What can be limited for a whole tree: "memory", "pids", both or nothing."""
        return frozenset(self._parents)

    def make(self, run_id: str, limits: Limits) -> dict[str, str]:
        """Make the groups of a run and return controller -> directory; what cannot be made is left out."""
        wanted = {"memory": limits.memory_bytes, "pids": limits.processes}
        made: dict[str, str] = {}
        for controller, value in wanted.items():
            if value is not None and controller in self._parents:
                with contextlib.suppress(OSError):  # the limit then holds for each process
                    made[controller] = self._group(controller, run_id, value)
        return made

    def _group(self, controller: str, run_id: str, value: int) -> str:
        path = self._parents[controller] / f"{self._prefix}{run_id}"
        path.mkdir(exist_ok=True)
        try:
            (path / _FILES[self._version][controller]).write_text(str(value))
            _without_swap(path, value, controller)
        except OSError:
            path.rmdir()
            raise
        return str(path)

    def remove(self, run_id: str) -> None:
        """Remove the groups of a run whose processes are gone; those that still hold one stay."""
        for parent in set(self._parents.values()):
            with contextlib.suppress(OSError):
                (parent / f"{self._prefix}{run_id}").rmdir()

    def ran_out_of_memory(self, run_id: str) -> bool:
        """Tell whether the kernel ended a process of the run because its group had no memory left."""
        if "memory" not in self._parents:
            return False
        path = self._parents["memory"] / f"{self._prefix}{run_id}" / _KILLS[self._version]
        try:
            words = path.read_text().split()
        except OSError:
            return False
        return any(name == "oom_kill" and int(count) > 0 for name, count in pairwise(words))

    def left(self) -> set[str]:
        """Return the ids of runs that have a group, from this daemon or an earlier one."""
        found: set[str] = set()
        for parent in set(self._parents.values()):
            with contextlib.suppress(OSError):
                found |= {path.name.removeprefix(self._prefix) for path in parent.glob(f"{self._prefix}*")}
        return found


def _without_swap(path: Path, value: int, controller: str) -> None:
    """Keep a group from going on in swap when its memory is used up, where the kernel counts that."""
    if controller == "memory":
        for name, limit in (("memory.memsw.limit_in_bytes", value), ("memory.swap.max", 0)):
            if (path / name).exists():
                with contextlib.suppress(OSError):
                    (path / name).write_text(str(limit))


def _parents(root: Path, membership: Path) -> Iterator[tuple[str, Path]]:
    """Yield controller and directory for each in which we may make groups."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    places: Mapping[str, str] = {
        name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")
    }
    unified = root / places.get("", "/").lstrip("/")
    for controller in ("memory", "pids"):
        if controller in places:
            place = root / controller / places[controller].lstrip("/")
        elif controller in _controllers_below(unified):
            place = unified
        else:
            continue
        if os.access(place, os.W_OK):
            yield controller, place


def _controllers_below(place: Path) -> frozenset[str]:
    """Return what the children of a version 2 group may limit."""
    try:
        return frozenset((place / "cgroup.subtree_control").read_text().split())
    except OSError:
        return frozenset()

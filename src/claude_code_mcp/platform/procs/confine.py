"""What a run's main process gives up before its program begins: resources, files, the network. Standard library only.

Called in the child of the shim, after the fork and before exec. What was really put in force is written to
`confined.json` of the run directory by name: `{"memory": "cgroup", "network": "namespace", …}`.
"""

import ctypes
import errno
import os
import resource

from claude_code_mcp.platform.procs import landlock
from claude_code_mcp.platform.procs.records import Json, publish
from claude_code_mcp.platform.procs.table import LINUX

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h
_RLIMITS = {
    "memory_bytes": "RLIMIT_AS",
    "cpu_s": "RLIMIT_CPU",
    "processes": "RLIMIT_NPROC",
    "file_bytes": "RLIMIT_FSIZE",
    "open_files": "RLIMIT_NOFILE",
}
_TREE_WIDE = {"memory_bytes": "memory", "processes": "pids"}
"""Limits that a control group keeps for the whole tree, and the controller that does."""
ALWAYS_WRITABLE = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm"),  # noqa: S108 - what shells and Python take for granted
)
OWN_OUTPUT = ("stdout", "stderr")
"""Files of the run directory: `/dev/stderr` opens them anew by name."""
CONFINES_FILES = frozenset({"fs", "fs+net"})


def confine(spec: Json, run_dir: str) -> list[str]:
    """Give up what `spec` says and return the words to put before the run's own argv (none, or those of bwrap).

    Raises:
        OSError: something that was asked for cannot be put in force here; nothing may be started then.
    """
    limits, level = spec.get("limits"), str(spec.get("sandbox") or "none")
    in_force: Json = {"sandbox": level}
    if isinstance(limits, dict):
        in_force |= _enter_groups(spec.get("cgroups"))
        in_force |= _limit(limits, in_force)
    before: list[str] = []
    if level in CONFINES_FILES:
        before = wrapped(spec, in_force) if landlock.abi() == 0 else _forbid(spec, in_force)
    if isinstance(limits, dict) or level != "none":
        publish_before_it_is_forbidden(run_dir, in_force)
    if level in CONFINES_FILES and not before:
        _restrict(spec, run_dir)
    return before


def publish_before_it_is_forbidden(run_dir: str, in_force: Json) -> None:
    """Write down what is in force, while this process may still write there."""
    publish(f"{run_dir}/confined.json", in_force)


def _enter_groups(groups: object) -> Json:
    """Join the control groups that the daemon made for this run; `groups` is controller -> directory."""
    entered: Json = {}
    for controller, path in groups.items() if isinstance(groups, dict) else ():
        fd = os.open(f"{path}/cgroup.procs", os.O_WRONLY)
        try:
            os.write(fd, str(os.getpid()).encode())
        finally:
            os.close(fd)
        entered[f"cgroup:{controller}"] = str(path)
    return entered


def _limit(limits: Json, in_force: Json) -> Json:
    found: Json = {}
    for name, value in limits.items():
        if not isinstance(value, int):
            continue
        if name == "nice":
            os.nice(value)
            found[name] = "process"
        elif f"cgroup:{_TREE_WIDE.get(name)}" in in_force:
            found[name] = "cgroup"
        else:
            _lower(getattr(resource, _RLIMITS[name]), value, hard=1 if name == "cpu_s" else 0)
            found[name] = "each user" if name == "processes" else "each process"
    return found


def _lower(kind: int, value: int, *, hard: int) -> None:
    """Set a resource limit, never above what we may use ourselves. `hard`: so much later comes the KILL."""
    _, ceiling = resource.getrlimit(kind)
    most = value + hard if ceiling == resource.RLIM_INFINITY else min(value + hard, ceiling)
    resource.setrlimit(kind, (min(value, most), most))


def _forbid(spec: Json, in_force: Json) -> list[str]:
    """Take the network away, where that is wanted; files come last, since /proc must be writable for this."""
    in_force["files"] = "landlock"
    if spec.get("sandbox") == "fs+net":
        in_force["network"] = "namespace" if _leave_network() else "landlock, TCP only"
        if in_force["network"] != "namespace" and landlock.abi() < 4:
            raise OSError(errno.ENOSYS, "this system cannot take the network away from a process")
    return []


def _leave_network() -> bool:
    """Move to a network of our own, in which there is nothing; False where the system does not let us."""
    if not LINUX:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_CLONE_NEWNET) == 0:
        return True
    uid, gid = os.getuid(), os.getgid()
    if library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    return True


def _restrict(spec: Json, run_dir: str) -> None:
    writable = [*ALWAYS_WRITABLE, *_paths(spec, "writable"), *(f"{run_dir}/{name}" for name in OWN_OUTPUT)]
    landlock.restrict(readable(_paths(spec, "hidden")), writable, tcp=spec.get("sandbox") != "fs+net")


def _paths(spec: Json, name: str) -> list[str]:
    found = spec.get(name)
    return [str(path) for path in found] if isinstance(found, list) else []


def readable(hidden: list[str]) -> list[str]:
    """Return the paths that together are everything but `hidden`: rules allow only, so what stands beside a hidden
    path is allowed by name. Where a link leads is allowed or not by its own name."""
    hide = {os.path.realpath(path) for path in hidden}
    found: list[str] = []
    edge = ["/"]
    while edge:
        path = edge.pop()
        if path in hide:
            continue
        if not any(one.startswith(path.rstrip("/") + "/") for one in hide):
            found.append(path)
            continue
        try:
            names = os.listdir(path)  # noqa: PTH208 - names, quickly
        except OSError:
            continue
        below = [os.path.join(path, name) for name in names]
        edge += [path for path in below if not os.path.islink(path)]  # noqa: PTH114 - a link may lead to what is hidden
    return found


def found(program: str) -> str | None:
    """Return where a program is on our PATH; shutil would cost each shim its memory."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK):
            return path
    return None


def wrapped(spec: Json, in_force: Json) -> list[str]:
    """Return the bubblewrap command that confines what follows it, for kernels without Landlock."""
    program = found("bwrap")
    if program is None:
        raise OSError(errno.ENOSYS, "files can be confined by neither Landlock nor bubblewrap here")
    in_force["files"] = "bubblewrap"
    words = [program, "--die-with-parent", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
    for path in _paths(spec, "writable"):
        words += ["--bind-try", path, path]
    for path in _paths(spec, "hidden"):
        if os.path.isdir(path):  # noqa: PTH112 - pathlib costs the shim memory
            words += ["--tmpfs", path]
        elif os.path.exists(path):
            words += ["--ro-bind", "/dev/null", path]
    if spec.get("sandbox") == "fs+net":
        words.append("--unshare-net")
        in_force["network"] = "namespace"
    return [*words, "--chdir", str(spec["cwd"]), "--"]

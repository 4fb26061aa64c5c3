"""Which process belongs to whom, and which is proven to be left over. Pure: it is given what was seen."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from claude_code_mcp.features.processes.models import Orphan, ProcessKind, ProcessNode
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.command_secrets import command_shown
from claude_code_mcp.platform.procs.look import Seen
from claude_code_mcp.platform.procs.table import RUN_TAG, SERVICE_TAG

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish", "ksh"})
_SOCKET = re.compile(r"/(\d{1,10})\.sock\Z")
COMMAND = 300


@dataclass(frozen=True, slots=True)
class Owner:
    """The root of a tree: a Claude Code, or a job. `supervisor`: the shim above it, None where it has none."""

    pid: int
    session_id: str | None = None
    job_id: str | None = None
    supervisor: int | None = None
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about who lives. `running_runs`: runs of ours that are not over; `dead_claudes`: pid and start of
    Claude Codes that their own registry names and that are gone."""

    owners: tuple[Owner, ...] = ()
    running_runs: Collection[str] = ()
    known_runs: Collection[str] = ()
    live_sessions: Collection[str] = ()
    dead_claudes: Mapping[str, int] = field(default_factory=dict)
    me: int = 0


def tree(seen: Mapping[int, Seen], known: Known, now_s: float, *, supervisors: bool = False) -> list[ProcessNode]:
    """Return the trees of all owners, those of sessions first, in the order of their start; a session that runs inside
    another one hangs below it."""
    children = _children(seen)
    owners = {owner.pid: owner for owner in known.owners if owner.pid in seen}
    inside = {
        pid for owner in owners.values() for pid in _below(owner.pid, children) if pid != owner.pid and pid in owners
    }
    roots = [owner for pid, owner in owners.items() if pid not in inside]
    roots.sort(key=lambda owner: (owner.job_id is not None, seen[owner.pid].started_s))
    out = [_node(seen[owner.pid], seen, children, owners, now_s) for owner in roots]
    if supervisors:
        out += [
            _plain(seen[owner.supervisor], ProcessKind.SUPERVISOR, now_s, owner)
            for owner in roots
            if owner.supervisor in seen and owner.supervisor is not None
        ]
    return out


def orphans(seen: Mapping[int, Seen], known: Known, now_s: float) -> list[Orphan]:
    """Return the processes that carry a mark of ours or of a Claude Code but hang below none that lives."""
    children = _children(seen)
    owned = {pid for owner in known.owners for pid in _below(owner.pid, children)}
    owned |= {owner.supervisor for owner in known.owners if owner.supervisor is not None} | {known.me}
    services = {pid for pid, one in seen.items() if one.marks.get(SERVICE_TAG) == "1"}
    owned |= {pid for service in services for pid in _below(service, children)}
    found = [
        orphan
        for pid, one in seen.items()
        if pid not in owned and one.marks and one.state != "zombie"
        if (orphan := _judged(one, seen, known, now_s)) is not None
    ]
    return sorted(found, key=lambda orphan: (not orphan.proven, -orphan.age_s))


def _judged(one: Seen, seen: Mapping[int, Seen], known: Known, now_s: float) -> Orphan | None:
    run, session = one.marks.get(RUN_TAG), one.marks.get("CLAUDE_CODE_SESSION_ID")
    if run is not None:
        if run in known.running_runs:
            return None
        proven, proof = run in known.known_runs, f"it carries the tag of run {run}, which is over"
        if not proven:
            proof = f"it carries the tag of run {run}, of which nothing is known here"
    elif session is not None:
        proven, proof = _of_claude(one, seen, known, session)
        if not proven and session in known.live_sessions:
            return None
    else:
        return None
    if proven and one.tty:
        proven, proof = False, f"{proof}; but it has a terminal, so somebody may sit at it"
    return Orphan(
        pid=one.pid,
        command=shown(one),
        cwd=one.cwd,
        memory_bytes=one.rss_bytes,
        age_s=round(max(0.0, now_s - one.started_s), 1),
        session_id=session,
        proven=proven,
        proof=proof,
    )


def _of_claude(one: Seen, seen: Mapping[int, Seen], known: Known, session: str) -> tuple[bool, str]:
    """Tell whether the Claude Code that started a process is proven to be gone, and how."""
    pid = _claude_pid(one)
    if session in known.dead_claudes:
        return True, f"Claude Code's registry has session {session} as pid {known.dead_claudes[session]}, which is gone"
    if pid is None:
        return False, f"it comes from session {session}, whose process is not known"
    parent = seen.get(pid)
    if parent is None:
        return True, f"the Claude Code that started it (pid {pid}, session {session}) is gone"
    if parent.started_s > one.started_s:
        return True, f"pid {pid} of the Claude Code that started it (session {session}) is another process by now"
    return False, f"the Claude Code that started it (pid {pid}, session {session}) lives"


def _claude_pid(one: Seen) -> int | None:
    """Return the pid of the Claude Code that a process says it comes from."""
    told = one.marks.get("CLAUDE_PID", "")
    if told.isdecimal() and len(told) <= 10:
        return int(told)
    socket = _SOCKET.search(one.marks.get("CLAUDE_CODE_MESSAGING_SOCKET", ""))
    return int(socket[1]) if socket is not None else None


def _node(
    one: Seen, seen: Mapping[int, Seen], children: Mapping[int, list[int]], owners: Mapping[int, Owner], now_s: float
) -> ProcessNode:
    """Build without recursion over the depth of the process tree, which others choose."""
    owner = owners[one.pid]
    root = _plain(one, ProcessKind.JOB if owner.job_id else ProcessKind.CLAUDE, now_s, owner)
    edge = [(root, one.pid, owner)]
    while edge:
        parent, pid, above = edge.pop()
        for child_pid in sorted(children.get(pid, ())):
            child = seen[child_pid]
            of = owners.get(child_pid, above)
            node = _plain(child, _kind(child, parent, of is not above, of), now_s, of)
            parent.children.append(node)
            edge.append((node, child_pid, of))
    return root


def _kind(one: Seen, parent: ProcessNode, is_owner: bool, owner: Owner) -> ProcessKind:
    if is_owner:
        return ProcessKind.JOB if owner.job_id else ProcessKind.CLAUDE
    if one.name in _SHELLS:
        return ProcessKind.SHELL
    if parent.kind is ProcessKind.CLAUDE:
        # What a Claude Code starts without a shell is a server of its own, or a hook.
        return ProcessKind.MCP_SERVER if "CLAUDE_CODE_MESSAGING_SOCKET" in one.marks else ProcessKind.OTHER
    return ProcessKind.OTHER


def _plain(one: Seen, kind: ProcessKind, now_s: float, owner: Owner) -> ProcessNode:
    return ProcessNode(
        pid=one.pid,
        kind=kind,
        command=shown(one),
        cwd=one.cwd,
        state=one.state,
        session_id=owner.session_id,
        job_id=owner.job_id,
        ours=owner.ours,
        cpu_percent=one.cpu_percent,
        cpu_s=round(one.cpu_s, 2),
        memory_bytes=one.rss_bytes,
        ports=list(one.ports),
        age_s=round(max(0.0, now_s - one.started_s), 1),
    )


def shown(one: Seen) -> str:
    """Return what a process runs, in one line without secrets."""
    return one_line(command_shown(one.command[: COMMAND * 4]), COMMAND)


def flat(roots: Collection[ProcessNode]) -> Iterator[ProcessNode]:
    """Yield all nodes of the trees."""
    edge = list(roots)
    while edge:
        node = edge.pop()
        yield node
        edge += node.children


def _children(seen: Mapping[int, Seen]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one in seen.values():
        if one.parent != one.pid:
            found.setdefault(one.parent, []).append(one.pid)
    return found


def _below(pid: int, children: Mapping[int, list[int]]) -> set[int]:
    """Return a process and all below it."""
    found: set[int] = set()
    edge = [pid]
    while edge:
        current = edge.pop()
        if current not in found:
            found.add(current)
            edge += children.get(current, ())
    return found

"""The sessions that run now, ours and everybody's, from Claude Code's own registry `sessions/<pid>.json`.

A file stays behind when its process is killed, and its pid may belong to another process by now; so an entry only
counts while its process lives and began when the file says.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.fields import int_of, path_of, text_of, word_of

_FILE = re.compile(r"\d{1,10}\.json\Z")
_FILE_BYTES = 64 * 1024
_START_TOLERANCE_S = 300.0
_LATEST_MS = 4e12
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class LiveEntry:
    """A running Claude Code.

    `status`: "busy", "idle" or "waiting"; `waiting_for` says for what. `kind`: "interactive" (a `-p` run too) or
    "background". `entrypoint`: "cli" for a terminal, "sdk-cli" for a host such as ours. `name`: the session's, "" where
    it has none. `status_at`: since when its status is what it is. `alive`: its process is there; a crashed one leaves
    its entry behind.
    """

    pid: int
    session_id: SessionId
    cwd: str
    status: str
    waiting_for: str
    kind: str
    entrypoint: str
    name: str
    version: str
    started_at: datetime
    status_at: datetime | None = None
    alive: bool = True


def live_sessions(config_dir: Path) -> list[LiveEntry]:
    """Return every session that runs now with `config_dir`, the newest first; useless files are passed over."""
    return [entry for entry in registered_sessions(config_dir) if entry.alive]


def registered_sessions(config_dir: Path) -> list[LiveEntry]:
    """Return every session that has an entry, those whose process is dead too, the newest first."""
    try:
        files = [path for path in (config_dir / "sessions").iterdir() if _FILE.match(path.name)]
    except OSError:
        return []
    entries = [entry for path in files if (entry := _entry(path)) is not None]
    return sorted(entries, key=lambda entry: entry.started_at, reverse=True)


def _entry(path: Path) -> LiveEntry | None:
    try:
        with path.open("rb") as file:
            value = msgspec.json.decode(file.read(_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    pid, started_ms, session = int_of(value, "pid"), int_of(value, "startedAt"), word_of(value, "sessionId")
    if pid is None or started_ms is None or f"{pid}.json" != path.name or not is_uuid(session):
        return None
    if not 0 < started_ms < _LATEST_MS:
        return None
    status_ms = int_of(value, "statusUpdatedAt") or int_of(value, "updatedAt") or 0
    return LiveEntry(
        pid=pid,
        session_id=SessionId(session),
        cwd=path_of(value, "cwd"),
        status=word_of(value, "status"),
        waiting_for=word_of(value, "waitingFor"),
        kind=word_of(value, "kind"),
        entrypoint=word_of(value, "entrypoint"),
        name=text_of(value, "name")[:200],
        version=word_of(value, "version"),
        started_at=datetime.fromtimestamp(started_ms / 1000, UTC),
        status_at=datetime.fromtimestamp(status_ms / 1000, UTC) if 0 < status_ms < _LATEST_MS else None,
        alive=_is_alive(pid, word_of(value, "procStart"), started_ms / 1000),
    )


def _is_alive(pid: int, proc_start: str, started_s: float) -> bool:
    """Tell whether process `pid` is the one that was registered.

    `proc_start` is the start time in /proc/PID/stat (clock ticks since boot); where there is no /proc, the process
    must have begun shortly before it registered.
    """
    if not (_PROC / "self" / "stat").exists():
        return _began_before(pid, started_s)
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return False
    # The name may hold blanks and brackets; the fields after its closing bracket are numbers 3 and up.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return fields[0] not in (b"Z", b"X") and fields[19].decode() == proc_start


def _began_before(pid: int, started_s: float) -> bool:
    try:
        return -1 <= started_s - psutil.Process(pid).create_time() < _START_TOLERANCE_S
    except psutil.Error:
        return False

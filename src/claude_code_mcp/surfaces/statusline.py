"""`claude-code-mcp statusline`: one line for Claude Code's status line, in a few milliseconds. Standard library only.

Claude Code runs it again and again, so it imports next to nothing, and gives the daemon 15 ms to say what runs now;
without an answer the line says what Claude Code itself told.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

from claude_code_mcp import __version__
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.ipc.hello import greeting
from claude_code_mcp.platform.ipc.place import SOCKET, reach, state_place

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

BOUND_S = 0.015
"""What the daemon gets, from the first byte to the last."""
LIMIT_BYTES = 1 << 20
_OP = "activity.tree"


def main(env: Mapping[str, str], read: Callable[[], bytes], write: Callable[[bytes], object]) -> int:
    """Read Claude Code's JSON, write the line, and return the exit code: always 0, a status line must not fail."""
    given = _parsed(read()[:LIMIT_BYTES])
    session_id = given.get("session_id")
    seen = activity(env, session_id) if isinstance(session_id, str) else {}
    write(f"{' · '.join(parts(given, seen))}\n".encode(errors="replace"))
    return 0


def on_standard_streams() -> int:
    """Do it with our own standard input and output."""
    return main(os.environ, lambda: os.read(0, LIMIT_BYTES) if sys.stdin.isatty() else _all(0), _to_stdout)


def _all(fd: int) -> bytes:
    data = b""
    while len(data) < LIMIT_BYTES and (chunk := os.read(fd, 65536)):
        data += chunk
    return data


def _to_stdout(data: bytes) -> None:
    try:
        os.write(1, data)
    except OSError:
        return  # nobody looks any more


def parts(given: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the line says: name, what runs or waits, time, cost, context used. What is not known is left out."""
    cost, window = _dict(given, "cost"), _dict(given, "context_window")
    yield _name(given, seen)
    yield from _doing(seen)
    spent_ms = _number(cost, "total_duration_ms")
    if spent_ms is not None:
        yield _span(spent_ms / 1000)
    dollars = _number(cost, "total_cost_usd")
    if dollars is not None:
        yield f"${dollars:.2f}"
    used = _number(window, "used_percentage")
    if used is not None:
        yield f"context {used:.0f}%"


def _name(given: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    place = _dict(given, "workspace").get("project_dir") or given.get("cwd") or ""
    for name in (given.get("session_name"), seen.get("root_task"), str(place).rstrip("/").rpartition("/")[2]):
        if isinstance(name, str) and name.strip():
            return one_line(name, 40)
    return "Claude Code"


def _doing(seen: Mapping[str, Any]) -> Iterator[str]:
    waiting = seen.get("waiting_for")
    if isinstance(waiting, str) and waiting:
        yield f"waits for {one_line(waiting, 40)}"
        return
    running = seen.get("active_operations")
    known = [one for one in running if isinstance(one, dict)] if isinstance(running, list) else []
    found = [one for one in known if one.get("type") != "task"]
    if found:
        more = f" +{len(found) - 1}" if len(found) > 1 else ""
        yield f"{one_line(str(found[-1].get('name') or '?'), 30)}{more}"


def activity(env: Mapping[str, str], session_id: str) -> dict[str, Any]:
    """Return what the daemon knows of a session; nothing where none runs or it takes longer than `BOUND_S`."""
    until = time.monotonic() + BOUND_S
    try:
        name, fd = reach(state_place(env), SOCKET)
    except OSError:
        return {}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(BOUND_S)
            sock.connect(name)
            args = {"session_id": session_id, "include_completed": False, "max_depth": 1}
            request = json.dumps({"id": 1, "op": _OP, "args": args}).encode()
            sock.sendall(greeting("rpc", __version__, {}, {}) + request + b"\n")
            return _dict(_dict(_parsed(_answer(sock, until)), "reply"), "session")
    except OSError:
        return {}
    finally:
        if fd is not None:
            os.close(fd)


def _answer(sock: socket.socket, until: float) -> bytes:
    """Return the line after the welcome.

    Raises:
        OSError: it did not come in time.
    """
    data = b""
    while data.count(b"\n") < 2:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        chunk = sock.recv(65536)
        if not chunk:
            raise ConnectionResetError
        data += chunk
    return data.split(b"\n")[1]


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _dict(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _number(holder: Mapping[str, Any], key: str) -> float | None:
    value = holder.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return value if usable else None


def _span(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"

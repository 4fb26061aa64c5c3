"""Reach the daemon of a state directory, starting it where none runs. Standard library only.

A client that finds an older daemon asks it to hand over: the old one lets go of the socket and ends, its
children live on, and a daemon of the client's own version takes them up.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp import __version__
from claude_code_mcp.platform.ipc.address import LOCK, SOCKET, STARTING, reachable
from claude_code_mcp.platform.ipc.hello import LIMIT_BYTES, Refused, greeting, older, welcome

START_S = 20.0
"""How long a new daemon may take to listen; a loaded machine needs many times the usual half second."""
ANSWER_S = 10.0
HELD_S = 0.2
LOOK_S = 0.02
_OURS = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", "LOG_LEVEL"}
    | {"MAX_CONCURRENT_SESSIONS", "SESSION_TIMEOUT_MS", "MCP_BG_CLEANUP_INTERVAL"}
    | {"DBUS_SESSION_BUS_ADDRESS"}  # the way to the user's keyring
)
_OUR_PREFIXES = ("CLAUDE_CODE_MCP_", "CLAUDE_MCP_", "XDG_", "PYTHON", "COVERAGE_")


class Channel:
    """A connection after its hello: the socket, what came after the welcome, and what the daemon said of itself."""

    def __init__(self, sock: socket.socket, rest: bytes, daemon: dict[str, Any]) -> None:
        self.sock = sock
        self.rest = rest
        self.daemon = daemon


def open_channel(
    directory: Path,
    kind: str,
    env: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
    *,
    own_env: Mapping[str, str] | None = None,
    start: bool = True,
) -> Channel:
    """Return a greeted connection to the daemon of `directory`.

    `env` goes into the hello; `own_env` (this process's) says how a new daemon is started.

    Raises:
        Refused: the daemon refused us, or could not be started; `code` is `no_daemon` where none runs and
            `start` is false.
    """
    line = greeting(kind, __version__, env, options or {})
    asked_to_leave = False
    deadline = time.monotonic() + START_S
    while True:
        sock = _dial(directory)
        if sock is None:
            if not start:
                raise Refused("no_daemon", "No daemon runs.", "Any command that needs one starts it.")
            sock = _started(directory, os.environ if own_env is None else own_env, deadline)
        channel = _greet(sock, line, deadline)
        if channel is None:
            if time.monotonic() > deadline:
                raise Refused("daemon_silent", "The daemon closed the connection again and again.", _LOGS)
            continue
        if asked_to_leave or not older(str(channel.daemon.get("version")), __version__):
            return channel
        channel.sock.close()
        asked_to_leave = True
        _hand_over(directory, deadline)


_LOGS = "See `claude-code-mcp daemon logs`."


def _started(directory: Path, env: Mapping[str, str], deadline: float) -> socket.socket:
    """Start a daemon, or wait for the one that others start; return a connection to it.

    Raises:
        Refused: it cannot be started, or one runs that cannot be reached.
    """
    with _only_starter(directory, deadline):
        while True:
            sock = _dial(directory)
            if sock is not None:
                return sock
            if time.monotonic() > deadline:
                raise Refused(
                    "daemon_unreachable",
                    f"A daemon holds {directory} and does not listen there.",
                    f"End it (its pid is in {directory / LOCK}), then call again.",
                )
            if _launch(directory, env, deadline) == b"running":
                time.sleep(HELD_S)  # it is just leaving, or about to make its socket anew


@contextlib.contextmanager
def _only_starter(directory: Path, deadline: float) -> Generator[None]:
    """Be the only one who starts a daemon there: twenty clients that come at once must not start twenty.

    Raises:
        Refused: somebody else has been at it for too long.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(directory / STARTING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # the daemon will say what is wrong with the directory
        return
    try:
        while not _locked(fd):
            if time.monotonic() > deadline:
                raise Refused("daemon_not_started", "Somebody else has been starting the daemon for too long.", _LOGS)
            time.sleep(LOOK_S)
        yield
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _dial(directory: Path) -> socket.socket | None:
    try:
        name, fd = reachable(directory, SOCKET)
    except FileNotFoundError:
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(ANSWER_S)
        sock.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except OSError as exc:
        sock.close()
        raise Refused("daemon_unreachable", f"{directory / SOCKET} cannot be reached: {exc.strerror}.", _LOGS) from exc
    finally:
        if fd is not None:
            os.close(fd)
    return sock


def _greet(sock: socket.socket, line: bytes, deadline: float) -> Channel | None:
    """Say hello; None where the daemon hung up before it answered (it was just leaving)."""
    data = b""
    try:
        sock.sendall(line)
        while b"\n" not in data:
            sock.settimeout(max(0.1, min(ANSWER_S, deadline - time.monotonic())))
            chunk = sock.recv(65536)
            if not chunk or len(data) > LIMIT_BYTES:
                sock.close()
                return None
            data += chunk
    except TimeoutError as exc:
        sock.close()
        raise Refused("daemon_silent", "The daemon does not answer.", _LOGS) from exc
    except OSError:
        sock.close()
        return None
    first, _, rest = data.partition(b"\n")
    sock.settimeout(None)
    return Channel(sock, rest, welcome(first))


def _hand_over(directory: Path, deadline: float) -> None:
    sock = _dial(directory)
    if sock is None:
        return
    with contextlib.closing(sock), contextlib.suppress(OSError):
        sock.sendall(greeting("handover", __version__, {}, {}))
        while time.monotonic() < deadline and sock.recv(65536):
            continue


def daemon_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return what of `env` a daemon is started with: nothing that a session or a secret would come from.

    A client may stand inside a session of ours. The daemon that it starts is no part of that session, and must not
    end with it: the tag of the run is left behind, and another one says that this process serves them all.
    """
    kept = {name: value for name, value in env.items() if name in _OURS or name.startswith(_OUR_PREFIXES)}
    kept.pop("CLAUDE_CODE_MCP_RUN", None)
    return {**kept, "CLAUDE_CODE_MCP_SERVICE": "1"}


def _launch(directory: Path, env: Mapping[str, str], deadline: float) -> bytes:
    """Start a daemon and wait for its word: `ready`, or `running` where another one holds the directory.

    Raises:
        Refused: it ended without either.
    """
    ready, tell = os.pipe()
    os.set_inheritable(tell, True)
    argv = [
        sys.executable,
        "-m",
        "claude_code_mcp",
        "daemon",
        "run",
        "--state-dir",
        str(directory),
        "--ready-fd",
        str(tell),
    ]
    _spawn_detached(argv, daemon_env(env))
    os.close(tell)
    try:
        said = _wait_line(ready, deadline)
    finally:
        os.close(ready)
    if said.startswith(b"error "):
        code, _, message = said[6:].decode(errors="replace").partition(" ")
        raise Refused(code, message)
    if not said:
        raise Refused("daemon_not_started", "The daemon ended before it listened.", _LOGS)
    return said


def _wait_line(fd: int, deadline: float) -> bytes:
    data = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while not data.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Refused("daemon_not_started", f"The daemon did not listen within {START_S:.0f} s.", _LOGS)
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        data += chunk
    return data.strip()


def _spawn_detached(argv: list[str], env: dict[str, str]) -> None:
    """Start `argv` as nobody's child, in a session of its own: it must outlive us and never be our zombie."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.chdir("/")
        os.execve(argv[0], argv, env)  # noqa: S606 - a fixed list, no shell
    finally:
        os._exit(127)

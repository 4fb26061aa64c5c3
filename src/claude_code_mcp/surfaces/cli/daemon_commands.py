"""`daemon`: the process that owns the data. It is started when needed; these look at it and end it."""

import contextlib
import json
import os
import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import click

from claude_code_mcp.platform.procs.identity import identity_of, is_alive
from claude_code_mcp.surfaces.cli.client import Answer, Client, ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.output import print_json, print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.setup import Setup, current
from claude_code_mcp.surfaces.cli.tree import Branch, LoadCatalog

STATUS_OP, STOP_OP = "daemon.status", "daemon.stop"
LOG = "daemon.log"
END_S = 30.0
"""How long a daemon may take to end in good order."""
_POLL_S = 0.05
_FOLLOW_S = 0.2
_CHUNK = 65536
_NOT_RUNNING = 3
"""What `status` exits with where no daemon runs, as `systemctl status` does."""


def _connected(setup: Setup) -> Client | None:
    """Return a connection to the daemon that runs, None where none does."""
    try:
        return setup.connect(start=False)
    except Failure as failure:
        if failure.code == "no_daemon":
            return None
        raise


def _run() -> click.Command:
    def run(state_dir: str | None, ready_fd: int | None) -> int:
        directory = Path(state_dir).expanduser().absolute() if state_dir else current().directory
        return current().daemon(directory, ready_fd)

    return click.Command(
        "run",
        callback=run,
        params=[
            click.Option(["--state-dir"], metavar="DIR", help="The data of this directory."),
            click.Option(["--ready-fd"], type=int, hidden=True),
        ],
        help="Run the daemon here and now, until it is stopped; for a service manager.",
    )


def _status() -> click.Command:
    def run(as_json: bool) -> int:
        client = _connected(current())
        if client is None:
            directory = str(current().directory)
            if as_json:
                print_json({"running": False, "state_dir": directory})
            else:
                print_text(f"No daemon runs for {directory}. Any command that needs one starts it.")
            return _NOT_RUNNING
        with closing(client):
            answer = client.call(STATUS_OP, {}, retry=True)
        _print(answer, as_json=as_json, running=True)
        return Exit.OK

    return click.Command(
        "status",
        callback=run,
        params=[json_flag()],
        help="Show the daemon: version, uptime, memory, sessions. Starts none; exits with 3 where none runs.",
    )


def _stop() -> click.Command:
    def run(sessions: bool, as_json: bool) -> int:
        answer = stopped(current(), sessions=sessions)
        if answer is None:
            answer = Answer({"pid": None, "live": 0}, "No daemon runs.")
        _print(answer, as_json=as_json)
        return Exit.OK

    return click.Command(
        "stop",
        callback=run,
        params=[
            click.Option(["--sessions"], is_flag=True, help="Stop the running sessions too."),
            json_flag(),
        ],
        help="Stop the daemon and wait for its end. Running sessions go on; the next daemon takes them up.",
    )


def _restart() -> click.Command:
    def run(as_json: bool) -> int:
        stopped(current(), sessions=False)
        with closing(current().connect()) as client:
            _print(client.call(STATUS_OP, {}, retry=True), as_json=as_json)
        return Exit.OK

    return click.Command(
        "restart",
        callback=run,
        params=[json_flag()],
        help="Stop the daemon and start a new one. Running sessions go on; the new daemon takes them up.",
    )


def _print(answer: Answer, *, as_json: bool, **more: Any) -> None:
    if as_json:
        print_json({**more, **answer.reply})
    else:
        print_text(answer.text)


def stopped(setup: Setup, *, sessions: bool) -> Answer | None:
    """Stop the daemon, and its `sessions` where that is wished, and wait until it is gone; None where none ran.

    Raises:
        Failure: it did not end in time.
    """
    client = _connected(setup)
    if client is None:
        return None
    with closing(client):
        process = identity_of(int(client.daemon.get("pid") or 0))
        answer = client.call(STOP_OP, {"sessions": sessions})
        with contextlib.suppress(ConnectionLost):
            _hear_out(client)
    deadline = time.monotonic() + END_S
    while process is not None and is_alive(process):
        if time.monotonic() > deadline:
            raise Failure(
                "daemon_not_ended",
                f"The daemon (pid {answer.reply.get('pid')}) has not ended within {END_S:.0f} s.",
                remedy="`claude-code-mcp daemon logs` tells what it does.",
                exit_code=Exit.UNAVAILABLE,
            )
        time.sleep(_POLL_S)  # the system tells nobody of the end of a process that is not their child
    return answer


def _hear_out(client: Client) -> None:
    """Wait until the daemon hangs up, or its time to end is over."""
    deadline = time.monotonic() + END_S
    poll = select.poll()
    poll.register(client.fileno(), select.POLLIN)
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        client.receive()


def _logs() -> click.Command:
    def run(follow: bool, lines: int, as_json: bool) -> int:
        path = current().directory / LOG
        show = _as_it_is if as_json else readable
        try:
            shown, end = _last(path, lines)
        except FileNotFoundError:
            raise Failure(
                "no_log", f"There is no log at {path}.", remedy="No daemon ran here yet.", exit_code=Exit.NOT_FOUND
            ) from None
        for line in shown:
            print_text(show(line))
        if follow:
            for line in _following(path, end):
                print_text(show(line))
        return Exit.OK

    return click.Command(
        "logs",
        callback=run,
        params=[
            click.Option(["--follow", "-f"], is_flag=True, help="Go on with what comes, until Ctrl-C."),
            click.Option(["--lines", "-n"], type=click.IntRange(0), default=50, help="How many. [default 50]"),
            click.Option(
                ["--json", "as_json"], is_flag=True, help="Print the lines as they are: one JSON object each."
            ),
        ],
        help="Show the end of the daemon's log.",
        epilog=epilog_of(("daemon logs -n 200", "daemon logs -f")),
    )


def _last(path: Path, lines: int) -> tuple[list[str], int]:
    """Return the last `lines` whole lines, reading from the end, and the offset after them."""
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        data = b""
        while start > 0 and data.count(b"\n") <= lines:
            step = min(start, _CHUNK)
            start -= step
            file.seek(start)
            data = file.read(step) + data
    end = data.rfind(b"\n") + 1
    found = data[:end].decode(errors="replace").splitlines()
    return (found[-lines:] if lines else []), start + end


def _following(path: Path, offset: int) -> Iterator[str]:
    """Yield each line written after `offset` from now on; a log begun anew (rotation) is followed to its new file."""
    rest = b""
    file: BinaryIO = path.open("rb")
    try:
        file.seek(offset)
        while True:
            data = file.read(_CHUNK)
            if data:
                *whole, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
                continue
            fresh = _replaced(file, path)
            if fresh is not None:
                file.close()
                file, rest = fresh, b""
                continue
            time.sleep(_FOLLOW_S)
    finally:
        file.close()


def _replaced(file: BinaryIO, path: Path) -> BinaryIO | None:
    """Return the file that took the place of `file` at `path`, None while it is the same one."""
    try:
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return None
        return path.open("rb")
    except FileNotFoundError:
        return None


def _as_it_is(line: str) -> str:
    return line


def readable(line: str) -> str:
    """Return a line of the log for a person: time, level, where, what, and the fields that follow."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict):
        return line
    head = [str(said.pop(name, "")) for name in ("at", "level", "logger", "message")]
    rest = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in said.items()]
    return " ".join(part for part in (*head, *rest) if part)


def daemon_group(_load: LoadCatalog) -> click.Command:
    """Return `daemon`."""
    commands = (_run(), _status(), _stop(), _restart(), _logs())
    return Branch(
        "daemon",
        commands={str(command.name): command for command in commands},
        help="The process that owns the data. It is started by whatever needs it.",
        no_args_is_help=True,
    )


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {"daemon": daemon_group}

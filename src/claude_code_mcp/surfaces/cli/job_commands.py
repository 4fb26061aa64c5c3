"""`jobs run --follow`, `jobs follow`, `jobs attach`: a job's output as it comes, and a seat at its terminal."""

import contextlib
import os
import select
import signal
import sys
import termios
import time
import tty
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import click

from claude_code_mcp.surfaces.cli.client import Client, take
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.output import print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of
from claude_code_mcp.surfaces.cli.setup import current
from claude_code_mcp.surfaces.cli.tree import LoadCatalog

EXECUTE_OP, OUTPUT_OP, TAIL_OP = "jobs.execute", "jobs.output", "jobs.tail"
STATUS_OP, INPUT_OP = "jobs.status", "jobs.interact"
WAIT_S = 60.0
PIECE_BYTES = 1 << 20
PACE_S = 0.05
"""The pause after a full page of a job that floods: nobody reads faster, and the daemon has others to serve."""
LEAVE = "\x1d"
"""Ctrl-], as telnet has it: no program that runs in a terminal wants it."""

_FOLLOW_HELP = """Print what a job says as it comes, standard output and error to your own, until the job ends.

Ctrl-C leaves; the job goes on. The exit code is that of the job, 128 and the signal where one ended it.
"""
_ATTACH_HELP = """Sit at a job's terminal: your keys go to it, what it shows comes to you.

For jobs that were started with --pty. Ctrl-] leaves; the job goes on.
"""


def follow(client: Client, job_id: str, cursor: str = "", *, raw: bool) -> int:
    """Print what the job says from `cursor` on until it is over; return the exit code that stands for its end. `raw`:
    with its escape sequences, which a terminal obeys."""
    client.wants_text = False
    try:
        over = False
        while not over:
            args = {"job_id": job_id, "cursor": cursor, "wait_s": WAIT_S, "raw": raw, "limit_bytes": PIECE_BYTES}
            page = client.call(OUTPUT_OP, args, retry=True).reply
            _show(page)
            cursor, over = str(page.get("cursor") or ""), bool(page.get("over"))
            if page.get("more") and page.get("state") == "running":
                time.sleep(PACE_S)
    except KeyboardInterrupt:
        print_text(f"\nThe job goes on. `claude-code-mcp jobs follow {job_id}` shows more of it.", sys.stderr)
        return Exit.INTERRUPTED
    return _ending(client, job_id)


def _show(page: Mapping[str, Any]) -> None:
    for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        gap = page.get(f"{name}_gap_bytes")
        text = f"[{gap:,} bytes are gone here]\n" if gap else ""
        text += str(page.get(name) or "")
        if text:
            stream.write(text)
            stream.flush()


def _ending(client: Client, job_id: str) -> int:
    """Say how the job ended, where its exit code does not, and return the exit code."""
    job = client.call(STATUS_OP, {"job_id": job_id}, retry=True).reply
    code, named, state = job.get("code"), job.get("signal"), str(job.get("state"))
    if state not in {"completed", "failed"} or job.get("reason"):
        print_text(f"{job_id} {state}: {job.get('reason') or named or ''}".rstrip(": "), sys.stderr)
    if isinstance(code, int):
        return code
    number = next((int(one) for one in signal.Signals if one.name == named), None)
    return 128 + number if number is not None else Exit.INTERNAL


def run_command(load: LoadCatalog) -> click.Command:
    """Return `jobs run` with its flag to follow what it starts."""
    from claude_code_mcp.kernel.operation import Surface  # noqa: PLC0415 - only this command needs the catalog
    from claude_code_mcp.surfaces.cli import generate  # noqa: PLC0415 - as above
    from claude_code_mcp.surfaces.cli.wording import Wording  # noqa: PLC0415 - as above

    catalog = load()
    op = catalog[EXECUTE_OP]
    command = generate.command_of(op, lambda: current().connect(), Wording(catalog.on(Surface.CLI)).reply)
    bound = generate.bindings(op)
    started: Callable[..., int] = command.callback or (lambda **_: int(Exit.INTERNAL))

    def run(follow_it: bool, **given: Any) -> int:
        if not follow_it:
            return started(**given)
        args = generate.arguments(bound, given)
        args.pop("wait_s", None)
        with closing(current().connect()) as client:
            handle = client.call(op.name, args, raises=op.raises).reply
            return follow(client, str(handle["job_id"]), raw=True)  # as if it were typed here

    command.callback = run
    flag = click.Option(["--follow", "-f", "follow_it"], is_flag=True, help="Print what it says as it comes.")
    command.params.insert(1, flag)
    return command


def follow_command(_load: LoadCatalog) -> click.Command:
    """Return `jobs follow`."""

    def run(job_id: str, lines: int | None, raw: bool) -> int:
        with closing(current().connect()) as client:
            cursor = ""
            if lines is not None:
                page = client.call(TAIL_OP, {"job_id": job_id, "lines": lines, "raw": raw}, retry=True).reply
                _show(page)
                cursor = str(page.get("cursor") or "")
            return follow(client, job_id, cursor, raw=raw)

    return click.Command(
        "follow",
        callback=run,
        params=[
            click.Argument(["job_id"]),
            click.Option(["--lines", "-n"], type=click.IntRange(1, 10_000), help="Begin with the last lines only."),
            click.Option(["--raw"], is_flag=True, help="Keep escape sequences: colours, and whatever else."),
        ],
        help=_FOLLOW_HELP,
        epilog=epilog_of(("jobs follow 0197f3a0", "jobs follow 0197f3a0 -n 20")),
        no_args_is_help=True,
    )


def attach_command(_load: LoadCatalog) -> click.Command:
    """Return `jobs attach`."""

    def run(job_id: str) -> int:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError("There is no terminal here to attach. `jobs follow` and `jobs send` need none.")
        with closing(current().connect()) as client:
            job_id = str(client.call(STATUS_OP, {"job_id": job_id}, retry=True).reply["job_id"])
            left = Seat(client, job_id).sit()
            if left:
                print_text(f"\nThe job goes on. `claude-code-mcp jobs attach {job_id}` comes back.", sys.stderr)
                return Exit.OK
            return _ending(client, job_id)

    return click.Command(
        "attach",
        callback=run,
        params=[click.Argument(["job_id"])],
        help=_ATTACH_HELP,
        epilog=epilog_of(("jobs attach 0197f3a0",)),
        no_args_is_help=True,
    )


class Seat:
    """A place at the terminal of a job: one request for output is always open, each key is a request of its own."""

    def __init__(self, client: Client, job_id: str) -> None:
        self._client = client
        client.wants_text = False
        self._job_id = job_id
        self._decoder = getincrementaldecoder("utf-8")(errors="ignore")
        self._resized = True
        self._asked = 0
        self._over = False

    def sit(self) -> bool:
        """Copy until the job is over or the person leaves; return whether the person left.

        Raises:
            Failure: the job has no terminal, or the daemon went away.
        """
        with _raw(sys.stdin.fileno()), _told_of_size(self._note_size) as woken:
            self._ask("")
            while not self._over:
                if self._resized:
                    self._resized = False
                    size = os.get_terminal_size(sys.stdin.fileno())
                    self._send(rows=size.lines, cols=size.columns)
                ready, _, _ = select.select([sys.stdin.fileno(), self._client.fileno(), woken], [], [])
                if woken in ready:
                    os.read(woken, 4096)
                if self._client.fileno() in ready:
                    self._hear()
                if sys.stdin.fileno() in ready and self._typed():
                    return True
        return False

    def _note_size(self) -> None:
        self._resized = True

    def _ask(self, cursor: str) -> None:
        wish = {"job_id": self._job_id, "cursor": cursor, "wait_s": WAIT_S, "raw": True, "limit_bytes": PIECE_BYTES}
        self._asked = self._client.send(OUTPUT_OP, wish)

    def _send(self, **wish: Any) -> None:
        self._client.send(INPUT_OP, {"job_id": self._job_id, "wait_s": 0, "no_newline": True, **wish})

    def _hear(self) -> None:
        for message in self._client.receive():
            page = take(message)
            if page is None or message.get("id") != self._asked:
                continue
            _show(page.reply)
            self._over = bool(page.reply.get("over"))
            if not self._over:
                self._ask(str(page.reply.get("cursor") or ""))

    def _typed(self) -> bool:
        data = os.read(sys.stdin.fileno(), 4096)
        text = self._decoder.decode(data)
        before, leave, _ = text.partition(LEAVE)
        if before:
            self._send(input=before)
        return bool(leave) or not data


@contextmanager
def _raw(fd: int) -> Generator[None]:
    """Give every key as it is for the length of the block; the mode before comes back in every case."""
    before = termios.tcgetattr(fd)
    tty.setraw(fd, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def _told_of_size(changed: Callable[[], None]) -> Generator[int]:
    """Call back when the terminal gets another size; yield a descriptor that is readable then."""
    read, write = os.pipe()
    os.set_blocking(write, False)

    def note(_number: int, _frame: object) -> None:
        changed()
        with contextlib.suppress(BlockingIOError):
            os.write(write, b"w")

    old = signal.signal(signal.SIGWINCH, note)
    try:
        yield read
    finally:
        signal.signal(signal.SIGWINCH, old)
        os.close(read)
        os.close(write)


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {
    "jobs run": run_command,
    "jobs follow": follow_command,
    "jobs attach": attach_command,
}

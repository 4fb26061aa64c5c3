"""One run: what is known of it, its input and output, its end."""

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import AsyncGenerator, Callable
from typing import Literal

from claude_code_mcp.platform.procs import leftovers, output
from claude_code_mcp.platform.procs.ending import EndWatch
from claude_code_mcp.platform.procs.errors import OutputGone, StdinClosed
from claude_code_mcp.platform.procs.framing import CAP_BYTES
from claude_code_mcp.platform.procs.identity import Identity, is_alive, send_signal
from claude_code_mcp.platform.procs.models import (
    Ended,
    Exit,
    Members,
    OnExit,
    RunSpec,
    RunState,
    Spool,
    StartFailure,
    Stdin,
    TerminalSize,
    Usage,
)
from claude_code_mcp.platform.procs.output import Batch, Piece, Source
from claude_code_mcp.platform.procs.rundir import RunDir
from claude_code_mcp.platform.procs.stdin import StdinWriter, open_for_writing
from claude_code_mcp.platform.procs.usage import usage_of
from claude_code_mcp.platform.procs.watch import Watcher

Stream = Literal["stdout", "stderr"]
_FORCE_S = 5.0


class Run:
    """A run that was started by this daemon or by one before it. Made by `Runs`; to be used in one event loop."""

    def __init__(self, files: RunDir, watcher: Watcher, *, starting: bool = False, patience_s: float = 8.0) -> None:
        self.files = files
        self.run_id = files.run_id
        self.starting = starting
        self._watcher = watcher
        self._patience_s = patience_s
        self._spec: RunSpec | None = None
        self._members: Members | None = None
        self._ending: Exit | StartFailure | None = None
        self._end = EndWatch(self._gone)
        self._stdin = StdinWriter(self.run_id, self._open_stdin)

    @property
    def spec(self) -> RunSpec | None:
        """What was to be started, without its environment; None when the record is broken."""
        self._spec = self._spec or self.files.spec()
        return self._spec

    @property
    def members(self) -> Members | None:
        """Who its supervisor and its main process are; None before they are recorded."""
        self._members = self._members or self.files.members()
        return self._members

    @property
    def exit(self) -> Exit | None:
        """How its main process ended, as soon as it is known."""
        found = self._recorded_end()
        return found if isinstance(found, Exit) else None

    @property
    def start_failure(self) -> StartFailure | None:
        """Why its program never ran, if so."""
        found = self._recorded_end()
        return found if isinstance(found, StartFailure) else None

    def state(self) -> RunState:
        """Return where it stands, from its files and the process table; some microseconds.

        `exited` speaks of the main process; `ended` and `wait_exit` of the whole tree.
        """
        if (found := self._recorded_end()) is not None:
            return RunState.EXITED if isinstance(found, Exit) else RunState.FAILED_TO_START
        if self.members is None:
            return self._unrecorded_state()
        if not self._end.ended():
            return RunState.RUNNING
        # It may have ended between our two looks; without a word of the shim it is lost.
        return RunState.LOST if self._recorded_end() is None else self.state()

    def ended(self) -> bool:
        """Tell whether all is over: its supervisor is gone, so nothing of it is watched or written any more."""
        return self._end.ended()

    def _recorded_end(self) -> Exit | StartFailure | None:
        if self._ending is not None:
            return self._ending
        final = self._end.seen  # asked first: a record read after the end is the last one
        found = self.files.ending()
        if final:
            self._ending = found
        return found

    def _unrecorded_state(self) -> RunState:
        if self.files.ending() is not None:
            return RunState.FAILED_TO_START
        if self.starting:
            return RunState.STARTING
        if self.files.abandon():
            return RunState.FAILED_TO_START
        return RunState.STARTING if self.files.has_shim() else RunState.LOST

    def _gone(self) -> bool:
        if self.members is not None:
            return not is_alive(self.members.shim)
        return self._unrecorded_state().over

    async def write_line(self, line: bytes, timeout_s: float = 30.0) -> None:
        """Write `line`, with its newline if it lacks one, to its standard input: whole, in order of the calls.

        Raises:
            ValueError: there is a newline within the line.
            StdinClosed: nobody reads it any more.
            StdinStalled: the run did not read within `timeout_s`.
        """
        if self.state().over:
            raise _closed(self.run_id)
        self._watcher.expect(self.files.path / "stdout")
        await self._stdin.write(line, timeout_s)

    async def write_bytes(self, data: bytes, timeout_s: float = 30.0) -> None:
        """Write `data` as it is to its standard input, or as keys to its terminal: whole, in order of the calls.

        Raises:
            StdinClosed: nobody reads it any more.
            StdinStalled: the run did not read within `timeout_s`.
        """
        if self.state().over:
            raise _closed(self.run_id)
        self._watcher.expect(self.files.path / "stdout")
        await self._stdin.write_bytes(data, timeout_s)

    def resize(self, size: TerminalSize) -> None:
        """Give its terminal another size; nothing for a run without one."""
        if self.members is not None and self.spec is not None and self.spec.pty is not None:
            self.files.ask_for_size(size)
            send_signal(self.members.shim, signal.SIGUSR2)

    def close_stdin(self) -> None:
        """End the standard input of a run that was started with `Stdin.PIPE`; for others only our end of it."""
        self._stdin.close()
        if self.members is not None and self.spec is not None and self.spec.stdin is Stdin.PIPE:
            send_signal(self.members.shim, signal.SIGUSR1)

    def _open_stdin(self) -> int:
        return _stdin_of(self)

    def follow(
        self, offset: int = 0, *, stream: Stream = "stdout", cap_bytes: int = CAP_BYTES
    ) -> AsyncGenerator[Batch, None]:
        """Yield the lines from byte `offset` (the start of a line) on, in batches, and end when the run has ended
        and everything was given; close it (`contextlib.aclosing`) when you leave earlier.

        Raises:
            OutputGone: the file cannot be opened.
        """
        return output.batches(self._source(stream), offset, self._watcher, cap_bytes=cap_bytes)

    def follow_bytes(self, offset: int = 0, *, stream: Stream = "stdout") -> AsyncGenerator[Piece, None]:
        """Yield the bytes themselves, like `follow`.

        Raises:
            OutputGone: the file cannot be opened.
        """
        return output.pieces(self._source(stream), offset, self._watcher)

    def _source(self, stream: Stream) -> Source:
        self.watch_end()
        return Source(
            path=self.files.path / stream,
            open=lambda: _output_of(self, stream),
            over=self._end.ended,
            on_over=self._end.on_end,
        )

    def on_output(self, stream: Stream, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Call `wake` whenever the output grows, until the returned function is called; None where the system cannot
        tell, so that the caller has to look now and then."""
        return self._watcher.add(self.files.path / stream, wake)

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when nothing of it is left, until the returned function is called."""
        self.watch_end()
        return self._end.on_end(callback)

    def stderr_tail(self, size_bytes: int = 4096) -> bytes:
        """Return the last bytes of its standard error, empty when there is none."""
        try:
            with (self.files.path / "stderr").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - size_bytes))
                return file.read(size_bytes)
        except FileNotFoundError:
            return b""

    def spool(self) -> Spool:
        """Return how much output of it lies on disk."""
        return Spool(stdout_bytes=self.files.size_of("stdout"), stderr_bytes=self.files.size_of("stderr"))

    async def usage(self) -> Usage | None:
        """Return what its processes use, None when it does not run; for many runs ask `Runs.usage` once."""
        if self.members is None:
            return None
        return (await usage_of({self.run_id: self.members.shim})).get(self.run_id)

    def watch_end(self) -> None:
        """Begin to wait for its end in the running loop."""
        try:
            shim = None if self.members is None else self.members.shim
        except OSError:  # no descriptor left to look at the record
            shim = None
        self._end.watch(shim)

    async def wait_exit(self, timeout_s: float | None = None) -> RunState:
        """Wait until nothing of it is left, and return its last state; its present one after `timeout_s`."""
        self.watch_end()
        done = asyncio.Event()
        forget = self._end.on_end(done.set)
        try:
            async with asyncio.timeout(timeout_s):
                await done.wait()
        except TimeoutError:
            pass
        finally:
            forget()
        return self.state()

    def signal(self, number: int) -> bool:
        """Send a signal to its main process alone; False when that is not proven to live."""
        return self.members is not None and send_signal(self.members.child, number)

    async def stop(self, grace_s: float | None = None) -> Ended:
        """End every process of it: TERM, the grace (default: that of its spec), KILL. Safe to repeat, from anyone.

        Its supervisor does it; when that does not answer it is killed too, and we end the rest ourselves.
        """
        grace = grace_s if grace_s is not None else self.spec.grace_s if self.spec else 5.0
        forced = False
        if not self.ended():
            self.files.ask_to_stop(grace)
            await self._tell_shim(grace + self._patience_s)
            forced = not self.ended()
            if forced and self.members is not None:
                send_signal(self.members.shim, signal.SIGKILL)
                await self.wait_exit(_FORCE_S)
        left = await leftovers.end(self.run_id, self._known(), grace) if self._may_have_left_some(forced) else ()
        return Ended(state=self.state(), exit=self.exit, forced=forced, left=left)

    async def kill(self) -> Ended:
        """End every process of it at once."""
        return await self.stop(0.0)

    async def _tell_shim(self, timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self.members is None and not self.ended():  # a shim that is about to start reads `stop.json`
            await self.wait_exit(0.02)
            if asyncio.get_running_loop().time() > deadline:
                return
        if self.members is not None:
            send_signal(self.members.shim, signal.SIGTERM)
            send_signal(self.members.shim, signal.SIGCONT)
        await self.wait_exit(max(0.0, deadline - asyncio.get_running_loop().time()))

    def _may_have_left_some(self, forced: bool) -> bool:
        if forced or self.state() is RunState.LOST or self.spec is None:
            return True
        return self.spec.on_exit is OnExit.LEAVE or not self.spec.adopt or bool(self.exit and self.exit.left)

    def _known(self) -> tuple[Identity, ...]:
        return () if self.members is None else (self.members.child,)

    def close(self) -> None:
        """Let go of it; the run goes on."""
        self._end.close()
        self._stdin.close()


def _closed(run_id: str) -> StdinClosed:
    return StdinClosed(
        f"Run {run_id} reads no input.",
        remedy="Its process ended, or was started without standard input.",
        run_id=run_id,
    )


def _stdin_of(run: Run) -> int:
    if run.spec is None or run.spec.stdin in {Stdin.NULL, Stdin.FILE}:
        raise _closed(run.run_id)
    path = run.files.path / "stdin"
    if path.exists() or run.members is None:
        return open_for_writing(str(path), run.run_id)
    if not is_alive(run.members.child):
        raise _closed(run.run_id)
    fd = open_for_writing(f"/proc/{run.members.child.pid}/fd/0", run.run_id)  # the FIFO's name was deleted
    if stat.S_ISFIFO(os.fstat(fd).st_mode) and is_alive(run.members.child):
        return fd
    os.close(fd)
    raise _closed(run.run_id)


def _output_of(run: Run, stream: Stream) -> int:
    paths = [str(run.files.path / stream)]
    if run.members is not None and is_alive(run.members.child):  # its name may be gone, the file is not
        paths.append(f"/proc/{run.members.child.pid}/fd/{1 if stream == 'stdout' else 2}")
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY)
    raise OutputGone(
        f"The {stream} of run {run.run_id} was deleted.",
        remedy="What it had written and was not read is lost; the run itself is not touched.",
        run_id=run.run_id,
    )

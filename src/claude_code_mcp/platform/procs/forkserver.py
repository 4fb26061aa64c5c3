"""The daemon's side of the fork server: asks for a shim by run id, starts the server anew when it was killed."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from claude_code_mcp.platform.procs.errors import SpawnFailed
from claude_code_mcp.platform.procs.table import SERVICE_TAG

SHIM = Path(__file__).with_name("shim.py")
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_END_S = 5.0


class ForkServer:
    """One warm interpreter that forks shims; it ends with us, the shims do not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._forked: set[str] = set()
        self._rest = b""

    async def start_run(self, run_id: str, timeout_s: float) -> bool:
        """Have the run of this id started; True when it runs or has failed for good (its records say which), False
        when nobody answered in time.

        Raises:
            SpawnFailed: the machine has no process or descriptor left, or the server died.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[run_id] = answer
        try:
            self._send(run_id)
            async with asyncio.timeout(timeout_s):
                await answer
        except TimeoutError:
            if run_id not in self._forked:
                self._kill()  # stopped, or starved: the next run gets a fresh one
            return False  # forked: its own start hangs, on a dead network directory say
        except OSError as exc:
            raise failure(run_id, exc.errno) from None
        finally:
            self._waiting.pop(run_id, None)
            self._forked.discard(run_id)
        return True

    def _send(self, run_id: str) -> None:
        request = run_id.encode() + b"\n"
        for _ in range(2):  # a server that died since gives a broken pipe
            server = self._server()
            try:
                os.write(_fd(server.stdin), request)
            except BrokenPipeError:
                self._drop()
            else:
                return
        raise failure(run_id, None)

    def _server(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-E", "-X", "utf8", str(SHIM), "--serve", str(self._root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={**env, SERVICE_TAG: "1"},
                start_new_session=True,
                bufsize=0,
            )
            os.set_blocking(_fd(self._process.stdin), False)
            os.set_blocking(_fd(self._process.stdout), False)
            asyncio.get_running_loop().add_reader(_fd(self._process.stdout), self._read)
        return self._process

    def _read(self) -> None:
        if self._process is None:
            return
        try:
            data = os.read(_fd(self._process.stdout), 65536)
        except BlockingIOError:
            return
        if not data:
            self._drop()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            run_id, verdict, *numbers = line.decode().split()
            if verdict == "forked":
                self._forked.update({run_id} & self._waiting.keys())
            else:
                self._settle(run_id, failure(run_id, int(numbers[0])) if verdict == "error" else None)

    def _settle(self, run_id: str, error: SpawnFailed | None) -> None:
        answer = self._waiting.get(run_id)
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._drop()

    def _drop(self) -> None:
        """Forget a server that is gone, and tell those who wait for it."""
        server, self._process, self._rest = self._process, None, b""
        if server is None:
            return
        with contextlib.suppress(RuntimeError):  # no loop runs any more
            asyncio.get_running_loop().remove_reader(_fd(server.stdout))
        for pipe in (server.stdin, server.stdout):
            if pipe is not None:
                pipe.close()
        server.kill()
        server.wait()
        for run_id in tuple(self._waiting):
            self._settle(run_id, failure(run_id, None))

    async def aclose(self) -> None:
        """End the server; what it started lives on."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()  # its end of file is its order to go
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, _END_S)
        self._drop()


def failure(run_id: str, number: int | None) -> SpawnFailed:
    """Return the error of a run that could not be started, for the errno `number` (None: the server died)."""
    why = os.strerror(number) if number else "the process that starts runs was killed"
    return SpawnFailed(
        f"Run {run_id} was not started: {why}.",
        remedy="Nothing runs. Stop other work or raise the limits of this user, then start it again.",
        run_id=run_id,
        errno=number,
    )


def _fd(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise BrokenPipeError
    return pipe.fileno()

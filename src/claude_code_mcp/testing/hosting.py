"""The model on a loopback port: inside an event loop, beside a thread that has none, or as a whole process."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from claude_code_mcp.testing.endpoints import app
from claude_code_mcp.testing.errors import PortTaken
from claude_code_mcp.testing.loading import builtin_script
from claude_code_mcp.testing.model import ScriptedModel
from claude_code_mcp.testing.script import Script

HOST = "127.0.0.1"
_STOP_TRIES = 2000
_ACCEPT_TURNS = 5
"""Turns of the loop until a connection that was just accepted is known to the server: asyncio (3.11) forgets to
close one whose server is closed before that."""


@asynccontextmanager
async def scripted_model(
    script: Script | None = None, *, port: int = 0, record_path: str | os.PathLike[str] | None = None
) -> AsyncGenerator[ScriptedModel]:
    """Run a model in this event loop; `script` is by default the built-in library, `port` 0 takes a free one.

    Leaving ends open replies and closes the port.

    Raises:
        PortTaken: the port cannot be listened on.
        OSError: the record file cannot be opened.
    """
    model = ScriptedModel(script or builtin_script(), record_path=record_path)
    with contextlib.closing(model), _listening(model, port) as listener:
        server = _Server(model)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready.wait()
            yield model
        finally:
            server.stop.set()
            await serving


@contextmanager
def scripted_model_thread(
    script: Script | None = None, *, port: int = 0, record_path: str | os.PathLike[str] | None = None
) -> Generator[ScriptedModel]:
    """Run a model in a thread of its own, for code without an event loop; otherwise as `scripted_model`.

    Raises:
        PortTaken: the port cannot be listened on.
        OSError: the record file cannot be opened.
    """
    model = ScriptedModel(script or builtin_script(), record_path=record_path)
    with contextlib.closing(model), _listening(model, port) as listener:
        server = _Server(model)
        thread = threading.Thread(target=server.run_here, args=(listener,), name="scripted-model")
        thread.start()
        try:
            server.running.wait()
            yield model
        finally:
            server.end()
            thread.join()


def serve(
    script: Script,
    port: int = 0,
    record_path: str | os.PathLike[str] | None = None,
    *,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a model in this process until SIGINT or SIGTERM; `ready` is called with its URL when it answers.

    Raises:
        PortTaken: the port cannot be listened on.
        OSError: the record file cannot be opened.
    """

    async def run() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        async with scripted_model(script, port=port, record_path=record_path) as model:
            ready(model.url)
            await ended.wait()

    asyncio.run(run())


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers and its polling: it says when it answers and stops when told."""

    def __init__(self, model: ScriptedModel) -> None:
        super().__init__(
            uvicorn.Config(
                app(model),
                lifespan="off",
                log_config=None,
                log_level="critical",  # a reply that is cut on purpose is an error to uvicorn
                access_log=False,
                date_header=False,
                server_header=False,
                timeout_keep_alive=120,
                ws="none",
            )
        )
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()
        self.running = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the process's signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()
        self.running.set()

    def run_here(self, listener: socket.socket) -> None:
        """Run in this thread until `end` is called."""
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            self.running.set()

    async def main_loop(self) -> None:
        """Run until told to stop."""
        await self.stop.wait()

    def end(self) -> None:
        """Stop, from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stop.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give up open replies and close all connections, without uvicorn's grace."""
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        for _ in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_STOP_TRIES):  # uvicorn has no event for this
            if not (self.server_state.connections or self.server_state.tasks):
                break
            await asyncio.sleep(0.001)


@contextmanager
def _listening(model: ScriptedModel, port: int) -> Generator[socket.socket]:
    # asyncio turns Nagle's algorithm off only where the protocol is named: without it each reply waits 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(1024)
        except OSError as exc:
            raise PortTaken(
                f"Port {port} on {HOST} cannot be listened on: {exc.strerror}.", remedy="Use port 0 for a free one."
            ) from None
        model.url = f"http://{HOST}:{listener.getsockname()[1]}"
        yield listener

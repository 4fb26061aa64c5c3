"""A daemon of our own parts whose catalog has two operations for measuring: a cheap call, and much progress.

Listener, MCP surface and relay are the program's own; only the operations are of this file.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from pydantic import Field

from claude_code_mcp import __version__
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Effect, Reply, Request, Surface, operation
from claude_code_mcp.platform.ipc.listener import Listener, Peer
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts

LINE_BYTES = 32 * 1024 * 1024


class Echo(Request):
    """A text."""

    text: str
    """What comes back."""


class Count(Request):
    """How far to count."""

    steps: int = Field(ge=0)
    """How often to tell of progress."""


class Said(Reply):
    """A text."""

    said: str
    """The text."""

    def text(self) -> str:
        """Return it."""
        return self.said


@operation("bench.echo", effect=Effect.READ)
async def echo(_: Caller, wish: Echo) -> Said:
    """Return the text."""
    return Said(said=wish.text)


@operation("bench.count", effect=Effect.READ)
async def count(caller: Caller, wish: Count) -> Said:
    """Tell of progress so many times."""
    for step in range(1, wish.steps + 1):
        await caller.report(step, "counting")
    return Said(said="counted")


async def run(directory: Path) -> None:
    """Serve MCP on the socket of `directory` until told to stop."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    parts = Parts(catalog=Catalog.of((echo, count)), context=lambda caller: caller, version=__version__)
    async with McpSurface(parts) as surface:

        async def serve(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            caller = Caller(cwd=peer.cwd, surface=Surface.MCP, client="bench", env=peer.env)
            await surface.serve(reader, writer, caller, ConnectionOptions.of(peer.options))

        listener = Listener(directory, {"mcp": serve}, LINE_BYTES)
        await listener.open()
        with contextlib.suppress(BrokenPipeError):
            print("ready", flush=True)
        await ended.wait()
        await listener.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))

"""The daemon's store, operations and socket in one process, which says events as fast as it is told to.

`{"count": 1000, "rate": 100}` says so many events at so many a second, `rate` null all at once; `{}` ends it. Each
second event is the result of a call and carries the moment at which it was handed in (CLOCK_MONOTONIC, nanoseconds),
so that whoever gets it knows how long it took.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from claude_code_mcp.app import App, opened
from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.features.captures.service import Recorder
from claude_code_mcp.features.daemon.service import Host
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.kernel.operation import Progress, Surface
from claude_code_mcp.platform.claude.facts import PromptTaken, SessionOpened, ToolFinished, ToolStarted
from claude_code_mcp.platform.ipc.listener import Listener, Peer
from claude_code_mcp.platform.settings.sources import load
from claude_code_mcp.surfaces.rpc.server import Connection

SESSION = SessionId("0197a4d0-0000-7000-8000-00000000bec4")
LINE_BYTES = 1 << 20


class Mouth:
    """Says events of one session."""

    def __init__(self, app: App) -> None:
        self._recorder = Recorder(app.database, SystemClock())
        self._said = 0
        self._calls = 0

    async def say(self, count: int, rate: float | None) -> None:
        """Say `count` events, calls and their results in turns, and return when they are in the log."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(count):
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            call = f"toolu_{self._calls}"
            if number % 2 == 0:
                self._tell(ToolStarted(name="Bash", input={"command": "make"}), call)
                continue
            self._calls += 1
            self._tell(ToolFinished(name="Bash", output=f"stamp-{time.monotonic_ns()}-", duration_ms=10), call)
        await self._recorder.record([], lambda _: None)

    async def begin(self) -> None:
        """Begin the session and its turn."""
        self._tell(SessionOpened(how="startup", cwd="/", pid=1), None)
        self._tell(PromptTaken(prompt_id="p", message_uuid="m", text="work"), None)
        await self._recorder.record([], lambda _: None)

    def _tell(self, fact: Fact, tool_use_id: str | None) -> None:
        self._said += 1
        event = Event(
            fact=fact,
            at=datetime.now(UTC),
            session_id=SESSION,
            subject=tool_use_id or SESSION,
            tool_use_id=tool_use_id,
            source=Source.HOOK,
            source_key=f"bench:{self._said}",
        )
        self._recorder.record_soon([event])


async def host(state: Path) -> None:
    """Serve until standard input says to end."""
    state.mkdir(exist_ok=True)
    settings = load({}, {"state_dir": str(state)}, client_env=False)
    catalog = build_catalog()
    async with opened(settings, Host(datetime.now(UTC), lambda: 0, lambda _: None)) as app:

        async def rpc(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            def caller(progress: Progress) -> Caller:
                return Caller(cwd=peer.cwd, surface=Surface.CLI, progress=progress)

            await Connection(catalog, app.context, caller, (reader, writer)).serve()

        listener = Listener(state, {"rpc": rpc}, LINE_BYTES)
        await listener.open()
        mouth = Mouth(app)
        await mouth.begin()
        try:
            while asked := json.loads(await asyncio.to_thread(_told)):
                await mouth.say(asked["count"], asked["rate"])
                _tell("done")
        finally:
            await listener.close()


def _told() -> str:
    """Return the next wish; the first time, say that there may be one."""
    _tell("ready")
    return sys.stdin.readline() or "{}"


def _tell(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(host(Path(sys.argv[1])))

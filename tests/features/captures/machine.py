"""A machine on which Claude Codes run that we did not start: their files, and a daemon's insides that read them."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.app import App, opened
from claude_code_mcp.features.daemon.service import Host
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.procs.table import row_of
from claude_code_mcp.platform.settings.sources import load

BOUND_S = 60.0
SESSION = SessionId("50149376-bd13-4c6e-9303-f3f5d55c6e40")


class Machine:
    """One home below a test's directory, and what is seen of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.config = self.home / ".claude"
        self.folder = self.config / "projects" / "-home-dev-proj"
        self.folder.mkdir(parents=True)
        (self.config / "sessions").mkdir()
        self._app: App | None = None
        self._said = 0

    @asynccontextmanager
    async def looking(self, **settings: Any) -> AsyncGenerator[App]:
        """Look at it, as the daemon does, until this is left."""
        env = {"HOME": str(self.home), "PATH": os.environ["PATH"]}
        env |= {f"CLAUDE_CODE_MCP_{name.upper()}": str(value) for name, value in settings.items()}
        host = Host(datetime.now(UTC), lambda: 0, lambda _: None)
        (self.root / "state").mkdir(exist_ok=True)
        loaded = load(env, {"state_dir": str(self.root / "state")}, client_env=False)
        async with opened(loaded, host) as app:
            self._app = app
            yield app

    @property
    def app(self) -> App:
        """What looks at it now."""
        assert self._app is not None
        return self._app

    def transcript(self, session: str = SESSION, agent: str = "") -> Path:
        """Return where a transcript is."""
        if agent:
            return self.folder / session / "subagents" / f"agent-{agent}.jsonl"
        return self.folder / f"{session}.jsonl"

    def prompt(self, text: str, session: str = SESSION, agent: str = "") -> bytes:
        """Return one more prompt as a line."""
        self._said += 1
        line = {
            "parentUuid": None,
            "isSidechain": bool(agent),
            "promptId": f"prompt-{self._said}",
            "type": "user",
            "message": {"role": "user", "content": text},
            "uuid": f"00000000-0000-4000-8000-{self._said:012x}",
            "timestamp": f"2026-11-20T03:{self._said // 60 % 60:02}:{self._said % 60:02}.000Z",
            "cwd": "/home/dev/proj",
            "sessionId": session,
            "version": "2.1.328",
        }
        return msgspec.json.encode(line) + b"\n"

    def say(self, *texts: str, session: str = SESSION, agent: str = "") -> Path:
        """Append prompts to a transcript."""
        path = self.transcript(session, agent)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b"".join(self.prompt(text, session, agent) for text in texts))
        return path

    def register(self, pid: int, session: str = SESSION, status: str = "busy", **more: Any) -> Path:
        """Have a process stand in the registry of live sessions."""
        row = row_of(pid)
        path = self.config / "sessions" / f"{pid}.json"
        now = int(datetime.now(UTC).timestamp() * 1000)
        entry = {
            "pid": pid,
            "sessionId": session,
            "cwd": "/home/dev/proj",
            "startedAt": 1795145457929,
            "procStart": str(row.start) if row else "1",
            "version": "2.1.328",
            "kind": "interactive",
            "entrypoint": "cli",
            "status": status,
            "statusUpdatedAt": now,
            **more,
        }
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(entry))
        part.replace(path)
        return path

    def events(self, *kinds: str, session: str = SESSION) -> list[Recorded]:
        """Return what the log holds of a session."""
        found: list[Recorded] = []
        cursor, more = 0, True
        while more:
            read = partial(log.page, after=cursor, session_id=SessionId(session), kinds=kinds, limit=5000)
            page = self.app.database.read(read)
            found += page.events
            cursor, more = page.cursor, page.more
        return found

    def said(self, session: str = SESSION) -> list[str]:
        """Return the prompts that the log holds of a session."""
        return [event.payload["text"] for event in self.events("prompt.taken", session=session)]

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until something holds; looked at whenever something was written down."""
        async with asyncio.timeout(BOUND_S):
            written = asyncio.Event()
            self.app.database.on_commit(written.set)
            while not there():
                written.clear()
                await written.wait()

    async def caught_up(self) -> None:
        """Wait until all that is there was read."""
        async with asyncio.timeout(BOUND_S):
            await self.app.services.captures.transcripts.caught_up()

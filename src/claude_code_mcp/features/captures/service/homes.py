"""Which configuration directories of Claude Code are looked into: our own, those of callers, and what was set."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from claude_code_mcp.features.captures import store
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreUnavailable

AGAIN_S = 5.0
HOMES = 64
"""More are not looked into: each costs watches of the system."""


class Homes:
    """The known configuration directories; what was seen once is kept."""

    def __init__(self, database: Database, given: Iterable[Path]) -> None:
        self._database = database
        self._known: dict[Path, None] = dict.fromkeys(given)
        self._known.update(dict.fromkeys(Path(home) for home in database.read(store.homes)))
        self._unsaved: list[Path] = list(self._known)
        self._named: set[tuple[str | None, str | None]] = set()
        self._told: list[Callable[[], None]] = []
        self.news = asyncio.Event()
        if self._unsaved:
            self.news.set()

    def all(self) -> list[Path]:
        """Return all of them."""
        return list(self._known)

    def add_of(self, env: Mapping[str, str]) -> None:
        """Add the one that a Claude Code with `env` uses."""
        named = (env.get("HOME"), env.get("CLAUDE_CONFIG_DIR"))
        # Asked at every call, and nearly always the same.
        if any(named) and named not in self._named:
            self._named.add(named)
            self.add(ClaudeHome.of(env).config_dir)

    def add(self, config_dir: Path) -> None:
        """Add one, if it is absolute and there is still room."""
        if config_dir in self._known or not config_dir.is_absolute() or len(self._known) >= HOMES:
            return
        self._known[config_dir] = None
        self._unsaved.append(config_dir)
        self.news.set()
        for tell in self._told:
            tell()

    def on_new(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever one more is known."""
        self._told.append(tell)

    async def keep(self) -> None:
        """Write down what is new, for ever."""
        while True:
            await self.news.wait()
            self.news.clear()
            unsaved = list(self._unsaved)

            def write(db: sqlite3.Connection, homes: list[Path] = unsaved) -> None:
                for home in homes:
                    store.put_home(db, str(home))

            try:
                await self._database.write(write)
            except StoreUnavailable:
                await asyncio.sleep(AGAIN_S)
                self.news.set()
            else:
                del self._unsaved[: len(unsaved)]

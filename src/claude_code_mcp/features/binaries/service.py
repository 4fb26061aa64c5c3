"""Which Claude Code is run, which others there are, and whether there is a newer one."""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from claude_code_mcp.features.binaries import store
from claude_code_mcp.features.binaries.events import BinaryPreferred
from claude_code_mcp.features.binaries.models import BinaryFound, Candidate, UpdateReport
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude import binaries
from claude_code_mcp.platform.claude.errors import BinaryUnusable
from claude_code_mcp.platform.claude.places import OVERRIDE_VARIABLE
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client


class Binaries:
    """The Claude Code binaries of this machine, as each client can reach them."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._finder = binaries.BinaryFinder()

    async def chosen(self, env: Mapping[str, str]) -> binaries.Candidate:
        """Return the binary that is run for a client with `env`.

        Raises:
            BinaryNotFound, BinaryUnusable, BinaryTooOld: there is none that works.
        """
        return (await self._found(env)).chosen()

    async def find(self, env: Mapping[str, str], *, refresh: bool = False) -> BinaryFound:
        """Return the binary that is run, and every candidate.

        Raises:
            BinaryNotFound, BinaryUnusable, BinaryTooOld: there is none that works.
        """
        found = await self._found(env, refresh=refresh)
        best = found.chosen()
        return BinaryFound(
            binary_path=str(best.path),
            version=best.version or "",
            source=best.source.value,
            candidates=[_candidate(one, best) for one in found.candidates],
        )

    async def updates(self, env: Mapping[str, str]) -> UpdateReport:
        """Return whether there is a newer release; a network that does not answer is no error.

        Raises:
            BinaryNotFound, BinaryUnusable, BinaryTooOld: there is nothing to update.
        """
        # An HTTP client costs a tenth of a second to import; only this question needs one.
        from claude_code_mcp.platform.claude import releases  # noqa: PLC0415 - see above

        best = await self.chosen(env)
        settings = self._settings
        latest = await releases.latest_version(env, registry=settings.npm_registry, timeout_s=settings.npm_timeout_s)
        current = best.version or ""
        return UpdateReport(
            current_version=current,
            latest_version=latest.version,
            update_available=None if latest.version is None else releases.newer(latest.version, current),
            update_command=best.update_command,
            problem=latest.problem or None,
        )

    async def use(self, path: str | None, env: Mapping[str, str]) -> BinaryFound:
        """Prefer a binary that works, or forget the preference.

        Raises:
            BinaryUnusable: it does not work; the preference stays as it was.
        """
        wanted = None if path is None else _absolute(path, env)
        if wanted is not None:
            candidate = await self._finder.inspect(Path(wanted), env)
            if not candidate.works:
                raise BinaryUnusable(f"{wanted} cannot be used: {candidate.problem}.", remedy="Name another one.")

        def write(db: sqlite3.Connection) -> None:
            now = self._clock.now()
            store.prefer(db, wanted, stamp(now))
            log.append(db, [Event(fact=BinaryPreferred(path=wanted or ""), at=now, subject="claude")])

        await self._database.write(write)
        return await self.find(env)

    async def _found(self, env: Mapping[str, str], *, refresh: bool = False) -> binaries.Found:
        override = for_client(self._settings, env).claude_binary
        seen = {**env, OVERRIDE_VARIABLE: str(override)} if override is not None else env
        return await self._finder.find(seen, self._database.read(store.preference), refresh=refresh)


def _absolute(path: str, env: Mapping[str, str]) -> str:
    home = env.get("HOME", "")
    return os.path.normpath(home + path[1:] if path.startswith("~/") and home else path)


def _candidate(one: binaries.Candidate, best: binaries.Candidate) -> Candidate:
    return Candidate(
        path=str(one.path),
        source=one.source.value,
        version=one.version,
        problem=one.problem or None,
        chosen=one.path == best.path,
    )

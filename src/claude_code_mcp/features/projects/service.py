"""Where sessions work, and how far a folder's own configuration is trusted."""

import asyncio
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_code_mcp.features.projects import rules, store
from claude_code_mcp.features.projects.errors import BadProjectPath, ProjectNotADirectory, ProjectNotFound
from claude_code_mcp.features.projects.events import ProjectTrusted, ProjectUntrusted
from claude_code_mcp.features.projects.models import ExecutableFile, ProjectInfo, ProjectList, Standing
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.executable_config import ExecutableConfig, executable_config
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.trust import distrust, trusted_by_claude
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client

Env = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What could run code in a trusted project at some moment, and by whom it was trusted."""

    config: ExecutableConfig
    by: str


class Projects:
    """Project folders."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    def locate(self, wished: str | None, caller: Caller) -> Path:
        """Return the folder that a call is about, with links resolved; by default the client's own.

        Raises:
            ProjectNotFound: there is none.
            ProjectNotADirectory: it is a file.
            BadProjectPath: it cannot be a path.
        """
        default = for_client(self._settings, caller.env).default_working_directory
        named = wished or (str(default) if default else caller.cwd)
        if not named or "\0" in named:
            raise BadProjectPath("A project path cannot be empty or hold a NUL character.", remedy="Give project_path.")
        path = Path(caller.cwd or "/") / _expanded(named, caller.env)
        try:
            resolved = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "no such folder"
            raise ProjectNotFound(
                f"{named[:300]!r} cannot be used: {reason}.", remedy="Give an existing folder."
            ) from exc
        if not resolved.is_dir():
            raise ProjectNotADirectory(
                f"{str(resolved)!r} is a file.", remedy=f"Did you mean {str(resolved.parent)!r}?"
            )
        if not os.access(resolved, os.R_OK | os.X_OK):
            raise ProjectNotFound(f"{str(resolved)!r} cannot be read by this user.", remedy="Check its permissions.")
        return resolved

    async def standing(self, project: Path, env: Env) -> Standing:
        """Return how far a project is trusted by the user whose environment is `env`."""
        return await asyncio.to_thread(self._standing, project, env, self._pinned(project))

    async def launch_terms(self, project: Path, env: Env) -> tuple[Standing, dict[str, Any]]:
        """Return the standing at a start, and the launch options that an untrusted project is limited to.

        A project that Claude Code's own dialog was accepted for is pinned as it is now.
        """
        standing = await self.standing(project, env)
        if standing.trusted:
            if standing.first_seen:
                await self._pin(project, standing.fingerprint, rules.CLAUDE)
            return standing, {}
        terms = await asyncio.to_thread(lambda: distrust(ClaudeHome.of(env), project, _config(project, env)))
        return standing, {
            "setting_sources": terms.setting_sources,
            "strict_mcp_config": terms.strict_mcp_config,
            "mcp_config": terms.mcp_config,
            "append": terms.append_system_prompt,
        }

    async def trust(self, project: Path, env: Env) -> None:
        """Trust a project as it is now; a change of what can run code in it ends that."""
        config = await asyncio.to_thread(_config, project, env)
        await self._pin(project, config.fingerprint, rules.USER)

    async def snapshot(self, project: Path, env: Env) -> Snapshot | None:
        """Return a trusted project as it is now; None for one that is not trusted."""
        standing = await self.standing(project, env)
        pinned = self._pinned(project)
        config = await asyncio.to_thread(_config, project, env)
        if not standing.trusted or config.fingerprint != standing.fingerprint:
            return None
        return Snapshot(config, pinned.trusted_by if pinned is not None else rules.USER)

    async def renew(self, project: Path, env: Env, before: Snapshot) -> bool:
        """Trust a project as it is now if since `before` only its local settings changed; tell whether it was done."""
        config = await asyncio.to_thread(_config, project, env)
        if config.fingerprint == before.config.fingerprint or not rules.only_local(before.config.parts, config.parts):
            return False
        await self._pin(project, config.fingerprint, before.by)
        return True

    async def untrust(self, project: Path) -> None:
        """Take back the trust that was given here."""
        now = self._clock.now()

        def write(db: sqlite3.Connection) -> None:
            if store.delete(db, str(project)):
                fact = ProjectUntrusted(project_path=str(project))
                log.append(db, [Event(fact=fact, at=now, subject=str(project))])

        await self._database.write(write)

    async def show(self, wished: str | None, caller: Caller) -> ProjectInfo:
        """Return a project's standing, and what there is to trust."""
        return await self._info(self.locate(wished, caller), caller.env)

    async def list(self, caller: Caller) -> ProjectList:
        """Return the projects that were trusted here."""
        known = self._database.read(store.all_trusted)
        return ProjectList(items=[await self._info(Path(trusted.path), caller.env) for trusted in known])

    async def _pin(self, project: Path, fingerprint: str, by: str) -> None:
        now = self._clock.now()
        trusted = store.Trusted(str(project), fingerprint, by, stamp(now))
        fact = ProjectTrusted(project_path=str(project), fingerprint=fingerprint, by=by)

        def write(db: sqlite3.Connection) -> None:
            store.put(db, trusted)
            log.append(db, [Event(fact=fact, at=now, subject=str(project))])

        await self._database.write(write)

    def _pinned(self, project: Path) -> store.Trusted | None:
        return self._database.read(lambda db: store.get(db, str(project)))

    def _standing(self, project: Path, env: Env, pinned: store.Trusted | None) -> Standing:
        config = _config(project, env)
        kept = (pinned.fingerprint, pinned.trusted_by, pinned.trusted_at) if pinned is not None else None
        home = ClaudeHome.of(env)
        standing = rules.judge(
            config.fingerprint,
            runs_code=bool(config.parts),
            pinned=kept,
            accepted=trusted_by_claude(home, project),
        )
        if standing.trusted:
            return standing
        names = distrust(home, project, config).left_out
        return Standing(False, standing.why, standing.fingerprint, rules.left_out(names))

    async def _info(self, project: Path, env: Env) -> ProjectInfo:
        standing = await self.standing(project, env)
        config = await asyncio.to_thread(_config, project, env)
        pinned = self._pinned(project)
        return ProjectInfo(
            project_path=str(project),
            trusted=standing.trusted,
            why=standing.why,
            executable=[ExecutableFile(path=part.path, does=list(part.does)) for part in config.parts],
            trusted_at=pinned.trusted_at if pinned is not None and standing.trusted else None,
        )


def _config(project: Path, env: Env) -> ExecutableConfig:
    home = env.get("HOME")
    return executable_config(project, Path(home) if home else None)


def _expanded(named: str, env: Env) -> str:
    home = env.get("HOME", "")
    return home + named[1:] if home and (named == "~" or named.startswith("~/")) else named

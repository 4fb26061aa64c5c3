"""Where sessions work, and how far a folder's own configuration is trusted."""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp.features.projects import store
from claude_code_mcp.features.projects.errors import BadProjectPath, ProjectNotADirectory, ProjectNotFound
from claude_code_mcp.features.projects.events import ProjectTrusted, ProjectUntrusted
from claude_code_mcp.features.projects.models import ExecutableFile, ProjectInfo, ProjectList, Standing
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client


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
        path = Path(caller.cwd or "/") / Path(named).expanduser()
        try:
            resolved = path.resolve(strict=True)
        except (OSError, RuntimeError) as exc:
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

    def standing(self, project: Path, caller: Caller) -> Standing:
        """Return how far a project is trusted."""
        return self.standing_for(project, caller.env)

    def standing_for(self, project: Path, env: Mapping[str, str]) -> Standing:
        """Return how far a project is trusted by the user whose environment is `env`."""
        return Standing(True, "temporary", "")

    def distrust(self, project: Path, standing: Standing) -> dict[str, Any]:
        """Return the launch options that an untrusted project is limited to; none for a trusted one."""
        return {}

    async def trust(self, project: Path) -> None:
        """Trust a project as it is now."""
        trusted = store.Trusted(str(project), "", stamp(self._clock.now()))
        fact = ProjectTrusted(project_path=str(project), fingerprint=trusted.fingerprint)
        event = Event(fact=fact, at=self._clock.now(), subject=str(project))

        def write(db: sqlite3.Connection) -> None:
            store.put(db, trusted)
            log.append(db, [event])

        await self._database.write(write)

    async def untrust(self, project: Path) -> None:
        """Take trust back."""
        event = Event(fact=ProjectUntrusted(project_path=str(project)), at=self._clock.now(), subject=str(project))
        await self._database.write(lambda db: store.delete(db, str(project)) and log.append(db, [event]))

    async def show(self, wished: str | None, caller: Caller) -> ProjectInfo:
        """Return a project's standing."""
        project = self.locate(wished, caller)
        return self._info(project, caller)

    async def list(self, caller: Caller) -> ProjectList:
        """Return the projects that were trusted here."""
        known = self._database.read(store.all_trusted)
        return ProjectList(items=[self._info(Path(trusted.path), caller) for trusted in known])

    def _info(self, project: Path, caller: Caller) -> ProjectInfo:
        standing = self.standing(project, caller)
        return ProjectInfo(project_path=str(project), trusted=standing.trusted, why=standing.why)


_ = ExecutableFile

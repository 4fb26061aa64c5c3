"""The checks, one after the other; each says what it found and what to do, and none changes anything."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.binaries.service import Binaries
from claude_code_mcp.features.checkpoints.models.requests import ManageKeys
from claude_code_mcp.features.checkpoints.service import Sealing
from claude_code_mcp.features.daemon.service import Daemon
from claude_code_mcp.features.diagnoses.models import Check, Diagnosis, RunChecks, Verdict
from claude_code_mcp.features.installations.models import ListInstallations
from claude_code_mcp.features.installations.service import Installations
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.login import login_state
from claude_code_mcp.platform.claude.user_settings import user_hooks
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.settings.model import Settings

Found = tuple[Verdict, str, str | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked how things stand."""

    binaries: Binaries
    projects: Projects
    daemon: Daemon
    installations: Installations
    sealing: Sealing


class Diagnoses:
    """Looks at everything that a session needs."""

    def __init__(self, database: Database, settings: Settings, asked: Asked) -> None:
        self._database = database
        self._settings = settings
        self._binaries = asked.binaries
        self._projects = asked.projects
        self._daemon = asked.daemon
        self._installations = asked.installations
        self._sealing = asked.sealing

    async def run(self, wish: RunChecks, caller: Caller) -> Diagnosis:
        """Return what all checks found; a check that cannot be made is a problem of its own."""
        looks: list[tuple[str, Callable[[], Awaitable[list[Found]]]]] = [
            ("claude binary", lambda: self._binary(caller)),
            ("login", lambda: self._login(caller)),
            ("daemon", self._own),
            ("store", self._store),
            ("disk", self._disk),
            ("MCP clients", lambda: self._clients(caller)),
            ("hooks", lambda: self._hooks(caller)),
            ("sealed secrets", lambda: self._seals(caller)),
            ("project", lambda: self._project(wish, caller)),
        ]
        checks: list[Check] = []
        for name, look in looks:
            try:
                found = await look()
            except ClaudeCodeMcpError as exc:
                found = [(Verdict.PROBLEM, exc.message, exc.remedy or None)]
            checks += [Check(name=name, verdict=verdict, found=said, fix=fix) for verdict, said, fix in found]
        return Diagnosis(well=all(check.verdict is not Verdict.PROBLEM for check in checks), checks=checks)

    async def _binary(self, caller: Caller) -> list[Found]:
        found = await self._binaries.find(caller.env)
        broken: list[Found] = [
            (Verdict.WARNING, f"{one.path} cannot be used: {one.problem}", "Repair or remove it.")
            for one in found.candidates
            if one.problem
        ]
        return [(Verdict.OK, f"{found.version} at {found.binary_path} ({found.source})", None), *broken]

    async def _login(self, caller: Caller) -> list[Found]:
        best = await self._binaries.chosen(caller.env)
        state = await login_state(best.path, caller.env)
        if state.logged_in is None:
            return [(Verdict.WARNING, f"not known: {state.problem}", f"Run `{best.path} auth status`.")]
        if not state.logged_in:
            fix = f"Run `{best.path}` and log in, or set ANTHROPIC_API_KEY where the MCP client is configured."
            return [(Verdict.PROBLEM, "Claude Code is not logged in", fix)]
        source = f", key from {state.source}" if state.source else ""
        return [(Verdict.OK, f"logged in by {state.method}{source}", None)]

    async def _own(self) -> list[Found]:
        status = await self._daemon.status()
        said = f"{status.version}, pid {status.pid}, up {status.uptime_s:.0f} s, {status.live} live sessions"
        if status.blocked:
            return [(Verdict.PROBLEM, f"{said}; nothing new is started: {status.blocked}", "Free some disk space.")]
        return [(Verdict.OK, said, None)]

    async def _store(self) -> list[Found]:
        def check(db: sqlite3.Connection) -> str:
            return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])

        said = await self._database.scan(check)
        size = self._database.path.stat().st_size
        if said != "ok":
            fix = f"Stop the daemon and restore {self._database.path} from a backup; run files are not affected."
            return [(Verdict.PROBLEM, f"{self._database.path} is damaged: {said}", fix)]
        return [(Verdict.OK, f"{self._database.path}, {size / 1e6:.1f} MB, sound", None)]

    async def _disk(self) -> list[Found]:
        directory = Path(self._settings.state_dir)
        free = shutil.disk_usage(directory).free
        said = f"{free / 1e9:.1f} GB free at {directory}"
        if free < self._settings.disk_low_bytes:
            return [(Verdict.PROBLEM, f"{said}; new sessions are not started", "Free some space.")]
        if free < 2 * self._settings.disk_low_bytes:
            return [(Verdict.WARNING, f"{said}; close to the limit", "Free some space.")]
        return [(Verdict.OK, said, None)]

    async def _clients(self, caller: Caller) -> list[Found]:
        found = await self._installations.all(ListInstallations(), caller)
        out: list[Found] = []
        for item in found.items:
            if item.problem:
                out.append((Verdict.WARNING, f"{item.client}: {item.problem}", "Mend that file by hand."))
            elif item.names:
                out.append((Verdict.OK, f"{item.client} has it ({item.file})", None))
        if not any(item.names for item in found.items):
            out.append((Verdict.WARNING, "no MCP client has it", "Run `claude-code-mcp install claude-code`."))
        return out

    async def _hooks(self, caller: Caller) -> list[Found]:
        found = await asyncio.to_thread(user_hooks, ClaudeHome.of(caller.env))
        if found.problem:
            fix = "Mend that file by hand; Claude Code takes nothing from it as it is."
            return [(Verdict.WARNING, f"{found.path}: {found.problem}", fix)]
        said = ", ".join(f"{count} on {event}" for event, count in sorted(found.events.items()))
        return [(Verdict.OK, f"in every session of this user: {said}" if said else "none of this user", None)]

    async def _seals(self, caller: Caller) -> list[Found]:
        found = await self._sealing.manage(ManageKeys(), caller)
        if found.key_id is None:
            return [(Verdict.OK, "nothing is sealed", None)]
        if found.available:
            return [(Verdict.OK, f"key {found.key_id[:8]} in {found.place}", None)]
        fix = "Unlock the keyring, or bring the key: `claude-code-mcp checkpoints key import`."
        return [(Verdict.WARNING, f"secrets are left out of checkpoints: {found.why}", fix)]

    async def _project(self, wish: RunChecks, caller: Caller) -> list[Found]:
        info = await self._projects.show(wish.project_path, caller)
        if info.trusted or not info.executable:
            return [(Verdict.OK, f"{info.project_path}: {info.why}", None)]
        names = ", ".join(item.path for item in info.executable[:5])
        said = f"{info.project_path} is not trusted; left out: {names}"
        return [(Verdict.WARNING, said, "Look at these files, then run `claude-code-mcp projects trust`.")]

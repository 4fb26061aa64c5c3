"""Starting the process of a session: which binary, with which options, in which environment, in which directory."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from claude_code_mcp.features.binaries.service import Binaries
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.features.sessions.models import RunRecord, Session
from claude_code_mcp.features.sessions.rules.options import options
from claude_code_mcp.features.sessions.service.foreign import refuse_when_busy
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import Hooks, LiveSession
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.ids import RunId, uuid7
from claude_code_mcp.platform.claude.environment import for_run
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.hooks.block import Block
from claude_code_mcp.platform.claude.launch import plan
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.ipc.hook_token import kept_hook_token
from claude_code_mcp.platform.ipc.port import kept_port
from claude_code_mcp.platform.procs.errors import RunNotFound
from claude_code_mcp.platform.procs.models import RunSpec
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client
from claude_code_mcp.platform.vault import Vault

SHORT_OF_MEMORY_BYTES = 1024**3
SHORT_IDLE_S = 15.0
"""How long a process stays warm while less than a gigabyte of memory is free."""


class ClaudeLauncher:
    """Starts Claude Code for sessions, and finds it again."""

    def __init__(
        self,
        ledger: Ledger,
        runs: Runs,
        projects: Projects,
        binaries: Binaries,
        vault: Vault,
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self._runs = runs
        self._projects = projects
        self._binaries = binaries
        self._vault = vault
        self._settings = settings

    async def launch(self, session: Session, hooks: Hooks) -> LiveSession:
        """Start a process for `session` and note it, the note first.

        Raises:
            ClaudeCodeMcpError: it cannot be started; what was noted says so.
        """
        kept = self._vault.get(session.id)
        private: Mapping[str, Any] = kept.get("wish") or {}
        env = for_run(kept.get("env") or {}, private.get("env"))
        refuse_when_busy(session.conversation_id, env)
        binary = await self._binaries.chosen(env)
        record = RunRecord(id=RunId(uuid7()), session_id=session.id, created_at=stamp(self._ledger.clock.now()))
        spec, standing = await self._spec(session, record, private, env, str(binary.path))
        await self._ledger.begin(record, {"trusted": standing.trusted, "left_out": list(standing.left_out)})
        run = await self._runs.spawn(spec)
        live = LiveSession(run, record, self._ledger, Scrubber(env), hooks, self._settings.line_limit_bytes)
        pid = run.members.child.pid if run.members is not None else None
        await self._ledger.started(record, str(binary.path), binary.version or "", pid)
        return live

    async def _spec(
        self, session: Session, record: RunRecord, private: Mapping[str, Any], env: Mapping[str, str], binary: str
    ) -> tuple[RunSpec, Any]:
        project = Path(session.project_path)
        home = ClaudeHome.of(env)
        standing, distrust = await self._projects.launch_terms(project, env)
        files = self._runs.root.parent / "launch" / record.id
        wished = options(session, private, conversation(session, home), distrust)
        if self._settings.session_hooks:
            wished = replace(wished, settings=self._our_hooks().added_to(wished.settings))
        made = plan(wished, files)
        write_private(made.files)
        argv = (binary, *made.argv)
        return RunSpec(run_id=record.id, argv=argv, cwd=str(project), env=env), standing

    def _our_hooks(self) -> Block:
        directory = Path(self._settings.state_dir)
        return Block(kept_port(directory, self._settings.http_port), directory, kept_hook_token(directory))

    def attach(self, record: RunRecord, hooks: Hooks) -> LiveSession | None:
        """Return the hold on a run that an earlier daemon started, or None where no run of that id exists."""
        try:
            run = self._runs.attach(record.id)
        except RunNotFound:
            return None
        env = self._vault.get(record.session_id).get("env") or {}
        return LiveSession(run, record, self._ledger, Scrubber(env), hooks, self._settings.line_limit_bytes)

    def forget(self, record: RunRecord) -> None:
        """The run is over: take away what it was started with."""
        shutil.rmtree(self._runs.root.parent / "launch" / record.id, ignore_errors=True)

    def idle_s(self, session: Session) -> float:
        """Return how many seconds a session's process may stay warm now."""
        wished = session.launch.get("idle_s")
        idle_s = self._settings.session_idle_s if wished is None else float(wished)
        short = psutil.virtual_memory().available < SHORT_OF_MEMORY_BYTES
        return min(idle_s, SHORT_IDLE_S) if short else idle_s

    def timeout_s(self, session: Session) -> float:
        """Return how many seconds a busy period of a session may take."""
        wished = session.launch.get("timeout_s")
        if wished is not None:
            return float(wished)
        env = self._vault.get(session.id).get("env") or {}
        return for_client(self._settings, env).session_timeout_ms / 1000


def conversation(session: Session, home: ClaudeHome) -> dict[str, Any]:
    """Return which history the next process goes on with: none, the session's own, or a copy of another's."""
    if home.find_transcript(session.conversation_id) is not None:
        return {"resume": session.conversation_id}
    origin = session.launch.get("fork_from")
    if origin is None:
        return {"session_id": session.conversation_id}
    return {
        "resume": origin["conversation"],
        "fork": True,
        "resume_at": origin.get("at"),
        "session_id": session.conversation_id,
    }


def write_private(files: Mapping[Path, bytes]) -> None:
    """Write the files of a launch, readable by us alone."""
    for path, content in files.items():
        path.parent.parent.mkdir(mode=0o700, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)

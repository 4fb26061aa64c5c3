"""An answer `always` makes Claude Code write a rule into the project. That is the user's own wish, so trust goes on."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.approvals.models import Approval
from claude_code_mcp.features.projects.service import Projects, Snapshot
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.tasks import Tasks

WRITTEN_S = 30.0
"""How long the tool may take after which the rule has been written at the latest."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Before:
    """A trusted project as it was before the answer, and whose trust it is."""

    project: Path
    env: Mapping[str, str]
    snapshot: Snapshot


class TrustKeeper:
    """Renews the trust of a project whose only change is the rule that was just allowed."""

    def __init__(self, sessions: Sessions, projects: Projects, tasks: Tasks) -> None:
        self._sessions = sessions
        self._projects = projects
        self._tasks = tasks

    async def before(self, session_id: SessionId, env: Mapping[str, str]) -> Before | None:
        """Look at the session's project; None where there is no trust to keep."""
        project = self._sessions.project_of(session_id)
        snapshot = await self._projects.snapshot(project, env)
        return Before(project, env, snapshot) if snapshot is not None else None

    def after(self, before: Before, approval: Approval) -> None:
        """Renew the trust once the tool of the answered question has run."""
        self._tasks.start(f"keep trust {approval.id}", self._renew(before, approval))

    async def _renew(self, before: Before, approval: Approval) -> None:
        try:
            async with asyncio.timeout(WRITTEN_S):
                await self._sessions.tool_over(approval.session_id, approval.tool_use_id or "")
        except TimeoutError:
            log.info("the rule of %s may not be written yet", approval.id)
        await self._projects.renew(before.project, before.env, before.snapshot)

"""Telling a session what became of its job, once, however often the daemon is killed meanwhile."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol

from claude_code_mcp.features.jobs.errors import JobNotFound
from claude_code_mcp.features.jobs.events import JobTold
from claude_code_mcp.features.jobs.models import Job, Telling
from claude_code_mcp.features.jobs.rules.telling import message
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.sessions.models import SendMessage
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Conflict
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.ids import JobId
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.tasks import Tasks
from claude_code_mcp.platform.vault import Vault

_NAMES = uuid.UUID("4f0f8f3c-6b1c-5d3e-9a44-1d6f5a2c7be0")
"""The namespace of message ids."""
STORE_S = 1.0
log = logging.getLogger(__name__)


class Messenger(Protocol):
    """Takes a message for a session (`Sessions`)."""

    async def send(self, wish: SendMessage, caller: Caller) -> object:
        """Send it; the same message id is never run twice."""
        ...


class Alerts:
    """Delivers what jobs have to tell."""

    def __init__(self, book: Book, sessions: Messenger, vault: Vault, tasks: Tasks) -> None:
        self._book = book
        self._sessions = sessions
        self._vault = vault
        self._tasks = tasks
        self._delivering: dict[JobId, asyncio.Task[None]] = {}

    def recall(self) -> None:
        """Tell what an earlier daemon had still to tell, of jobs that are over too."""
        for job in self._book.untold():
            self.look(job.id)

    def look(self, job_id: JobId) -> None:
        """See whether the job has something to tell, and tell it in the background."""
        if job_id in self._delivering:
            return
        try:
            job = self._book.job(job_id)
        except JobNotFound:
            return
        if job.untold and job.session_id is not None:
            self._delivering[job_id] = self._tasks.start(f"alerts of {job_id}", self._deliver(job_id))

    async def _deliver(self, job_id: JobId) -> None:
        try:
            # Asked anew each time: what is added after this says no word for itself while we are at it.
            while (job := self._book.job(job_id)).untold:
                try:
                    await self._tell(job, job.untold[0])
                except StoreUnavailable:
                    await asyncio.sleep(STORE_S)
        except JobNotFound:
            return
        finally:
            del self._delivering[job_id]

    async def _tell(self, job: Job, telling: Telling) -> None:
        # The id is the same however often it is tried: a session runs a message once.
        wish = SendMessage(
            session_id=str(job.session_id),
            prompt=message(job, telling),
            message_id=str(uuid.uuid5(_NAMES, f"{job.id}:{telling.key}")),
        )
        env: Mapping[str, str] = self._vault.get(job.id).get("client_env") or {}
        error = ""
        try:
            await self._sessions.send(wish, Caller(cwd=job.cwd, surface=Surface.CLI, client="job alert", env=env))
        except Conflict as exc:
            error = "" if exc.code == "message_id_taken" else exc.message  # it was told before we were killed
        except ClaudeCodeMcpError as exc:
            error = exc.message
        if error:
            log.warning("session %s cannot be told of job %s: %s", job.session_id, job.id, error)

        def note(found: Job) -> Sequence[Fact]:
            found.untold = [one for one in found.untold if one.key != telling.key]
            return [JobTold(job_id=found.id, to=str(found.session_id), about=telling.alert.value, error=error)]

        await self._book.change(job.id, note)

"""Background tasks of all kinds by one door: our jobs, and what Claude Code runs in the background of our sessions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from claude_code_mcp.features.jobs.errors import JobNotFound, TaskNotRestartable
from claude_code_mcp.features.jobs.models import (
    KillJob,
    ListJobs,
    ManageTasks,
    RestartJob,
    TailOutput,
    Task,
    Tasks,
)
from claude_code_mcp.features.jobs.rules.display import clean
from claude_code_mcp.features.jobs.service.jobs import Jobs
from claude_code_mcp.features.sessions.models import SessionProcess
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.home import task_output
from claude_code_mcp.platform.procs import excerpt
from claude_code_mcp.platform.procs.ring import Cut
from claude_code_mcp.platform.vault import Vault

KINDS: Mapping[str, str] = {"local_bash": "shell", "local_agent": "subagent"}
MOST_JOBS = 200
LOG_BYTES = 256 * 1024


class Backgrounds(Protocol):
    """Knows what runs in the background of sessions (`Sessions`)."""

    def processes(self) -> Sequence[SessionProcess]:
        """Return the process of each session that has one."""
        ...

    def background(self, session_id: str) -> Sequence[Mapping[str, Any]]:
        """Return what runs in its background."""
        ...

    def project_of(self, session_id: str) -> Path:
        """Return its folder."""
        ...

    async def stop_task(self, session_id: str, task_id: str) -> None:
        """Stop a task of it."""
        ...


class BackgroundTasks:
    """What the second document's `claude_background_tasks` does."""

    def __init__(self, jobs: Jobs, sessions: Backgrounds, vault: Vault) -> None:
        self._jobs = jobs
        self._sessions = sessions
        self._vault = vault

    async def manage(self, wish: ManageTasks, caller: Caller) -> Tasks:
        """List, stop, show or restart.

        Raises:
            JobNotFound: no task has this id.
            TaskNotRestartable: it is Claude Code's own.
        """
        if wish.action == "list":
            return Tasks(tasks=[*await self._job_tasks(), *self._claude_tasks()])
        if wish.task_id is None:
            raise Invalid(f"{wish.action} needs a task_id.", remedy='claude_background_tasks(action="list") has them.')
        if is_uuid(wish.task_id.lower()):
            return await self._of_job(wish, wish.task_id, caller)
        return await self._of_claude(wish, wish.task_id)

    async def _job_tasks(self) -> list[Task]:
        return [
            Task(
                task_id=job.job_id,
                kind="job",
                status=job.status,
                description=job.name or one_line(job.command, 200),
                session_id=job.session_id,
            )
            for job in (await self._jobs.list(ListJobs(limit=MOST_JOBS))).jobs
        ]

    def _claude_tasks(self) -> list[Task]:
        return [
            Task(
                task_id=str(task.get("task_id")),
                kind=KINDS.get(str(task.get("task_type")), str(task.get("task_type") or "task")),
                status="running",
                description=one_line(str(task.get("description") or ""), 200),
                session_id=process.session_id,
            )
            for process in self._sessions.processes()
            for task in self._sessions.background(process.session_id)
        ]

    async def _of_job(self, wish: ManageTasks, job_id: str, caller: Caller) -> Tasks:
        if wish.action == "logs":
            return Tasks(logs=(await self._jobs.tail(TailOutput(job_id=job_id, lines=wish.lines))).text())
        if wish.action == "stop":
            job = (await self._jobs.kill(KillJob(job_id=job_id), caller)).job
        else:
            job = await self._jobs.restart(RestartJob(job_id=job_id), caller)
        described = job.name or one_line(job.command, 200)
        return Tasks(tasks=[Task(task_id=job.job_id, kind="job", status=job.status, description=described)])

    async def _of_claude(self, wish: ManageTasks, task_id: str) -> Tasks:
        found = next((task for task in self._claude_tasks() if task.task_id == task_id), None)
        if found is None or found.session_id is None:
            raise JobNotFound(f"No background task {task_id[:40]!r} runs.", remedy="List them first.")
        if wish.action == "logs":
            return Tasks(logs=self._log(SessionId(found.session_id), task_id, wish.lines))
        if wish.action == "restart":
            raise TaskNotRestartable(
                f"{task_id} is a background task of Claude Code's own, which cannot be started again from outside.",
                remedy="Start the command as a job (job_execute), or ask the session to run it again.",
            )
        await self._sessions.stop_task(found.session_id, task_id)
        return Tasks(tasks=[found.model_copy(update={"status": "killed"})])

    def _log(self, session_id: SessionId, task_id: str, lines: int) -> str:
        env: Mapping[str, str] = self._vault.get(session_id).get("env") or {}
        path = task_output(env, self._sessions.project_of(session_id), session_id, task_id)
        try:
            with excerpt.opened(path) as fd:
                return clean(excerpt.tail(fd, lines, LOG_BYTES, Cut()).data)
        except OSError:
            return ""  # it has said nothing yet, or Claude Code keeps it elsewhere

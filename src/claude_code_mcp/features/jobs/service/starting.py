"""From a job to a process: what is run, with what, where, and how far it is confined."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from claude_code_mcp.features.jobs.errors import JobNotStarted, SandboxMissing
from claude_code_mcp.features.jobs.models import Job
from claude_code_mcp.features.jobs.rules import commands
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.ids import is_uuid
from claude_code_mcp.platform.procs.cgroups import Cgroups
from claude_code_mcp.platform.procs.errors import DiskLow, RunNotFound, SpawnFailed
from claude_code_mcp.platform.procs.models import Limits, OnExit, RunSpec, Sandbox, Stdin, TerminalSize
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.vault import Vault

GRACE_S = 5.0
REST_GRACE_S = 2.0
SECRET_PLACES = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker/config.json", ".netrc", ".npmrc", ".pypirc"),
    *(".config/gh", ".config/gcloud", ".git-credentials", ".claude/.credentials.json", ".password-store"),
)
"""Below the home directory: what a sandboxed job cannot read."""


class Starter:
    """Starts the processes of jobs, and finds them again."""

    def __init__(self, runs: Runs, vault: Vault, cgroups: Cgroups, state_dir: Path) -> None:
        self._runs = runs
        self._vault = vault
        self._cgroups = cgroups
        self._state_dir = state_dir

    async def spawn(self, job: Job, run_id: str) -> Run:
        """Start the process of a job's next attempt, under an id that is already noted.

        Raises:
            JobNotStarted: the machine cannot.
            SandboxMissing: it cannot be confined as was wished.
        """
        try:
            spec = self._confined(self._spec(job, run_id), job)
            run = await self._runs.spawn(spec)
        except (SpawnFailed, DiskLow) as exc:
            raise JobNotStarted(exc.message, remedy=exc.remedy, job_id=job.id) from exc
        self._check(job, run)
        return run

    def _check(self, job: Job, run: Run) -> None:
        failure = run.start_failure
        if failure is None:
            return
        if failure.stage == "confine":
            raise SandboxMissing(
                f"Job {job.id} was not started: {failure.message}.",
                remedy="`claude-code-mcp jobs capabilities` shows what this system can do; wish for less.",
                job_id=job.id,
            )
        raise _reason(job, failure.stage, failure.error, failure.message)

    def find(self, run_id: str) -> Run | None:
        """Return a run that was started, None where its files are gone."""
        try:
            return self._runs.attach(run_id)
        except RunNotFound:
            return None

    def hit_limit(self, run_id: str) -> str:
        """Return which limit of its control groups ended something in the run, "" for none."""
        return "it used up the memory that it may use" if self._cgroups.ran_out_of_memory(run_id) else ""

    def let_go(self, run: Run) -> None:
        """Remove the control groups of a run that is over, and close what is open of it."""
        self._cgroups.remove(run.run_id)
        run.close()

    def sweep_groups(self) -> None:
        """Remove the control groups of runs that ended without a daemon."""
        for run_id in self._cgroups.left():
            run = self.find(run_id) if is_uuid(run_id) else None
            if run is None or run.ended():
                self._cgroups.remove(run_id)

    def _spec(self, job: Job, run_id: str) -> RunSpec:
        kept = self._vault.get(job.id)
        env: Mapping[str, str] = kept.get("env") or {}
        shell = shutil.which("bash", path=env.get("PATH")) or "/bin/sh"
        on_terminal = job.rows is not None and job.cols is not None
        return RunSpec(
            run_id=run_id,
            argv=commands.argv(job.command, job.argv, shell),
            cwd=job.cwd,
            env={**env, **({"TERM": "xterm-256color"} if on_terminal else {})},
            stdin=_stdin(job, on_terminal=on_terminal),
            input=str(kept.get("stdin") or "").encode("utf-8", "surrogateescape"),
            on_exit=OnExit.WAIT if job.keep_rest else OnExit.END,
            grace_s=GRACE_S,
            rest_grace_s=REST_GRACE_S,
            pty=TerminalSize(rows=job.rows or 24, cols=job.cols or 80) if on_terminal else None,
        )

    def _confined(self, spec: RunSpec, job: Job) -> RunSpec:
        wish = job.confinement
        limits = Limits(**wish.limits) if wish.limits else None
        groups = self._cgroups.make(spec.run_id, limits) if limits is not None else {}
        level = Sandbox(wish.sandbox)
        if level not in {Sandbox.FS, Sandbox.FS_NET}:
            return replace(spec, limits=limits, cgroups=groups, sandbox=level)
        home = Path(spec.env.get("HOME") or "/nonexistent")
        return replace(
            spec,
            limits=limits,
            cgroups=groups,
            sandbox=level,
            writable=tuple(dict.fromkeys((job.cwd, *wish.writable))),
            hidden=(str(self._state_dir), *(str(home / place) for place in SECRET_PLACES), *wish.hidden),
        )


def _stdin(job: Job, *, on_terminal: bool) -> Stdin:
    if on_terminal:
        return Stdin.FIFO
    return {"open": Stdin.PIPE, "text": Stdin.FILE}.get(job.stdin, Stdin.NULL)


def _reason(job: Job, stage: str, error: str, message: str) -> ClaudeCodeMcpError:
    what = {
        "cwd": f"its directory {job.cwd} is gone or closed to you",
        "exec": f"{(job.argv or ['the shell'])[0]} cannot be run ({error or message})",
        "stopped": "it was ended before it ran",
    }.get(stage, message)
    return JobNotStarted(
        f"Job {job.id} was not started: {what}.",
        remedy="Check the command and the directory, then start it again.",
        job_id=job.id,
        stage=stage,
    )

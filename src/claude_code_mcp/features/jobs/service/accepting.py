"""From a wish to a job: where it runs, with what, whether it may; everything is checked before anything is kept."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from claude_code_mcp.features.jobs.errors import BadCommand, BadDirectory, CommandDenied, CommandNeedsConsent
from claude_code_mcp.features.jobs.events import JobAccepted, JobStarting
from claude_code_mcp.features.jobs.models import Confinement, ExecuteJob, Job, JobState, Policy, Readiness
from claude_code_mcp.features.jobs.rules import commands
from claude_code_mcp.features.jobs.rules.policy import Rule, Verdict, ruling
from claude_code_mcp.features.jobs.rules.states import begin, moved
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.ids import JobId, RunId, SessionId, is_uuid, uuid7
from claude_code_mcp.platform.claude.command_secrets import command_shown
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client
from claude_code_mcp.platform.vault import Vault

TITLE = 500
LIMITS = ("memory_bytes", "cpu_s", "processes", "file_bytes", "nice")


class Accepting:
    """Takes jobs on. `is_ours` tells whether a session is one that can be sent messages."""

    def __init__(self, book: Book, vault: Vault, settings: Settings, is_ours: Callable[[SessionId], bool]) -> None:
        self._is_ours = is_ours
        self._book = book
        self._vault = vault
        self._settings = settings

    async def accept(self, wish: ExecuteJob, caller: Caller) -> Job:
        """Check the wish and keep it as a job that is about to start.

        Raises:
            BadCommand, BadPattern, BadDirectory, CommandDenied, CommandNeedsConsent: it cannot or may not run.
            JobNotFound: it depends on a job that is not there.
            TooManyJobs: as many run as may.
        """
        settings = for_client(self._settings, caller.env)
        command = wish.command if wish.command and wish.command.strip() else None
        commands.argv(command, wish.argv, "/bin/sh")
        for text in (wish.match, wish.ready_log):
            if text:
                commands.pattern(text)
        self._permitted(command, wish, settings)
        if wish.alerts:
            self._can_be_told(_session(wish.session_id, caller.session))
        env = commands.environment(caller.env, wish.env, settings.extra_env)
        job = self._job(wish, command, self._directory(wish, caller), settings, caller)
        private = {"stdin": wish.stdin} if wish.stdin is not None else {}
        # A job that does not outlive the machine has no use for what it was to run with after that.
        self._vault.put(job.id, {"env": env, "client_env": dict(caller.env), **private}, durable=wish.after_reboot)
        title = one_line(command_shown(job.title), TITLE)
        facts: list[Fact] = [JobAccepted(job_id=job.id, title=title, cwd=job.cwd, name=job.name)]
        if not job.depends_on:  # one commit for both: nothing is left to wait for
            run_id = RunId(uuid7())
            job.state = moved(job.state, JobState.STARTING)
            begin(job, run_id, job.created_at)
            facts.append(JobStarting(job_id=job.id, run_id=run_id, attempt=job.attempt))
        try:
            await self._book.accept(job, facts, settings.jobs_max)
        except BaseException:
            self._vault.forget(job.id)
            raise
        return job

    def _can_be_told(self, session_id: SessionId | None) -> None:
        if session_id is None:
            raise Invalid("There is no session to tell.", remedy="Give session_id, or leave alerts out.")
        if not self._is_ours(session_id):
            raise Invalid(
                f"Session {session_id} was not started here, so it cannot be sent messages.",
                remedy="Leave alerts out and wait with job_wait, or run the session here (claude_resume).",
            )

    def most(self, caller: Caller) -> int:
        """Return how many jobs may run at once, as this caller sees it."""
        return for_client(self._settings, caller.env).jobs_max

    def _job(self, wish: ExecuteJob, command: str | None, cwd: str, settings: Settings, caller: Caller) -> Job:
        now = self._book.stamp()
        depends_on = [self._book.job(other).id for other in wish.depends_on]
        return Job(
            id=JobId(uuid7()),
            state=JobState.WAITING,
            created_at=now,
            updated_at=now,
            cwd=cwd,
            command=command,
            argv=[] if command else list(wish.argv),
            name=one_line(wish.name, 100),
            labels=dict(wish.labels),
            session_id=_session(wish.session_id, caller.session),
            client=caller.client or caller.surface.value,
            stdin=_stdin(wish),
            keep_rest=wish.keep_rest,
            rows=wish.rows if wish.pty else None,
            cols=wish.cols if wish.pty else None,
            timeout_s=wish.timeout_s if wish.timeout_s is not None else settings.job_timeout_s,
            output_limit_bytes=wish.output_limit_bytes or settings.job_output_limit_bytes,
            readiness=Readiness(
                log=wish.ready_log, port=wish.ready_port, http=wish.ready_http, timeout_s=wish.ready_timeout_s
            ),
            depends_on=depends_on,
            restart=Policy(
                when=wish.restart,
                attempts=wish.restart_attempts,
                pause_s=wish.restart_pause_s,
                after_reboot=wish.after_reboot,
            ),
            alerts=list(dict.fromkeys(wish.alerts)),
            match=wish.match,
            confinement=_confinement(wish, settings),
            pinned=wish.pin,
        )

    def _permitted(self, command: str | None, wish: ExecuteJob, settings: Settings) -> None:
        found = ruling(command or "", wish.argv, rules(settings.job_policy))
        if found.verdict is Verdict.DENY:
            raise CommandDenied(
                f"The policy denies `{command_shown(found.command)}` (rule `{found.rule}`).",
                remedy="Run something else; the owner of this machine may change job_policy.",
                rule=found.rule,
            )
        if found.verdict is Verdict.ASK and not wish.consent:
            raise CommandNeedsConsent(
                f"The policy wants a person's consent to `{command_shown(found.command)}` (rule `{found.rule}`).",
                remedy="Ask your user; if they agree, call again with consent=true.",
                rule=found.rule,
            )

    def _directory(self, wish: ExecuteJob, caller: Caller) -> str:
        named = wish.project_path
        if named is not None and "\0" in named:
            raise BadDirectory("The directory's name holds a NUL character.", remedy="Name one without.")
        path = Path(caller.cwd or "/") / Path(named).expanduser() if named else Path(caller.cwd or "/")
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError) as exc:
            raise BadDirectory(
                f"There is no directory {str(path)[:300]}.",
                remedy="Make it first, or name another.",
                path=str(path)[:300],
            ) from exc
        if not real.is_dir() or not os.access(real, os.X_OK):
            raise BadDirectory(
                f"{str(real)[:300]} is not a directory that you may enter.",
                remedy="Name another one.",
                path=str(real)[:300],
            )
        return str(real)


def rules(words: Sequence[str]) -> list[Rule]:
    """Return the policy that a setting spells: `allow(…)`, `ask(…)` and `deny(…)`.

    Raises:
        Invalid: a word is none of these.
    """
    found: list[Rule] = []
    for word in words:
        verdict, _, rest = word.partition("(")
        if verdict not in set(Verdict) or not rest.endswith(")"):
            raise Invalid(f"job_policy: {word[:80]!r} is no rule.", remedy="Write allow(…), ask(…) or deny(…).")
        found.append(Rule(rest[:-1], Verdict(verdict)))
    return found


def _session(named: str | None, around: str) -> SessionId | None:
    """Return the session that a job belongs to: the one that was named, else the one that its client is."""
    if named is None:
        return SessionId(around.lower()) if is_uuid(around.lower()) else None
    if not is_uuid(named.lower()):
        raise Invalid(f"{named[:40]!r} is not a session id.", remedy="session_list shows them.")
    return SessionId(named.lower())


def _stdin(wish: ExecuteJob) -> str:
    if wish.stdin is not None:
        if wish.pty or wish.no_stdin:
            raise BadCommand("`stdin` goes with neither pty nor no_stdin.", remedy="Send input with job_interact.")
        return "text"
    return "none" if wish.no_stdin else "open"


def _confinement(wish: ExecuteJob, settings: Settings) -> Confinement:
    limits: Mapping[str, int | None] = {name: getattr(wish, name) for name in LIMITS}
    asked = {name: value for name, value in limits.items() if value is not None}
    sandbox = wish.sandbox or settings.job_sandbox
    relative = [path for path in wish.writable if not path.startswith("/")]
    if relative:
        raise Invalid(f"writable: {relative[0][:200]!r} is not an absolute path.", remedy="Name it from the root.")
    return Confinement(
        sandbox="limits" if asked and sandbox == "none" else sandbox, writable=list(wish.writable), limits=asked
    )

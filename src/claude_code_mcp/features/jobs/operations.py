"""What the world may ask of jobs."""

from typing import Protocol

from claude_code_mcp.features.jobs.errors import (
    BadCommand,
    BadDirectory,
    BadKeys,
    BadPattern,
    CommandDenied,
    CommandNeedsConsent,
    JobAlive,
    JobHasNoTerminal,
    JobNotFound,
    JobOver,
    JobTakesNoInput,
    TaskNotRestartable,
    TooManyJobs,
)
from claude_code_mcp.features.jobs.models import (
    Capabilities,
    ExecuteJob,
    InteractJob,
    JobHandle,
    JobInfo,
    JobKilled,
    JobList,
    JobMatches,
    JobOutput,
    JobsRemoved,
    JobWaited,
    KillJob,
    ListJobs,
    ManageTasks,
    PinJob,
    ReadOutput,
    RemoveJob,
    RestartJob,
    SearchOutput,
    ShowCapabilities,
    ShowJob,
    SignalJob,
    TailOutput,
    Tasks,
    WaitJob,
)
from claude_code_mcp.features.jobs.service import BackgroundTasks, Jobs
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation

DROP_IN = "background-job"
"""The profile with the seven bare names of the background-job server."""
PUBLISHED = "mcp-background-job"
"""The same under the names that the published package of that server has."""
APART = (Surface.CLI, Surface.HTTP)
"""For people and scripts; a model does with the others, and each tool costs it tokens."""


class Context(Protocol):
    """What these operations need."""

    @property
    def jobs(self) -> Jobs:
        """Jobs."""
        ...

    @property
    def background_tasks(self) -> BackgroundTasks:
        """Jobs and Claude Code's own background tasks."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "jobs.execute",
    tool="job_execute",
    effect=Effect.WRITE,
    raises=(*(BadCommand, BadDirectory, BadPattern, CommandDenied, CommandNeedsConsent, JobNotFound, TooManyJobs),),
    hints=Hints(
        profiles={DROP_IN: "execute", PUBLISHED: "execute_command"},
        cli=("jobs", "run"),
        positional=("command",),
        shown=("command", "project_path", "wait_s", "ready_port"),
        open_world=True,
        search="run start shell command background dev server process",
        examples=(
            "claude-code-mcp jobs run 'npm run dev' --name web --ready-port 5173",
            "claude-code-mcp jobs run 'pytest -x | tee log' --wait-s 60 --json",
            "claude-code-mcp jobs run --argv python3 --argv -i --pty",
        ),
    ),
)
async def execute(ctx: Context, wish: ExecuteJob) -> JobHandle:
    """Run a shell command in the background: returns a job_id at once, or its end if it comes within wait_s.

    It goes on when you leave, and when this program is restarted. Its whole tree of processes is ended with it.
    """
    return await ctx.jobs.execute(wish, ctx.caller)


@operation(
    "jobs.list",
    tool="job_list",
    effect=Effect.READ,
    hints=Hints(profiles={DROP_IN: "list", PUBLISHED: "list_jobs"}, search="background processes running"),
)
async def list_(ctx: Context, wish: ListJobs) -> JobList:
    """List background jobs, the newest first."""
    return await ctx.jobs.list(wish)


@operation(
    "jobs.status",
    tool="job_status",
    effect=Effect.READ,
    raises=(JobNotFound,),
    hints=Hints(
        profiles={DROP_IN: "status", PUBLISHED: "get_job_status"}, cli=("jobs", "show"), positional=("job_id",)
    ),
)
async def status(ctx: Context, wish: ShowJob) -> JobInfo:
    """Show one background job: state, exit code, output sizes, what it uses."""
    return await ctx.jobs.status(wish)


@operation(
    "jobs.output",
    tool="job_output",
    effect=Effect.READ,
    raises=(JobNotFound,),
    hints=Hints(
        profiles={DROP_IN: "output", PUBLISHED: "get_job_output"},
        positional=("job_id",),
        shown=("job_id", "cursor", "stream", "wait_s"),
        search="logs stdout stderr",
        max_result_chars=200_000,
    ),
)
async def output(ctx: Context, wish: ReadOutput) -> JobOutput:
    """Read a job's output from a cursor on; with wait_s it waits for more."""
    return await ctx.jobs.output(wish)


@operation(
    "jobs.tail",
    tool="job_tail",
    effect=Effect.READ,
    raises=(JobNotFound,),
    hints=Hints(
        profiles={DROP_IN: "tail", PUBLISHED: "tail_job_output"},
        positional=("job_id",),
        shown=("job_id", "lines"),
        search="logs last lines",
        max_result_chars=200_000,
    ),
)
async def tail(ctx: Context, wish: TailOutput) -> JobOutput:
    """Read the last lines of a job's output."""
    return await ctx.jobs.tail(wish)


@operation(
    "jobs.search",
    tool="job_search",
    surfaces=APART,
    effect=Effect.READ,
    raises=(JobNotFound, BadPattern),
    hints=Hints(positional=("job_id", "pattern"), shown=("job_id", "pattern"), search="grep logs find"),
)
async def search(ctx: Context, wish: SearchOutput) -> JobMatches:
    """Search in a job's output with a regular expression."""
    return await ctx.jobs.search(wish)


@operation(
    "jobs.interact",
    tool="job_interact",
    effect=Effect.WRITE,
    raises=(JobNotFound, JobOver, JobTakesNoInput, JobHasNoTerminal, BadKeys),
    hints=Hints(
        profiles={DROP_IN: "interact", PUBLISHED: "interact_with_job"},
        cli=("jobs", "send"),
        positional=("job_id", "input"),
        shown=("job_id", "input", "keys", "eof", "wait_s"),
        search="stdin type keys input",
        examples=(
            "claude-code-mcp jobs send 0197… 'print(6 * 7)'",
            "claude-code-mcp jobs send 0197… --keys ctrl-c",
        ),
    ),
)
async def interact(ctx: Context, wish: InteractJob) -> JobOutput:
    """Send a job text, keys or the end of its input, and return what it says then."""
    return await ctx.jobs.interact(wish)


@operation(
    "jobs.wait",
    tool="job_wait",
    effect=Effect.READ,
    raises=(JobNotFound, BadPattern),
    hints=Hints(positional=("job_id",), shown=("job_id", "until", "pattern", "wait_s"), task=True),
)
async def wait(ctx: Context, wish: WaitJob) -> JobWaited:
    """Wait until a job ends, is ready, prints a line that fits, or a port listens."""
    return await ctx.jobs.wait(wish)


@operation(
    "jobs.kill",
    tool="job_kill",
    effect=Effect.DESTROY,
    raises=(JobNotFound,),
    hints=Hints(
        profiles={DROP_IN: "kill", PUBLISHED: "kill_job"},
        positional=("job_id",),
        shown=("job_id",),
        idempotent=True,
        search="stop end terminate",
    ),
)
async def kill(ctx: Context, wish: KillJob) -> JobKilled:
    """End a job with all its processes, and see that they are gone."""
    return await ctx.jobs.kill(wish, ctx.caller)


@operation(
    "jobs.restart",
    tool="job_restart",
    effect=Effect.WRITE,
    raises=(JobNotFound,),
    hints=Hints(positional=("job_id",), shown=("job_id",)),
)
async def restart(ctx: Context, wish: RestartJob) -> JobInfo:
    """Start a job again with the same command, ending it first where it runs."""
    return await ctx.jobs.restart(wish, ctx.caller)


@operation(
    "jobs.signal",
    tool="job_signal",
    surfaces=APART,
    effect=Effect.WRITE,
    raises=(JobNotFound, JobOver),
    hints=Hints(positional=("job_id", "signal")),
)
async def signal(ctx: Context, wish: SignalJob) -> JobInfo:
    """Send a signal to a job's main process."""
    return await ctx.jobs.signal(wish)


@operation(
    "jobs.remove",
    tool="job_rm",
    surfaces=APART,
    effect=Effect.DESTROY,
    raises=(JobNotFound, JobAlive),
    hints=Hints(cli=("jobs", "rm"), positional=("job_id",)),
)
async def remove(ctx: Context, wish: RemoveJob) -> JobsRemoved:
    """Delete an ended job with its output, or all ended ones."""
    return await ctx.jobs.remove(wish, ctx.caller)


@operation(
    "jobs.pin",
    tool="job_pin",
    surfaces=APART,
    effect=Effect.WRITE,
    raises=(JobNotFound,),
    hints=Hints(positional=("job_id",), idempotent=True),
)
async def pin(ctx: Context, wish: PinJob) -> JobInfo:
    """Keep an ended job from being cleaned away."""
    return await ctx.jobs.pin(wish)


@operation(
    "jobs.manage",
    tool="claude_background_tasks",
    effect=Effect.DESTROY,
    raises=(JobNotFound, TaskNotRestartable),
    hints=Hints(
        cli=("jobs", "tasks"), positional=("action", "task_id"), search="background tasks dev servers watchers"
    ),
)
async def manage(ctx: Context, wish: ManageTasks) -> Tasks:
    """Background tasks, our jobs and Claude Code's own alike: list, stop, logs or restart."""
    return await ctx.background_tasks.manage(wish, ctx.caller)


@operation(
    "jobs.capabilities",
    tool="job_capabilities",
    surfaces=APART,
    effect=Effect.READ,
    hints=Hints(search="sandbox limits"),
)
async def capabilities(ctx: Context, wish: ShowCapabilities) -> Capabilities:  # noqa: ARG001 - every operation has a request
    """Show what this system can limit and confine for jobs."""
    return ctx.jobs.capabilities()


OPERATIONS = (
    *(execute, list_, status, output, tail, search, interact, wait, kill),
    *(restart, signal, remove, pin, manage, capabilities),
)

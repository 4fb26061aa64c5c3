"""What the world may ask of sessions."""

from typing import Protocol

from claude_code_mcp.features.binaries.errors import BinaryNotFound
from claude_code_mcp.features.projects.errors import ProjectNotADirectory, ProjectNotFound
from claude_code_mcp.features.sessions.errors import (
    BadPrompt,
    ClaudeUnresponsive,
    ControlRefused,
    EmptyPrompt,
    MessageKnown,
    SessionBusyElsewhere,
    SessionNotFound,
    SessionNotRunning,
)
from claude_code_mcp.features.sessions.models import (
    AbortSession,
    Answer,
    AskSession,
    Changed,
    EventPage,
    ForkSession,
    ListSessions,
    MessageHandle,
    PlanSession,
    ReadEvents,
    ResumeSession,
    SendMessage,
    SessionHandle,
    SessionInfo,
    SessionList,
    SetSession,
    ShowSession,
    StartSession,
    Stopped,
    Waited,
    WaitSession,
)
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation

_START = (ProjectNotFound, ProjectNotADirectory, EmptyPrompt, BadPrompt, BinaryNotFound)
_KNOWN = (SessionNotFound, SessionBusyElsewhere)
_TALK = (ClaudeUnresponsive, ControlRefused)


class Context(Protocol):
    """What these operations need."""

    @property
    def sessions(self) -> Sessions:
        """Sessions."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "sessions.start",
    tool="execute_claude",
    effect=Effect.WRITE,
    raises=(*_START, *_KNOWN),
    hints=Hints(
        core=True,
        shown=("prompt", "project_path", "model", "permission_mode", "allowed_tools"),
        positional=("prompt",),
        open_world=True,
        search="run start claude code session background task",
        examples=(
            "claude-code-mcp sessions start 'Fix the failing test' --project-path ~/code/app",
            "claude-code-mcp sessions start 'Write docs' --model sonnet --permission-mode acceptEdits --json",
        ),
    ),
)
async def start(ctx: Context, wish: StartSession) -> SessionHandle:
    """Start Claude Code on a project in the background; returns a session_id at once."""
    if not wish.background:
        answer = await ctx.sessions.ask(AskSession(**wish.model_dump()), ctx.caller)
        return SessionHandle(
            session_id=answer.session_id, status=answer.status, cursor=answer.cursor, notes=[answer.text()]
        )
    return await ctx.sessions.start(wish, ctx.caller)


@operation(
    "sessions.ask",
    tool="claude_ask",
    effect=Effect.WRITE,
    raises=(*_START, *_KNOWN),
    hints=Hints(
        cli=("ask",),
        core=True,
        shown=("prompt", "project_path", "session_id", "wait_s"),
        like="execute_claude",
        positional=("prompt",),
        open_world=True,
        asks=True,
        task=True,
        search="ask claude code wait answer run prompt",
        examples=(
            "claude-code-mcp ask 'What does this repository do?'",
            "claude-code-mcp ask 'And its tests?' --session-id 0197… --wait-s 300",
        ),
    ),
)
async def ask(ctx: Context, wish: AskSession) -> Answer:
    """Ask Claude Code: start or continue a session and wait for its answer, else get the handle."""
    return await ctx.sessions.ask(wish, ctx.caller)


@operation(
    "sessions.plan",
    tool="claude_plan",
    effect=Effect.WRITE,
    raises=(*_START, *_KNOWN),
    hints=Hints(
        cli=("plan",),
        core=True,
        shown=("prompt", "project_path", "session_id", "wait_s"),
        like="execute_claude",
        positional=("prompt",),
        open_world=True,
        asks=True,
        task=True,
        search="plan mode read only strategy",
        examples=("claude-code-mcp plan 'Move authentication to OAuth' --project-path ~/code/app",),
    ),
)
async def plan(ctx: Context, wish: PlanSession) -> Answer:
    """Let Claude Code plan without changing anything; returns the plan and how to carry it out."""
    return await ctx.sessions.plan(wish, ctx.caller)


@operation(
    "sessions.resume",
    tool="claude_resume",
    effect=Effect.WRITE,
    raises=(*_KNOWN, *_TALK, EmptyPrompt, BadPrompt),
    hints=Hints(
        cli=("resume",),
        core=True,
        shown=("session_id", "prompt", "wait_s"),
        like="execute_claude",
        positional=("session_id", "prompt"),
        open_world=True,
        asks=True,
        task=True,
        search="continue session go on",
        examples=("claude-code-mcp resume 0197… 'Now the tests' --wait-s 600",),
    ),
)
async def resume(ctx: Context, wish: ResumeSession) -> Answer:
    """Resume a session, ours or anybody's, also after a crash; optionally with the next message."""
    return await ctx.sessions.resume(wish, ctx.caller)


@operation(
    "sessions.send",
    tool="session_send",
    effect=Effect.WRITE,
    raises=(*_KNOWN, EmptyPrompt, BadPrompt, MessageKnown),
    hints=Hints(
        core=True,
        shown=("session_id", "prompt", "steering"),
        positional=("session_id", "prompt"),
        open_world=True,
        search="steer message running turn queue",
        examples=("claude-code-mcp sessions send 0197… 'Leave the lock file alone' --steering next",),
    ),
)
async def send(ctx: Context, wish: SendMessage) -> MessageHandle:
    """Send a message to a session: steer the running turn or queue the next one."""
    return await ctx.sessions.send(wish, ctx.caller)


@operation(
    "sessions.wait",
    tool="session_wait",
    effect=Effect.READ,
    raises=(SessionNotFound,),
    hints=Hints(
        core=True,
        shown=("session_id", "cursor", "until", "wait_s"),
        positional=("session_id",),
        asks=True,
        task=True,
        max_result_chars=100_000,
        search="long poll until idle result approval event",
        examples=("claude-code-mcp sessions wait 0197… --until result --wait-s 600",),
    ),
)
async def wait(ctx: Context, wish: WaitSession) -> Waited:
    """Wait until a session is idle, asks something, or anything happens; returns events after the cursor."""
    return await ctx.sessions.wait(wish, ctx.caller)


@operation(
    "sessions.events",
    tool="session_events",
    effect=Effect.READ,
    raises=(SessionNotFound,),
    hints=Hints(
        positional=("session_id",),
        max_result_chars=200_000,
        search="history log transcript tool calls messages",
        examples=("claude-code-mcp sessions events 0197… --kinds tool.failed --detail full --json",),
    ),
)
async def events(ctx: Context, wish: ReadEvents) -> EventPage:
    """Read a session's events after a cursor, as lines or in full."""
    return ctx.sessions.events(wish)


@operation(
    "sessions.status",
    tool="session_status",
    effect=Effect.READ,
    raises=(SessionNotFound,),
    hints=Hints(
        core=True,
        positional=("session_id",),
        search="status state cost progress",
        examples=("claude-code-mcp sessions status 0197…",),
    ),
)
async def status(ctx: Context, wish: ShowSession) -> SessionInfo:
    """Show a session: state, what it waits for, last event, result, cost."""
    return await ctx.sessions.show(wish.session_id, ctx.caller)


@operation(
    "sessions.list",
    tool="session_list",
    effect=Effect.READ,
    hints=Hints(
        core=True,
        shown=("scope", "project_path"),
        search="list find active live past sessions project",
        examples=("claude-code-mcp sessions list --scope live", "claude-code-mcp sessions list --text login --json"),
    ),
)
async def list_(ctx: Context, wish: ListSessions) -> SessionList:
    """List sessions: ours, all live ones on this machine, or past ones too."""
    return await ctx.sessions.list(wish, ctx.caller)


@operation(
    "sessions.abort",
    tool="claude_abort",
    effect=Effect.DESTROY,
    raises=(SessionNotFound, SessionNotRunning, *_TALK),
    hints=Hints(
        core=True,
        positional=("session_id",),
        idempotent=True,
        search="stop cancel interrupt kill",
        examples=("claude-code-mcp sessions abort 0197… --mode stop",),
    ),
)
async def abort(ctx: Context, wish: AbortSession) -> Stopped:
    """Interrupt the turn, stop the process in good order, or kill it; the session stays resumable."""
    return await ctx.sessions.abort(wish)


@operation(
    "sessions.fork",
    tool="session_fork",
    effect=Effect.WRITE,
    raises=(*_KNOWN, EmptyPrompt, BadPrompt),
    hints=Hints(
        positional=("session_id", "prompt"),
        open_world=True,
        search="copy branch conversation",
        examples=("claude-code-mcp sessions fork 0197… 'Try it with SQLite instead'",),
    ),
)
async def fork(ctx: Context, wish: ForkSession) -> SessionHandle:
    """Fork a session into a new one, whole or cut after a message; the original stays as it is."""
    return await ctx.sessions.fork(wish, ctx.caller)


@operation(
    "sessions.set",
    tool="session_set",
    effect=Effect.WRITE,
    raises=(*_KNOWN, *_TALK),
    hints=Hints(
        positional=("session_id",),
        idempotent=True,
        search="change model permission mode title labels",
        examples=("claude-code-mcp sessions set 0197… --model opus --title 'Login rewrite'",),
    ),
)
async def set_(ctx: Context, wish: SetSession) -> Changed:
    """Change a session's model, permission mode, title, priority or labels, also while it runs."""
    return await ctx.sessions.set(wish, ctx.caller)


OPERATIONS = (start, ask, plan, resume, send, wait, events, status, list_, abort, fork, set_)

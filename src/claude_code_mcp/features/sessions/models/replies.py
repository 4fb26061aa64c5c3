"""What the world is told about sessions."""

from typing import Any

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply

BYPASS = "bypassPermissions"
CLAUDE_FAILED = 10
"""What a command line ends with when Claude's own answer is an error."""


class Need(Reply):
    """Something that waits for a person."""

    approval_id: str
    """Id for approval_answer."""
    kind: str
    """permission, question or plan."""
    tool: str
    """The tool that asks."""
    summary: str
    """What it wants, in one line."""

    def text(self) -> str:
        """Return one line with the call that answers it."""
        return (
            f"WAITS: {self.kind} for {self.tool}: {self.summary}\n"
            f'  answer with approval_answer(approval_id="{self.approval_id}", decision="allow"|"deny")'
        )


class SessionHandle(Reply):
    """What you need to follow a session."""

    session_id: str
    """The session."""
    run_id: str | None = None
    """The process that serves it now or next."""
    status: str
    """State of the session."""
    cursor: int
    """Give this to session_wait or session_events."""
    message_id: str | None = None
    """The message that was sent."""
    queue_place: int | None = None
    """Place in the queue, 1 is next."""
    notes: list[str] = Field(default_factory=list)
    """What was left out, and how to change that."""

    def text(self) -> str:
        """Return the handle and the next calls."""
        place = f" (place {self.queue_place} in the queue)" if self.queue_place else ""
        head = f"session_id: {self.session_id}\nstatus: {self.status}{place}\ncursor: {self.cursor}"
        run = f"\nrun_id: {self.run_id}" if self.run_id else ""
        notes = "".join(f"\nnote: {note}" for note in self.notes)
        after = "next: session_wait(session_id, cursor) waits for the answer; claude_abort stops it."
        return f"{head}{run}{notes}\n{after}"


class Outcome(Reply):
    """How a turn ended."""

    ok: bool
    """False when Claude Code reports an error."""
    subtype: str
    """Claude Code's own word: success, error_max_turns, error_during_execution …"""
    answer: str | None = None
    """The final text."""
    structured_output: Any | None = None
    """The answer that fits json_schema, where one was asked for."""
    errors: list[str] = Field(default_factory=list)
    """What went wrong."""
    turns: int = 0
    """Model calls of the turn."""
    duration_ms: int = 0
    """Milliseconds of the turn."""
    cost_microusd: int = 0
    """Cost of the whole session so far in millionths of a US dollar."""
    denials: int = 0
    """Tool calls that were denied."""

    def text(self) -> str:
        """Return the answer first, then how it went."""
        parts = [self.answer or ("(no text)" if self.ok else "")]
        if not self.ok:
            why = f": {'; '.join(self.errors)}" if self.errors else ""
            parts.append(f"FAILED ({self.subtype}){why}")
        if self.structured_output is not None:
            parts.append(f"structured_output: {self.structured_output}")
        parts.append(f"[{self.turns} model calls, {self.duration_ms / 1000:.1f} s, {dollars(self.cost_microusd)}]")
        return "\n".join(part for part in parts if part)


class Answer(Reply):
    """The answer, or what to do to get it."""

    session_id: str
    """The session."""
    status: str
    """State of the session."""
    cursor: int
    """Give this to session_wait."""
    outcome: Outcome | None = None
    """The turn's end; missing while it still runs."""
    needs: list[Need] = Field(default_factory=list)
    """What waits for a person."""
    last: str | None = None
    """What happened last, while it still runs."""
    plan: str | None = None
    """The plan, after claude_plan."""
    notes: list[str] = Field(default_factory=list)
    """What was left out, and how to change that."""

    @property
    def exit_code(self) -> int:
        """10 where the turn ended with an error of Claude's."""
        return CLAUDE_FAILED if self.outcome is not None and not self.outcome.ok else 0

    def text(self) -> str:
        """Return the answer, or the handle and the next calls."""
        lines: list[str] = []
        if self.plan:
            call = f'claude_resume(session_id="{self.session_id}", permission_mode="acceptEdits", prompt="Do it.")'
            lines += [self.plan, f"To carry it out: {call}"]
        elif self.outcome is not None:
            lines.append(self.outcome.text())
        else:
            lines.append(f"Still {self.status}." + (f" Last: {self.last}" if self.last else ""))
        lines += [need.text() for need in self.needs]
        lines.append(f"session_id: {self.session_id}\nstatus: {self.status}\ncursor: {self.cursor}")
        if self.outcome is None:
            lines.append("next: session_wait(session_id, cursor)")
        return "\n".join(lines + [f"note: {note}" for note in self.notes])


class EventPage(Reply):
    """Events after a cursor."""

    session_id: str
    """The session."""
    cursor: int
    """Go on from here."""
    more: bool
    """More events are there already."""
    events: list[dict[str, Any]] = Field(default_factory=list)
    """Events, oldest first; in compact detail without payload."""
    lines: list[str] = Field(default_factory=list)
    """The same as one line each."""

    def text(self) -> str:
        """Return the lines and the cursor."""
        more = " (more)" if self.more else ""
        return "\n".join([*self.lines, f"cursor: {self.cursor}{more}"])


class Waited(EventPage):
    """What a wait brought."""

    status: str
    """State of the session."""
    reached: bool
    """False when the time was up first."""
    needs: list[Need] = Field(default_factory=list)
    """What waits for a person."""
    outcome: Outcome | None = None
    """The last turn's end, when the session is at rest."""

    @property
    def exit_code(self) -> int:
        """10 where the turn ended with an error of Claude's."""
        return CLAUDE_FAILED if self.outcome is not None and not self.outcome.ok else 0

    def text(self) -> str:
        """Return what happened, what waits, the answer, and the cursor."""
        parts = list(self.lines) + [need.text() for need in self.needs]
        if self.outcome is not None:
            parts.append(self.outcome.text())
        more = " (more events are there)" if self.more else ""
        parts.append(f"status: {self.status}\ncursor: {self.cursor}{more}")
        if not self.reached:
            parts.append("The wait was too short; call session_wait again with this cursor.")
        return "\n".join(parts)


class MessageHandle(Reply):
    """A message that was taken."""

    session_id: str
    """The session."""
    message_id: str
    """The message; sending the same id again does nothing."""
    status: str
    """State of the session."""
    cursor: int
    """Give this to session_wait."""
    known: bool = False
    """This id had been sent before."""


class SessionInfo(Reply):
    """One session."""

    session_id: str
    """The session."""
    project_path: str
    """Its folder."""
    status: str
    """Its state."""
    ours: bool = True
    """Started or adopted by this program."""
    live: bool = False
    """A process serves it now."""
    pid: int | None = None
    """That process."""
    title: str | None = None
    """Its name."""
    model: str | None = None
    """The model."""
    permission_mode: str | None = None
    """The permission mode."""
    trusted: bool | None = None
    """The project's own configuration is used."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels."""
    prompt: str | None = None
    """Beginning of the first message."""
    turns: int = 0
    """Turns so far."""
    cost_microusd: int = 0
    """Cost so far in millionths of a US dollar."""
    background: int = 0
    """Background tasks that run."""
    created_at: str | None = None
    """Start, UTC."""
    updated_at: str | None = None
    """Last change, UTC."""
    queue_place: int | None = None
    """Place in the queue, 1 is next."""
    last: str | None = None
    """What happened last."""
    cursor: int | None = None
    """Newest event."""
    needs: list[Need] = Field(default_factory=list)
    """What waits for a person."""
    outcome: Outcome | None = None
    """How the last turn ended."""
    error: dict[str, Any] | None = None
    """Why it failed."""
    rss_bytes: int | None = None
    """Memory of its processes."""
    notes: list[str] = Field(default_factory=list)
    """What was left out, and how to change that."""

    def line(self) -> str:
        """Return one line for a list."""
        bypass = " !BYPASS" if self.permission_mode == BYPASS else ""
        name = self.title or self.prompt or ""
        whose = "" if self.ours else " (foreign)"
        return (
            f"{self.session_id} {self.status}{whose}{bypass} {self.project_path} "
            f"{self.turns} turns {dollars(self.cost_microusd)} {name[:60]}"
        ).rstrip()

    def text(self) -> str:
        """Return all that is known, what waits, and what happened last."""
        parts = [self.line()]
        if self.permission_mode == BYPASS:
            parts.append("permission_mode: bypassPermissions (it never asks)")
        for name in ("model", "pid", "created_at", "updated_at", "background", "queue_place", "last", "cursor"):
            value = getattr(self, name)
            if value:
                parts.append(f"{name}: {value}")
        if self.error:
            parts.append(f"error: {self.error.get('code')}: {self.error.get('message')}")
        parts += [need.text() for need in self.needs]
        if self.outcome is not None:
            parts.append(self.outcome.text())
        return "\n".join(parts + [f"note: {note}" for note in self.notes])


class SessionList(Reply):
    """Sessions, newest first."""

    items: list[SessionInfo]
    """The sessions."""
    total: int
    """How many there are before the limit."""

    def text(self) -> str:
        """Return one line each."""
        if not self.items:
            return "No sessions. Start one with execute_claude or claude_ask."
        rest = self.total - len(self.items)
        return "\n".join([item.line() for item in self.items] + ([f"… and {rest} more"] if rest > 0 else []))


class Stopped(Reply):
    """What an abort did."""

    session_id: str
    """The session."""
    mode: str
    """What was asked for."""
    status: str
    """State of the session now."""
    did: str
    """What happened: interrupted, stopped, killed, unqueued, nothing_to_do."""
    still_queued: list[str] = Field(default_factory=list)
    """Messages that run next."""
    cursor: int
    """Give this to session_wait."""


class Changed(Reply):
    """What was changed."""

    session_id: str
    """The session."""
    changed: dict[str, Any]
    """The new values."""
    at_once: bool
    """False: from the next process on, because none runs."""


def dollars(microusd: int) -> str:
    """Return micro-dollars as `$1.234567`, exactly."""
    return f"${microusd // 1_000_000}.{microusd % 1_000_000:06d}"

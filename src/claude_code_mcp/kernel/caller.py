"""Who asks: the client behind a call, as far as an operation may know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from claude_code_mcp.kernel.operation import Progress, Shared, Surface


class Elicit(Protocol):
    """Asks the person behind the client a question in place; only clients that can are given one."""

    async def __call__(self, message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the answers by field, or None when the person declined or closed the question.

        `schema` is the flat JSON schema of the form (MCP elicitation, form mode).
        """
        ...


class Notify(Protocol):
    """Sends the waiting client a notification of ours, on the stream of this call alone."""

    async def __call__(self, method: str, params: Mapping[str, Any]) -> None:
        """Send it; waits while the client is slow to read. Clients that do not know `method` ignore it."""
        ...


class Push(Protocol):
    """Sends a part of the answer ahead of its end, to callers who asked for that."""

    async def __call__(self, part: Shared) -> None:
        """Send it; waits while the client is slow to read."""
        ...


class HandOver(Protocol):
    """Says that from here on another operation is all that is left of this call."""

    async def __call__(self, rest: "Invocation", stop: "Invocation | None" = None) -> None:
        """Keep `rest`, durably where the call is a task: after a restart it is run in place of this call.

        `stop` is run when the client calls the work off for good (MCP `tasks/cancel`), never when it only stops
        waiting.
        """
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """An operation's name with its arguments, as JSON values."""

    operation: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind one call.

    `env` is already reduced to the allow-list; it is what a session started by this call runs with, so it may
    hold secrets: never log it and never put it into an event. `stream` is the connection's wish for
    `claude.stream` notifications, where the call itself does not say. `session` is the conversation of the Claude Code
    that is the client, as it says itself, "" for other clients. `patient` means that nobody's clock runs
    (the call is a task): wait to the end rather than return a handle.
    """

    cwd: str
    surface: Surface
    client: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    progress: Progress | None = None
    elicit: Elicit | None = None
    notify: Notify | None = None
    push: Push | None = None
    handover: HandOver | None = None
    stream: bool = False
    session: str = ""
    patient: bool = False

    async def report(self, done_s: float, message: str) -> None:
        """Tell the waiting client how far we are, where it can be told."""
        if self.progress is not None:
            await self.progress(done_s, message)

    async def left(self, rest: Invocation, stop: Invocation | None = None) -> None:
        """Say that `rest` is all that is left of this call (see `HandOver`), where somebody keeps it."""
        if self.handover is not None:
            await self.handover(rest, stop)

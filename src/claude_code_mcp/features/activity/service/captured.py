"""What activity asks of whoever watches Claude Codes from outside, declared here so that tests may bring their own."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Protocol

from claude_code_mcp.features.activity.models import Lifecycle, Metrics, SessionActivity
from claude_code_mcp.features.captures.models import PastTranscript
from claude_code_mcp.features.captures.service import Captures
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId

SLICE = 500
"""Events that a transcript is asked for at once, on a thread of its own."""
HELD_S = 10.0
"""How long after the last look processes are still measured."""


class Captured(Protocol):
    """Sessions that the log does not have, which ones are at work, and what they use."""

    def past(self, limit: int) -> Sequence[SessionActivity]:
        """Return sessions that left a transcript, the last active first, without what they did."""
        ...

    def live(self) -> Collection[SessionId]:
        """Return the sessions that a process works on now."""
        ...

    def history(self, session_id: SessionId) -> AsyncIterator[Sequence[Recorded]]:
        """Yield the events of a session from its transcript in slices; nothing where it has none."""
        ...

    def looked(self) -> None:
        """Say that somebody looks: what processes use is measured for some seconds from now."""
        ...


class FromCaptures:
    """The feature `captures`, as activity asks for it (a `Captured`)."""

    def __init__(self, captures: Captures) -> None:
        self._captures = captures
        self._held: AbstractContextManager[None] | None = None
        self._release: asyncio.TimerHandle | None = None

    def past(self, limit: int) -> Sequence[SessionActivity]:
        """Return sessions that left a transcript, the last active first, without what they did."""
        return [_row(one) for one in self._captures.past(limit)]

    def live(self) -> Collection[SessionId]:
        """Return the sessions that a process works on now."""
        return {entry.session_id for entry in self._captures.live()}

    async def history(self, session_id: SessionId) -> AsyncIterator[Sequence[Recorded]]:
        """Yield the events of a session from its transcript in slices; nothing where it has none."""
        events = self._captures.history(session_id)
        while events is not None and (found := await asyncio.to_thread(_next, events)):
            yield found

    def looked(self) -> None:
        """Say that somebody looks: what processes use is measured for some seconds from now."""
        if self._release is not None:
            self._release.cancel()
        if self._held is None:
            self._held = self._captures.watched()
            self._held.__enter__()
        self._release = asyncio.get_running_loop().call_later(HELD_S, self._let_go)

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.__exit__(None, None, None)
            self._held = None


def _next(events: Iterator[Recorded]) -> list[Recorded]:
    return list(islice(events, SLICE))


def _row(one: PastTranscript) -> SessionActivity:
    """Return a transcript's entry in the index as the row of a session that is over."""
    return SessionActivity(
        id=one.session_id,
        start_time=one.started_at,
        last_event_at=one.last_active_at,
        status=Lifecycle.COMPLETED,
        project_path=one.cwd,
        root_task=one.title or one.first_prompt,
        metrics=Metrics(total_tools_used=one.tool_calls, total_subagents=one.subagents, error_count=one.errors),
        cost_microusd=one.cost_microusd,
        sources=["transcript"],
    )

"""Ending a live process: ask first, then insist, each step bounded; what is left of its tree goes with it."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from claude_code_mcp.features.sessions.errors import ClaudeUnresponsive, ControlRefused
from claude_code_mcp.features.sessions.service.live import LiveSession
from claude_code_mcp.platform.claude import control

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds that each step of a stop may take."""

    interrupt_s: float = 10.0
    result_s: float = 10.0
    leave_s: float = 5.0
    grace_s: float = 5.0


async def interrupt(live: LiveSession, within_s: float, *, cancel_queued: bool = False) -> list[str]:
    """Break off the turn; return the uuids of the messages that run next, unless these are cancelled too.

    Raises:
        ClaudeUnresponsive: no answer came within `within_s` seconds.
        ControlRefused: Claude Code said no.
    """
    response = await live.ask(partial(control.interrupt, cancel_queued=cancel_queued), within_s)
    queued = response.get("still_queued")
    return [str(uuid) for uuid in queued] if isinstance(queued, list) else []


async def stop(live: LiveSession, ladder: Ladder, *, busy: bool, at_rest: asyncio.Event) -> None:
    """End the process in good order: interrupt, wait for the turn's result, `end_session`, then TERM and KILL.

    `at_rest` is set when the session says that it is idle.
    """
    try:
        if busy and live.ready.is_set():
            # What it has queued would run as soon as the turn is broken off, while we wait for its rest.
            await interrupt(live, ladder.interrupt_s, cancel_queued=True)
            await _within(at_rest, live.over, ladder.result_s)
        if live.ready.is_set():
            await live.ask(lambda request_id: control.end_session(request_id, "stopped"), ladder.leave_s)
            await _within(live.over, live.over, ladder.leave_s)
    except (ClaudeUnresponsive, ControlRefused) as exc:
        log.info("session %s did not leave by itself: %s", live.session_id, exc)
    if not live.over.is_set():
        await live.run.stop(ladder.grace_s)


async def _within(event: asyncio.Event, over: asyncio.Event, seconds: float) -> None:
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(over.wait())}
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()

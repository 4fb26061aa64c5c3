"""Changing a session while it runs: told to the process where there is one, kept for the next one."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from claude_code_mcp.features.sessions.events import SessionChanged
from claude_code_mcp.features.sessions.models import Session
from claude_code_mcp.features.sessions.rules.wishes import RANK
from claude_code_mcp.features.sessions.service.live import LiveSession
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude import control

Connection = sqlite3.Connection


async def tell(live: LiveSession, wanted: Mapping[str, Any]) -> None:
    """Tell a running process what changes.

    Raises:
        ControlRefused: Claude Code does not allow it (such as bypassing permissions when not started so).
        ClaudeUnresponsive: no answer came.
    """
    if "model" in wanted:
        await live.ask(partial(control.set_model, model=wanted["model"]))
    if "permission_mode" in wanted:
        await live.ask(partial(control.set_permission_mode, mode=wanted["permission_mode"]))
    if "title" in wanted:
        await live.ask(partial(control.rename_session, title=wanted["title"]))


def apply(session: Session, wanted: Mapping[str, Any]) -> Sequence[Fact]:
    """Keep what was changed, for listings and for the next process."""
    for name in ("model", "permission_mode"):
        if name in wanted:
            session.launch[name] = wanted[name]
            setattr(session, name, wanted[name])
    if "title" in wanted:
        session.title = wanted["title"]
    if "priority" in wanted:
        session.priority = next(rank for word, rank in RANK.items() if word.value == wanted["priority"])
    if "labels" in wanted:
        session.labels = dict(wanted["labels"])
    return [SessionChanged(changed=dict(wanted))]

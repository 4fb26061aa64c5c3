"""How activity is shown: kept per session and as the default of all, with the fact that it was changed."""

import sqlite3
from typing import Any

from claude_code_mcp.features.activity import store
from claude_code_mcp.features.activity.events import DisplayConfigured
from claude_code_mcp.features.activity.models import ConfigureDisplay, DisplaySettings, DisplayWish
from claude_code_mcp.features.activity.rules.lines import LineStyle
from claude_code_mcp.features.activity.rules.view import View
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log

FAST = 5
"""What took less than this part of the slow threshold is fast."""


class Showing:
    """The settings of display."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[SessionId | None, DisplaySettings] = {}
        self.version = 0
        """Grows with each change."""

    def settings(self, session_id: SessionId | None) -> DisplaySettings:
        """Return what holds for a session, or for all that have nothing of their own."""
        if session_id not in self._known:
            self._known[session_id] = self._database.read(lambda db: _effective(db, session_id))
        return self._known[session_id]

    async def configure(self, session_id: SessionId | None, wish: ConfigureDisplay) -> DisplaySettings:
        """Set what the wish names; return what holds now. A wish that names nothing changes nothing."""
        given = _given(wish)
        if not given and not wish.reset:
            return self.settings(session_id)

        def write(db: sqlite3.Connection) -> DisplaySettings:
            owner = session_id or store.DEFAULT
            before = store.settings(db, owner)
            after = {**({} if wish.reset else before), **given}
            if after != before:
                now = self._clock.now()
                store.put_settings(db, owner, after, stamp(now))
                log.append(db, [Event(fact=DisplayConfigured(settings=after), at=now, subject=owner)])
            return _effective(db, session_id)

        found = await self._database.write(write)
        self._known.clear()
        self.version += 1
        return found


def _effective(db: sqlite3.Connection, session_id: SessionId | None) -> DisplaySettings:
    own = store.settings(db, session_id) if session_id is not None else {}
    merged: dict[str, Any] = {**store.settings(db, store.DEFAULT), **own}
    return DisplaySettings(**merged)


def _given(wish: ConfigureDisplay) -> store.Settings:
    """Return the settings that a wish names; one that stands beside `settings` wins."""
    names = DisplayWish.model_fields
    inner = wish.settings.model_dump(exclude_none=True) if wish.settings is not None else {}
    flat = wish.model_dump(exclude_none=True, include=set(names))
    return {**inner, **flat}


def view_of(settings: DisplaySettings, *, max_depth: int | None = None, include_completed: bool = True) -> View:
    """Return which nodes these settings show."""
    return View(
        max_depth=max_depth or settings.max_tree_depth,
        include_completed=include_completed,
        collapse_fast_ms=settings.threshold_slow_ms // FAST if settings.collapse_fast_ops else 0,
        slow_ms=settings.threshold_slow_ms,
        highlight_errors=settings.highlight_errors,
    )


def style_of(settings: DisplaySettings, *, emoji: bool = True) -> LineStyle:
    """Return how these settings write lines."""
    return LineStyle(
        emoji=emoji,
        timings=settings.show_timings,
        errors=settings.highlight_errors,
        slow_ms=settings.threshold_slow_ms,
    )

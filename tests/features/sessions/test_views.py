"""What a wait returns is of one moment, however much is committed while it is put together."""

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.models import EventDetail, Origin, Session, SessionState, WaitSession
from claude_code_mcp.features.sessions.service.views import Views
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.events import Event, Source
from claude_code_mcp.kernel.ids import SessionId, uuid7
from claude_code_mcp.platform.claude.facts import SessionStateChanged
from claude_code_mcp.platform.db.database import Database, connect
from claude_code_mcp.platform.eventlog import log

pytestmark = pytest.mark.anyio


class LedgerOfABusyStore:
    """Whenever a session was looked at, its turn ends, in another thread's connection."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def session(self, session_id: str) -> Session:
        found = self.database.read(lambda db: store.session(db, session_id))
        assert found is not None
        with contextlib.closing(connect(self.database.path)) as db:
            store.put_session(db, msgspec.structs.replace(found, state=SessionState.IDLE))
            log.append(db, [_event(found.id, "idle")])
        return found


class NoQuestions:
    def open_for(self, session_id: str) -> list[object]:
        return []


def _event(session_id: SessionId, state: str) -> Event:
    return Event(
        fact=SessionStateChanged(state=state), at=SystemClock().now(), session_id=session_id, source=Source.STREAM
    )


async def test_an_end_that_is_seen_never_comes_with_the_status_before_it(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", migrations())
    new = SessionId(uuid7())
    session = Session(
        id=new, conversation_id=new, project_path="/p", origin=Origin.STARTED, state=SessionState.RUNNING, priority=1,
        created_at="", updated_at="",
    )  # fmt: skip

    def begin(db: sqlite3.Connection) -> None:
        store.put_session(db, session)
        log.append(db, [_event(new, "running")])

    await database.write(begin)
    views = Views(LedgerOfABusyStore(database), None, None, NoQuestions(), None)  # type: ignore[arg-type]  # unused
    wish = WaitSession(session_id=new, detail=EventDetail.FULL)
    first = views.waited(new, wish, reached=True, at_rest=lambda _: False)
    assert (first.status, [event["payload"]["state"] for event in first.events]) == ("running", ["running"])
    wish = WaitSession(session_id=new, detail=EventDetail.FULL, cursor=first.cursor)
    second = views.waited(new, wish, reached=True, at_rest=lambda _: False)
    assert (second.status, [event["payload"]["state"] for event in second.events][:1]) == ("idle", ["idle"])
    await database.close()

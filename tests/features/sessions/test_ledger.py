"""What the ledger keeps: each fact once, and no word of one task undone by another."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.models import Message, MessageState, Origin, RunRecord, Session, SessionState
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.errors import Unavailable
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import MessageId, RunId, SessionId, uuid7
from claude_code_mcp.platform.claude.facts import MessageSaid
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import page

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def begun(tmp_path: Path) -> tuple[Ledger, Session, Message, RunRecord]:
    """Return a ledger with a session that has one message and one run."""
    ledger = Ledger(await Database.open(tmp_path / "state.db", migrations()), SystemClock(), ())
    session_id, message_id = SessionId(uuid7()), MessageId(uuid7())
    session = Session(
        id=session_id,
        conversation_id=session_id,
        project_path="/",
        origin=Origin.STARTED,
        state=SessionState.QUEUED,
        priority=1,
        created_at="",
        updated_at="",
    )
    message = Message(
        id=message_id,
        session_id=session_id,
        position=1,
        text="hi",
        steering="next",
        state=MessageState.PENDING,
        created_at="",
    )
    await ledger.accept(session, message, [])
    record = RunRecord(id=RunId(uuid7()), session_id=session_id, created_at="")
    await ledger.begin(record, {})
    return ledger, session, message, record


def open_runs(ledger: Ledger) -> list[str]:
    return [record.id for record in ledger.database.read(store.open_runs)]


async def test_a_message_that_is_handed_over_twice_is_said_once(tmp_path: Path) -> None:
    ledger, session, message, record = await begun(tmp_path)
    for offset in (10, 20):
        echo = Event(
            fact=MessageSaid(role="user", text="hi", echo=True),
            at=NOW,
            session_id=session.id,
            subject=message.id,
            source_key=f"{record.id}:{offset}:0",
        )
        await ledger.ingest(msgspec.structs.replace(record, offset=offset), [echo], ())
    said = ledger.database.read(lambda db: page(db, 0, session_id=session.id, kinds=["message.said"])).events
    assert len(said) == 1
    await ledger.database.close()


async def test_a_session_that_cannot_be_started_leaves_no_run_for_the_next_daemon(tmp_path: Path) -> None:
    ledger, session, _, record = await begun(tmp_path)
    assert open_runs(ledger) == [record.id]
    await ledger.fail(session.id, Unavailable("It cannot.", remedy="Nothing."))
    assert open_runs(ledger) == []
    await ledger.database.close()


async def test_a_line_that_is_recorded_does_not_undo_the_wish_to_stop(tmp_path: Path) -> None:
    ledger, _, _, record = await begun(tmp_path)
    before = msgspec.structs.replace(record, offset=7)
    await ledger.stopping(record, "stop", [])
    await ledger.ingest(before, [], ())
    (kept,) = ledger.database.read(store.open_runs)
    assert (kept.stopping, kept.offset) == ("stop", 7)
    await ledger.database.close()


async def test_a_process_with_a_message_on_its_way_is_not_ended_as_idle(tmp_path: Path) -> None:
    ledger, _, message, record = await begun(tmp_path)
    assert (await ledger.retire(record), record.stopping) == (False, None)
    await ledger.database.write(
        lambda db: store.move_message(db, message.id, MessageState.COMPLETED, only_from=(MessageState.PENDING,))
    )
    assert (await ledger.retire(record), record.stopping) == (True, "idle")
    await ledger.database.close()

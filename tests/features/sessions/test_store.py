"""What is asked for one session is found by index, however many sessions, messages and events there are."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.models import MessageState
from claude_code_mcp.kernel.ids import RunId, SessionId
from claude_code_mcp.platform.db.database import connect
from claude_code_mcp.platform.db.migrations import migrate
from claude_code_mcp.platform.eventlog import log

ONE = SessionId("01970000-0000-7000-8000-000000000001")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "state.db"
    opened = connect(path)
    migrate(opened, path, migrations())
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda db: store.session(db, ONE),
        lambda db: store.sessions(db, ["idle"], "/p"),
        lambda db: store.run(db, RunId("r")),
        lambda db: store.first_prompt(db, ONE),
        lambda db: store.next_position(db, ONE),
        lambda db: store.messages(db, ONE, (MessageState.PENDING, MessageState.SENT)),
        lambda db: store.message(db, "m"),
        log.last_seq,
        lambda db: log.last_seq(db, ONE),
        lambda db: log.page(db, 7, session_id=ONE),
        lambda db: log.newest_after(db, 7),
    ],
)
def test_a_point_query_reads_no_whole_table(
    db: sqlite3.Connection, ask: Callable[[sqlite3.Connection], object]
) -> None:
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    ask(db)
    db.set_trace_callback(None)
    steps = [row["detail"] for query in asked for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert steps
    assert [step for step in steps if step.startswith("SCAN")] == []


def test_sessions_are_counted_by_state_and_known_by_both_their_ids(db: sqlite3.Connection) -> None:
    rows = [("a", "a2", "idle"), ("b", "b", "idle"), ("c", "c", "failed")]
    for id_, conversation, state in rows:
        db.execute(
            "INSERT INTO session VALUES (?,?,'/p','started',?,0,'2026-11-20','2026-11-20',NULL,x'')",
            (id_, conversation, state),
        )
    assert store.count_by_state(db) == {"failed": 1, "idle": 2}
    assert store.known_ids(db) == {"a", "a2", "b", "c"}

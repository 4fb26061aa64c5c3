"""Metrics: the one that counts sessions tells something that happened; what others sum up, logs tell one by one."""

from claude_code_mcp.platform.claude.facts import SessionOpened
from claude_code_mcp.platform.claude.fields import text_of, word_of
from claude_code_mcp.platform.claude.otlp.links import Links
from claude_code_mcp.platform.claude.otlp.record import Record

STARTED = "claude_code.session.count"
_HOW = {"fresh": "startup", "continue": "resume"}


def take_point(record: Record, _: Links) -> None:
    """Add the event of a data point."""
    if text_of(record.obj, "metric") != STARTED or record.session_id is None:
        return
    began = record.obj.get("startTimeUnixNano")
    record.stem = f"session:{record.session_id}:{began!s:.20}"
    how = word_of(record.attrs, "start_type")
    fact = SessionOpened(how=_HOW.get(how, how), cli_version=record.version)
    record.emit(fact, record.session_id, "opened", at=record.time("startTimeUnixNano"))

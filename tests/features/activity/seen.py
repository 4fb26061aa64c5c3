"""Recorded sessions as the event log gives them, one list for each source that saw them."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from claude_code_mcp.features.sessions.events import RunExited
from claude_code_mcp.kernel.clock import parse, stamp
from claude_code_mcp.kernel.events import Event, Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude import hooks, transcript
from claude_code_mcp.platform.claude.stream import StreamState, end_of_stream, read_line

FIXTURES = Path(__file__).parents[2] / "fixtures"
CLAUDE = FIXTURES / "claude"
STREAMS = sorted(path.stem for path in (CLAUDE / "stream").glob("*.jsonl"))
ACTIVITY = FIXTURES / "activity"
TRANSCRIPTS = sorted(path.stem for path in (ACTIVITY / "transcripts").glob("*.jsonl"))
HOOKS = ACTIVITY / "hooks" / "full-session.jsonl"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_WITH_THE_NEXT = (b'"subtype":"init"', b'"subtype":"task_', b'"subtype":"background_tasks_changed"')
_TIME = re.compile(rb'"timestamp":"([^"]+)"')


def recorded(events: Iterable[Event], first: int = 1) -> list[Recorded]:
    """Return events as the log would give them back."""
    out = []
    for seq, event in enumerate(events, first):
        fact = event.fact
        out.append(
            Recorded(
                seq=seq,
                id=event.id,
                at=stamp(event.at),
                kind=fact.kind,
                version=fact.version,
                session_id=event.session_id,
                subject=event.subject,
                parent=event.parent,
                tool_use_id=event.tool_use_id,
                agent_id=event.agent_id,
                source=event.source.value,
                source_key=event.source_key,
                payload=msgspec.json.decode(msgspec.json.encode(fact), type=dict),
            )
        )
    return out


def stream(name: str, *, run: str = "run", ended: bool = True) -> dict[str, list[Recorded]]:
    """Return the events of a recorded stream by session, the end of its process included unless it goes on.

    Lines without a time are read when the one before was written that has one; the first of a turn, and those about
    tasks, when the next one was.
    """
    data = (CLAUDE / "stream" / f"{name}.jsonl").read_bytes()
    return streamed(data.splitlines(keepends=True), run=run, ended=ended)


def streamed(lines: list[bytes], *, run: str = "run", ended: bool = True) -> dict[str, list[Recorded]]:
    """Return the events of the lines of a stream by session, as `stream` does."""
    state, offset = StreamState(), 0
    events: list[Event] = []
    at = NOW
    for line, read_at in zip(lines, _reading_times(lines), strict=True):
        at = read_at
        reading = read_line(state, line, run_id=run, offset=offset, at=at)
        events += reading.events
        state, offset = reading.state, offset + len(line)
    if ended:
        events += end_of_stream(state, run_id=run, offset=offset, at=at).events
    sessions = by_session(events)
    for session, seen in sessions.items() if ended else ():
        fact = RunExited(run_id=run, outcome="exited", code=0, reason="")
        seen.extend(recorded([Event(fact=fact, at=at, session_id=SessionId(session))], len(seen) + 1))
    return sessions


def _reading_times(lines: list[bytes]) -> list[datetime]:
    told = [max((parse(text.decode()) for text in _TIME.findall(line)), default=None) for line in lines]
    times: list[datetime] = []
    last = next((at for at in told if at is not None), NOW)
    for place, line in enumerate(lines):
        following = next((at for at in told[place:] if at is not None), None)
        waits = following is not None and any(word in line[:400] for word in _WITH_THE_NEXT)
        last = max(last, following) if waits and following is not None else max(last, told[place] or last)
        times.append(last)
    return times


def transcript_of(name: str, folder: Path) -> dict[str, list[Recorded]]:
    """Return the events of a recorded transcript and of its subagents by session; `folder` is for a copy of it."""
    source = ACTIVITY / "transcripts" / f"{name}.jsonl"
    session = next(json.loads(line)["sessionId"] for line in source.read_bytes().splitlines() if b'"sessionId"' in line)
    home = folder / "projects" / "-home-dev-code-proj"
    home.mkdir(parents=True, exist_ok=True)
    copy = home / f"{session}.jsonl"
    shutil.copy(source, copy)
    for below in (ACTIVITY / "transcripts").glob(f"{name}__*"):
        shutil.copytree(below, home / session, dirs_exist_ok=True)
    return by_session(transcript.events_of(copy))


def hook_sequence(path: Path) -> Iterator[Event]:
    """Yield the events of a recorded sequence of hooks."""
    begin = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    for number, line in enumerate(path.read_bytes().splitlines()):
        entry = json.loads(line)
        payload = hooks.read_payload(json.dumps(entry["payload"]).encode())
        yield from hooks.events_of(payload, stem=f"h{number}", at=begin + timedelta(seconds=entry["t"]))


def by_session(events: Iterable[Event]) -> dict[str, list[Recorded]]:
    """Return events as recorded, those of each session by themselves."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.session_id is not None:
            found.setdefault(event.session_id, []).append(event)
    return {session: recorded(its) for session, its in found.items()}

"""A past session read from its files from the beginning to the end, its subagents in their places."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.fields import time_of
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber
from claude_code_mcp.platform.claude.stream.decode import decode
from claude_code_mcp.platform.claude.stream.read import Oversized
from claude_code_mcp.platform.claude.stream.state import Reading
from claude_code_mcp.platform.claude.transcript.agents import agent_events, read_meta
from claude_code_mcp.platform.claude.transcript.entry import Origin, TranscriptState
from claude_code_mcp.platform.claude.transcript.files import TranscriptFile, locate
from claude_code_mcp.platform.claude.transcript.read import read_entry, read_oversized
from claude_code_mcp.platform.files.appended import Piece, read_on

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def events_of(path: Path, *, known_as: str = "", scrubber: Scrubber = PLAIN) -> Iterator[Event]:
    """Yield what the transcript of a main thread at `path` and those of its subagents tell, in the order of time.

    The files are read as the events are asked for, about a megabyte each in memory. A file that is gone or cannot be
    read tells nothing. `known_as`: the session under which the events stand, where it is not that of the file.
    """
    main = locate(path)
    if main is None:
        return iter(())
    files = [main, *subagents_of(main)]
    return heapq.merge(*(_events(file, known_as, scrubber) for file in files), key=lambda event: event.at)


def subagents_of(main: TranscriptFile) -> list[TranscriptFile]:
    """Return the transcripts of the subagents of a session, in the order of their names."""
    try:
        paths = sorted(main.subagents_dir.glob("agent-*.jsonl"))
    except OSError:
        return []
    return [file for path in paths if (file := locate(path)) is not None]


def first_moment(lines: list[bytes]) -> datetime | None:
    """Return the time that the first of `lines` tells, if it tells one."""
    for line in lines[:1]:
        for obj in decode(line).objects:
            return time_of(obj, "timestamp")
    return None


def read_piece(state: TranscriptState, piece: Piece, origin: Origin, at: datetime) -> Reading:
    """Return what some lines of a transcript say, one after the other; `at` is used until the first tells a time."""
    if piece.long_bytes:
        oversized = Oversized(piece.lines[0], piece.long_bytes)
        return read_oversized(state, oversized, origin=origin, offset=piece.start, at=at)
    events: list[Event] = []
    offset = piece.start
    at = datetime.fromtimestamp(state.told_at, UTC) if state.told_at else at
    for line in piece.lines:
        reading = read_entry(state, line, origin=origin, offset=offset, at=at)
        offset += len(line) + 1
        if reading.events:
            at = reading.events[-1].at
            events += reading.events
        state = known(reading)
    if events:
        state = msgspec.structs.replace(state, told_at=at.timestamp())
    return Reading(state, tuple(events))


def known(reading: Reading) -> TranscriptState:
    """Return what is remembered after a reading of a transcript."""
    return reading.state if isinstance(reading.state, TranscriptState) else TranscriptState()


def _events(file: TranscriptFile, known_as: str, scrubber: Scrubber) -> Iterator[Event]:
    origin = Origin(file.session_id, file.agent_id, known_as, scrubber)
    state = TranscriptState()
    at = _EPOCH
    try:
        for piece in read_on(file.path, None):
            at = first_moment(piece.lines) or at
            meta = read_meta(file.meta_path) if file.agent_id and not state.launched_by else None
            if meta is not None:
                begun = agent_events(state, meta, origin=origin, began_at=at, read_whole=False)
                yield from begun.events
                state = known(begun)
            reading = read_piece(state, piece, origin, at)
            yield from reading.events
            state, at = known(reading), reading.events[-1].at if reading.events else at
    except OSError:
        return
    meta = read_meta(file.meta_path) if file.agent_id else None
    if meta is not None:
        yield from agent_events(state, meta, origin=origin, began_at=at, read_whole=True).events

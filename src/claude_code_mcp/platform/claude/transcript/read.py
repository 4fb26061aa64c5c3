"""One line of a transcript to facts. Pure: no clock, no disk, and nothing is ever raised."""

from collections.abc import Callable, Mapping
from datetime import datetime

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import LineOversized, SessionOpened
from claude_code_mcp.platform.claude.fields import path_of, word_of
from claude_code_mcp.platform.claude.stream.decode import decode
from claude_code_mcp.platform.claude.stream.read import Oversized
from claude_code_mcp.platform.claude.stream.state import Reading
from claude_code_mcp.platform.claude.transcript import conversation, remarks
from claude_code_mcp.platform.claude.transcript.entry import Entry, Origin, TranscriptState

_Take = Callable[[Entry], None]

_BY_TYPE: Mapping[str, _Take] = {
    "user": conversation.user,
    "assistant": conversation.assistant,
    "attachment": remarks.attachment,
    "permission-mode": conversation.mode,
    "system": remarks.system,
    "custom-title": remarks.title,
    "ai-title": remarks.title,
    "summary": remarks.title,
    "cost-state": remarks.cost,
}

_TELLING_TYPES = frozenset(name.encode() for name in _BY_TYPE)
_TYPE, _ATTACHMENT = b'{"type":"', b'"attachment":{"type":"'
_TELLING_ATTACHMENTS = (b"queued_command", b"hook_", b"max_turns_reached")
_HEAD = 400


def may_tell(line: bytes) -> bool:
    """Tell from its first bytes whether a line may say anything; False is certain.

    Most bytes of a transcript are requests to the API, kept word for word; those are never parsed.
    """
    if line.startswith(_TYPE):
        end = line.find(b'"', len(_TYPE), len(_TYPE) + 40)
        return end < 0 or line[len(_TYPE) : end] in _TELLING_TYPES
    found = line.find(_ATTACHMENT, 0, _HEAD)
    if found < 0:
        return True
    return line.startswith(_TELLING_ATTACHMENTS, found + len(_ATTACHMENT))


def read_entry(state: TranscriptState, data: bytes, *, origin: Origin, offset: int, at: datetime) -> Reading:
    """Return what the line `data` (without or with its line end) says, and the state after it.

    The same line gives events with the same keys in whatever file it stands, as far as it has a uuid; one without is
    named by its `offset` and its bytes. `at` is used where the line tells no time.
    """
    entry = Entry(state, origin, data=data, offset=offset, at=at)
    if not may_tell(data):
        entry.passed(data)
        return entry.reading()
    secret = origin.scrubber.hits(data)
    # What cannot be read is passed over: the file itself is there to be looked at.
    for original in decode(data).objects:
        kind = original.get("type")
        take = _BY_TYPE.get(kind) if isinstance(kind, str) else None
        if take is None:
            continue
        entry.take(origin.scrubber.value(original) if secret else original)
        _opened(entry)
        take(entry)
    return entry.reading()


def read_oversized(
    state: TranscriptState, oversized: Oversized, *, origin: Origin, offset: int, at: datetime
) -> Reading:
    """Return the event for a line that was too long to be read, none where it says nothing anyway. The state stays."""
    entry = Entry(state, origin, data=oversized.head, offset=offset, at=at)
    if not may_tell(oversized.head):
        return entry.reading()
    entry.take({})
    head = oversized.head[:NOTE_BYTES].decode("utf-8", "backslashreplace")
    raw, _ = clip(origin.scrubber.text(head), NOTE_BYTES)
    entry.emit(LineOversized(raw=raw, line_bytes=oversized.line_bytes), origin.session_id)
    return entry.reading()


def _opened(entry: Entry) -> None:
    """Tell once where a session works, from the first line that says so."""
    obj = entry.obj
    cwd = path_of(obj, "cwd")
    if not cwd or entry.memory.opened or entry.origin.agent_id or entry.conversation != entry.origin.session_id:
        return
    fact = SessionOpened(cwd=cwd, cli_version=word_of(obj, "version"), entrypoint=word_of(obj, "entrypoint"))
    entry.add(fact, entry.session, f"t:{entry.conversation}::opened")
    entry.change(opened=True)

"""One line of a transcript being read: whose it is, what came of it, and what is remembered of earlier ones."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.facts import ToolStarted
from claude_code_mcp.platform.claude.fields import dict_of, id_of, time_of, word_of
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber
from claude_code_mcp.platform.claude.stream.state import Line, StreamState

_THREADS = 32
"""Lines whose turn is remembered: some more than one answer with its calls has."""
_BEFORE = re.compile(rb'\{"parentUuid":"([0-9a-f-]{36})"')
_UUID = b'"uuid":"'


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose transcript it is.

    `session_id`: the conversation of the file. `agent_id`: the subagent whose file it is, "" for the main thread.
    `known_as`: the session under which its events are recorded, where that is another one. `scrubber`: takes secrets
    out of what is said in it.
    """

    session_id: str
    agent_id: str = ""
    known_as: str = ""
    scrubber: Scrubber = PLAIN


class TranscriptState(StreamState, frozen=True, kw_only=True, omit_defaults=True):
    """All that reading a transcript has to remember between two lines; small, and plain JSON when stored.

    `prompt_id`: of the turn that began last; `resting`: it is over. `told_at`: when the last event was, in seconds
    since 1970. `message_id`: the model's answer that was told last. `opened`: where and with
    which version the session began was told. `notes`: what open calls are for, by tool_use_id. `launched_by`: the call
    that launched the subagent, `finished`: its end was told. `threads`: the turn of the latest lines, by their uuid.
    """

    prompt_id: str = ""
    resting: bool = False
    told_at: float = 0.0
    message_id: str = ""
    opened: bool = False
    notes: dict[str, str] = msgspec.field(default_factory=dict)
    launched_by: str = ""
    finished: bool = False
    threads: dict[str, str] = msgspec.field(default_factory=dict)


class Entry(Line):
    """One line of a transcript, in the words of the stream, so that the stream's readers can read it."""

    __slots__ = ("_digest", "_offset", "origin")

    def __init__(self, state: TranscriptState, origin: Origin, *, data: bytes, offset: int, at: datetime) -> None:
        super().__init__(state, run_id=origin.session_id, offset=offset, at=at)
        self.origin = origin
        self._offset = offset
        self._digest = data

    @property
    def memory(self) -> TranscriptState:
        """What is remembered, as it is here."""
        if not isinstance(self.state, TranscriptState):
            raise TypeError("a transcript is read with a TranscriptState")
        return self.state

    @property
    def agent_id(self) -> str:
        """The subagent that the line belongs to, "" for the main thread."""
        return self.origin.agent_id or word_of(self.obj, "agentId")

    @property
    def conversation(self) -> str:
        """The conversation that the line belongs to; a resumed session may hold lines of an earlier one."""
        session = self.obj.get("sessionId")
        return session if isinstance(session, str) and is_uuid(session) else self.origin.session_id

    @property
    def session(self) -> str:
        """The session under which the line is recorded."""
        own = self.conversation
        return self.origin.known_as if self.origin.known_as and own == self.origin.session_id else own

    @property
    def sidechain(self) -> bool:
        """Whether a subagent's line stands in the main thread's file, as older versions wrote it."""
        return self.obj.get("isSidechain") is True and not self.origin.agent_id

    def take(self, obj: dict[str, Any]) -> None:
        """Go on to the next object of the line."""
        self.obj = in_words_of_the_stream(obj)
        self._at = time_of(obj, "timestamp") or self._read_at
        # A line keeps its uuid wherever its file is copied to; one without is named by its place and its bytes.
        mark = id_of(obj, "uuid") or f"@{self._offset}.{blake2b(self._digest, digest_size=8).hexdigest()}"
        self._stem = f"t:{self.conversation}:{self.agent_id}:{mark}:"
        self._count = 0
        if not self.agent_id and not self.sidechain:
            self._take_up_thread()

    def passed(self, data: bytes) -> None:
        """Note a line that tells nothing: what comes after it in its conversation is of the same turn."""
        before = _BEFORE.match(data)
        turn = self.memory.threads.get(before[1].decode()) if before else None
        own = data.rfind(_UUID) + len(_UUID)
        if turn is not None and own >= len(_UUID) and self.origin.agent_id == "":
            self._note(data[own : own + 36].decode("ascii", "replace"), turn)

    def _take_up_thread(self) -> None:
        """Go on in the turn of the line that this one follows: two processes may write to one file by turns."""
        obj, known = self.obj, self.memory
        turn = word_of(obj, "promptId") or known.threads.get(word_of(obj, "parentUuid"), "")
        uuid = id_of(obj, "uuid")
        if not turn or uuid is None:
            return
        self._note(uuid, turn)
        if turn != known.prompt_id and (obj.get("type") != "user" or "tool_use_result" in obj):
            self.change(prompt_id=turn, resting=False)

    def _note(self, uuid: str, turn: str) -> None:
        threads = {**self.memory.threads, uuid: turn}
        if len(threads) > _THREADS:
            del threads[next(iter(threads))]
        self.change(threads=threads)

    def emit(
        self,
        fact: Fact,
        subject: str,
        *,
        tool_use_id: str | None = None,
        parent: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        """Add `fact` about `subject`; the agent is that of the file unless given."""
        if isinstance(fact, ToolStarted) and self.memory.prompt_id:
            fact = msgspec.structs.replace(fact, prompt_id=self.memory.prompt_id)
        source_key = self._stem + str(self._count)
        self._count += 1
        self.add(fact, subject, source_key, tool_use_id=tool_use_id, parent=parent, agent_id=agent_id)

    def add(
        self,
        fact: Fact,
        subject: str,
        source_key: str,
        *,
        tool_use_id: str | None = None,
        parent: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        """Add `fact` under a key of its own."""
        event = Event(
            fact=fact,
            at=self._at,
            session_id=SessionId(self.session),
            subject=subject,
            parent=parent or self.memory.launched_by or None,
            tool_use_id=tool_use_id,
            agent_id=agent_id or self.agent_id or None,
            source=Source.TRANSCRIPT,
            source_key=source_key,
        )
        self.events.append(event)


_NAMES = {
    "toolUseResult": "tool_use_result",
    "thinkingDurationMs": "thinking_duration_ms",
    "apiErrorStatus": "api_error_status",
}


def in_words_of_the_stream(obj: dict[str, Any]) -> dict[str, Any]:
    """Return a transcript's line with what the stream has too under the stream's names."""
    renamed = {new: obj[old] for old, new in _NAMES.items() if old in obj}
    if "toolDenialKind" in obj or "permissionDecision" in obj:
        decision = dict_of(obj, "permissionDecision")
        meta: dict[str, Any] = {
            "permission_decision": {
                "source": word_of(decision, "source"),
                "reason_type": word_of(decision, "reasonType"),
            }
        }
        if kind := word_of(obj, "toolDenialKind"):
            meta["non_execution_kind"] = kind
        message = obj.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        calls = [id_of(block, "tool_use_id") for block in content or () if isinstance(block, dict)]
        renamed["tool_result_meta"] = [{**meta, "id": call} for call in calls if call]
    return {**obj, **renamed} if renamed else obj

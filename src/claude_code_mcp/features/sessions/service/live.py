"""One live process of a session: follow what it says, ask it things, hand it messages, end it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from claude_code_mcp.features.sessions.errors import ClaudeUnresponsive, ControlRefused
from claude_code_mcp.features.sessions.models import Message, RunRecord, Session, SessionState
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId, uuid7
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.claude.requests import (
    Answer,
    ControlItem,
    HookCall,
    McpCall,
    OtherQuestion,
    Question,
    ToolQuestion,
)
from claude_code_mcp.platform.claude.stream import (
    Oversized,
    Reading,
    StreamState,
    end_of_stream,
    read_line,
    read_oversized,
)
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.errors import OutputGone, StdinClosed, StdinStalled
from claude_code_mcp.platform.procs.framing import Line
from claude_code_mcp.platform.procs.output import Batch
from claude_code_mcp.platform.procs.run import Run

READY_S = 60.0
"""How long the CLI may take from its start to the answer to `initialize`; usually half a second."""
ANSWER_S = 30.0
log = logging.getLogger(__name__)


class Hooks(Protocol):
    """Who is told what a process does, besides the ledger."""

    def changed(self, session: Session) -> None:
        """The session's row changed."""
        ...

    def pieces(self, session_id: SessionId, events: Sequence[Event]) -> None:
        """Pieces of an answer in the making, which are not kept."""
        ...

    def muddled(self, session_id: SessionId) -> None:
        """Lines of the process were lost: it should be asked how it stands."""
        ...


class LiveSession:
    """The daemon's hold on a running process. It may be lost at any time: all that counts is in the ledger."""

    def __init__(
        self,
        run: Run,
        record: RunRecord,
        ledger: Ledger,
        scrubber: Scrubber,
        hooks: Hooks,
        line_limit_bytes: int,
    ) -> None:
        self.run = run
        self.record = record
        self.ready = asyncio.Event()
        self.over = asyncio.Event()
        self.caught_up = asyncio.Event()
        self.judged = asyncio.Event()
        self.unkept = False
        """The store does not take what the process says; it is read again when it does."""
        self._time = time.monotonic  # steady, whatever is done to the machine's clock
        self._quiet_from = self._time()
        self._running_from: float | None = None
        self._ledger = ledger
        self._scrubber = scrubber
        self._hooks = hooks
        self._line_limit = line_limit_bytes
        self._stream = msgspec.json.decode(record.stream, type=StreamState) if record.stream else StreamState()
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._behind_until = run.spool().stdout_bytes
        self._delivering = asyncio.Lock()  # guards the order of messages on stdin
        self.spoke = record.offset > 0

    @property
    def session_id(self) -> SessionId:
        """The session that is served."""
        return self.record.session_id

    @property
    def quiet_s(self) -> float:
        """How long it has said nothing."""
        return self._time() - self._quiet_from

    @property
    def running_s(self) -> float:
        """How long it has been working, as far as we saw it; nothing while it rests or waits for a person."""
        return 0.0 if self._running_from is None else self._time() - self._running_from

    @property
    def muddled(self) -> bool:
        """Whether lines of it may have been lost, and it has not said since how it stands."""
        return self._stream.muddled

    def doubt(self) -> None:
        """Lines may have been lost: what it answers next about its state counts."""
        self._stream = msgspec.structs.replace(self._stream, muddled=True)

    def touch(self) -> None:
        """Take note that there is something for it to do."""
        self._quiet_from = self._time()

    def note(self, session: Session) -> None:
        """Take note of the session's new state."""
        if session.state is not SessionState.RUNNING:
            self._running_from = None
        elif self._running_from is None:
            self._running_from = self._time()

    def worked(self, seconds: float) -> None:
        """Take note that it has been working for so long before we came."""
        if self._running_from is not None:
            self._running_from -= seconds

    async def follow(self) -> None:
        """Record everything that the process says, until it is gone and nothing is left to read."""
        if self._behind_until <= self.record.offset:
            self.caught_up.set()
        try:
            async with contextlib.aclosing(self.run.follow(self.record.offset, cap_bytes=self._line_limit)) as batches:
                async for batch in batches:
                    await self._ingest(batch)
        except OutputGone:
            if not self.run.ended():
                raise
            log.exception("session %s: what its process said last is gone with the file", self.session_id)
        await self._close_stream()
        self.caught_up.set()
        self.over.set()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(ClaudeUnresponsive("Claude Code ended before it answered."))
                future.exception()  # looked at, so that nobody is warned of an answer that no one awaits

    async def _close_stream(self) -> None:
        """Record what will never come any more: open tools and tasks of a process that is gone."""
        now = self._ledger.clock.now()
        reading = end_of_stream(self._stream, run_id=self.record.id, offset=self.record.offset, at=now)
        if reading.state is not self._stream:
            stream = msgspec.json.encode(reading.state)
            await self._ledger.ingest(msgspec.structs.replace(self.record, stream=stream), reading.events, ())
            self._stream, self.record.stream = reading.state, stream

    async def _ingest(self, batch: Batch) -> None:
        now = self._ledger.clock.now()
        events: list[Event] = []
        live: list[Event] = []
        items: list[ControlItem] = []
        if batch.restarted:
            self.doubt()
        state = self._stream
        generation = self.record.generation + batch.restarted
        # One look for all lines; where it finds something each line is looked at.
        scrubber = self._scrubber if self._scrubber.hits(b"\n".join([line.data for line in batch.lines])) else None
        for line in batch.lines:
            reading = self._read(state, line, now, generation, scrubber)
            state = reading.state
            events += reading.events
            live += reading.live
            items += (without_secrets(item, self._scrubber) for item in reading.control)
        if live:
            self._hooks.pieces(self.session_id, live)
        stream = self.record.stream if state is self._stream else msgspec.json.encode(state)
        moved = msgspec.structs.replace(self.record, offset=batch.end, stream=stream, generation=generation)
        self.unkept = True
        changed = await self._ledger.ingest(moved, events, items, cleared=self._stream.muddled and not state.muddled)
        # Only what is committed counts: a failed commit is read again from the old offset.
        self.unkept = False
        self._stream, self.record.stream, self.record.offset = state, stream, batch.end
        self.record.generation = generation
        self.touch()
        self.spoke = self.spoke or bool(batch.lines)
        self._hand_out(items)
        await self._refuse(items)
        if batch.end >= self._behind_until:
            self.caught_up.set()
        if changed is not None:
            self._hooks.changed(changed)
        if state.muddled:
            self._hooks.muddled(self.session_id)

    def _read(
        self, state: StreamState, line: Line, now: datetime, generation: int, scrubber: Scrubber | None
    ) -> Reading:
        # Keys name the bytes that a fact came from; after a cut the same offsets hold other bytes.
        run_id = f"{self.record.id}.{generation}" if generation else self.record.id
        offset = line.offset
        if line.oversized is not None:
            kept = line.oversized
            cut = Oversized(kept.head, kept.size_bytes, kept.sha256)
            return read_oversized(state, cut, run_id=run_id, offset=offset, at=now)
        return read_line(state, line.data, run_id=run_id, offset=offset, at=now, scrubber=scrubber)

    def _hand_out(self, items: Sequence[ControlItem]) -> None:
        for item in items:
            if isinstance(item, Answer):
                future = self._asked.pop(item.request_id, None)
                if future is not None and not future.done():
                    future.set_result(item)

    async def _refuse(self, items: Sequence[ControlItem]) -> None:
        """Answer what no part of us can answer, or the process would wait for ever."""
        for item in items:
            try:
                if isinstance(item, HookCall):
                    await self._write(control.hook_answer(item.request_id, {}))
                elif isinstance(item, (McpCall, OtherQuestion)):
                    await self._write(control.refuse(item.request_id, "claude-code-mcp does not serve this"))
            except (StdinClosed, StdinStalled):
                log.warning("session %s cannot be told that %s is not served", self.session_id, item)

    async def initialize(self) -> None:
        """Introduce ourselves; the answer says that the process is ready and what it still waits for.

        Raises:
            ClaudeUnresponsive: no answer came.
        """
        await self.ask(control.initialize, READY_S)
        self.ready.set()

    async def ask(self, build: Callable[[str], bytes], timeout_s: float = ANSWER_S) -> dict[str, Any]:
        """Send the control request that `build` makes for a request id, and return the answer's body.

        Raises:
            ControlRefused: Claude Code said no; its own words are in the message.
            ClaudeUnresponsive: no answer came in time, or the process is gone.
        """
        request_id = uuid7()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = future
        try:
            await self._write(build(request_id))
            async with asyncio.timeout(timeout_s):
                answer = await future
        except (StdinClosed, StdinStalled, TimeoutError) as exc:
            raise ClaudeUnresponsive(
                f"Claude Code does not answer (session {self.session_id}).",
                remedy="Look at session_status; claude_abort with mode kill ends it.",
            ) from exc
        finally:
            self._asked.pop(request_id, None)
        if not answer.ok:
            raise ControlRefused(f"Claude Code refused: {answer.error}.", claude_code=answer.error_code)
        return answer.response

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Hand messages to the process, in order; a uuid that it knows already is ignored by it."""
        async with self._delivering:
            sent: list[str] = []
            try:
                for message in messages:
                    await self._write(control.user_message(message.text, message.id, message.steering))
                    sent.append(message.id)
            except (StdinClosed, StdinStalled) as exc:
                log.warning("session %s does not take messages: %s", self.session_id, exc)
            self.touch()
            try:
                if sent:
                    await self._ledger.sent(sent, self.record.id)
            except StoreUnavailable:
                log.warning("session %s: its messages are out and could not be noted as sent", self.session_id)

    async def answer(self, line: bytes) -> None:
        """Hand an answer to a question of the process to it.

        Raises:
            StdinClosed: the process is gone.
            StdinStalled: it does not read.
        """
        await self._write(line)

    async def _write(self, line: bytes) -> None:
        await self.run.write_line(line.rstrip(b"\n"))


def without_secrets(item: ControlItem, scrubber: Scrubber) -> ControlItem:
    """Return what a process asks as it may be kept: a secret in a tool's input is not written to the database.

    An allowed tool runs with its own input all the same. A rule that would name a secret is not offered. The questions
    of AskUserQuestion stay as they are: their answer must repeat them.
    """
    if isinstance(item, Answer):
        pending = tuple(_shown(question, scrubber) for question in item.pending)
        return msgspec.structs.replace(item, pending=pending) if item.pending else item
    return _shown(item, scrubber) if isinstance(item, ToolQuestion) else item


def _shown(question: Question, scrubber: Scrubber) -> Question:
    if not isinstance(question, ToolQuestion) or question.tool_name == "AskUserQuestion":
        return question
    if not scrubber.hits(msgspec.json.encode(question.input)):
        return question
    kept = [rule for rule in question.suggestions if not scrubber.hits(msgspec.json.encode(rule))]
    return msgspec.structs.replace(question, input=scrubber.value(question.input), suggestions=kept, request={})

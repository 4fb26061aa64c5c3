"""Where a conversation is cut: the last message of a transcript that belongs to a moment of it.

Claude Code cuts at any message of the main thread (`--resume-session-at`, tried on 2.1.328): a prompt, a result of a
tool, an answer. Cut at a call, it makes up a result for it; so no cut is ever made between a call and its result.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

_LOOKS_BACK = (1 << 20, 32 << 20, 1 << 40)
"""How much of the end is read, at each try; a moment is seldom far back when it is looked for."""


class Where(StrEnum):
    """Which moment is meant: now, before a prompt was taken up, after its turn, before a call or after its result."""

    END = "end"
    BEFORE_PROMPT = "before_prompt"
    AFTER_TURN = "after_turn"
    BEFORE_TOOL = "before_tool"
    AFTER_TOOL = "after_tool"


class Moment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A moment of a conversation. `id`: the prompt (its message's uuid or its prompt id) or the tool_use_id."""

    where: Where = Where.END
    id: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The last message to keep, None where the conversation had not begun; `end_bytes` is where its line ends."""

    message_uuid: str | None
    end_bytes: int


class _Message(msgspec.Struct):
    id: str | None = None
    content: msgspec.Raw = msgspec.Raw()


class _Line(msgspec.Struct):
    type: str = ""
    uuid: str | None = None
    parent: str | None = msgspec.field(name="parentUuid", default=None)
    sidechain: bool = msgspec.field(name="isSidechain", default=False)
    prompt_id: str | None = msgspec.field(name="promptId", default=None)
    message: _Message | None = None


class _Block(msgspec.Struct):
    type: str = ""
    id: str = ""
    tool_use_id: str = ""


@dataclass(slots=True)
class _Said:
    """One line of the main thread that has a uuid."""

    line: _Line
    end: int
    calls: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    thought: bool = False

    @property
    def is_message(self) -> bool:
        return self.line.type in ("user", "assistant")

    def prompts(self, name: str) -> bool:
        """Tell whether it is the prompt of that name; results of tools carry the id of their turn as well."""
        return self.line.type == "user" and not self.results and name in (self.line.uuid, self.line.prompt_id)

    def begins_another(self, turn: "_Said") -> bool:
        """Tell whether a turn begins here after `turn`; what steers a turn has the id of the turn."""
        other = self.line.prompt_id
        return self.line.type == "user" and not self.results and other is not None and other != turn.line.prompt_id


_BOUNDARY = b'"subtype":"compact_boundary"'
_DECODE = msgspec.json.Decoder(_Line).decode
_BLOCKS = msgspec.json.Decoder(list[_Block]).decode


def find_cut(path: Path, moment: Moment, *, so_far: bool = False) -> Cut | None:
    """Return where the transcript at `path` is cut for a moment, None where that moment is not written there (yet).

    `so_far`: a turn that seems not to have come to its answer ends where it stands. Blocks: reads from the end, as
    far back as needed.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for back in _LOOKS_BACK:
                start = max(0, size - back)
                found = _Thread(os.pread(file.fileno(), size - start, start), start).cut(moment, so_far=so_far)
                if found is not None or start == 0:
                    return found
    except OSError:
        return None
    return None


def compacted_since(path: Path, end_bytes: int) -> bool:
    """Tell whether the conversation was compacted after that place: Claude Code finds no message from before it any
    more ("No message found with message.uuid", 2.1.328). Blocks: reads what comes after."""
    try:
        with path.open("rb") as file:
            file.seek(end_bytes)
            rest = b""
            while piece := file.read(1 << 20):
                if _BOUNDARY in (data := rest + piece):
                    return True
                rest = data[-len(_BOUNDARY) :]
    except OSError:
        return False
    return False


class _Thread:
    """The main thread of a transcript, or the end of it."""

    def __init__(self, data: bytes, start: int) -> None:
        self._whole = start == 0
        self._said = list(_read(data, start))
        self._by_uuid = {one.line.uuid: one for one in self._said}

    def cut(self, moment: Moment, *, so_far: bool) -> Cut | None:
        """Return the cut, None where this piece does not tell."""
        if moment.where is Where.AFTER_TOOL:
            found = next((one for one in self._said if moment.id in one.results), None)
            return Cut(found.line.uuid, found.end) if found is not None else None
        if moment.where is Where.END:
            return self._rested(self._said)
        if moment.where is Where.AFTER_TURN:
            return self._after_turn(moment.id, so_far=so_far)
        first = self._first(moment)
        return None if first is None else self._before(first)

    def _first(self, moment: Moment) -> _Said | None:
        """Return the first line that is not to be kept."""
        if moment.where is Where.BEFORE_PROMPT:
            return next((one for one in self._said if one.prompts(moment.id)), None)
        call = next((one for one in self._said if moment.id in one.calls), None)
        if call is None or call.line.message is None:
            return None
        answer = call.line.message.id
        return next(one for one in self._said if one.line.message is not None and one.line.message.id == answer)

    def _before(self, first: _Said) -> Cut | None:
        """Return the cut after the message before `first`, along the thread."""
        parent = first.line.parent
        while parent is not None:
            found = self._by_uuid.get(parent)
            if found is None:
                # Before the piece that was read, or lost: a piece of the whole file has no other answer.
                return Cut(None, 0) if self._whole else None
            if found.is_message:
                return Cut(found.line.uuid, found.end)
            parent = found.line.parent
        return Cut(None, 0)

    def _after_turn(self, name: str, *, so_far: bool) -> Cut | None:
        """Return the cut after the last message of a turn: before the next prompt, or at the answer that ends it."""
        began = next((number for number, one in enumerate(self._said) if one.prompts(name)), None)
        if began is None:
            return None
        turn = self._said[began]
        after = self._said[began + 1 :]
        ends = next((number for number, one in enumerate(after) if one.begins_another(turn)), None)
        messages = [one for one in after[:ends] if one.is_message]
        over = ends is not None or (bool(messages) and messages[-1].line.type == "assistant" and not messages[-1].calls)
        return self._rested([turn, *messages]) if over or so_far else None

    def _rested(self, said: Sequence[_Said]) -> Cut | None:
        """Return the cut after the last message at which no call is open."""
        rested: _Said | None = None
        open_calls: set[str] = set()
        for one in said:
            if not one.is_message:
                continue
            open_calls = (open_calls | one.calls) - one.results
            if not open_calls and not one.thought:
                rested = one
        if rested is None:
            return Cut(None, 0) if self._whole else None
        return Cut(rested.line.uuid, rested.end)


def _read(data: bytes, start: int) -> Iterator[_Said]:
    offset = start
    for number, raw in enumerate(data.splitlines(keepends=True)):
        offset += len(raw)
        if (number == 0 and start) or b'"uuid"' not in raw or not raw.endswith(b"\n"):
            continue  # half a line, or one that is no part of the conversation
        try:
            line = _DECODE(raw)
        except (msgspec.DecodeError, RecursionError):
            continue
        if line.uuid and not line.sidechain:
            yield _said(line, offset)


def _said(line: _Line, end: int) -> _Said:
    said = _Said(line, end)
    content: Any = bytes(line.message.content) if line.message is not None else b""
    if said.is_message and content.startswith(b"["):
        try:
            blocks = _BLOCKS(content)
        except (msgspec.DecodeError, RecursionError):
            return said
        said.calls = {block.id for block in blocks if block.type == "tool_use"}
        said.results = {block.tool_use_id for block in blocks if block.type == "tool_result"}
        said.thought = all("thinking" in block.type for block in blocks)
    return said

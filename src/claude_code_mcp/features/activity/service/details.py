"""One node with all that it was given and all that it gave, from the log, else from the transcripts."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from claude_code_mcp.features.activity import store
from claude_code_mcp.features.activity.errors import NodeNotFound
from claude_code_mcp.features.activity.models import ActivityNode, NodeDetail, ShowNode
from claude_code_mcp.features.activity.rules.lines import phrase
from claude_code_mcp.features.activity.rules.view import View
from claude_code_mcp.features.activity.service.shelf import Shelf
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import Clock
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.calls import find_call
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log

_ALONE = View(max_depth=0)
_ENDS = ("tool.finished", "tool.failed", "tool.denied")
MOST_BYTES = 16 * 2**20
"""The biggest saved output that is shown."""
_PARTS = {"both": ("input", "output"), "input": ("input",), "output": ("output",)}


@dataclass(slots=True)
class _Raw:
    """What is known of a call. `whole` are the parts of which nothing is cut."""

    input: Any = None
    output: str | None = None
    whole: frozenset[str] = frozenset()
    seen_in: str = ""
    saved_at: str = ""


class Details:
    """Nodes by their id."""

    def __init__(self, database: Database, shelf: Shelf, clock: Clock) -> None:
        self._database = database
        self._shelf = shelf
        self._clock = clock

    async def show(self, session_id: SessionId | None, wish: ShowNode, caller: Caller) -> NodeDetail:
        """Return a node of a session; without a session, of the one that is known to have it.

        Raises:
            ActivityNotFound: there is no such session.
            NodeNotFound: it has no such node.
        """
        found_in = session_id or await self._session_of(wish.id)
        node = (await self._shelf.kept(found_in)).fold.node(wish.id, self._clock.now(), _ALONE)
        if node is None:
            raise _missing(wish.id, f" in session {found_in}")
        raw = await self._raw(found_in, node, caller) if node.tool_use_id else _Raw()
        parts = _PARTS[wish.part]
        detail = NodeDetail(
            session_id=found_in,
            node=node.model_copy(update={"children": []}),
            input=raw.input if "input" in parts else None,
            output=raw.output if "output" in parts else None,
            whole=not node.tool_use_id or raw.whole.issuperset(parts),
            seen_in=raw.seen_in,
        )
        return detail.model_copy(update={"lines": _lines(detail)})

    async def _session_of(self, node_id: str) -> SessionId:
        found = self._database.read(lambda db: store.session_of_call(db, node_id))
        if found is not None:
            return found
        for session_id in self._shelf.sessions:
            if (await self._shelf.kept(session_id)).fold.path(node_id):
                return session_id
        raise _missing(node_id, "")

    async def _raw(self, session_id: SessionId, node: ActivityNode, caller: Caller) -> _Raw:
        raw = self._database.read(partial(_logged, session_id=session_id, tool_use_id=node.tool_use_id))
        home = ClaudeHome.of(caller.env)
        if raw.saved_at and (saved := await asyncio.to_thread(_saved, Path(raw.saved_at), home.projects_dir)):
            raw.output, raw.whole, raw.seen_in = saved, raw.whole | {"output"}, "file"
        if raw.whole.issuperset(("input", "output")):
            return raw
        transcript = await asyncio.to_thread(home.find_transcript, session_id)
        if transcript is None:
            return raw
        call = await asyncio.to_thread(find_call, transcript, node.tool_use_id)
        if call.input is not None and "input" not in raw.whole:
            raw.input, raw.whole, raw.seen_in = call.input, raw.whole | {"input"}, "transcript"
        if call.output is not None and "output" not in raw.whole:
            raw.output, raw.whole, raw.seen_in = call.output, raw.whole | {"output"}, "transcript"
        return raw


def _logged(db: sqlite3.Connection, session_id: SessionId, tool_use_id: str) -> _Raw:
    """Return what the log has of a call: the longest that any source told."""
    raw = _Raw()
    for seq in store.seqs_of_call(db, session_id, tool_use_id):
        for event in log.page(db, seq - 1, session_id=session_id, limit=1).events:
            _take(raw, event)
    return raw


def _take(raw: _Raw, event: Recorded) -> None:
    said: Mapping[str, Any] = event.payload
    if event.kind == "tool.started" and "input" not in raw.whole and said.get("input") is not None:
        raw.input, raw.seen_in = said["input"], "log"
        raw.whole |= frozenset() if said.get("input_bytes") else {"input"}
    elif event.kind in _ENDS and "output" not in raw.whole:
        raw.output, raw.seen_in = str(said.get("output", "")), "log"
        raw.saved_at = str(said.get("saved_at", ""))
        raw.whole |= frozenset() if said.get("output_bytes") else {"output"}


def _saved(path: Path, below: Path) -> str | None:
    """Return an output that Claude Code kept out of the conversation, in a file below its own directory."""
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(below.resolve()) or real.stat().st_size > MOST_BYTES:
            return None
        return real.read_text("utf-8", errors="replace")
    except OSError:
        return None


def _lines(detail: NodeDetail) -> list[str]:
    lines = [f"session {detail.session_id}", f"node {detail.node.id}", phrase(detail.node)]
    if detail.input is not None:
        lines += ["input:", json.dumps(detail.input, ensure_ascii=False, indent=2)]
    if detail.output is not None:
        lines += ["output:", detail.output]
    return lines if detail.whole else [*lines, "It was cut; nothing has the whole of it any more."]


def _missing(node_id: str, where: str) -> NodeNotFound:
    return NodeNotFound(f"There is no node {node_id}{where}.", remedy="get_activity_tree shows the ids.")

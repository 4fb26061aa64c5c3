"""What is shown, as it changes: replies of operations that wait for news, one after the other, across restarts."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from claude_code_mcp.surfaces.cli.client import ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.cli.nodes import Node, SessionsReply, Settings, SettingsReply, TreeReply
from claude_code_mcp.surfaces.tui.link import Link

SESSIONS_OP, TREE_OP, SHOW_OP = "activity.sessions", "activity.tree", "activity.show"
SETTINGS_OP = "activity.configure"
WAIT_S = 60.0
"""How long the daemon may hold one wait; a lost connection is noticed at once all the same."""
LIST_REST_S, TREE_REST_S = 0.25, 0.1
"""Shortest time between two replies of a kind; a big one is given four times what it cost to read and show ..."""
REST_S_A_BYTE = 2e-7
"""... and what it may have cost the daemon to make: a second for a tree of ten thousand nodes."""
AGAIN_S = 2.0
MOST_SESSIONS = 200


class _WithCursor(Protocol):
    cursor: int


_Reply = TypeVar("_Reply", bound=_WithCursor)


class NodeDetail(msgspec.Struct):
    """The reply of `activity.show`."""

    node: Node
    input: Any = None
    output: str | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Feeds:
    """Reads from `link`; an error of the daemon is yielded, and asked again after a while."""

    link: Link
    project: str | None = None

    def sessions(self, scope: str) -> AsyncIterator[SessionsReply | Failure]:
        """Yield the sessions of `scope` (live, recent, all), now and after each change."""
        args: dict[str, Any] = {"scope": scope, "limit": MOST_SESSIONS}
        if self.project is not None:
            args["project_path"] = self.project
        return self._follow(SESSIONS_OP, args, SessionsReply, LIST_REST_S)

    def tree(self, session_id: str) -> AsyncIterator[TreeReply | Failure]:
        """Yield a session's whole tree, now and after each change."""
        return self._follow(TREE_OP, {"session_id": session_id}, TreeReply, TREE_REST_S)

    async def _follow(
        self, op: str, args: Mapping[str, Any], kind: type[_Reply], rest_s: float
    ) -> AsyncIterator[_Reply | Failure]:
        cursor: int | None = None
        generation = self.link.generation
        while True:
            if generation != self.link.generation:
                generation, cursor = self.link.generation, None
            waiting = {} if cursor is None else {"cursor": cursor, "wait_s": WAIT_S}
            try:
                raw = await self.link.call(op, {**args, **waiting})
            except ConnectionLost:
                await self.link.reconnect()
                continue
            except Failure as failure:
                cursor = None
                yield failure
                await asyncio.sleep(AGAIN_S)
                continue
            began = time.monotonic()
            reply = msgspec.json.decode(raw, type=kind)
            if reply.cursor != cursor:
                yield reply
            cursor = reply.cursor
            await asyncio.sleep(max(rest_s, 4 * (time.monotonic() - began), len(raw) * REST_S_A_BYTE))

    async def detail(self, session_id: str, node_id: str) -> NodeDetail:
        """Return one node with its raw input and output.

        Raises:
            Failure: it has none, or the session is gone.
            ConnectionLost: the daemon is.
        """
        raw = await self.link.call(SHOW_OP, {"id": node_id, "session_id": session_id})
        return msgspec.json.decode(raw, type=NodeDetail)

    async def settings(self, session_id: str) -> Settings:
        """Return how a session is to be shown.

        Raises:
            as `detail`.
        """
        raw = await self.link.call(SETTINGS_OP, {"session_id": session_id})
        return msgspec.json.decode(raw, type=SettingsReply).settings

    async def ask(self, op: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply of any operation.

        Raises:
            as `detail`.
        """
        reply: dict[str, Any] = msgspec.json.decode(await self.link.call(op, args), type=dict[str, Any])
        return reply

"""Sessions to look at, and the short ways of looking: one line for what a test asks."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from claude_code_mcp.features.activity.models import (
    ActivityNode,
    ListActivity,
    Scope,
    ShowTree,
    StreamActivity,
    StreamReply,
)
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.ids import SessionId
from tests.features.activity.place import CALLER, Place, Story

T = TypeVar("T")
ONE = "0197a4d0-1111-7000-8000-000000000001"
OTHER = "0197a4d0-2222-7000-8000-000000000002"
PAST = "0197a4d0-3333-7000-8000-000000000003"


def working(session_id: str = ONE, cwd: str = "/code/app") -> Story:
    """Return a session in the middle of its work: a call that ended, one that runs."""
    return (
        Story(session_id, cwd).opened().asked("Fix the login").called("toolu_1").finished("toolu_1").called("toolu_2")
    )


def over(session_id: str = ONE) -> Story:
    """Return a session that is over, an error in it."""
    return working(session_id).failed("toolu_2").stopped().closed()


async def tree(here: Place, session_id: str | None = ONE, caller: Caller = CALLER, **wish: object) -> ActivityNode:
    asked = ShowTree.model_validate({"session_id": session_id, **wish})
    return (await here.activity.tree(asked, caller)).activity_tree.root_task


async def stream(here: Place, cursor: int = 0, session_id: str = ONE, **wish: object) -> StreamReply:
    asked = StreamActivity.model_validate({"session_id": session_id, "cursor": cursor, **wish})
    return await here.activity.stream(asked, CALLER)


async def listed(here: Place, scope: Scope = Scope.RECENT, **wish: object) -> list[str]:
    asked = ListActivity.model_validate({"scope": scope, **wish})
    return [one.id for one in (await here.activity.sessions(asked, CALLER)).items]


def names(node: ActivityNode) -> list[str]:
    """Return the tools in a tree with how they stand, in order."""
    own = [f"{node.name} {node.status.value}"] if node.tool_use_id else []
    return own + [name for child in node.children for name in names(child)]


async def within(waiting: Awaitable[T], bound_s: float = 5.0) -> T:
    async with asyncio.timeout(bound_s):
        return await waiting


async def until_followed(here: Place, session_id: str | None) -> None:
    """Let the loop run until a follower waits."""
    async with asyncio.timeout(60):
        while not here.activity.followed(SessionId(session_id) if session_id else None):
            await asyncio.sleep(0)

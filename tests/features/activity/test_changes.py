"""Followers are woken at once while that is cheap, together when it is not, and a dead one costs nobody anything."""

import asyncio

import pytest

from claude_code_mcp.features.activity.service.changes import AFTER, LONGEST_S, Changes
from claude_code_mcp.kernel.ids import SessionId

pytestmark = pytest.mark.anyio
ONE, OTHER = SessionId("one"), SessionId("other")


async def until_asleep(changes: Changes, *sessions: SessionId) -> None:
    """Let the loop run until somebody waits for each of the sessions."""
    async with asyncio.timeout(60):
        while not changes.followed().issuperset(sessions):
            await asyncio.sleep(0)


async def test_only_who_waits_for_the_session_is_woken() -> None:
    changes = Changes()
    mine = asyncio.ensure_future(changes.changed(ONE, 5))
    others = asyncio.ensure_future(changes.changed(OTHER, 0.05))
    await until_asleep(changes, ONE, OTHER)
    changes.tell([ONE])
    assert (await mine, await others) == (True, False)
    assert changes.followed() == set()


async def test_who_waits_for_anything_is_woken_by_any_session() -> None:
    changes = Changes()
    anything = asyncio.ensure_future(changes.changed(None, 5))
    mine = asyncio.ensure_future(changes.changed(ONE, 5))
    await until_asleep(changes, ONE)
    changes.tell([ONE])
    assert (await anything, await mine) == (True, True)


async def test_what_comes_while_followers_are_served_is_told_a_moment_later_and_never_lost() -> None:
    changes = Changes()
    loop = asyncio.get_running_loop()
    woken: list[float] = []

    async def follow() -> None:
        while len(woken) < 2:
            if await changes.changed(ONE, 5):
                woken.append(loop.time())

    follower = asyncio.ensure_future(follow())
    await until_asleep(changes, ONE)
    changes.tell([ONE])
    for _ in range(1000):
        changes.tell([ONE])
    for _ in range(AFTER):
        await asyncio.sleep(0)
    assert woken, "the first was not told at once"
    async with asyncio.timeout(60):
        await follower
    assert woken[1] - woken[0] < LONGEST_S + 1


async def test_a_follower_that_went_away_leaves_nothing_behind() -> None:
    changes = Changes()
    gone = asyncio.ensure_future(changes.changed(ONE, 5))
    await until_asleep(changes, ONE)
    gone.cancel()
    await asyncio.wait({gone})
    assert changes.followed() == set()
    changes.tell([ONE])

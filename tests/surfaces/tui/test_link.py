"""The application's connection to the daemon, over a real socket."""

import asyncio
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.cli.client import ConnectionLost, dialer
from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.tui.link import DaemonLink
from tests.surfaces.tui.behind_socket import served
from tests.surfaces.tui.stories import one_session

pytestmark = pytest.mark.anyio


def linked(state: Path, told: list[str]) -> DaemonLink:
    return DaemonLink(dialer(state, {}, start=False), told.append)


async def test_many_requests_wait_at_once_and_each_gets_its_answer(state: Path) -> None:
    fake = one_session()
    with served(state, fake) as daemon:
        link = linked(state, [])
        await link.reconnect()
        waits = asyncio.ensure_future(link.call("activity.sessions", {"scope": "live", "cursor": 1}))
        found = await link.call("approvals.list", {})
        assert b'"ap1"' in found
        assert not waits.done()
        daemon.do(fake.change)
        assert b'"items"' in await asyncio.wait_for(waits, 60)
        await link.close()


async def test_an_error_is_raised_as_such(state: Path) -> None:
    fake = one_session()
    with served(state, fake):
        link = linked(state, [])
        await link.reconnect()
        with pytest.raises(Failure) as failure:
            await link.call("activity.show", {"id": "nobody", "session_id": "x"})
        assert failure.value.code == "node_not_found"
        await link.close()


async def test_a_lost_connection_is_told_and_made_anew(state: Path) -> None:
    fake = one_session()
    told: list[str] = []
    with served(state, fake) as daemon:
        link = linked(state, told)
        await link.reconnect()
        waits = asyncio.ensure_future(link.call("activity.sessions", {"scope": "live", "cursor": 1}))
        await link.call("approvals.list", {})
        daemon.do(fake.die)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(waits, 60)
        with pytest.raises(ConnectionLost):
            await link.call("approvals.list", {})
        await asyncio.wait_for(link.reconnect(), 60)
        assert link.generation == 2
        assert b'"ap1"' in await link.call("approvals.list", {})
        await link.close()
    assert told == ["", "The daemon went away; looking for the next one ...", "Connected again."]


async def test_a_wait_that_is_given_up_is_cancelled_there_too(state: Path) -> None:
    fake = one_session()
    with served(state, fake) as daemon:
        link = linked(state, [])
        await link.reconnect()
        waits = asyncio.ensure_future(link.call("activity.sessions", {"scope": "live", "cursor": 1}))
        await link.call("approvals.list", {})
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert await asyncio.to_thread(daemon._server.was_cancelled.wait, 60)
        await link.close()


async def test_no_daemon_is_told_and_tried_again(state: Path) -> None:
    told: list[str] = []
    link = linked(state, told)
    looking = asyncio.ensure_future(link.reconnect())
    while not told:
        await asyncio.sleep(0)
    assert "No daemon runs." in told[0]
    fake = one_session()
    with served(state, fake):
        await asyncio.wait_for(looking, 60)
        assert b'"ap1"' in await link.call("approvals.list", {})
        await link.close()


async def test_closing_without_a_connection_is_fine(state: Path) -> None:
    await linked(state, []).close()

"""The log as a stream: nothing twice, nothing lost, whoever is slow, and whenever it breaks off."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.surfaces.http import events
from claude_code_mcp.surfaces.http.events import Feed, Wish
from claude_code_mcp.surfaces.http.serving import Limits
from tests.surfaces.http.site import ONE, TOKEN, TWO, OtherHappened, Site, ThingHappened, site

pytestmark = pytest.mark.anyio


def thing(what: str) -> ThingHappened:
    return ThingHappened(what=what)


async def read(answer: httpx2.Response) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Yield each event with its id; what is told without data is passed over."""
    found: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line == "" and "data" in found:
            yield int(found["id"]), json.loads(found["data"])
        found = {} if line == "" else {**found, name: value}


async def take(stream: AsyncIterator[tuple[int, dict[str, Any]]], count: int) -> list[tuple[int, str]]:
    """Return ids and payloads of the next `count` events."""
    found: list[tuple[int, str]] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            number, event = await anext(stream)
            found.append((number, event["payload"].get("what", "")))
    return found


async def test_the_past_and_what_comes_are_one_stream(served: Site) -> None:
    await served.record(thing("a"), thing("b"))
    async with served.client() as client, client.stream("GET", "/events?after=1") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream = read(answer)
        assert await take(stream, 1) == [(2, "b")]
        await served.record(thing("c"))
        assert await take(stream, 1) == [(3, "c")]


async def test_without_a_cursor_it_begins_now(served: Site) -> None:
    await served.record(thing("a"))
    async with served.client() as client, client.stream("GET", "/events") as answer:
        stream = read(answer)
        await served.record(thing("b"))
        assert await take(stream, 1) == [(2, "b")]


async def test_a_broken_stream_is_taken_up_where_it_broke(served: Site) -> None:
    await served.record(*(thing(str(number)) for number in range(10)))
    async with served.client() as client:
        async with client.stream("GET", "/events?after=0") as answer:
            first = await take(read(answer), 4)
        headers = {"Last-Event-ID": str(first[-1][0])}
        async with client.stream("GET", "/events?after=0", headers=headers) as answer:
            rest = await take(read(answer), 6)
    assert [what for _, what in first + rest] == [str(number) for number in range(10)]


async def test_one_session_and_some_kinds_can_be_followed(served: Site) -> None:
    await served.record(thing("one"), OtherHappened())
    await served.record(thing("two"), session=TWO)
    async with served.client() as client:
        async with client.stream("GET", f"/events?after=0&session_id={TWO}") as answer:
            stream = read(answer)
            assert await take(stream, 1) == [(3, "two")]
            await served.record(thing("not theirs"), session=ONE)
            await served.record(thing("theirs"), session=TWO)
            assert await take(stream, 1) == [(5, "theirs")]
        async with client.stream("GET", "/events?after=0&kinds=other.happened,none.such") as answer:
            assert await take(read(answer), 1) == [(2, "")]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("after=-1", {}, 400),
        ("after=x", {}, 400),
        ("after=99999999999999999999", {}, 400),
        ("session_id=../etc", {}, 422),
        ("sesion_id=x", {}, 400),
        ("", {"Last-Event-ID": "1; drop"}, 400),
    ],
)
async def test_a_wish_that_is_none_is_refused(served: Site, query: str, headers: dict[str, str], status: int) -> None:
    async with served.client() as client:
        assert (await client.get(f"/events?{query}", headers=headers)).status_code == status


async def test_a_cursor_beyond_the_log_waits_for_it(served: Site) -> None:
    async with served.client() as client, client.stream("GET", "/events?after=2") as answer:
        stream = read(answer)
        await served.record(thing("a"), thing("b"), thing("c"))
        assert await take(stream, 1) == [(3, "c")]


async def test_a_quiet_stream_shows_that_it_lives(served: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.05)
    async with served.client() as client, client.stream("GET", "/events") as answer:
        lines = answer.aiter_lines()
        async with asyncio.timeout(60):
            while await anext(lines) != ": 0":
                continue


async def test_a_hundred_followers_get_every_event(served: Site) -> None:
    async with served.client() as client:

        async def follow() -> list[tuple[int, str]]:
            async with client.stream("GET", "/events?after=0") as answer:
                return await take(read(answer), 300)

        following = [asyncio.ensure_future(follow()) for _ in range(100)]
        for start in range(0, 300, 50):
            await served.record(*(thing(str(number)) for number in range(start, start + 50)))
        found = await asyncio.gather(*following)
    assert found == [[(number + 1, str(number)) for number in range(300)]] * 100


async def test_one_who_never_reads_is_hung_up_on_and_slows_nobody(tmp_path: Path) -> None:
    limits = Limits(unread_s=0.3, look_s=0.05)
    async with site(tmp_path, limits=limits) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1)
        host = f"GET /events?after=0 HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {TOKEN}"
        writer.write(f"{host}\r\n\r\n".encode())
        assert await reader.read(1)
        big = "x" * 200_000
        async with served.client() as client, client.stream("GET", "/events?after=0") as answer:
            stream = read(answer)
            for number in range(60):
                await served.record(thing(f"{number} {big}"))
                assert (await take(stream, 1))[0][1].startswith(f"{number} ")
            # The other one is still there only until its time is over; its cursor is what it read last.
            async with asyncio.timeout(60):
                while served.server.connections > 1:
                    await asyncio.sleep(0.01)
        writer.close()


async def test_there_is_an_end_to_how_many_may_follow(tmp_path: Path) -> None:
    async with (
        site(tmp_path, streams=1) as served,
        served.client() as client,
        client.stream("GET", "/events") as answer,
    ):
        assert answer.status_code == 200
        refused = await client.get("/events")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too_many_streams")


async def test_streams_end_in_good_order_when_the_daemon_leaves(served: Site) -> None:
    async with served.client() as client, client.stream("GET", "/events") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        served.app.close()
        async with asyncio.timeout(60):
            assert [line async for line in lines if line.startswith("data")] == []


async def test_what_was_written_out_once_is_read_as_from_the_log(served: Site) -> None:
    feed = Feed(served.database)
    followers = log.Followers(served.database)
    for number in range(350):
        await served.record(thing(str(number)), session=ONE if number % 3 else TWO)
    feed.begin(followers.newest)
    for wish in (Wish(0), Wish(0, TWO), Wish(0, ONE, frozenset(("thing.happened",))), Wish(0, ONE, frozenset("x"))):
        for begin in (0, 1, 120, 249, 349, 350):
            fresh, cursor, found = Feed(served.database), begin, b""
            while cursor < 350:
                data, cursor = feed.read(cursor, wish)
                found += data
            told = [json.loads(line[6:])["seq"] for line in found.splitlines() if line.startswith(b"data: ")]
            session = {None: (1, 2, 0), TWO: (0,), ONE: (1, 2)}[wish.session_id]
            wanted = [seq for seq in range(begin + 1, 351) if (seq - 1) % 3 in session]
            assert told == ([] if wish.kinds == frozenset("x") else wanted)
            assert fresh.read(350, wish) == (b"", 350)

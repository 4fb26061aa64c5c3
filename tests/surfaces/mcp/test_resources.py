"""Resources: listed, read, and watched in both eras."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from claude_code_mcp.kernel.errors import NotFound, Unavailable
from claude_code_mcp.kernel.resource import Resource, ResourceContent, ResourceTemplate
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.updates import INTERVAL_S, MOST_WATCHED, Kind, Topic, Updates, Watch
from tests.surfaces.mcp.library import CATALOG, Desk, context
from tests.surfaces.mcp.wire import BOUND_S, connected

pytestmark = pytest.mark.anyio


class Notes:
    """The notes of a desk as resources."""

    templates = (ResourceTemplate("note://{title}", "A note", "What a note says"),)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def resources(self) -> Sequence[Resource]:
        return [Resource(f"note://{title}", title) for title in sorted(self._desk.notes)]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        scheme, _, title = uri.partition("://")
        if scheme != "note":
            return None
        if title == "locked":
            raise Unavailable("The note is locked.")
        if title not in self._desk.notes:
            raise NotFound(f"There is no note {title!r}.")
        return [ResourceContent(uri, self._desk.notes[title])]


class Pictures:
    """A picture."""

    templates = ()

    async def resources(self) -> Sequence[Resource]:
        return [Resource("picture://1", "one", mime_type="image/png")]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        return [ResourceContent(uri, b"\x89PNG", "image/png")] if uri == "picture://1" else None


@pytest.fixture
async def updates() -> Updates:
    return Updates()


@pytest.fixture
async def surface(desk: Desk, updates: Updates) -> AsyncIterator[McpSurface]:
    desk.notes["milk"] = "two"
    parts = Parts(
        catalog=CATALOG, context=context(desk), version="1", resources=(Notes(desk), Pictures()), updates=updates
    )
    async with McpSurface(parts) as opened:
        yield opened


async def test_all_providers_are_listed_and_read(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        listed = (await client.answer(client.ask("resources/list")))["result"]["resources"]
        assert [resource["uri"] for resource in listed] == ["note://milk", "picture://1"]
        templates = (await client.answer(client.ask("resources/templates/list")))["result"]["resourceTemplates"]
        assert templates[0]["uriTemplate"] == "note://{title}"
        text = (await client.answer(client.ask("resources/read", {"uri": "note://milk"})))["result"]
        assert text["contents"] == [{"uri": "note://milk", "mimeType": "text/plain", "text": "two"}]
        blob = (await client.answer(client.ask("resources/read", {"uri": "picture://1"})))["result"]
        assert blob["contents"][0]["blob"] == "iVBORw=="


@pytest.mark.parametrize(("modern", "code"), [(False, -32002), (True, -32602)])
@pytest.mark.parametrize("uri", ["note://gone", "other://x", "no uri at all"])
async def test_a_missing_resource_has_the_code_of_its_era(
    surface: McpSurface, modern: bool, code: int, uri: str
) -> None:
    async with connected(surface) as client:
        client.modern = modern
        if not modern:
            await client.initialize()
        error = (await client.answer(client.ask("resources/read", {"uri": uri})))["error"]
        assert (error["code"], error["data"]) == (code, {"uri": uri})


async def test_a_resource_that_cannot_be_read_now_says_why(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        error = (await client.answer(client.ask("resources/read", {"uri": "note://locked"})))["error"]
        assert error["message"].endswith("The note is locked.")


async def test_lists_have_one_page(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        for method in ("tools/list", "resources/list", "resources/templates/list"):
            assert (await client.answer(client.ask(method, {"cursor": "2"})))["error"]["code"] == -32602


async def test_reads_and_lists_carry_their_freshness_in_the_stateless_era(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        tools = (await client.answer(client.ask("tools/list")))["result"]
        assert (tools["ttlMs"], tools["cacheScope"]) == (300_000, "public")
        read = (await client.answer(client.ask("resources/read", {"uri": "note://milk"})))["result"]
        assert (read["ttlMs"], read["cacheScope"]) == (0, "private")


async def test_a_subscriber_of_the_handshake_era_is_told_of_its_resource_only(
    surface: McpSurface, updates: Updates
) -> None:
    async with connected(surface) as client:
        await client.initialize()
        await client.answer(client.ask("resources/subscribe", {"uri": "note://milk"}))
        updates.resource_changed("note://other")
        updates.resource_changed("note://milk")
        assert await client.next() == {
            "jsonrpc": "2.0",
            "method": "notifications/resources/updated",
            "params": {"uri": "note://milk"},
        }
        await client.answer(client.ask("resources/unsubscribe", {"uri": "note://milk"}))
        updates.resource_changed("note://milk")
        updates.list_changed()
        assert (await client.next())["method"] == "notifications/resources/list_changed"


async def test_a_listener_of_the_stateless_era_is_told_what_it_asked_for(surface: McpSurface, updates: Updates) -> None:
    async with connected(surface) as client:
        client.modern = True
        wanted = {"resourceSubscriptions": ["note://milk"], "resourcesListChanged": True, "toolsListChanged": False}
        stream = client.ask("subscriptions/listen", {"notifications": wanted})
        granted = await client.next()
        assert granted["method"] == "notifications/subscriptions/acknowledged"
        assert granted["params"]["notifications"] == {
            "resourceSubscriptions": ["note://milk"],
            "resourcesListChanged": True,
        }
        updates.resource_changed("note://other")
        updates.list_changed("tools")
        updates.resource_changed("note://milk")
        told = await client.next()
        assert told["params"]["uri"] == "note://milk"
        assert told["params"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": stream}
        client.notify("notifications/cancelled", {"requestId": stream})
        await client.answer(client.ask("tools/list"))
        updates.resource_changed("note://milk")
        assert await client.text("notes_list") == "milk"


async def test_a_stream_does_not_hold_up_calls(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        client.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        assert await client.text("notes_list") == "milk"


async def test_changes_are_gathered_to_two_a_second_for_each_address(updates: Updates) -> None:
    told: list[tuple[float, str]] = []
    clock = asyncio.get_running_loop().time

    async def send(topic: Topic) -> None:
        told.append((clock(), topic.name))

    watch = Watch(updates, send)
    for uri in ("a", "b"):
        watch.add(Topic(Kind.RESOURCE, uri))
    running = asyncio.ensure_future(watch.run())
    end = clock() + 1.2 * INTERVAL_S
    while clock() < end:
        updates.resource_changed("a")
        if len(told) == 1:
            updates.resource_changed("b")
        await asyncio.sleep(0.001)
    running.cancel()
    first, second = [at for at, uri in told if uri == "a"]
    assert second - first >= INTERVAL_S
    assert [uri for _, uri in told].count("b") >= 1


async def test_what_waits_for_a_slow_listener_is_bounded_by_what_it_watches(updates: Updates) -> None:
    gate = asyncio.Event()
    told: list[str] = []

    async def send(topic: Topic) -> None:
        told.append(topic.name)
        await gate.wait()

    watch = Watch(updates, send)
    watch.add(Topic(Kind.RESOURCE, "a"))
    running = asyncio.ensure_future(watch.run())
    for _ in range(10_000):
        updates.resource_changed("a")
    await asyncio.sleep(0)
    for _ in range(10_000):
        updates.resource_changed("a")
    gate.set()
    async with asyncio.timeout(BOUND_S):
        while len(told) < 2:
            await asyncio.sleep(0.01)
    running.cancel()
    assert told == ["a", "a"]
    watch.close()
    assert len(watch) == 0


async def test_one_client_may_watch_only_so_much(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        uris = [f"note://{number}" for number in range(MOST_WATCHED + 1)]
        number = client.ask("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}})
        assert (await client.answer(number))["error"]["code"] == -32602

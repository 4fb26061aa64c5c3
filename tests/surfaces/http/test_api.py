"""The catalog over HTTP: each operation once, its errors with their status, nothing named by hand."""

import asyncio

import pytest
from pydantic import Field

from claude_code_mcp.kernel.operation import Effect, Request, Surface, operation
from claude_code_mcp.surfaces.http.api import _from_query, _kinds
from tests.surfaces.http.site import Site
from tests.surfaces.mcp.library import CATALOG, Said

pytestmark = pytest.mark.anyio


async def test_an_operation_is_called_with_json(served: Site) -> None:
    async with served.client() as client:
        answer = await client.post("/api/notes/keep", json={"title": "milk", "body": "two", "tags": ["shop"]})
    assert answer.status_code == 200
    assert answer.json() == {"reply": {"title": "milk", "body": "two", "color": "blue"}, "text": "milk: two"}
    assert served.desk.notes == {"milk": "two"}


async def test_what_changes_nothing_is_also_asked_by_get(served: Site) -> None:
    served.desk.notes["milk"] = "two"
    async with served.client() as client:
        assert (await client.get("/api/notes/list")).json()["reply"] == {"titles": ["milk"]}
        assert (await client.get("/api/notes/read", params={"title": "milk"})).json()["text"] == "milk: two"
        assert (await client.get("/api/clocks/ask", params={"times": "2"})).json()["text"] == "nobody to ask"


@pytest.mark.parametrize("path", ["/api/notes/keep?title=x", "/api/notes/drop?title=milk"])
async def test_what_changes_something_is_not_asked_by_get(served: Site, path: str) -> None:
    served.desk.notes["milk"] = "two"
    async with served.client() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "wrong_method")
    assert served.desk.notes == {"milk": "two"}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/notes/read", b'{"title":"none"}', 404, "note_missing"),
        ("/api/notes/keep", b'{"title":"full"}', 503, "shelf_full"),
        ("/api/notes/keep", b"{}", 422, "invalid"),
        ("/api/notes/keep", b'{"title":"x","more":1}', 422, "invalid"),
        ("/api/notes/keep", b"[1]", 400, "bad_body"),
        ("/api/notes/keep", b'{"title"', 400, "bad_body"),
        ("/api/notes/keep", b"\xff\xfe", 400, "bad_body"),
        ("/api/notes/keep", b"[" * 100_000, 400, "bad_body"),
        ("/api/notes/none", b"{}", 404, "unknown_route"),
        ("/api/../etc/passwd", b"{}", 404, "unknown_route"),
    ],
)
async def test_an_error_says_what_to_do(served: Site, path: str, body: bytes, status: int, code: str) -> None:
    async with served.client() as client:
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) == {"code", "message", "remedy", "details"}


async def test_our_own_bug_is_told_without_its_insides(served: Site, caplog: pytest.LogCaptureFixture) -> None:
    served.desk.notes = None  # type: ignore[assignment]  # the operation will stumble over it
    async with served.client() as client:
        answer = await client.get("/api/notes/list")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "NoneType" not in answer.text
    assert "NoneType" in caplog.text


class Find(Request):
    words: list[str] | None = None
    """Each of them."""
    where: dict[str, int] = Field(default_factory=dict)
    """Bounds by name."""
    title: str = ""
    """The title."""
    most: int = 1
    """How many."""


@operation("finds.find", effect=Effect.READ)
async def find(_ctx: object, wish: Find) -> Said:
    """Say what is looked for."""
    return Said(said=repr((wish.words, wish.where, wish.title, wish.most)))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (b"words=a&words=b&title=x%20y&most=3", "(['a', 'b'], {}, 'x y', 3)"),
        (b"words=a", "(['a'], {}, '', 1)"),
        (b"where=%7B%22a%22%3A1%7D", "(None, {'a': 1}, '', 1)"),
    ],
)
async def test_a_query_says_lists_by_repeating_and_objects_by_json(query: bytes, said: str) -> None:
    assert (await find.call(None, _from_query(find, query, _kinds(find)))).text() == said


async def test_a_name_said_twice_is_refused_where_it_is_no_list(served: Site) -> None:
    async with served.client() as client:
        twice = await client.get("/api/notes/read?title=a&title=b")
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "bad_body")


async def test_who_hangs_up_is_not_waited_for(served: Site) -> None:
    async with served.client() as client:
        asking = asyncio.ensure_future(client.post("/api/clocks/wait", json={}))
        async with asyncio.timeout(60):
            await served.desk.waiting.wait()
        asking.cancel()
        await asyncio.wait({asking})
    async with asyncio.timeout(60):
        while served.app.open:
            await asyncio.sleep(0.01)


async def test_a_call_that_waits_is_answered_when_the_daemon_leaves(served: Site) -> None:
    async with served.client() as client:
        asking = asyncio.ensure_future(client.post("/api/clocks/wait", json={}))
        async with asyncio.timeout(60):
            await served.desk.waiting.wait()
        served.app.close()
        answer = await asking
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "daemon_closing")


async def test_the_caller_is_known_by_its_surface_and_directory(served: Site) -> None:
    async with served.client() as client:
        await client.get("/api/notes/list", headers={"X-Claude-Code-Mcp-Cwd": "/srv/app"})
        relative = await client.get("/api/notes/list", headers={"X-Claude-Code-Mcp-Cwd": "app"})
    (caller,) = served.callers
    assert (caller.surface, caller.cwd, dict(caller.env)) == (Surface.HTTP, "/srv/app", {})
    assert relative.status_code == 400


async def test_every_operation_is_listed_and_described(served: Site) -> None:
    async with served.client() as client:
        listed = (await client.get("/api")).json()["operations"]
        document = (await client.get("/openapi.json")).json()
    shown = {op.name: op for op in CATALOG.on(Surface.HTTP)}
    assert [one["name"] for one in listed] == list(shown)
    assert document["openapi"].startswith("3.1")
    for one in listed:
        path = document["paths"][one["path"]]
        reads = shown[one["name"]].effect is Effect.READ
        assert set(path) == ({"get", "post"} if reads else {"post"})
        assert path["post"]["responses"]["200"]
    assert list(document["paths"]["/api/notes/read"]["post"]["responses"]) == ["200", "401", "404", "422"]


async def test_every_reference_of_the_document_leads_somewhere(served: Site) -> None:
    async with served.client() as client:
        document = (await client.get("/openapi.json")).json()
    names = set(document["components"]["schemas"])

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [ref for value in node.values() for ref in references(value)]
        return [ref for value in node for ref in references(value)] if isinstance(node, list) else []

    assert {ref.rpartition("/")[2] for ref in references(document)} <= names

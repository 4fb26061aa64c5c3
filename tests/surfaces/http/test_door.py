"""Nobody from elsewhere comes in, no page of another site, and nobody without the token or our user id."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.surfaces.http.site import TOKEN, Site, site

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
ROUTES = [
    ("POST", "/hooks"),
    ("POST", "/v1/logs"),
    ("GET", "/api"),
    ("POST", "/api/notes/keep"),
    ("GET", "/events"),
    ("POST", "/mcp"),
    ("GET", "/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/nothing"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example.com"}, 421),
        ({"Host": "127.0.0.1.evil.example.com"}, 421),
        ({"Host": "localhost:1"}, 421),
        ({"Origin": "http://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_page_from_elsewhere_is_refused_on_every_route(
    served: Site, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async with served.client() as client:
        answer = await client.request(method, path, headers={**JSON, **headers}, content=b"{}")
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert served.hooks == []


async def test_a_page_cannot_ask_its_browser_for_leave(served: Site) -> None:
    asks = {"Origin": "http://evil.example.com", "Access-Control-Request-Method": "POST"}
    async with served.stranger() as client:
        answer = await client.request("OPTIONS", "/hooks", headers=asks)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/hooks", "/v1/logs", "/api/notes/keep"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_what_a_page_may_send_without_asking_is_no_request(served: Site, path: str, content_type: str) -> None:
    async with served.client() as client:
        answer = await client.post(path, headers={"Content-Type": content_type}, content=b'{"title":"x"}')
    assert answer.status_code == 415
    assert (served.hooks, served.batches, served.desk.notes) == ([], [], {})


async def test_both_names_of_this_machine_are_taken(served: Site) -> None:
    async with served.client() as client:
        for name in (f"127.0.0.1:{served.port}", f"localhost:{served.port}", f"LOCALHOST:{served.port}"):
            assert (await client.get("/api", headers={"Host": name})).status_code == 200
        own = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
        assert (await client.get("/api", headers=own)).status_code == 200


async def test_a_request_without_a_host_is_refused(served: Site) -> None:
    assert b" 421 " in (await served.raw(b"GET /healthz HTTP/1.0\r\n\r\n"))


@pytest.mark.parametrize("path", ["/api", "/openapi.json", "/events", "/mcp", "/api/notes/list", "/nothing"])
async def test_all_but_health_and_what_is_taken_in_needs_the_token(served: Site, path: str) -> None:
    async with served.stranger() as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["code"] == "token_needed"
        assert (await client.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {TOKEN}"},
        {"X-Claude-Code-Mcp-Token": TOKEN[:-1]},
        {"X-Claude-Code-Mcp-Token": "\u00e9"},
    ],
)
async def test_a_wrong_token_is_none(served: Site, headers: dict[str, str]) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    async with served.stranger() as client:
        assert (await client.get("/api", headers=raw)).status_code == 401


async def test_a_token_in_the_address_is_none(served: Site) -> None:
    async with served.stranger() as client:
        assert (await client.get(f"/api?token={TOKEN}&access_token={TOKEN}")).status_code == 401


@pytest.mark.parametrize("header", ["X-Claude-Code-Mcp-Token", "Authorization"])
async def test_the_token_opens(served: Site, header: str) -> None:
    value = TOKEN if header.startswith("X-") else f"bearer {TOKEN}"
    async with served.stranger() as client:
        assert (await client.get("/api", headers={header: value})).status_code == 200


async def test_hooks_of_the_same_user_need_no_token(served: Site) -> None:
    async with served.stranger() as client:
        answer = await client.post("/hooks", headers=JSON, content=b'{"a":1}')
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await client.post("/v1/logs", headers=JSON, content=b"{}")).json() == {}
    assert served.hooks == [b'{"a":1}']


async def test_a_wrong_token_is_refused_also_where_none_is_needed(served: Site) -> None:
    async with served.stranger() as client:
        answer = await client.post("/hooks", headers={**JSON, "X-Claude-Code-Mcp-Token": "wrong"}, content=b"{}")
    assert answer.status_code == 401


@pytest.mark.parametrize("uid", [os.getuid() + 1, None])
async def test_another_user_needs_the_token_for_hooks_too(tmp_path: Path, uid: int | None) -> None:
    asked: list[object] = []

    def lookup(client: object, server: object) -> int | None:
        asked.append((client, server))
        return uid

    async with site(tmp_path, lookup=lookup) as served:
        async with served.stranger() as client:
            for _ in range(3):
                assert (await client.post("/hooks", headers=JSON, content=b"{}")).status_code == 401
        assert len(asked) == 1, "a connection is looked up once"
        async with served.client() as client:
            assert (await client.post("/hooks", headers=JSON, content=b"{}")).status_code == 200
        assert len(served.hooks) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
async def test_a_process_of_another_user_is_told_from_ours(served: Site) -> None:
    head = f"POST /hooks HTTP/1.1\\r\\nHost: 127.0.0.1:{served.port}\\r\\nContent-Type: application/json"
    request = f"{head}\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{{}}"
    script = f"exec 3<>/dev/tcp/127.0.0.1/{served.port}; printf '{request}' >&3; read -r line <&3; echo $line"
    process = subprocess.Popen(["/bin/bash", "-c", script], user=65534, cwd="/", stdout=subprocess.PIPE)
    import anyio.to_thread

    said, _ = await anyio.to_thread.run_sync(process.communicate)
    assert b" 401 " in said
    assert served.hooks == []

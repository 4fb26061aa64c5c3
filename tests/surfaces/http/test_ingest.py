"""What hooks and telemetry send is taken, bounded, and answered as their senders expect."""

import asyncio
import gzip
import zlib
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.http.serving import Limits
from claude_code_mcp.surfaces.http.wire import BODY_BYTES
from tests.surfaces.http.site import TOKEN, Site, site

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
_REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"Invalid HTTP request received."
)


async def test_a_hook_is_answered_with_nothing(served: Site) -> None:
    async with served.stranger() as client:
        for number in range(5):
            answer = await client.post("/hooks", headers=JSON, content=b'{"n":%d}' % number)
            assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
        charset = {"Content-Type": "Application/JSON; charset=utf-8"}
        assert (await client.post("/hooks", headers=charset, content=b"{}")).status_code == 200
    assert served.hooks == [*(b'{"n":%d}' % number for number in range(5)), b"{}"]


async def test_a_hook_is_only_posted(served: Site) -> None:
    async with served.client() as client:
        for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
            assert (await client.request(method, "/hooks")).status_code == 405


async def test_many_requests_on_one_connection_sent_at_once_are_answered_in_order(served: Site) -> None:
    one = f"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
    requests = b"".join(f"{one}Content-Length: {len(str(number))}\r\n\r\n{number}".encode() for number in range(200))
    last = f"{one}Connection: close\r\nContent-Length: 3\r\n\r\nend".encode()
    assert (await served.raw(requests + last)).count(b"HTTP/1.1 200") == 201
    assert served.hooks == [*(str(number).encode() for number in range(200)), b"end"]


@pytest.mark.parametrize("sent", ["said", "chunked", "said wrongly"])
async def test_a_body_that_is_too_long_is_not_read_to_its_end(served: Site, sent: str) -> None:
    head = f"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
    if sent == "said":
        request = f"{head}Content-Length: {BODY_BYTES + 1}\r\n\r\n".encode()
    elif sent == "said wrongly":
        request = f"{head}Content-Length: {'9' * 15}\r\n\r\n".encode()
    else:
        chunk = b"x" * 65536
        request = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        request += (b"10000\r\n" + chunk + b"\r\n") * (BODY_BYTES // 65536 + 2)
    answer = await served.raw(request, until=b"too_large")
    assert b"HTTP/1.1 413" in answer
    assert b"connection: close" in answer.lower()
    assert served.hooks == []


async def test_the_longest_body_is_taken(served: Site) -> None:
    async with served.stranger() as client:
        body = b"x" * BODY_BYTES
        assert (await client.post("/hooks", headers=JSON, content=body)).status_code == 200
    assert served.hooks == [body]


async def test_a_body_that_breaks_off_is_nothing(served: Site) -> None:
    head = f"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f'{head}Content-Length: 100\r\n\r\n{{"a"'.encode())
    await writer.drain()
    writer.close()
    async with served.stranger() as client:
        assert (await client.post("/hooks", headers=JSON, content=b"{}")).status_code == 200
    assert served.hooks == [b"{}"]


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /hooks HT",
        b"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n",
        b"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    ],
)
async def test_who_is_slow_to_send_is_hung_up_on(tmp_path: Path, begun: bytes) -> None:
    async with site(tmp_path, limits=Limits(request_s=0.2, look_s=0.05)) as served:
        answer = await served.raw(begun % served.port if b"%d" in begun else begun)
        assert b" 408 " in answer
        async with asyncio.timeout(60):
            while served.server.connections:
                await asyncio.sleep(0.01)


async def test_a_connection_that_rests_between_requests_is_left_alone(tmp_path: Path) -> None:
    async with site(tmp_path, limits=Limits(request_s=0.1, look_s=0.02)) as served, served.stranger() as client:
        await client.post("/hooks", headers=JSON, content=b"{}")
        looks = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, looks.set)
        await looks.wait()
        assert served.server.connections == 1
        await client.post("/hooks", headers=JSON, content=b"{}")
    assert len(served.hooks) == 2


async def test_headers_without_end_are_refused(served: Site) -> None:
    flood = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * 200_000
    assert await served.raw(flood) in {b"", _REFUSED}  # what was not read yet may take the answer along
    async with served.stranger() as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_there_is_an_end_to_how_many_may_connect(tmp_path: Path) -> None:
    async with site(tmp_path, limits=Limits(connections=3)) as served:
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(3)]
        assert b" 503 " in await served.raw(b"GET /healthz HTTP/1.1\r\n\r\n")
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(60):
            while served.server.connections:
                await asyncio.sleep(0.01)
        async with served.stranger() as client:
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"])
async def test_what_is_no_http_is_refused(served: Site, garbage: bytes) -> None:
    assert b" 400 " in await served.raw(garbage + b"\r\n\r\n")


# --- OTLP


@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
@pytest.mark.parametrize("coding", ["", "identity", "gzip"])
async def test_a_batch_is_taken_packed_or_not(served: Site, signal: str, coding: str) -> None:
    body = gzip.compress(b'{"a":1}') if coding == "gzip" else b'{"a":1}'
    headers = {**JSON, **({"Content-Encoding": coding} if coding else {})}
    async with served.stranger() as client:
        answer = await client.post(f"/v1/{signal}", headers=headers, content=body)
    assert (answer.status_code, answer.json()) == (200, {})
    assert served.batches == [(signal, b'{"a":1}')]


async def test_protobuf_is_refused_with_what_to_set(served: Site) -> None:
    async with served.stranger() as client:
        answer = await client.post("/v1/logs", headers={"Content-Type": "application/x-protobuf"}, content=b"\x0a")
    assert answer.status_code == 415
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/json" in answer.json()["error"]["remedy"]


async def test_what_is_no_batch_is_answered_with_a_status(served: Site) -> None:
    async with served.stranger() as client:
        answer = await client.post("/v1/logs", headers=JSON, content=b"[]")
    assert (answer.status_code, answer.json()) == (400, {"code": 3, "message": "This is no batch."})


@pytest.mark.parametrize(
    ("signal", "field"),
    [("logs", "rejectedLogRecords"), ("traces", "rejectedSpans"), ("metrics", "rejectedDataPoints")],
)
async def test_what_was_not_understood_is_counted(served: Site, signal: str, field: str) -> None:
    async with served.stranger() as client:
        answer = await client.post(f"/v1/{signal}", headers=JSON, content=b'{"broken":1}')
    assert answer.json() == {"partialSuccess": {field: "2", "errorMessage": "these are none"}}


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"{}", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-6], 400),
        ("gzip", gzip.compress(b"x" * (BODY_BYTES + 1), mtime=0), 413),
        ("gzip", zlib.compress(b"{}"), 400),
    ],
)
async def test_packing_that_is_none_or_a_bomb_is_refused(served: Site, coding: str, body: bytes, status: int) -> None:
    headers = {**JSON, "Content-Encoding": coding, "Authorization": f"Bearer {TOKEN}"}
    async with served.stranger() as client:
        assert (await client.post("/v1/traces", headers=headers, content=body)).status_code == status
    assert served.batches == []

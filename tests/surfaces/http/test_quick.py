"""What is read in one go is read exactly as the HTTP library reads it, and everything else is left to that."""

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_code_mcp.surfaces.http.quick import posted
from tests.surfaces.http.site import Site

HEAD = b"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n"
PLAIN = HEAD + b"Content-Length: 2\r\n\r\n{}"


def by_the_library(data: bytes) -> tuple[bytes, dict[bytes, bytes], bytes, bytes]:
    """Return target, headers and body of the first request in `data`, and what is left, as h11 reads them."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return request.target, dict(request.headers), body, connection.trailing_data[0]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN * 3,
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Connection: Keep-Alive\r\nCONTENT-LENGTH:   2  \r\nX-Empty:\r\n\r\n{}GET / HTTP/1.1\r\n",
    ],
)
def test_a_plain_request_is_read(data: bytes) -> None:
    found = posted(data)
    assert found is not None
    target, heads, body, rest = by_the_library(data)
    assert (target, dict(found.heads), found.body, data[found.end :]) == (b"/hooks", heads, body, rest)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:-1],
        PLAIN[:40],
        PLAIN.replace(b"/hooks", b"/hooks?x=1"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"POST", b"post"),
        PLAIN.replace(b"\r\n", b"\n"),
        HEAD + b"\r\n{}",
        HEAD + b"Content-Length: +2\r\n\r\n{}",
        HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Length: 999999999\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nUpgrade: websocket\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\n folded\r\n\r\n{}",
        HEAD + b"Content-Length : 2\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nX: \x00\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nX: \xe9\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nX: a\rb\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nX: " + b"a" * 9000 + b"\r\n\r\n{}",
        b"\r\n" + PLAIN,
    ],
)
def test_what_is_not_plain_is_left_to_the_library(data: bytes) -> None:
    assert posted(data) is None


@given(
    st.lists(
        st.tuples(st.integers(0, len(PLAIN) - 1), st.sampled_from([b"", b"\r\n", b" ", b":", b"\t", b"\x00", b"a: b"])),
        max_size=4,
    ),
    st.binary(max_size=30),
)
@example([], b"")
def test_whatever_is_read_the_library_reads_alike(edits: list[tuple[int, bytes]], more: bytes) -> None:
    data = PLAIN
    for place, piece in edits:
        data = data[:place] + piece + data[place + (piece == b"") :]
    data += more
    found = posted(data)
    if found is None or b"host" not in found.heads:
        return
    target, heads, body, rest = by_the_library(data)
    assert (target, dict(found.heads), found.body, data[found.end :]) == (b"/hooks", heads, body, rest)


@pytest.mark.anyio
async def test_both_ways_answer_in_order_on_one_connection(served: Site) -> None:
    plain = HEAD.replace(b":1", b":%d" % served.port, 1)

    def hook(body: bytes, extra: bytes = b"") -> bytes:
        return plain + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body

    usual = b"X-Beyond: \xe9\r\n"
    sent = hook(b"1") + hook(b"2", usual) + hook(b"3") + hook(b"4", b"Connection: close\r\n")
    assert (await served.raw(sent)).count(b"HTTP/1.1 200") == 4
    assert served.hooks == [b"1", b"2", b"3", b"4"]


@pytest.mark.anyio
async def test_without_room_a_hook_waits_the_usual_way(served: Site) -> None:
    served.taken.full = True
    plain = HEAD.replace(b":1", b":%d" % served.port, 1)
    answer = await served.raw(plain + b"Connection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", until=b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert served.hooks == [b"{}"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Host: 127.0.0.1", b"Host: evil.example.com", b"421"),
        (b"application/json", b"text/plain", b"415"),
        (b"Content-Type", b"Origin: null\r\nContent-Type", b"403"),
        (b"Content-Type", b"X-Claude-Code-Mcp-Token: x\r\nContent-Type", b"401"),
    ],
)
async def test_the_door_is_the_same_both_ways(served: Site, old: bytes, new: bytes, status: bytes) -> None:
    plain = PLAIN.replace(b":1\r", b":%d\r" % served.port, 1).replace(old, new, 1)
    assert (await served.raw(plain, until=b"\r\n\r\n")).startswith(b"HTTP/1.1 " + status)
    assert served.hooks == []

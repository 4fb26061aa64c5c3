"""The one request that comes by the thousand, read in one go: a whole, plain `POST /hooks` in one piece of data.

Whatever is not exactly that (in pieces, chunked, with a header twice, with bytes beyond ASCII …) is left to the HTTP
library, which takes four times as long. So this may be narrower than the standard, never wider.
"""

import re

import msgspec

from claude_code_mcp.surfaces.http.wire import Heads

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
BEGINS = b"POST /hooks HTTP/1.1\r\n"
HEAD_BYTES = 8192
_HEAD = re.compile(rb"POST /hooks HTTP/1\.1(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\x20-\x7e]*)+\Z")
_LENGTH = re.compile(rb"\d{1,8}\Z")
_NOT_PLAIN = (b"transfer-encoding", b"expect", b"upgrade")


class Posted(msgspec.Struct, frozen=True):
    """A hook's request: its headers, its body, and where in the data it ends."""

    heads: Heads
    body: bytes
    end: int


def posted(data: bytes, start: int = 0) -> Posted | None:
    """Return the plain request that begins at `start` of `data`; None where there is none that is whole."""
    end = data.find(b"\r\n\r\n", start, start + HEAD_BYTES)
    if end < 0 or _HEAD.match(head := data[start:end]) is None:
        return None
    lines = head.split(b"\r\n")[1:]
    heads: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        heads[name.lower()] = value.strip(b" ")
    if len(heads) != len(lines) or not _plain(heads):
        return None
    begin = end + 4
    end = begin + int(heads[b"content-length"])
    return Posted(heads, data[begin:end], end) if end <= len(data) else None


def _plain(heads: Heads) -> bool:
    if _LENGTH.match(heads.get(b"content-length", b"")) is None:
        return False
    if heads.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return False
    return not any(name in heads for name in _NOT_PLAIN)

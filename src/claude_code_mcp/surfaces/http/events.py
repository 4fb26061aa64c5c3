"""`GET /events`: the event log as a stream (SSE) that can be taken up again where it broke off."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs

import msgspec

from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId, session_id
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import Followers, page
from claude_code_mcp.surfaces.http.errors import BadBody, TooManyStreams, WrongMethod
from claude_code_mcp.surfaces.http.parts import Parts
from claude_code_mcp.surfaces.http.wire import Heads, Receive, Scope, Send

PATH = "/events"
BEAT_S = 15.0
TOGETHER_S = 0.002
"""How long a follower waits for more once it was woken: what comes in a burst is sent in one piece."""
_PAGE = 100
_PAGE_BYTES = 1024 * 1024
_RING_EVENTS = 2000
_RING_BYTES = 8 * 1024 * 1024
_ENCODE = msgspec.json.Encoder().encode
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-accel-buffering", b"no"),
    ],
}
_KNOWN = frozenset({"after", "session_id", "kinds"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a follower wants: after which event, of which session, of which kinds (all where none is named)."""

    after: int
    session_id: SessionId | None = None
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Written:
    seq: int
    session_id: SessionId | None
    kind: str
    data: bytes


class Feed:
    """The newest events, each written out once for all who follow; older ones are read from the log.

    Nothing is queued for anybody: each follower reads after its own cursor, when its connection takes more.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ring: list[_Written] = []
        self._bytes = 0
        self._last = 0

    def read(self, cursor: int, wish: Wish) -> tuple[bytes, int]:
        """Return what follows `cursor`, as SSE, and the cursor to go on from; b"" where there is nothing more.

        A cursor that moved without a byte means that what came was not wanted.
        """
        self._fill()
        if self._ring and cursor >= self._ring[0].seq - 1:
            start = bisect_right(self._ring, cursor, key=_seq)
            found: Sequence[_Written] = self._ring[start : start + _PAGE]
            end = found[-1].seq if found else cursor
        else:
            found, end = self._older(cursor, wish)
        wanted: list[bytes] = []
        size = 0
        for one in found:
            if size > _PAGE_BYTES:
                return b"".join(wanted), cursor
            cursor = one.seq
            if wish.session_id in (None, one.session_id) and (not wish.kinds or one.kind in wish.kinds):
                wanted.append(one.data)
                size += len(one.data)
        return b"".join(wanted), end

    def forget(self) -> None:
        """Let go of what was written out; nobody follows any more."""
        self._ring, self._bytes = [], 0

    def _fill(self) -> None:
        """Write out what the log has had since the last time."""
        events = self._database.read(partial(page, after=self._last, limit=_PAGE)).events
        while events:
            if self._last == 0 or events[0].seq > self._last + 1:
                self.forget()
            self._ring += [_written(event) for event in events]
            self._bytes += sum(len(one.data) for one in self._ring[-len(events) :])
            self._last = events[-1].seq
            self._trim()
            events = self._database.read(partial(page, after=self._last, limit=_PAGE)).events

    def begin(self, newest: int) -> None:
        """Begin at the newest event where the last follower left long ago, or none was there yet."""
        if newest - self._last > _RING_EVENTS:
            self.forget()
            self._last = max(0, newest - _PAGE)

    def _trim(self) -> None:
        drop = 0
        while len(self._ring) - drop > _RING_EVENTS or (self._bytes > _RING_BYTES and drop < len(self._ring)):
            self._bytes -= len(self._ring[drop].data)
            drop += 1
        del self._ring[:drop]

    def _older(self, cursor: int, wish: Wish) -> tuple[Sequence[_Written], int]:
        """Return what is wanted after `cursor`, and how far that reaches: without more of it, to all that is known."""
        read = partial(page, after=cursor, session_id=wish.session_id, kinds=tuple(wish.kinds), limit=_PAGE)
        found = self._database.read(read)
        return [_written(event) for event in found.events], found.cursor if found.more else max(
            found.cursor, self._last
        )


def _seq(written: _Written) -> int:
    return written.seq


def _written(event: Recorded) -> _Written:
    data = b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.kind.encode(), _ENCODE(event))
    return _Written(event.seq, event.session_id, event.kind, data)


class Events:
    """The streams that are open."""

    def __init__(self, parts: Parts) -> None:
        self._followers: Followers = parts.followers
        self._feed = Feed(parts.database)
        self._most = parts.streams
        self._open: set[asyncio.Task[None]] = set()

    @property
    def streams(self) -> int:
        """How many clients follow now."""
        return len(self._open)

    async def serve(self, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        """Follow the log for one client until it leaves, or we do.

        Raises:
            WrongMethod, BadBody, Invalid: the request cannot be served.
            TooManyStreams: as many follow as may.
        """
        if scope["method"] != "GET":
            raise WrongMethod("Events are read.", remedy="Use GET.")
        wish = self._wish(scope["query_string"], heads)
        if len(self._open) >= self._most:
            raise TooManyStreams(f"{self._most} clients follow already.", remedy="Close one, or ask later.")
        await send(_START)
        loop = asyncio.get_running_loop()
        follow = loop.create_task(self._follow(wish, send))
        gone = loop.create_task(_hung_up(receive))
        self._open.add(follow)
        try:
            await asyncio.wait({follow, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(follow)
            gone.cancel()
            follow.cancel()
            if not self._open:
                self._feed.forget()
        if not follow.cancelled() and follow.done() and (failure := follow.exception()) is not None:
            raise failure
        await send({"type": "http.response.body", "body": b""})

    def close(self) -> None:
        """End all streams; their clients go on from their cursors with the next daemon."""
        for task in self._open:
            task.cancel()

    async def _follow(self, wish: Wish, send: Send) -> None:
        cursor = wish.after
        self._feed.begin(self._followers.newest)
        # The first bytes at once, so that the client knows it is heard, and where it begins.
        await send(_body(b"retry: 1000\nid: %d\n: cursor\n\n" % cursor))
        while True:
            data, cursor = self._feed.read(cursor, wish)
            if data:
                await send(_body(data))
            if cursor < self._followers.newest:
                await asyncio.sleep(0)  # a long history must not hold up the others
                continue
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._followers.grown(cursor, wish.session_id)
            except TimeoutError:
                await send(_body(b": %d\n\n" % cursor))
            else:
                await asyncio.sleep(TOGETHER_S)

    def _wish(self, query: bytes, heads: Heads) -> Wish:
        said = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
        unknown = sorted(set(said) - _KNOWN)
        if unknown:
            raise BadBody(f"{unknown[0][:80]!r} is not known here.", remedy="Use after, session_id and kinds.")
        last = heads.get(b"last-event-id", b"").decode("latin-1") or "".join(said.get("after", ())[-1:])
        if not last:
            after = self._followers.newest
        elif last.isascii() and last.isdigit() and len(last) < 19:
            after = int(last)
        else:
            raise BadBody(f"{last[:40]!r} is no cursor.", remedy="Give the `id` of the last event that you have.")
        wished = said.get("session_id")
        kinds = frozenset(kind for value in said.get("kinds", ()) for kind in value.split(",") if kind)
        return Wish(after, session_id(wished[0]) if wished else None, kinds)


def _body(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue

"""One client on one stream of lines: which requests run, which are cancelled, what we asked the client.

This stands where the SDK has its own dispatcher and stdio transport: the same duties, without a thread hop and a
pydantic model per message, and with bounds. A client may have `MOST_IN_FLIGHT` requests at work; notifications
cost no task; a client that does not read is not read from either, once a megabyte waits for it.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import anyio
import msgspec
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.message import MessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_REQUEST, REQUEST_TIMEOUT, ErrorData
from pydantic import ValidationError

from claude_code_mcp.surfaces.mcp import messages
from claude_code_mcp.surfaces.mcp.messages import Message, Refused, RequestId
from claude_code_mcp.surfaces.mcp.wire import LONGEST_LINE, Outbox, TooLong, lines

MOST_IN_FLIGHT = 1000
PARTING_S = 0.1
"""How long answers may still go out after the client closed its end: `printf … | claude-code-mcp` reads them."""
TURN = 64
"""Lines taken before running requests get their turn."""
TOO_BUSY = -32000
"""Our own code, in the range that JSON-RPC leaves to implementations."""
log = logging.getLogger(__name__)


class Server(Protocol):
    """What answers the requests of one client."""

    async def answer(
        self, line: "LineContext", method: str, params: dict[str, Any] | None
    ) -> Mapping[str, Any] | msgspec.Raw:
        """Return the result of a request, or raise what becomes its error."""
        ...

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        """Take a notification; it must not wait for the client."""
        ...


class LineContext:
    """One request of the client while it is answered (the SDK's `DispatchContext`)."""

    __slots__ = ("_cancel", "_dispatcher", "can_ask", "closed", "request_id", "token")

    def __init__(self, dispatcher: "LineDispatcher", request_id: RequestId | None, token: RequestId | None) -> None:
        self._dispatcher = dispatcher
        self._cancel: anyio.Event | None = None
        self.request_id = request_id
        self.token = token
        self.closed = False
        self.can_ask = True

    @property
    def transport(self) -> TransportContext:
        """What kind of transport this is."""
        return TransportContext(kind="stdio", can_send_request=self.can_ask)

    @property
    def message_metadata(self) -> MessageMetadata:
        """Nothing: a line carries only its message."""
        return None

    @property
    def can_send_request(self) -> bool:
        """Whether the client can be asked while this request runs."""
        return self.can_ask and not self.closed

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set here: a cancelled request's task is cancelled."""
        self._cancel = self._cancel or anyio.Event()
        return self._cancel

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client.

        Raises:
            NoBackChannelError: the protocol's era has no such requests, or the request is answered already.
            MCPError: the client answered with an error, or went away.
        """
        if not self.can_send_request:
            raise NoBackChannelError(method)
        return await self._dispatcher.send_raw_request(method, params, opts)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification while the request runs; waits while the client is slow."""
        if not self.closed:
            await self._dispatcher.notify(method, params, opts)

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell of progress, where the client asked for it; a client that does not read misses some."""
        if self.token is None or self.closed:
            return
        params: dict[str, Any] = {"progressToken": self.token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        self._dispatcher.cue("notifications/progress", params)


class LineDispatcher:
    """Reads a client's lines until it leaves; the SDK's `Outbound` towards it."""

    def __init__(self, writer: asyncio.StreamWriter, longest: int = LONGEST_LINE) -> None:
        self._outbox = Outbox(writer)
        self._longest = longest
        self._in_flight: dict[RequestId, asyncio.Task[None]] = {}
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._closed = False

    async def run(self, reader: asyncio.StreamReader, server: Server) -> None:
        """Serve until the stream ends, then stop whatever still waits."""
        try:
            async with asyncio.TaskGroup() as group:
                with contextlib.suppress(ConnectionError):
                    await self._read(reader, server, group)
                await self._part()
        finally:
            self._closed = True
            for future in self._asked.values():
                future.cancel()
            self._outbox.close()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client and return its result.

        Raises:
            MCPError: it answered with an error, took longer than `opts["timeout"]`, or went away.
        """
        if self._closed:
            raise MCPError(CONNECTION_CLOSED, "Connection closed")
        self._last_id += 1
        number = self._last_id
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        self._outbox.put(messages.request(number, method, params))
        answered = False
        try:
            async with asyncio.timeout((opts or {}).get("timeout")):
                result = await future
            answered = True
        except TimeoutError:
            raise MCPError(REQUEST_TIMEOUT, f"Request {method!r} timed out") from None
        except MCPError:
            answered = True
            raise
        finally:
            self._asked.pop(number, None)
            if not answered:
                self.cue("notifications/cancelled", {"requestId": number, "reason": "no longer needed"})
        return result

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification; waits while the client is slow."""
        del opts  # they are for transports with several streams
        await self._outbox.room()
        self._outbox.put(messages.notification(method, params))

    def cue(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification that may as well be missed: it is, while the client is slow."""
        if not self._outbox.full:
            self._outbox.put(messages.notification(method, params))

    async def _read(self, reader: asyncio.StreamReader, server: Server, group: asyncio.TaskGroup) -> None:
        async for batch in lines(reader, self._longest):
            for index, line in enumerate(batch, start=1):
                if isinstance(line, TooLong):
                    self._refuse(None, INVALID_REQUEST, f"Invalid request: longer than {self._longest} bytes")
                elif line.strip():
                    await self._take(line, server, group)
                if index % TURN == 0:
                    await asyncio.sleep(0)
                    await self._outbox.room()
            await self._outbox.room()

    async def _take(self, line: bytes, server: Server, group: asyncio.TaskGroup) -> None:
        try:
            message = messages.decode(line)
        except Refused as exc:
            self._refuse(exc.request_id, exc.code, exc.reason)
            return
        if message.method is None:
            self._answered(message)
        elif isinstance(message.id, int | str):
            task = self._begin(message, message.id, server, group)
            if message.method == "initialize" and task is not None:
                # What follows it must find the handshake done, even from a client that does not wait for it.
                await asyncio.wait([task])
        elif message.method == "notifications/cancelled":
            self._cancel((message.params or {}).get("requestId"))
        else:
            await server.notified(message.method, message.params)

    def _begin(
        self, message: Message, request_id: RequestId, server: Server, group: asyncio.TaskGroup
    ) -> asyncio.Task[None] | None:
        if request_id in self._in_flight:
            reason = f"Invalid request: id {str(request_id)[:60]} is in use by a request that still runs"
            self._refuse(None, INVALID_REQUEST, reason)
            return None
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            self._refuse(request_id, TOO_BUSY, f"{MOST_IN_FLIGHT} requests of this client are running; wait for some")
            return None
        task = self._in_flight[request_id] = group.create_task(self._run(message, request_id, server))
        # Not at the end of the task itself: one that is cancelled before its first step never gets there.
        task.add_done_callback(partial(self._ended, request_id))
        return task

    def _ended(self, request_id: RequestId, task: asyncio.Task[None]) -> None:
        if self._in_flight.get(request_id) is task:
            del self._in_flight[request_id]

    async def _run(self, message: Message, request_id: RequestId, server: Server) -> None:
        line = LineContext(self, request_id, _token(message.params))
        try:
            answer = await server.answer(line, str(message.method), message.params)
            out = messages.answer(request_id, answer)
        except (MCPError, ValidationError) as exc:
            out = messages.refusal(request_id, handler_exception_to_error_data(exc) or _unknown(""))
        except Exception:
            # What the client is told stays general: the cause is in the log.
            reference = secrets.token_hex(4)
            log.exception("%s failed (reference %s)", message.method, reference)
            out = messages.refusal(request_id, _unknown(reference))
        finally:
            line.closed = True
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            self._outbox.put(out)

    def _cancel(self, request_id: object) -> None:
        """Cancel a request of the client; some write the id as text, so both forms are looked for."""
        if not isinstance(request_id, int | str):
            return
        other: RequestId = str(request_id)
        if isinstance(request_id, str):
            other = int(request_id) if request_id.isascii() and request_id.isdigit() else request_id
        task = self._in_flight.get(request_id) or self._in_flight.get(other)
        if task is not None:
            task.cancel()

    def _answered(self, message: Message) -> None:
        """Take the client's answer to a request of ours; others are dropped."""
        number = int(message.id) if isinstance(message.id, str) and message.id.isdigit() else message.id
        future = self._asked.get(number) if isinstance(number, int) else None
        if future is None or future.done():
            return
        if isinstance(message.result, dict):
            future.set_result(message.result)
            return
        error = message.error if isinstance(message.error, dict) else {}
        code, said = error.get("code"), error.get("message")
        code = code if isinstance(code, int) else INTERNAL_ERROR
        future.set_exception(MCPError(code, said if isinstance(said, str) else "The client's answer is malformed"))

    def _refuse(self, request_id: RequestId | None, code: int, reason: str) -> None:
        self._outbox.put(messages.refusal(request_id, ErrorData(code=code, message=reason)))

    async def _part(self) -> None:
        self._closed = True
        running = list(self._in_flight.values())
        if running:
            await asyncio.wait(running, timeout=PARTING_S)
        for task in self._in_flight.values():
            task.cancel()


def _token(params: Mapping[str, Any] | None) -> RequestId | None:
    meta = params.get("_meta") if params else None
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, int | str) and not isinstance(token, bool) else None


def _unknown(reference: str) -> ErrorData:
    return ErrorData(code=INTERNAL_ERROR, message=f"Internal error; the log has the cause under {reference}")

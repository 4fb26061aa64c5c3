"""The ASGI application: the door first, then the route."""

import logging

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.surfaces.http.api import Api
from claude_code_mcp.surfaces.http.door import PEER, Door, Peer
from claude_code_mcp.surfaces.http.errors import ClientGone
from claude_code_mcp.surfaces.http.events import PATH as EVENTS
from claude_code_mcp.surfaces.http.events import Events
from claude_code_mcp.surfaces.http.ingest import HOOKS, Ingest, telemetry_signal
from claude_code_mcp.surfaces.http.parts import Parts
from claude_code_mcp.surfaces.http.wire import Heads, Receive, Scope, Send, answer, answer_error, need_json

HEALTH = "/healthz"
MCP = "/mcp"
log = logging.getLogger(__name__)


class HttpApp:
    """All routes. Nothing of a request is read before the door has let it in."""

    def __init__(self, parts: Parts, door: Door) -> None:
        self._door = door
        self._ingest = Ingest(parts)
        self._api = Api(parts)
        self._events = Events(parts)
        self._mcp = parts.mcp
        self._hook = parts.hook
        self._answered = 0
        self._open = 0

    @property
    def answered(self) -> int:
        """How many requests were answered until now."""
        return self._answered

    @property
    def open(self) -> int:
        """How many requests are being answered now, streams among them."""
        return self._open

    def close(self) -> None:
        """Break off what waits; nothing that was started is undone."""
        self._api.close()
        self._events.close()

    def take_now(self, heads: Heads, body: bytes, peer: Peer) -> bool:
        """Take a hook whose request is whole, and tell whether that was possible; if not, nothing happened."""
        try:
            self._door.check_address(heads)
            self._door.check_same_user(heads, peer)
            need_json(heads)
        except ClaudeCodeMcpError:
            return False  # it comes again the usual way, which answers with what is wrong
        if not self._hook.now(body):
            return False
        self._answered += 1
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        heads: Heads = dict(scope["headers"])
        self._open += 1
        try:
            await self._route(scope, heads, receive, send)
        except ClientGone:
            log.debug("a client hung up in the middle of its request")
        except ClaudeCodeMcpError as exc:
            await answer_error(send, exc)
        except Exception:
            reference = uuid7()
            log.exception("%s %s failed [%s]", scope["method"], scope["path"], reference)
            await answer_error(send, ClaudeCodeMcpError(f"Something inside went wrong ({reference})."))
        finally:
            self._open -= 1
            self._answered += 1

    async def _route(self, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        self._door.check_address(heads)
        path = scope["path"]
        if path == HOOKS:
            self._door.check_same_user(heads, scope["state"][PEER])
            await self._ingest.hook(scope, heads, receive, send)
        elif (signal := telemetry_signal(scope)) is not None:
            self._door.check_same_user(heads, scope["state"][PEER])
            await self._ingest.telemetry(signal, heads, receive, send)
        elif path == HEALTH:
            await answer(send, 200, b'{"status":"ok"}')
        else:
            self._door.check_token(heads)
            await self._behind_the_token(path, scope, heads, receive, send)

    async def _behind_the_token(self, path: str, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        if path == EVENTS:
            await self._events.serve(scope, heads, receive, send)
        elif path == MCP:
            await self._mcp(scope, receive, send)
        else:
            await self._api.serve(scope, heads, receive, send)

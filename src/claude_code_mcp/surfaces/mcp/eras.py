"""The two eras of the protocol on one stream: the client's first request decides, once.

A request with the 2026-07-28 envelope opens the stateless era, anything else the handshake era; a later claim of
the other era is refused (the same rule, and the same words, as the SDK's own dual-era loop). `tools/call` takes a
short way: it is validated by the SDK's models, then run and encoded here. Everything else is the SDK runner's.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.server.connection import Connection, NotifyOnlyOutbound
from mcp.server.lowlevel.server import Server as SdkServer
from mcp.server.runner import ServerRunner, aclose_shielded, serve_one
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import InboundLadderRejection, InboundModernRoute, classify_inbound_request
from mcp_types import (
    INVALID_REQUEST,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
    UNSUPPORTED_PROTOCOL_VERSION,
    UnsupportedProtocolVersionErrorData,
)
from mcp_types.methods import validate_client_request
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from claude_code_mcp.surfaces.mcp.call import Abilities
from claude_code_mcp.surfaces.mcp.calls import Link, wish
from claude_code_mcp.surfaces.mcp.dispatcher import LineContext, LineDispatcher
from claude_code_mcp.surfaces.mcp.exchanges import abilities_of

Answer = Mapping[str, Any] | msgspec.Raw


class LineExchange:
    """A tool call's view of the line that it answers."""

    __slots__ = ("_line", "abilities")

    def __init__(self, line: LineContext, abilities: Abilities) -> None:
        self._line = line
        self.abilities = abilities

    @property
    def wants_progress(self) -> bool:
        """Whether the client asked for progress."""
        return self._line.token is not None

    async def progress(self, done: float, message: str) -> None:
        """Send one progress notification."""
        await self._line.progress(done, None, message)

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification while the call runs."""
        await self._line.notify(method, params)

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the client."""
        return await self._line.send_raw_request(method, params)


class Handshake:
    """The era of `initialize`: the client says once who it is."""

    def __init__(self, server: SdkServer[Any], dispatcher: LineDispatcher, link: Link) -> None:
        self._dispatcher = dispatcher
        self._connection = Connection.for_loop(dispatcher)
        self._runner = ServerRunner(server, self._connection, link)
        self._link = link
        self._abilities = Abilities()

    async def answer(self, line: LineContext, method: str, params: dict[str, Any] | None) -> Answer:
        """Answer one request.

        Raises:
            MCPError: what the client is told instead.
        """
        if method != "initialize" and _has_envelope(params):
            raise MCPError(
                INVALID_REQUEST,
                "this connection serves the handshake protocol era; "
                "requests carrying the 2026-07-28 envelope are not accepted on it",
            )
        version = self._connection.protocol_version
        if method == "tools/call" and self._connection.initialize_accepted:
            validate_client_request(method, version, params)
            return await self._link.answer(LineExchange(line, self._abilities), wish(params or {}))
        listed = _list_key(method, version, params) if self._connection.initialize_accepted else None
        if listed in self._link.ready:
            return self._link.ready[listed]
        result = await self._runner.on_request(line, method, params)
        if method == "initialize":
            self._introduced()
        return _kept(self._link, listed, result)

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        """Take a notification; only the end of the handshake means something to us."""
        if method == "notifications/initialized":
            await self._runner.on_notify(LineContext(self._dispatcher, None, None), method, params)

    async def close(self) -> None:
        """Undo what the connection set up."""
        await aclose_shielded(self._connection)

    def _introduced(self) -> None:
        declared = self._connection.client_params
        if declared is not None:
            self._link.client.name(declared.client_info.name, declared.client_info.version)
            raw = declared.capabilities.model_dump(by_alias=True, mode="json", exclude_none=True)
            self._abilities = abilities_of(raw, modern=False)


class Stateless:
    """The era of 2026-07-28: every request says what the client can."""

    def __init__(self, server: SdkServer[Any], dispatcher: LineDispatcher, link: Link) -> None:
        self._server = server
        self._outbound = NotifyOnlyOutbound(dispatcher)
        self._link = link
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        self._declared: object = None
        self._abilities = Abilities(modern=True)

    async def answer(self, line: LineContext, method: str, params: dict[str, Any] | None) -> Answer:
        """Answer one request.

        Raises:
            MCPError: what the client is told instead.
        """
        line.can_ask = False
        if method == "initialize":
            raise MCPError(
                UNSUPPORTED_PROTOCOL_VERSION,
                "connection is serving the 2026-07-28 protocol; the initialize handshake is not accepted",
                _versions((params or {}).get("protocolVersion")),
            )
        route = classify_inbound_request({"method": method, "params": params})
        if isinstance(route, InboundLadderRejection):
            raise MCPError(route.code, route.message, route.data)
        version = route.protocol_version
        if method == "tools/call":
            validate_client_request(method, version, params)
            return await self._called(LineExchange(line, self._known(route)), params or {})
        listed = _list_key(method, version, params)
        if listed in self._link.ready:
            validate_client_request(method, version, params)
            return self._link.ready[listed]
        connection = Connection.from_envelope(
            version, route.client_info, route.client_capabilities, outbound=self._outbound
        )
        result = await serve_one(self._server, line, method, params, connection=connection, lifespan_state=self._link)
        return _kept(self._link, listed, result)

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        """Take a notification; none but `cancelled` is defined here, and that never comes this far."""

    async def close(self) -> None:
        """Nothing outlives a request."""

    async def _called(self, exchange: LineExchange, params: Mapping[str, Any]) -> Answer:
        result = await self._link.answer(exchange, wish(params))
        result.setdefault("resultType", "complete")
        result["_meta"] = {**result.get("_meta", {}), **self._stamp}
        return result

    def _known(self, route: InboundModernRoute) -> Abilities:
        """Return the request's abilities; clients repeat theirs, so equal ones are worked out once."""
        if route.client_capabilities != self._declared:
            self._declared = route.client_capabilities
            raw = self._declared if isinstance(self._declared, Mapping) else None
            self._abilities = abilities_of(raw, modern=True)
        if isinstance(route.client_info, Mapping):
            self._link.client.name(route.client_info.get("name"), route.client_info.get("version"))
        return self._abilities


class DualEra:
    """Decides by the first request, and passes everything on."""

    def __init__(self, server: SdkServer[Any], dispatcher: LineDispatcher, link: Link) -> None:
        self._parts = (server, dispatcher, link)
        self._era: Handshake | Stateless | None = None

    async def answer(self, line: LineContext, method: str, params: dict[str, Any] | None) -> Answer:
        """Answer one request in the connection's era."""
        if self._era is None:
            modern = method != "initialize" and _has_envelope(params)
            self._era = Stateless(*self._parts) if modern else Handshake(*self._parts)
        return await self._era.answer(line, method, params)

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        """Take a notification; before the first request it is of no era, and dropped."""
        if self._era is not None:
            await self._era.notified(method, params)

    async def close(self) -> None:
        """Undo what the connection set up."""
        if self._era is not None:
            await self._era.close()


def _has_envelope(params: Mapping[str, Any] | None) -> bool:
    meta = params.get("_meta") if params else None
    return isinstance(meta, Mapping) and PROTOCOL_VERSION_META_KEY in meta


def _versions(requested: object) -> dict[str, Any]:
    supported = list(MODERN_PROTOCOL_VERSIONS)
    if not isinstance(requested, str):
        return {"supported": supported}
    return UnsupportedProtocolVersionErrorData(supported=supported, requested=requested).model_dump(mode="json")


def _list_key(method: str, version: str, params: Mapping[str, Any] | None) -> str | None:
    """Name the lists that are the same for every request of a connection."""
    return version if method == "tools/list" and not (params or {}).get("cursor") else None


def _kept(link: Link, key: str | None, result: dict[str, Any]) -> Answer:
    if key is not None:
        link.ready[key] = msgspec.Raw(msgspec.json.encode(result))
    return result

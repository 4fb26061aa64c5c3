"""The client's side of a call, over our own lines and over the SDK's transports."""

from collections.abc import Mapping
from typing import Any, cast

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import RootModel

from claude_code_mcp.surfaces.mcp.call import Abilities
from claude_code_mcp.surfaces.mcp.task_store import TASKS_EXTENSION


def abilities_of(capabilities: Mapping[str, Any] | None, *, modern: bool) -> Abilities:
    """Return what a client's capabilities (in wire form) mean for calls.

    An `elicitation` that names no mode means forms, as it did before there were modes.
    """
    declared = capabilities or {}
    elicitation, extensions = declared.get("elicitation"), declared.get("extensions")
    return Abilities(
        elicits=isinstance(elicitation, Mapping) and (not elicitation or "form" in elicitation),
        tasks=modern and isinstance(extensions, Mapping) and TASKS_EXTENSION in extensions,
        modern=modern,
        raw=declared,
    )


class _AnyResult(RootModel[dict[str, Any]]):
    """A result of whatever shape; the asking side checks it."""


class SdkExchange:
    """A request as the SDK's runner hands it to a handler."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self.ctx = ctx
        declared = ctx.session.client_capabilities
        raw = declared.model_dump(by_alias=True, mode="json", exclude_none=True) if declared is not None else None
        self.abilities = abilities_of(raw, modern=ctx.protocol_version in MODERN_PROTOCOL_VERSIONS)

    @property
    def wants_progress(self) -> bool:
        """Whether the client asked for progress."""
        return bool(self.ctx.meta) and "progress_token" in (self.ctx.meta or {})

    async def progress(self, done: float, message: str) -> None:
        """Send one progress notification."""
        await self.ctx.session.report_progress(done, None, message)

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification on the request's own stream."""
        body = types.Notification[dict[str, Any], str](method=method, params=dict(params))
        # The SDK only sends what it is given; its type names the notifications of the specification.
        await self.ctx.session.send_notification(cast("types.ServerNotification", body), self.ctx.request_id)

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the client, on the request's own stream where the transport has such."""
        body = types.Request[dict[str, Any], str](method=method, params=dict(params))
        answer = await self.ctx.session.send_request(
            cast("types.ServerRequest", body),
            _AnyResult,
            metadata=ServerMessageMetadata(related_request_id=self.ctx.request_id),
        )
        return answer.root

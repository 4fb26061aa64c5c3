"""The resources of all providers, as the protocol's list, templates and read."""

import base64
from collections.abc import Sequence
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, NotFound
from claude_code_mcp.kernel.resource import ResourceContent, ResourceProvider

NOT_FOUND_HANDSHAKE_ERA = -32002
"""The handshake era's own code for a resource that is not there; 2026-07-28 uses invalid params."""


class Resources:
    """Reads from the providers, in their order."""

    def __init__(self, providers: Sequence[ResourceProvider]) -> None:
        self._providers = providers

    async def listed(self) -> dict[str, Any]:
        """Return the result of `resources/list`."""
        found = [resource for provider in self._providers for resource in await provider.resources()]
        return {
            "resources": [
                {"uri": item.uri, "name": item.name, "description": item.description, "mimeType": item.mime_type}
                for item in found
            ]
        }

    def templates(self) -> dict[str, Any]:
        """Return the result of `resources/templates/list`."""
        return {
            "resourceTemplates": [
                {
                    "uriTemplate": item.uri_template,
                    "name": item.name,
                    "description": item.description,
                    "mimeType": item.mime_type,
                }
                for provider in self._providers
                for item in provider.templates
            ]
        }

    async def read(self, uri: str, *, modern: bool) -> dict[str, Any]:
        """Return the result of `resources/read`.

        Raises:
            MCPError: nothing stands at `uri`, or it cannot be read now.
        """
        try:
            for provider in self._providers:
                contents = await provider.read(uri)
                if contents is not None:
                    return {"contents": [_content(content) for content in contents]}
        except NotFound as exc:
            raise _missing(uri, str(exc), modern=modern) from exc
        except ClaudeCodeMcpError as exc:
            raise MCPError(INVALID_PARAMS, f"{exc.code}: {exc}", {"uri": uri}) from exc
        raise _missing(uri, "Resource not found", modern=modern)


def _missing(uri: str, message: str, *, modern: bool) -> MCPError:
    return MCPError(INVALID_PARAMS if modern else NOT_FOUND_HANDSHAKE_ERA, message, {"uri": uri})


def _content(content: ResourceContent) -> dict[str, Any]:
    wire: dict[str, Any] = {"uri": content.uri, "mimeType": content.mime_type}
    if isinstance(content.body, str):
        wire["text"] = content.body
    else:
        wire["blob"] = base64.b64encode(content.body).decode()
    return wire

"""Our surface with the suite's fixtures over HTTP: `python -m tests.surfaces.mcp.conformance.server`."""

import asyncio
import base64
import json
import re
import socket
from collections.abc import Sequence

import uvicorn
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Surface
from claude_code_mcp.kernel.resource import Resource, ResourceContent, ResourceTemplate
from claude_code_mcp.surfaces.mcp.http import PATH, build_app
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.tasks import TaskOptions
from claude_code_mcp.surfaces.mcp.updates import Updates
from tests.surfaces.mcp.conformance.prompts import add_prompts
from tests.surfaces.mcp.conformance.tools import PNG, content_tools, question_tools, task_tools, trigger_tools

_TEMPLATE = re.compile(r"test://template/([^/]+)/data\Z")


class TestResources:
    """The suite's resources."""

    __test__ = False
    templates = (ResourceTemplate("test://template/{id}/data", "Resource Template", "A template", "application/json"),)

    async def resources(self) -> Sequence[Resource]:
        return [
            Resource("test://static-text", "Static Text Resource", "A static text resource for testing"),
            Resource("test://static-binary", "Static Binary Resource", "A static image", "image/png"),
            Resource("test://watched-resource", "Watched Resource", "A resource that can be subscribed to"),
        ]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        template = _TEMPLATE.match(uri)
        if template:
            name = template.group(1)
            body = json.dumps({"id": name, "templateTest": True, "data": f"Data for ID: {name}"})
            return [ResourceContent(uri, body, "application/json")]
        match uri:
            case "test://static-text":
                return [ResourceContent(uri, "This is the content of the static text resource.")]
            case "test://static-binary":
                return [ResourceContent(uri, base64.b64decode(PNG), "image/png")]
            case "test://watched-resource":
                return [ResourceContent(uri, "Watched resource content")]
            case _:
                return None


class MemoryEvents(EventStore):
    """Lets a client of the handshake era take up a stream again."""

    def __init__(self) -> None:
        self._events: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        after = int(last_event_id)
        if not 0 < after <= len(self._events):
            return None
        stream_id = self._events[after - 1][0]
        for number, (stream, message) in enumerate(self._events[after:], start=after + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


async def main() -> None:
    """Serve on a free port of loopback, after printing the URL, until killed."""
    updates = Updates()
    parts = Parts(
        catalog=Catalog(),
        context=lambda caller: caller,
        version="1.0.0",
        resources=(TestResources(),),
        updates=updates,
        task_options=TaskOptions(grace_s=0.2, poll_ms=200),
        tools=[*content_tools(), *question_tools(), *task_tools(), *trigger_tools(updates)],
    )
    caller = Caller(cwd="/", surface=Surface.MCP)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    async with McpSurface(parts) as surface:
        app = build_app(surface, caller, ConnectionOptions("full"), events=MemoryEvents(), extend=add_prompts)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=75))
        print(f"http://127.0.0.1:{sock.getsockname()[1]}{PATH}", flush=True)
        await server.serve(sockets=[sock])


if __name__ == "__main__":
    asyncio.run(main())

"""The same server over Streamable HTTP, both eras, on the SDK's own transport.

Only for loopback so far: requests whose `Host` or `Origin` is not this machine are refused (421, 403), so that a
page in a browser cannot reach us by a name that resolves here (DNS rebinding).
"""

from collections.abc import Callable

from mcp.server.lowlevel.server import Server as SdkServer
from mcp.server.streamable_http import EventStore
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.surfaces.mcp.calls import Link
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface

PATH = "/mcp"
_HERE = ("127.0.0.1", "localhost", "[::1]")


def build_app(
    surface: McpSurface,
    caller: Caller,
    options: ConnectionOptions,
    *,
    events: EventStore | None = None,
    extend: Callable[[SdkServer[Link]], None] = lambda _: None,
) -> Starlette:
    """Return the ASGI application; `surface` must be open while it serves.

    Every client of the application is `caller` and gets the same tools. `events` lets clients of the handshake
    era take up a stream again; `extend` may add handlers (the conformance fixtures do).

    Raises:
        UnknownProfile: `options` name tools that there are not.
    """
    server = surface.server(surface.link(caller, options))
    extend(server)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        event_store=events,
        retry_interval=500 if events is not None else None,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[f"{host}:*" for host in _HERE] + list(_HERE),
            allowed_origins=[f"http://{host}:*" for host in _HERE],
        ),
    )

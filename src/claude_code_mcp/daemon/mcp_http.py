"""MCP over HTTP in the daemon: the SDK's own transport, built when the first client of its kind comes."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from claude_code_mcp.kernel.caller import Caller

if TYPE_CHECKING:  # imported when the first client comes, as in mcp_host
    from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
    from claude_code_mcp.surfaces.mcp.surface import McpSurface

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]
MOST_KINDS = 16
"""How many combinations of profile and toolsets are served at once."""


class McpOverHttp:
    """Serves `/mcp`; `?profile=` and `?toolsets=` choose the tools, as the flags of `serve` do."""

    def __init__(self, surface: Callable[[], Awaitable["McpSurface"]], caller: Caller) -> None:
        self._surface = surface
        self._caller = caller
        self._apps: dict[ConnectionOptions, asyncio.Future[AsgiApp]] = {}
        self._lives: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            UnknownProfile: the address names tools that there are not, or too many choices are served already.
        """
        app = await self._app(scope["query_string"].decode("latin-1"))
        await app(scope, receive, send)

    async def close(self) -> None:
        """End the sessions of all clients."""
        self._closing.set()
        if self._lives:
            await asyncio.wait(self._lives, timeout=5)

    async def _app(self, query: str) -> AsgiApp:
        surface = await self._surface()
        from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions, UnknownProfile  # noqa: PLC0415 - as above

        said = {name: values[-1] for name, values in parse_qs(query).items() if name in {"profile", "toolsets"}}
        options = ConnectionOptions.of(said)
        if options not in self._apps:
            if len(self._apps) >= MOST_KINDS:
                raise UnknownProfile("Too many choices of tools are served.", remedy="Use one that is in use already.")
            surface.toolbox(options)
            built: asyncio.Future[AsgiApp] = asyncio.get_running_loop().create_future()
            self._apps[options] = built
            self._lives.append(asyncio.get_running_loop().create_task(self._live(surface, options, built)))
        return await asyncio.shield(self._apps[options])

    async def _live(self, surface: "McpSurface", options: "ConnectionOptions", built: asyncio.Future[AsgiApp]) -> None:
        """Keep one application open until we close: the SDK's sessions live in the task that opened them."""
        from claude_code_mcp.surfaces.mcp.http import build_app  # noqa: PLC0415 - see the module

        try:
            app = build_app(surface, self._caller, options)
            async with app.router.lifespan_context(app):
                built.set_result(app)
                await self._closing.wait()
        finally:
            self._apps.pop(options, None)
            built.cancel()  # nobody may wait for what will not be there

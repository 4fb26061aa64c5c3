"""The surface itself: what the application builds once, and each connection is served by."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self

from mcp.server.caching import CacheHint
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.lowlevel.server import Server as SdkServer
from mcp.server.models import InitializationOptions

from claude_code_mcp.kernel.caller import Caller, Invocation
from claude_code_mcp.kernel.clock import Clock, SystemClock
from claude_code_mcp.kernel.operation import Catalog
from claude_code_mcp.kernel.resource import ResourceProvider
from claude_code_mcp.surfaces.mcp.call import Call, Client
from claude_code_mcp.surfaces.mcp.calls import Calls, Link, run_rest
from claude_code_mcp.surfaces.mcp.dispatcher import LineDispatcher
from claude_code_mcp.surfaces.mcp.eras import DualEra
from claude_code_mcp.surfaces.mcp.handlers import Handlers
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions, select
from claude_code_mcp.surfaces.mcp.questions import Questions
from claude_code_mcp.surfaces.mcp.resources import Resources
from claude_code_mcp.surfaces.mcp.task_store import TASKS_EXTENSION, MemoryTaskStore, TaskStore
from claude_code_mcp.surfaces.mcp.tasks import TaskOptions, Tasks
from claude_code_mcp.surfaces.mcp.toolbox import Toolbox
from claude_code_mcp.surfaces.mcp.tools import Result, Tool, operation_tool
from claude_code_mcp.surfaces.mcp.updates import Updates
from claude_code_mcp.surfaces.mcp.workers import Workers

_MOST_TOOLBOXES = 64
_LIST_FRESH_MS = 300_000
"""How long a client may keep the tool list: it changes only with our version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the surface is built from.

    `context` makes what operations get as `ctx`. `instructions` (under 150 words) tell a model how to begin.
    `state_key`: at least 32 random bytes that outlive a restart, so that an answer which comes after one still
    counts. `tools` are shown besides the catalog's. Tell `updates` what changed.
    """

    catalog: Catalog
    context: Callable[[Caller], Any]
    version: str
    instructions: str = ""
    resources: Sequence[ResourceProvider] = ()
    updates: Updates = field(default_factory=Updates)
    tasks: TaskStore = field(default_factory=MemoryTaskStore)
    task_options: TaskOptions = field(default_factory=TaskOptions)
    state_key: bytes | None = None
    tools: Sequence[Tool] = ()
    clock: Clock = field(default_factory=SystemClock)


class _Server(SdkServer[Link]):
    """The SDK's server with what it announces in the handshake era: no extension, but new resources."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        changes = notification_options or NotificationOptions(resources_changed=True)
        return super().create_initialization_options(changes, experimental_capabilities, extensions or {})


class McpSurface:
    """Serves MCP. Use it as an async context manager: tasks and parked calls live as long as it is open."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._toolboxes: dict[ConnectionOptions, Toolbox] = {}
        self._tool = cache(lambda name: operation_tool(parts.catalog[name]))  # few are ever asked for by that name
        self._workers = Workers()
        self._questions = Questions(parts.state_key)
        self._tasks = Tasks(parts.tasks, parts.updates, parts.clock, parts.task_options)
        self._calls = Calls(self._questions, self._tasks, self._tool)
        self._handlers = Handlers(Resources(parts.resources), parts.updates, self._tasks, self._workers)
        self._line_server = self.server()

    async def __aenter__(self) -> Self:
        await self._workers.__aenter__()
        self._tasks.opened(self._workers, self._rest)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._questions.close()
        await self._workers.__aexit__(kind, exc, trace)

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        caller: Caller,
        options: ConnectionOptions,
    ) -> None:
        """Serve one client on a stream of JSON lines until it leaves; `caller` is who it is, without hooks.

        The writer is left open. Cancelling ends the connection's waits, not what they wait for.

        Raises:
            UnknownProfile: `options` name tools that there are not; nothing was read.
        """
        link = self.link(caller, options)
        dispatcher = LineDispatcher(writer)
        era = DualEra(self._line_server, dispatcher, link)
        try:
            await dispatcher.run(reader, era)
        finally:
            self._questions.leave(link.client)
            await era.close()

    def link(self, caller: Caller, options: ConnectionOptions) -> Link:
        """Return what a connection's handlers work with.

        Raises:
            UnknownProfile: `options` name tools that there are not.
        """
        client = Client(
            Caller(
                cwd=caller.cwd,
                surface=caller.surface,
                client=caller.client,
                env=caller.env,
                stream=options.stream,
                session=caller.session,
            ),
            self._parts.context,
            options.stream_method,
        )
        toolbox = self.toolbox(options)
        return Link(client, toolbox, self._calls, toolbox.ready)

    def toolbox(self, options: ConnectionOptions) -> Toolbox:
        """Return the tools of a profile, built once.

        Raises:
            UnknownProfile: `options` name tools that there are not.
        """
        known = self._toolboxes.get(options)
        if known is None:
            if len(self._toolboxes) >= _MOST_TOOLBOXES:
                self._toolboxes.clear()
            known = self._toolboxes[options] = self._toolbox(options)
        return known

    def server(self, link: Link | None = None) -> SdkServer[Link]:
        """Return an SDK server with our handlers; `link` is what its transports share, as HTTP's do."""

        @asynccontextmanager
        async def shared(_: SdkServer[Link]) -> AsyncGenerator[Link]:
            if link is None:
                raise RuntimeError("this server is driven line by line, with a link for each connection")
            yield link

        server = _Server(
            "claude-code-mcp",
            version=self._parts.version,
            title="Claude Code",
            instructions=self._parts.instructions or None,
            lifespan=shared,
            cache_hints={
                "tools/list": CacheHint(_LIST_FRESH_MS, "public"),
                "server/discover": CacheHint(_LIST_FRESH_MS, "public"),
                "resources/templates/list": CacheHint(_LIST_FRESH_MS, "public"),
                "prompts/list": CacheHint(_LIST_FRESH_MS, "public"),
                "resources/list": CacheHint(0, "private"),
                "resources/read": CacheHint(0, "private"),
            },
            get_tool_input_schema=link.toolbox.schema if link is not None else None,
        )
        # Spans for each message cost more than the messages, and nothing here exports them.
        server.middleware.clear()
        server.extensions = {TASKS_EXTENSION: {}}
        self._handlers.register(server)
        return server

    def _toolbox(self, options: ConnectionOptions) -> Toolbox:
        chosen = select(self._parts.catalog, options)
        # Clients that load tools late are given `full`; for the others hints would only cost tokens.
        full = options.profile == "full"
        names = {self._parts.catalog[op.name].tool: op.tool for op in chosen.shown}
        other = {usual: here for usual, here in names.items() if usual != here}
        shown = [operation_tool(op, pinned=full and op.hints.core, hinted=full, names=other) for op in chosen.shown]
        return Toolbox((*shown, *self._parts.tools), [operation_tool(op) for op in chosen.found])

    async def _rest(self, rest: Invocation, call: Call) -> Result:
        return await run_rest(self._tool(rest.operation), rest, call)

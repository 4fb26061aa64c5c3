"""The SDK server's handlers: each turns a request of the protocol into a call of a part of ours.

Tools, resources, subscriptions of both eras, and the task methods. Results are dicts in wire form; the SDK
validates them against the connection's version and leaves out what that version does not know.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server as SdkServer
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    CallToolRequestParams,
    NotificationParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    RequestParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from claude_code_mcp.surfaces.mcp.calls import Link, missing_tasks, wish
from claude_code_mcp.surfaces.mcp.exchanges import SdkExchange
from claude_code_mcp.surfaces.mcp.resources import Resources
from claude_code_mcp.surfaces.mcp.tasks import Tasks
from claude_code_mcp.surfaces.mcp.updates import MOST_WATCHED, Kind, Topic, Updates, Watch
from claude_code_mcp.surfaces.mcp.workers import Workers

Context = ServerRequestContext[Link, Any]
Result = dict[str, Any]
_WATCH = "claude_code_mcp.watch"
_LISTS = ("tools", "prompts", "resources")


class TaskParams(RequestParams):
    """Parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str = Field(alias="taskId")


class UpdateTaskParams(TaskParams):
    """Parameters of `tasks/update`."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class Handlers:
    """Answers for every connection; what differs between them comes with the context's `Link`."""

    def __init__(self, resources: Resources, updates: Updates, tasks: Tasks, workers: Workers) -> None:
        self._resources = resources
        self._updates = updates
        self._tasks = tasks
        self._workers = workers

    def register(self, server: SdkServer[Link]) -> None:
        """Let `server` answer by these handlers."""
        for method, params, handler in (
            ("tools/list", PaginatedRequestParams, self.list_tools),
            ("tools/call", CallToolRequestParams, self.call_tool),
            ("resources/list", PaginatedRequestParams, self.list_resources),
            ("resources/templates/list", PaginatedRequestParams, self.list_templates),
            ("resources/read", ReadResourceRequestParams, self.read_resource),
            ("resources/subscribe", SubscribeRequestParams, self.subscribe),
            ("resources/unsubscribe", UnsubscribeRequestParams, self.unsubscribe),
            ("subscriptions/listen", SubscriptionsListenRequestParams, self.listen),
            ("tasks/get", TaskParams, self.get_task),
            ("tasks/cancel", TaskParams, self.cancel_task),
            ("tasks/update", UpdateTaskParams, self.update_task),
        ):
            server.add_request_handler(method, params, complete(handler))
        server.add_notification_handler("notifications/initialized", NotificationParams, self.initialized)

    async def list_tools(self, ctx: Context, params: PaginatedRequestParams) -> Result:
        """Return the profile's tools; there is one page."""
        _one_page(params)
        return ctx.lifespan_context.toolbox.list_result

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> Result:
        """Run a tool."""
        del params  # validated by the SDK; the wire form is what the rest works with
        return await ctx.lifespan_context.answer(SdkExchange(ctx), wish(ctx.params or {}))

    async def list_resources(self, ctx: Context, params: PaginatedRequestParams) -> Result:
        """Return the resources there are now."""
        del ctx
        _one_page(params)
        return await self._resources.listed()

    async def list_templates(self, ctx: Context, params: PaginatedRequestParams) -> Result:
        """Return the families of addresses."""
        del ctx
        _one_page(params)
        return self._resources.templates()

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> Result:
        """Read one resource."""
        return await self._resources.read(params.uri, modern=_modern(ctx))

    async def initialized(self, ctx: Context, params: NotificationParams) -> None:
        """Tell a client of the handshake era of changed lists, as its protocol has it: without being asked."""
        del params
        for name in _LISTS:
            self._watch(ctx).add(Topic(Kind.LIST, name))

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> Result:
        """Watch one resource (handshake era)."""
        watch = self._watch(ctx)
        if len(watch) >= MOST_WATCHED:
            raise MCPError(INVALID_PARAMS, f"This connection watches {MOST_WATCHED} resources already")
        watch.add(Topic(Kind.RESOURCE, params.uri))
        return {}

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> Result:
        """Watch one resource no more (handshake era)."""
        self._watch(ctx).discard(Topic(Kind.RESOURCE, params.uri))
        return {}

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> Result:
        """Stream what changes until the client ends the request (2026-07-28; tasks by SEP-2663)."""
        exchange = SdkExchange(ctx)
        raw = (ctx.params or {}).get("notifications")
        task_ids = raw.get("taskIds") if isinstance(raw, Mapping) else None
        if task_ids and not exchange.abilities.tasks:
            raise missing_tasks()
        honored = params.notifications.model_dump(by_alias=True, mode="json", exclude_none=True)
        topics = [Topic(Kind.RESOURCE, uri) for uri in honored.get("resourceSubscriptions", ())]
        if isinstance(task_ids, list):
            honored["taskIds"] = [str(task_id) for task_id in task_ids]
            topics += [Topic(Kind.TASK, task_id) for task_id in honored["taskIds"]]
        if len(topics) > MOST_WATCHED:
            raise MCPError(INVALID_PARAMS, f"One stream carries at most {MOST_WATCHED} subscriptions")
        topics += [Topic(Kind.LIST, name) for name in _LISTS if honored.get(f"{name}ListChanged")]
        meta = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}

        async def send(topic: Topic) -> None:
            method, body = await self._told(topic)
            if body is not None:
                await exchange.notify(method, {**body, "_meta": meta})

        watch = Watch(self._updates, send)
        try:
            for topic in topics:
                watch.add(topic)
            await exchange.notify(
                "notifications/subscriptions/acknowledged", {"notifications": _granted(honored), "_meta": meta}
            )
            await watch.run()
        finally:
            watch.close()
        return {"_meta": meta}

    async def get_task(self, ctx: Context, params: TaskParams) -> Result:
        """Return a task as it is now."""
        exchange = _task_exchange(ctx, params)
        return await self._tasks.get(params.task_id, ctx.lifespan_context.client, exchange.abilities)

    async def cancel_task(self, ctx: Context, params: TaskParams) -> Result:
        """Call a task off."""
        exchange = _task_exchange(ctx, params)
        await self._tasks.cancel(params.task_id, ctx.lifespan_context.client, exchange.abilities)
        return {}

    async def update_task(self, ctx: Context, params: UpdateTaskParams) -> Result:
        """Take answers to a task's questions."""
        exchange = _task_exchange(ctx, params)
        await self._tasks.update(
            params.task_id, params.input_responses, ctx.lifespan_context.client, exchange.abilities
        )
        return {}

    async def _told(self, topic: Topic) -> tuple[str, Result | None]:
        match topic.kind:
            case Kind.RESOURCE:
                return "notifications/resources/updated", {"uri": topic.name}
            case Kind.LIST:
                return f"notifications/{topic.name}/list_changed", {}
            case Kind.TASK:
                return "notifications/tasks", await self._tasks.state(topic.name)

    def _watch(self, ctx: Context) -> Watch:
        """Return the watch of a connection of the handshake era; its first use begins it."""
        # The SDK hands its handlers no other place that lives and ends with the client's connection.
        connection = ctx.session._connection
        known = connection.state.get(_WATCH)
        if isinstance(known, Watch):
            return known

        async def send(topic: Topic) -> None:
            method, body = await self._told(topic)
            await connection.notify(method, body)

        watch = connection.state[_WATCH] = Watch(self._updates, send)
        connection.exit_stack.callback(watch.close)
        connection.exit_stack.callback(self._workers.start(watch.run()).cancel)
        return watch


def complete(handler: Callable[[Context, Any], Awaitable[Result]]) -> Callable[[Context, Any], Awaitable[Result]]:
    """Return `handler` with results that say, as the stateless era demands, that they are the whole answer."""

    async def answer(ctx: Context, params: Any) -> Result:
        result = await handler(ctx, params)
        return {"resultType": "complete", **result} if _modern(ctx) else result

    return answer


def _one_page(params: PaginatedRequestParams) -> None:
    if params.cursor is not None:
        raise MCPError(INVALID_PARAMS, "Unknown cursor: the list has one page")


def _modern(ctx: Context) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _granted(honored: Mapping[str, Any]) -> Result:
    """Return the filter as granted; what was not wished for is left out."""
    return {name: value for name, value in honored.items() if value}


def _task_exchange(ctx: Context, params: TaskParams) -> SdkExchange:
    """Check what every task method demands: the declared extension, and over HTTP the routing header.

    Raises:
        MCPError: the extension was not declared (-32021), or `Mcp-Name` names another task (-32020).
    """
    exchange = SdkExchange(ctx)
    if not exchange.abilities.tasks:
        raise missing_tasks()
    headers = getattr(ctx.request, "headers", None)
    if headers is not None and decode_header_value(headers.get(MCP_NAME_HEADER)) != params.task_id:
        raise MCPError(HEADER_MISMATCH, "Mcp-Name header must be the task's id")
    return exchange

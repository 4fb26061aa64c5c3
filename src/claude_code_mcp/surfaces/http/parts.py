"""What the surface is built from, and what its routes have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import Followers
from claude_code_mcp.surfaces.http.wire import Receive, Scope, Send


class TakeHook(Protocol):
    """Queues what a hook sent, whatever it is."""

    def now(self, body: bytes) -> bool:
        """Queue it, and tell whether there was room for it."""
        ...

    async def soon(self, body: bytes) -> None:
        """Queue it as soon as there is room."""
        ...


@dataclass(frozen=True, slots=True)
class Rejected:
    """What of a batch of telemetry was not understood: how many records, and why; none is all well."""

    count: int = 0
    why: str = ""


TakeTelemetry = Callable[[str, bytes], Awaitable[Rejected]]
"""Takes one unpacked batch of `logs`, `traces` or `metrics`; raises `ClaudeCodeMcpError` where it is no batch."""

AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the surface needs of the application.

    `context` makes what operations get as `ctx`. `caller` makes who calls, from a working directory ("" where none
    was named). `mcp` serves MCP, with door and token already passed.
    """

    catalog: Catalog
    context: Callable[[Caller], Any]
    caller: Callable[[str], Caller]
    database: Database
    followers: Followers
    hook: TakeHook
    telemetry: TakeTelemetry
    mcp: AsgiApp
    version: str
    streams: int = field(default=256)

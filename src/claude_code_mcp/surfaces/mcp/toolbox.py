"""The tools of one profile: the list that clients see, built once, and the way from a name to a tool."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import Field

from claude_code_mcp.kernel.errors import Invalid, NotFound
from claude_code_mcp.kernel.operation import Effect, Hints, Reply, Request, Surface, operation
from claude_code_mcp.surfaces.mcp.search import ToolIndex, line
from claude_code_mcp.surfaces.mcp.tools import Tool, operation_tool

SEARCH, CALL = "tool_search", "tool_call"


class UnknownTool(NotFound):
    """There is no tool of that name."""

    code = "unknown_tool"


class ToolsFound(Reply):
    """The answer of a search."""

    lines: list[str]
    """One line for each tool: its call and what it does."""
    hidden: int
    """How many tools there are to search."""
    features: dict[str, int]
    """How many of them each feature has."""

    def text(self) -> str:
        """Return the lines and how to go on."""
        if not self.lines:
            counts = ", ".join(f"{name} {count}" for name, count in self.features.items())
            return f"Nothing fits. There are {self.hidden} more tools: {counts}. Try one of these words."
        return "\n".join([*self.lines, f'Call one with {CALL}(name="…", arguments={{…}}).'])


class FindTools(Request):
    """Words to search by."""

    query: str = Field(min_length=1, max_length=500)
    """What you want to do."""
    limit: int = Field(default=5, ge=1, le=20)


class CallTool(Request):
    """A call of a tool that is not in the list."""

    name: str
    """As tool_search gave it."""
    arguments: dict[str, Any] = Field(default={})


class Toolbox:
    """What one profile offers. `hidden` tools are not listed; the search/call pair reaches them."""

    def __init__(self, shown: Sequence[Tool], hidden: Sequence[Tool] = ()) -> None:
        pair = _pair(hidden) if hidden else ()
        self.listed: tuple[Tool, ...] = (*shown, *pair)
        self._callable = {tool.name: tool for tool in (*hidden, *self.listed)}
        self.list_result: dict[str, Any] = {"tools": [tool.wire for tool in self.listed]}
        self.ready: dict[str | None, msgspec.Raw] = {}
        """The list as the SDK encodes it, by protocol version, once it was asked for."""

    def names(self) -> list[str]:
        """Return the names of everything that can be called."""
        return list(self._callable)

    def schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the argument schema of a tool; None when there is no such tool."""
        tool = self._callable.get(name)
        return tool.wire["inputSchema"] if tool is not None else None

    def resolve(self, name: str, arguments: Mapping[str, Any]) -> tuple[Tool, Mapping[str, Any]]:
        """Return the tool of that name with its arguments; `tool_call` is replaced by what it calls.

        Raises:
            MCPError: no such tool (-32602, as the protocol wants).
            Invalid: the arguments of `tool_call` do not fit.
            UnknownTool: `tool_call` names no tool; unlike the first, a model reads this and can correct itself.
        """
        tool = self._callable.get(name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:100]}.{self._like(name)}")
        if name != CALL:
            return tool, arguments
        inner, given = _called(arguments)
        target = self._callable.get(inner)
        if target is None or inner == CALL:
            raise UnknownTool(f"No tool is named {inner[:100]!r}.{self._like(inner)}", remedy=f"Use {SEARCH}.")
        return target, given

    def _like(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._callable, n=2)
        return f" Did you mean {' or '.join(close)}?" if close else ""


def _called(arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return name and arguments of a `tool_call`; models sometimes send the inner arguments as JSON text."""
    name, given = arguments.get("name"), arguments.get("arguments", {})
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except ValueError:
            given = None
    if not isinstance(name, str) or not isinstance(given, dict):
        raise Invalid(f"{CALL} takes a name and an object of arguments.", remedy=f"{SEARCH} shows both.")
    return name, given


def _pair(hidden: Sequence[Tool]) -> tuple[Tool, Tool]:
    index = ToolIndex(hidden)
    features = dict(sorted(Counter(tool.operation.split(".")[0] for tool in hidden).items()))

    @operation("tools.search", tool=SEARCH, effect=Effect.READ, surfaces=(Surface.MCP,), hints=Hints(idempotent=True))
    async def find(_ctx: Any, wish: FindTools) -> ToolsFound:
        hits = [line(tool) for tool in index.find(wish.query, wish.limit)]
        return ToolsFound(lines=hits, hidden=len(index), features=features)

    @operation("tools.call", tool=CALL, effect=Effect.DESTROY, surfaces=(Surface.MCP,), hints=Hints(open_world=True))
    async def call(_ctx: Any, wish: CallTool) -> Reply:
        """Call a tool that tool_search found."""
        raise UnknownTool(f"{wish.name!r} cannot be called this way.")

    found = f"Find one of {len(hidden)} more tools ({', '.join(features)}) by words."
    return operation_tool(replace(find, doc=found)), operation_tool(call)

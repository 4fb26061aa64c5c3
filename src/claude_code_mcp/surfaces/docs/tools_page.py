"""`tools.md`: which MCP tools a client is shown, and what showing them costs a model."""

from collections.abc import Iterator

from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import cell, code, page, table
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.tools import Tool

_INTRO = """Which tools an MCP client sees is chosen once, where the client starts the server: `claude-code-mcp
serve --profile NAME` (or `CLAUDE_CODE_MCP_PROFILE`); `--toolsets A,B` adds features to `core`, and narrows `full`
and `readonly` to them. Tokens are counted as bytes of compact JSON / 4: what a client that sends all schemas to its
model pays for them in each request."""
BUDGETS = {"core": 2_000, "full": 9_000}
TOOL_BUDGET = 400
_ABOUT = {
    "core": "The default: what most work needs, and a pair of tools to find and call the rest.",
    "full": "Everything. For clients that load schemas late, as Claude Code does; there those of `core` are pinned.",
    "readonly": "Only what changes nothing.",
}


def tools_page(declared: Declared) -> str:
    """Return the page."""
    surface = McpSurface(Parts(catalog=declared.catalog, context=lambda caller: caller, version=""))
    features = sorted({op.feature for op in declared.catalog.on(Surface.MCP)})
    shown = {name: surface.toolbox(ConnectionOptions(profile=name)).listed for name in [*_ABOUT, *features]}
    overview = [(code(name), str(len(tools)), f"{_tokens(tools):,}", _budget(name)) for name, tools in shown.items()]
    head = table(("profile", "tools", "tokens", "budget"), overview)
    note = [f"No single tool may cost more than {TOOL_BUDGET} tokens. Tests hold these budgets.", ""]
    return page("MCP tools", _INTRO, head, note, *(list(_profile(name, shown[name])) for name in _ABOUT))


def _profile(name: str, tools: tuple[Tool, ...]) -> Iterator[str]:
    yield from (f"## {code(name)}", "", _ABOUT[name], "")
    rows = [(code(tool.name), _operation(tool), _hints(tool), str(tool.tokens), cell(tool.summary)) for tool in tools]
    yield from table(("tool", "operation", "hints", "tokens", "does"), rows)


def _operation(tool: Tool) -> str:
    dotless = tool.operation.replace(".", "")
    searching = tool.operation.startswith("tools.")
    return tool.operation if searching else f"[{tool.operation}](operations.md#{dotless})"


def _hints(tool: Tool) -> str:
    """Return the annotations that a client reads, in words; MCP's own defaults are not said."""
    annotations = tool.wire.get("annotations", {})
    said = {"readOnlyHint": "reads", "idempotentHint": "repeatable"}
    found = [word for name, word in said.items() if annotations.get(name)]
    if not annotations.get("readOnlyHint") and annotations.get("destructiveHint", True):
        found.append("destroys")
    return ", ".join([*found, *(["task"] if tool.task else []), *(["asks"] if tool.asks else [])])


def _tokens(tools: tuple[Tool, ...]) -> int:
    return sum(tool.tokens for tool in tools)


def _budget(name: str) -> str:
    return f"{BUDGETS[name]:,}" if name in BUDGETS else ""

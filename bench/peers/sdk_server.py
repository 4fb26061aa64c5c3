"""The official SDK's own server on its own stdio transport, with the tools of `bench.peers.ours`."""

import asyncio

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("sdk")


@server.tool(structured_output=False)
async def bench_echo(text: str) -> str:
    """Return the text."""
    return text


@server.tool(structured_output=False)
async def bench_count(steps: int, ctx: Context) -> str:
    """Tell of progress so many times."""
    for step in range(1, steps + 1):
        await ctx.report_progress(step, None, "counting")
    return "counted"


if __name__ == "__main__":
    asyncio.run(server.run_stdio_async())

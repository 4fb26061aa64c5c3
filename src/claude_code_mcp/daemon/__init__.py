"""The one process per state directory that owns the data and serves every client."""

from claude_code_mcp.daemon.deferred import defer, without_plugins

defer("watchfiles")  # of which one module is enough
without_plugins()

from claude_code_mcp.daemon.process import main  # noqa: E402 - the above holds for all that it imports

__all__ = ["main"]

"""The one process per state directory that owns the data and serves every client."""

from claude_code_mcp.daemon.process import main

__all__ = ["main"]

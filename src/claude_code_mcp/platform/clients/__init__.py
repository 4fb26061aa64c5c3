"""MCP clients on this machine: where each keeps its list of servers, and how such a server is started.

Claude Code's own files are known in `platform/claude`; here are the others, and the table of them all.
"""

"""The small process that an MCP client starts: it copies lines between the client and the daemon.

Standard library only, so that it is up in milliseconds; it may be killed at any time without loss.
"""

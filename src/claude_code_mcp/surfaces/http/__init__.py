"""HTTP: the one listener of the daemon on this machine, for hooks, telemetry, the operations, events and MCP.

Everything about operations comes from the catalog. What takes in hooks and telemetry is handed in.
"""

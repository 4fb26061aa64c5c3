"""Project folders: where a session works, and whether the folder's own configuration may run code.

A fresh clone can carry settings, hooks and MCP servers that a headless Claude Code would run without asking. So a
project's own configuration counts only when the user has said so, to Claude Code or to us, and only as it was then.
"""

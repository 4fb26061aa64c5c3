"""Hooks: one payload that Claude Code posts or pipes, as facts. How they are installed is known in `block`."""

from claude_code_mcp.platform.claude.hooks.agents import AgentMeta, agent_meta
from claude_code_mcp.platform.claude.hooks.payload import Payload, Process, read_payload
from claude_code_mcp.platform.claude.hooks.read import events_of

__all__ = ["AgentMeta", "Payload", "Process", "agent_meta", "events_of", "read_payload"]

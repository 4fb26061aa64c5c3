"""Transcripts: the files in which Claude Code keeps its sessions, line by line, into the facts of the streams."""

from claude_code_mcp.platform.claude.transcript.agents import AgentMeta, agent_events, read_meta
from claude_code_mcp.platform.claude.transcript.entry import Origin, TranscriptState
from claude_code_mcp.platform.claude.transcript.files import TranscriptFile, locate, transcripts_in
from claude_code_mcp.platform.claude.transcript.history import events_of
from claude_code_mcp.platform.claude.transcript.read import may_tell, read_entry, read_oversized
from claude_code_mcp.platform.claude.transcript.tally import Tally

__all__ = [
    "AgentMeta",
    "Origin",
    "Tally",
    "TranscriptFile",
    "TranscriptState",
    "agent_events",
    "events_of",
    "locate",
    "may_tell",
    "read_entry",
    "read_meta",
    "read_oversized",
    "transcripts_in",
]

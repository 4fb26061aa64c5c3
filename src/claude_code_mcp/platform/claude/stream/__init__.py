"""The output of a run, line by line: bytes in, facts and control items out."""

from claude_code_mcp.platform.claude.stream.read import Oversized, end_of_stream, read_line, read_oversized
from claude_code_mcp.platform.claude.stream.state import OpenTask, OpenTool, Reading, StreamState

__all__ = [
    "OpenTask",
    "OpenTool",
    "Oversized",
    "Reading",
    "StreamState",
    "end_of_stream",
    "read_line",
    "read_oversized",
]

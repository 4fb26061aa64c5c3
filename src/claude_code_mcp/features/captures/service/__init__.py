"""What is seen from outside, taken in."""

from claude_code_mcp.features.captures.service.captures import Captures
from claude_code_mcp.features.captures.service.recorder import Recorder

__all__ = ["Captures", "Recorder"]

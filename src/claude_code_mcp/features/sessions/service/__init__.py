"""What may be asked of sessions, and the machinery that keeps them served."""

from claude_code_mcp.features.sessions.service.observers import Observer, Questions, Settler
from claude_code_mcp.features.sessions.service.sessions import Sessions

__all__ = ["Observer", "Questions", "Sessions", "Settler"]

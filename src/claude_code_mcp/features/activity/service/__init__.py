"""Sessions unfolded, shown, followed and exported."""

from claude_code_mcp.features.activity.service.activity import Activity
from claude_code_mcp.features.activity.service.captured import Captured, FromCaptures
from claude_code_mcp.features.activity.service.resources import ActivityResources

__all__ = ["Activity", "ActivityResources", "Captured", "FromCaptures"]

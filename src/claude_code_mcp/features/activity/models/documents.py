"""A session as it is exported for programs."""

from typing import ClassVar

from pydantic import Field

from claude_code_mcp.features.activity.models.events_out import ACTIVITY_EVENT_SCHEMA_VERSION, ActivityEvent
from claude_code_mcp.features.activity.models.tree import ActivityNode, SessionActivity
from claude_code_mcp.kernel.operation import Document


class SessionDocument(Document):
    """A session with its tree and all its events, as `export_session` writes it in the format json."""

    schema_id: ClassVar[str] = f"claude-code-mcp/activity-session/{ACTIVITY_EVENT_SCHEMA_VERSION}"

    schema_name: str = Field(default=schema_id, alias="schema")
    """The name of this schema, version included."""
    session: SessionActivity
    """The session in one row."""
    tree: ActivityNode
    """The session as a tree."""
    events: list[ActivityEvent]
    """What happened, in the order in which it was recorded."""

"""What is answered about activity. Lines for people are made once and are no part of the fields."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from claude_code_mcp.features.activity.models.display import DisplaySettings
from claude_code_mcp.features.activity.models.events_out import ActivityEvent
from claude_code_mcp.features.activity.models.tree import ActivityNode, SessionActivity
from claude_code_mcp.kernel.operation import Reply, Shared


class DisplayAction(StrEnum):
    """What to do with a line: put it at its place in the tree, write it anew, or take it for what stood there."""

    APPEND = "append"
    UPDATE = "update"
    REPLACE = "replace"


class ActivityList(Shared):
    """Sessions: live ones first, then the last active."""

    items: list[SessionActivity]
    """The sessions."""
    cursor: int
    """Give it back to wait for a change."""
    lines: list[str] = Field(default_factory=list, exclude=True)

    def text(self) -> str:
        """Return a line each."""
        return "\n".join(self.lines) if self.lines else "No session was seen."


class ActivityTree(Reply):
    """The tree under its name in the document."""

    root_task: ActivityNode
    """The session, with its turns as children."""


class TreeReply(Shared):
    """One session's tree."""

    activity_tree: ActivityTree
    """The tree."""
    session: SessionActivity
    """The session: lifecycle, what runs, counts."""
    cursor: int
    """Give it back to wait for a change."""
    lines: list[str] = Field(default_factory=list, exclude=True)

    def text(self) -> str:
        """Return the tree as Claude Code would print it."""
        return "\n".join([*self.lines, f"cursor {self.cursor}"])


class ActivityUpdate(Reply):
    """One line to show, and the event behind it."""

    formatted_line: str
    """The line, without colours; in format json the event itself."""
    raw_event: ActivityEvent
    """The event, as the schema of exported events says."""
    display_action: DisplayAction
    """append: a new line; update: the line anew; replace: it takes the place of its former self and what was in it."""
    line_id: str
    """Names the line; stays the same for one node. An append of a known line is an update."""


class StreamRecord(Reply):
    """An update under its name in the document."""

    activity_update: ActivityUpdate
    """The update."""


class StreamReply(Shared):
    """What changed after the cursor, in the order of the tree."""

    session_id: str
    """The session."""
    updates: list[StreamRecord]
    """The updates: of each line only its latest state."""
    cursor: int
    """Give it back for what comes next."""
    more: bool = False
    """There is more after the cursor by now."""

    def part_text(self) -> str:
        """Return the lines."""
        return "\n".join(record.activity_update.formatted_line for record in self.updates)

    def text(self) -> str:
        """Return the lines and the cursor."""
        lines = [self.part_text()] if self.updates else []
        return "\n".join([*lines, f"cursor {self.cursor}{' (more)' if self.more else ''}"])


class Configured(Reply):
    """How activity is shown now."""

    session_id: str | None = None
    """The session; None for the default of all."""
    settings: DisplaySettings
    """What holds."""

    def text(self) -> str:
        """Return one line a setting, as it would be given."""
        rows = [f"  {name}: {str(value).lower()}" for name, value in self.settings.model_dump().items()]
        return "\n".join([self.session_id or "default of all sessions", *rows])


class Exported(Reply):
    """An exported session."""

    session_id: str
    """The session."""
    format: str
    """What it was exported as."""
    bytes: int
    """Its size."""
    media_type: str
    """What kind of document it is."""
    out: str | None = None
    """The file that was written."""
    body: str | None = None
    """The document, where no file was named."""

    def text(self) -> str:
        """Return the document, or where it was written."""
        return f"{self.out}: {self.bytes} bytes, {self.format}" if self.body is None else self.body


class NodeDetail(Reply):
    """One node whole."""

    session_id: str
    """The session that it is in."""
    node: ActivityNode
    """The node, without its children."""
    input: Any = None
    """What it was called with, raw: it may hold secrets and what a terminal would obey."""
    output: str | None = None
    """What it gave, raw likewise."""
    whole: bool = True
    """Nothing is cut; False where neither the log nor a transcript has all of it any more."""
    seen_in: str = ""
    """Where it was read: log, transcript, or the file that Claude Code saved a big output in."""
    lines: list[str] = Field(default_factory=list, exclude=True)

    def text(self) -> str:
        """Return the node, its input and its output."""
        return "\n".join(self.lines)

"""What the world may ask about activity. Field docstrings are help text, tool schema and reference at once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from claude_code_mcp.features.activity.models.display import DisplayWish
from claude_code_mcp.kernel.operation import Request

SessionRef = Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{4,36}$")]
Wait = Annotated[float, Field(ge=0, le=1500)]
Cursor = Annotated[int, Field(ge=0)]


class Scope(StrEnum):
    """Which sessions: those with a process, those of the last day too, or all that left a transcript."""

    LIVE = "live"
    RECENT = "recent"
    ALL = "all"


class OutputFormat(StrEnum):
    """How lines are written: with the document's icons, as JSON objects, or in plain ASCII words."""

    CLAUDE_CODE = "claude_code_style"
    JSON = "json"
    TEXT = "text"


class ExportFormat(StrEnum):
    """What a session is exported as."""

    LOG = "claude_code_log"
    JSON = "json"
    TEXT = "text"
    HTML = "html"
    OTLP = "otlp"


class ListActivity(Request):
    """Find sessions by what they do."""

    scope: Scope = Scope.RECENT
    """live: with a process now; recent: of the last day too; all: past ones too."""
    project_path: str | None = Field(default=None, max_length=4096)
    """Only sessions of this directory."""
    cursor: Cursor | None = None
    """Cursor of the last reply: wait until something changed after it."""
    wait_s: Wait = 0
    """Longest wait in seconds for a change after the cursor."""
    limit: int = Field(default=50, ge=1, le=1000)
    """Most sessions in the reply."""


class ShowTree(Request):
    """Show one session's tree."""

    session_id: SessionRef | None = None
    """Session, or the beginning of its id; without it, the newest live one of the caller's project."""
    include_completed: bool = True
    """With what has ended; without, only what runs or waits, and what it is part of."""
    max_depth: int | None = Field(default=None, ge=1, le=100)
    """Levels below the session; as configured when left out."""
    cursor: Cursor | None = None
    """Cursor of the last reply: wait until something changed after it."""
    wait_s: Wait = 0
    """Longest wait in seconds for a change after the cursor."""


class StreamActivity(Request):
    """Follow one session: what changed after a cursor, one record a line."""

    session_id: SessionRef | None = None
    """Session, or the beginning of its id; without it, the newest live one of the caller's project."""
    output_format: OutputFormat = OutputFormat.CLAUDE_CODE
    """claude_code_style, json or text."""
    show_progress: bool = True
    """With lines of what still runs; without, a line comes when its thing has ended."""
    collapse_completed: bool = False
    """Fold what is inside a completed part into its line."""
    cursor: Cursor = 0
    """Cursor of the last reply; 0 begins with everything."""
    wait_s: Wait = 0
    """Longest wait in seconds for a change after the cursor."""
    follow: bool = False
    """Until wait_s is over, send each change at once as a part of the reply, where the way in can."""
    limit: int = Field(default=200, ge=1, le=5000)
    """Most updates in the reply."""


class ConfigureDisplay(DisplayWish):
    """Change how activity is shown, for one session or for all that have nothing of their own."""

    session_id: SessionRef | None = None
    """Session, or the beginning of its id; without it, the default of all."""
    settings: DisplayWish | None = None
    """show_timings, collapse_fast_ops, threshold_slow_ms, max_tree_depth, highlight_errors."""
    reset: bool = False
    """First forget what was set before."""


class ExportSession(Request):
    """Export one session as a document."""

    session_id: SessionRef | None = None
    """Session, or the beginning of its id; without it, the newest live one of the caller's project."""
    format: ExportFormat = ExportFormat.LOG
    """claude_code_log, json, text, html or otlp."""
    out: Path | None = None
    """Write it to this new file (absolute path) rather than into the reply; needed for big sessions."""


class ShowNode(Request):
    """Show one node whole."""

    id: str = Field(min_length=1, max_length=400)
    """A node's id, or a tool_use_id."""
    session_id: SessionRef | None = None
    """The session that it is in; found by the id where left out."""
    part: Literal["both", "input", "output"] = "both"
    """What of it."""

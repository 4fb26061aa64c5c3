"""How activity is shown: the document's settings, per session and as the default of all."""

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class DisplayWish(Request):
    """Settings to change; what is left out stays as it is."""

    show_timings: bool | None = None
    """Show how long things took."""
    collapse_fast_ops: bool | None = None
    """Fold what ended well below the threshold into one line."""
    threshold_slow_ms: int | None = Field(default=None, ge=1, le=86_400_000)
    """From how many milliseconds on a call counts as slow."""
    max_tree_depth: int | None = Field(default=None, ge=1, le=100)
    """Levels shown below the session."""
    highlight_errors: bool | None = None
    """Show errors in red and with their message."""


class DisplaySettings(Reply):
    """Settings as they hold."""

    show_timings: bool = True
    """How long things took is shown."""
    collapse_fast_ops: bool = False
    """What ended well below the threshold is folded into one line."""
    threshold_slow_ms: int = 500
    """From how many milliseconds on a call counts as slow."""
    max_tree_depth: int = 20
    """Levels shown below the session."""
    highlight_errors: bool = True
    """Errors are shown in red and with their message."""

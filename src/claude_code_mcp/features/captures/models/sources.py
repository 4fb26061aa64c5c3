"""What is looked into, and how far it was read: request and reply."""

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class ShowSources(Request):
    """Look at where others' Claude Codes are followed."""


class Sources(Reply):
    """Where others' Claude Codes are followed, and how far that is."""

    watch: str
    """auto, poll or off, as `activity_watch` says."""
    config_dirs: list[str] = Field(default_factory=list)
    """The configuration directories that are looked into."""
    live: int
    """Processes of Claude Code that run now, everybody's."""
    transcripts: int
    """Transcripts that are known, those of subagents too."""
    followed: int
    """How many of them are taken into the event log."""
    waiting: int
    """Transcripts that changed and wait to be read."""
    queued: int
    """Events on their way to the disk."""

    def text(self) -> str:
        """Return a short report."""
        homes = "\n".join(f"  {home}" for home in self.config_dirs) or "  none"
        return (
            f"watching: {self.watch}; {self.live} live processes\n"
            f"{self.transcripts} transcripts known, {self.followed} in the event log, {self.waiting} to be read, "
            f"{self.queued} events to be written\nlooked into:\n{homes}"
        )

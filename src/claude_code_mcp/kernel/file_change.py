"""The reply of whatever writes into a file of somebody else's: what was done, as a diff, and where the old one is."""

from enum import StrEnum

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply


class Action(StrEnum):
    """What was done to the file."""

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


class FileChange(Reply):
    """What was done, or would be, to one file."""

    file: str
    """The file."""
    action: Action
    """What was done."""
    dry_run: bool = False
    """Nothing was written."""
    diff: str = ""
    """The change as a unified diff, secrets redacted."""
    backup_file: str | None = None
    """Copy of the old file."""
    notes: list[str] = Field(default_factory=list)
    """What to know and what to do next."""

    def about(self) -> str:
        """Return what was written there, in a few words."""
        return "it"

    def text(self) -> str:
        """Return what happened, the diff, and what comes next."""
        if self.action is Action.UNCHANGED:
            head = f"Nothing to change in {self.file}."
        else:
            verb = f"Would be {self.action.value}" if self.dry_run else self.action.value.capitalize()
            head = f"{verb}: {self.about()} in {self.file}"
        kept = [f"The old file is kept as {self.backup_file}."] if self.backup_file else []
        return "\n".join([head, *([self.diff.rstrip("\n")] if self.diff else []), *kept, *self.notes])

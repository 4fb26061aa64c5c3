"""What is answered about checkpoints."""

from pydantic import Field

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.operation import Reply


class CheckpointInfo(Reply):
    """One checkpoint."""

    id: str
    """Its id; the first characters do where they are unique."""
    project_path: str
    """Its project."""
    created_at: str
    """When, UTC."""
    trigger: str
    """manual, per_prompt, per_tool_use, smart, interval, safety, fork or import."""
    message: str = ""
    """What it is for."""
    label: str | None = None
    """Its short name."""
    pinned: bool = False
    """It is kept until it is unpinned."""
    parent_id: str | None = None
    """The one that it came from."""
    current: bool = False
    """The project stands on it."""
    unchanged: bool = False
    """Nothing had changed since, so no new one was made."""
    file_count: int = 0
    """Files in it."""
    content_bytes: int = 0
    """Bytes of its files."""
    stored_bytes: int = 0
    """What it added to the store."""
    took_ms: int = 0
    """How long it took."""
    session_id: str | None = None
    """The session that it belongs to."""
    conversation_id: str | None = None
    """What Claude Code called the conversation."""
    message_uuid: str | None = None
    """The last message before it."""
    cost_microusd: int | None = None
    """What the session had cost by then, in millionths of a dollar."""
    left_out: dict[str, int] = Field(default_factory=dict)
    """What is not in it, counted by reason."""
    torn: list[str] = Field(default_factory=list)
    """Files that changed all the time while they were read: not in it."""
    retried: list[str] = Field(default_factory=list)
    """Files that changed once while they were read: in it as they were after."""
    remarks: list[str] = Field(default_factory=list)
    """What must be known to judge it."""

    def line(self) -> str:
        """Return it in one line."""
        marks = "".join((" *" if self.current else "", " pinned" if self.pinned else ""))
        label = f" [{self.label}]" if self.label else ""
        message = one_line(self.message, 80)
        return f"{self.id} {self.created_at[:19]}Z {self.trigger}{marks}{label} {message}".rstrip()

    def text(self) -> str:
        """Return what it is, what is in it, and what is not."""
        head = "Nothing changed since:\n" if self.unchanged else ""
        size = f"  {self.file_count} files, {self.content_bytes} bytes; {self.stored_bytes} bytes new in the store"
        parts = [f"{head}{self.line()}", size]
        if self.left_out:
            parts.append("  left out: " + ", ".join(f"{count} {why}" for why, count in sorted(self.left_out.items())))
        if self.torn:
            parts.append(f"  changed while it was taken, not in it: {', '.join(self.torn[:10])}")
        parts += [f"  {remark}" for remark in self.remarks]
        return "\n".join(parts)


class CheckpointList(Reply):
    """Checkpoints, the newest first."""

    items: list[CheckpointInfo]
    """The checkpoints."""
    next: str | None = None
    """Give this as `before` for those after them."""

    def text(self) -> str:
        """Return one line each; a star marks where the project stands."""
        lines = [item.line() for item in self.items] or ["No checkpoints."]
        return "\n".join(lines + ([f"more: --before {self.next}"] if self.next else []))


class TimelineEntry(Reply):
    """A checkpoint in its place in the tree."""

    checkpoint: CheckpointInfo
    """The checkpoint."""
    depth: int
    """How many branches it is away from the line that was worked on last."""


class Timeline(Reply):
    """A project's checkpoints as a tree, each after the one that it came from."""

    project_path: str
    """The project."""
    current: str | None
    """Where it stands."""
    items: list[TimelineEntry]
    """The checkpoints."""
    redo: str | None = None
    """What redo would bring back."""
    older: int = 0
    """Older ones that are not shown."""

    def text(self) -> str:
        """Return one line each, branches indented."""
        lines = [f"{'│ ' * item.depth}{'●' if item.checkpoint.current else '○'} {item.checkpoint.line()}" for item in self.items]  # fmt: skip  # noqa: E501 - one line is read more easily
        tail = [f"redo: {self.redo}"] if self.redo else []
        older = [f"… {self.older} older"] if self.older else []
        return "\n".join([f"{self.project_path}", *older, *(lines or ["No checkpoints."]), *tail])


class FileChange(Reply):
    """One path that differs, or is changed."""

    path: str
    """Its path in the project; bytes that are no UTF-8 are written \\xff."""
    change: str
    """added, deleted, changed, type, mode or renamed; for a restore create, change, attributes or delete."""
    old_path: str | None = None
    """Where it was before."""
    added: int | None = None
    """Lines that came."""
    deleted: int | None = None
    """Lines that went."""
    binary: bool = False
    """It is no text."""
    too_large: bool = False
    """Too large to be compared by line."""
    sealed: bool = False
    """A secret that is kept sealed: its lines are not shown."""
    before_bytes: int | None = None
    """Size before."""
    after_bytes: int | None = None
    """Size after."""

    def line(self) -> str:
        """Return it in one line."""
        name = one_line(f"{self.old_path} -> {self.path}" if self.old_path else self.path, 300)
        if self.binary or self.too_large or self.sealed:
            why = "sealed" if self.sealed else "binary"
            note = f" {why}, {self.before_bytes or 0} -> {self.after_bytes or 0} bytes"
        else:
            note = f" +{self.added or 0} -{self.deleted or 0}" if self.added or self.deleted else ""
        return f"{self.change:<8} {name}{note}"


class DiffReply(Reply):
    """What differs."""

    before: str
    """From: a checkpoint."""
    after: str
    """To: a checkpoint, or `working tree`."""
    files: int
    """Paths that differ."""
    added: int = 0
    """Lines that came, of those shown."""
    deleted: int = 0
    """Lines that went, of those shown."""
    items: list[FileChange] = Field(default_factory=list)
    """The paths."""
    diff: str = ""
    """The lines, in unified format."""
    cut: bool = False
    """Not everything is shown: raise limit or max_lines, or name paths."""

    def text(self) -> str:
        """Return the lines where they were asked for, else one line for each path."""
        head = f"{self.before} -> {self.after}: {self.files} paths differ, +{self.added} -{self.deleted} lines"
        tail = ["… not all is shown"] if self.cut else []
        return "\n".join([head, *([self.diff] if self.diff else [item.line() for item in self.items]), *tail])


class NotedPath(Reply):
    """A path, and what is to be known about it."""

    path: str
    """Its path in the project."""
    why: str
    """What is to be known."""


class RestoreReply(Reply):
    """What a restore did, or would do."""

    checkpoint_id: str
    """What was restored."""
    project_path: str
    """Where."""
    dry_run: bool = False
    """Nothing was done."""
    restored_files: int = 0
    """Paths that were changed, or would be."""
    backup_id: str | None = None
    """The tree as it was before; redo brings it back."""
    changes: list[FileChange] = Field(default_factory=list)
    """What was changed, the first 200."""
    counts: dict[str, int] = Field(default_factory=dict)
    """How many are created, changed, deleted."""
    conflicts: list[str] = Field(default_factory=list)
    """Changed since the project's last checkpoint (the first 200)."""
    executable: list[NotedPath] = Field(default_factory=list)
    """Files that can run something."""
    kept: list[NotedPath] = Field(default_factory=list)
    """Not deleted, because the checkpoint ignored them or left them out."""
    blocked: list[NotedPath] = Field(default_factory=list)
    """In the way: a restore is refused."""
    outside_links: list[NotedPath] = Field(default_factory=list)
    """Links that lead out of the project."""
    problems: list[NotedPath] = Field(default_factory=list)
    """What did not come out right, and where the bytes are."""
    occupants: list[str] = Field(default_factory=list)
    """Who is at work there."""
    stopped: list[str] = Field(default_factory=list)
    """Whose work was ended."""
    session_id: str | None = None
    """The session that goes on from that point of the conversation."""
    notes: list[str] = Field(default_factory=list)
    """What else is to be known."""

    def text(self) -> str:
        """Return what was done, what was not, and how to take it back."""
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count) or "nothing to change"
        parts = [f"{'Would restore' if self.dry_run else 'Restored'} {self.checkpoint_id}: {counts}."]
        parts += [f"  {change.line()}" for change in self.changes[:40]]
        if self.restored_files > 40:
            parts.append(f"  … and {self.restored_files - 40} more")
        for title, noted in (
            ("can run something", self.executable), ("kept", self.kept), ("in the way", self.blocked),
            ("leads out of the project", self.outside_links), ("not right", self.problems),
        ):  # fmt: skip
            parts += [f"  {title}: {one.path} ({one.why})" for one in noted[:20]]
        parts += [f"  changed since the last checkpoint: {path}" for path in self.conflicts[:20]]
        parts += [f"  at work there: {who}" for who in self.occupants] + [f"  ended: {who}" for who in self.stopped]
        if self.backup_id and not self.dry_run:
            parts.append(f"What was there is kept as {self.backup_id}; redo brings it back.")
        return "\n".join(parts + self.notes + ([f"session_id: {self.session_id}"] if self.session_id else []))


class FileInfo(Reply):
    """One entry of a checkpoint."""

    path: str
    """Its path in the project."""
    kind: str
    """file, link or folder."""
    mode: str
    """Permissions, octal."""
    size_bytes: int
    """Size."""
    modified_at: str
    """When it was changed, UTC."""
    sha256: str | None = None
    """Of a file up to 8 MiB that is not sealed: the SHA-256 of its content."""
    sealed: bool = False
    """It is kept sealed."""
    target: str | None = None
    """Where a link leads."""

    def line(self) -> str:
        """Return it in one line."""
        more = f" -> {self.target}" if self.target else " (sealed)" if self.sealed else ""
        return f"{self.mode} {self.size_bytes:>12} {self.path}{more}"


class FileList(Reply):
    """What a checkpoint holds."""

    checkpoint_id: str
    """The checkpoint."""
    items: list[FileInfo]
    """The entries, by path."""
    omitted: list[NotedPath] = Field(default_factory=list)
    """What it lacks by name, and why."""
    next: str | None = None
    """Give this as `after` for those after them."""

    def text(self) -> str:
        """Return one line each."""
        lines = [item.line() for item in self.items]
        lines += [f"left out: {one.path} ({one.why})" for one in self.omitted]
        return "\n".join(lines + ([f"more: --after {self.next}"] if self.next else []))


class DeletedCheckpoints(Reply):
    """What was forgotten."""

    deleted: int
    """How many checkpoints."""

    def text(self) -> str:
        """Return how many, and when their room is given back."""
        return f"{self.deleted} deleted; the room is given back by the next `checkpoints gc`."


class ManagedCheckpoints(Reply):
    """What `claude_checkpoint` did; one of the fields holds it."""

    checkpoint: CheckpointInfo | None = None
    """What was created."""
    checkpoints: CheckpointList | None = None
    """What was found."""
    restored: RestoreReply | None = None
    """What was restored."""
    diff: DiffReply | None = None
    """What differs."""
    deleted: DeletedCheckpoints | None = None
    """What was deleted."""

    def text(self) -> str:
        """Return the text of what was done."""
        parts = (self.checkpoint, self.checkpoints, self.restored, self.diff, self.deleted)
        return "\n".join(part.text() for part in parts if part is not None)

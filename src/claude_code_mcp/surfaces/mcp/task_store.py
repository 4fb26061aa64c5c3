"""What is kept of a task, and where."""

from typing import Any, Literal, Protocol

import msgspec

from claude_code_mcp.kernel.caller import Invocation

TASKS_EXTENSION = "io.modelcontextprotocol/tasks"
"""The extension's identifier (SEP-2663)."""
Status = Literal["working", "completed", "failed", "cancelled"]


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it is stored: `msgspec.json` writes and reads it.

    No environment of the caller is in it, but `rest` and `stop` hold arguments. `result` is a `CallToolResult`,
    `error` a JSON-RPC error; times are those of `kernel.clock.stamp`.
    """

    id: str
    tool: str
    created_at: str
    updated_at: str
    rest: Invocation | None = None
    stop: Invocation | None = None
    status: Status = "working"
    message: str = ""
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class TaskStore(Protocol):
    """Keeps the records of tasks."""

    async def save(self, record: TaskRecord) -> None:
        """Insert or replace a record; it is durable when this returns."""
        ...

    async def load(self, task_id: str) -> TaskRecord | None:
        """Return a record, or None."""
        ...

    async def prune(self, before: str) -> None:
        """Forget what last changed before that time and is no longer `working`."""
        ...


class MemoryTaskStore:
    """A store for tests and for a server without a disk."""

    def __init__(self) -> None:
        self.records: dict[str, TaskRecord] = {}

    async def save(self, record: TaskRecord) -> None:
        """Insert or replace a record."""
        self.records[record.id] = record

    async def load(self, task_id: str) -> TaskRecord | None:
        """Return a record, or None."""
        return self.records.get(task_id)

    async def prune(self, before: str) -> None:
        """Forget what last changed before that time and is no longer `working`."""
        for record in list(self.records.values()):
            if record.updated_at < before and record.status != "working":
                del self.records[record.id]

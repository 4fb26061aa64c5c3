"""One payload being told: its fields at hand, and the events so far."""

from datetime import datetime
from typing import Any

from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.platform.claude.facts import NoticeShown
from claude_code_mcp.platform.claude.fields import word_of
from claude_code_mcp.platform.claude.hooks.agents import AgentMeta
from claude_code_mcp.platform.claude.hooks.payload import Payload, Process


class Hook:
    """Collects the events of one payload; their keys are the payload's `stem` and a number."""

    __slots__ = ("_at", "_stem", "agent_id", "events", "meta", "obj", "payload", "process", "prompt_id", "stem")

    def __init__(
        self, payload: Payload, *, stem: str, at: datetime, meta: AgentMeta | None, process: Process | None
    ) -> None:
        self.payload = payload
        self.obj: dict[str, Any] = payload.obj
        self.meta = meta
        self.process = process or Process()
        self.prompt_id = word_of(payload.obj, "prompt_id")
        self.agent_id = word_of(payload.obj, "agent_id") or None
        self.stem = stem
        self.events: list[Event] = []
        self._stem = f"hook:{stem}:"
        self._at = at

    @property
    def session(self) -> str:
        """The session, "" where none is named."""
        return self.payload.session_id or ""

    def emit(
        self, fact: Fact, subject: str, *, call: str | None = None, agent_id: str | None = None, key: str = ""
    ) -> None:
        """Add `fact` about `subject`; `call` is its tool call, the agent is the payload's unless given.

        `key` names it where several payloads tell the same.
        """
        self.events.append(
            Event(
                fact=fact,
                at=self._at,
                session_id=self.payload.session_id,
                subject=subject,
                tool_use_id=call,
                agent_id=agent_id or self.agent_id,
                source=Source.HOOK,
                source_key=key or f"{self._stem}{len(self.events)}",
            )
        )

    def notice(self, text: str, tag: str) -> None:
        """Add a remark: something changed that is no step of the work."""
        self.emit(NoticeShown(text=text, tag=tag), self.session)

"""A session told by hand: facts at milliseconds after its beginning, by whatever source."""

from datetime import datetime, timedelta

from claude_code_mcp.features.activity.models import ActivityNode
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.view import WHOLE, View
from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.platform.claude import facts
from tests.features.activity.generated import BEGIN, SESSION
from tests.features.activity.seen import recorded


class Story:
    """A session being told, and its fold."""

    def __init__(self) -> None:
        self.fold = SessionFold(SESSION)
        self.told = 0
        self.at_ms = 0

    def now(self) -> datetime:
        """Return the time of the last fact."""
        return BEGIN + timedelta(milliseconds=self.at_ms)

    def tell(
        self, at_ms: int, fact: Fact, *, source: str = "hook", call: str | None = None, agent: str | None = None
    ) -> "Story":
        """Tell a fact."""
        self.at_ms = max(self.at_ms, at_ms)
        self.told += 1
        subject = call or getattr(fact, "task_id", "") or getattr(fact, "request_id", "") or SESSION
        if isinstance(fact, facts.AgentLinked) and agent:
            subject = agent
        key = f"run:{self.told}:0" if source == "stream" else f"{source}:{self.told}"
        event = Event(
            fact=fact,
            at=BEGIN + timedelta(milliseconds=at_ms),
            session_id=SESSION,
            subject=subject,
            tool_use_id=call,
            agent_id=agent,
            source=Source(source),
            source_key=key,
        )
        self.fold.extend(recorded([event], self.told))
        return self

    def prompt(self, at_ms: int, prompt_id: str = "p1", text: str = "Fix the test") -> "Story":
        """Tell a prompt as hooks do."""
        return self.tell(at_ms, facts.PromptTaken(prompt_id=prompt_id, text=text))

    def begin(
        self, at_ms: int, call: str, name: str = "Bash", *, agent: str | None = None, digest: str = ""
    ) -> "Story":
        """Tell the beginning of a call as hooks do."""
        return self.tell(at_ms, facts.ToolStarted(name=name, input_digest=digest), call=call, agent=agent)

    def end(self, at_ms: int, call: str, name: str = "Bash", *, agent: str | None = None) -> "Story":
        """Tell the end of a call as hooks do."""
        return self.tell(at_ms, facts.ToolFinished(name=name, output="ok"), call=call, agent=agent)

    def root(self, view: View = WHOLE) -> ActivityNode:
        """Return the tree as it stands when the last fact was told."""
        return self.fold.root(self.now(), view)

    def node(self, node_id: str) -> ActivityNode:
        """Return a node as it stands when the last fact was told."""
        found = self.fold.node(node_id, self.now())
        assert found is not None, node_id
        return found

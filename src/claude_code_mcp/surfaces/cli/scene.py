"""What is going on in a session, folded from its events: what runs, what it used, and who is below whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from claude_code_mcp.kernel import clock

Event = Mapping[str, Any]
"""A recorded event as a reply carries it: the fields of `kernel.events.Recorded`."""


class Tone(StrEnum):
    """What kind of thing an entry is; screens choose sign and colour by it."""

    SAID = "said"
    ASKED = "asked"
    THOUGHT = "thought"
    BEGAN = "began"
    DONE = "done"
    FAILED = "failed"
    DENIED = "denied"
    AGENT = "agent"
    WAITS = "waits"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to show. `body` is text of any length, as it came: whoever shows it makes it visible first.

    `after` says how long it took or how it ended, `output` is what came out of it. `plain_only` entries are for
    screens without a live region: there they say what runs or waits now.
    """

    tone: Tone
    head: str = ""
    body: str = ""
    after: str = ""
    output: str = ""
    depth: int = 0
    plain_only: bool = False


@dataclass(slots=True)
class Running:
    """A tool call or a subagent that has not ended."""

    name: str
    summary: str
    since: str
    depth: int
    doing: str = ""


@dataclass(slots=True)
class Totals:
    """What the session used while we watched; cost is the session's whole, in micro-dollars."""

    turns: int = 0
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0
    watched_cost_microusd: int = 0
    duration_ms: int = 0
    tools: int = 0
    failed: int = 0
    denied: int = 0
    subagents: int = 0


@dataclass(slots=True)
class Scene:
    """The session as far as its events told."""

    running: dict[str, Running] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    """Depth of each subagent, by its task id and by the call that launched it."""
    tasks: dict[str, str] = field(default_factory=dict)
    """What each background task that we saw begin is for."""
    background: dict[str, str] = field(default_factory=dict)
    """All that runs in the background now, as Claude Code counts it."""
    totals: Totals = field(default_factory=Totals)
    model: str = ""
    mode: str = ""
    cwd: str = ""
    result: Event | None = None
    """Payload of the newest `turn.finished`."""
    asked: dict[str, Event] = field(default_factory=dict)
    """Payloads of the approvals that were asked, by the tool call that they are about."""
    failure: str = ""
    """The newest error that was shown, so that the turn's end does not show it again."""
    writing: str = ""
    """The end of the text that the model writes now."""

    def depth_of(self, event: Event) -> int:
        """Return under how many subagents `event` happened."""
        for name in ("agent_id", "parent"):
            depth = self.agents.get(str(event.get(name) or ""))
            if depth is not None:
                return depth
        return 1 if event.get("agent_id") else 0

    def short(self, text: str) -> str:
        """Return `text` with the project's own path left out, so that a line shows what differs."""
        return text.replace(f"{self.cwd}/", "") if self.cwd else text


def elapsed_s(since: str, until: str) -> float:
    """Return the seconds between two recorded times, 0 where one cannot be read."""
    try:
        return max(0.0, (clock.parse(until) - clock.parse(since)).total_seconds())
    except ValueError:
        return 0.0


def span(seconds: float) -> str:
    """Return a span of time as people say it: `0.3s`, `12s`, `3m04s`, `2h05m`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def dollars(microusd: int) -> str:
    """Return micro-dollars as dollars: to the cent from ten dollars on, else to a hundredth of one."""
    return f"${microusd / 1e6:.2f}" if microusd >= 10_000_000 else f"${microusd / 1e6:.4f}"


def count(number: int) -> str:
    """Return a number of tokens as people say it: `950`, `12.3k`, `1.20M`."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}k" if number < 1_000_000 else f"{number / 1e6:.2f}M"

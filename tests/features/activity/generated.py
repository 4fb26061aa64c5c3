"""Sessions made up by Hypothesis: turns with calls, subagents, questions, background work; seen by several sources."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from claude_code_mcp.features.approvals.events import ApprovalAnswered, ApprovalOpened
from claude_code_mcp.features.sessions.events import RunExited
from claude_code_mcp.kernel.events import Event, Fact, Recorded, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude import facts
from tests.features.activity.seen import recorded

SESSION = SessionId("5e551000-0000-4000-8000-000000000001")
BEGIN = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TOOLS = ("Read", "Bash", "Edit", "mcp__raw__addtool", "AskUserQuestion")


class Told:
    """What each source tells of a session, in order."""

    def __init__(self, draw: st.DrawFn, seen_by: set[str]) -> None:
        self.draw = draw
        self.seen_by = seen_by
        self.lanes: dict[str, list[Event]] = {"stream": [], "transcript": [], "hook": [], "daemon": []}
        self.now = BEGIN

    def tick(self) -> None:
        """Let some time go by."""
        self.now += timedelta(milliseconds=self.draw(st.integers(0, 900)))

    def tell(self, fact: Fact, *sources: str, **places: Any) -> None:
        """Let sources tell a fact; each stamps it a little later than the one before, and may not see it at all."""
        for late, source in enumerate(sources):
            if source not in self.seen_by or self.draw(st.integers(0, 19)) == 0:
                continue
            lane = self.lanes[source]
            key = f"{'run' if source == 'stream' else source}:{len(lane)}:0"
            at = self.now + timedelta(milliseconds=late)
            event = Event(fact=fact, at=at, session_id=SESSION, source=Source(source), source_key=key, id=key, **places)
            lane.append(event)


def _call(told: Told, call: str, agent: str | None, prompt: str) -> None:
    name = told.draw(st.sampled_from(TOOLS))
    server = "raw" if name.startswith("mcp__") else ""
    places = {"subject": call, "tool_use_id": call, "agent_id": agent}
    given = {"file_path": f"/home/dev/{call}"}
    started = facts.ToolStarted(name=name, input=given, mcp_server=server, input_digest=call, prompt_id=prompt)
    told.tell(started, "stream", "transcript", "hook", **places)
    told.tick()
    if told.draw(st.integers(0, 3)) == 0:
        _ask(told, call, name, agent)
    end = told.draw(st.integers(0, 6))
    if end == 0:
        return
    if end == 1:
        told.tell(facts.ToolDenied(name=name, output="no"), "stream", "transcript", **places)
    elif end == 2:
        told.tell(facts.ToolFailed(name=name, output="bad", ran_ms=3), "stream", "transcript", "hook", **places)
    elif end == 3 and name == "Bash":
        _background(told, call, places)
    else:
        told.tell(facts.ToolFinished(name=name, output="ok", ran_ms=2), "stream", "transcript", "hook", **places)
    told.tick()


def _ask(told: Told, call: str, name: str, agent: str | None) -> None:
    asked = facts.ApprovalAsked(request_id=f"r-{call}", name=name)
    told.tell(asked, "stream", subject=f"r-{call}", tool_use_id=call, agent_id=agent)
    hooked = facts.ApprovalAsked(request_id=f"hook:{call}", name=name, input_digest=call)
    told.tell(hooked, "hook", subject=f"hook:{call}", agent_id=agent)
    told.tell(ApprovalOpened(approval_id=f"a-{call}", request_id=f"r-{call}", tool=name, question="x"), "daemon")
    told.tick()
    if told.draw(st.booleans()):
        told.tell(ApprovalAnswered(approval_id=f"a-{call}", decision="allow", by="me", tool=name), "daemon")
    elif told.draw(st.booleans()):
        told.tell(facts.ApprovalWithdrawn(request_id=f"r-{call}"), "stream", subject=f"r-{call}")


def _background(told: Told, call: str, places: dict[str, Any]) -> None:
    task = f"b-{call}"
    begun = facts.TaskStarted(task_id=task, task_type="local_bash", background=True)
    told.tell(begun, "stream", "hook", subject=task, tool_use_id=call)
    told.tell(facts.ToolFinished(name="Bash", started_task_id=task), "stream", "transcript", "hook", **places)
    told.tick()
    if told.draw(st.booleans()):
        told.tell(facts.TaskFinished(task_id=task, status="completed"), "stream", "transcript", "hook", subject=task)


def _agent(told: Told, call: str, above: str | None, prompt: str, depth: int) -> None:
    agent, background = f"agent-{call}", told.draw(st.booleans())
    places = {"subject": call, "tool_use_id": call, "agent_id": above}
    started = facts.ToolStarted(name="Agent", input={"description": "look"}, prompt_id=prompt)
    told.tell(started, "stream", "transcript", "hook", **places)
    told.tick()
    begun = facts.SubagentStarted(
        task_id=agent, agent_type="Explore", background=background, parent_task_id=above or "", prompt_id=prompt
    )
    told.tell(begun, "stream", subject=agent, tool_use_id=call, parent=call, agent_id=agent)
    told.tell(begun, "hook", subject=agent, agent_id=agent)
    told.tell(facts.AgentLinked(agent_type="Explore"), "transcript", "hook", subject=agent, tool_use_id=call)
    for number in range(told.draw(st.integers(0, 2))):
        _step(told, f"{call}.{number}", agent, prompt, depth + 1)
    if told.draw(st.integers(0, 4)):
        over = facts.SubagentFinished(task_id=agent, status="completed", summary="seen")
        told.tell(over, "stream", "hook", "transcript", subject=agent, tool_use_id=call, agent_id=agent)
        ended = facts.ToolFinished(name="Agent", output="seen", started_task_id=agent if background else "")
        told.tell(ended, "stream", "transcript", "hook", **places)


def _step(told: Told, call: str, agent: str | None, prompt: str, depth: int) -> None:
    if depth < 3 and told.draw(st.integers(0, 4)) == 0:
        _agent(told, call, agent, prompt, depth)
    else:
        _call(told, call, agent, prompt)


def _turn(told: Told, number: int) -> None:
    prompt, uuid = f"p{number}", f"u{number}"
    taken = facts.PromptTaken(prompt_id=prompt, message_uuid=uuid, text=f"prompt {number}")
    told.tell(facts.PromptTaken(prompt_id=prompt, text=f"prompt {number}"), "hook", subject=prompt)
    told.tell(taken, "transcript", subject=prompt)
    uuids = (uuid,) if told.draw(st.booleans()) else ()
    told.tell(facts.TurnStarted(turn=number, message_uuids=uuids), "stream", subject=SESSION)
    told.tick()
    if told.draw(st.integers(0, 5)) == 0:
        for attempt in (1, 2):
            told.tell(facts.ApiRetried(attempt=attempt, max_retries=9, delay_ms=5), "stream", "transcript")
    for step in range(told.draw(st.integers(0, 3))):
        _step(told, f"t{number}-{step}", None, prompt, 0)
    if told.draw(st.integers(0, 5)) == 0:
        told.tell(facts.CompactionStarted(), "stream", "hook", subject=SESSION)
        told.tick()
        told.tell(facts.ContextCompacted(trigger="auto", pre_tokens=9, post_tokens=2), "stream", "transcript", "hook")
    usage = facts.Usage(input_tokens=number, output_tokens=1)
    answered = facts.ModelAnswered(message_id=f"m{number}", usage=usage, model="opus")
    told.tell(answered, "transcript", subject=f"m{number}")
    told.tell(facts.MessageSaid(role="assistant", text="done"), "stream", "transcript", subject=f"said{number}")
    told.tick()
    end = told.draw(st.integers(0, 4))
    if end:
        ok = end > 1
        told.tell(facts.TurnStopped(prompt_id=prompt, ok=ok), "hook", "transcript", subject=prompt)
        told.tell(facts.TurnFinished(turn=number, ok=ok, duration_ms=40, usage=usage, cost_microusd=7), "stream")


@st.composite
def sessions(draw: st.DrawFn) -> list[list[Recorded]]:
    """Draw a session as each source that saw it tells it."""
    seen_by = draw(st.sets(st.sampled_from(("stream", "transcript", "hook")), min_size=1))
    told = Told(draw, {*seen_by, "daemon"})
    for number in range(1, draw(st.integers(1, 3)) + 1):
        _turn(told, number)
        told.tick()
    end = draw(st.integers(0, 3))
    if end == 1:
        told.tell(facts.SessionClosed(reason="other"), "hook", subject=SESSION)
    elif end == 2:
        told.tell(facts.ProcessGone(pid=7), "daemon", subject=SESSION)
    elif end == 3:
        told.tell(RunExited(run_id="run", outcome="killed", signal=9), "daemon", subject=SESSION)
    lanes = [recorded(lane) for lane in told.lanes.values() if lane]
    return lanes or [recorded([Event(fact=facts.SessionOpened(how="startup"), at=BEGIN, session_id=SESSION)])]

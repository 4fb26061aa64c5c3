"""Which call launched a subagent: Claude Code writes it beside the subagent's transcript."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import AgentLinked, SubagentFinished, SubagentStarted
from claude_code_mcp.platform.claude.fields import int_of, text_of, word_of
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.claude.stream.state import Reading
from claude_code_mcp.platform.claude.transcript.entry import Entry, Origin, TranscriptState

_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AgentMeta:
    """A subagent as its description file tells it. `changed_at`: when that was written last."""

    changed_at: datetime
    agent_type: str = ""
    description: str = ""
    tool_use_id: str = ""
    parent_agent_id: str = ""
    depth: int = 1
    background: bool = False
    finished: bool = False


def read_meta(path: Path) -> AgentMeta | None:
    """Return what the description file of a subagent says, None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            value = msgspec.json.decode(file.read(_FILE_BYTES))
            changed = path.stat().st_mtime
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return AgentMeta(
        changed_at=datetime.fromtimestamp(changed, UTC),
        agent_type=word_of(value, "agentType"),
        description=clip(redact(text_of(value, "description")), NOTE_BYTES)[0],
        tool_use_id=word_of(value, "toolUseId"),
        parent_agent_id=word_of(value, "parentAgentId"),
        depth=int_of(value, "spawnDepth") or 1,
        background=value.get("requestShape") == "background",
        finished=value.get("finished") is True,
    )


def agent_events(
    state: TranscriptState, meta: AgentMeta, *, origin: Origin, began_at: datetime, read_whole: bool
) -> Reading:
    """Return what a description says that was not told yet: whose the subagent is, that it began, that it ended.

    `began_at`: the time of the first line of its transcript. `read_whole`: all lines of it were told, so that its end
    may be told as well.
    """
    agent, call = origin.agent_id, meta.tool_use_id or None
    stem = f"t:{origin.session_id}:{agent}:meta:"
    begun = Entry(state, origin, data=b"", offset=0, at=began_at)
    if meta.tool_use_id and state.launched_by != meta.tool_use_id:
        begun.change(launched_by=meta.tool_use_id)
        linked = AgentLinked(
            agent_type=meta.agent_type,
            description=meta.description,
            parent_agent_id=meta.parent_agent_id,
            depth=meta.depth,
        )
        begun.add(linked, agent, stem + "linked", tool_use_id=call)
        started = SubagentStarted(
            task_id=agent,
            agent_type=meta.agent_type,
            description=meta.description,
            background=meta.background,
            depth=meta.depth,
            parent_task_id=meta.parent_agent_id,
        )
        begun.add(started, agent, stem + "started", tool_use_id=call)
    if not read_whole or not meta.finished or begun.memory.finished:
        return begun.reading()
    # The last that it said is its end; the file's own time is that of whoever copied it.
    told_at = begun.memory.told_at
    ended_at = datetime.fromtimestamp(told_at, UTC) if told_at else max(meta.changed_at, began_at)
    ended = Entry(begun.memory, origin, data=b"", offset=0, at=ended_at)
    ended.change(finished=True)
    ended.add(SubagentFinished(task_id=agent, status="completed"), agent, stem + "finished", tool_use_id=call)
    return Reading(ended.state, (*begun.events, *ended.events))

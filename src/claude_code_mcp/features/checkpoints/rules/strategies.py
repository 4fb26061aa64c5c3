"""When a checkpoint is taken by itself: what happened, and what a project's strategy makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from claude_code_mcp.features.checkpoints.models import Strategy, Trigger
from claude_code_mcp.features.checkpoints.rules.risky import risky
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.platform.claude.transcript.cutting import Moment, Where

LOOKS_ONLY = frozenset({
    "Read", "Glob", "Grep", "LS", "NotebookRead", "WebFetch", "WebSearch", "TodoWrite", "TodoRead", "ToolSearch",
    "AskUserQuestion", "ExitPlanMode", "EnterPlanMode", "TaskOutput", "BashOutput", "TaskStop", "KillShell",
    "ListMcpResourcesTool", "ReadMcpResourceTool", "CronList", "TaskList", "TaskGet", "SendUserMessage",
})  # fmt: skip
"""Claude Code's tools that change no file. Every other may, those of MCP servers included."""
PROMPT, BEGAN, CALLED_OFF = "prompt.taken", "tool.started", "tool.denied"
ENDED = frozenset({"tool.finished", "tool.failed", "tool.abandoned"})
TURN_OVER = frozenset({"turn.finished", "turn.stopped"})
SETTINGS = "checkpoint.settings_changed"
PLACES = frozenset({"turn.started", "session.opened", PROMPT})
"""What tells in which folder a session works."""
KINDS = (PROMPT, BEGAN, *sorted(ENDED), *sorted(TURN_OVER), *sorted(PLACES - {PROMPT}), SETTINGS)
"""All kinds of events that matter here."""


UNNAMED = "@"
"""Before the id of a turn that no prompt began: it is that of an event then."""
_NAMED = frozenset(Where) - {Where.END}


class When(StrEnum):
    """What happened in a session."""

    PROMPT = "prompt"
    TOOL_BEGAN = "tool_began"
    TOOL_ENDED = "tool_ended"
    TURN_ENDED = "turn_ended"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something happened at which a checkpoint may be wanted.

    `id`: the prompt, the call, or the turn. `tool`, `command`: of a call. `of_agent`: it is a subagent's.
    """

    when: When
    session_id: str
    id: str = ""
    tool: str = ""
    command: str = ""
    of_agent: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checkpoint that is wanted. `always`: also where no file changed, for the sake of the conversation."""

    trigger: Trigger
    moment: Moment
    session_id: str
    cause: str
    message: str
    always: bool = False


def occasion(event: Recorded) -> Occasion | None:
    """Return what an event of a session means here, None where nothing."""
    payload, session = event.payload, event.session_id
    if session is None:
        return None
    name = str(payload.get("name") or "")
    if event.kind == PROMPT:
        # What Claude Code says by itself when background work has ended begins a turn as well.
        prompt = str(payload.get("prompt_id") or payload.get("message_uuid") or event.subject)
        return Occasion(When.PROMPT, session, prompt, text=str(payload.get("text") or ""))
    if event.kind == BEGAN:
        return Occasion(
            When.TOOL_BEGAN, session, event.tool_use_id or event.subject, name, _command(payload), bool(event.agent_id)
        )
    if event.kind in ENDED:
        call = event.tool_use_id or event.subject
        return Occasion(When.TOOL_ENDED, session, call, name, of_agent=bool(event.agent_id))
    if event.kind in TURN_OVER:
        messages = payload.get("message_uuids") or [f"{UNNAMED}{event.id}"]
        return Occasion(When.TURN_ENDED, session, str(payload.get("prompt_id") or messages[0]))
    return None


def _command(payload: dict[str, Any]) -> str:
    given = payload.get("input")
    command = given.get("command") if isinstance(given, dict) else None
    return command if isinstance(command, str) else ""


def wanted(strategy: Strategy, one: Occasion) -> Wanted | None:
    """Return the checkpoint that a strategy wants at an occasion, None where it wants none."""
    if one.when is When.PROMPT:
        return _before_prompt(strategy, one)
    if one.when is When.TOOL_ENDED and strategy is Strategy.PER_TOOL_USE and may_change(one.tool):
        moment = Moment() if one.of_agent else Moment(Where.AFTER_TOOL, one.id)
        return _made(Trigger.PER_TOOL_USE, moment, one, "after_tool", f"After {one.tool or 'a tool'}")
    return _smart(one) if strategy is Strategy.SMART else None


def _smart(one: Occasion) -> Wanted | None:
    if one.when is When.TURN_ENDED and one.id.startswith(UNNAMED):
        return _made(Trigger.SMART, Moment(), one, "turn", "After a turn")
    if one.when is When.TURN_ENDED:
        return _made(Trigger.SMART, Moment(Where.AFTER_TURN, one.id), one, "after_turn", "After a turn")
    if one.when is When.TOOL_BEGAN and one.command and (what := risky(one.command)):
        moment = Moment() if one.of_agent else Moment(Where.BEFORE_TOOL, one.id)
        return _made(Trigger.SMART, moment, one, "before_tool", f"Before {what}")
    return None


def _before_prompt(strategy: Strategy, one: Occasion) -> Wanted | None:
    moment = Moment(Where.BEFORE_PROMPT, one.id)
    if strategy is Strategy.PER_PROMPT:
        said = " ".join(one.text.split())[:80]
        return _made(Trigger.PER_PROMPT, moment, one, "before_prompt", f"Before: {said}" if said else "", always=True)
    if strategy is Strategy.SMART:
        return _made(Trigger.SMART, moment, one, "before_prompt", "Before a turn")
    return None


def _made(trigger: Trigger, moment: Moment, one: Occasion, cause: str, message: str, *, always: bool = False) -> Wanted:
    return Wanted(trigger, moment, one.session_id, f"{cause}:{one.id}", message, always)


def may_change(tool: str) -> bool:
    """Tell whether a tool may change files; one that nobody knows may."""
    return tool not in LOOKS_ONLY


def moment_of(cause: str) -> Moment:
    """Return the moment of a conversation that a checkpoint's cause names; its end for everything else."""
    where, _, name = cause.partition(":")
    return Moment(Where(where), name) if name and where in _NAMED else Moment()


def at_work(begun: Iterable[Recorded]) -> str:
    """Return the tool among these calls that may have changed files, empty where none may."""
    for event in begun:
        name = str(event.payload.get("name") or "")
        if may_change(name):
            return name or "a tool"
    return ""

"""What is seen of a session from outside: hooks, transcripts, telemetry and the process table.

The subject is the session, unless said otherwise. None of these comes from the stream of a run of ours.
"""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude.facts.turns import Usage


class SessionOpened(Fact, frozen=True, kw_only=True):
    """A process began to work on a session.

    `how`: "startup", "resume", "fork", "clear", "compact" or "init". `model`: which model, where told. `cwd`: where.
    `cli_version`, `entrypoint`: of Claude Code ("cli" is a terminal). `pid`: of the process, None where not told.
    """

    kind: ClassVar[str] = "session.opened"

    how: str = ""
    model: str = ""
    cwd: str = ""
    cli_version: str = ""
    entrypoint: str = ""
    pid: int | None = None


class SessionClosed(Fact, frozen=True, kw_only=True):
    """A process ended its work on a session in good order. `reason`: Claude Code's word ("other", "clear" …)."""

    kind: ClassVar[str] = "session.closed"

    reason: str = ""


class ProcessGone(Fact, frozen=True, kw_only=True):
    """The process that worked on a session is not there any more, whether or not it said good-bye. `pid`: which."""

    kind: ClassVar[str] = "process.gone"

    pid: int = 0


class ProcessMeasured(Fact, frozen=True, kw_only=True):
    """What a session's process and its children use now.

    `pid`: its process. `cpu_percent`: of one core. `memory_bytes`: resident. `processes`: how many they are.
    """

    kind: ClassVar[str] = "process.measured"

    pid: int = 0
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    processes: int = 1


class PromptTaken(Fact, frozen=True, kw_only=True):
    """Claude Code took up a prompt: a turn begins, or the running turn takes it in. Subject: `prompt_id`, else the
    message's uuid.

    `prompt_id`: Claude Code's id of the turn, on all its tool calls; "" where not told. `message_uuid`: the
    message, "" where not told. `text`: the prompt, cut to 4 KiB. `origin`: "" for a person's, else what sent it
    ("task-notification", "command", "compact" …). `absorbed`: a turn that was running took it in; none began.
    `permission_mode`, `cwd`: with what and where it runs, "" where not told.
    """

    kind: ClassVar[str] = "prompt.taken"

    prompt_id: str = ""
    message_uuid: str = ""
    text: str = ""
    origin: str = ""
    absorbed: bool = False
    permission_mode: str = ""
    cwd: str = ""


class TurnStopped(Fact, frozen=True, kw_only=True):
    """A turn came to its end, as seen from outside. Subject: `prompt_id`, else the session.

    `ok`: without an API error. `error`: Claude Code's word for it. `background`: tasks that run on, so that more
    turns follow. `interrupted`: a person broke it off. `last_message`: what was said last, cut to 4 KiB.
    """

    kind: ClassVar[str] = "turn.stopped"

    prompt_id: str = ""
    ok: bool = True
    error: str = ""
    background: int = 0
    interrupted: bool = False
    last_message: str = ""


class ModelAnswered(Fact, frozen=True, kw_only=True):
    """The model gave a whole answer. Subject: `message_id`; the same answer may be told several times.

    `model`: who. `usage`: its tokens. `cost_microusd`: as Claude Code counted it, None where not told.
    `duration_ms`, `ttft_ms`: of the call to the API, None where not told. `stop_reason`: why it ended.
    `request_id`: the API's. `prompt_id`: the turn that it is part of, "" where not told.
    """

    kind: ClassVar[str] = "model.answered"

    message_id: str = ""
    model: str = ""
    usage: Usage = Usage()
    cost_microusd: int | None = None
    duration_ms: int | None = None
    ttft_ms: int | None = None
    stop_reason: str = ""
    request_id: str = ""
    prompt_id: str = ""


class CostCounted(Fact, frozen=True, kw_only=True):
    """Claude Code counted what a session came to until now, as it does when it ends its work on it.

    `total_cost_microusd`: of the whole session, earlier processes included, and subagents. `duration_api_ms`,
    `duration_tools_ms`, `duration_ms`: with the API, in tools, all in all. `lines_added`, `lines_removed`: of files.
    """

    kind: ClassVar[str] = "cost.counted"

    total_cost_microusd: int = 0
    duration_api_ms: int = 0
    duration_tools_ms: int = 0
    duration_ms: int = 0
    lines_added: int = 0
    lines_removed: int = 0


class AgentLinked(Fact, frozen=True, kw_only=True):
    """Which call launched a subagent is known. Subject: the agent's id; the event's `tool_use_id` is the call.

    `agent_type`, `description`: which agent, what for. `parent_agent_id`: the agent that made the call, "" for the
    main thread. `depth`: 1 for one that the main thread started.
    """

    kind: ClassVar[str] = "agent.linked"

    agent_type: str = ""
    description: str = ""
    parent_agent_id: str = ""
    depth: int = 1


class ToolBlocked(Fact, frozen=True, kw_only=True):
    """A tool call waited for a person. Subject: the tool_use_id. `waited_ms`: for how long; `decision`: how it
    ended ("accept", "reject")."""

    kind: ClassVar[str] = "tool.blocked"

    waited_ms: int = 0
    decision: str = ""


class PersonNeeded(Fact, frozen=True, kw_only=True):
    """Claude Code told the person that it waits. `what`: "permission_prompt", "idle_prompt" or its other word.
    `text`: what it said."""

    kind: ClassVar[str] = "person.needed"

    what: str = ""
    text: str = ""

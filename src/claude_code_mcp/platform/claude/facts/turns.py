"""Turns: what each began with, used, cost and came to, and what happened between us and the API."""

from typing import Any, ClassVar

import msgspec

from claude_code_mcp.kernel.events import Fact


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens, by kind. `cache_write_1h_tokens` is the part of `cache_write_tokens` that is kept for an hour."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    thinking_tokens: int = 0
    web_searches: int = 0


class ModelUsage(Usage, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one model and their cost in micro-dollars. `cost_basis`: where the price comes from, as Claude Code
    says; "unknown" means that it guessed."""

    cost_microusd: int = 0
    cost_basis: str = ""


class McpServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An MCP server of the session: its name, "connected", "failed" or another status, and which file named it."""

    name: str
    status: str = ""
    source: str = ""


class TurnStarted(Fact, frozen=True, kw_only=True):
    """A turn began. Subject: the session.

    `turn`: its number in this run, from 1. `model`, `permission_mode`, `cwd`: with what and where it runs
    (`cwd` with symbolic links resolved). `cli_version`: of Claude Code. `api_key_source`: where its login comes
    from. `tools`, `agents`: what the model may use. `mcp_servers`: and through whom. `message_uuids`: the
    messages that it is about, none for a turn that Claude Code began by itself.
    """

    kind: ClassVar[str] = "turn.started"

    turn: int
    model: str = ""
    permission_mode: str = ""
    cwd: str = ""
    cli_version: str = ""
    api_key_source: str = ""
    tools: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    mcp_servers: tuple[McpServer, ...] = ()
    message_uuids: tuple[str, ...] = ()


class Denial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool call that was denied in the turn: the tool, the call, and the call in one line."""

    name: str
    tool_use_id: str = ""
    summary: str = ""


class TurnFinished(Fact, frozen=True, kw_only=True):
    """A turn ended. Subject: the session. It may have more to do: only its state says when it is idle.

    `turn`: its number in this run. `ok`: it came to its end without an error. `subtype`: Claude Code's word for
    how it ended; it may be "success" although the API failed, so read `ok`. `terminal_reason`, `stop_reason`:
    why it ended. `result`: the answer, cut to 256 KiB, and `result_bytes` its whole size in bytes when it was
    cut, else 0. `structured_output`: the answer to a JSON schema, None where there is none. `errors`: what went
    wrong. `api_error_status`: the HTTP status that broke it off. `num_turns`: model calls. `duration_ms`,
    `duration_api_ms`, `ttft_ms`: how long it took, all in all, in the API, and to the first token. `usage`:
    tokens of the main thread; `models`: tokens and cost of this turn by model, subagents included.
    `cost_microusd`: cost of this turn in micro-dollars, and `total_cost_microusd` of the session until now.
    `denials`: tool calls that were denied. `origin`: "" for a turn about messages, else what began it (such as
    "task-notification"). `message_uuids`: the messages that it answers. `queued`: messages that wait.
    `subagents`: how many it spawned. `local_command`: the slash command that it was.
    """

    kind: ClassVar[str] = "turn.finished"

    turn: int
    ok: bool
    subtype: str = ""
    terminal_reason: str = ""
    stop_reason: str = ""
    result: str = ""
    result_bytes: int = 0
    structured_output: Any = None
    errors: tuple[str, ...] = ()
    api_error_status: int | None = None
    num_turns: int = 0
    duration_ms: int = 0
    duration_api_ms: int = 0
    ttft_ms: int | None = None
    usage: Usage = Usage()
    models: dict[str, ModelUsage] = msgspec.field(default_factory=dict)
    cost_microusd: int = 0
    total_cost_microusd: int = 0
    denials: tuple[Denial, ...] = ()
    origin: str = ""
    message_uuids: tuple[str, ...] = ()
    queued: int = 0
    subagents: int = 0
    local_command: str = ""


class ApiRetried(Fact, frozen=True, kw_only=True):
    """A call to the API failed and will be tried again. Subject: the session.

    `attempt` of `max_retries`, after `delay_ms`. `status`: the HTTP status, None where no answer came. `error`:
    Claude Code's word for it; "authentication_failed" does not get better by waiting.
    """

    kind: ClassVar[str] = "api.retried"

    attempt: int
    max_retries: int = 0
    delay_ms: int = 0
    status: int | None = None
    error: str = ""


class RateLimitChanged(Fact, frozen=True, kw_only=True):
    """The provider says how much of a limit is used up. Subject: the session.

    `status`: "allowed", "allowed_warning" or "rejected". `window`: which limit (such as "five_hour").
    `utilization`: the part used, 0 to 1. `resets_at`: when it starts anew, in seconds since 1970.
    `overage_status`, `using_overage`: whether use beyond the limit is possible and happening.
    """

    kind: ClassVar[str] = "rate_limit.changed"

    status: str
    window: str = ""
    utilization: float | None = None
    resets_at: int | None = None
    overage_status: str = ""
    using_overage: bool = False


class ModelFellBack(Fact, frozen=True, kw_only=True):
    """Another model goes on. Subject: the session.

    `trigger`: why (such as "overloaded" or "refusal"). `original_model`, `fallback_model`: from which to which.
    `text`: what Claude Code says about it.
    """

    kind: ClassVar[str] = "model.fell_back"

    trigger: str = ""
    original_model: str = ""
    fallback_model: str = ""
    text: str = ""


class ModelRefused(Fact, frozen=True, kw_only=True):
    """The model refused and no other took over. Subject: the session. `model`, `category`: which, on what grounds.

    `text`: what Claude Code says about it.
    """

    kind: ClassVar[str] = "model.refused"

    model: str = ""
    category: str = ""
    text: str = ""

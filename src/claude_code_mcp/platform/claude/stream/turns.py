"""Lines about turns and the API: init, result, retries, limits, fallbacks."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, TEXT_BYTES, bounded, clip
from claude_code_mcp.platform.claude.facts import (
    ApiRetried,
    Denial,
    McpServer,
    ModelFellBack,
    ModelRefused,
    ModelUsage,
    PermissionModeChanged,
    RateLimitChanged,
    ToolAbandoned,
    TurnFinished,
    TurnStarted,
    Usage,
)
from claude_code_mcp.platform.claude.fields import (
    dict_of,
    dicts_of,
    float_of,
    int_of,
    path_of,
    text_of,
    word_of,
    words_of,
)
from claude_code_mcp.platform.claude.stream.results import duration_ms
from claude_code_mcp.platform.claude.stream.state import Line
from claude_code_mcp.platform.claude.summaries import summary

_MICRO = Decimal(1_000_000)
_MOST_USD = Decimal(10) ** 9


def microusd(usd: Any) -> int:
    """Return dollars as whole micro-dollars, exactly as they were written; 0 for what is no amount."""
    return _micro(_amount(usd))


def turn_started(line: Line) -> None:
    """Take an init line: one stands at the start of every turn."""
    obj = line.obj
    state = line.state
    mode = word_of(obj, "permissionMode")
    if mode and state.permission_mode and mode != state.permission_mode:
        line.emit(PermissionModeChanged(mode=mode, previous=state.permission_mode), line.session)
    _abandon_tools(line)
    line.change(turn=state.turn + 1, turn_open=True, permission_mode=mode or state.permission_mode)
    fact = TurnStarted(
        turn=line.state.turn,
        model=word_of(obj, "model"),
        permission_mode=mode,
        cwd=path_of(obj, "cwd"),
        cli_version=word_of(obj, "claude_code_version"),
        api_key_source=word_of(obj, "apiKeySource"),
        tools=words_of(obj, "tools"),
        agents=words_of(obj, "agents"),
        mcp_servers=tuple(
            McpServer(name=word_of(server, "name"), status=word_of(server, "status"), source=word_of(server, "source"))
            for server in dicts_of(obj, "mcp_servers")[:100]
        ),
        message_uuids=words_of(obj, "user_message_uuids"),
    )
    line.emit(fact, line.session)


def turn_finished(line: Line) -> None:
    """Take a result line."""
    obj = line.obj
    subtype = word_of(obj, "subtype")
    result, result_bytes = clip(text_of(obj, "result"), TEXT_BYTES)
    structured, _ = bounded(obj.get("structured_output"), TEXT_BYTES)
    models = {
        name[:200]: _model_usage(usage)
        for name, usage in list(dict_of(obj, "model_usage_since_last_result").items())[:50]
        if isinstance(usage, dict)
    }
    total, cost = _costs(line, obj)
    fact = TurnFinished(
        turn=line.state.turn,
        ok=subtype == "success" and obj.get("is_error") is not True,
        subtype=subtype,
        terminal_reason=word_of(obj, "terminal_reason"),
        stop_reason=word_of(obj, "stop_reason"),
        result=result,
        result_bytes=result_bytes,
        structured_output=structured,
        errors=_errors(obj),
        api_error_status=int_of(obj, "api_error_status"),
        num_turns=int_of(obj, "num_turns") or 0,
        duration_ms=int_of(obj, "duration_ms") or 0,
        duration_api_ms=int_of(obj, "duration_api_ms") or 0,
        ttft_ms=int_of(obj, "ttft_ms"),
        usage=usage_of(dict_of(obj, "usage")),
        models=models,
        cost_microusd=cost,
        total_cost_microusd=total,
        denials=tuple(
            Denial(
                name=word_of(denial, "tool_name"),
                tool_use_id=word_of(denial, "tool_use_id"),
                summary=summary(word_of(denial, "tool_name"), denial.get("tool_input")),
            )
            for denial in dicts_of(obj, "permission_denials")[:100]
        ),
        origin=word_of(dict_of(obj, "origin"), "kind"),
        message_uuids=words_of(obj, "user_message_uuids"),
        queued=int_of(obj, "queued_turn_count") or 0,
        subagents=int_of(dict_of(obj, "subagent_stats"), "spawned") or 0,
        local_command=word_of(obj, "local_command"),
    )
    line.emit(fact, line.session)
    line.change(turn_open=False, total_cost_microusd=total)


def api_retry(line: Line) -> None:
    """Take a failed call to the API that will be tried again."""
    obj = line.obj
    fact = ApiRetried(
        attempt=int_of(obj, "attempt") or 0,
        max_retries=int_of(obj, "max_retries") or 0,
        delay_ms=int_of(obj, "retry_delay_ms") or 0,
        status=int_of(obj, "error_status"),
        error=word_of(obj, "error"),
    )
    line.emit(fact, line.session)


def rate_limit(line: Line) -> None:
    """Take the state of a usage limit."""
    info = dict_of(line.obj, "rate_limit_info")
    fact = RateLimitChanged(
        status=word_of(info, "status"),
        window=word_of(info, "rateLimitType"),
        utilization=float_of(info, "utilization"),
        resets_at=int_of(info, "resetsAt"),
        overage_status=word_of(info, "overageStatus"),
        using_overage=info.get("isUsingOverage") is True,
    )
    line.emit(fact, line.session)


def model_fallback(line: Line) -> None:
    """Take the change to another model."""
    obj = line.obj
    fact = ModelFellBack(
        trigger=word_of(obj, "trigger") or word_of(obj, "choice"),
        original_model=word_of(obj, "original_model"),
        fallback_model=word_of(obj, "fallback_model"),
        text=clip(text_of(obj, "content"), NOTE_BYTES)[0],
    )
    line.emit(fact, line.session)


def model_refusal(line: Line) -> None:
    """Take a refusal that no other model took over."""
    obj = line.obj
    text, _ = clip(text_of(obj, "content"), NOTE_BYTES)
    category = word_of(obj, "api_refusal_category")
    line.emit(ModelRefused(model=word_of(obj, "original_model"), category=category, text=text), line.session)


def _abandon_tools(line: Line) -> None:
    """Close what the main thread left open: a turn that was broken off (over its budget, say) gives no results."""
    state = line.state
    left = {key: tool for key, tool in state.tools.items() if tool.parent is None and tool.agent_id is None}
    for tool_use_id, tool in left.items():
        fact = ToolAbandoned(name=tool.name, duration_ms=duration_ms(line, tool))
        line.emit(fact, tool_use_id, tool_use_id=tool_use_id)
    if left:
        line.change(tools={key: tool for key, tool in state.tools.items() if key not in left})


def _costs(line: Line, obj: dict[str, Any]) -> tuple[int, int]:
    """Return the session's cost and this turn's.

    The total is cumulative and restored by `--resume`, so the turn's part is the total minus the total without
    it; in that form the parts add up to the total to the micro-dollar.
    """
    amount = _amount(obj.get("total_cost_usd"))
    total = _micro(amount)
    since = obj.get("model_usage_since_last_result")
    if not isinstance(since, dict):
        return total, max(0, total - line.state.total_cost_microusd)
    turn = sum((_amount(usage.get("costUSD")) for usage in since.values() if isinstance(usage, dict)), Decimal(0))
    return total, max(0, total - _micro(amount - turn))


def _amount(usd: Any) -> Decimal:
    if isinstance(usd, bool) or not isinstance(usd, (int, float)):
        return Decimal(0)
    try:
        # repr is the shortest text that means the same float: the digits that Claude Code wrote.
        amount = Decimal(repr(usd))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() and abs(amount) < _MOST_USD else Decimal(0)


def _micro(amount: Decimal) -> int:
    return int((amount * _MICRO).quantize(Decimal(1), ROUND_HALF_EVEN))


def usage_of(usage: dict[str, Any]) -> Usage:
    """Return the tokens that the API counted."""
    return Usage(
        input_tokens=int_of(usage, "input_tokens") or 0,
        output_tokens=int_of(usage, "output_tokens") or 0,
        cache_read_tokens=int_of(usage, "cache_read_input_tokens") or 0,
        cache_write_tokens=int_of(usage, "cache_creation_input_tokens") or 0,
        cache_write_1h_tokens=int_of(dict_of(usage, "cache_creation"), "ephemeral_1h_input_tokens") or 0,
        thinking_tokens=int_of(dict_of(usage, "output_tokens_details"), "thinking_tokens") or 0,
        web_searches=int_of(dict_of(usage, "server_tool_use"), "web_search_requests") or 0,
    )


def _model_usage(usage: dict[str, Any]) -> ModelUsage:
    return ModelUsage(
        input_tokens=int_of(usage, "inputTokens") or 0,
        output_tokens=int_of(usage, "outputTokens") or 0,
        cache_read_tokens=int_of(usage, "cacheReadInputTokens") or 0,
        cache_write_tokens=int_of(usage, "cacheCreationInputTokens") or 0,
        cache_write_1h_tokens=int_of(usage, "cacheCreationEphemeral1hInputTokens") or 0,
        thinking_tokens=int_of(usage, "thinkingTokens") or 0,
        web_searches=int_of(usage, "webSearchRequests") or 0,
        cost_microusd=microusd(usage.get("costUSD")),
        cost_basis=word_of(usage, "costBasis"),
    )


def _errors(obj: dict[str, Any]) -> tuple[str, ...]:
    errors = obj.get("errors")
    if not isinstance(errors, list):
        return ()
    return tuple(clip(error, NOTE_BYTES)[0] for error in errors[:20] if isinstance(error, str))

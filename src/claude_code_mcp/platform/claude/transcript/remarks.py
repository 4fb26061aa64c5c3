"""Lines around the conversation in a transcript: remarks, retries, compactions, titles, the final count."""

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    ApiRetried,
    ContextCompacted,
    CostCounted,
    HookFinished,
    MessageSaid,
    ModelFellBack,
    ModelRefused,
    NoticeShown,
    PromptTaken,
    SessionTitled,
)
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, int_of, text_of, word_of
from claude_code_mcp.platform.claude.stream.turns import microusd
from claude_code_mcp.platform.claude.transcript.conversation import noticed, stopped
from claude_code_mcp.platform.claude.transcript.entry import Entry

_FALLBACKS = frozenset(("model_fallback", "model_refusal_fallback", "model_consent_fallback"))
_TITLES = ("customTitle", "aiTitle", "summary")


def attachment(entry: Entry) -> None:
    """Take what came with a prompt, as far as it tells what happened: queued messages, hooks, the end of all turns."""
    told = dict_of(entry.obj, "attachment")
    kind = word_of(told, "type")
    if kind == "queued_command":
        _absorbed(entry, told)
    elif kind == "max_turns_reached" and not entry.agent_id:
        stopped(entry, ok=False, error="max_turns")
    elif kind.startswith("hook_") and word_of(told, "hookName"):
        _hook(entry, told, kind.removeprefix("hook_"))


def system(entry: Entry) -> None:
    """Take a remark of Claude Code's own."""
    subtype = word_of(entry.obj, "subtype")
    if subtype == "api_error":
        _retry(entry)
    elif subtype == "compact_boundary":
        _compacted(entry)
    elif subtype == "turn_duration" and not entry.agent_id:
        stopped(entry)
    elif subtype == "local_command":
        _local_command(entry)
    elif subtype in _FALLBACKS:
        _fell_back(entry)
    elif subtype == "model_refusal_no_fallback":
        refused = ModelRefused(
            model=word_of(entry.obj, "originalModel"),
            category=word_of(entry.obj, "category"),
            text=clip(text_of(entry.obj, "content"), NOTE_BYTES)[0],
        )
        entry.emit(refused, entry.session)
    elif subtype == "informational" and (text := text_of(entry.obj, "content")):
        level = word_of(entry.obj, "level") or "info"
        entry.emit(NoticeShown(text=clip(text, NOTE_BYTES)[0], level=level), entry.session)


def title(entry: Entry) -> None:
    """Take the session's name: given by a person, made by the model, or the old form of it."""
    name = next((text for field in _TITLES if (text := text_of(entry.obj, field))), "")
    # A `summary` line may be about another conversation in the same folder.
    if name and not entry.agent_id and (entry.obj.get("type") != "summary" or "sessionId" in entry.obj):
        entry.emit(SessionTitled(title=clip(name, NOTE_BYTES)[0]), entry.session)


def cost(entry: Entry) -> None:
    """Take what the session came to, as Claude Code counted it."""
    obj = entry.obj
    fact = CostCounted(
        total_cost_microusd=microusd(obj.get("totalCostUSD")),
        duration_api_ms=int_of(obj, "totalAPIDuration") or 0,
        duration_tools_ms=int_of(obj, "totalToolDuration") or 0,
        duration_ms=int_of(obj, "totalDuration") or 0,
        lines_added=int_of(obj, "totalLinesAdded") or 0,
        lines_removed=int_of(obj, "totalLinesRemoved") or 0,
    )
    entry.emit(fact, entry.session)


def _absorbed(entry: Entry, told: dict[str, object]) -> None:
    prompt = told.get("prompt")
    blocks = dicts_of(told, "prompt")
    text = prompt if isinstance(prompt, str) else "\n".join(text_of(block, "text") for block in blocks)
    notice = noticed(entry, text)
    mode = word_of(told, "commandMode")
    uuid = word_of(told, "source_uuid")
    if entry.agent_id:
        return
    running = entry.memory.prompt_id
    fact = PromptTaken(
        prompt_id=running,
        message_uuid=uuid,
        text=clip(text, NOTE_BYTES)[0],
        origin="task-notification" if notice else "" if mode in ("", "prompt") else mode,
        absorbed=True,
    )
    entry.emit(fact, running or uuid or entry.session)
    if not notice:
        entry.emit(MessageSaid(role="user", text=text[:NOTE_BYTES]), uuid or word_of(entry.obj, "uuid"))


def _hook(entry: Entry, told: dict[str, object], outcome: str) -> None:
    hook_id = word_of(told, "toolUseID")
    output, size = clip(text_of(told, "stdout") or text_of(told, "stderr") or text_of(told, "content"), NOTE_BYTES)
    fact = HookFinished(
        hook_id=hook_id,
        name=word_of(told, "hookName"),
        event=word_of(told, "hookEvent"),
        outcome=outcome,
        exit_code=int_of(told, "exitCode"),
        output=output,
        output_bytes=size,
    )
    entry.emit(fact, hook_id)


def _retry(entry: Entry) -> None:
    obj = entry.obj
    error = dict_of(obj, "error")
    fact = ApiRetried(
        attempt=int_of(obj, "retryAttempt") or 0,
        max_retries=int_of(obj, "maxRetries") or 0,
        delay_ms=int_of(obj, "retryInMs") or 0,
        status=int_of(error, "status"),
        error=clip(text_of(error, "formatted") or text_of(error, "message"), NOTE_BYTES)[0],
    )
    entry.emit(fact, entry.session)


def _compacted(entry: Entry) -> None:
    meta = dict_of(entry.obj, "compactMetadata")
    fact = ContextCompacted(
        trigger=word_of(meta, "trigger"),
        pre_tokens=int_of(meta, "preTokens") or 0,
        post_tokens=int_of(meta, "postTokens") or 0,
        duration_ms=int_of(meta, "durationMs") or 0,
    )
    entry.emit(fact, entry.session)


def _local_command(entry: Entry) -> None:
    """Take the output of a slash command that asked no model; its turn is over with it."""
    shown, size = clip(text_of(entry.obj, "content"), NOTE_BYTES)
    fact = MessageSaid(role="user", text=shown, text_bytes=size, synthetic=True, local_command=True)
    entry.emit(fact, word_of(entry.obj, "uuid"))
    if not entry.agent_id:
        stopped(entry)


def _fell_back(entry: Entry) -> None:
    obj = entry.obj
    fact = ModelFellBack(
        trigger=word_of(obj, "trigger"),
        original_model=word_of(obj, "originalModel"),
        fallback_model=word_of(obj, "fallbackModel"),
        text=clip(text_of(obj, "content"), NOTE_BYTES)[0],
    )
    entry.emit(fact, entry.session)

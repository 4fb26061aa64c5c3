"""Turns, as they are seen: prompts, answers, ends, and what happens between Claude Code and the API."""

from hashlib import blake2b
from typing import Any

from claude_code_mcp.features.activity.rules import wording
from claude_code_mcp.features.activity.rules.book import COMPLETED, DENIED, FAILED, INTERRUPTED
from claude_code_mcp.features.activity.rules.records import Mark, Spending, Spent, Turn, best, most
from claude_code_mcp.features.activity.rules.sight import Sight
from claude_code_mcp.platform.claude.facts import (
    ApiRetried,
    CompactionFailed,
    CompactionStarted,
    ContextCompacted,
    MessageSaid,
    ModelAnswered,
    ModelFellBack,
    ModelRefused,
    NoticeShown,
    PromptTaken,
    RateLimitChanged,
    ThinkingFinished,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    WritesLost,
)
from claude_code_mcp.platform.claude.summaries import mcp_parts

COMPACTION_ORIGIN = "compact"
"""Origin of the turn that a command to compact is."""
COMPACTION, RETRY, NOTICE = "compaction", "retry", "notice"
_QUIET_TAGS = frozenset(("config_change", "file_changed", "instructions_loaded", "directory_added", "cwd_changed"))


def prompt_taken(sight: Sight) -> None:
    """Take a prompt: it begins a turn, unless the turn that runs took it in or it is that turn's own again."""
    prompt_id, uuid = sight.text("prompt_id"), sight.text("message_uuid")
    key = prompt_id or (f"u-{uuid}" if uuid else "")
    cwd = sight.text("cwd")
    if cwd:
        _lives(sight, cwd)
    if not key:
        return
    if sight.payload.get("absorbed") is True:
        if prompt_id:
            sight.touch(sight.book.turn(key))
            sight.lane.turn = key
        return
    turn = sight.book.turn(key)
    turn.start = best(turn.start, (sight.ranks.turn_start, -sight.at))
    # The first prompt of a turn names it; what a running turn takes in comes later.
    turn.prompt = best(turn.prompt, (sight.ranks.turn_prompt, -sight.at, wording.prompt_of(sight.text("text"))))
    turn.origin = best(turn.origin, (sight.ranks.turn_prompt, -sight.at, sight.text("origin")))
    if uuid and uuid not in turn.uuids:
        turn.uuids = tuple(sorted((*turn.uuids, uuid)))
        sight.book.by_uuid[uuid] = max(sight.book.by_uuid.get(uuid, ""), key)
    sight.lane.turn = key
    if sight.text("origin") == COMPACTION_ORIGIN:
        _move_compaction(sight)
    sight.touch(turn)


def turn_started(sight: Sight) -> None:
    """Take the first line of a turn of a stream."""
    run, number = _run(sight), sight.number("turn")
    key = f"{run}-{number}"
    turn = sight.book.turn(key, run, number)
    turn.start = best(turn.start, (sight.ranks.turn_start, -sight.at))
    turn.floor = max(turn.floor, sight.lane.over)
    _told_of(sight, turn)
    model = sight.text("model")
    if model:
        turn.model = best(turn.model, (sight.at, model))
        sight.book.life.model = best(sight.book.life.model, (sight.at, model))
    if sight.text("cwd"):
        _lives(sight, sight.text("cwd"))
    sight.lane.turn = key
    sight.touch(turn)


def turn_finished(sight: Sight) -> None:
    """Take the result of a turn of a stream."""
    run, number = _run(sight), sight.number("turn")
    turn = sight.book.turn(f"{run}-{number}", run, number)
    reason = sight.text("terminal_reason")
    ok = sight.payload.get("ok") is True
    status = COMPLETED if ok else INTERRUPTED if reason.startswith("aborted") else FAILED
    error = wording.error_of(_errors(sight) or reason or sight.text("subtype")) if status == FAILED else ""
    claim = (sight.ranks.turn_end, sight.at, status, error, sight.number("duration_ms") * 1000)
    _second_result(sight, turn)
    turn.ended = claim
    if sight.text("origin"):
        turn.origin = best(turn.origin, (0, -sight.at, sight.text("origin")))
    _told_of(sight, turn)
    _spent_by_turn(sight, turn)
    _denials(sight)
    sight.lane.over = sight.at
    total = sight.number("total_cost_microusd")
    if total:
        sight.book.life.total_cost = most(sight.book.life.total_cost, total)
    _over(sight, turn)


def _second_result(sight: Sight, turn: Turn) -> None:
    """Give the result that was told before to the turn before: that of a turn which left work in the background may be
    told only after the turn that the work's end began, and both then seem to be about the later one."""
    before = sight.book.turns.get(f"{turn.run}-{turn.number - 1}")
    if turn.ended is None or before is None or before.ended is not None:
        return
    before.ended, before.spent, turn.spent = turn.ended, turn.spent, None
    sight.touch(before)


def turn_stopped(sight: Sight) -> None:
    """Take the end of a turn as seen from outside."""
    key = sight.text("prompt_id") or sight.lane.turn
    if not key:
        return
    turn = sight.book.turn(key)
    if sight.text("last_message"):
        sight.heard()
    ok = sight.payload.get("ok") is not False
    status = INTERRUPTED if sight.payload.get("interrupted") is True else COMPLETED if ok else FAILED
    error = "" if ok else wording.error_of(sight.text("error") or "API error")
    turn.ended = best(turn.ended, (sight.ranks.turn_end, sight.at, status, error, 0))
    _over(sight, turn)


def said(sight: Sight) -> None:
    """Take what somebody said: the model's words end a wait for it, a person's words name a turn."""
    if sight.text("role") == "assistant":
        sight.heard()
        return
    uuid = sight.event.subject
    if uuid and not sight.event.agent_id and not sight.event.parent and sight.payload.get("synthetic") is not True:
        name_prompt(sight, uuid, sight.text("text"))


def name_prompt(sight: Sight, uuid: str, text: str) -> None:
    """Keep the words of a message that a turn of a stream may be about."""
    words = wording.prompt_of(text)
    if words > sight.book.prompts.get(uuid, ""):
        sight.book.prompts[uuid] = words
        turn = sight.book.turns.get(sight.lane.turn)
        if turn is not None and uuid in turn.uuids:
            sight.touch(turn)


def thought(sight: Sight) -> None:
    """Take a thought of the model."""
    sight.heard()


def answered(sight: Sight) -> None:
    """Take a whole answer of the model: who, and its tokens."""
    agent = sight.event.agent_id
    model = sight.text("model")
    if sight.text("prompt_id") in sight.book.turns and not agent:
        sight.lane.turn = sight.text("prompt_id")
    if model and not agent:
        sight.book.life.model = best(sight.book.life.model, (sight.at, model))
    spent = _spent(sight.payload.get("usage"), sight.payload.get("cost_microusd"))
    name = sight.text("message_id") or sight.text("request_id") or sight.event.id
    if agent:
        task = sight.book.task(agent)
        task.spent = task.spent or Spending()
        task.spent.take(sight.event.source, name, spent)
        sight.touch(task)
        return
    turn = sight.book.turns.get(sight.lane.turn)
    holder: Turn | Any = turn if turn is not None else sight.book.life
    holder.spent = holder.spent or Spending()
    holder.spent.take(sight.event.source, name, spent)
    sight.touch(holder)


def compaction_started(sight: Sight) -> None:
    """Take that the conversation is being shortened."""
    mark = _series(sight, COMPACTION, begins=True)
    mark.start = best(mark.start, (sight.ranks.turn_end, -sight.at))
    mark.about = best(mark.about, (0, "Compaction", sight.text("trigger")))
    sight.touch(mark)


def compacted(sight: Sight) -> None:
    """Take that the conversation was shortened."""
    mark = _series(sight, COMPACTION, ends=True)
    before, after = sight.number("pre_tokens"), sight.number("post_tokens")
    sizes = f"{before:,} → {after:,} tokens" if before else ""
    mark.about = best(mark.about, (sight.ranks.turn_end if sizes else 0, "Compaction", sizes or sight.text("trigger")))
    took = sight.number("duration_ms") * 1000
    if took:
        mark.start = best(mark.start, (0, took - sight.at))
    mark.ended = best(mark.ended, (sight.ranks.turn_end, sight.at, COMPLETED, ""))
    sight.lane.compaction = mark
    sight.heard()  # it is the model that shortens
    sight.touch(mark)


def compaction_failed(sight: Sight) -> None:
    """Take that the conversation could not be shortened."""
    mark = _series(sight, COMPACTION, ends=True)
    mark.about = best(mark.about, (0, "Compaction", ""))
    mark.ended = best(mark.ended, (sight.ranks.turn_end, sight.at, FAILED, wording.error_of(sight.text("error"))))
    sight.touch(mark)


def retried(sight: Sight) -> None:
    """Take a failed call to the API; the tries of one call are one node."""
    attempt = sight.number("attempt")
    mark = _series(sight, RETRY, begins=attempt <= 1)
    status, error = sight.payload.get("status"), sight.text("error")
    why = f"{status} {error}".strip() if status else error or "no answer"
    most_ = sight.number("max_retries")
    tries = f"{attempt}/{most_}" if most_ else str(attempt)
    mark.about = best(mark.about, (attempt, f"API retry {tries}", why))
    mark.start = best(mark.start, (sight.ranks.turn_end, -sight.at))
    mark.ended = best(mark.ended, (attempt, sight.at + sight.number("delay_ms") * 1000, COMPLETED, ""))
    sight.touch(mark)


def limited(sight: Sight) -> None:
    """Take the state of a usage limit; one that allows everything is no news."""
    status = sight.text("status")
    if status in ("", "allowed"):
        return
    used = sight.payload.get("utilization")
    part = f", {used:.0%} used" if isinstance(used, float) else ""
    words = f"{sight.text('window') or 'limit'}: {status.replace('_', ' ')}{part}"
    _notice(sight, "Rate limit", words, wrong=status == "rejected")


def fell_back(sight: Sight) -> None:
    """Take that another model goes on."""
    words = f"{sight.text('original_model')} → {sight.text('fallback_model')} ({sight.text('trigger')})"
    _notice(sight, "Model changed", words)


def refused(sight: Sight) -> None:
    """Take that the model refused."""
    _notice(sight, "Model refused", sight.text("text") or sight.text("category"), wrong=True)


def remarked(sight: Sight) -> None:
    """Take a remark for the person; what changed around the session is none."""
    if sight.text("tag") not in _QUIET_TAGS:
        _notice(sight, "Notice", sight.text("text"))


def lost(sight: Sight) -> None:
    """Take that Claude Code could not save."""
    _notice(sight, "Not saved", sight.text("error"), wrong=True)


def _lives(sight: Sight, cwd: str) -> None:
    # The first directory is the project; `cd` changes later ones.
    sight.book.life.cwd = best(sight.book.life.cwd, (-sight.at, cwd))


def _run(sight: Sight) -> str:
    return (sight.event.source_key or sight.event.id).partition(":")[0]


def _told_of(sight: Sight, turn: Turn) -> None:
    told = sight.payload.get("message_uuids")
    new = [uuid for uuid in told or () if uuid not in turn.uuids]
    if new:
        turn.uuids = (*turn.uuids, *new)


def _errors(sight: Sight) -> str:
    errors = sight.payload.get("errors")
    return str(errors[0]) if isinstance(errors, (list, tuple)) and errors else sight.text("result")


def _denials(sight: Sight) -> None:
    """Take what the result says was denied: of calls inside of nested subagents it is all that is told."""
    denials = sight.payload.get("denials")
    for denial in denials if isinstance(denials, (list, tuple)) else ():
        call_id = denial.get("tool_use_id")
        if not call_id:
            continue
        call = sight.book.call(call_id)
        what = wording.short(denial.get("summary", ""))
        server, tool = mcp_parts(denial.get("name", ""))
        call.opened = best(call.opened, (-1, denial.get("name", ""), what, "", server, tool))
        call.ended = best(call.ended, (-1, sight.at, DENIED, "", "", ""))
        sight.into(call, -1, sight.lane.turn)
        sight.touch(call)
        sight.book.count(call)


def _spent_by_turn(sight: Sight, turn: Turn) -> None:
    models = sight.payload.get("models")
    parts = list(models.values()) if isinstance(models, dict) and models else [sight.payload.get("usage")]
    total = [0, 0, 0, 0]
    for part in parts:
        for place, value in enumerate(_spent(part, None)[:4]):
            total[place] += value
    turn.spent = turn.spent or Spending()
    spent = (total[0], total[1], total[2], total[3], sight.number("cost_microusd"))
    turn.spent.take(sight.event.source, turn.key, spent)


def _spent(usage: object, cost: object) -> Spent:
    told: dict[str, Any] = usage if isinstance(usage, dict) else {}
    return (
        int(told.get("input_tokens", 0)),
        int(told.get("output_tokens", 0)),
        int(told.get("cache_read_tokens", 0)),
        int(told.get("cache_write_tokens", 0)),
        cost if isinstance(cost, int) else -1,
    )


def _over(sight: Sight, turn: Turn) -> None:
    sight.touch(turn)
    sight.book.touch_open(sight.at)


def _series(sight: Sight, sort: str, *, begins: bool = False, ends: bool = False) -> Mark:
    """Return the mark of the running series of this source and turn; the n-th of each source are one.

    A compaction that a command asked for begins before the turn of that command is told: it moves there.
    """
    lane, turn = sight.lane, sight.lane.turn
    before = lane.going.pop(sort, None)
    moved = before if ends and before is not None and before.turn != turn else None
    number, running = lane.series.get((turn, sort), (0, 0))
    if begins or not running:
        number += 1
    lane.series[turn, sort] = (number, 0 if ends else 1)
    mark = sight.book.mark_in(turn, f"{sort}-{number}", sort)
    if not ends:
        lane.going[sort] = mark
    if moved is not None:
        moved.moved = True
        mark.start = best(mark.start, moved.start) if moved.start else mark.start
        sight.touch(moved)
    return mark


def _move_compaction(sight: Sight) -> None:
    """Move the last compaction into the turn that is told after it: the command that asked for it."""
    before, sight.lane.compaction = sight.lane.compaction, None
    if before is None or before.turn == sight.lane.turn:
        return
    mark = sight.book.mark_in(sight.lane.turn, f"{COMPACTION}-1", COMPACTION)
    mark.about = best(mark.about, before.about) if before.about else mark.about
    mark.start = best(mark.start, before.start) if before.start else mark.start
    mark.ended = best(mark.ended, before.ended) if before.ended else mark.ended
    before.moved = True
    sight.touch(before)
    sight.touch(mark)


def _notice(sight: Sight, name: str, text: str, *, wrong: bool = False) -> None:
    digest = blake2b(f"{name}\n{text}".encode(errors="replace"), digest_size=6).hexdigest()
    mark = sight.book.mark_in(sight.lane.turn, f"{NOTICE}-{digest}", NOTICE)
    mark.about = best(mark.about, (0, name, wording.short(text)))
    mark.start = best(mark.start, (sight.ranks.turn_end, -sight.at))
    status = FAILED if wrong else COMPLETED
    mark.ended = best(mark.ended, (0, sight.at, status, wording.short(text) if wrong else ""))
    sight.touch(mark)


SEEN = {
    PromptTaken.kind: prompt_taken,
    TurnStarted.kind: turn_started,
    TurnFinished.kind: turn_finished,
    TurnStopped.kind: turn_stopped,
    MessageSaid.kind: said,
    ThinkingFinished.kind: thought,
    ModelAnswered.kind: answered,
    CompactionStarted.kind: compaction_started,
    ContextCompacted.kind: compacted,
    CompactionFailed.kind: compaction_failed,
    ApiRetried.kind: retried,
    RateLimitChanged.kind: limited,
    ModelFellBack.kind: fell_back,
    ModelRefused.kind: refused,
    NoticeShown.kind: remarked,
    WritesLost.kind: lost,
}

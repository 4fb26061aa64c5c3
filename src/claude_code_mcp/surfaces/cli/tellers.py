"""What each kind of event is shown as. A kind that is not in the table is shown compactly, never dropped.

The kinds are those of `platform.claude.facts` and of the features; only payloads are read, nothing is imported, so
a newer daemon can send kinds and fields that this program has not heard of.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.surfaces.cli.outside import QUIET, repeats
from claude_code_mcp.surfaces.cli.scene import Entry, Event, Running, Scene, Tone, count, dollars, span

Told = list[Entry]
Teller = Callable[[Scene, Event], Told]
AGENT_TOOLS = ("Agent", "Task")
QUIET_TOOLS = ("Write", "Edit", "MultiEdit", "NotebookEdit", "Read")
_LINE = 160


def tell(scene: Scene, event: Event) -> Told:
    """Fold `event` into `scene` and return what is to be shown of it."""
    return [] if repeats(event) else TABLE.get(str(event.get("kind")), _unknown)(scene, event)


def payload(event: Event) -> Mapping[str, Any]:
    """Return what the fact says."""
    found = event.get("payload")
    return found if isinstance(found, dict) else {}


def text(event: Event, name: str) -> str:
    """Return a field of the fact as text, empty where it is left out."""
    value = payload(event).get(name)
    return value if isinstance(value, str) else ""


def number(event: Event, name: str) -> int:
    """Return a field of the fact as a whole number, 0 where it is left out."""
    return _whole(payload(event).get(name))


def _whole(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and abs(value) < 1e300 else 0


def _nothing(_scene: Scene, _event: Event) -> Told:
    return []


def _unknown(scene: Scene, event: Event) -> Told:
    said = " ".join(f"{key}={_short(value)}" for key, value in payload(event).items())
    return [Entry(Tone.NOTE, str(event.get("kind")), one_line(said, _LINE), depth=scene.depth_of(event))]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _note(tone: Tone, head: str, *fields: str) -> Teller:
    """Return the teller for a kind of which only some fields are shown, in one line."""

    def teller(scene: Scene, event: Event) -> Told:
        values = [_short(payload(event)[name]) for name in fields if payload(event).get(name) not in (None, "", [])]
        return [Entry(tone, head, one_line(" · ".join(values), _LINE), depth=scene.depth_of(event))]

    return teller


def _said(scene: Scene, event: Event) -> Told:
    scene.writing = ""
    said, depth = text(event, "text"), scene.depth_of(event)
    if text(event, "role") == "user":
        return [] if payload(event).get("synthetic") or depth else [Entry(Tone.ASKED, body=said)]
    if text(event, "error"):
        scene.failure = said
    tone = Tone.ERROR if text(event, "error") else Tone.SAID
    return [Entry(tone, body=said, depth=depth)] if said.strip() else []


def _thought(scene: Scene, event: Event) -> Told:
    scene.writing = ""
    said = text(event, "text")
    return [Entry(Tone.THOUGHT, body=said, depth=scene.depth_of(event))] if said.strip() else []


def _streamed(scene: Scene, event: Event) -> Told:
    if text(event, "channel") == "text" and not scene.depth_of(event):
        scene.writing = (scene.writing + text(event, "text"))[-2000:]
    return []


def tool_name(event: Event) -> str:
    """Return a tool's name as it is shown: those of MCP servers as `server: tool`."""
    server = text(event, "mcp_server")
    return f"{server}: {text(event, 'mcp_tool')}" if server else text(event, "name") or "tool"


def _tool_started(scene: Scene, event: Event) -> Told:
    summary = scene.short(text(event, "summary"))
    running = Running(tool_name(event), summary, str(event.get("at")), scene.depth_of(event))
    scene.running[str(event.get("tool_use_id"))] = running
    if text(event, "name") in AGENT_TOOLS:
        return []
    return [Entry(Tone.BEGAN, running.name, running.summary, depth=running.depth, plain_only=True)]


def _tool_ended(tone: Tone) -> Teller:
    def teller(scene: Scene, event: Event) -> Told:
        call = str(event.get("tool_use_id"))
        began = scene.running.pop(call, None)
        scene.asked.pop(call, None)
        if text(event, "name") in AGENT_TOOLS and call in scene.agents and tone is Tone.DONE:
            return []
        scene.totals.tools += 1
        scene.totals.failed += tone is Tone.FAILED
        scene.totals.denied += tone is Tone.DENIED
        head = began.name if began else tool_name(event)
        return [
            Entry(
                tone,
                head,
                began.summary if began else "",
                after=_how_it_ended(event),
                output=text(event, "reason") or _worth_showing(event),
                depth=began.depth if began else scene.depth_of(event),
            )
        ]

    return teller


def _worth_showing(event: Event) -> str:
    """Return a tool's output, nothing where that only says that it worked or repeats a file."""
    output = text(event, "output")
    quiet = event.get("kind") == "tool.finished" and text(event, "name") in QUIET_TOOLS
    return "" if quiet or output == "(Bash completed with no output)" else output


def _how_it_ended(event: Event) -> str:
    parts = [span(number(event, "duration_ms") / 1000)] if "duration_ms" in payload(event) else []
    added, removed = number(event, "lines_added"), number(event, "lines_removed")
    parts += [f"+{added} -{removed}"] if added or removed else []
    parts += ["in the background"] if text(event, "started_task_id") else []
    parts += ["interrupted"] if payload(event).get("interrupted") else []
    parts += ["its effect is not known"] if event.get("kind") == "tool.abandoned" else []
    return ", ".join(parts)


def _agent_started(scene: Scene, event: Event) -> Told:
    depth = max(1, number(event, "depth"))
    task, call = text(event, "task_id"), str(event.get("tool_use_id") or "")
    scene.agents[task] = depth
    if call:
        scene.agents[call] = depth
        scene.running.pop(call, None)
    name = text(event, "agent_type") or "subagent"
    scene.running[task] = Running(name, text(event, "description"), str(event.get("at")), depth - 1)
    scene.totals.subagents += 1
    where = "in the background" if payload(event).get("background") else ""
    return [Entry(Tone.AGENT, name, text(event, "description"), after=where, depth=depth - 1)]


def _agent_progressed(scene: Scene, event: Event) -> Told:
    running = scene.running.get(text(event, "task_id"))
    if running is not None:
        running.doing = text(event, "doing")
    return []


def _agent_finished(scene: Scene, event: Event) -> Told:
    running = scene.running.pop(text(event, "task_id"), None)
    ok = text(event, "status") == "completed"
    uses = number(event, "tool_uses")
    took = [span(number(event, "duration_ms") / 1000), f"{uses} tool{'s' if uses != 1 else ''}"]
    return [
        Entry(
            Tone.DONE if ok else Tone.FAILED,
            running.name if running else "subagent",
            running.summary if running else "",
            after=", ".join([*took, *([] if ok else [text(event, "status")])]),
            output=text(event, "summary"),
            depth=running.depth if running else scene.depth_of(event),
        )
    ]


def _task_started(scene: Scene, event: Event) -> Told:
    if not payload(event).get("background"):
        return []
    scene.tasks[text(event, "task_id")] = text(event, "description")
    return [Entry(Tone.AGENT, "background", text(event, "description"), depth=scene.depth_of(event))]


def _task_finished(scene: Scene, event: Event) -> Told:
    known = scene.tasks.pop(text(event, "task_id"), None)
    if known is None:
        return []
    status = text(event, "status") or "ended"
    tone = Tone.DONE if status == "completed" else Tone.FAILED
    return [Entry(tone, "background", known, after=status, output=text(event, "summary"))]


def _background(scene: Scene, event: Event) -> Told:
    tasks = payload(event).get("tasks")
    scene.background = {
        str(task.get("task_id")): str(task.get("description") or "")
        for task in (tasks if isinstance(tasks, list) else [])
        if isinstance(task, dict) and not task.get("ambient")
    }
    return []


def _asked(scene: Scene, event: Event) -> Told:
    scene.asked[str(event.get("tool_use_id") or "")] = payload(event)
    return [
        Entry(
            Tone.WAITS,
            tool_name(event),
            scene.short(text(event, "summary")),
            after=one_line(text(event, "reason"), _LINE),
            depth=scene.depth_of(event),
            plain_only=True,
        )
    ]


def _answered(_scene: Scene, event: Event) -> Told:
    word = {"allow": "allowed", "always": "always allowed", "deny": "denied"}.get(text(event, "decision"), "answered")
    changed = ["with a changed input"] if payload(event).get("changed") else []
    tone = Tone.DENIED if word == "denied" else Tone.NOTE
    said = " ".join(part for part in (text(event, "tool"), text(event, "message")) if part)
    return [Entry(tone, word, one_line(said, _LINE), after=", ".join([*changed, f"by {text(event, 'by')}"]))]


def _turn_started(scene: Scene, event: Event) -> Told:
    before = (scene.model, scene.mode)
    scene.model = text(event, "model") or scene.model
    scene.mode = text(event, "permission_mode") or scene.mode
    scene.cwd = text(event, "cwd") or scene.cwd
    if (scene.model, scene.mode) == before:
        return []
    return [Entry(Tone.NOTE, "", " · ".join(part for part in (scene.model, f"mode {scene.mode}", scene.cwd) if part))]


def _turn_finished(scene: Scene, event: Event) -> Told:
    scene.result = payload(event)
    scene.writing = ""
    totals = scene.totals
    totals.turns += 1
    totals.model_calls += number(event, "num_turns")
    totals.duration_ms += number(event, "duration_ms")
    totals.watched_cost_microusd += number(event, "cost_microusd")
    totals.cost_microusd = max(totals.cost_microusd, number(event, "total_cost_microusd"))
    _add_tokens(scene, event)
    calls = number(event, "num_turns")
    said = f"{calls} model call{'s' if calls != 1 else ''}, {span(number(event, 'duration_ms') / 1000)}"
    cost = dollars(number(event, "cost_microusd"))
    told = [Entry(Tone.TURN, f"turn {totals.turns}", f"{said}, {cost}")]
    said = "; ".join(_errors(event)) or text(event, "result")
    if text(event, "terminal_reason").startswith("aborted_"):
        told.append(Entry(Tone.NOTE, "interrupted"))
    elif payload(event).get("ok") is not True and (not said or said != scene.failure):
        told.append(Entry(Tone.ERROR, _why(event), said))
    scene.failure = ""
    return told


def _add_tokens(scene: Scene, event: Event) -> None:
    """Count the tokens by model, which has those of subagents; the main thread's where there is no such list."""
    models = payload(event).get("models")
    usages = list(models.values()) if isinstance(models, dict) and models else [payload(event).get("usage")]
    for usage in usages:
        if not isinstance(usage, dict):
            continue
        for kind in ("input_tokens", "cache_read_tokens", "cache_write_tokens"):
            scene.totals.input_tokens += _whole(usage.get(kind))
        scene.totals.output_tokens += _whole(usage.get("output_tokens"))


def _why(event: Event) -> str:
    return text(event, "terminal_reason") or text(event, "subtype") or "error"


def _errors(event: Event) -> list[str]:
    errors = payload(event).get("errors")
    return [str(error) for error in errors] if isinstance(errors, list) else []


def _retried(_scene: Scene, event: Event) -> Told:
    status = payload(event).get("status")
    what = f"{text(event, 'error') or 'no answer'}{f' ({status})' if status else ''}"
    of = f" of {number(event, 'max_retries')}" if number(event, "max_retries") else ""
    wait = span(number(event, "delay_ms") / 1000)
    return [Entry(Tone.WARNING, "API", f"{what}, attempt {number(event, 'attempt')}{of}, again in {wait}")]


def _rate_limit(_scene: Scene, event: Event) -> Told:
    if text(event, "status") == "allowed":
        return []
    used = payload(event).get("utilization")
    part = f" {used:.0%} used" if isinstance(used, (int, float)) else ""
    tone = Tone.ERROR if text(event, "status") == "rejected" else Tone.WARNING
    return [Entry(tone, "rate limit", f"{text(event, 'window')}{part}: {text(event, 'status')}")]


def _compacted(_scene: Scene, event: Event) -> Told:
    before, after = count(number(event, "pre_tokens")), count(number(event, "post_tokens"))
    return [Entry(Tone.NOTE, "compacted", f"{before} tokens became {after} ({text(event, 'trigger')})")]


def _mode_changed(scene: Scene, event: Event) -> Told:
    scene.mode = text(event, "mode")
    return [Entry(Tone.NOTE, "mode", scene.mode)]


def _hook(_scene: Scene, event: Event) -> Told:
    outcome = text(event, "outcome")
    if outcome in {"", "success"}:
        return []
    return [Entry(Tone.WARNING, f"hook {text(event, 'name')}", outcome, output=text(event, "output"))]


def _session_started(_scene: Scene, event: Event) -> Told:
    left_out = payload(event).get("left_out")
    if not isinstance(left_out, list) or not left_out:
        return []
    return [Entry(Tone.WARNING, "left out", one_line("; ".join(str(part) for part in left_out), _LINE * 2))]


def _exited(scene: Scene, event: Event) -> Told:
    scene.running.clear()
    scene.tasks.clear()
    scene.background.clear()
    if text(event, "reason") or (number(event, "code") == 0 and not payload(event).get("signal")):
        return []
    how = f"signal {payload(event)['signal']}" if payload(event).get("signal") else f"code {number(event, 'code')}"
    return [Entry(Tone.ERROR, "the process ended", how, output=text(event, "stderr"))]


TABLE: Mapping[str, Teller] = {
    "message.said": _said,
    "thinking.finished": _thought,
    "text.streamed": _streamed,
    **dict.fromkeys((*QUIET, "message.submitted", "message.queued", "message.started", "message.completed"), _nothing),
    "message.cancelled": _note(Tone.NOTE, "message not run", "how"),
    "tool.started": _tool_started,
    "tool.finished": _tool_ended(Tone.DONE),
    "tool.failed": _tool_ended(Tone.FAILED),
    "tool.denied": _tool_ended(Tone.DENIED),
    "tool.abandoned": _tool_ended(Tone.FAILED),
    "tool.progressed": _nothing,
    "approval.asked": _asked,
    "approval.withdrawn": _nothing,
    "approval.opened": _nothing,
    "approval.answered": _answered,
    "approval.closed": _note(Tone.NOTE, "the question is closed", "how"),
    "subagent.started": _agent_started,
    "subagent.progressed": _agent_progressed,
    "subagent.finished": _agent_finished,
    "task.started": _task_started,
    "task.progressed": _nothing,
    "task.changed": _nothing,
    "task.finished": _task_finished,
    "task.abandoned": _task_finished,
    "background.changed": _background,
    "turn.started": _turn_started,
    "turn.finished": _turn_finished,
    "api.retried": _retried,
    "rate_limit.changed": _rate_limit,
    "model.fell_back": _note(Tone.WARNING, "model", "text", "fallback_model"),
    "model.refused": _note(Tone.ERROR, "refused", "category", "text"),
    "session.state_changed": _nothing,
    "session.state_moved": _nothing,
    "session.titled": _note(Tone.NOTE, "title", "title"),
    "session.mode_changed": _mode_changed,
    "session.id_changed": _nothing,
    "conversation.reset": _note(Tone.NOTE, "a new conversation begins", "trigger"),
    "compaction.started": _note(Tone.NOTE, "compacting"),
    "context.compacted": _compacted,
    "compaction.failed": _note(Tone.WARNING, "compaction failed", "error"),
    "hook.started": _nothing,
    "hook.finished": _hook,
    "notice.shown": _note(Tone.NOTE, "", "text"),
    "commands.changed": _nothing,
    "session.writes_lost": _note(Tone.ERROR, "Claude Code could not save", "error", "lost"),
    "session.started": _session_started,
    "session.aborted": _note(Tone.NOTE, "asked to end", "mode", "reason"),
    "session.changed": _note(Tone.NOTE, "changed", "changed"),
    "session.failed": _note(Tone.ERROR, "failed", "code", "message"),
    "session.timed_out": _note(Tone.ERROR, "took longer than its limit", "timeout_s"),
    "run.started": _nothing,
    "run.attached": _note(Tone.NOTE, "a new daemon follows on"),
    "run.exited": _exited,
    "disk.ran_low": _note(Tone.WARNING, "the disk is almost full"),
    "disk.recovered": _note(Tone.NOTE, "the disk has space again"),
}

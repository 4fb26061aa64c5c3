"""Calls of tools and the questions about them, as they are seen."""

from claude_code_mcp.features.activity.rules import wording
from claude_code_mcp.features.activity.rules.book import COMPLETED, DENIED, FAILED, INTERRUPTED
from claude_code_mcp.features.activity.rules.records import Call, best, least
from claude_code_mcp.features.activity.rules.sight import Sight
from claude_code_mcp.platform.claude.facts import (
    ApprovalAsked,
    ApprovalWithdrawn,
    ToolAbandoned,
    ToolBlocked,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)

_HEARD_OF = -1
"""Rank of a name that was told with something else than the call's beginning."""


def started(sight: Sight) -> None:
    """Take the beginning of a call."""
    call = _call(sight)
    if call is None:
        return
    event, payload, ranks = sight.event, sight.payload, sight.ranks
    name = sight.text("name")
    if call.opened is None or call.opened[0] <= ranks.call_input:
        given = payload.get("input")
        what = wording.input_of(name, given) or sight.text("summary")
        claim = (
            ranks.call_input,
            name,
            what,
            wording.purpose_of(given),
            sight.text("mcp_server"),
            sight.text("mcp_tool"),
        )
        call.opened = best(call.opened, claim)
    call.start = best(call.start, (ranks.call_start, -sight.at))
    if event.parent:
        sight.book.below(call, event.parent)
    prompt = sight.text("prompt_id")
    if prompt and not event.agent_id:
        sight.lane.turn = prompt
    if event.agent_id or not event.parent:
        sight.place(call, event.agent_id, prompt_id=prompt)
    sight.heard(resumed=True)
    threads = sight.lane.open.setdefault(event.agent_id or "", {})
    threads[call.id] = (name, sight.text("input_digest"))
    _noted(sight, call)


def finished(sight: Sight) -> None:
    """Take a call that went well."""
    call = _call(sight)
    if call is None:
        return
    name = call.name or sight.text("name")
    output = wording.output_of(name, sight.payload)
    left = sight.text("started_task_id")
    _ended(sight, call, COMPLETED, output, "", left)
    if left:
        task = sight.book.task(left)
        task.background = True
        sight.book.launch(task, call, sight.ranks.task_about)
        sight.touch(task)


def failed(sight: Sight) -> None:
    """Take a call that went wrong, or was broken off."""
    call = _call(sight)
    if call is not None:
        status = INTERRUPTED if sight.payload.get("interrupted") is True else FAILED
        _ended(sight, call, status, "", wording.error_of(sight.text("output")), "")


def denied(sight: Sight) -> None:
    """Take a call that was not allowed."""
    call = _call(sight)
    if call is not None:
        why = sight.text("reason") or sight.text("output")
        _ended(sight, call, DENIED, "", wording.error_of(why), "")


def abandoned(sight: Sight) -> None:
    """Take a call whose result will never come."""
    call = _call(sight)
    if call is not None:
        call.abandoned = least(call.abandoned, sight.at)
        sight.lane.open.get(sight.event.agent_id or "", {}).pop(call.id, None)
        _named(sight, call)
        _noted(sight, call)


def blocked(sight: Sight) -> None:
    """Take for how long a call waited for a person."""
    call = _call(sight)
    if call is not None:
        call.blocked = best(call.blocked, (sight.number("waited_ms") * 1000, sight.at))
        _noted(sight, call)


def asked(sight: Sight) -> None:
    """Take a question to a person; a hook does not say about which call, so it is looked for."""
    event, name = sight.event, sight.text("name")
    request = sight.book.request(sight.text("request_id") or event.subject)
    request.asked |= {sight.at}
    question = sight.text("summary") or sight.text("description")
    request.about = best(request.about, (sight.ranks.call_input, name, wording.short(question)))
    call_id = event.tool_use_id or _meant(sight, name)
    if call_id:
        call = sight.book.call(call_id)
        request.call = max(request.call, call_id)
        if request.id not in call.requests:
            call.requests = tuple(sorted((*call.requests, request.id)))
        if event.tool_use_id:
            _named(sight, call)
            sight.place(call, event.agent_id)
            if event.parent:
                sight.book.below(call, event.parent)
        sight.touch(call)
        sight.book.count(call)
    sight.place(request, event.agent_id, prompt_id=sight.text("prompt_id"))
    sight.touch(request)


def withdrawn(sight: Sight) -> None:
    """Take that a question needs no answer any more."""
    settled(sight, sight.text("request_id") or sight.event.subject, "withdrawn")


def settled(sight: Sight, request_id: str, how: str) -> None:
    """Take that a question is answered or closed; `how` is how."""
    request = sight.book.request(request_id)
    request.done |= {sight.at}
    request.decision = best(request.decision, (sight.at, how))
    sight.touch(request)
    if request.call:
        sight.book.changed(sight.book.call(request.call))


def _call(sight: Sight) -> Call | None:
    call_id = sight.event.tool_use_id or sight.event.subject
    return sight.book.call(call_id) if call_id else None


def _ended(sight: Sight, call: Call, status: str, output: str, error: str, left: str) -> None:
    event, ranks = sight.event, sight.ranks
    _named(sight, call)
    call.ended = best(call.ended, (ranks.call_end, sight.at, status, output, error, left))
    ran = sight.payload.get("ran_ms")
    if isinstance(ran, int):
        call.ran = best(call.ran, (ranks.call_ran, ran))
    if event.parent:
        sight.book.below(call, event.parent)
    began_here = sight.lane.open.get(event.agent_id or "", {}).pop(call.id, None)
    if event.agent_id:
        sight.book.thread(call, event.agent_id)
    elif began_here is None and sight.lane.turn and not event.parent:
        sight.into(call, _HEARD_OF, sight.lane.turn)
    sight.heard()
    sight.book.unended.pop(call, None)
    _noted(sight, call)


def _named(sight: Sight, call: Call) -> None:
    name = sight.text("name")
    if name:
        call.opened = best(call.opened, (_HEARD_OF, name, "", "", sight.text("mcp_server"), sight.text("mcp_tool")))


def _noted(sight: Sight, call: Call) -> None:
    sight.touch(call)
    sight.book.count(call)


def _meant(sight: Sight, name: str) -> str:
    """Return the open call that a hook's question is about: same thread and input, else the last of that tool."""
    threads = sight.lane.open.get(sight.event.agent_id or "", {})
    digest, server = sight.text("input_digest"), sight.text("mcp_server")
    last = ""
    for call_id, (tool, its_digest) in reversed(threads.items()):
        if digest and its_digest == digest and tool == name:
            return call_id
        same = tool == name or (bool(server) and name == "Elicitation" and tool.startswith(f"mcp__{server}__"))
        if same and not last:
            last = call_id
    return last


SEEN = {
    ToolStarted.kind: started,
    ToolFinished.kind: finished,
    ToolFailed.kind: failed,
    ToolDenied.kind: denied,
    ToolAbandoned.kind: abandoned,
    ToolBlocked.kind: blocked,
    ApprovalAsked.kind: asked,
    ApprovalWithdrawn.kind: withdrawn,
}

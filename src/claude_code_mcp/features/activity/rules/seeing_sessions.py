"""The session as a whole, as it is seen: processes, title, and what this program did with it."""

from claude_code_mcp.features.activity.rules import wording
from claude_code_mcp.features.activity.rules.records import best, most
from claude_code_mcp.features.activity.rules.seeing_tools import settled
from claude_code_mcp.features.activity.rules.seeing_turns import name_prompt
from claude_code_mcp.features.activity.rules.sight import Sight
from claude_code_mcp.features.approvals.events import ApprovalAnswered, ApprovalClosed, ApprovalOpened
from claude_code_mcp.features.sessions.events import (
    MessageSubmitted,
    RunAttached,
    RunExited,
    RunStarted,
    SessionFailed,
    SessionStarted,
)
from claude_code_mcp.platform.claude.facts import (
    ConversationReset,
    CostCounted,
    PersonNeeded,
    ProcessGone,
    ProcessMeasured,
    SessionClosed,
    SessionOpened,
    SessionStateChanged,
    SessionTitled,
)

SESSION_END, PROCESS_DEATH = "session_end", "process_death"
_NEW_PROCESS = frozenset(("startup", "resume", "fork"))
_GOOD_ENDS = frozenset(("", "idle", "stop", "shutdown"))


def opened(sight: Sight) -> None:
    """Take that a process works on the session. What an earlier one left open will not end any more."""
    life, how = sight.book.life, sight.text("how")
    if sight.text("cwd"):
        life.cwd = best(life.cwd, (-sight.at, sight.text("cwd")))
    if sight.text("model"):
        life.model = best(life.model, (sight.at, sight.text("model")))
    pid = sight.payload.get("pid")
    if pid:
        life.pid = best(life.pid, (sight.at, pid))
    if how or pid:
        life.up = most(life.up, sight.at)
    if how in _NEW_PROCESS:
        # A microsecond before: what this process begins is not meant.
        close(sight, PROCESS_DEATH, sight.at - 1)
    sight.touch(life)


def closed(sight: Sight) -> None:
    """Take that a process ended its work in good order."""
    close(sight, SESSION_END, sight.at)
    _down(sight)


def gone(sight: Sight) -> None:
    """Take that a process is not there any more."""
    close(sight, PROCESS_DEATH, sight.at)
    _down(sight)


def reset(sight: Sight) -> None:
    """Take that the conversation was thrown away: the process goes on under another session."""
    close(sight, SESSION_END, sight.at)
    _down(sight)


def exited(sight: Sight) -> None:
    """Take that a process of ours ended."""
    well = sight.text("outcome") in ("exited", "") and not sight.number("code") and not sight.number("signal")
    good = well or sight.text("reason") in _GOOD_ENDS - {""}
    close(sight, SESSION_END if good else PROCESS_DEATH, sight.at)
    _down(sight)


def ran(sight: Sight) -> None:
    """Take that a process of ours works on the session."""
    life = sight.book.life
    life.ours = True
    if sight.payload.get("pid"):
        life.pid = best(life.pid, (sight.at, sight.payload["pid"]))
    life.up = most(life.up, sight.at)
    sight.touch(life)


def started(sight: Sight) -> None:
    """Take that this program began the session."""
    life = sight.book.life
    life.ours = True
    if sight.text("project_path"):
        life.cwd = best(life.cwd, (0, sight.text("project_path")))
    sight.touch(life)


def failed(sight: Sight) -> None:
    """Take that the session could not go on."""
    life = sight.book.life
    life.failed = best(life.failed, (sight.at, wording.error_of(sight.text("message"))))
    sight.touch(life)


def submitted(sight: Sight) -> None:
    """Take a message of ours: its words name the turn that is about it."""
    name_prompt(sight, sight.text("message_id"), sight.text("text"))


def titled(sight: Sight) -> None:
    """Take the session's name."""
    life = sight.book.life
    life.title = best(life.title, (sight.at, wording.short(sight.text("title"))))
    sight.touch(life)


def measured(sight: Sight) -> None:
    """Take what the session's process uses."""
    life = sight.book.life
    cpu = sight.payload.get("cpu_percent", 0.0)
    life.measured = best(life.measured, (sight.at, sight.number("memory_bytes"), float(cpu)))
    life.up = most(life.up, sight.at)
    if sight.number("pid"):
        life.pid = best(life.pid, (sight.at, sight.number("pid")))
    sight.touch(life)


def needed(sight: Sight) -> None:
    """Take that the person was told that Claude Code waits."""
    life = sight.book.life
    life.ask = best(life.ask, (sight.at, sight.text("what"), wording.short(sight.text("text"))))
    sight.touch(life)


def counted(sight: Sight) -> None:
    """Take what Claude Code says the session cost until now."""
    total = sight.number("total_cost_microusd")
    if total:
        sight.book.life.total_cost = most(sight.book.life.total_cost, total)
        sight.touch(sight.book.life)


def stated(sight: Sight) -> None:
    """Take busy or idle as the stream tells it: a sign of life."""
    sight.book.life.up = most(sight.book.life.up, sight.at)


def question_opened(sight: Sight) -> None:
    """Take our own id of a question."""
    approval_id, request_id = sight.text("approval_id"), sight.text("request_id")
    request = sight.book.request(request_id)
    request.opened = sight.at if request.opened is None else min(request.opened, sight.at)
    request.approval = best(request.approval, (sight.at, approval_id))
    sight.book.approvals[approval_id] = request_id
    sight.touch(request)
    if request.call:
        sight.book.changed(sight.book.call(request.call))


def question_answered(sight: Sight) -> None:
    """Take that a question was decided."""
    request_id = sight.book.approvals.get(sight.text("approval_id"))
    if request_id:
        settled(sight, request_id, sight.text("decision"))


def question_closed(sight: Sight) -> None:
    """Take that a question needs no answer any more."""
    request_id = sight.book.approvals.get(sight.text("approval_id"))
    if request_id:
        settled(sight, request_id, sight.text("how"))


def close(sight: Sight, how: str, at: int) -> None:
    """Take it that nothing which began before `at` will tell its end any more."""
    sight.book.life.closes.add((at, how))
    sight.book.touch_open(at)
    sight.touch(sight.book.life)


def _down(sight: Sight) -> None:
    sight.book.life.down = most(sight.book.life.down, sight.at)


SEEN = {
    SessionOpened.kind: opened,
    SessionClosed.kind: closed,
    ProcessGone.kind: gone,
    ProcessMeasured.kind: measured,
    PersonNeeded.kind: needed,
    SessionTitled.kind: titled,
    SessionStateChanged.kind: stated,
    ConversationReset.kind: reset,
    CostCounted.kind: counted,
    SessionStarted.kind: started,
    SessionFailed.kind: failed,
    MessageSubmitted.kind: submitted,
    RunStarted.kind: ran,
    RunAttached.kind: ran,
    RunExited.kind: exited,
    ApprovalOpened.kind: question_opened,
    ApprovalAnswered.kind: question_answered,
    ApprovalClosed.kind: question_closed,
}

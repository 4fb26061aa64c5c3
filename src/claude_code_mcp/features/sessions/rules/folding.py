"""What the facts of a stream change in a session: the last word on state, cost, result, model, messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from claude_code_mcp.features.sessions.models import MessageState, Session, SessionState
from claude_code_mcp.features.sessions.rules.states import SAID, may_move
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.platform.claude import facts

RESULT_CHARS = 262_144


@dataclass(slots=True)
class Folded:
    """What came out of some events: whether the session changed, and where its messages are now."""

    touched: bool = False
    moves: list[tuple[str, MessageState]] = field(default_factory=list)


def matters(events: Iterable[Event]) -> bool:
    """Tell whether `fold` with `events` can change anything in a session; False for nearly all that a turn says."""
    return any(
        event.fact.echo if isinstance(event.fact, facts.MessageSaid) else type(event.fact) in _HANDLERS
        for event in events
    )


def fold(session: Session, events: Iterable[Event]) -> Folded:
    """Bring `session` up to date with `events`, which are in the order of their stream."""
    folded = Folded()
    for event in events:
        handler = _HANDLERS.get(type(event.fact))
        if handler is not None:
            handler(session, event.fact, event, folded)
    return folded


def _state(session: Session, fact: facts.SessionStateChanged, event: Event, folded: Folded) -> None:
    after = SAID.get(fact.state)
    if after is None or not may_move(session.state, after):
        return
    # The time that a person takes for an answer is not the session's: it works anew from then on.
    session.busy_since = stamp(event.at) if after is SessionState.RUNNING else None
    session.state = after
    folded.touched = True


def _turn_started(session: Session, fact: facts.TurnStarted, _: Event, folded: Folded) -> None:
    session.model = fact.model or session.model
    session.permission_mode = fact.permission_mode or session.permission_mode
    folded.touched = True


def _turn_finished(session: Session, fact: facts.TurnFinished, _: Event, folded: Folded) -> None:
    session.turns += 1
    session.crashes = 0
    session.cost_microusd = max(session.cost_microusd, fact.total_cost_microusd)
    session.result = {
        "ok": fact.ok,
        "subtype": fact.subtype if fact.ok or fact.subtype != "success" else fact.terminal_reason or "error",
        "answer": fact.result,
        "structured_output": fact.structured_output,
        "errors": list(fact.errors),
        "turns": fact.num_turns,
        "duration_ms": fact.duration_ms,
        "denials": len(fact.denials),
    }
    folded.touched = True


def _mode(session: Session, fact: facts.PermissionModeChanged, _: Event, folded: Folded) -> None:
    session.permission_mode = fact.mode
    folded.touched = True


def _title(session: Session, fact: facts.SessionTitled, _: Event, folded: Folded) -> None:
    session.title = fact.title
    folded.touched = True


def _background(session: Session, fact: facts.BackgroundChanged, _: Event, folded: Folded) -> None:
    session.background = sum(not task.ambient for task in fact.tasks)
    folded.touched = True


def _conversation(session: Session, _: facts.SessionIdChanged, event: Event, folded: Folded) -> None:
    # After /clear the same process writes a new transcript: the next resume must name that one.
    if event.session_id:
        session.conversation_id = event.session_id
        folded.touched = True


_Lifecycle = facts.MessageQueued | facts.MessageStarted | facts.MessageCompleted | facts.MessageCancelled


def _said(_: Session, fact: facts.MessageSaid, event: Event, folded: Folded) -> None:
    if fact.echo:  # it is taken up now; the line that says so properly may have been lost
        folded.moves.append((event.subject, MessageState.STARTED))


def _message(_: Session, fact: _Lifecycle, __: Event, folded: Folded) -> None:
    folded.moves.append((fact.message_uuid, _LIFECYCLE[type(fact)]))


_LIFECYCLE: dict[type[Fact], MessageState] = {
    facts.MessageQueued: MessageState.SENT,
    facts.MessageStarted: MessageState.STARTED,
    facts.MessageCompleted: MessageState.COMPLETED,
    facts.MessageCancelled: MessageState.CANCELLED,
}
BEFORE: dict[MessageState, tuple[MessageState, ...]] = {
    MessageState.SENT: (MessageState.PENDING,),
    MessageState.STARTED: (MessageState.PENDING, MessageState.SENT),
    MessageState.COMPLETED: (MessageState.PENDING, MessageState.SENT, MessageState.STARTED),
    MessageState.CANCELLED: (MessageState.PENDING, MessageState.SENT, MessageState.STARTED),
}
"""From where a message may come into a state: never back."""

_HANDLERS: dict[type[Fact], Callable[..., None]] = {
    facts.SessionStateChanged: _state,
    facts.TurnStarted: _turn_started,
    facts.TurnFinished: _turn_finished,
    facts.PermissionModeChanged: _mode,
    facts.SessionTitled: _title,
    facts.BackgroundChanged: _background,
    facts.SessionIdChanged: _conversation,
    facts.MessageSaid: _said,
    **dict.fromkeys(_LIFECYCLE, _message),
}

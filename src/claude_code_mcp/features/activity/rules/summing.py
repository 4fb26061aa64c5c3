"""The session in one row: lifecycle, what runs, counts."""

from claude_code_mcp.features.activity.models import (
    ActiveOperation,
    Lifecycle,
    Metrics,
    NodeStatus,
    SessionActivity,
    Times,
    Tokens,
)
from claude_code_mcp.features.activity.rules.growing import Grower
from claude_code_mcp.features.activity.rules.moments import length, merged, text_of
from claude_code_mcp.features.activity.rules.records import Call, Life, Task

_MOST_OPERATIONS = 20


def summed(grower: Grower, now: int) -> SessionActivity:
    """Return the summary of the session that `grower` is for, at `now`."""
    book, standing, life = grower.book, grower.standing, grower.book.life
    trunk = grower.trunk().node
    shares = [grower.spender.weigh(group).share for group in standing.order]
    counts = book.counts
    live = is_live(life)
    return SessionActivity(
        id=book.session_id,
        start_time=trunk.started_at,
        last_event_at=text_of(life.last) if life.last is not None else None,
        status=_lifecycle(trunk.status, live=live),
        live=live,
        ours=life.ours,
        pid=life.pid[1] if life.pid is not None and live else None,
        project_path=life.cwd[1] if life.cwd else "",
        root_task=trunk.name,
        waiting_for=trunk.waiting_for or _idle(life, trunk.status, now),
        model=life.model[1] if life.model else "",
        active_operations=_running(grower),
        metrics=Metrics(
            total_tools_used=counts[0],
            total_mcp_calls=counts[1],
            total_subagents=counts[2],
            total_duration_ms=length(merged(share.whole for share in shares)) // 1000,
            error_count=counts[3],
            denied_count=counts[4],
        ),
        times=trunk.times or Times(),
        tokens=trunk.tokens or Tokens(),
        cost_microusd=trunk.cost_microusd,
        memory_bytes=life.measured[1] if life.measured is not None and live else None,
        cpu_percent=life.measured[2] if life.measured is not None and live else None,
        sources=trunk.sources,
    )


def is_live(life: Life) -> bool:
    """Tell whether a process works on the session: the last that was heard of one is that it is there."""
    return life.up is not None and (life.down is None or life.up > life.down)


def _lifecycle(status: NodeStatus, *, live: bool) -> Lifecycle:
    if status is NodeStatus.RUNNING:
        return Lifecycle.ACTIVE
    if status is NodeStatus.WAITING or live:
        return Lifecycle.PAUSED
    return Lifecycle.FAILED if status in (NodeStatus.FAILED, NodeStatus.ABANDONED) else Lifecycle.COMPLETED


def _idle(life: Life, status: NodeStatus, now: int) -> str:
    """Return what the person was told last, as long as nothing happened since."""
    if (
        life.ask is None
        or life.last is None
        or life.ask[0] < life.last
        or status is NodeStatus.RUNNING
        or now < life.ask[0]
    ):
        return ""
    return "the next prompt" if life.ask[1] == "idle_prompt" else str(life.ask[2] or life.ask[1])


def _running(grower: Grower) -> list[ActiveOperation]:
    records = [one for one in grower.book.unended if isinstance(one, (Call, Task)) and grower.is_node(one)]
    going = [group for group in grower.standing.order if grower.standing.turn(group).end is None]
    nodes = [grower.sprouter.sprout(thing).node for thing in (*records, *going)]
    nodes = [node for node in nodes if node.ended_at is None]
    nodes.sort(key=lambda node: (node.started_at or "", node.id))
    return [
        ActiveOperation(
            id=node.id, type=node.type, name=node.name, started=node.started_at, waiting_for=node.waiting_for
        )
        for node in nodes[-_MOST_OPERATIONS:]
    ]
